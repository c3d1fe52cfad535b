"""What the tracker does, one function per use case: load, decide, save, tell.

A fact is written down with its time, then everything that follows for the ticket's clocks is
worked out anew: so the rows are the same in whatever order facts came in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

import uuid6

from services.tracker import queries, schemas
from services.tracker.clockwork import fire, settle
from services.tracker.models import Assignment, Extension, Round, Supervision, Ticket
from services.tracker.queries import Acting, Docket
from services.tracker.rules import extension
from services.tracker.rules.extension import Asking, NothingToExtend, Rule, Ruling
from services.tracker.rules.machine import State
from services.tracker.rules.rates import Tally, share
from shared import events
from shared.errors import Malformed, MoveRefused, NotFound, TooEarly
from shared.events import ClockKind, ContactOutcome, Data, Fact, Role, Urgency
from shared.observability import log

ANSWERED = frozenset({ContactOutcome.REACHED, ContactOutcome.REFUSED})


# --- facts heard -------------------------------------------------------------------------------


async def register(act: Acting, fact: Fact) -> None:
    """受理: the dispatch clock and the citizen's clock start."""
    said: events.TicketRegistered = fact.data
    if await queries.find(act, fact.subject):
        log.info("ignored: registered before", ticket=fact.subject)
        return
    ticket = Ticket(
        number=fact.subject,
        ticket_type=said.ticket_type,
        urgency=said.urgency,
        topic=said.topic,
        flags=list(said.flags),
        registered=fact.time,
    )
    act.session.add(ticket)
    await act.session.flush()
    first = Round(ticket=fact.subject, number=1, started=fact.time)
    act.session.add(first)
    docket = act.locked[fact.subject] = Docket(ticket, [first], [], {})
    await settle(act, docket, fact.time)


async def dispatch(act: Acting, fact: Fact) -> None:
    """派单: the unit's clocks start with the limits it carries; a lead's meets the desk's clock."""
    said: events.AssignmentDispatched = fact.data
    docket = await _ground(act, fact)
    if fact.assignment is None or fact.unit is None:
        raise ValueError("a dispatch names its assignment and its unit")
    if docket.assignment(fact.assignment):
        log.info("ignored: dispatched before", ticket=fact.subject)
        return
    limits = said.limits
    assignment = Assignment(
        id=fact.assignment,
        ticket=fact.subject,
        unit=fact.unit,
        role=said.role,
        round=fact.round,
        urgency=said.urgency,
        redo=said.redo,
        has_contact=said.has_contact,
        sign_limit=limits.sign,
        first_contact_limit=limits.first_contact,
        handle_limit=limits.handle,
        dispatched=fact.time,
    )
    act.session.add(assignment)
    await act.session.flush()
    docket.take_on(assignment)
    await settle(act, docket, fact.time)


async def sign(act: Acting, fact: Fact) -> None:
    """签收: meets the sign clock."""
    docket, assignment = await _assigned(act, fact)
    assignment.signed = _earlier(assignment.signed, fact.time)
    await settle(act, docket, fact.time)


async def contact(act: Acting, fact: Fact) -> None:
    """先行联系: an attempt the citizen answered meets the first-contact clock (R-12)."""
    said: events.AssignmentContacted = fact.data
    docket, assignment = await _assigned(act, fact)
    if said.outcome in ANSWERED:
        assignment.contacted = _earlier(assignment.contacted, fact.time)
        await settle(act, docket, fact.time)


async def complete(act: Acting, fact: Fact) -> None:
    """办结: meets whatever still runs of the assignment (R-21)."""
    docket, assignment = await _assigned(act, fact)
    assignment.completed = _earlier(assignment.completed, fact.time)
    await settle(act, docket, fact.time)


async def request_return(act: Acting, fact: Fact) -> None:
    """退单申请: the unit's clocks stand still while the desk rules."""
    docket, assignment = await _assigned(act, fact)
    assignment.return_requested = _earlier(assignment.return_requested, fact.time)
    await settle(act, docket, fact.time)


async def refuse_return(act: Acting, fact: Fact) -> None:
    """退单不予同意: the unit's clocks run again, with the working time of the pause given back."""
    docket, assignment = await _assigned(act, fact)
    assignment.return_refused = _earlier(assignment.return_refused, fact.time)
    await settle(act, docket, fact.time)


async def grant_return(act: Acting, fact: Fact) -> None:
    """退单: the unit's clocks end; for a lead's return the desk's clock starts afresh."""
    docket, assignment = await _assigned(act, fact)
    assignment.returned = _earlier(assignment.returned, fact.time)
    await settle(act, docket, fact.time)


async def cancel(act: Acting, fact: Fact) -> None:
    """取消: the unit's clocks end."""
    said: events.AssignmentCancelled = fact.data
    docket, assignment = await _assigned(act, fact)
    if assignment.cancelled is None or fact.time < assignment.cancelled:
        assignment.cancelled, assignment.cancel_reason = fact.time, said.reason
    await settle(act, docket, fact.time)


