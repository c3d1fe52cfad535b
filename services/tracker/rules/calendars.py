"""工作日历的版本: which working calendar was known when, and what that means for a clock. Pure.

A clock runs under the calendar that was known while it ran. A new version moves only what is still ahead of
it: a mark that had passed before, and a clock that had ended, stay as they were (ADR 0062). So what a clock
came to can be worked out again at any time from its facts and the versions, with the same result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.hours import Season, Segment, SpecialDay

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED = 3  # so many days are named in a reason; of more the rest is counted


class Version(NamedTuple):
    """A calendar as it was given, and since when it holds."""

    number: int
    since: datetime
    calendar: WorkCalendar


class Spliced(WorkCalendar):
    """Each day as it stood when it came: by the version that held on it, and on the day it began to hold.

    The days of a year are provisional until a version knows the year; then they go by that one.
    """

    def __init__(self, versions: Sequence[Version]) -> None:
        latest = versions[-1].calendar
        week = dict(enumerate(latest.week))
        super().__init__(latest.tz, week, latest.special, latest.known)
        days = [version.since.astimezone(latest.tz).date() for version in versions]
        self._parts = list(zip(days, (each.calendar for each in versions), strict=True))

    def segments_of(self, day: date) -> tuple[Segment, ...]:
        """The duty hours of a day."""
        return self._held_on(day).segments_of(day)

    def special_of(self, day: date) -> SpecialDay | None:
        """What makes a day unlike its weekday, if anything does."""
        return self._held_on(day).special_of(day)

    def _held_on(self, day: date) -> WorkCalendar:
        held = [at for at, (since, _) in enumerate(self._parts) if since <= day]
        later = [calendar for _, calendar in self._parts[held[-1] if held else 0 :]]
        return next((each for each in later if each.knows(day.year)), later[0])


class Span(NamedTuple):
    """A stretch of a clock's life: since when it runs under a version, and the days as known under it."""

    number: int
    since: datetime
    calendar: WorkCalendar


class Calendars:
    """All versions there are, oldest first; at least one. The first holds for all that was before it."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self.versions = sorted(versions)
        self._by_unit: dict[str, Calendars] = {}
        first, *later = self.versions
        self._spans = [Span(*first)]
        for upto, version in enumerate(later, 2):
            days = Spliced(self.versions[:upto])
            self._spans.append(Span(version.number, version.since, days))

    @classmethod
    def of(cls, calendar: WorkCalendar) -> Self:
        """One calendar that always held."""
        return cls([Version(1, ALWAYS, calendar)])

    def by(self, unit: str | None) -> Calendars:
        """The versions as a unit goes by them, which may have hours and days of its own."""
        if unit is None or not any(unit in version.calendar.units for version in self.versions):
            return self
        if unit not in self._by_unit:
            own = [row._replace(calendar=row.calendar.of(unit)) for row in self.versions]
            self._by_unit[unit] = Calendars(own)
        return self._by_unit[unit]

    @property
    def latest(self) -> Span:
        """What is known now."""
        return self._spans[-1]

    def at(self, moment: datetime) -> Span:
        """What was known at a moment."""
        held = [span for span in self._spans if span.since <= moment]
        return held[-1] if held else self._spans[0]

    def numbered(self, number: int) -> Span:
        """What was known under a version; of a clock of a release that kept none, under the first."""
        return next((each for each in self._spans if each.number == number), self._spans[0])

    def over(self, start: datetime, end: datetime | None) -> list[Span]:
        """What a clock runs under from its start to its end, or until now: one span after another."""
        first = self.at(start)
        after = (span for span in self._spans if span.number > first.number)
        return [first, *takewhile(lambda span: end is None or span.since < end, after)]

    def why(self, before: int, after: int, first: datetime, last: datetime) -> str:
        """Why a due moment moved between two versions: what each of those after the first made new from one
        instant to another, though the next took it back.
        """
        between = (span for span in self._spans if before < span.number <= after)
        spans = [self.numbered(before), *between]
        changed = [
            (day, old.calendar, new.calendar)
            for old, new in pairwise(spans)
            for day in _differing(old.calendar, new.calendar, first, last)
        ]
        if any(new.knows(day.year) and not old.knows(day.year) for day, old, new in changed):
            return "放假安排已公布，期限重新计算 recomputed with the holiday notice"
        special = (
            _named(day, new)
            for day, old, new in changed
            if new.special_of(day) or old.special_of(day)
        )
        named = list(dict.fromkeys(special))
        if not named:
            return "工作时间已调整，期限重新计算 recomputed with the new duty hours"
        more = f"等{len(named)}日" if len(named) > _NAMED else ""
        which = "、".join(named[:_NAMED]) + more
        return f"工作日有变动（{which}），期限重新计算 recomputed, for working days changed"


def _differing(
    old: WorkCalendar, new: WorkCalendar, first: datetime, last: datetime
) -> Iterator[date]:
    day, end = first.astimezone(new.tz).date(), last.astimezone(new.tz).date()
    while day <= end:
        if old.segments_of(day) != new.segments_of(day) or (
            old.knows(day.year) != new.knows(day.year)
        ):
            yield day
        day += timedelta(days=1)


def _named(day: date, calendar: WorkCalendar) -> str:
    special = calendar.special_of(day)
    if special is None:
        return f"{day}恢复正常"
    words = "放假" if not special.segments else "上班"
    paper = f"，{special.notice}" if special.notice else ""
    return f"{day} {special.name}{words}{paper}"


# --- as a document -----------------------------------------------------------------------------


def document(calendar: WorkCalendar) -> dict[str, Any]:
    """A calendar as JSON: seconds from midnight for segments, weekdays from Monday, days in their order.

    Of what it has none of nothing is said: a calendar of a release that knew no seasons is the same yet.
    """
    written: dict[str, Any] = {
        "timezone": calendar.tz.key,
        "week": list(map(_seconds, calendar.week)),
        "special": [
            {
                "day": str(day),
                "duty": _seconds(row.segments),
                "name": row.name,
                "notice": row.notice,
            }
            for day, row in sorted(calendar.special.items())
        ],
        "known": None if calendar.known is None else sorted(calendar.known),
    }
    if calendar.seasons:
        written["seasons"] = [
            {"from": each.first, "to": each.last, "week": list(map(_seconds, each.week))}
            for each in calendar.seasons
        ]
    if calendar.units:
        written["units"] = {unit: document(own) for unit, own in sorted(calendar.units.items())}
    return written


def from_document(written: dict[str, Any]) -> WorkCalendar:
    """A calendar from its document."""
    special = {
        date.fromisoformat(row["day"]): SpecialDay(
            _segments(row["duty"]), row["name"], row["notice"]
        )
        for row in written["special"]
    }
    return WorkCalendar(
        ZoneInfo(written["timezone"]),
        dict(enumerate(map(_segments, written["week"]))),
        special,
        written["known"],
        seasons=[
            Season(row["from"], row["to"], tuple(map(_segments, row["week"])))
            for row in written.get("seasons", ())
        ],
        units={unit: from_document(own) for unit, own in written.get("units", {}).items()},
    )


def _seconds(segments: Sequence[Segment]) -> list[list[int]]:
    return [[int(each.total_seconds()) for each in segment] for segment in segments]


def _segments(written: Sequence[Sequence[int]]) -> tuple[Segment, ...]:
    return tuple(Segment(*(timedelta(seconds=each) for each in pair)) for pair in written)
