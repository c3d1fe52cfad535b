"""When to call (DOMAIN.md R-24): the day after completion, then in other windows on other days.

Windows are local time of the jurisdiction. Calls are made on working days only, make-up working
days included: people answer questions about an office on the days it works, and nobody is rung up
on a holiday. A moment inside a window is at or after its opening and before its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

MOST_ATTEMPTS = 10  # no policy tries one citizen more often
ASK_AGAIN_CAP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Window:
    """回访时段: a part of the day in which calls are made, local time; it ends before ``end``."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class CallTimes:
    """What planning goes by: windows in the order of the day, attempts, and the working days.

    All attempts together reach over at least ``min_days`` different days; ``other_windows``: each
    is at another time of day than the ones before.
    """

    windows: tuple[Window, ...]
    max_attempts: int
    min_days: int
    other_windows: bool
    days_after: int
    is_working_day: Callable[[date], bool]
    timezone: ZoneInfo


def first_attempt(completed: datetime, times: CallTimes) -> datetime:
    """The first window of the first working day ``days_after`` or more days after completion."""
    start = completed.astimezone(times.timezone).date() + timedelta(days=times.days_after)
    return next(opens for opens, _ in _openings(start, times))


def next_attempt(tried: Sequence[datetime], missed: datetime, times: CallTimes) -> datetime:
    """The first opening after a miss that differs enough from the attempts before.

    It is in a window not tried yet (once all were tried: not the last one), and leaves room for
    all attempts to reach over ``min_days`` days.
    """
    used = _windows_used(tried, times) if times.other_windows else set()
    days = {moment.astimezone(times.timezone).date() for moment in tried}
    # A citizen whose number was corrected is tried again, however often the wrong one was.
    left = max(times.max_attempts - len(tried) - 1, times.min_days - len(days) - 1)
    return next(
        opens
        for opens, window in _openings(missed.astimezone(times.timezone).date(), times)
        if opens >= missed
        and window not in used
        and times.min_days - len(days | {opens.astimezone(times.timezone).date()}) <= left
    )


def opening(now: datetime, times: CallTimes) -> datetime:
    """``now`` when calls may be made now, else the next moment when they may."""
    today = now.astimezone(times.timezone).date()
    if times.is_working_day(today) and _window_of(now, times):
        return now
    return next(opens for opens, _ in _openings(today, times) if opens > now)


def ask_again_after(failures: int) -> timedelta:
    """How long to wait before a call that could not be asked for is asked for again."""
    return min(timedelta(minutes=2 ** (min(failures, 10) - 1)), ASK_AGAIN_CAP)


def _openings(day: date, times: CallTimes) -> Iterator[tuple[datetime, Window]]:
    """Every opening of a window from a day on, earliest first, as aware UTC."""
    for ahead in count():
        candidate = day + timedelta(days=ahead)
        if not times.is_working_day(candidate):
            continue
        for window in times.windows:
            opens = datetime.combine(candidate, window.start, times.timezone)
            yield opens.astimezone(UTC), window


def _windows_used(tried: Sequence[datetime], times: CallTimes) -> set[Window | None]:
    used = {_window_of(moment, times) for moment in tried}
    if not set(times.windows) <= used:
        return used
    return {_window_of(tried[-1], times)} if len(times.windows) > 1 else set()


def _window_of(moment: datetime, times: CallTimes) -> Window | None:
    local = moment.astimezone(times.timezone).time()
    return next((w for w in times.windows if w.start <= local < w.end), None)
