"""What intake does: load · decide · save · tell. One function per use case.

Registration, which must be fast, stands in registration.py; looking things up in queries.py.
"""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import orjson
import uuid6
from sqlalchemy import text
from sqlmodel import col, select

from services.intake import queries, rules
from services.intake.models import ContactRead, Handling, Vault, Word
from services.intake.queries import Case, progress
from services.intake.rules import Action, Person
from services.intake.schemas import Contact, ContactReadRequest, Progress, Urge, Withdrawal
from services.intake.schemas import Supplement as NewSupplement
from services.intake.settings import Config
from shared.db import Act as AnyAct
from shared.db import Caller
from shared.errors import NotFound, TooEarly
from shared.events import (
    Data,
    ExtensionGranted,
    Fact,
    Role,
    TicketResolved,
    TicketSupplemented,
    TicketUrged,
    TicketWithdrawn,
)

Act = AnyAct[Config]

# One chain of contact reads per database: each row is hashed with the one before it.
CHAIN = text("SELECT pg_advisory_xact_lock(hashtext('contact_read'))")


# --- the citizen's acts ------------------------------------------------------------------------


async def supplement(act: Act, number: str, body: NewSupplement) -> Progress:
    """补充: the citizen adds something. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.SUPPLEMENT)
    content = await _keep(act, number, Action.SUPPLEMENT, body.content)
    _say(act, case, TicketSupplemented(content=content))
    return progress(act, case)


async def urge(act: Act, number: str, body: Urge) -> Progress:
    """催单: the citizen asks again. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.URGE)
    case.ticket.urged += 1
    note = await _keep(act, number, Action.URGE, body.note)
    _say(act, case, TicketUrged(note=note, times=case.ticket.urged))
    return progress(act, case)


async def withdraw(act: Act, number: str, body: Withdrawal) -> Progress:
    """撤单: the citizen takes it back. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.WITHDRAW)
    case.ticket.withdrawn = True
    reason = await _keep(act, number, Action.WITHDRAW, body.reason)
    case.refresh()
    _say(act, case, TicketWithdrawn(reason=reason))
    return progress(act, case)


async def _keep(act: Act, number: str, action: Action, words: str) -> str:
    """Seal what the citizen said; returns the working copy."""
    copy = rules.mask_note(words, _person(await identity(act, number)))
    id = UUID(bytes=uuid6.uuid7().bytes)
    sealed = act.config.sealer.seal(words.encode(), f"{number}/{id}")
    act.session.add(
        Word(id=id, number=number, action=action, content=copy, sealed=sealed, said=act.now)
    )
    return copy


async def _moved(act: Act, number: str, action: Action) -> Case:
    """The ticket, locked, if its stage allows the action."""
    case = await queries.find_locked(act, number)
    if case is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    rules.move(rules.Stage(case.ticket.stage), action)
    return case


def _say(act: Act, case: Case, data: Data) -> None:
    act.tell(data, subject=case.ticket.number, round=case.ticket.reopened_round)


# --- the vault ---------------------------------------------------------------------------------


async def identity(act: Act, number: str) -> dict[str, Any]:
    """What lies sealed in the vault for a ticket. Raises SealBroken when it was tampered with."""
    vault = (await act.session.exec(select(Vault).where(Vault.number == number))).one()
    known: dict[str, Any] = orjson.loads(act.config.sealer.unseal(vault.sealed, number))
    return known


def _person(known: dict[str, Any]) -> Person:
    return Person(known["name"], known["phone"], known["address"])


async def read_contact(act: Act, number: str, body: ContactReadRequest) -> Contact:
    """Read who must be contacted, and write down who read it and why (R-36).

    Raises NotFound also for those who may not: whether the ticket exists is not told.
    """
    caller = act.caller
    case = await queries.see(act, number)
    if caller is None or case is None or not _may_read(caller, case):
        raise NotFound("没有可读取的联系方式 no contact of yours to read")
    known = await identity(act, number)
    await _log_read(act, number, rules.mask_note(body.reason, _person(known)))
    return Contact(name=known["name"], phone=known["phone"], address=known["address"])


def _may_read(caller: Caller, case: Case) -> bool:
    return rules.may_read_contact(
        caller.role,
        caller.name,
        caller.unit,
        case.assigned(),
        case.ticket.reported_unit,
        rules.Stage(case.ticket.stage),
    )


async def _log_read(act: Act, number: str, reason: str) -> None:
    await (await act.session.connection()).execute(CHAIN)
    newest = select(ContactRead).order_by(col(ContactRead.id).desc()).limit(1)
    last = (await act.session.exec(newest)).first()
    row = ContactRead(
        id=(last.id if last else 0) + 1,
        number=number,
        actor=act.actor,
        reason=reason,
        read=act.now,
        hash="",
    )
    row.hash = link(last.hash if last else "", row)
    act.session.add(row)


def link(previous: str, row: ContactRead) -> str:
    """The hash of a row in the chain: change or drop any row and every later hash is wrong."""
    content = [previous, row.id, row.number, row.actor, row.reason, row.read.isoformat()]
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


async def chain_breaks_at(act: Act) -> int | None:
    """The first row of the read log that does not fit, or None when the chain is whole."""
    previous = ""
    for row in await act.session.exec(select(ContactRead).order_by(col(ContactRead.id))):
        if row.hash != link(previous, row):
            return row.id
        previous = row.hash
    return None


# --- what the other services say ---------------------------------------------------------------


async def note_assignment(act: Act, fact: Fact) -> None:
    """How far a unit is: for the citizen's progress, and for who may read the contact."""
    if fact.assignment is None or fact.unit is None:
        return
    case = await _ground(act, fact)
    row = case.handlings.get(fact.assignment)
    if row is None:
        row = case.handlings[fact.assignment] = Handling(
            assignment=fact.assignment,
            number=fact.subject,
            unit=fact.unit,
            round=fact.round,
            holding=rules.Holding.DISPATCHED,
        )
        act.session.add(row)
    row.holding = rules.later(rules.Holding(row.holding), fact.name)
    case.refresh()


async def note_resolved(act: Act, fact: Fact) -> None:
    """The lead answered in this round; the citizen may read what (R-44)."""
    said: TicketResolved = fact.data
    case = await _ground(act, fact)
    ticket = case.ticket
    ticket.resolved_round = max(ticket.resolved_round, fact.round)
    if fact.seq > ticket.answer_seq:
        ticket.answer, ticket.answer_seq = said.public_answer, fact.seq
    case.refresh()


async def note_extended(act: Act, fact: Fact) -> None:
    """The lead got more time; the citizen may read until when and why (BJ-15)."""
    said: ExtensionGranted = fact.data
    ticket = (await _ground(act, fact)).ticket
    if said.role is Role.LEAD and fact.round >= ticket.extended_round:
        ticket.extended_round = fact.round
        ticket.extended_due, ticket.extended_reason = said.due, said.reason


async def note_closed(act: Act, fact: Fact) -> None:
    """The citizen's verdict ended it in this round."""
    case = await _ground(act, fact)
    case.ticket.closed_round = max(case.ticket.closed_round, fact.round)
    case.refresh()


async def note_reopened(act: Act, fact: Fact) -> None:
    """The citizen did not agree; the fact carries the new round."""
    case = await _ground(act, fact)
    case.ticket.reopened_round = max(case.ticket.reopened_round, fact.round)
    case.refresh()


async def _ground(act: Act, fact: Fact) -> Case:
    case = await queries.find_locked(act, fact.subject)
    if case is None:
        raise TooEarly(f"no ticket {fact.subject} here")
    return case
