"""What intake does: load · decide · save · tell. One function per use case.

Registration, which must be fast, stands in registration.py; corrections.py, endings.py, merging.py and
calls.py have what their names say; what GET answers is in views.py, the citizen's identity in vault.py,
and who may read it in rights.py.
"""

from __future__ import annotations

from typing import assert_never
from uuid import UUID

import uuid6

from services.intake import search, vault
from services.intake.contacts import rights
from services.intake.endings import usecases as endings
from services.intake.models import Assignment, CitizenNote, Ticket
from services.intake.records import ServiceAct, TicketRecord, get_locked, locked, supplemented
from services.intake.rules import identity, machine
from services.intake.rules.machine import Action, AssignmentStatus
from services.intake.rules.supplements import check_room
from services.intake.schemas import NotesRead, Progress, TicketOut, Urge, Withdrawal
from services.intake.schemas import Supplement as NewSupplement
from services.intake.views import progress_of, ticket_out
from shared.events import (
    ArbitrationEnded,
    ArbitrationOpened,
    ArbitrationRuled,
    Data,
    DeadlineLengthened,
    DeadlineShortened,
    ExtensionGranted,
    Fact,
    Role,
    TicketResolved,
    TicketSupplemented,
    TicketType,
    TicketUrged,
    TicketWithdrawn,
)
from shared.jurisdiction.wording import text_of

READ = "read"

# --- the citizen's acts ------------------------------------------------------------------------


async def supplement(act: ServiceAct, number: str, body: NewSupplement) -> Progress:
    """补充: the citizen adds something. Raises NotFound, MoveRefused, SupplementsFull."""
    record = await _moved(act, number, Action.SUPPLEMENT)
    count, characters = await supplemented(act, record)
    check_room(count, characters, len(body.content))
    content = await _keep(act, record.ticket, Action.SUPPLEMENT, body.content)
    record.supplements = count + 1, characters + len(content)
    _note_end(act, record)
    _say(act, record, TicketSupplemented(content=content), content)
    await search.index_unsaid(act, record.ticket, content)
    await endings.supplemented(act, record, content)
    return progress_of(act, record)


async def urge(act: ServiceAct, number: str, body: Urge) -> Progress:
    """催单: the citizen asks again. Raises NotFound, MoveRefused."""
    record = await _moved(act, number, Action.URGE)
    record.ticket.urged += 1
    note = await _keep(act, record.ticket, Action.URGE, body.note)
    _note_end(act, record)
    _say(act, record, TicketUrged(note=note, times=record.ticket.urged), note)
    return progress_of(act, record)


async def withdraw(act: ServiceAct, number: str, body: Withdrawal) -> Progress:
    """撤单: the citizen takes it back. Raises NotFound, MoveRefused."""
    record = await _moved(act, number, Action.WITHDRAW)
    record.ticket.withdrawn = True
    reason = await _keep(act, record.ticket, Action.WITHDRAW, body.reason)
    record.refresh(act.now)
    _say(act, record, TicketWithdrawn(reason=reason))
    return progress_of(act, record)


def _note_end(act: ServiceAct, record: TicketRecord) -> None:
    """What is said after the end stands on a list until somebody has read it (ADR 0045)."""
    ticket = record.ticket
    if machine.ended(record.status):
        ticket.noted_after_end_at = ticket.noted_after_end_at or act.now


async def mark_notes_read(act: ServiceAct, number: str, body: NotesRead) -> TicketOut:
    """已阅: whoever read what was said after the end takes it off the list. Raises NotFound."""
    record = await get_locked(act, number)
    if record.ticket.noted_after_end_at:
        record.ticket.noted_after_end_at = None
        await _keep(act, record.ticket, READ, body.done)
    return await ticket_out(act, record)


async def _keep(act: ServiceAct, ticket: Ticket, action: str, note: str) -> str:
    """Seal what the citizen said; returns the working copy."""
    person = await vault.known_person(act, ticket)
    copy = identity.copy_of(note, person, act.config.public, confidential=ticket.confidential)
    if person and copy.matter != person.matter:
        await vault.keep_matter(act, ticket.number, copy.matter)
    id = UUID(bytes=uuid6.uuid7().bytes)
    # Whose identity was erased leaves no new raw words either.
    sealed = act.config.sealer.seal(note.encode(), vault.bound_note(ticket.number, id))
    act.rows.add(
        CitizenNote(
            id=id,
            number=ticket.number,
            action=action,
            content=copy.content,
            sealed=b"" if ticket.erased_at else sealed,
            said_at=act.now,
        )
    )
    return copy.content


