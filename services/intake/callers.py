"""来电人: which tickets are one caller's (ADR 0043).

A row of ``caller_digest`` stands for a number given with a ticket. Tickets of a release before this
one have the first number's index in ``phone_index`` instead, which the secret alone turns into a row:
both are asked, and a job empties that column.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy import text
from sqlmodel import col, select

from services.intake import readlog
from services.intake.models import CallerDigest, CallerDigests, Ticket, Tickets, Vaults
from services.intake.records import ServiceAct, TicketRecord, count_supplements, records_of
from services.intake.rules import identity, machine
from services.intake.rules.machine import TicketStatus
from services.intake.rules.phones import known_digits, read_phone
from services.intake.schemas import AsGiven, Phrase
from services.intake.settings import Config
from shared.events import TicketType
from shared.http.fields import Body, Sentence
from shared.storage.rows import as_json, inserting, one_of, table_of

SHOWN = 50  # tickets of one caller, the newest
CONFIDENTIAL = 200  # confidential ones among which the one with the caller's code is looked for


class CallerLookup(Body):
    """Whose tickets: ``phone`` as it came; ``code`` is a ticket's own (查询码), as the caller says it."""

    phone: AsGiven = Field(default=None, repr=False)
    code: Phrase | None = Field(default=None, repr=False)
    reason: Phrase = Field(default="来电 the caller rang", repr=False)


class CallerTicket(BaseModel):
    """A ticket as its caller may be told of it. ``callback_due``: it is resolved, and as far as intake
    knows the caller is to be asked.
    """

    number: str
    type: TicketType
    topic: str
    area: str
    title: str
    confidential: bool
    status: TicketStatus
    sentence: Sentence
    unit_names: list[str]
    round: int
    urged: int
    answer: str | None
    callback_due: bool
    registered_at: AwareDatetime
    allowed: list[str]


class CallerTickets(BaseModel):
    """A caller's tickets, newest first. ``readable``: whether a number was read in what was given; a
    withheld one is none. ``more``: there are older ones.
    """

    readable: bool
    items: list[CallerTicket]
    more: bool


# --- the index ---------------------------------------------------------------------------------


async def index_anew(act: ServiceAct, ticket: Ticket, numbers: Collection[str]) -> None:
    """Find a ticket by these numbers from now on and by no others: after a correction of the phone, or
    of what makes the ticket confidential. Its vault's row must stand.
    """
    ticket.phone_index = None
    kept = select(CallerDigests).where(CallerDigests.number == ticket.number)
    for row in await act.rows.load(CallerDigest, kept):
        act.rows.remove(row)
    found_by = act.config.digester.caller_digests(numbers, confidential=ticket.confidential)
    for digest in found_by:
        act.rows.add(CallerDigest(digest=digest, number=ticket.number))


OUTDATED = select(Tickets).where(col(Tickets.phone_index).is_not(None))
INDEX = inserting(table_of(CallerDigest), "ON CONFLICT DO NOTHING")


async def key_anew(act: ServiceAct, limit: int) -> int:
    """Give tickets that another release indexed rows of ours; returns how many."""
    free = OUTDATED.limit(limit).with_for_update(skip_locked=True)
    tickets = await act.rows.load(Ticket, free)
    sealed = select(Vaults.number).where(one_of(Vaults.number, [t.number for t in tickets]))
    standing = set((await act.session.exec(sealed)).all()) if tickets else set()
    rows = [
        {"digest": _keyed(act.config, ticket), "number": ticket.number}
        for ticket in tickets
        if ticket.number in standing
    ]
    if rows:
        await (await act.session.connection()).execute(INDEX, {"rows": as_json(rows)})
    for ticket in tickets:
        ticket.phone_index = None
    return len(tickets)


def _keyed(config: Config, ticket: Ticket) -> bytes:
    index = ticket.phone_index or ""
    return config.digester.caller_digest(index, confidential=ticket.confidential)


async def outdated_since(act: ServiceAct) -> datetime | None:
    """Now, while there are such tickets."""
    found = select(Tickets.number).where(col(Tickets.phone_index).is_not(None)).limit(1)
    return act.now if (await act.session.exec(found)).first() else None


