"""What does not move at feedback: calls nobody makes, calls that cannot be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from services.feedback.models import Attempts, Callbacks
from services.feedback.records import ServiceAct
from services.feedback.rules import machine, planning, verdict
from services.feedback.rules.machine import CallbackStatus
from shared.jurisdiction.calendar import Limit
from shared.stuck import COUNTED, EVERYWHERE, Question, Stuck, rows

LATE = timedelta(minutes=10)
DAY = Limit.parse("1wd")
OPEN = ", ".join(f"'{status}'" for status in sorted(machine.OPEN))


async def unmoved(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Callbacks the clock should have moved, inside the calling windows, and that nobody claimed."""
    late = select(Callbacks).where(
        col(Callbacks.next_at) <= act.now - LATE, col(Callbacks.lease_ends_at).is_(None)
    )
    found = (await act.session.exec(late.order_by(col(Callbacks.next_at)).limit(COUNTED))).all()
    return [
        Stuck(row.number, row.next_at, f"{row.next_step} 第 {row.attempt} 次 attempt")
        for row in found
        if row.next_at and planning.opening(row.next_at, act.config.times) <= act.now - LATE
    ]


async def uncalled(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Callbacks that wait for staff, a working day after they fell due.

    In the order of that day, or those that are not late yet might fill the limit.
    """
    waiting = (
        select(Callbacks, Attempts.due)
        .join(Attempts, col(Attempts.callback) == col(Callbacks.id))
        .where(
            Callbacks.status == CallbackStatus.DUE,
            col(Callbacks.next_step).is_(None),
            Attempts.attempt == Callbacks.attempt,
        )
    )
    found = (await act.session.exec(waiting.order_by(col(Attempts.due)).limit(COUNTED))).all()
    return [
        Stuck(row.number, due, f"第 {row.attempt} 次 attempt")
        for row, due in found
        if act.config.calendar.due(due, DAY).at < act.now
    ]


QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unmoved",
        "到点未处理的回访 callbacks the clock has not moved",
        "回访任务未运行 the job ring or expire does not run",
        "看反馈服务 /readyz 与日志 see feedback's /readyz and log",
        unmoved,
    ),
    Question(
        "lease",
        "悬而未决的呼叫请求 calls being asked for by a process that died",
        "请求呼叫的进程中断且无人接手 who asked has died and no other took over",
        "看反馈服务是否运行；运行中会在 50 秒后接手 see whether feedback runs; it takes over after 50 s",
        rows("""
            SELECT number, lease_ends_at, '第 ' || attempt || ' 次 attempt' FROM callbacks
            WHERE next_at IS NOT NULL
                AND lease_ends_at <= CAST(:real AS timestamptz) - interval '10 minutes'
            ORDER BY lease_ends_at LIMIT :limit"""),
    ),
    Question(
        "unasked",
        "请求不出去的回访 calls that cannot be asked for",
        "电话系统或受理服务拒绝，原因见日志 call not asked  the phone system or intake refuses; see the log",
        "恢复该方后自动再请求；回访员也可先行拨打 mend that side; staff may call meanwhile",
        rows("""
            SELECT number, next_at, '失败 ' || failed_asks || ' 次 failures' FROM callbacks
            WHERE next_at IS NOT NULL AND next_step IN ('ask', 'promise_ask') AND failed_asks >= 3
            ORDER BY next_at LIMIT :limit"""),
    ),
    Question(
        "uncalled",
        "待回访员拨打的回访 callbacks that wait for staff",
        "无电话系统或联系方式无法读取，一个工作日无人登记结果 a working day without an outcome by staff",
        "回访员处理 GET /v1/callbacks?status=due  staff work through that list",
        uncalled,
    ),
    Question(
        "unfinished",
        "超过回访期限的回访 callbacks past the day they should be finished by",
        "多次未接通或一直未拨打 nobody was reached, or nobody called",
        "回访员拨打并登记结果 staff call and report the outcome",
        rows(f"""
            SELECT number, finish_due, status FROM callbacks
            WHERE status IN ({OPEN}) AND finish_due < :now
            ORDER BY finish_due LIMIT :limit"""),
    ),
    Question(
        "unplanned",
        "没有回访的办结 resolved rounds without a callback",
        "已办结、未结案，也未安排回访 completed, not ended, and no call is planned",
        "报告缺陷，并由回访员联系诉求人 report a defect; staff call the citizen",
        rows("""
            SELECT r.number, r.completed_at, '第 ' || r.round || ' 轮 round' FROM resolutions r
            JOIN tickets t ON t.number = r.number
            WHERE r.ended_at IS NULL AND t.withdrawn_at IS NULL AND r.round > t.ended_round
                AND NOT EXISTS (
                SELECT 1 FROM callbacks c WHERE c.number = r.number AND c.round = r.round)
            ORDER BY r.completed_at LIMIT :limit"""),
    ),
)

PROGRESS = f"""
    SELECT t.number, t.round, coalesce(max(r.round), 0) AS resolved,
        coalesce(max(r.round) FILTER (WHERE r.ending <> '{verdict.REOPENED}'), 0) AS closed,
        t.withdrawn_at IS NOT NULL AS withdrawn
    FROM tickets t LEFT JOIN resolutions r ON r.number = t.number
    WHERE t.number = ANY(CAST(:numbers AS text[])) GROUP BY t.number"""
