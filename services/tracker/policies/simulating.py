"""试算: past tickets' clocks under a draft, beside how they stand; rows are read and none is changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, select

from services.tracker import calendars, records
from services.tracker.models import Assignment, Clock, Round, Ticket, Tickets
from services.tracker.policies import versions, views
from services.tracker.policies.schemas import (
    Beside,
    ClockBeside,
    KindBeside,
    SimulationIn,
    SimulationOut,
    UnitBeside,
)
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_history import ClockHistory, clock_histories
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.policy import DESKS
from services.tracker.rules.resuming import resumed
from services.tracker.rules.simulation import NOT_MODELLED, KnownTerms, Stood, under
from services.tracker.settings import Config
from shared.http.fields import Sentence
from shared.storage.rows import Looked
from shared.trials import one_trial

EXAMPLES = 50
AT_ONCE = 50  # tickets in a thread's hands


class Rows(NamedTuple):
    """Some tickets as they came from the database; what is made of them is made in a thread."""

    tickets: Looked[Ticket]
    rounds: Looked[Round]
    assignments: Looked[Assignment]
    clocks: Looked[Clock]


class Tried(NamedTuple):
    """One clock as it stands, and under the draft; ``then`` None: no such duty."""

    row: Clock
    changed: bool
    after: Stood
    then: ClockState | None = None

    @property
    def before(self) -> Stood:
        """What became of it."""
        return Stood.of(self.row.passed)


@dataclass(slots=True)
class Count:
    """How many clocks were late, were warned, and climbed a rung."""

    late: int = 0
    warned: int = 0
    supervised: int = 0

    def add(self, stood: Stood) -> None:
        """Count one clock."""
        self.late += stood.late
        self.warned += stood.warned
        self.supervised += stood.supervised


@dataclass(slots=True)
class Sum:
    """Some clocks as they stand, and as they would under the draft."""

    clocks: int = 0
    changed: int = 0
    before: Count = field(default_factory=Count)
    after: Count = field(default_factory=Count)

    def add(self, tried: Tried) -> None:
        """Count one clock."""
        self.clocks += 1
        self.changed += tried.changed
        self.before.add(tried.before)
        self.after.add(tried.after)


@dataclass(slots=True)
class Tally:
    """What is counted of a page, and its first examples: no clock is kept."""

    total: Sum = field(default_factory=Sum)
    units: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    kinds: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    examples: list[ClockBeside] = field(default_factory=list)

    def add(self, tried: Tried) -> None:
        """Count one clock."""
        row = tried.row
        of_it = [self.total, self.kinds[row.kind]] + ([self.units[row.unit]] if row.unit else [])
        for each in of_it:
            each.add(tried)
        if tried.before.late != tried.after.late and len(self.examples) < EXAMPLES:
            self.examples.append(_example(tried))


async def simulate(act: ServiceAct, body: SimulationIn) -> SimulationOut:
    """What a draft would have made of the clocks of tickets registered in a period, a page of tickets at a
    time; worked out in a thread, a few at a time, so that clocks fire meanwhile. Raises NotFound, BadCursor,
    TrialRuns.
    """
    with one_trial(act.store):
        return await _simulate(act, body)


async def _simulate(act: ServiceAct, body: SimulationIn) -> SimulationOut:
    row = await views.find(act, body.draft)
    draft = await asyncio.to_thread(
        versions.under, act.config, row.limits.encode(), row.supervision.encode(), 0
    )
    await calendars.load(act)
    numbers = await _numbers(act, body)
    counted, tally, terms = numbers[: body.limit], Tally(), KnownTerms()
    for at in range(0, len(counted), AT_ONCE):
        found = await _look(act, counted[at : at + AT_ONCE])
        await asyncio.to_thread(_count, act, found, draft, terms, tally)
    return SimulationOut(
        digest=row.digest,
        tickets=len(counted),
        total=Beside(**asdict(tally.total)),
        units=list(_by_unit(act, tally)),
        kinds=[KindBeside(kind=kind, **asdict(own)) for kind, own in sorted(tally.kinds.items())],
        examples=tally.examples,
        not_modelled=[Sentence(zh=zh, en=en) for zh, en in NOT_MODELLED],
        next=act.cursor(counted[-1]) if len(numbers) > body.limit else None,
    )


async def _numbers(act: ServiceAct, body: SimulationIn) -> Sequence[str]:
    """The tickets of the period, one more than asked for where there are more: numbers begin with the day."""
    number = col(Tickets.number)
    first, end = f"{body.first:%Y%m%d}", f"{body.last + timedelta(days=1):%Y%m%d}"
    query = select(Tickets.number).where(number > first, number < end)
    if body.after is not None:
        query = query.where(number > act.place(body.after))
    return (await act.session.exec(query.order_by(number).limit(body.limit + 1))).all()


async def _look(act: ServiceAct, numbers: Sequence[str]) -> Rows:
    values = {"numbers": numbers}
    return Rows(
        await act.rows.look(Ticket, records.NAMED, values),
        await act.rows.look(Round, records.ROUNDS, values),
        await act.rows.look(Assignment, records.ASSIGNMENTS, values),
        await act.rows.look(Clock, records.CLOCKS, values),
    )


# --- one ticket's clocks -----------------------------------------------------------------------


def _count(act: ServiceAct, found: Rows, draft: Config, terms: KnownTerms, tally: Tally) -> None:
    tickets = {row.number: TicketRecord(row) for row in found.tickets.made()}
    clocks = {row.id: row for row in found.clocks.made()}
    for round in found.rounds.made():
        tickets[round.ticket].rounds.append(round)
    for assignment in found.assignments.made():
        tickets[assignment.ticket].assignments.append(assignment)
    for record in tickets.values():
        for tried in _of(act, record, clocks, draft, terms):
            tally.add(tried)


def _of(
    act: ServiceAct,
    record: TicketRecord,
    clocks: Mapping[UUID, Clock],
    draft: Config,
    terms: KnownTerms,
) -> Iterator[Tried]:
    matter, dissolved = record.matter(), act.store.dissolved
    recused = act.config.recused(record.ticket.about, record.ticket.area or "")
    rounds, orders = record.round_timelines(), record.assignment_timelines()
    for history in clock_histories(matter, rounds, orders, dissolved):
        if (row := clocks.get(history.id)) is None:
            continue
        known = calendars.of_clock(act, row)
        befell = _befell(history, known, row)
        hidden = recused if history.kind in DESKS else frozenset[str]()
        policy = versions.in_force(act, row.started_at)
        then = terms.under(draft, befell, matter, hidden)
        if then == terms.under(policy, befell, matter, hidden):
            yield Tried(row, False, Stood.of(row.passed))
        else:
            moved = under(befell, then, known, act.now) if then else None
            yield Tried(row, True, Stood.of(moved.passed if moved else ()), moved)


def _befell(history: ClockHistory, known: Calendars, row: Clock) -> ClockHistory:
    """What befell a clock; how it stands is asked only where its unit had the matter before."""
    if not history.earlier:
        return history
    state = ClockState.model_validate(vars(row))
    return resumed(history, known.at(history.started_at).calendar, state)


# --- counted -----------------------------------------------------------------------------------


def _by_unit(act: ServiceAct, tally: Tally) -> Iterator[UnitBeside]:
    for code, own in sorted(tally.units.items()):
        name = next(iter(act.config.units.called([code], act.store.dissolved)), None)
        yield UnitBeside(unit=code, name=name, **asdict(own))


def _example(tried: Tried) -> ClockBeside:
    row, then = tried.row, tried.then
    return ClockBeside(
        number=row.ticket,
        kind=row.kind,
        unit=row.unit,
        limit=row.terms["limit"],
        due=row.due,
        late=tried.before.late,
        draft_limit=then and then.terms.limit,
        draft_due=then and then.due,
        draft_late=tried.after.late,
    )
