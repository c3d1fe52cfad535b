"""重演: the clocks of a ticket played again from its facts alone, in memory; nothing is read or written.

The facts go through the same use cases as when they were heard, in the order in which they were recorded,
each at its own moment, and the marks that lay before are passed first. What a person did over HTTP, and
what a policy decided of which no trace but the fact is left, is taken from the tracker's own facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from sqlmodel import SQLModel

from services.tracker import calendars, carrying, extensions, triggers
from services.tracker.clockwork import fire, follow, recompute_clocks
from services.tracker.consumers import HANDLERS
from services.tracker.models import Clock, Supervision, Ticket
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord
from services.tracker.revisions.usecases import Persons, apply
from services.tracker.rules import supervision
from services.tracker.rules.calendars import Calendars, Version
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.policy import Terms
from services.tracker.rules.promise import end_of
from services.tracker.rules.promised import PromiseMove, PromiseRecord
from services.tracker.rules.revising import Revised
from services.tracker.rules.timelines import Carried, Matter
from services.tracker.settings import Config
from shared.errors import TooEarly
from shared.events import (
    DeadlineRevised,
    ExtensionGranted,
    Fact,
    PromiseKept,
    PromiseMoved,
    SupervisionClosed,
    SupervisionRaised,
    TicketMerged,
)
from shared.jurisdiction.limits import LimitTable
from shared.messaging.bus import matches
from shared.storage.act import Act, Store, Told
from shared.storage.rows import Rows

ACTOR = "service:tracker"
M = TypeVar("M", bound=SQLModel)


class Replayed(NamedTuple):
    """A ticket as its facts leave it; ``early``: facts that fit nothing which came before or after."""

    record: TicketRecord | None
    said: Sequence[Told]
    early: Sequence[Fact]

    @property
    def clocks(self) -> Mapping[UUID, ClockEntry]:
        """Its clocks."""
        return self.record.clocks if self.record else {}

    @property
    def supervisions(self) -> Mapping[UUID, Supervision]:
        """Its supervisions."""
        return self.record.supervisions if self.record else {}


class OnRecord(NamedTuple):
    """What is taken from the rows of a ticket: urgency and terms of its clocks, and the orders of its matter
    under other numbers, whose facts are those of other tickets.
    """

    terms: Mapping[UUID, tuple[str, Terms]]
    carried: Sequence[Carried] = ()


@dataclass(frozen=True, slots=True)
class _AsThen(Config):
    """The rules of today, but for clocks that are on record with other terms."""

    on_record: Mapping[UUID, tuple[str, Terms]] = field(default_factory=dict)

    def under(self, table: LimitTable, rules: supervision.Supervision, version: int) -> Config:
        """The same under another policy. When there were many reporters, the fact says."""
        return Config.under(self, table, _without_clusters(rules), version)

    def terms(self, history: ClockHistory, matter: Matter, recused: Any = ()) -> Terms | None:
        """The terms on record, under the limit its order carries."""
        urgency, terms = self.on_record.get(history.id, (None, None))
        if terms is None or urgency != history.urgency:
            return Config.terms(self, history, matter, recused)
        return terms.model_copy(update={"limit": history.limit or terms.limit})


async def replayed(
    store: Store[Config],
    versions: Sequence[Version],
    facts: Sequence[Fact],
    until: datetime,
    on_record: OnRecord,
) -> tuple[Replayed, set[UUID]]:
    """A ticket as its facts leave it at a moment; and which of its clocks keep terms that are not those of
    today's rules. ``facts`` in the order of their recording.
    """
    found = await _play(store, versions, facts, until, on_record._replace(terms={}))
    clocks = found.clocks
    others = {
        id: known
        for id, known in on_record.terms.items()
        if id not in clocks or clocks[id].state.terms != known[1]
    }
    if others:
        found = await _play(store, versions, facts, until, on_record._replace(terms=others))
    return found, set(others)


async def _play(
    store: Store[Config],
    versions: Sequence[Version],
    facts: Sequence[Fact],
    until: datetime,
    on_record: OnRecord,
) -> Replayed:
    known = {each.name: getattr(store.config, each.name) for each in fields(Config)}
    known["rules"] = _without_clusters(store.config.rules)
    config = _AsThen(**known, on_record=on_record.terms)
    player = _Player(store, versions, config, facts[0], on_record.carried)
    for fact in facts:
        await player.hear(fact)
    await player.end(until)
    return Replayed(player.record, player.act.told, player.early)


def _without_clusters(rules: supervision.Supervision) -> supervision.Supervision:
    """When there were many reporters, the fact says: the rule of today may be another."""
    return rules.model_copy(update={"cluster_of_reporters": None})


class _InMemory(Rows):
    """Rows of a ticket that stand in its record and nowhere else."""

    def __init__(self, locked: Mapping[Any, Any], number: str) -> None:
        super().__init__(cast("Any", None))
        self._locked, self._number = locked, number

    @property
    def _record(self) -> TicketRecord | None:
        record: TicketRecord | None = self._locked[self._number]
        return record

    def _supervisions(self) -> dict[UUID, Supervision]:
        return self._record.supervisions if self._record else {}

    async def load(self, row: type[M], query: Any, values: Any = None) -> list[M]:
        """The supervisions, the clocks beside those that are claimed; of extensions the facts say enough."""
        if row is Clock and self._record:
            clocks: Any = (entry.row for entry in self._record.clocks.values())
            return [each for each in clocks if each.id not in values["claimed"]]
        return cast("list[M]", list(self._supervisions().values()) if row is Supervision else [])

    def add(self, row: M, *, unless_there: bool = False, or_else: str = "") -> M:
        """A supervision is put with the others; all else its use case puts into the record."""
        if isinstance(row, Supervision):
            self._supervisions()[row.id] = row
        return row

    def remove(self, row: SQLModel) -> None:
        """A supervision that is taken back."""
        if isinstance(row, Supervision):
            self._supervisions().pop(row.id, None)


class _Player:
    """One ticket, at the moment to which its facts were played."""

    def __init__(
        self,
        store: Store[Config],
        versions: Sequence[Version],
        config: Config,
        first: Fact,
        carried: Sequence[Carried],
    ) -> None:
        self.early: list[Fact] = []
        self._number, self._versions = first.subject, sorted(versions)
        self._carried = sorted(carried, key=lambda each: (each.known_at, each.key))
        self._known: dict[int, Calendars] = {}
        locked: dict[Any, Any] = {self._number: None}
        rows = _InMemory(locked, self._number)
        self.act: ServiceAct = Act(
            cast("Any", None), rows, first.recorded, ACTOR, config, store, locked=locked
        )
        self._go_by_calendars()

    @property
    def record(self) -> TicketRecord | None:
        """The ticket, once it is registered."""
        record: TicketRecord | None = self.act.locked[self._number]
        return record

    async def advance(self, to: datetime) -> None:
        """Let time pass: what other tickets carried over is there after what was heard at that moment, each
        version of the calendar takes hold, and marks are passed.
        """
        while self._carried and self._carried[0].known_at < to:
            await self._pass_time(self._carried[0].known_at)
            self._carry(self._carried[0].known_at)
        await self._pass_time(to)

    async def end(self, at: datetime) -> None:
        """Let the last time pass."""
        await self.advance(at)
        self._carry(at)

    def _carry(self, by: datetime) -> None:
        new = [each for each in self._carried if each.known_at <= by]
        self._carried = self._carried[len(new) :]
        if self.record and new:
            carrying.keep(self.act, self.record, new, max(each.since for each in new))

    async def _pass_time(self, to: datetime) -> None:
        for version in self._versions:
            if self.act.now < version.since <= to:
                await self._pass_marks(version.since)
                behind = (
                    entry
                    for entry in self._entries()
                    if entry.state.calendar < version.number and entry.state.ended_at is None
                )
                follow(self.act, behind)
        await self._pass_marks(to)

    async def hear(self, fact: Fact) -> None:
        """Let a fact follow upon the moment at which it was recorded, and what waited for it after it."""
        await self.advance(fact.recorded)
        waited, self.early = self.early, []
        for each in (fact, *waited):
            try:
                await self._handle(each)
            except TooEarly:
                self.early.append(each)

    async def _handle(self, fact: Fact) -> None:
        if isinstance(fact.data, TicketMerged):
            # Of the other ticket no more is asked than that it is known.
            other = Ticket(
                number=fact.data.into,
                type="",
                urgency="",
                topic="",
                flags=[],
                registered_at=fact.time,
            )
            self.act.locked.setdefault(fact.data.into, TicketRecord(other))
        if fact.source == self.act.store.name:
            _repeat(self.act, fact)
            return
        for pattern, handler in HANDLERS.items():
            if matches(pattern, fact.key):
                await handler(self.act, fact)

    async def _pass_marks(self, moment: datetime) -> None:
        self.act.now = max(self.act.now, moment)
        self._go_by_calendars()
        now = self.act.now
        await fire(self.act, [each for each in self._entries() if _is_due(each, now)])

    def _entries(self) -> Sequence[ClockEntry]:
        clocks = self.record.clocks.values() if self.record else ()
        return sorted(clocks, key=lambda entry: entry.row.id)

    def _go_by_calendars(self) -> None:
        held = [each for each in self._versions if each.since <= self.act.now]
        count = max(len(held), 1)
        if count not in self._known:
            self._known[count] = Calendars(self._versions[:count])
        self.act.locked[calendars.KNOWN] = self._known[count]


def _is_due(entry: ClockEntry, now: datetime) -> bool:
    return entry.state.next_at is not None and entry.state.next_at <= now


# --- the tracker's own facts -------------------------------------------------------------------


def is_input(fact: Fact) -> bool:
    """Whether a fact of the tracker's own says what a person did, or a policy of its moment, so that it
    does not follow from what was heard.
    """
    match fact.data:
        case ExtensionGranted() | PromiseMoved() | PromiseKept() | DeadlineRevised():
            return True
        case SupervisionRaised():
            return fact.data.by == "hand" or _is_triggered(fact)
        case SupervisionClosed():
            return not fact.actor.startswith("service:")
        case _:
            return False


def _is_triggered(fact: Fact) -> bool:
    """Whether it followed from the policy of its moment, and from no clock."""
    data: SupervisionRaised = fact.data
    return fact.assignment is not None and triggers.is_triggered(data.supervision, fact.assignment)


def _repeat(act: ServiceAct, fact: Fact) -> None:
    record: TicketRecord | None = act.locked[fact.subject]
    if record is None:
        raise TooEarly
    match fact.data:
        case ExtensionGranted():
            _extend(act, record, fact)
        case PromiseMoved() | PromiseKept():
            _follow_promise(act, record, fact)
        case DeadlineRevised():
            _revise(act, record, fact)
        case SupervisionRaised():
            _supervise(act, record, fact)
        case SupervisionClosed():
            row = record.supervisions.get(fact.data.supervision)
            if row and fact.data.accepted:
                row.closed_at = row.accepted_at = fact.time
            elif row and row.by == "hand":
                row.closed_at = row.withdrawn_at = fact.time
        case _:
            raise AssertionError(f"{fact.name} follows from others")


def _extend(act: ServiceAct, record: TicketRecord, fact: Fact) -> None:
    assignment = record.assignment(fact.assignment)
    if assignment is None:
        raise TooEarly
    extensions.lengthen(assignment, fact.data.days, fact.time, fact.data.office)
    recompute_clocks(act, record, fact.time)


def _revise(act: ServiceAct, record: TicketRecord, fact: Fact) -> None:
    data: DeadlineRevised = fact.data
    entry = record.clocks.get(data.clock_id)
    if entry is None:
        raise TooEarly
    by = Revised(
        revision=data.revision,
        calendar=data.calendar,
        days=tuple(map(date.fromisoformat, data.days)),
        ground=data.ground,
        paper=data.paper,
        at=fact.time,
    )
    apply(act, record, entry, by, Persons(data.proposed_by, data.confirmed_by))


def _follow_promise(act: ServiceAct, record: TicketRecord, fact: Fact) -> None:
    assignment = record.assignment(fact.assignment)
    if assignment is None:
        raise TooEarly
    known = PromiseRecord.model_validate(assignment.promise)
    if isinstance(fact.data, PromiseKept):
        now = known.model_copy(update={"kept_at": fact.time})
    else:
        until = end_of(date.fromisoformat(fact.data.promised_date), act.config.calendar.tz)
        move = PromiseMove(
            until=until,
            reason=fact.data.unit_reason,
            asked_at=fact.time,
            asked_by="",
            granted=True,
            ruled_at=fact.time,
        )
        now = known.model_copy(update={"moves": (move,)})
    assignment.promise = now.model_dump(mode="json")
    recompute_clocks(act, record, fact.time)


def _supervise(act: ServiceAct, record: TicketRecord, fact: Fact) -> None:
    data: SupervisionRaised = fact.data
    if fact.assignment is None or fact.unit is None:
        raise ValueError("a supervision is of an assignment, and presses a unit")
    act.rows.add(
        Supervision(
            id=data.supervision,
            ticket=fact.subject,
            assignment=fact.assignment,
            round=fact.round,
            unit=fact.unit,
            rung=data.rung,
            title=data.title,
            by=data.by,
            reason=data.reason,
            answer_due=data.answer_due,
            raised_at=fact.time,
            raised_by=fact.actor,
            **data.model_dump(mode="json", include={"stale_knowledge"}),
        )
    )
