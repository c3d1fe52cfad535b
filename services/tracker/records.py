"""What use cases load to decide on, and how a clock's row becomes what rules see.

Whoever changes anything about a ticket locks its row first and then its clocks in the order of
their ids. The sweep takes clocks alone, skips those that are locked, and waits for nothing but the
numbering of facts, which every act does last: so it cannot deadlock with the other doors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Self, TypeAlias
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Text, any_, bindparam
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.tracker import calendars
from services.tracker.models import (
    Assignment,
    Assignments,
    Clock,
    Clocks,
    Extension,
    Extensions,
    Round,
    Rounds,
    Supervision,
    Supervisions,
    Ticket,
    Tickets,
)
from services.tracker.rules import machine
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.explanation import waits_of
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.pauses import WaitTimeline
from services.tracker.rules.policy import terms_of
from services.tracker.rules.timelines import AssignmentTimeline, Matter, RoundTimeline, first_rounds
from services.tracker.settings import Config
from shared.errors import NotFound, TooEarly
from shared.events import ClockKind, Fact, TicketMerged
from shared.jurisdiction.succession import Dissolved
from shared.storage.act import Act
from shared.storage.rows import one_of

ServiceAct: TypeAlias = Act[Config]

# Statements are made once: to make one takes longer than to ask it.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
NAMED = select(Tickets).where(col(Tickets.number) == NUMBERS).order_by(col(Tickets.number))
ROUNDS = select(Rounds).where(col(Rounds.ticket) == NUMBERS).order_by(col(Rounds.number))
ASSIGNMENTS = (
    select(Assignments)
    .where(col(Assignments.ticket) == NUMBERS)
    .order_by(col(Assignments.dispatched_at), col(Assignments.id))
)
CLOCKS = select(Clocks).where(col(Clocks.ticket) == NUMBERS).order_by(col(Clocks.id))
SUPERVISIONS = (
    select(Supervisions)
    .where(col(Supervisions.ticket) == NUMBERS)
    .order_by(col(Supervisions.raised_at), col(Supervisions.rung), col(Supervisions.id))
)
# FOR NO KEY UPDATE: a row that refers to a locked one can still be written by the sweep.
LOCKED_NAMED = NAMED.with_for_update(key_share=True)
LOCKED_CLOCKS = CLOCKS.with_for_update(key_share=True)

# What an extension may be ruled on for: an answer that came late may turn out to have been in time.
TO_RULE_ON = (col(Clocks.kind) == ClockKind.HANDLE) & (
    col(Clocks.status).in_(machine.OPEN)
    | ((col(Clocks.status) == ClockStatus.MET) & col(Clocks.breached_at).is_not(None))
)

SEEN = "looked at"  # tickets an act has not locked

STATE = (*ClockState.model_fields, "breached_at", "judged_at")
AS_JSON = {"terms", "pauses", "passed", "warned"}
_stands = attrgetter(*STATE)


@dataclass(slots=True)
class ClockEntry:
    """A clock's row beside how it stands, read off the row once; ``keep`` changes both."""

    row: Clock
    state: ClockState

    @classmethod
    def of(cls, row: Clock) -> Self:
        """A stored clock."""
        return cls(
            row, ClockState.model_validate(vars(row) | {"terms": terms_of(orjson.dumps(row.terms))})
        )

    def keep(self, state: ClockState) -> None:
        """Write into the row what is new of how the clock stands."""
        known, self.state = self.state, state
        for name, value, before in zip(STATE, _stands(state), _stands(known), strict=True):
            if value is not before and value != before:
                setattr(self.row, name, value if name not in AS_JSON else _as_json(state, name))


def columns(state: ClockState) -> dict[str, Any]:
    """How a clock stands, as its row holds it."""
    json = state.model_dump(mode="json", include=AS_JSON)
    return {name: json[name] if name in AS_JSON else getattr(state, name) for name in STATE}


def _as_json(state: ClockState, name: str) -> Any:
    return state.model_dump(mode="json", include={name})[name]


