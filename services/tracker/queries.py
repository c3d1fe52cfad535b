"""What use cases load, and how rows become what rules decide on and what people see.

Whoever changes anything about a ticket locks its row first and then its clocks in the order of
their ids. The sweep takes clocks alone, skips those that are held, and waits for nothing but the
numbering of facts, which every act does last: so it cannot deadlock with the other doors.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, tuple_
from sqlmodel import col, select

from services.tracker.models import Assignment, Clock, Extension, Round, Supervision, Ticket
from services.tracker.rules import courses, machine
from services.tracker.rules.courses import Duty, Matter
from services.tracker.rules.explanation import explain
from services.tracker.rules.rates import Share, Tally
from services.tracker.rules.standing import Standing
from services.tracker.schemas import ClockOut, DayOut, ExtensionOut, PauseOut, ShareOut
from services.tracker.settings import Config
from shared.errors import NotFound
from shared.events import ClockKind, Role
from shared.jurisdiction.calendar import WorkCalendar
from shared.storage.act import Act

Acting = Act[Config]

AS_JSON = {"terms", "pauses", "passed"}
SHOWN = {"state", "started", "due", "provisional", "ended", "passed", "next_at"}
CURSOR = "%Y%m%dT%H%M%S.%f"


@dataclass(slots=True)
class Docket:
    """案卷: everything known about one ticket, its row and its clocks locked."""

    ticket: Ticket
    rounds: list[Round]
    assignments: list[Assignment]
    clocks: dict[UUID, Clock]
    supervisions: list[Supervision] = field(default_factory=list)

    def open_round(self, opened: Round) -> None:
        """Add a round that was opened."""
        self.rounds.append(opened)
        self.rounds.sort(key=lambda row: row.number)

    def take_on(self, assignment: Assignment) -> None:
        """Add an assignment that was dispatched, in the order in which they are loaded."""
        self.assignments.append(assignment)
        self.assignments.sort(key=lambda row: (row.dispatched, row.id))

    def round(self, number: int) -> Round | None:
        """One round, if it was opened."""
        return next((row for row in self.rounds if row.number == number), None)

    def assignment(self, id: UUID | None) -> Assignment | None:
        """One assignment, if it was dispatched."""
        return next((row for row in self.assignments if row.id == id), None)

    def handle_clock(self, assignment: UUID) -> Clock | None:
        """The handle clock of an assignment, if it has one."""
        mine = (row for row in self.clocks.values() if row.assignment == assignment)
        return next((row for row in mine if row.kind == ClockKind.HANDLE), None)

    def matter(self) -> Matter:
        """The ticket as rules see it."""
        return Matter.model_validate(self.ticket)

    def courses(self) -> Iterable[courses.Course]:
        """What befell each clock, from all that is known."""
        rounds = [courses.Round.model_validate(row) for row in self.rounds]
        return courses.courses(self.matter(), rounds, self.duties())

    def duties(self) -> list[Duty]:
        """The assignments as rules see them."""
        return [Duty.model_validate(row) for row in self.assignments]


async def find(act: Acting, number: str) -> Docket | None:
    """A ticket with everything about it, locked; None when it is not registered here."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        act.locked |= dict.fromkeys(numbers) | await _open(act, numbers, lock=True)
    docket: Docket | None = act.locked[number]
    return docket


async def see(act: Acting, number: str) -> Docket:
    """A ticket to look at only. Raises NotFound."""
    found = await _open(act, [number], lock=False)
    if number not in found:
        raise NotFound
    return found[number]


