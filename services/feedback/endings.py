"""What the hotline ends itself: the citizen is told, nobody is called, and the call's rating is kept
apart from that of the matter (R-02, R-06 … R-08, R-26).
"""

from __future__ import annotations

from services.feedback import records
from services.feedback.models import CallRated
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import messages
from services.feedback.usecases import cancel_open, inform, remember
from shared.errors import TooEarly
from shared.events import (
    EndedHere,
    Fact,
    Occasion,
    TicketCallRated,
    TicketHandedOver,
    TicketNotAccepted,
    TicketReopened,
    TicketResumed,
)
from shared.observability import log


async def tell_answered(act: ServiceAct, fact: Fact) -> None:
    """直办: the citizen may read the answer again."""
    record = await _ended(act, fact, fact.data)
    _tell_end(act, record, fact, "answered")


async def tell_not_accepted(act: ServiceAct, fact: Fact) -> None:
    """不予受理: the citizen hears why, and where to turn (WF-19, GB66-2)."""
    data: TicketNotAccepted = fact.data
    record = await _ended(act, fact, data)
    _tell_end(act, record, fact, "not_accepted", data.zh, data.en)


async def tell_handed_over(act: ServiceAct, fact: Fact) -> None:
    """即时转接: the citizen hears which line has it."""
    data: TicketHandedOver = fact.data
    record = await _ended(act, fact, data)
    _tell_end(act, record, fact, "handed_over", data.zh, data.en)


async def _ended(act: ServiceAct, fact: Fact, data: EndedHere) -> TicketRecord:
    """The ticket; one that was registered has ended, and nobody is called about it. Raises TooEarly
    for a registered one whose registration has not arrived.
    """
    record = await records.find_locked(act, fact.subject)
    if record is None and data.registered:
        raise TooEarly(f"ticket {fact.subject} is not registered here yet")
    if record is None or not data.registered:  # no correction is said of what only the hotline has
        record = remember(act, record, fact)
    if data.registered and fact.round > record.ticket.ended_round:
        record.ticket.ended_round = fact.round
        if fact.round >= record.ticket.round:
            cancel_open(record)
    return record


def _tell_end(
    act: ServiceAct,
    record: TicketRecord,
    fact: Fact,
    occasion: Occasion,
    zh: str = "",
    en: str = "",
) -> None:
    """Each end is told once, and of a confidential ticket only that there is something to read."""
    which = str(fact.seq)
    inform(act, record, fact.round, occasion, which, zh=zh, en=en)


async def reopen(act: ServiceAct, fact: Fact) -> None:
    """恢复办理: what the hotline had ended goes on in its next round, which only feedback opens
    (ADR 0006).
    """
    data: TicketResumed = fact.data
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    if fact.round > ticket.round:
        raise TooEarly(f"round {fact.round} of {fact.subject} was not opened here yet")
    if fact.round < ticket.round:
        log.info("ignored: an older round", ticket=fact.subject, round=fact.round)
        return
    ticket.ended_round = max(ticket.ended_round, fact.round)
    cancel_open(record)
    ticket.round = fact.round + 1
    reopened = TicketReopened(reasons=(), comment=data.reason, continues=data.taken_back)
    act.tell(reopened, subject=fact.subject, round=ticket.round)
    inform(act, record, ticket.round, "reopened", **messages.RESUMED._asdict())


async def remember_rating(act: ServiceAct, fact: Fact) -> None:
    """一次一评: kept whether the ticket is known here or not; a call is rated once."""
    data: TicketCallRated = fact.data
    rated = CallRated(
        number=fact.subject, rating=data.rating, direct=data.direct, rated_at=fact.time
    )
    act.rows.add(rated, unless_there=True)
