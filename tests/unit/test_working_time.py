"""Working time on any calendar: its properties, its odd hours, and how limits are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.hours import Segment, SpecialDay
from tests.fixtures.calendars import SHANGHAI, ZIYANG, at

DAY = timedelta(days=1)
MICRO = timedelta(microseconds=1)

# --- properties --------------------------------------------------------------------------------

ZONES = ["Asia/Shanghai", "UTC", "Europe/Paris", "America/Los_Angeles", "Australia/Lord_Howe"]
FIRST, LAST = datetime(2019, 12, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC)
INSTANTS = st.integers(0, (LAST - FIRST) // MICRO).map(lambda micros: FIRST + micros * MICRO)
DATES = st.dates(FIRST.date(), LAST.date())
SECONDS = st.integers(1, 360_000 * 10**6).map(lambda micros: micros / 10**6)


def days_of_duty(first: int, last: int) -> st.SearchStrategy[tuple[Segment, ...]]:
    """A day's segments between two hours of the day, in quarters of an hour."""
    marks = st.lists(st.integers(first * 4, last * 4), min_size=2, max_size=8, unique=True)
    return marks.map(sorted).map(
        lambda row: tuple(
            Segment(timedelta(minutes=15 * opens), timedelta(minutes=15 * closes))
            for opens, closes in zip(row[::2], row[1::2], strict=False)
        )
    )


@st.composite
def calendars(draw: st.DrawFn, first: int = 0, last: int = 24) -> WorkCalendar:
    """Up to three kinds of day over the week, some of them off, and some special days."""
    duty = draw(st.lists(days_of_duty(first, last), min_size=1, max_size=3))
    kinds = st.sampled_from([(), *duty])
    week = dict(enumerate(draw(st.lists(kinds, min_size=6, max_size=6)))) | {6: duty[0]}
    special = draw(st.dictionaries(DATES, kinds.map(SpecialDay), max_size=5))
    return WorkCalendar(ZoneInfo(draw(st.sampled_from(ZONES))), week, special)


@given(calendars(), INSTANTS, SECONDS)
def test_add_then_count_is_what_was_added(
    calendar: WorkCalendar, start: datetime, seconds: float
) -> None:
    later = calendar.add_working_seconds(start, seconds)
    earlier = calendar.add_working_seconds(start, -seconds)
    assert calendar.working_seconds_between(start, later) == seconds
    assert calendar.working_seconds_between(start, earlier) == -seconds


@given(calendars(), INSTANTS, INSTANTS)
def test_count_then_add_is_the_instant_or_the_end_of_duty_before_it(
    calendar: WorkCalendar, a: datetime, b: datetime
) -> None:
    a, b = sorted((a, b))
    back = calendar.add_working_seconds(a, calendar.working_seconds_between(a, b))
    assert back <= calendar.next_working_instant(b)
    assert calendar.working_seconds_between(back, b) == 0


@given(calendars(), INSTANTS, SECONDS, SECONDS)
def test_adding_in_two_steps_is_adding_at_once(
    calendar: WorkCalendar, start: datetime, one: float, two: float
) -> None:
    at_once = calendar.add_working_seconds(start, one + two)
    in_steps = calendar.add_working_seconds(calendar.add_working_seconds(start, one), two)
    # Sums of float seconds may differ by one microsecond.
    assert abs(calendar.working_seconds_between(at_once, in_steps)) <= 1e-6


@given(calendars(), INSTANTS, INSTANTS, st.integers(-360_000, 360_000), st.integers(0, 1000))
def test_later_start_and_longer_time_end_no_earlier(
    calendar: WorkCalendar, a: datetime, b: datetime, seconds: int, more: int
) -> None:
    a, b = sorted((a, b))
    assert calendar.add_working_seconds(a, seconds) <= calendar.add_working_seconds(b, seconds)
    assert calendar.add_working_seconds(a, seconds) <= calendar.add_working_seconds(
        a, seconds + more
    )


@given(calendars(), INSTANTS)
def test_next_working_instant_is_the_first_one_on_duty(calendar: WorkCalendar, t: datetime) -> None:
    found = calendar.next_working_instant(t)
    assert found >= t
    assert calendar.working_seconds_between(t, found) == 0
    assert calendar.working_seconds_between(found, found + MICRO) == 1e-6
    assert calendar.next_working_instant(found) == found


@given(calendars(), DATES, st.integers(-40, 40))
def test_working_days_are_counted_one_by_one(calendar: WorkCalendar, day: date, n: int) -> None:
    expected, step = day, DAY if n > 0 else -DAY
    for _ in range(abs(n)):
        expected += step
        while not calendar.is_working_day(expected):
            expected += step
    assert calendar.add_working_days_date(day, n) == expected


@given(calendars(), DATES)
def test_a_working_day_is_a_day_with_duty(calendar: WorkCalendar, day: date) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.tz)
    spent = calendar.working_seconds_between(midnight, midnight + DAY)
    assert calendar.is_working_day(day) == (spent > 0)


# Duty between 04:00 and 23:00 is out of the way of summer time and of midnight, which is two days'.
@given(calendars(4, 23), INSTANTS, st.integers(1, 20), st.integers(1, 20))
def test_before_undoes_a_day_limit(calendar: WorkCalendar, start: datetime, n: int, k: int) -> None:
    due = calendar.due(start, Limit(n, "wd")).at
    point = calendar.before(due, Limit(k, "wd"))
    assert calendar.due(point, Limit(k, "wd")).at == due


