"""What does not move at the dispatcher: tickets nobody has, returns nobody rules on, silent units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import and_, or_
from sqlmodel import col, func, select

from services.dispatcher.approvals import views as approvals
from services.dispatcher.approvals.models import Approvals
from services.dispatcher.arbitration.models import Arbitrations
from services.dispatcher.completion import views as forms
from services.dispatcher.models import Assignments, CompletionForms, Returns, Ticket, Tickets
from services.dispatcher.records import (
    ABOUT_SOMEBODY,
    ServiceAct,
    TicketRecord,
)
from services.dispatcher.reform import following
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import work_order
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.settings import Config
from shared import policies
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit
from shared.stuck import COUNTED, EVERYWHERE, Question, Stuck, rows

SOON = timedelta(minutes=5)  # a job comes every few seconds
DAY = Limit.parse("1wd")  # how long the desk and a unit may think; no rule found (DESIGN)


async def unassigned(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Tickets that wait for the desk longer than the dispatch limit of their type and urgency.

    Limits differ, so a late one may stand behind any number that are not: it is read on.
    """
    await policies.take_up(act)  # who asks may be no process of the service
    found: list[Stuck] = []
    after = ""
    while len(found) < COUNTED and (waiting := await _waiting(act, after)):
        after = waiting[-1].number
        found += [
            Stuck(row.number, row.unassigned_at, f"{row.urgency} 第 {row.round} 轮 round")
            for row in waiting
            if row.unassigned_at and _over(act, row.unassigned_at, _dispatch_limit(act, row))
        ]
    return found[:COUNTED]


async def _waiting(act: ServiceAct, after: str) -> Sequence[Ticket]:
    number = col(Tickets.number)
    waiting = select(Tickets).where(col(Tickets.unassigned_at).is_not(None), number > after)
    return (await act.session.exec(waiting.order_by(number).limit(COUNTED))).all()


def _dispatch_limit(act: ServiceAct, row: Ticket) -> Limit:
    table = policies.limits(act, row.unassigned_at)
    of = work_order.kind_of(table, TicketRecord(row, []).matter, Urgency(row.urgency))
    return Limit.parse(table.dispatch(of))


def _over(act: ServiceAct, since: datetime, limit: Limit) -> bool:
    return act.config.calendar.due(since, limit).at < act.now


