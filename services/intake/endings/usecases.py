"""Every call has an end: what the hotline answers itself, does not accept, or hands over.

Such a ticket is nobody else's: ``ticket.registered``, on which the dispatcher acts, is said of it only
when it becomes an order after all. What it ends as is said in facts of its own (ADR 0044).
"""

from __future__ import annotations

from uuid import UUID

import uuid6
from sqlmodel import col, select

from services.intake import vault
from services.intake.endings import records as end_records
from services.intake.endings.schemas import CallRated, Dispatch
from services.intake.models import CitizenNotes, EndingRecord, Ticket
from services.intake.records import ServiceAct, TicketRecord, get_locked
from services.intake.rules import endings, identity, machine
from services.intake.rules.endings import End, EndAction
from services.intake.rules.machine import TicketStatus
from services.intake.schemas import DirectAnswer, HandedOver, NotAccepted, Progress
from services.intake.views import location_of, progress_of
from shared.errors import JiesuError
from shared.events import (
    CallRating,
    TicketRegistered,
    TicketResumed,
    TicketSupplemented,
    TicketUrged,
)
from shared.jurisdiction.wording import text_of

RESUMED = "resumed"


class AlreadyRated(JiesuError):
    """The caller has rated this call; one call is rated once (R-26)."""

    status = 409
    slug = "already-rated"
    title = "本次通话已评价 The call was rated before"


# --- what the hotline does later ---------------------------------------------------------------


async def answer(act: ServiceAct, number: str, body: DirectAnswer) -> Progress:
    """直办: answer what was kept, or what no unit has. Raises NotFound, MoveRefused, Forbidden,
    UnitHoldsTicket, AlreadyRated.
    """
    record = await _endable(act, number, EndAction.DIRECT_ANSWER)
    _check_unrated(record.ticket, body.rating)
    end = endings.answered(body.answer, callback_wanted=body.callback_wanted, own=body.confirmed)
    endings.check_kept(end, registered=record.ticket.forwarded)
    await _end(act, record, end)
    _rate(act, record.ticket, body.rating)
    return progress_of(act, record)


async def refuse(act: ServiceAct, number: str, body: NotAccepted) -> Progress:
    """不予受理. Raises NotFound, MoveRefused, Forbidden, UnitHoldsTicket, UnknownCode."""
    end = endings.not_accepted(act.config.endings, body.reason, body.note or "")
    record = await _endable(act, number, EndAction.NOT_ACCEPTED)
    await _end(act, record, end)
    return progress_of(act, record)


async def hand_over(act: ServiceAct, number: str, body: HandedOver) -> Progress:
    """即时转接. Raises NotFound, MoveRefused, UnitHoldsTicket, UnknownCode, Malformed."""
    end = end_records.over(act.config, body, act.now)
    record = await _endable(act, number, EndAction.HANDED_OVER)
    await _end(act, record, end)
    return progress_of(act, record)


async def dispatch(act: ServiceAct, number: str, body: Dispatch) -> Progress:
    """转派: what was kept or ended here goes to a unit after all. Raises NotFound, MoveRefused,
    Forbidden, EndingFinal.
    """
    record = await _endable(act, number, EndAction.DISPATCH)
    ticket, within = record.ticket, act.config.endings.resume_within
    endings.check_resumable(ticket.ended_at, within, act.config.calendar, act.now)
    reason = await vault.cleared(act, ticket, body.reason)
    await resume(act, record, reason, taken_back=True)
    return progress_of(act, record)


async def rate_call(act: ServiceAct, number: str, body: CallRated) -> Progress:
    """一次一评. Raises NotFound, AlreadyRated."""
    record = await get_locked(act, number)
    _check_unrated(record.ticket, body.rating)
    _rate(act, record.ticket, body.rating)
    return progress_of(act, record)


async def supplemented(act: ServiceAct, record: TicketRecord, content: str) -> None:
    """The citizen added something to what the hotline has, or had ended: it is looked at again."""
    if record.status not in machine.ENDED_HERE:
        return
    if record.ticket.forwarded:
        await resume(act, record, content)
        return
    _keep_ending(act, record, End(TicketStatus.ANSWERING))