@dataclass(slots=True)
class TicketRecord:
    """案卷: everything known about one ticket, its row and its clocks locked.

    Clocks and supervisions by their ids, supervisions in the order in which they were raised.
    """

    ticket: Ticket
    rounds: list[Round] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    clocks: dict[UUID, ClockEntry] = field(default_factory=dict)
    supervisions: dict[UUID, Supervision] = field(default_factory=dict)

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
        return self.clock_of(assignment, ClockKind.HANDLE)

    def clock_of(self, assignment: UUID, kind: ClockKind) -> ClockEntry | None:
        """One clock of an assignment, if it has such a duty."""
        mine = (entry for entry in self.clocks.values() if entry.row.assignment == assignment)
        return next((entry for entry in mine if entry.row.kind == kind), None)

    def orders_like(self, assignment: Assignment, dissolved: Mapping[str, Dissolved]) -> list[UUID]:
        """The orders its unit has and had in its round, or in those that goes on from, itself or as a unit
        that it follows.
        """
        own, firsts = timeline(assignment), first_rounds(self.round_timelines())
        first = firsts.get(own.round)
        return [
            row.id
            for row in self.assignments
            if (row.round == own.round or firsts.get(row.round, 0) == first)
            and timeline(row).with_people(own.given_to, own.dispatched_at, dissolved)
        ]

    def waits_of(self, clock: Clock) -> Sequence[WaitTimeline]:
        """The waits for the citizen for which a clock may have stood still."""
        waiting = (timeline(row) for row in self.assignments if row.waits)
        return waits_of(clock.kind, clock.unit, waiting)

    def is_at_work(self, at: datetime) -> bool:
        """Whether a unit had an order of it at a moment, or later."""
        ends = [each.ending(self.matter().withdrawal) for each in self.assignment_timelines()]
        return any(end is None or end.at > at for end in ends)

    def matter(self) -> Matter:
        """The ticket as rules see it."""
        return Matter.model_validate(vars(self.ticket))

    def round_timelines(self) -> list[RoundTimeline]:
        """The rounds as rules see them."""
        return [RoundTimeline.model_validate(vars(row)) for row in self.rounds]

    def assignment_timelines(self) -> list[AssignmentTimeline]:
        """The assignments as rules see them."""
        return [timeline(row) for row in self.assignments]


def take_handler(row: Assignment, fact: Fact) -> None:
    """Keep who in the unit has an order now, and under which account; what was said last counts."""
    name, known = fact.data.handler, row.handler
    if name and (known is None or known[0] < fact.seq):
        row.handler = [fact.seq, name, getattr(fact.data, "handler_account", None)]


def timeline(row: Assignment) -> AssignmentTimeline:
    """An assignment as rules see it."""
    return AssignmentTimeline.model_validate(vars(row))


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
        into = {fact.data.into for fact in act.batch if isinstance(fact.data, TicketMerged)}
        await lock_new(act, {*act.lock_order(number), *into})
    record: TicketRecord | None = act.locked[number]
    return record


async def lock_new(act: ServiceAct, numbers: Iterable[str]) -> None:
    """Lock those tickets that are not locked yet."""
    if new := sorted(set(numbers).difference(act.locked)):
        await lock(act, new)


async def worked_on_with(act: ServiceAct, number: str) -> list[TicketRecord]:
    """The tickets worked on as one with a locked one, itself among them; all locked."""
    work = (await locked(act, number)).ticket.work
    return await worked_on_as(act, {work}) if work else []


async def worked_on_as(act: ServiceAct, works: Collection[str]) -> list[TicketRecord]:
    """The tickets that are worked on with others under some numbers; all locked."""
    if not works:
        return []
    others = select(Tickets.number).where(one_of(Tickets.work, works))
    await lock_new(act, (await act.session.exec(others)).all())
    loaded = {
        row.ticket.number: row for row in act.locked.values() if isinstance(row, TicketRecord)
    }
    return [row for _, row in sorted(loaded.items()) if row.ticket.work in works]


async def lock(act: ServiceAct, numbers: Sequence[str]) -> dict[str, TicketRecord]:
    """Lock tickets in the order of their numbers, each with everything about it; those of them that
    are registered here, by number.
    """
    found = await _records(act, numbers, LOCKED_NAMED, LOCKED_CLOCKS)
    act.locked |= dict.fromkeys(numbers) | found
    return found


