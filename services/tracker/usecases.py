"""What the tracker does, one function per use case: load, decide, change rows, tell.

A fact is written down with its time, then everything that follows for the ticket's clocks is
worked out anew: so the rows are the same in whatever order facts came in. That is done for each
fact, and not once for all facts of a batch: of a clock that two of them move two things are to be
said, and one that none of them moves is left alone anyway.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid6

from services.tracker import answers, calendars, claims, merging, records, schemas
from services.tracker.clockwork import fire, follow, raise_kept_back, recompute_clocks
from services.tracker.models import (
    Assignment,
    ReadAnchor,
    Round,
    Ticket,
)
from services.tracker.policies import versions
from services.tracker.raising import Ground, raise_on
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.clock_state import is_late
from services.tracker.rules.evidence import Honesty
from services.tracker.rules.referral import RUNG as REFERRAL
from services.tracker.rules.referral import ReferralTakesTwo
from services.tracker.rules.supervision import SupervisionByRule
from services.tracker.rules.timelines import GROUND, LeftToDesk
from shared import events
from shared.errors import MoveRefused, TooEarly, UnknownCode
from shared.events import ClockKind, ContactOutcome, Data, Fact
from shared.observability import log

ANSWERED = frozenset({ContactOutcome.REACHED, ContactOutcome.REFUSED})


# --- facts heard -------------------------------------------------------------------------------


async def register(act: ServiceAct, fact: Fact) -> None:
    """受理: the dispatch clock and the citizen's clock start."""
    data: events.TicketRegistered = fact.data
    if await records.find_locked(act, fact.subject):
        log.info("ignored: registered before", ticket=fact.subject)
        return
    ticket = Ticket(
        number=fact.subject,
        type=data.type,
        urgency=data.urgency,
        topic=data.topic,
        flags=list(data.flags),
        registered_at=fact.time,
        reported_unit=data.reported_unit,
        reported=data.about.model_dump(mode="json"),
        area=data.area,
        confidential=data.confidential,
        honesty=Honesty(rules=versions.in_force(act).rules.honesty).model_dump(
            mode="json", exclude_defaults=True
        ),
        channel=data.channel,
        upstream_due=data.upstream_due,
    )
    waits_since = min(data.accepted_at or fact.time, fact.time)  # of a matter split from a call
    first = Round(ticket=fact.subject, number=1, started_at=waits_since)
    record = TicketRecord(act.rows.add(ticket), [act.rows.add(first)])
    act.locked[fact.subject] = record
    recompute_clocks(act, record, fact.time)


async def dispatch(act: ServiceAct, fact: Fact) -> None:
    """派单: the unit's clocks start with the limits it carries; a lead's meets the desk's clock."""
    data: events.AssignmentDispatched = fact.data
    record = await records.locked(act, fact.subject)
    if fact.assignment is None or fact.unit is None:
        raise ValueError("a dispatch names its assignment and its unit")
    if record.assignment(fact.assignment):
        log.info("ignored: dispatched before", ticket=fact.subject)
        return
    limits = data.limits
    assignment = Assignment(
        id=fact.assignment,
        ticket=fact.subject,
        unit=fact.unit,
        role=data.role,
        round=fact.round,
        urgency=data.urgency,
        redo=data.redo,
        has_contact=data.has_contact,
        sign_limit=limits.sign,
        first_contact_limit=limits.first_contact,
        handle_limit=limits.handle,
        attend_limit=limits.attend,
        dispatched_at=fact.time,
        ground=limits.model_dump(mode="json", include=GROUND),
    )
    record.take_on(act.rows.add(assignment))
    recompute_clocks(act, record, fact.time, given=[assignment.id])
    await merging.watch(act, record, fact.time)


async def leave_to_desk(act: ServiceAct, fact: Fact) -> None:
    """待派: the ticket's own clocks go by the urgency the dispatcher holds, not by the one asked for, and
    the desk's begins anew when units lost it.
    """
    data: events.TicketUnassigned = fact.data
    if data.urgency is None:
        log.info("ignored: said by the release before", ticket=fact.subject)
        return
    record = await records.locked(act, fact.subject)
    said = LeftToDesk(
        seq=fact.seq, round=fact.round, at=fact.time, urgency=data.urgency, anew=data.anew
    )
    known = {each.seq: each for each in record.matter().unassigned} | {fact.seq: said}
    record.ticket.unassigned = [known[seq].model_dump(mode="json") for seq in sorted(known)]
    recompute_clocks(act, record, fact.time)