async def _endable(act: ServiceAct, number: str, action: EndAction) -> TicketRecord:
    record = await get_locked(act, number)
    role = act.caller.role if act.caller else ""
    registered = record.ticket.forwarded
    endings.check(action, record.status, record.progress().units, endings.acts_of(role, registered))
    endings.check_role(action, role, registered=registered)
    return record


async def _end(act: ServiceAct, record: TicketRecord, end: End) -> None:
    person = await vault.known_person(act, record.ticket)
    confidential = record.ticket.confidential
    _keep_ending(act, record, end.masked(person, act.config.public, confidential=confidential))


def _keep_ending(act: ServiceAct, record: TicketRecord, end: End) -> None:
    ticket, round = record.ticket, record.progress().round
    for name, value in end_records.columns(act, end, round).items():
        setattr(ticket, name, value)
    end_records.put_on_record(act, ticket.model_dump(), end, round)


def _check_unrated(ticket: Ticket, rating: CallRating | None) -> None:
    if rating and ticket.call_rating not in (None, rating):
        raise AlreadyRated(rating=str(ticket.call_rating))


def _rate(act: ServiceAct, ticket: Ticket, rating: CallRating | None) -> None:
    if rating is None or ticket.call_rating == rating:
        return
    ticket.call_rating = rating
    end_records.say_rated(act, ticket.model_dump())


# --- going on ----------------------------------------------------------------------------------


async def resume(
    act: ServiceAct, record: TicketRecord, reason: str, *, taken_back: bool = False
) -> None:
    """Let a ticket go on that the hotline kept or had ended: as an order for the first time, or, when
    the dispatcher had it, in its next round, which feedback opens (ADR 0006). ``taken_back``: of the
    hotline's own accord.
    """
    ticket, round = record.ticket, record.progress().round
    act.rows.add(
        EndingRecord(
            id=UUID(bytes=uuid6.uuid7().bytes),
            number=ticket.number,
            round=round,
            kind=RESUMED,
            words=reason,
            recorded_at=act.now,
            recorded_by=act.actor,
        )
    )
    if ticket.forwarded:
        ticket.reopened_round = max(ticket.reopened_round, round + 1)
        record.refresh(act.now)
        data = TicketResumed(reason=reason, taken_back=taken_back)
        act.tell(data, subject=ticket.number, round=round)
        return
    ticket.ending, ticket.ending_round, ticket.closed_round = None, 0, 0
    ticket.forwarded = True
    record.refresh(act.now)
    _say_registered(act, ticket)
    await _say_notes(act, ticket)


def _say_registered(act: ServiceAct, ticket: Ticket) -> None:
    copy = identity.WorkingCopy(ticket.title, ticket.content, ticket.address)
    place = identity.visible(ticket.confidential, copy, location_of(ticket))
    known = {"reported": ticket.about, "configuration": act.configuration}
    row = ticket.model_dump() | place._asdict() | known
    fact = TicketRegistered.on_record(row)
    text = text_of(fact.title, fact.content)
    if act.config.urgency.found(fact.type, fact.topic, fact.flags, text):
        act.urgent.add(ticket.number)
    act.tell(fact, subject=ticket.number, round=1)


async def _say_notes(act: ServiceAct, ticket: Ticket) -> None:
    """What the citizen said while the number was nobody else's, in its order."""
    of_ticket = select(CitizenNotes).where(CitizenNotes.number == ticket.number)
    before = list((await act.session.exec(of_ticket.order_by(col(CitizenNotes.id)))).all())
    times = 0
    for note in before:
        match note.action:
            case machine.Action.SUPPLEMENT:
                act.tell(TicketSupplemented(content=note.content), subject=ticket.number, round=1)
            case machine.Action.URGE:
                times += 1
                said = TicketUrged(note=note.content, times=times)
                act.tell(said, subject=ticket.number, round=1)
            case _:
                pass
