"""What intake does: load · decide · save · tell. One function per use case.

Registration, which must be fast, stands in registration.py; looking things up in records.py; what
concerns the citizen's identity in vault.py.
"""

from __future__ import annotations

from uuid import UUID

import uuid6

from services.intake import records, vault
from services.intake.models import Handling, Ticket, Word
from services.intake.records import Case, progress
from services.intake.rules import machine as rules
from services.intake.rules.machine import Action
from services.intake.schemas import Progress, Urge, Withdrawal
from services.intake.schemas import Supplement as NewSupplement
from services.intake.settings import Config
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
from shared.storage.act import Act as AnyAct

Act = AnyAct[Config]


# --- the citizen's acts ------------------------------------------------------------------------


async def supplement(act: Act, number: str, body: NewSupplement) -> Progress:
    """补充: the citizen adds something. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.SUPPLEMENT)
    content = await _keep(act, case.ticket, Action.SUPPLEMENT, body.content)
    _say(act, case, TicketSupplemented(content=content))
    return progress(act, case)


async def urge(act: Act, number: str, body: Urge) -> Progress:
    """催单: the citizen asks again. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.URGE)
    case.ticket.urged += 1
    note = await _keep(act, case.ticket, Action.URGE, body.note)
    _say(act, case, TicketUrged(note=note, times=case.ticket.urged))
    return progress(act, case)


async def withdraw(act: Act, number: str, body: Withdrawal) -> Progress:
    """撤单: the citizen takes it back. Raises NotFound, MoveRefused."""
    case = await _moved(act, number, Action.WITHDRAW)
    case.ticket.withdrawn = True
    reason = await _keep(act, case.ticket, Action.WITHDRAW, body.reason)
    case.refresh(act.now)
    _say(act, case, TicketWithdrawn(reason=reason))
    return progress(act, case)


async def _keep(act: Act, ticket: Ticket, action: Action, words: str) -> str:
    """Seal what the citizen said; returns the working copy."""
    person = await vault.known_person(act, ticket)
    copy = rules.copy_of(words, person, confidential=ticket.confidential)
    id = UUID(bytes=uuid6.uuid7().bytes)
    # Whose identity was erased leaves no new raw words either.
    sealed = act.config.sealer.seal(words.encode(), vault.bound_word(ticket.number, id))
    act.session.add(
        Word(
            id=id,
            number=ticket.number,
            action=action,
            content=copy,
            sealed=b"" if ticket.erased else sealed,
            said=act.now,
        )
    )
    return copy


async def _moved(act: Act, number: str, action: Action) -> Case:
    """The ticket, locked, if its stage allows the action."""
    case = await records.find_locked(act, number)
    if case is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    rules.move(rules.Stage(case.ticket.stage), action)
    return case


def _say(act: Act, case: Case, data: Data) -> None:
    act.tell(data, subject=case.ticket.number, round=case.ticket.reopened_round)


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
    case.refresh(act.now)


async def note_resolved(act: Act, fact: Fact) -> None:
    """The lead answered in this round; the citizen may read what (R-44)."""
    said: TicketResolved = fact.data
    case = await _ground(act, fact)
    ticket = case.ticket
    ticket.resolved_round = max(ticket.resolved_round, fact.round)
    if fact.seq > ticket.answer_seq:
        ticket.answer, ticket.answer_seq = said.public_answer, fact.seq
    case.refresh(act.now)


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
    case.refresh(act.now)


async def note_reopened(act: Act, fact: Fact) -> None:
    """The citizen did not agree; the fact carries the new round."""
    case = await _ground(act, fact)
    case.ticket.reopened_round = max(case.ticket.reopened_round, fact.round)
    case.refresh(act.now)


async def _ground(act: Act, fact: Fact) -> Case:
    case = await records.find_locked(act, fact.subject)
    if case is None:
        raise TooEarly(f"no ticket {fact.subject} here")
    return case
