"""What does not move at the tracker: clocks past due, clocks that did not fire, dangers nobody took up, and
what people have to decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import exists
from sqlmodel import col, select

from services.tracker.models import Assignments, Clocks, Extensions, Tickets
from services.tracker.promises.views import ASKED as ASKED_TO_MOVE
from services.tracker.records import TO_RULE_ON, ServiceAct
from services.tracker.risks import views as risks
from services.tracker.rules.extension import ExtensionStatus
from shared.jurisdiction.calendar import Limit
from shared.stuck import COUNTED, EVERYWHERE, Question, Stuck, rows

DAY = Limit.parse("1wd")  # how long a supervisor may think; no rule found (DESIGN)


def for_a_day(act: ServiceAct, found: Iterable[Stuck]) -> list[Stuck]:
    """Of what waits for somebody's decision, what has waited for a working day."""
    calendar = act.config.calendar
    return [each for each in found if each.since and calendar.due(each.since, DAY).at < act.now]


async def unruled(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Extensions and moves of promised days nobody has ruled on for a working day."""
    return for_a_day(act, [*await _extensions(act), *await _moves(act)])


async def _extensions(act: ServiceAct) -> list[Stuck]:
    asked = select(Extensions).where(
        Extensions.status == ExtensionStatus.ASKED,
        col(Extensions.lapsed_at).is_(None),
        exists().where(
            col(Clocks.ticket) == col(Extensions.ticket),
            col(Clocks.assignment) == col(Extensions.assignment),
            TO_RULE_ON,
        ),
    )
    found = (await act.session.exec(asked.order_by(col(Extensions.asked_at)).limit(COUNTED))).all()
    return [Stuck(row.ticket, row.asked_at, _waits(row)) for row in found]


def _waits(row: Extensions) -> str:
    """Whose it is, and for which office it waits; for a supervisor where none is named."""
    return f"{row.unit} +{row.days}wd" + (f" → {row.office}" if row.office else "")


async def _moves(act: ServiceAct) -> list[Stuck]:
    asked_at = col(Assignments.promise_asked_at)
    asked = select(Assignments.ticket, asked_at, Assignments.unit).where(*ASKED_TO_MOVE)
    found = await act.session.exec(asked.order_by(asked_at).limit(COUNTED))
    return [Stuck(number, at, f"{unit} 承诺改期 a promised day") for number, at, unit in found]


# Neither unit nor ticket of a referral: who reads the page is no supervisor.
_unagreed = rows("""
    SELECT '更正 revision', proposed_at AS since, id::text FROM revisions WHERE granted IS NULL
    UNION ALL SELECT '移送 referral', proposed_at, id::text FROM referrals WHERE granted IS NULL
    UNION ALL SELECT '时限规则草稿 draft of the policy', edited_at, id::text FROM policy_drafts
        WHERE source = 'door' AND version IS NULL AND discarded_at IS NULL
    ORDER BY since LIMIT :limit""")


async def unagreed(act: ServiceAct, real: datetime) -> Sequence[Stuck]:
    """What no second person has decided for a working day."""
    return for_a_day(act, await _unagreed(act, real))


async def unacknowledged(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Dangers whose office has not said in time who has taken them up, while their ticket is worked on."""
    late = select(Tickets.number, Tickets.risk_due, Tickets.risk_office).where(
        *risks.WAITING, act.now > risks.DUE
    )
    found = await act.session.exec(late.order_by(risks.DUE).limit(COUNTED))
    return [Stuck(number, due, office or "") for number, due, office in found]


QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unfired",
        "到点未触发的时限 clocks that should have fired",
        "巡查任务未运行 the job sweep does not run",
        "看督办服务 /readyz 与日志；恢复后按真实时刻补触发 see /readyz; the marks fire with true times",
        rows("""
            SELECT ticket, next_at, kind || coalesce(' ' || unit, '') FROM clocks
            WHERE next_at <= CAST(:now AS timestamptz) - interval '5 minutes'
            ORDER BY next_at LIMIT :limit"""),
    ),
    Question(
        "overdue",
        "已超期未完成的承办任务 duties past their due moment",
        "承办单位（派单、申请审核时限为派单员）未按时完成 the unit, or the desk for its own clocks, is late",
        "督办员督办 the supervisor presses, see GET /v1/breaches: POST /v1/assignments/{id}/supervisions",
        rows("""
            SELECT ticket, due, kind || coalesce(' ' || unit, '') || ' 第 ' || round || ' 轮 round'
            FROM clocks WHERE breached_at IS NOT NULL AND ended_at IS NULL ORDER BY due LIMIT :limit"""),
    ),
    Question(
        "provisional",
        "暂定的到期时刻 provisional due moments",
        "所涉年份的放假安排未录入 the holidays of a year they reach into are not known",
        "导入放假通知并 make reload import the notice, then make reload: calendar import FILE",
        rows("""
            SELECT ticket, due, kind || coalesce(' ' || unit, '') FROM clocks
            WHERE provisional AND status IN ('running', 'paused') ORDER BY due LIMIT :limit"""),
    ),
    Question(
        "unruled",
        "待批的延期、承诺改期 extensions and moves of promised days that wait for a ruling",
        "督办员或审批机构一个工作日未批 nobody who rules on it has ruled for a working day",
        "督办员（再次延期由所列机构）批准或驳回 a supervisor, or the office that is named, rules: "
        "POST /v1/extensions/{id}/ruling, POST /v1/promises/{assignment}/ruling",
        unruled,
    ),
    Question(
        "unagreed",
        "待另一人决定的更正、移送、时限规则草稿 revisions, referrals, drafts of the policy that wait for "
        "a second person",
        "一个工作日无第二人作出决定，一切照旧 no second person decided for a working day; all stays as it is",
        "另一名督办员（更正也可由派单员）决定 another supervisor decides, of revisions also the desk: "
        "GET /v1/worklist",
        unagreed,
    ),
    Question(
        "unacknowledged",
        "逾期未登记知悉的险情 dangers nobody has taken up in time",
        "接报单位未在时限内登记谁来处置 the office that was told has not said who has taken it up",
        "立即电话催请该单位，由其或督办员登记 ring that office at once; it or a supervisor says so: "
        "POST /v1/risks/{number}/acknowledgement",
        unacknowledged,
    ),
    Question(
        "unanswered",
        "逾期未回复的督办 supervisions without an answer",
        "单位未在督办时限内回复 the unit has not answered it by the date the supervision set",
        "上升一级督办 press one rung higher: POST /v1/assignments/{id}/supervisions",
        rows("""
            SELECT ticket, answer_due, unit || ' ' || rung FROM supervisions
            WHERE closed_at IS NULL AND answered_at IS NULL AND answer_due < :now
            ORDER BY answer_due LIMIT :limit"""),
    ),
    Question(
        "file_draft",
        "limits.yaml、supervision.yaml 的改动尚未发布 changes of these files that are a draft only",
        "时限规则以已发布的版本为准，文件的改动不自动生效 published versions decide, a changed file does not",
        "督办员核对后发布或作废草稿 a supervisor publishes or discards it: GET /v1/policies/drafts",
        rows("""
            SELECT 'limits.yaml', drafted_at, id::text FROM policy_drafts
            WHERE source = 'file' AND version IS NULL AND discarded_at IS NULL
            ORDER BY id LIMIT :limit"""),
    ),
)

PROGRESS = """
    SELECT t.number, coalesce(max(r.number), 0) AS round,
        coalesce(max(r.number) FILTER (WHERE r.resolved_at IS NOT NULL), 0) AS resolved,
        NULL AS closed, t.withdrawn_at IS NOT NULL AS withdrawn
    FROM tickets t LEFT JOIN rounds r ON r.ticket = t.number
    WHERE t.number = ANY(CAST(:numbers AS text[])) GROUP BY t.number"""

ASSIGNMENTS = """
    SELECT id, ticket, unit FROM assignments WHERE ticket = ANY(CAST(:numbers AS text[]))"""