async def _open(act: Acting, numbers: list[str], *, lock: bool) -> dict[str, Docket]:
    """The dockets of those tickets that are registered here.

    FOR NO KEY UPDATE: a row that refers to a locked one can still be written by the sweep.
    """
    tickets = select(Ticket).where(col(Ticket.number).in_(numbers)).order_by(col(Ticket.number))
    rounds = select(Round).where(col(Round.ticket).in_(numbers)).order_by(col(Round.number))
    assignments = select(Assignment).where(col(Assignment.ticket).in_(numbers))
    clocks = select(Clock).where(col(Clock.ticket).in_(numbers)).order_by(col(Clock.id))
    if lock:
        tickets = tickets.with_for_update(key_share=True)
        tickets = tickets.execution_options(populate_existing=True)
        clocks = clocks.with_for_update(key_share=True)
    found = {row.number: Docket(row, [], [], {}) for row in (await act.session.exec(tickets)).all()}
    if not found:
        return found
    ordered = assignments.order_by(col(Assignment.dispatched), col(Assignment.id))
    for round in await act.session.exec(rounds):
        found[round.ticket].rounds.append(round)
    for assignment in await act.session.exec(ordered):
        found[assignment.ticket].assignments.append(assignment)
    for clock in await act.session.exec(clocks):
        found[clock.ticket].clocks[clock.id] = clock
    for supervision in await supervisions(act, found) if lock else ():
        found[supervision.ticket].supervisions.append(supervision)  # none is raised under the lock
    return found


async def of_assignment(act: Acting, id: UUID) -> tuple[Docket, Assignment]:
    """The locked docket an assignment is in. Raises NotFound, also to another unit.

    Only the ticket's number is read before the lock: a row read earlier could be out of date.
    """
    query = select(Assignment.ticket, Assignment.unit).where(Assignment.id == id)
    found = (await act.session.exec(query)).first()
    if found is None or not may_see(act, found[1]):
        raise NotFound
    return await _docket_with(act, found[0], id)


async def of_extension(act: Acting, id: UUID) -> tuple[Docket, Assignment, Extension]:
    """The locked docket an extension is in, and the extension. Raises NotFound."""
    query = select(Extension.ticket, Extension.assignment).where(Extension.id == id)
    found = (await act.session.exec(query)).first()
    if found is None:
        raise NotFound
    docket, assignment = await _docket_with(act, *found)
    return docket, assignment, await act.session.get_one(Extension, id)


async def _docket_with(act: Acting, number: str, id: UUID) -> tuple[Docket, Assignment]:
    docket = await find(act, number)
    assignment = docket.assignment(id) if docket else None
    if docket is None or assignment is None:
        raise NotFound
    return docket, assignment


def may_see(act: Acting, unit: str | None) -> bool:
    """A unit sees its own things only; others who come this far see everybody's."""
    return act.caller is None or act.caller.role != "unit" or act.caller.unit == unit


async def extension_of(act: Acting, assignment: UUID) -> Extension | None:
    """The extension an assignment asked for, if it did."""
    query = select(Extension).where(Extension.assignment == assignment)
    return (await act.session.exec(query)).first()


async def extensions(act: Acting, number: str) -> Sequence[Extension]:
    """The extensions of a ticket, oldest first."""
    query = select(Extension).where(Extension.ticket == number).order_by(col(Extension.asked))
    return (await act.session.exec(query)).all()


async def supervisions(act: Acting, numbers: Collection[str]) -> Sequence[Supervision]:
    """The supervisions of tickets, oldest first."""
    query = (
        select(Supervision)
        .where(col(Supervision.ticket).in_(numbers))
        .order_by(col(Supervision.raised), col(Supervision.rung), col(Supervision.id))
    )
    return (await act.session.exec(query)).all()


# --- clocks as stored --------------------------------------------------------------------------


def standing(row: Clock) -> Standing:
    """How a stored clock stands."""
    return Standing.model_validate(row)


def columns(standing: Standing) -> dict[str, Any]:
    """How a clock stands, as its row holds it."""
    plain = standing.model_dump(exclude=AS_JSON)
    json = standing.model_dump(mode="json", include=AS_JSON)
    return plain | json | {"breached": standing.breached, "judged": standing.judged}


def store(row: Clock, standing: Standing) -> None:
    """Write how a clock stands into its row."""
    for name, value in columns(standing).items():
        setattr(row, name, value)