@given(calendars(4, 23), INSTANTS, st.integers(1, 20))
def test_before_stays_in_duty_hours(calendar: WorkCalendar, due: datetime, n: int) -> None:
    point = calendar.before(due, Limit(n, "wd"))
    on_duty = calendar.next_working_instant(point) == point
    just_closed = calendar.working_seconds_between(point - MICRO, point) > 0
    assert point < due
    assert on_duty or just_closed


@given(calendars(), INSTANTS, st.integers(1, 100))
def test_before_undoes_working_hours(calendar: WorkCalendar, due: datetime, hours: int) -> None:
    point = calendar.before(due, Limit(hours, "wh"))
    assert calendar.working_seconds_between(point, due) == hours * 3600
    assert calendar.next_working_instant(point) == point


@given(calendars(), INSTANTS, st.integers(1, 30))
def test_the_counted_days_of_an_explanation_are_the_limit(
    calendar: WorkCalendar, start: datetime, n: int
) -> None:
    steps = calendar.explain(start, Limit(n, "wd"))
    assert [step.counted for step in steps] == [False, *(step.working for step in steps[1:])]
    assert sum(step.counted for step in steps) == n
    assert [step.day for step in steps] == [steps[0].day + i * DAY for i in range(len(steps))]


# --- odd hours ---------------------------------------------------------------------------------


def test_duty_inside_the_hour_that_summer_time_skips_does_not_happen() -> None:
    night, monday = (Segment.parse("02:30", "03:15"),), (Segment.parse("09:00", "17:00"),)
    calendar = WorkCalendar(ZoneInfo("America/Los_Angeles"), {0: monday, 6: night})
    start = datetime(2006, 4, 2, tzinfo=calendar.tz)
    assert not calendar.is_working_day(date(2006, 4, 2))
    assert calendar.next_working_instant(start) == datetime(2006, 4, 3, 9, tzinfo=calendar.tz)


def test_duty_until_24_00_goes_on_the_next_day() -> None:
    day = (Segment.parse("00:00", "24:00"),)
    calendar = WorkCalendar(SHANGHAI, dict.fromkeys(range(7), day))
    assert calendar.add_working_seconds(at("2026-03-01T12:00"), 86400 * 400) == at(
        "2027-04-05T12:00"
    )
    due = calendar.due(at("2026-03-01T12:00"), Limit(1, "wd"))
    assert due.at == at("2026-03-03T00:00")
    assert calendar.before(due.at, Limit(1, "wd")) == at("2026-03-02T00:00")


def test_duty_until_24_00_of_the_last_known_day_is_not_provisional() -> None:
    day = (Segment.parse("00:00", "24:00"),)
    calendar = WorkCalendar(SHANGHAI, dict.fromkeys(range(7), day), known=[2026])
    assert calendar.due(at("2026-12-30T12:00"), Limit(1, "wd")) == (at("2027-01-01T00:00"), False)


def test_segments_may_touch() -> None:
    duty = (Segment.parse("12:00", "14:00"), Segment.parse("08:00", "12:00"))
    calendar = WorkCalendar(SHANGHAI, {0: duty})
    assert calendar.add_working_seconds(at("2026-03-02T11:00"), 7200) == at("2026-03-02T13:00")


def test_a_naive_instant_is_refused() -> None:
    naive = at("2026-03-02T09:00").replace(tzinfo=None)
    with pytest.raises(TypeError, match="naive"):
        ZIYANG.next_working_instant(naive)
    for limit in (Limit(1, "wd"), Limit(1, "wh"), Limit(1, "h")):
        with pytest.raises(TypeError, match="naive"):
            ZIYANG.due(naive, limit)
        with pytest.raises(TypeError, match="naive"):
            ZIYANG.before(naive, limit)


@pytest.mark.parametrize(
    ("week", "fault"),
    [
        ({}, "no duty hours"),
        ({0: [Segment.parse("08:00", "12:00"), Segment.parse("11:59", "13:00")]}, "opens before"),
    ],
)
def test_impossible_duty_hours_are_refused(week: dict[int, list[Segment]], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        WorkCalendar(SHANGHAI, week)


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["5wd", "4wh", "0.5wh", "24h", "30min", "14.4h", "100wd"])
def test_a_limit_is_written_as_it_was_read(text: str) -> None:
    assert str(Limit.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "5", "wd", "5d", "0wd", "0h", "0.0h", "-1h", "1.5wd", "1 h", "5wd ", "٣h"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        Limit.parse(text)


@pytest.mark.parametrize(
    ("opens", "closes"),
    [
        ("8:30", "12:00"),
        ("08:60", "12:00"),
        ("08:30", "24:01"),
        ("25:00", "26:00"),
        ("840", "12:00"),
    ],
)
def test_what_is_no_time_of_day_is_refused(opens: str, closes: str) -> None:
    with pytest.raises(ValueError, match="is no time of day"):
        Segment.parse(opens, closes)


def test_a_segment_opens_before_it_closes() -> None:
    with pytest.raises(ValueError, match="closes before it opens"):
        Segment.parse("14:00", "14:00")
    assert Segment.parse("13:00", "17:05:30").closes == timedelta(hours=17, minutes=5, seconds=30)