async def withdraw(act: Acting, fact: Fact) -> None:
    """撤单: every clock of the ticket ends."""
    docket = await _ground(act, fact)
    docket.ticket.withdrawn = _earlier(docket.ticket.withdrawn, fact.time)
    await settle(act, docket, fact.time)


async def resolve(act: Acting, fact: Fact) -> None:
    """The lead completed: meets the citizen's clock of that round."""
    docket = await _ground(act, fact)
    row = docket.round(fact.round)
    if row is None:
        raise TooEarly(f"round {fact.round} of {fact.subject} has not been opened yet")
    row.resolved = _earlier(row.resolved, fact.time)
    await settle(act, docket, fact.time)


async def reopen(act: Acting, fact: Fact) -> None:
    """重办: a new citizen's clock with the redo limit (R-27)."""
    docket = await _ground(act, fact)
    if docket.round(fact.round):
        log.info("ignored: opened before", ticket=fact.subject, round=fact.round)
        return
    opened = Round(ticket=fact.subject, number=fact.round, started=fact.time)
    act.session.add(opened)
    docket.open_round(opened)
    await settle(act, docket, fact.time)


async def _ground(act: Acting, fact: Fact) -> Docket:
    docket = await queries.find(act, fact.subject)
    if docket is None:
        raise TooEarly(f"ticket {fact.subject} is not registered here yet")
    return docket


async def _assigned(act: Acting, fact: Fact) -> tuple[Docket, Assignment]:
    docket = await _ground(act, fact)
    assignment = docket.assignment(fact.assignment)
    if assignment is None:
        raise TooEarly(f"assignment {fact.assignment} was not dispatched here yet")
    return docket, assignment


def _earlier(known: datetime | None, heard: datetime) -> datetime:
    """A duty is done, or lost, the first time; the same fact twice changes nothing."""
    return min(known or heard, heard)


# --- acts over HTTP ----------------------------------------------------------------------------


async def ask_extension(act: Acting, id: UUID, body: schemas.ExtensionIn) -> schemas.ExtensionOut:
    """延期申请: by the unit, on its own open handle clock, once, in time (R-18)."""
    docket, assignment = await queries.of_assignment(act, id)
    clock = docket.handle_clock(id)
    if clock is None:
        raise NothingToExtend
    asking = Asking(
        days=body.days,
        clock=queries.standing(clock),
        urgency=Urgency(assignment.urgency),
        redo=assignment.redo or assignment.round > 1,
        asked_before=await queries.extension_of(act, id) is not None,
        now=act.now,
    )
    extension.check(asking, docket.matter(), act.config)
    asked = Extension(
        id=UUID(bytes=uuid6.uuid7().bytes),
        ticket=assignment.ticket,
        assignment=id,
        unit=assignment.unit,
        state=Ruling.ASKED,
        reason=body.reason,
        legal_basis=body.legal_basis,
        days=body.days,
        asked=act.now,
        asked_by=act.actor,
    )
    act.session.add(asked)
    said = events.ExtensionRequested(
        extension=asked.id, reason=body.reason, legal_basis=body.legal_basis, days=body.days
    )
    _say(act, assignment, said)
    return queries.show_extension(asked, clock)


async def rule_on_extension(act: Acting, id: UUID, body: schemas.RulingIn) -> schemas.ExtensionOut:
    """延期审批: a grant moves the due moment, also when the old one has passed meanwhile."""
    docket, assignment, asked = await queries.of_extension(act, id)
    clock = docket.handle_clock(assignment.id)
    if clock is None:
        raise NothingToExtend
    action = Rule.GRANT if body.granted else Rule.REFUSE
    asked.state = extension.rule(Ruling(asked.state), action, State(clock.state))
    asked.ruled, asked.ruled_by, asked.ruling = act.now, act.actor, body.reason
    if not body.granted:
        _say(act, assignment, events.ExtensionRefused(extension=id, reason=body.reason))
        return queries.show_extension(asked, clock)
    assignment.extension = asked.days
    await settle(act, docket, act.now)
    granted = events.ExtensionGranted(
        extension=id,
        days=asked.days,
        due=clock.due,
        reason=body.reason,
        role=Role(assignment.role),
    )
    _say(act, assignment, granted)
    return queries.show_extension(asked, clock)