async def claim(act: Acting, limit: int) -> list[Clock]:
    """Clocks with a mark that is due and that nobody holds, sorted by ticket."""
    query = (
        select(Clock)
        .where(col(Clock.next_at) <= act.now)
        .order_by(col(Clock.next_at), col(Clock.id))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    rows = (await act.session.exec(query)).all()
    return sorted(rows, key=lambda row: (row.ticket, row.id))


async def next_mark(act: Acting) -> datetime | None:
    """When the next mark of any clock is due."""
    moment: datetime | None = (await act.session.exec(select(func.min(Clock.next_at)))).one()
    return moment


async def now_certain(act: Acting, limit: int) -> Sequence[str]:
    """Tickets with an open clock that is provisional, and due in a year that is known by now."""
    query = (
        select(Clock.ticket)
        .where(
            col(Clock.provisional),
            col(Clock.due) < act.config.known_until(act.now),
            col(Clock.state).in_(machine.OPEN),
        )
        .distinct()
        .order_by(col(Clock.ticket))
        .limit(limit)
    )
    return (await act.session.exec(query)).all()


# --- figures -----------------------------------------------------------------------------------


async def judged(act: Acting, start: datetime, end: datetime) -> list[Tally]:
    """The clocks judged in [start, end) by unit and kind: sign clocks, and handle clocks of leads.

    A co-handler answers to its lead, not to the citizen.
    """
    on_time = col(Clock.breached).is_(None)
    counted = (
        func.count(),
        func.count().filter(on_time),
        func.count().filter(on_time, col(Clock.extension) > 0),
    )
    query = (
        select(Clock.unit, Clock.kind, *counted)  # type: ignore[call-overload]  # typed to 4 columns
        .where(
            col(Clock.judged) >= start,
            col(Clock.judged) < end,
            (col(Clock.kind) == ClockKind.SIGN)
            | ((col(Clock.kind) == ClockKind.HANDLE) & (col(Clock.role) == Role.LEAD)),
        )
        .group_by(col(Clock.unit), col(Clock.kind))
    )
    return [Tally(*row) for row in await act.session.exec(query)]


async def breaches(
    act: Acting, unit: str | None, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Clock]:
    """Clocks with a breach that stands, oldest breach first."""
    place = tuple_(col(Clock.breached), col(Clock.id))
    query = select(Clock).where(col(Clock.breached).is_not(None)).order_by(place).limit(limit)
    if unit is not None:
        query = query.where(Clock.unit == unit)
    if after is not None:
        query = query.where(place > after)
    return (await act.session.exec(query)).all()


def cursor(act: Acting, row: Clock) -> str:
    """The place of a breach in the list."""
    return act.cursor(f"{row.breached:{CURSOR}}/{row.id.hex}")


def read_cursor(act: Acting, cursor: str) -> tuple[datetime, UUID]:
    """The place a cursor names. Raises BadCursor."""
    moment, _, clock = act.place(cursor).partition("/")
    return datetime.strptime(moment, CURSOR).replace(tzinfo=UTC), UUID(hex=clock)


# --- as they are shown -------------------------------------------------------------------------


def show_clock(row: Clock, calendar: WorkCalendar) -> ClockOut:
    """A clock with its explanation."""
    stands = standing(row)
    why, words = explain(stands, calendar), machine.SENTENCES[stands.state]
    return ClockOut(
        id=row.id,
        clock=row.kind,
        round=row.round,
        assignment=row.assignment,
        unit=row.unit,
        urgency=row.urgency,
        sentence_zh=words.zh,
        sentence_en=words.en,
        limit=stands.terms.limit,
        breached=stands.breached,
        extended_by=stands.extension,
        kept=why.kept,
        days=[DayOut(**step._asdict()) for step in why.days],
        extension_days=[DayOut(**step._asdict()) for step in why.extension_days],
        pauses=[PauseOut(**stop._asdict()) for stop in why.pauses],
        **stands.model_dump(include=SHOWN),
    )


def show_extension(row: Extension, clock: Clock) -> ExtensionOut:
    """An extension with the due moment of its clock."""
    return ExtensionOut(**row.model_dump(), due=clock.due)


def show_share(share: Share) -> ShareOut:
    """A share with its rate."""
    return ShareOut(**share._asdict(), rate=share.rate)