async def _moved(act: ServiceAct, number: str, action: Action) -> TicketRecord:
    """The ticket, locked, if its status allows the action."""
    record = await get_locked(act, number)
    machine.move(record.status, action)
    return record


def _say(act: ServiceAct, record: TicketRecord, data: Data, words: str = "") -> None:
    """Said of what others know: a number that only the hotline has would keep them waiting. ``words``: in
    which somebody may report a danger; that overtakes.
    """
    ticket = record.ticket
    if not ticket.forwarded:
        return
    if act.config.urgency.alarms(TicketType(ticket.type), text_of("", words)):
        act.urgent.add(ticket.number)
    act.tell(data, subject=ticket.number, round=ticket.reopened_round)


# --- what the other services say ---------------------------------------------------------------


async def note_assignment(act: ServiceAct, fact: Fact, _: bytes) -> None:
    """How far a unit is, for the citizen's progress; with the order ends what was asked under it. A
    name that is unknown here proves nothing.
    """
    if fact.assignment is None or fact.unit is None or fact.name not in machine.PROVES:
        return
    record = await locked(act, fact.subject)
    row = record.assignments.get(fact.assignment)
    if row is None:
        new = Assignment(
            id=fact.assignment,
            number=fact.subject,
            unit=fact.unit,
            round=fact.round,
            status=AssignmentStatus.DISPATCHED,
        )
        row = record.assignments[fact.assignment] = act.rows.add(new)
    if fact.name == machine.TRANSFERRED and fact.seq > row.unit_seq:
        row.unit, row.unit_seq = fact.unit, fact.seq
    row.status = machine.later(AssignmentStatus(row.status), fact.name)
    asked_under = record.ticket.confidential or record.ticket.work  # of those merged into it, too
    if asked_under and not machine.is_open(AssignmentStatus(row.status)):
        await rights.end_requests(act, row.id)
    record.refresh(act.now)


async def note_resolved(act: ServiceAct, fact: Fact) -> None:
    """The lead answered in this round; the citizen may read what (R-44)."""
    data: TicketResolved = fact.data
    record = await locked(act, fact.subject)
    ticket = record.ticket
    ticket.resolved_round = max(ticket.resolved_round, fact.round)
    if fact.seq > ticket.answer_seq:
        ticket.answer, ticket.answer_seq = data.public_answer, fact.seq
    record.refresh(act.now)


async def note_extended(act: ServiceAct, fact: Fact) -> None:
    """The lead got more time while its order was open; the citizen may read until when and why, in the
    unit's words (BJ-15).
    """
    data: ExtensionGranted = fact.data
    if not data.while_open:
        return
    ticket = (await locked(act, fact.subject)).ticket
    match data.role:
        case Role.LEAD:
            if fact.round >= ticket.extended_round:
                ticket.extended_round = fact.round
                ticket.extended_due = data.due
                ticket.extended_reason = data.unit_reason or data.reason
        case Role.CO | Role.UNKNOWN:
            pass  # a co-handler answers to the lead, not to the citizen
        case _:
            assert_never(data.role)


async def note_other_due(act: ServiceAct, fact: Fact) -> None:
    """延长时限、恢复时限: a matter has more time, or another's limit holds no more; the citizen may read
    until when, and why.
    """
    data: DeadlineLengthened | DeadlineShortened = fact.data
    ticket = (await locked(act, fact.subject)).ticket
    if fact.round >= ticket.extended_round:
        ticket.extended_round = fact.round
        ticket.extended_due, ticket.extended_reason = data.due, data.reason


async def note_closed(act: ServiceAct, fact: Fact) -> None:
    """The citizen's verdict ended it in this round."""
    record = await locked(act, fact.subject)
    record.ticket.closed_round = max(record.ticket.closed_round, fact.round)
    record.refresh(act.now)


async def note_dispute(act: ServiceAct, fact: Fact) -> None:
    """争议裁决: while the ladder rules whose duty it is, the front neither merges it nor ends it (R-17)."""
    data: ArbitrationOpened | ArbitrationRuled | ArbitrationEnded = fact.data
    ticket = (await locked(act, fact.subject)).ticket
    if fact.seq > ticket.arbitration_seq:
        opened = isinstance(data, ArbitrationOpened)
        ticket.arbitration, ticket.arbitration_seq = data.arbitration if opened else None, fact.seq


async def note_reopened(act: ServiceAct, fact: Fact) -> None:
    """The citizen did not agree; the fact carries the new round."""
    record = await locked(act, fact.subject)
    record.ticket.reopened_round = max(record.ticket.reopened_round, fact.round)
    record.ticket.noted_after_end_at = None  # it goes with the new order
    record.refresh(act.now)