async def read(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket to look at only. Raises NotFound."""
    found = await _records(act, [number], NAMED, CLOCKS)
    if number not in found:
        raise NotFound
    return found[number]


async def look_at(act: ServiceAct, numbers: Sequence[str]) -> dict[str, TicketRecord]:
    """Tickets to look at only, by number."""
    return await _records(act, numbers, NAMED, CLOCKS)


async def _records(
    act: ServiceAct,
    numbers: Sequence[str],
    tickets: SelectOfScalar[Tickets],
    clocks: SelectOfScalar[Clocks],
) -> dict[str, TicketRecord]:
    """The records of those tickets that are registered here, by number.

    No supervision is raised while the clocks are locked, so they are read last.
    """
    await calendars.load(act)
    rows = await act.rows.load(Ticket, tickets, {"numbers": numbers})
    found = {row.number: TicketRecord(row) for row in rows}
    if not found:
        return found
    of_them = {"numbers": list(found)}
    for round in await act.rows.load(Round, ROUNDS, of_them):
        found[round.ticket].rounds.append(round)
    for assignment in await act.rows.load(Assignment, ASSIGNMENTS, of_them):
        found[assignment.ticket].assignments.append(assignment)
    for clock in await act.rows.load(Clock, clocks, of_them):
        found[clock.ticket].clocks[clock.id] = ClockEntry.of(clock)
    for supervision in await act.rows.load(Supervision, SUPERVISIONS, of_them):
        found[supervision.ticket].supervisions[supervision.id] = supervision
    return found


async def assigned(act: ServiceAct, fact: Fact) -> tuple[TicketRecord, Assignment]:
    """The locked record and the assignment a fact is about. Raises TooEarly before they are known."""
    record = await locked(act, fact.subject)
    assignment = record.assignment(fact.assignment)
    if assignment is None:
        raise TooEarly(f"assignment {fact.assignment} was not dispatched here yet")
    return record, assignment


async def assigned_to_look_at(act: ServiceAct, fact: Fact) -> tuple[TicketRecord, Assignment]:
    """The same without a lock, for what is only looked at."""
    record = await to_look_at(act, fact)
    assignment = record.assignment(fact.assignment)
    if assignment is None:
        raise TooEarly(f"assignment {fact.assignment} was not dispatched here yet")
    return record, assignment


async def to_look_at(act: ServiceAct, fact: Fact) -> TicketRecord:
    """The record a fact is about without a lock, with those of all facts of its name together. Raises
    TooEarly before its registration came.
    """
    if fact.subject in act.locked:
        return await locked(act, fact.subject)
    seen: dict[str, TicketRecord] = act.locked.setdefault(SEEN, {})
    if fact.subject not in seen:
        alike = {each.subject for each in act.batch if each.name == fact.name} | {fact.subject}
        seen |= await look_at(act, sorted(alike - act.locked.keys() - seen.keys()))
    if fact.subject not in seen:
        raise TooEarly(f"ticket {fact.subject} is not registered here yet")
    return seen[fact.subject]


async def of_assignment(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment]:
    """The locked record an assignment is in. Raises NotFound, also to another unit and to one that
    has to stand back.
    """
    record = await _locked_with(act, id, Assignments)
    assignment = record.assignment(id)
    if assignment is None or not may_see(act, assignment.unit) or recused_caller(act, record):
        raise NotFound
    return record, assignment


async def of_extension(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment, Extension]:
    """The locked record an extension is in, and the extension. Raises NotFound."""
    record = await _locked_with(act, id, Extensions)
    asked = select(Extensions).where(Extensions.id == id)
    [extension] = await act.rows.load(Extension, asked)
    assignment = record.assignment(extension.assignment)
    if assignment is None:
        raise NotFound
    return record, assignment, extension


async def of_supervision(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment, Supervision]:
    """The locked record a supervision is in, with its assignment. Raises NotFound."""
    record = await _locked_with(act, id, Supervisions)
    supervision = record.supervisions.get(id)
    assignment = record.assignment(supervision.assignment) if supervision else None
    if supervision is None or assignment is None:
        raise NotFound
    return record, assignment, supervision


async def _locked_with(
    act: ServiceAct, id: UUID, table: type[Assignments] | type[Extensions] | type[Supervisions]
) -> TicketRecord:
    """The locked record of the ticket something is of; with it those of all that is asked of in this
    act. Raises NotFound.

    Only the tickets' numbers are read before the lock: what else was read could be out of date.
    """
    if id not in act.locked:
        ids = act.lock_order(id)
        of_tickets = select(table.id, table.ticket).where(one_of(table.id, ids))
        numbers = dict((await act.session.exec(of_tickets)).all())
        found = await lock(act, sorted(set(numbers.values())))
        act.locked |= {each: found.get(numbers.get(each, "")) for each in ids}
    record: TicketRecord | None = act.locked[id]
    if record is None:
        raise NotFound
    return record


def may_see(act: ServiceAct, unit: str | None) -> bool:
    """A unit sees its own things only; others who come this far see everybody's."""
    return act.caller is None or act.caller.role != "unit" or act.caller.unit == unit


def recused_caller(act: ServiceAct, record: TicketRecord) -> bool:
    """回避: whether the caller is a unit that must know nothing of the ticket (R-35, JN-32)."""
    return recused_from(act, record.ticket)


def recused_from(act: ServiceAct, ticket: Ticket) -> bool:
    """The same, of a ticket's own row."""
    unit = act.caller.unit if act.caller else None
    return unit is not None and unit in act.config.recused(ticket.about, ticket.area or "")
