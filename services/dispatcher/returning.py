"""退单: asked by a unit, ruled on by the desk, or by the policy when the desk says nothing in time; and
what holds afterwards (R-15, R-16, docs/adr/0050-returns-are-ruled-on-in-time.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlmodel import col, func, select

from services.dispatcher import orders, past_returns, records, schemas, views
from services.dispatcher.arbitration import precedents
from services.dispatcher.arbitration import usecases as arbitration
from services.dispatcher.catalogue import catalogues
from services.dispatcher.models import Assignment, Assignments, Return, Returns, Tickets
from services.dispatcher.past_returns import Past
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import handing_down, hotline_reasons, leaving, returns
from services.dispatcher.rules.assignment import Action, AssignmentStatus
from services.dispatcher.rules.catalogue import TOWN
from services.dispatcher.rules.returns import Asked, Earlier, ReturnAfterRuling
from shared import events
from shared.errors import Malformed
from shared.events import Role

BARRED = ReturnAfterRuling  # of what is refused, the one thing that is put on record
Way = Literal["return", "completion"]  # by which a unit asks to be rid of a matter
MOMENT = timedelta(seconds=1)  # at the due moment itself the desk may still rule
WAITING = (
    (col(Returns.granted).is_(None))
    & (col(Returns.withdrawn_at).is_(None))
    & (col(Returns.review_due).is_not(None))
    & (col(Assignments.status) == AssignmentStatus.RETURN_REQUESTED)
    & (col(Tickets.arbitration).is_(None))  # there the ladder rules
)
JOINED = col(Assignments.id) == col(Returns.assignment)
TICKET = col(Tickets.number) == col(Returns.ticket)


# --- asked by a unit ---------------------------------------------------------------------------


async def request_return(
    act: ServiceAct, id: UUID, body: schemas.ReturnRequest
) -> schemas.AssignmentOut:
    """退单申请: the desk has to rule on it, by a due moment (R-15, R-16); one dispute too many of a ticket is
    ruled on by the ladder instead (R-17). There, a unit whose clocks run works on meanwhile. Raises
    NotFound, InArbitration and what rules/returns.py raises.
    """
    record, assignment = await records.locked_assignment(act, id)
    rules = act.config.returns
    context = past_returns.context(act, _past(record), assignment, record.open())
    suggested = body.suggested_unit and records.unit_code(
        act, "suggested_unit", body.suggested_unit
    )
    asked = Asked(body.reason_code, body.legal_basis, suggested or None)
    moved = returns.request_return(context, asked, rules, act.config.grounds, act.now)
    arbitration.check_none(record)
    disputed, pauses = await arbitration.is_due(act, record), returns.pauses(context, asked, rules)
    if pauses or not disputed:
        assignment.was, assignment.status = assignment.status, moved
    form = body.model_dump() | {"suggested_unit": asked.suggested_unit}
    kept = Return(
        **form,
        id=orders.new_id(),
        ticket=assignment.ticket,
        assignment=assignment.id,
        unit=assignment.unit,
        requested_at=act.now,
        review_due=rules.ruled_by(act.now, act.config.calendar),
    )
    data = events.AssignmentReturnRequested(
        **form,
        request=act.rows.add(kept).id,
        review=None if disputed else str(rules.hotline_review),
        pauses=pauses,
    )
    orders.tell(act, assignment, data)
    orders.end_wait(act, assignment, "returned")
    if disputed:
        arbitration.open_by_dispute(act, record, assignment, kept)
    return views.assignment_out(act, record, assignment)


async def withdraw_return(
    act: ServiceAct, id: UUID, body: schemas.ReturnWithdrawal
) -> schemas.AssignmentOut:
    """撤回退单申请: the unit goes on where it was; it has asked once all the same, and the time is its own
    (ADR 0087). With the dispute that opened it an arbitration ends, and who gives in there bears its time
    as who loses it.

    Raises NotFound, MoveRefused.
    """
    record, assignment = await records.locked_assignment(act, id)
    opened, asked = record.arbitration, _past(record).asked
    if opened is None or not waits_at_work(assignment, asked):
        assignment.status = _moved(assignment, Action.WITHDRAW_RETURN)
    waiting = _waiting(asked, id)
    waiting.withdrawn_at = act.now
    charged = opened is not None and act.config.arbitration.charges
    data = events.AssignmentReturnWithdrawn(
        reason=body.reason, request=waiting.id, charged=charged, spent=opened is None
    )
    orders.tell(act, assignment, data)
    if opened and opened.by == "dispute" and opened.assignment == id:
        orders.end_arbitration(act, record, "return_withdrawn")
    return views.assignment_out(act, record, assignment)


def _moved(assignment: Assignment, action: Action) -> AssignmentStatus:
    """The status after a move that may lead back to where the return was asked. Raises MoveRefused."""
    was = AssignmentStatus(assignment.was or assignment.status)
    return machine.move(AssignmentStatus(assignment.status), action, was)


def waits_at_work(order: Assignment, asked: Iterable[Return]) -> bool:
    """Whether a unit works on while its return waits: before an arbitration, when its clocks run."""
    if order.status not in (*machine.HANDLING, AssignmentStatus.DISPATCHED):
        return False
    return any(row.assignment == order.id and row.waits for row in asked)


def _waiting(asked: Sequence[Return], id: UUID) -> Return:
    """The return of an assignment that waits for its ruling."""
    [waiting] = [row for row in asked if row.assignment == id and row.waits]
    return waiting


def check_not_handed_down(record: TicketRecord, order: Assignment) -> None:
    """What a superior handed down is no matter between a unit and the desk. Raises HandedDown."""
    if superior := past_returns.superior(order, record.open()):
        raise returns.HandedDown(rule="R-13", unit=superior)


def _past(record: TicketRecord) -> Past:
    if record.past is None:
        raise AssertionError("an order that is acted on comes with its ticket's past")
    return record.past


# --- ruled on ----------------------------------------------------------------------------------


async def rule_on_return(act: ServiceAct, id: UUID, body: schemas.Ruling) -> schemas.AssignmentOut:
    """退单裁定: refused, the unit goes on where it was; granted, the ticket is the desk's again.

    When the lead goes, those who answered to it go with it; a co-handler goes alone (R-15).
    Raises NotFound, InArbitration, MoveRefused, UnknownCode, AmbiguousCode, Malformed.
    """
    record, assignment = await records.locked_assignment(act, id)
    arbitration.check_none(record)
    _moved(assignment, _action(body.granted))
    named = body.named_unit and records.unit_code(act, "named_unit", body.named_unit)
    if named and (named == assignment.unit) is body.granted:
        raise Malformed(NAMED, field="named_unit")
    past = past_returns.earlier(act, _past(record))
    waiting = _waiting(_past(record).asked, id)
    waiting.named_unit = named or (None if body.granted else assignment.unit)
    await _rule(act, record, assignment, past, waiting, granted=body.granted, ruling=body.ruling)
    precedents.of_return(act, waiting, body.ruling)
    return views.assignment_out(act, record, assignment)


NAMED = (
    "同意退单时裁定单位应为其他单位，不同意时只能是本单位"
    " a granted return names another unit, a refused one none but the unit itself"
)


def _action(granted: bool) -> Action:
    return Action.GRANT_RETURN if granted else Action.REFUSE_RETURN


async def _rule(
    act: ServiceAct,
    record: TicketRecord,
    assignment: Assignment,
    past: Sequence[Earlier],
    waiting: Return,
    *,
    granted: bool,
    ruling: str,
) -> None:
    close(act, assignment, waiting, granted=granted, ruling=ruling)
    if granted and assignment.role == Role.LEAD:
        orders.cancel(act, record, record.open(), "redispatched", act.now, leaving.LEAD_RETURNED)
        now = past_returns.as_earlier(act, waiting, assignment)
        await _leave_to_desk(act, record, [*past, now], waiting)
    elif granted:
        below = handing_down.below(assignment, record.open())
        orders.cancel(act, record, below, "redispatched", act.now, leaving.SUPERIOR_RETURNED)


def close(
    act: ServiceAct,
    assignment: Assignment,
    waiting: Return,
    *,
    granted: bool,
    ruling: str,
    charged: bool = False,
) -> None:
    """What a ruling is to the return that waited for it, and to its order. ``charged``: its clocks have not
    stood still. Raises MoveRefused.
    """
    assignment.status = _moved(assignment, _action(granted))
    waiting.granted, waiting.ruling = granted, ruling
    waiting.ruled_at, waiting.ruled_by = act.now, act.actor
    said: dict[str, Any] = {"ruling": ruling, "request": waiting.id, "silent": waiting.silent}
    if granted:
        orders.tell(act, assignment, events.AssignmentReturned(**said))
    else:
        orders.tell(act, assignment, events.AssignmentReturnRefused(**said, charged=charged))


async def _leave_to_desk(
    act: ServiceAct, record: TicketRecord, past: Sequence[Earlier], granted: Return
) -> None:
    """The desk has the ticket again, and is shown whose it may be."""
    dispatching, matter = await catalogues.dispatching(act), record.matter
    freed = returns.freed(past)
    suggested = granted.named_unit or granted.suggested_unit
    if suggested in freed or suggested in dispatching.barred(matter):
        suggested = None
    town, near = dispatching.towns.get(matter.area, ""), dispatching.matcher.nearest(matter.topic)
    leads = {
        rule.id: town if rule.lead == TOWN else rule.lead
        for rule in dispatching.matcher.rules
        if rule.id in near
    }
    nearest = returns.rules_to_start_from(leads, suggested, freed)
    why = hotline_reasons.returned(granted.unit, granted.ruling or "", dispatching.names)
    orders.leave_to_desk(act, record, str(why), nearest, suggested, clocked=True)


async def check_may_disown(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> None:
    """非本单位职责: a unit that a ruling named may not say by a completion form either that the matter is
    not its duty (R-16), nor anybody while the ladder rules whose it is. Raises ReturnAfterRuling,
    InArbitration.
    """
    arbitration.check_none(record)
    if past_returns.is_bound(act, _past(record), assignment):
        raise ReturnAfterRuling


async def note_barred(act: ServiceAct, id: UUID, way: Way) -> None:
    """裁定后推诿: that a unit tried it all the same is on record (WF-22). Raises NotFound."""
    _, assignment = await records.locked_assignment(act, id)
    orders.tell(act, assignment, events.AssignmentReturnBarred(way=way))


async def take_back(
    act: ServiceAct, record: TicketRecord, assignment: Assignment, asked: Return, ruling: str
) -> None:
    """非本单位职责 by a completion form, and granted: what a granted return is, with all that follows."""
    if asked.named_unit == assignment.unit:
        raise Malformed(NAMED, field="named_unit")
    arbitration.check_none(record)
    past = past_returns.earlier(act, _past(record))
    assignment.was = assignment.status
    assignment.status = machine.move(AssignmentStatus(assignment.status), Action.REQUEST_RETURN)
    orders.end_wait(act, assignment, "returned")
    act.rows.add(asked)
    await _rule(act, record, assignment, past, asked, granted=True, ruling=ruling)
    precedents.of_return(act, asked, ruling)


# --- by the clock ------------------------------------------------------------------------------


async def rule_unruled(act: ServiceAct, limit: int) -> int:
    """Rule as the policy says on returns the desk let lie past their due moment; how many."""
    query = (
        select(Returns.ticket, Returns.assignment)
        .join(Assignments, JOINED)
        .join(Tickets, TICKET)
        .where(WAITING, col(Returns.review_due) <= act.now - MOMENT)
        .order_by(col(Returns.review_due))
        .limit(limit)
    )
    late = {assignment: ticket for ticket, assignment in await act.session.exec(query)}
    await records.lock(act, late.values())
    for id, number in late.items():
        record = await records.locked(act, number)
        assignment = next(each for each in record.assignments if each.id == id)
        waits = assignment.status == AssignmentStatus.RETURN_REQUESTED
        if waits and record.arbitration is None:  # nobody ruled before the lock
            await _rule_silently(act, record, assignment)
    return len(late)


async def _rule_silently(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> None:
    granted = act.config.returns.silence == "granted"
    found = await past_returns.load(act, assignment.ticket)
    past, waiting = past_returns.earlier(act, found), _waiting(found.asked, assignment.id)
    waiting.silent = True
    ruling = str(hotline_reasons.silent(granted=granted))
    await _rule(act, record, assignment, past, waiting, granted=granted, ruling=ruling)


async def next_unruled(act: ServiceAct) -> datetime | None:
    """When the policy rules next on what the desk lets lie."""
    query = (
        select(func.min(Returns.review_due))
        .join(Assignments, JOINED)
        .join(Tickets, TICKET)
        .where(WAITING)
    )
    due: datetime | None = (await act.session.exec(query)).one()
    return due and due + MOMENT