async def supervise(act: Acting, id: UUID, body: schemas.SupervisionIn) -> schemas.SupervisionOut:
    """督办: any rung of an open assignment, by a supervisor's hand and with a reason (R-30)."""
    docket, assignment = await queries.of_assignment(act, id)
    duty = next(duty for duty in docket.duties() if duty.id == id)
    if duty.ending(docket.ticket.withdrawn):
        raise MoveRefused("supervise", "ended", [])
    raised = Supervision(
        id=UUID(bytes=uuid6.uuid7().bytes),
        ticket=assignment.ticket,
        assignment=id,
        round=assignment.round,
        unit=assignment.unit,
        rung=body.rung,
        title=act.config.title(body.rung),
        by="hand",
        reason=body.reason,
        answer_due=act.config.answer_due(body.rung, act.now),
        raised=act.now,
        raised_by=act.actor,
    )
    act.session.add(raised)
    said = events.SupervisionRaised(
        supervision=raised.id,
        rung=raised.rung,
        title=raised.title,
        by="hand",
        reason=raised.reason,
        answer_due=raised.answer_due,
    )
    _say(act, assignment, said)
    return schemas.SupervisionOut.model_validate(raised, from_attributes=True)


def _say(act: Acting, assignment: Assignment, data: Data) -> None:
    act.tell(
        data,
        subject=assignment.ticket,
        round=assignment.round,
        assignment=assignment.id,
        unit=assignment.unit,
    )


# --- reading -----------------------------------------------------------------------------------


async def see_clocks(act: Acting, number: str) -> schemas.TicketClocks:
    """The clocks of a ticket, each explained. A unit sees its own. Raises NotFound."""
    docket = await queries.see(act, number)
    seen = {row.id for row in docket.assignments if queries.may_see(act, row.unit)}
    whole = act.caller is None or act.caller.role != "unit"
    if not seen and not whole:
        raise NotFound
    clocks = [row for row in docket.clocks.values() if whole or row.assignment in seen]
    handles = {assignment: docket.handle_clock(assignment) for assignment in seen}
    return schemas.TicketClocks(
        ticket=number,
        clocks=[queries.show_clock(row, act.config.calendar) for row in clocks],
        extensions=[
            queries.show_extension(row, clock)
            for row in await queries.extensions(act, number)
            if (clock := handles.get(row.assignment))
        ],
        supervisions=[
            schemas.SupervisionOut.model_validate(row, from_attributes=True)
            for row in await queries.supervisions(act, [number])
            if row.assignment in seen
        ],
    )


async def rates(act: Acting, first: date | None, last: date | None) -> schemas.RatesOut:
    """按时办结率 and 及时签收率 of a period, this month so far by default; a unit sees its own.

    A clock counts in the period in which it was judged: when it was met in time, or breached.
    Raises Malformed for a period that ends before it begins.
    """
    tz = act.config.calendar.tz
    today = act.now.astimezone(tz).date()
    first, last = first or today.replace(day=1), last or today
    if last < first:
        raise Malformed("to 早于 from is before from", field="to")
    start = datetime.combine(first, time(), tz)
    end = datetime.combine(last + timedelta(days=1), time(), tz)
    rows = [row for row in await queries.judged(act, start, end) if queries.may_see(act, row.unit)]
    return schemas.RatesOut(
        start=first,
        end=last,
        handle=queries.show_share(share(rows, ClockKind.HANDLE)),
        sign=queries.show_share(share(rows, ClockKind.SIGN)),
        units=[_unit_rates(rows, unit) for unit in sorted({row.unit for row in rows})],
    )


def _unit_rates(rows: Sequence[Tally], unit: str) -> schemas.UnitRates:
    return schemas.UnitRates(
        unit=unit,
        handle=queries.show_share(share(rows, ClockKind.HANDLE, unit)),
        sign=queries.show_share(share(rows, ClockKind.SIGN, unit)),
    )


async def breaches(
    act: Acting, unit: str | None, after: str | None, limit: int
) -> schemas.BreachPage:
    """Standing breaches, oldest first. Raises BadCursor."""
    place = queries.read_cursor(act, after) if after else None
    rows = await queries.breaches(act, unit, place, limit)
    items = [schemas.BreachOut(clock=row.id, **row.model_dump(exclude={"id"})) for row in rows]
    full = len(rows) == limit
    return schemas.BreachPage(items=items, next=queries.cursor(act, rows[-1]) if full else None)


# --- by the clock ------------------------------------------------------------------------------


async def pass_marks(act: Acting, limit: int) -> int:
    """Warn, breach and supervise what is due, each with its true time; returns how many clocks."""
    clocks = await queries.claim(act, limit)
    for clock in clocks:
        await fire(act, clock)
    return len(clocks)


async def recompute(act: Acting, limit: int) -> int:
    """Make provisional due moments certain once their year's holidays are known.

    Returns how many tickets changed; a due moment is never moved earlier (policy.yaml, calendar).
    """
    changed = 0
    for number in await queries.now_certain(act, limit):
        docket = await queries.find(act, number)
        changed += bool(docket and await settle(act, docket, act.now))
    return changed


async def uncertain_since(act: Acting) -> datetime | None:
    """Now, when a due moment can be made certain."""
    return act.now if await queries.now_certain(act, 1) else None
