"""Working time of one place: duty hours, public holidays, make-up workdays (调休). Pure.

Two functions carry everything: add duty time to an instant, and count it between two. Each year
is laid out once as a row of duty segments with the duty before each, so both are one bisection.
Segments are half-open, [opens, closes), on the local wall clock; 24:00 is allowed. Instants come
out as aware UTC; a naive one that goes in is a TypeError. holidays.py reads the
State Council's notices into it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple, Self, cast
from zoneinfo import ZoneInfo

from shared.errors import ConfigError
from shared.jurisdiction.hours import Season, Segment, SpecialDay, each_day, ordered, week_of

Unit = Literal["wd", "wh", "h", "min"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
_SECONDS = {"wh": 3600, "h": 3600, "min": 60}
_LIMIT = re.compile(r"(?=[0.]*[1-9])(?:(\d+)(wd)|(\d+(?:\.\d+)?)(wh|h|min))")
_MANY = 200  # days off in a year: what no notice comes near
_ENGLISH = {
    "元旦": "New Year",
    "春节": "Spring Festival",
    "清明节": "Tomb-Sweeping Day",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
    "防汛停工": "Flood closure",
    "暴雪停工": "Snow closure",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """时限: wd = working days, wh = working hours, h and min = natural time."""

    amount: float
    unit: Unit

    @classmethod
    @lru_cache(maxsize=1_000)
    def parse(cls, text: str) -> Self:
        """Read ``5wd``, ``4wh``, ``24h`` or ``30min``, more than nothing; raises ValueError."""
        found = _LIMIT.fullmatch(text)
        if found is None:
            raise ValueError("不是时限 is no limit: 应写作 write 5wd, 4wh, 24h or 30min")
        return cls(float(found[1] or found[3]), cast(Unit, found[2] or found[4]))

    def __str__(self) -> str:
        return f"{self.amount:.12g}{self.unit}"

    @property
    def natural(self) -> bool:
        """Whether nights and holidays count."""
        return self.unit in ("h", "min")

    @property
    def as_natural(self) -> Limit:
        """The same span where nights and holidays count: a working day is a day, a working hour an hour."""
        if self.natural:
            return self
        return Limit(self.amount * (24 if self.unit == "wd" else 1), "h")

    @property
    def seconds(self) -> float:
        """Length in seconds, of duty for wh; working days have no fixed length (KeyError)."""
        return self.amount * _SECONDS[self.unit]


class Due(NamedTuple):
    """When a limit ends; ``provisional`` if it touches a year whose holiday notice is not out."""

    at: datetime
    provisional: bool


class Step(NamedTuple):
    """One day of an explanation: whether it counts towards the limit, and why."""

    day: date
    working: bool
    note_zh: str
    note_en: str
    counted: bool


class _Year(NamedTuple):
    """A local year: each opening, the duty before it (last: in all), in µs; working days."""

    opens: list[int]
    worked: list[int]
    days: list[int]


class WorkCalendar:
    """The working time of one place.

    ``week`` gives segments by weekday (Monday 0; a missing one is off), ``seasons`` other weeks for
    some of the year, a dated one before a yearly one; ``special`` days replace theirs, ``known`` are
    the years whose holidays are out (None: all of them). ``units`` are the calendars of units with hours
    or days of their own. Raises ConfigError when segments overlap, or when a week or a year has no duty.
    """

    def __init__(
        self,
        tz: ZoneInfo,
        week: Mapping[int, Sequence[Segment]],
        special: Mapping[date, SpecialDay] | None = None,
        known: Collection[int] | None = None,
        *,
        seasons: Sequence[Season] = (),
        units: Mapping[str, WorkCalendar] | None = None,
    ) -> None:
        self.tz = tz
        self.week = week_of(week)
        self.seasons = tuple(sorted(seasons, key=lambda season: season.yearly))
        self.units = dict(units or {})
        self.special = {
            day: row._replace(segments=ordered(row.segments))
            for day, row in (special or {}).items()
        }
        self.known = None if known is None else frozenset(known)
        self._years: dict[int, _Year] = {}
        # The clocks of a day fall due together, and each is looked at with every fact of its ticket.
        self._dues = lru_cache(maxsize=4_096)(self._due)
        self._befores = lru_cache(maxsize=4_096)(self._before)
        self._check_years()

    def of(self, unit: str | None) -> WorkCalendar:
        """The calendar a unit goes by: its own, or that of the place."""
        return self.units.get(unit or "", self)

    def segments_of(self, day: date) -> tuple[Segment, ...]:
        """The duty hours of a day; none if it is off."""
        special = self.special_of(day)
        return self.usual(day) if special is None else special.segments

    def usual(self, day: date) -> tuple[Segment, ...]:
        """The duty hours of a day by its season and its weekday."""
        week = next((season.week for season in self.seasons if season.covers(day)), self.week)
        return week[day.weekday()]

    def special_of(self, day: date) -> SpecialDay | None:
        """What makes a day unlike its weekday, if anything does."""
        return self.special.get(day)

    def knows(self, year: int) -> bool:
        """Whether the holidays of a year are out: until then its due moments are provisional."""
        return self.known is None or year in self.known

    def is_working_day(self, day: date) -> bool:
        """Whether ``day`` has duty hours."""
        days, ordinal = self._year(day.year).days, day.toordinal()
        return bisect_left(days, ordinal) < bisect_right(days, ordinal)

    def add_working_days_date(self, day: date, n: int) -> date:
        """The n-th working day after ``day``, or before it if negative; 0 is ``day`` itself."""
        if n == 0:
            return day
        year, ordinal = day.year, day.toordinal()
        days = self._year(year).days
        index = bisect_right(days, ordinal) + n - 1 if n > 0 else bisect_left(days, ordinal) + n
        while index >= len(days):
            year, index = year + 1, index - len(days)
            days = self._year(year).days
        while index < 0:
            year -= 1
            days = self._year(year).days
            index += len(days)
        return date.fromordinal(days[index])

    def add_working_days_instant(self, start: datetime, n: int) -> datetime:
        """Duty end of the n-th working day after the day of ``start`` (CC203, art. 201 and 203).

        The start day does not count; 0 is that day, or if it is off the next working day.
        """
        day = self.add_working_days_date(self._day(start), n)
        if not self.is_working_day(day):
            day = self.add_working_days_date(day, 1)
        return self._instant(day, self.segments_of(day)[-1].closes)

    def next_working_instant(self, t: datetime) -> datetime:
        """``t`` itself on duty, else the next opening; a closing instant is off duty."""
        return self.add_working_seconds(t, 0)

    def add_working_seconds(self, start: datetime, seconds: float) -> datetime:
        """Move through duty time only, back if negative; 0 is the next working instant.

        Forward may end on a closing instant, backward on an opening one.
        """
        year = self._day(start).year
        micros = self._worked(year, start) + round(seconds * 1_000_000)
        return self._at(year, micros, latest=seconds <= 0)

    def working_seconds_between(self, a: datetime, b: datetime) -> float:
        """Duty time from ``a`` to ``b`` in seconds; negative when ``b`` is earlier."""
        if b < a:
            return -self.working_seconds_between(b, a)
        first, last = self._day(a).year, self._day(b).year
        whole_years = sum(self._year(year).worked[-1] for year in range(first, last))
        return (whole_years + self._worked(last, b) - self._worked(first, a)) / 1_000_000

    def working_days_between(self, a: date, b: date) -> int:
        """Working days after ``a`` up to and with ``b``; negative when ``b`` is earlier."""
        if b < a:
            return -self.working_days_between(b, a)
        years = [self._year(year).days for year in range(a.year, b.year + 1)]
        last = bisect_right(years[-1], b.toordinal())
        return sum(map(len, years[:-1])) + last - bisect_right(years[0], a.toordinal())

    def working_periods(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Every stretch of duty from an instant on: when it opens, or ``start`` within it, and closes."""
        day = self._day(start)
        while True:
            for segment in self.segments_of(day):
                opens, closes = (self._instant(day, clock) for clock in segment)
                if max(opens, start) < closes:
                    yield max(opens, _utc(start)), closes
            day = self.add_working_days_date(day, 1)

    def next_closing_instant(self, t: datetime) -> datetime:
        """When the stretch of duty that runs, or else the next one, ends: after ``t``."""
        return next(self.working_periods(t))[1]

    def due(self, start: datetime, limit: Limit) -> Due:
        """When ``limit`` from ``start`` ends: day limits at duty end, natural ones by the clock."""
        return self._dues(start, limit)

    def _due(self, start: datetime, limit: Limit) -> Due:
        if limit.natural:
            return Due(_utc(start) + timedelta(seconds=limit.seconds), provisional=False)
        if limit.unit == "wd":
            at = self.add_working_days_instant(start, int(limit.amount))
        else:
            at = self.add_working_seconds(start, limit.seconds)
        years = range(self._day(start).year, self._last_day(at).year + 1)
        return Due(at, provisional=not all(self.knows(year) for year in years))

    def before(self, due: datetime, limit: Limit) -> datetime:
        """The instant ``limit`` before ``due``, in duty hours unless the limit is natural.

        A working day before is the same time on the working day before: from duty end to duty
        end, so that it undoes a day limit. (GLPI #22678 took days off the date and fell to 00:00.)
        """
        return self._befores(due, limit)

    def _before(self, due: datetime, limit: Limit) -> datetime:
        if limit.natural:
            return _utc(due) - timedelta(seconds=limit.seconds)
        if limit.unit == "wh":
            return self.add_working_seconds(due, -limit.seconds)
        year = self._day(due).year
        on_duty = self._at(year, self._worked(year, due), latest=False)
        today = self._last_day(on_duty)
        clock = on_duty.astimezone(self.tz).replace(tzinfo=None) - datetime.combine(today, time())
        day = self.add_working_days_date(today, -int(limit.amount))
        duty = self.segments_of(day)
        worked = [min(clock, segment.closes) for segment in duty if segment.opens < clock]
        return self._instant(day, max(worked, default=duty[0].opens))

    def explain(self, start: datetime, limit: Limit) -> list[Step]:
        """Why each day counts or not; for a natural limit only its first and its last day."""
        at = self.due(start, limit).at
        first, last = self._day(start), self._last_day(at)
        days = sorted({first, last}) if limit.natural else each_day(first, last)
        steps: list[Step] = []
        for day in days:
            why_zh, why_en = self._nature(day)
            counted, zh, en = self._counts(day, start, at, limit)
            if counted and limit.unit == "wd":
                nth = sum(step.counted for step in steps) + 1
                zh, en = f"第{nth}个工作日", f"working day {nth}"
            if day == last:
                clock = f"{at.astimezone(self.tz):%m-%d %H:%M}"
                zh, en = f"{zh}，{clock}到期", f"{en}, due {clock}"
            working = self.is_working_day(day)
            steps.append(Step(day, working, f"{why_zh}：{zh}", f"{why_en}: {en}", counted))
        return steps

    def _counts(
        self, day: date, start: datetime, at: datetime, limit: Limit
    ) -> tuple[bool, str, str]:
        """Whether a day counts, and how, in Chinese and English."""
        if limit.natural:
            return True, f"自然时间连续计算{limit}", f"{limit} of natural time, day and night"
        counted = self.is_working_day(day)
        if limit.unit == "wh":
            midnight, next_midnight = self._instant(day), self._instant(day + timedelta(1))
            spent = self.working_seconds_between(max(start, midnight), min(at, next_midnight))
            if spent:
                return True, f"计入{spent / 60:.4g}分钟", f"{spent / 60:.4g} working minutes"
            counted = False
        elif day == self._day(start):
            return (
                False,
                "开始当日不计入（民法典第201条）",
                "start day, not counted (Civil Code 201)",
            )
        return counted, "不计入", "not counted"

    def _nature(self, day: date) -> tuple[str, str]:
        """What kind of day it is, with the notice that says so."""
        special, working = self.special_of(day) or SpecialDay(), self.is_working_day(day)
        zh, en = ("工作日", "workday") if working else ("休息日", "day off")
        if special.name:
            zh = f"{special.name}{'调休上班' if working else '放假'}"
            names = " and ".join(_ENGLISH.get(name, name) for name in special.name.split("、"))
            en = f"{names} {'make-up workday' if working else 'holiday'}"
        if special.notice:
            zh, en = f"{zh}（{special.notice}）", f"{en} ({special.notice})"
        if not self.knows(day.year):
            zh, en = f"{zh}（放假通知未发布，暂定）", f"{en} (provisional, no notice yet)"
        return zh, en

    def _day(self, t: datetime) -> date:
        return _utc(t).astimezone(self.tz).date()

    def _last_day(self, at: datetime) -> date:
        """The day that ``at`` ends on: 24:00 belongs to the day that is over."""
        return self._day(at - _MICRO)

    def _instant(self, day: date, clock: timedelta = timedelta()) -> datetime:
        # Python adds to an aware datetime on the wall clock, which is what duty hours mean.
        return (datetime.combine(day, time(), self.tz) + clock).astimezone(UTC)

    def _check_years(self) -> None:
        """Lay out at once each year that special days might leave without any duty."""
        off = Counter(day.year for day, row in self.special.items() if not row.segments)
        for year in [year for year, count in off.items() if count > _MANY]:
            self._year(year)

    def _year(self, year: int) -> _Year:
        """A year laid out. Raises ConfigError for one without working time, and past the last there is:
        so no limit is looked for without end.
        """
        if year not in self._years:
            if not MINYEAR <= year <= MAXYEAR:
                raise ConfigError(f"{year}: 超出历法范围 no calendar goes so far")
            found = self._laid_out(year)
            if not found.days:
                raise ConfigError(f"{year}: 全年没有工作时间 no working time in the whole year")
            self._years[year] = found
        return self._years[year]

    def _laid_out(self, year: int) -> _Year:
        opens, worked, days = list[int](), [0], list[int]()
        for day in each_day(date(year, 1, 1), date(year, 12, 31)):
            before = worked[-1]
            for segment in self.segments_of(day):
                opening = _micros(self._instant(day, segment.opens))
                length = _micros(self._instant(day, segment.closes)) - opening
                if length > 0:  # Inside the hour that summer time skips there is none.
                    opens.append(opening)
                    worked.append(worked[-1] + length)
            if worked[-1] > before:
                days.append(day.toordinal())
        return _Year(opens, worked, days)

    def _worked(self, year: int, t: datetime) -> int:
        """Duty from the start of the local ``year`` of ``t`` until ``t``, in µs."""
        opens, worked, _ = self._year(year)
        micros = _micros(t)
        index = bisect_right(opens, micros) - 1
        return 0 if index < 0 else min(worked[index] + micros - opens[index], worked[index + 1])

    def _at(self, year: int, micros: int, *, latest: bool) -> datetime:
        """The earliest, or the latest, instant with ``micros`` of duty since the year began."""
        while micros < 0 or (micros == 0 and not latest):
            year -= 1
            micros += self._year(year).worked[-1]
        while micros > self._year(year).worked[-1] or (
            micros == self._year(year).worked[-1] and latest
        ):
            micros -= self._year(year).worked[-1]
            year += 1
        opens, worked, _ = self._year(year)
        index = (bisect_right if latest else bisect_left)(worked, micros) - 1
        return _EPOCH + (opens[index] + micros - worked[index]) * _MICRO


def _utc(t: datetime) -> datetime:
    if t.tzinfo is None:
        raise TypeError("a naive instant has no place in working time")
    return t.astimezone(UTC)


def _micros(t: datetime) -> int:
    return (t - _EPOCH) // _MICRO
