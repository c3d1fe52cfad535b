"""What use cases load to decide on, and how a clock's row becomes what rules see.

Whoever changes anything about a ticket locks its row first and then its clocks in the order of
their ids. The sweep takes clocks alone, skips those that are locked, and waits for nothing but the
numbering of facts, which every act does last: so it cannot deadlock with the other doors.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, TypeAlias
from uuid import UUID

from sqlalchemy import func
from sqlmodel import col, select

from services.tracker.models import Assignment, Clock, Extension, Round, Supervision, Ticket
from services.tracker.rules import machine
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.timelines import AssignmentTimeline, Matter, RoundTimeline
from services.tracker.settings import Config
from shared.errors import NotFound, TooEarly
from shared.events import ClockKind
from shared.storage.act import Act

ServiceAct: TypeAlias = Act[Config]

AS_JSON = {"terms", "pauses", "passed"}


@dataclass(slots=True)
class ClockEntry:
    """A clock's row beside how it stands, read off the row once; ``keep`` changes both."""

    row: Clock
    state: ClockState

    @classmethod
    def of(cls, row: Clock) -> Self:
        """A stored clock."""
        return cls(row, ClockState.model_validate(row))

    def keep(self, state: ClockState) -> None:
        """Write how the clock stands into its row."""
        self.state = state
        for name, value in columns(state).items():
            setattr(self.row, name, value)


def columns(state: ClockState) -> dict[str, Any]:
    """How a clock stands, as its row holds it."""
    plain = state.model_dump(exclude=AS_JSON)
    json = state.model_dump(mode="json", include=AS_JSON)
    return plain | json | {"breached_at": state.breached_at, "judged_at": state.judged_at}


@dataclass(slots=True)
class TicketRecord:
    """案卷: everything known about one ticket, its row and its clocks locked."""

    ticket: Ticket
    rounds: list[Round] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    clocks: dict[UUID, ClockEntry] = field(default_factory=dict)
    supervisions: list[Supervision] = field(default_factory=list)

    def open_round(self, opened: Round) -> None:
        """Add a round that was opened."""
        self.rounds.append(opened)
        self.rounds.sort(key=lambda row: row.number)

    def take_on(self, assignment: Assignment) -> None:
        """Add an assignment that was dispatched, in the order in which they are loaded."""
        self.assignments.append(assignment)
        self.assignments.sort(key=lambda row: (row.dispatched_at, row.id))

    def round(self, number: int) -> Round | None:
        """One round, if it was opened."""
        return next((row for row in self.rounds if row.number == number), None)

    def assignment(self, id: UUID | None) -> Assignment | None:
        """One assignment, if it was dispatched."""
        return next((row for row in self.assignments if row.id == id), None)

    def handle_clock(self, assignment: UUID) -> ClockEntry | None:
        """The handle clock of an assignment, if it has one."""
        mine = (entry for entry in self.clocks.values() if entry.row.assignment == assignment)
        return next((entry for entry in mine if entry.row.kind == ClockKind.HANDLE), None)

    def matter(self) -> Matter:
        """The ticket as rules see it."""
        return Matter.model_validate(self.ticket)

    def round_timelines(self) -> list[RoundTimeline]:
        """The rounds as rules see them."""
        return [RoundTimeline.model_validate(row) for row in self.rounds]

    def assignment_timelines(self) -> list[AssignmentTimeline]:
        """The assignments as rules see them."""
        return [AssignmentTimeline.model_validate(row) for row in self.assignments]


# --- one ticket --------------------------------------------------------------------------------