async def recused(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """回避: what a unit has that must not know of it; it sees nothing, so nobody works on it.

    A release before gave it, or units.yaml has since made the unit kin of the reported one.
    """
    query = (
        select(Tickets, Assignments)
        .join(Assignments, col(Tickets.number) == col(Assignments.ticket))
        .where(ABOUT_SOMEBODY, col(Assignments.status).in_(machine.OPEN))
    )
    rows = await act.session.exec(query.order_by(col(Assignments.id)))
    recused = act.config.dispatching.recused
    found = (row for about, row in rows if row.unit in recused(TicketRecord(about, []).matter))
    return [Stuck(row.ticket, row.dispatched_at, row.unit) for row in islice(found, COUNTED)]


async def unruled(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Returns the desk has not ruled on in time: the policy did not rule on them either, as of those
    that were asked for before there was a limit.
    """
    waiting = (
        select(Returns)
        .join(Assignments, col(Assignments.id) == col(Returns.assignment))
        .where(
            col(Returns.granted).is_(None),
            col(Returns.withdrawn_at).is_(None),
            Assignments.status == AssignmentStatus.RETURN_REQUESTED,
        )
    )
    found = (
        await act.session.exec(waiting.order_by(col(Returns.requested_at)).limit(COUNTED))
    ).all()
    return [
        Stuck(row.ticket, row.requested_at, f"{row.unit} {row.reason_code}")
        for row in found
        if (row.review_due or act.config.calendar.due(row.requested_at, DAY).at) < act.now
    ]


async def undecided(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Arbitrations whose body is silent and above which time takes them no more, or should have and has
    not.
    """
    late = select(Arbitrations).where(
        col(Arbitrations.ruled_at).is_(None),
        col(Arbitrations.ended_at).is_(None),
        col(Arbitrations.due) < act.now,
        or_(
            col(Arbitrations.next_at).is_(None),
            col(Arbitrations.next_at) < act.now - SOON,
        ),
    )
    found = (await act.session.exec(late.order_by(col(Arbitrations.due)).limit(COUNTED))).all()
    ladder = act.config.arbitration
    return [Stuck(row.ticket, row.due, ladder.step(row.step).title) for row in found]


async def undecided_forms(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Answers nobody has audited, and requests to end a matter nobody has ruled on, in the desk's time: the
    policy lets them wait, or the job that decides in its place has not come.
    """
    wait = or_(and_(*forms.AUDITED), and_(*forms.REQUESTED))
    late = select(CompletionForms).where(wait, act.now - SOON > forms.DUE)
    found = (await act.session.exec(late.order_by(forms.DUE).limit(COUNTED))).all()
    return [
        Stuck(row.ticket, row.due, f"{row.unit} {'申请 request' if row.asks else '答复 answer'}")
        for row in found
    ]


_unagreed = rows("""
    SELECT '机构改革 reform ' || unit, proposed_at AS since, id::text FROM reforms
        WHERE approved_at IS NULL AND withdrawn_at IS NULL
    UNION ALL SELECT '派单目录草稿 draft of the catalogue', edited_at, id::text FROM catalogues
        WHERE source = 'door' AND version IS NULL AND discarded_at IS NULL
    ORDER BY since LIMIT :limit""")


async def unagreed(act: ServiceAct, real: datetime) -> Sequence[Stuck]:
    """What no second person has decided for a working day."""
    asked_at = col(Approvals.asked_at)
    asked = select(Approvals.ticket, asked_at, Approvals.what).where(*approvals.WAITING)
    found = await act.session.exec(asked.order_by(asked_at).limit(COUNTED))
    waiting = [*(Stuck(*row) for row in found), *await _unagreed(act, real)]
    return [each for each in waiting if each.since and _over(act, each.since, DAY)]


async def silent(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Units that have let something lie unsigned for a working day."""
    oldest, count = func.min(Assignments.dispatched_at), func.count()
    waiting = (
        select(Assignments.unit, oldest, count)
        .where(Assignments.status == AssignmentStatus.DISPATCHED)
        .group_by(col(Assignments.unit))
        .order_by(oldest)
        .limit(COUNTED)
    )
    found = (await act.session.exec(waiting)).all()
    return [
        Stuck(unit, since, f"{number} 件待签收 unsigned, {reached_by(act.config, unit)}")
        for unit, since, number in found
        if _over(act, since, DAY)
    ]


async def removed(act: ServiceAct, _: datetime) -> Sequence[Stuck]:
    """Units that hold open assignments and stand in units.yaml no more."""
    found = await following.held_by_removed(act, COUNTED)
    return [Stuck(unit, since, f"{number} 件在办 open") for unit, since, number in found]


def reached_by(config: Config, code: str) -> str:
    """How a unit is reached, and whom to ask for there."""
    unit = config.units.unit(code)
    if unit is None:
        return "no such unit in units.yaml"
    return f"{unit.delivery}, 联系 ask for {unit.liaison}"


QUESTIONS: tuple[Question, ...] = (
    *EVERYWHERE,
    Question(
        "unassigned",
        "超过派单时限仍待派的工单 tickets the desk has not assigned in time",
        "目录无匹配规则、退单成立或无单位可派 no rule of the catalogue fits, or a return was granted",
        "派单员在 GET /v1/unassigned 中指派 the desk assigns what GET /v1/unassigned lists",
        unassigned,
    ),
    Question(
        "unowned",
        "无人承办的在办工单 open tickets that nobody has",
        "没有进行中的派单，也不在待派列表 no open assignment, and the desk does not see it either",
        "派单员以 POST /v1/tickets/{number}/assign 指派，并报告缺陷 assign by hand, report a defect",
        rows("""
            SELECT t.number, t.registered_at, '第 ' || t.round || ' 轮 round' FROM tickets t
            WHERE t.withdrawn_at IS NULL AND t.closed < t.round AND t.resolved < t.round
                AND t.unassigned_at IS NULL AND NOT EXISTS (
                    SELECT 1 FROM assignments a WHERE a.ticket = t.number AND a.round = t.round
                        AND a.status NOT IN ('returned', 'cancelled'))
                AND NOT EXISTS (
                    SELECT 1 FROM tickets o LEFT JOIN assignments a ON a.ticket = o.number
                        AND a.status NOT IN ('returned', 'cancelled')
                        AND (a.status <> 'completed' OR a.role = 'lead' AND a.round = o.round
                            AND greatest(o.resolved, o.closed) < o.round)
                    WHERE o.work = t.work AND o.number <> t.number
                        AND (o.unassigned_at IS NOT NULL OR a.id IS NOT NULL))
            ORDER BY t.number LIMIT :limit"""),
    ),
    Question(
        "recused",
        "派给了须回避单位的工单 orders that units hold which must withdraw",
        "承办单位是被反映单位或其上下级，已看不到工单 it is the reported unit or its kin and sees nothing",
        "派单员以 POST /v1/tickets/{number}/assign 改派 the desk assigns it to another unit",
        recused,
    ),
    Question(
        "unruled",
        "待裁定的退单 returns that wait for a ruling",
        "派单员未在时限内裁定 the desk has not ruled in time, and the job rule_unruled did not either",
        "派单员裁定 the desk rules: POST /v1/assignments/{id}/ruling",
        unruled,
    ),
    Question(
        "undecided",
        "逾期未裁决的争议 disputes nobody rules on",
        "最高一级（或按规则停留的一级）未在时限内裁决 the last body of the ladder has not ruled in time",
        "督办员催请该机构并录入裁决 press it and record its ruling: "
        "POST /v1/arbitrations/{arbitration}/ruling",
        undecided,
    ),
    Question(
        "undecided_forms",
        "逾期未审核的答复、未裁定的终止申请 answers and requests to end a matter, not decided in time",
        "派单员未决定，且规则规定等待，或任务 decide_undecided 未运行 the desk has not decided and the "
        "policy waits for it, or the job decide_undecided does not run",
        "派单员审核、裁定 the desk decides: GET /v1/audits, GET /v1/completion-requests",
        undecided_forms,
    ),
    Question(
        "unruled_waits",
        "逾期未裁定的等待诉求人申请 requests to wait for the citizen, not ruled on in time",
        "派单员未裁定，且任务 see_to_waits 未运行 the desk has not ruled, nor has the job see_to_waits",
        "派单员裁定 the desk rules: GET /v1/waits",
        rows("""
            SELECT ticket, wait_due, unit FROM assignments WHERE status = 'contacted'
                AND wait_due <= CAST(:now AS timestamptz) - interval '5 minutes'
            ORDER BY wait_due LIMIT :limit"""),
    ),
    Question(
        "unagreed",
        "待另一人决定的批准事项、机构改革、目录草稿 approvals, reforms, drafts of the catalogue that wait "
        "for a second person",
        "一个工作日无第二人作出决定，一切照旧 no second person decided for a working day; all stays as it is",
        "由另一人决定 another person decides: GET /v1/worklist",
        unagreed,
    ),
    Question(
        "silent",
        "不签收的单位 units that sign nothing",
        "一个工作日未签收，可能没有读取队列或办件流 a working day unsigned: it may not read queue or feed",
        "电话联系单位；队列无人读时改 delivery: feed  ring the unit; nobody at its queue: delivery: feed",
        silent,
    ),
    Question(
        "removed",
        "已不在 units.yaml 而仍有在办件的单位 units that hold open work and are in units.yaml no more",
        "删去单位时未先改派；其令牌已不能使用，工单仍在 it was removed before its work was given to "
        "others: its token opens nothing, its tickets are still here",
        "派单员逐件改派（POST /v1/tickets/{number}/assign），或恢复该单位 assign each to another unit, "
        "or put the unit back",
        removed,
    ),
    Question(
        "file_draft",
        "catalogue.yaml 的改动尚未发布 changes of catalogue.yaml that are a draft only",
        "派单目录以已发布的版本为准，文件的改动不自动生效 published versions decide, a changed file does not",
        "督办员核对后发布或作废草稿 a supervisor publishes or discards it: GET /v1/catalogue/drafts",
        rows("""
            SELECT 'catalogue.yaml', drafted_at, id::text FROM catalogues
            WHERE source = 'file' AND version IS NULL AND discarded_at IS NULL
            ORDER BY id LIMIT :limit"""),
    ),
    Question(
        "unnumbered",
        "未编号的办件流事实 facts not yet in the unit feed",
        "编号任务未运行 the job number_feed does not run",
        "看派单服务 /readyz 与日志 see the dispatcher's /readyz and log",
        rows("""
            SELECT unit, received_at, name FROM feed WHERE position IS NULL
                AND received_at <= CAST(:now AS timestamptz) - interval '5 minutes'
            ORDER BY id LIMIT :limit"""),
    ),
)

OPEN = """
    SELECT number FROM tickets WHERE withdrawn_at IS NULL AND closed < round AND number > :after
    ORDER BY number LIMIT :limit"""

PROGRESS = """
    SELECT number, round, resolved, closed, withdrawn_at IS NOT NULL AS withdrawn
    FROM tickets WHERE number = ANY(CAST(:numbers AS text[]))"""

ASSIGNMENTS = """
    SELECT id, ticket, unit FROM assignments WHERE ticket = ANY(CAST(:numbers AS text[]))
        AND status NOT IN ('returned', 'completed', 'cancelled')"""