# --- the lookup --------------------------------------------------------------------------------

# What is confidential is left out by name, or the number alone would say who reported.
FOUND = text("""
    SELECT t.number, t.code_nonce, t.confidential FROM ticket t
    WHERE t.erased_at IS NULL AND t.confidential = :confidential AND t.number IN (
        SELECT number FROM caller_digest WHERE digest = ANY(CAST(:digests AS bytea[]))
        UNION SELECT number FROM ticket WHERE phone_index = ANY(CAST(:indexes AS text[])))
    ORDER BY t.number DESC LIMIT :limit""")


async def lookup(act: ServiceAct, asked: CallerLookup) -> CallerTickets:
    """A caller's tickets, and a row in the read log for it, also when none is found (R-36).

    A number proves nobody: whoever may ask could ask for a neighbour's. So a confidential ticket is
    shown to who says its code as well, and nothing tells others that there is one (R-35).
    """
    phone = read_phone(asked.phone, act.config.place.area_code)
    plain = await _found(act, phone.numbers, SHOWN + 1, confidential=False)
    secret = await _found(act, phone.numbers, CONFIDENTIAL, confidential=True)
    check = act.config.digester.check_code
    own = [
        row.number for row in secret if asked.code and check(row.number, row.code_nonce, asked.code)
    ]
    numbers = sorted([*own, *(row.number for row in plain)], reverse=True)
    shown = select(Tickets).where(one_of(Tickets.number, numbers[:SHOWN]))
    newest = shown.order_by(col(Tickets.number).desc())
    records = await records_of(act, (await act.session.exec(newest)).all()) if numbers else []
    await count_supplements(act, records)
    await readlog.log_lookup(act, numbers[:SHOWN], _why(act.config, asked, phone.numbers))
    items = [_caller_ticket(act, record) for record in records]
    return CallerTickets(readable=bool(phone.numbers), items=items, more=len(numbers) > SHOWN)


async def plain_tickets(act: ServiceAct, phones: Sequence[str], limit: int) -> set[str]:
    """A caller's newest tickets that are not confidential, by number."""
    return {row.number for row in await _found(act, phones, limit, confidential=False)}


async def _found(
    act: ServiceAct, numbers: Sequence[str], limit: int, *, confidential: bool
) -> Sequence[Any]:
    if not numbers:
        return []
    values = {
        "confidential": confidential,
        "digests": act.config.digester.caller_digests(numbers, confidential=confidential),
        "indexes": [act.config.digester.blind_index(number, "phone") for number in numbers],
        "limit": limit,
    }
    return (await (await act.session.connection()).execute(FOUND, values)).all()


def _why(config: Config, asked: CallerLookup, numbers: Sequence[str]) -> str:
    """The reason without the number, and a digest of it that stands nowhere else: who audits the log
    and knows a number can see who asked for it.
    """
    person = identity.Person(phones=known_digits(numbers, asked.phone))
    digests = [config.digester.blind_index(number, "lookup")[:16] for number in numbers]
    return " · ".join([identity.mask_note(asked.reason, person), *digests])


def _caller_ticket(act: ServiceAct, record: TicketRecord) -> CallerTicket:
    ticket, progress = record.ticket, record.progress()
    sentence = machine.sentence(progress.status, progress.round, ticket.ending_round)
    units = act.config.units
    due = progress.status is TicketStatus.RESOLVED and ticket.has_contact
    return CallerTicket(
        number=ticket.number,
        type=ticket.type,
        topic=ticket.topic,
        area=ticket.area,
        title=ticket.title,
        confidential=ticket.confidential,
        status=progress.status,
        sentence=Sentence(zh=sentence.zh, en=sentence.en),
        unit_names=units.called(progress.units, act.store.dissolved),
        round=progress.round,
        urged=ticket.urged,
        answer=record.answer,
        callback_due=due and not ticket.reply_declined,
        registered_at=ticket.registered_at,
        allowed=machine.allowed(progress.status, full=record.full),
    )
