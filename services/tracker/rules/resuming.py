"""A unit that gets a ticket again in the same round goes on where it stopped (ADR 0049). Pure.

Otherwise any order could be washed by taking it back and giving it again: what a unit has used up of its
time stays used up, whatever the desk does meanwhile. Only the time in which it did not have the ticket, or
had done the duty, is not the unit's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import ClockState, is_late
from services.tracker.rules.earlier import Earlier
from services.tracker.rules.layout import shift
from services.tracker.rules.machine import OPEN
from services.tracker.rules.timelines import Pause
from shared.jurisdiction.calendar import Limit, WorkCalendar


def resumed(
    history: ClockHistory, calendar: WorkCalendar, before: ClockState | None = None
) -> ClockHistory:
    """The history a clock goes by: of the duty since its unit first had it in the round, or of the new
    order alone where that leaves it less time, because the new limit is shorter.

    ``before``: how the clock stands, for that is decided when it is set, and again where it would get a
    longer limit while it runs in time: that counts from the first order, too.
    """
    earlier = history.earlier
    if earlier is None or history.limit is None:
        return history
    if before and not before.resumed_at and not _lengthened(history, before, calendar):
        return history
    follows = before and before.resumed_at and history.terms_at
    limit = history.limit if follows else _longest(history.limit, earlier, calendar)
    went_on = replace(
        history,
        started_at=earlier.started_at,
        limit=limit,
        extension=history.extension + earlier.extension,
        pauses=tuple(_joined((*earlier.pauses, *history.pauses))),
        resumed_at=history.started_at,
    )
    if before or _rest_ends(went_on, earlier, limit, calendar) <= _due(history, calendar):
        return went_on
    return history


def _lengthened(history: ClockHistory, before: ClockState, calendar: WorkCalendar) -> bool:
    told_at = history.terms_at
    if told_at is None or before.status not in OPEN or is_late(before, told_at):
        return False
    limits = (history.limit or before.terms.limit, before.terms.limit)
    new, old = (calendar.due(history.started_at, Limit.parse(each)).at for each in limits)
    return new > old


def _joined(pauses: Iterable[Pause]) -> Iterator[Pause]:
    """Pauses of which one begins where another ends are one: a clock stands still once."""
    last: Pause | None = None
    for pause in pauses:
        if last and last.ends_at == pause.begins_at:
            last = Pause(last.begins_at, pause.ends_at)
            continue
        if last:
            yield last
        last = pause
    if last:
        yield last


def _longest(limit: str, earlier: Earlier, calendar: WorkCalendar) -> str:
    """A shorter limit must not take what the unit had left: then the new order's own time counts."""
    start = earlier.started_at
    return max((limit, *earlier.limits), key=lambda each: calendar.due(start, Limit.parse(each)).at)


def _rest_ends(
    went_on: ClockHistory, earlier: Earlier, limit: str, calendar: WorkCalendar
) -> datetime:
    return shift(_due(went_on, calendar), earlier.pauses, limit, calendar).at


def _due(history: ClockHistory, calendar: WorkCalendar) -> datetime:
    """Without its extension, which a shorter limit does not ask for."""
    return calendar.due(history.started_at, Limit.parse(history.limit or "0h")).at
