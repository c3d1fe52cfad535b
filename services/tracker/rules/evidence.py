"""What is kept of a ticket's facts that may not fit together, and the ticket as rules see it then (R-34,
gain 6, ADR 0075). Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from pydantic import BeforeValidator, Field

from services.tracker.rules.honesty import HonestyRules, known_keys
from services.tracker.rules.promised import Instant, Known
from shared.events import ClockKind, ContactOutcome, Evidence, Fact, ReopenCause, Role

# What is kept of which fact; all else of it says nothing here.
KEPT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "assignment.contacted": frozenset({"how", "outcome"}),
        "assignment.completed": frozenset({"role", "contacted", "solved"}),
        "contact.read": frozenset(),
        "answer.found_alike": frozenset({"tickets"}),
        "ticket.corrected": frozenset({"fields"}),
        "ticket.reopened": frozenset({"reasons", "cause"}),
    }
)
RINGING = {"phone", "message"}  # a visit goes where the order says, and needs no number
SPOKEN_TO = {ContactOutcome.REACHED, ContactOutcome.REFUSED}
CATEGORIES = {"type", "topic", "flags"}  # what limits and units go by
# Whose word a reopening is: the citizen's, and not that of a platform upstream.
CITIZENS = {ReopenCause.VERDICT, ReopenCause.REPEAT_CALL, ReopenCause.PROMISE_BROKEN}


class Heard(Known):
    """A fact that may be evidence: when it was true and written down, and the little of it that counts."""

    name: str
    seq: int
    at: Instant
    recorded: Instant
    round: int
    assignment: UUID | None = None
    said: dict[str, Any] = Field(default_factory=dict)

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from others about its ticket; its id may be another when it is said again."""
        return self.name, self.seq

    @property
    def evidence(self) -> Evidence:
        """As a discrepancy names it."""
        return Evidence(name=self.name, at=self.at, recorded=self.recorded, seq=self.seq)


def noted(known: Sequence[Heard], fact: Fact) -> Sequence[Heard]:
    """What was heard with one fact more, in one order whatever came first; the same when it says nothing
    here, or nothing new.
    """
    new = _kept(fact)
    if new is None or any(each.key == new.key for each in known):
        return known
    if new.name == "contact.read":  # the first of an order proves as much as all of them
        same = [
            each for each in known if (each.name, each.assignment) == (new.name, new.assignment)
        ]
        if any(each.at <= new.at for each in same):
            return known
        known = [each for each in known if each not in same]
    return sorted((*known, new), key=lambda each: (each.at, *each.key))


def _kept(fact: Fact) -> Heard | None:
    said = KEPT.get(fact.name)
    if said is None or not _counts(fact.name, fact.data):
        return None
    return Heard(
        name=fact.name,
        seq=fact.seq,
        at=fact.time,
        recorded=fact.recorded,
        round=fact.round,
        assignment=fact.assignment,
        said=fact.data.model_dump(mode="json", include=set(said)),
    )


def _counts(name: str, data: Any) -> bool:
    match name:
        case "assignment.contacted":
            return data.outcome in SPOKEN_TO
        case "assignment.completed":
            return bool(data.role is Role.LEAD)
        case "ticket.corrected":
            return data.after_dispatch and not CATEGORIES.isdisjoint(data.fields)
        case "ticket.reopened":
            return data.cause in CITIZENS and not data.continues
    return True


class Order(NamedTuple):
    """One order as honesty is judged by it. ``kept_at``: when its unit said that a promise was kept."""

    id: UUID
    unit: str
    role: str
    round: int
    dispatched_at: datetime
    redispatched_at: datetime | None
    kept_at: datetime | None


class Timed(NamedTuple):
    """One clock of an order."""

    assignment: UUID | None
    kind: str
    status: str
    due: datetime
    ended_at: datetime | None


class Seen(NamedTuple):
    """All that is known of a ticket."""

    number: str
    heard: Sequence[Heard]
    orders: Sequence[Order]
    clocks: Sequence[Timed]
    withdrawn: bool = False

    def order(self, id: UUID | None) -> Order | None:
        """One order of it."""
        return next((each for each in self.orders if each.id == id), None)

    def of(self, name: str) -> Iterator[Heard]:
        """The facts of one name, by when they were true."""
        return (each for each in self.heard if each.name == name)

    def due(self, order: UUID | None, kind: ClockKind) -> datetime | None:
        """When a duty of an order was due."""
        mine = (each.due for each in self.clocks if (each.assignment, each.kind) == (order, kind))
        return next(mine, None)


@lru_cache(maxsize=64)
def rules_of(kept: bytes) -> HonestyRules:
    """The rules as a ticket keeps them, as JSON: those of most are the same, and read once."""
    return HonestyRules.model_validate(known_keys(json.loads(kept)))


class Honesty(Known):
    """What a ticket keeps for it: the rules as they were at its registration, what was heard that may be
    evidence, and the kind of each that stands, by its id.
    """

    rules: Annotated[HonestyRules, BeforeValidator(known_keys)] = HonestyRules()
    heard: tuple[Heard, ...] = ()
    found: dict[UUID, str] = Field(default_factory=dict)