async def sign(act: ServiceAct, fact: Fact) -> None:
    """签收: meets the sign clock."""
    record, assignment = await records.assigned(act, fact)
    assignment.signed_at = _earlier(assignment.signed_at, fact.time)
    records.take_handler(assignment, fact)
    recompute_clocks(act, record, fact.time)


async def contact(act: ServiceAct, fact: Fact) -> None:
    """先行联系: an attempt the citizen answered meets the first-contact clock (R-12). One that is entered
    after the clock ran out is a record, and takes no red card back: it counts from then.
    """
    data: events.AssignmentContacted = fact.data
    record, assignment = await records.assigned(act, fact)
    if data.outcome in ANSWERED:
        at = _counted(record, assignment, ClockKind.FIRST_CONTACT, fact)
        assignment.contacted_at = _earlier(assignment.contacted_at, at)
        recompute_clocks(act, record, at)


async def attend(act: ServiceAct, fact: Fact) -> None:
    """报到: meets the clock of who was whistled for; one entered late counts as a contact does (R-47)."""
    record, assignment = await records.assigned(act, fact)
    at = _counted(record, assignment, ClockKind.ATTEND, fact)
    assignment.attended_at = _earlier(assignment.attended_at, at)
    recompute_clocks(act, record, at)


def _counted(record: TicketRecord, assignment: Assignment, kind: ClockKind, fact: Fact) -> datetime:
    """When what a unit did counts as done: when it was entered, if that was after its clock ran out."""
    clock = record.clock_of(assignment.id, kind)
    entered_late = clock is not None and is_late(clock.state, fact.recorded)
    return fact.recorded if entered_late else fact.time


async def cancel(act: ServiceAct, fact: Fact) -> None:
    """取消: the unit's clocks end."""
    data: events.AssignmentCancelled = fact.data
    record, assignment = await records.assigned(act, fact)
    if assignment.cancelled_at is None or fact.time < assignment.cancelled_at:
        assignment.cancelled_at, assignment.cancel_reason = fact.time, data.reason
    recompute_clocks(act, record, fact.time)


async def hold_anchor(act: ServiceAct, fact: Fact) -> None:
    """查阅记录存证: keep the head of intake's read log, for whoever verifies it (R-36)."""
    data: events.ReadsAnchored = fact.data
    held = ReadAnchor(fact=fact.id, count=data.count, hash=data.hash, told_at=fact.time)
    act.rows.add(held, unless_there=True)