async def locked(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket with everything about it, locked. Raises TooEarly before its registration came."""
    record = await find_locked(act, number)
    if record is None:
        raise TooEarly(f"ticket {number} is not registered here yet")
    return record


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket with everything about it, locked; None when it is not registered here."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        act.locked |= dict.fromkeys(numbers) | await _load(act, numbers, lock=True)
    record: TicketRecord | None = act.locked[number]
    return record


async def read(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket to look at only. Raises NotFound."""
    found = await _load(act, [number], lock=False)
    if number not in found:
        raise NotFound
    return found[number]


async def _load(act: ServiceAct, numbers: list[str], *, lock: bool) -> dict[str, TicketRecord]:
    """The records of those tickets that are registered here.

    FOR NO KEY UPDATE: a row that refers to a locked one can still be written by the sweep.
    """
    tickets = select(Ticket).where(col(Ticket.number).in_(numbers)).order_by(col(Ticket.number))
    clocks = select(Clock).where(col(Clock.ticket).in_(numbers)).order_by(col(Clock.id))
    if lock:
        tickets = tickets.with_for_update(key_share=True)
        tickets = tickets.execution_options(populate_existing=True)
        clocks = clocks.with_for_update(key_share=True)
    found = {row.number: TicketRecord(row) for row in (await act.session.exec(tickets)).all()}
    if not found:
        return found
    rounds = select(Round).where(col(Round.ticket).in_(numbers)).order_by(col(Round.number))
    for round in await act.session.exec(rounds):
        found[round.ticket].rounds.append(round)
    assignments = select(Assignment).where(col(Assignment.ticket).in_(numbers))
    ordered = assignments.order_by(col(Assignment.dispatched_at), col(Assignment.id))
    for assignment in await act.session.exec(ordered):
        found[assignment.ticket].assignments.append(assignment)
    for clock in await act.session.exec(clocks):
        found[clock.ticket].clocks[clock.id] = ClockEntry.of(clock)
    for supervision in await supervisions(act, found) if lock else ():
        found[supervision.ticket].supervisions.append(supervision)  # none is raised under the lock
    return found


async def of_assignment(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment]:
    """The locked record an assignment is in. Raises NotFound, also to another unit and to one that
    has to stand back.

    Only the ticket's number is read before the lock: a row read earlier could be out of date.
    """
    query = select(Assignment.ticket, Assignment.unit, Ticket.reported_unit)
    query = query.join(Ticket, col(Ticket.number) == col(Assignment.ticket))
    found = (await act.session.exec(query.where(Assignment.id == id))).first()
    if found is None or not may_see(act, found[1]) or recused_caller(act, found[2]):
        raise NotFound
    return await _record_with(act, found[0], id)


async def of_extension(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment, Extension]:
    """The locked record an extension is in, and the extension. Raises NotFound."""
    query = select(Extension.ticket, Extension.assignment).where(Extension.id == id)
    found = (await act.session.exec(query)).first()
    if found is None:
        raise NotFound
    record, assignment = await _record_with(act, *found)
    return record, assignment, await act.session.get_one(Extension, id)


async def _record_with(act: ServiceAct, number: str, id: UUID) -> tuple[TicketRecord, Assignment]:
    record = await find_locked(act, number)
    assignment = record.assignment(id) if record else None
    if record is None or assignment is None:
        raise NotFound
    return record, assignment


def may_see(act: ServiceAct, unit: str | None) -> bool:
    """A unit sees its own things only; others who come this far see everybody's."""
    return act.caller is None or act.caller.role != "unit" or act.caller.unit == unit


def recused_caller(act: ServiceAct, reported_unit: str | None) -> bool:
    """回避: whether the caller is a unit that must know nothing of the ticket (R-35, JN-32)."""
    unit = act.caller.unit if act.caller else None
    return unit in act.config.recused(reported_unit)


async def extension_of(act: ServiceAct, assignment: UUID) -> Extension | None:
    """The extension an assignment asked for, if it did."""
    query = select(Extension).where(Extension.assignment == assignment)
    return (await act.session.exec(query)).first()


async def supervisions(act: ServiceAct, numbers: Collection[str]) -> Sequence[Supervision]:
    """The supervisions of tickets, oldest first."""
    query = (
        select(Supervision)
        .where(col(Supervision.ticket).in_(numbers))
        .order_by(col(Supervision.raised_at), col(Supervision.rung), col(Supervision.id))
    )
    return (await act.session.exec(query)).all()


# --- clocks of many tickets --------------------------------------------------------------------


async def claim(act: ServiceAct, limit: int) -> list[ClockEntry]:
    """Clocks with a mark that is due and that nobody has locked, sorted by ticket."""
    query = (
        select(Clock)
        .where(col(Clock.next_at) <= act.now)
        .order_by(col(Clock.next_at), col(Clock.id))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = (await act.session.exec(query)).all()
    return [ClockEntry.of(row) for row in sorted(rows, key=lambda row: (row.ticket, row.id))]


async def next_mark(act: ServiceAct) -> datetime | None:
    """When the next mark of any clock is due."""
    moment: datetime | None = (await act.session.exec(select(func.min(Clock.next_at)))).one()
    return moment


async def now_certain(act: ServiceAct, limit: int) -> Sequence[str]:
    """Tickets with an open clock that is provisional, and due in a year that is known by now."""
    query = (
        select(Clock.ticket)
        .where(
            col(Clock.provisional),
            col(Clock.due) < act.config.known_until(act.now),
            col(Clock.status).in_(machine.OPEN),
        )
        .distinct()
        .order_by(col(Clock.ticket))
        .limit(limit)
    )
    return (await act.session.exec(query)).all()
