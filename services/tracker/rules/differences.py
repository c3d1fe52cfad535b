"""What the rows and the facts said of a ticket say, where the fact log says something else. Pure.

The log is right: whatever differs from it was changed behind the service's back, or by a defect of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.layout import WARN
from services.tracker.rules.machine import OPEN, ClockStatus
from services.tracker.rules.pauses import Pause
from shared.events import (
    Data,
    DeadlineAnnulled,
    DeadlineBreached,
    DeadlineCancelled,
    DeadlineMet,
    DeadlineMoved,
    DeadlineResumed,
    DeadlineSet,
    DeadlineWarned,
    SupervisionClosed,
    SupervisionRaised,
)

NOTHING = "无 nothing"
SAYING_DUE = (DeadlineMoved, DeadlineResumed, DeadlineMet, DeadlineBreached, DeadlineWarned)


class Difference(NamedTuple):
    """One thing that differs: of what, which part of it, and what either side says."""

    about: str
    what: str
    stands: str
    log: str


class Of(NamedTuple):
    """Whose facts: those of a clock name no more of it than this."""

    assignment: UUID | None
    round: int
    kind: str


class Stands(NamedTuple):
    """What is compared of a clock."""

    status: ClockStatus
    started_at: datetime
    due: datetime
    ended_at: datetime | None
    passed: Mapping[str, datetime]
    breached_at: datetime | None
    judged_at: datetime | None
    pauses: tuple[Pause, ...]
    extension: int
    due_revised: datetime | None


class Pressed(NamedTuple):
    """What is compared of a supervision."""

    rung: int
    raised_at: datetime
    closed_at: datetime | None


class Said(Protocol):
    """A fact, in its envelope or still without."""

    @property
    def data(self) -> Data:
        """What it says."""

    @property
    def time(self) -> datetime:
        """When it became true."""

    @property
    def assignment(self) -> UUID | None:
        """The assignment it is about."""

    @property
    def round(self) -> int:
        """The round it is of."""


def stands(state: ClockState, due_revised: datetime | None) -> Stands:
    """How a clock stands that was worked out; ``due_revised`` stands beside that."""
    known = {name: getattr(state, name) for name in Stands._fields[:-1]}
    return Stands(**known, due_revised=due_revised)


# --- rows --------------------------------------------------------------------------------------

Row = TypeVar("Row", Stands, Pressed)


def of_rows(
    rows: Mapping[UUID, Row], worked_out: Mapping[UUID, Row], names: Mapping[UUID, str]
) -> Iterator[Difference]:
    """Rows that are not there, or should not be, or say something else."""
    for id in sorted({*rows, *worked_out}):
        row, log = rows.get(id), worked_out.get(id)
        about = f"{names.get(id, '')} {id}".strip()
        if row is None or log is None:
            yield Difference(about, "row", _there(row), _there(log))
            continue
        for name in row._fields:
            one, other = getattr(row, name), getattr(log, name)
            if one != other:
                yield Difference(about, name, words(one), words(other))


def _there(row: object) -> str:
    return "有 it is there" if row else NOTHING


def words(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return NOTHING
        case datetime():
            return value.isoformat()
        case Mapping():
            listed = ", ".join(f"{key} {words(value[key])}" for key in sorted(value))
            return listed or NOTHING
        case tuple():
            return ", ".join(" – ".join(map(words, each)) for each in value) or NOTHING
        case _:
            return str(value)


# --- what was said -----------------------------------------------------------------------------


def of_clock_facts(
    said: Sequence[Said], anew: Sequence[Said], clocks: Iterable[tuple[Of, ClockState]]
) -> Iterator[Difference]:
    """Clocks that were set, breached or ended by no fact, or by one that the log does not bear out.

    What was said and taken back may be missing on either side: it depends on which was heard first.
    """
    yield from _unlike(_sets(said), _sets(anew), "deadline.set")
    yield from _unlike(_breaches(said), _breaches(anew), "deadline.breached")
    known = defaultdict[Of, list[Said]](list)
    for fact in said:
        for of, _ in _clocks_in(fact):
            known[of].append(fact)
    for of, state in clocks:
        yield from _unsaid(of, state, known[of])


def _unlike(said: Mapping[Any, int], anew: Mapping[Any, int], name: str) -> Iterator[Difference]:
    for each in sorted({*said, *anew}, key=str):
        if (one := said.get(each, 0)) != (other := anew.get(each, 0)):
            of, *at = each
            about = " ".join([_named(of), *map(words, at)])
            yield Difference(about, name, f"{one} 条 facts", f"{other} 条 facts")


def _clocks_in(fact: Said) -> Iterator[tuple[Of, datetime | None]]:
    """The clocks a fact is about, with the due moment it gives each."""
    if isinstance(fact.data, DeadlineSet):
        for view in fact.data.clocks:
            yield Of(fact.assignment, fact.round, view.clock), view.due
    elif kind := getattr(fact.data, "clock", None):
        due = fact.data.due if isinstance(fact.data, SAYING_DUE) else None
        yield Of(fact.assignment, fact.round, kind), due


def _sets(facts: Iterable[Said]) -> Counter[tuple[Of]]:
    set_ = (fact for fact in facts if isinstance(fact.data, DeadlineSet))
    return Counter((of,) for fact in set_ for of, _ in _clocks_in(fact))


def _breaches(facts: Iterable[Said]) -> Counter[tuple[Of, datetime]]:
    """Breaches that were said and stand, by their moments."""
    found = Counter[tuple[Of, datetime]]()
    for fact in facts:
        if isinstance(fact.data, DeadlineBreached):
            found[Of(fact.assignment, fact.round, fact.data.clock), fact.time] += 1
        elif isinstance(fact.data, DeadlineAnnulled):
            found[Of(fact.assignment, fact.round, fact.data.clock), fact.data.due] -= 1
    return found


def _unsaid(of: Of, state: ClockState, said: Sequence[Said]) -> Iterator[Difference]:
    """What a clock came to, and no fact says."""
    warned = state.passed.get(WARN)
    if warned and not any(
        isinstance(each.data, DeadlineWarned) and each.time == warned for each in said
    ):
        yield Difference(_named(of), "deadline.warned", NOTHING, words(warned))
    if state.status not in OPEN and _end(state) not in map(_said_end, said):
        yield Difference(_named(of), f"deadline.{state.status}", NOTHING, words(state.ended_at))
    if state.status is not ClockStatus.CANCELLED:  # what such an end cuts off no fact says
        dues = {due for each in said for named, due in _clocks_in(each) if named == of}
        if dues and state.due not in dues:
            last = max(filter(None, dues), default=None)
            yield Difference(_named(of), "deadline.moved", words(last), words(state.due))


def _end(state: ClockState) -> tuple[str, datetime | None, bool]:
    late = state.status is ClockStatus.MET and state.breached_at is not None
    return state.status, state.ended_at, late


def _said_end(fact: Said) -> tuple[str, datetime | None, bool] | None:
    match fact.data:
        case DeadlineMet():
            return ClockStatus.MET, fact.time, fact.data.late
        case DeadlineCancelled():
            return ClockStatus.CANCELLED, fact.time, False
        case _:
            return None


def _named(of: Of) -> str:
    where = f"assignment {of.assignment}" if of.assignment else "the ticket's own"
    return f"{of.kind} {where}, round {of.round}"


def of_supervision_facts(
    said: Iterable[Said], pressed: Mapping[UUID, Pressed]
) -> Iterator[Difference]:
    """Supervisions that stand, or stand no more, and whose facts say otherwise."""
    last: dict[UUID, str] = {}
    raised = dict[UUID, datetime]()
    for fact in said:
        if isinstance(fact.data, SupervisionRaised | SupervisionClosed):
            last[fact.data.supervision] = fact.data.name
        if isinstance(fact.data, SupervisionRaised):
            raised[fact.data.supervision] = fact.time
    for id in sorted({*last, *pressed}):
        row, name = pressed.get(id), last.get(id, NOTHING)
        closed = row is None or row.closed_at is not None
        if name != (SupervisionClosed if closed else SupervisionRaised).name:
            should = SupervisionClosed.name if closed else SupervisionRaised.name
            yield Difference(f"supervision {id}", "last said", name, should)
        elif row and raised.get(id) != row.raised_at:
            yield Difference(
                f"supervision {id}", "raised_at", words(raised.get(id)), words(row.raised_at)
            )
