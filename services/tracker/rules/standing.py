"""Which rungs of an order are raised: none that is lower than one that stands already (R-30, ADR 0063). Pure.

It follows from when the rungs of the order's clocks were reached, and from what people raised: never from
which was worked out first. So a rung of the head's matter at 03:15 keeps the written reminder of 05:00 back,
and when it turns out that the order had been signed for in time, the reminder is raised after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple, Self
from uuid import UUID

from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_state import ClockState, pass_due_marks
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.policy import Rung
from services.tracker.rules.promised import Instant, Known


class Stands(NamedTuple):
    """A rung that stands from a moment on, ``until`` it was taken back because it was raised by mistake, or
    its answer was ``accepted``.
    """

    rung: int
    since: datetime
    until: datetime | None = None
    accepted: bool = False

    def answered(self, accepted_at: datetime | None) -> Self:
        """The same, of which an answer was accepted at a moment, if it was."""
        return self._replace(until=accepted_at, accepted=True) if accepted_at else self


class KeptBack(Known):
    """What a trigger asked for at a moment at which a higher rung stood: the supervision it would be."""

    supervision: UUID
    rung: int
    reason: str
    at: Instant


class Reached(NamedTuple):
    """A rung that a clock has reached."""

    rung: Rung
    at: datetime


def reached(state: ClockState) -> Iterator[Reached]:
    """The rungs of its unit that a clock has passed, in the order in which it climbs them."""
    for rung in state.terms.rungs:
        if at := state.passed.get(rung.key):
            yield Reached(rung, at)


def stands_by(state: ClockState, calendars: Calendars, now: datetime) -> Iterator[Stands]:
    """What a clock of an order has raised by now, whether the sweep has come to it or not."""
    swept = state.calendar == calendars.latest.number and (
        state.next_at is None or state.next_at > now
    )
    if state.status is ClockStatus.RUNNING and not swept:
        state = pass_due_marks(state, calendars, now).state
    return (Stands(each.rung.rung, each.at) for each in reached(state))


def raised_at(rung: int, at: datetime, standing: Iterable[Stands]) -> datetime | None:
    """When a rung that was reached is raised: at once, or when no higher one stands any more, but for one
    whose answer was accepted: that was said to all that was reached meanwhile. None while one stands.
    """
    for each in sorted((each for each in standing if each.rung > rung), key=attrgetter("since")):
        if each.since <= at and (each.until is None or each.until > at):
            if each.until is None or each.accepted:
                return None
            at = each.until
    return at