async def withdraw(act: ServiceAct, fact: Fact) -> None:
    """撤单: every clock of the ticket ends."""
    record = await records.locked(act, fact.subject)
    record.ticket.withdrawn_at = _earlier(record.ticket.withdrawn_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def resolve(act: ServiceAct, fact: Fact) -> None:
    """The lead completed: meets the citizen's clock of that round."""
    record = await records.locked(act, fact.subject)
    row = record.round(fact.round)
    if row is None:
        raise TooEarly(f"round {fact.round} of {fact.subject} has not been opened yet")
    row.resolved_at = _earlier(row.resolved_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def end(act: ServiceAct, fact: Fact) -> None:
    """The hotline ended the round itself: that meets the desk's clock and the citizen's, late or not.
    What was never registered has no clock.
    """
    data: events.EndedHere = fact.data
    if not data.registered:
        log.info("ignored: never registered", ticket=fact.subject)
        return
    record = await records.locked(act, fact.subject)
    row = record.round(fact.round)
    if row is None:
        raise TooEarly(f"round {fact.round} of {fact.subject} has not been opened yet")
    row.ended_at = _earlier(row.ended_at, fact.time)
    recompute_clocks(act, record, fact.time)


async def reopen(act: ServiceAct, fact: Fact) -> None:
    """重办: a new citizen's clock with the redo limit (R-27); or, where the hotline took its own words back,
    the same clocks go on.
    """
    data: events.TicketReopened = fact.data
    record = await records.locked(act, fact.subject)
    if record.round(fact.round):
        log.info("ignored: opened before", ticket=fact.subject, round=fact.round)
        return
    if data.continues and record.round(fact.round - 1) is None:
        raise TooEarly(f"round {fact.round - 1} of {fact.subject} has not been opened yet")
    opened = Round(
        ticket=fact.subject, number=fact.round, started_at=fact.time, continues=data.continues
    )
    record.open_round(act.rows.add(opened))
    joined = fact.round if data.continues else None
    recompute_clocks(act, record, fact.time, joined=joined)


def _earlier(known: datetime | None, heard: datetime) -> datetime:
    """A duty is done, or lost, the first time; the same fact twice changes nothing."""
    return min(known or heard, heard)


# --- acts over HTTP ----------------------------------------------------------------------------


async def raise_supervision(
    act: ServiceAct, id: UUID, body: schemas.SupervisionIn
) -> schemas.SupervisionOut:
    """督办: any rung of an open assignment but the last, by a supervisor's hand and with a reason (R-30);
    alone or together with other bodies (联合督办).

    Raises ReferralTakesTwo, NotFound, MoveRefused, SupervisionStands, UnknownCode.
    """
    if body.rung == REFERRAL:
        raise ReferralTakesTwo
    record, assignment = await records.of_assignment(act, id)
    if records.timeline(assignment).ending(record.matter().withdrawal):
        raise MoveRefused("supervise", "ended", [])
    answers.refuse_twice(record, assignment, body.rung)
    ground = Ground(body.rung, "hand", body.reason, joint=_bodies(act, body))
    raised = raise_on(act, record, assignment, UUID(bytes=uuid6.uuid7().bytes), ground, act.now)
    return schemas.SupervisionOut.model_validate(raised, from_attributes=True)


def _bodies(act: ServiceAct, body: schemas.SupervisionIn) -> tuple[str, ...]:
    """Who supervises together, as far as the policy lets them. Raises UnknownCode."""
    bodies = tuple(dict.fromkeys(body.joint))
    allowed = versions.in_force(act).rules.joint_supervision
    if others := [each for each in bodies if each not in allowed]:
        raise UnknownCode(others, field="joint", allowed=list(allowed))
    return bodies


async def withdraw_supervision(
    act: ServiceAct, id: UUID, body: schemas.WithdrawalIn
) -> schemas.SupervisionOut:
    """撤回督办: one that was raised by hand and by mistake stands no more; it and why stay on record.

    Raises NotFound, SupervisionByRule; MoveRefused for one that is closed.
    """
    record, assignment, row = await records.of_supervision(act, id)
    if row.by != "hand":
        raise SupervisionByRule
    if row.closed_at:
        raise MoveRefused("withdraw", "closed", [])
    row.closed_at = row.withdrawn_at = act.now
    row.withdrawn_by, row.withdrawn_reason = act.actor, body.reason
    row.close_reason = f"督办人撤回：{body.reason} A supervisor withdrew it"
    data = events.SupervisionClosed(supervision=id, rung=row.rung, reason=row.close_reason)
    _say(act, assignment, data)
    raise_kept_back(act, record)
    return schemas.SupervisionOut.model_validate(row, from_attributes=True)


def _say(act: ServiceAct, assignment: Assignment, data: Data) -> None:
    act.tell(
        data,
        subject=assignment.ticket,
        round=assignment.round,
        assignment=assignment.id,
        unit=assignment.unit,
    )


# --- by the clock ------------------------------------------------------------------------------


async def pass_marks(act: ServiceAct, limit: int) -> int:
    """Warn, breach and supervise what is due, each with its true time; returns how many clocks."""
    entries = await claims.claim(act, limit)
    await fire(act, entries)
    return len(entries)


async def lay_out_anew(act: ServiceAct, limit: int) -> int:
    """Lay out by the calendar that holds now what an earlier version did; returns how many clocks.

    What had passed stays, and a due moment is never moved earlier (CC203, ADR 0062).
    """
    entries = await claims.behind(act, limit)
    follow(act, entries)
    return len(entries)


async def laid_out_before(act: ServiceAct) -> datetime | None:
    """Now, when a clock was laid out by an earlier calendar; or when the next one takes hold."""
    return act.now if await claims.is_behind(act) else await calendars.next_since(act)
