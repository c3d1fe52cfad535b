"""上班时间: when people are on duty, by weekday and by season. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple, Self

from shared.errors import ConfigError

_CLOCK = re.compile(r"([01]\d|2[0-3]|24(?=:00(?::00)?$)):([0-5]\d)(?::([0-5]\d))?")
_YEARLY = 5  # characters of 05-01
_LEAP = 2024  # has every day there is


class Segment(NamedTuple):
    """A stretch of duty, as distances from local midnight on the wall clock."""

    opens: timedelta
    closes: timedelta

    @classmethod
    def parse(cls, opens: str, closes: str) -> Self:
        """Read ``("08:30", "12:00")``; raises ValueError unless it opens before it closes."""
        segment = cls(_wall(opens), _wall(closes))
        if segment.opens >= segment.closes:
            raise ValueError(f"{opens} to {closes} closes before it opens")
        return segment


Week = tuple[tuple[Segment, ...], ...]  # seven, from Monday; an empty one is off


class SpecialDay(NamedTuple):
    """A day unlike its weekday; without segments it is off. ``notice``: where that is written."""

    segments: tuple[Segment, ...] = ()
    name: str = ""
    notice: str = ""


class Season(NamedTuple):
    """作息时段: other duty hours from a day to a day, both included.

    ``05-01`` is meant each year, and may go on into the next (10-01 to 04-30); ``2027-01-20`` once.
    """

    first: str
    last: str
    week: Week

    @property
    def yearly(self) -> bool:
        """Whether it comes again each year."""
        return len(self.first) == _YEARLY

    def covers(self, day: date) -> bool:
        """Whether a day lies in it."""
        text = day.isoformat()[-_YEARLY:] if self.yearly else day.isoformat()
        if self.first <= self.last:
            return self.first <= text <= self.last
        return text >= self.first or text <= self.last

    def meets(self, other: Season) -> bool:
        """Whether two of a kind have a day in common."""
        return self.yearly == other.yearly and (
            self.covers(other._day()) or other.covers(self._day())
        )

    def _day(self) -> date:
        return date.fromisoformat(f"{_LEAP}-{self.first}" if self.yearly else self.first)


def week_of(hours: Mapping[int, Sequence[Segment]]) -> Week:
    """Segments by weekday (Monday 0; a missing one is off) in their order. Raises ConfigError when some
    overlap, or when the week has none.
    """
    week = tuple(ordered(hours.get(weekday, ())) for weekday in range(7))
    if not any(week):
        raise ConfigError("duty_segments: the week has no duty hours")
    return week


def ordered(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Segments of a day in their order. Raises ConfigError when two overlap."""
    found = tuple(sorted(segments))
    for earlier, later in pairwise(found):
        if later.opens < earlier.closes:
            raise ConfigError(f"duty_segments: {later.opens} opens before {earlier.closes} closes")
    return found


def each_day(first: date, last: date) -> Iterator[date]:
    """Every day from one to another, both included."""
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))


def _wall(text: str) -> timedelta:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no time of day; write 08:30, at most 24:00")
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))
