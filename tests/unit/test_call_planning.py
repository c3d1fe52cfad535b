"""When calls are made: windows, working days, attempts at other times of day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.rules import planning
from services.feedback.rules.planning import CallTimes, Window

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
MADE_UP = {date(2026, 9, 20), date(2026, 10, 10)}


def is_working_day(day: date) -> bool:
    return day in MADE_UP or (day.weekday() < 5 and day not in HOLIDAYS)


MORNING = Window(time(9), time(11, 30))
AFTERNOON = Window(time(14, 30), time(17, 30))
EVENING = Window(time(18, 30), time(20))


def call_times(
    windows: tuple[Window, ...] = (MORNING, AFTERNOON, EVENING),
    max_attempts: int = 3,
    min_days: int = 2,
    other_windows: bool = True,
) -> CallTimes:
    return CallTimes(windows, max_attempts, min_days, other_windows, 1, is_working_day, SHANGHAI)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("completed", "called"),
    [
        pytest.param("2026-03-02T10:00", "2026-03-03T09:00", id="Monday morning"),
        pytest.param("2026-03-02T00:00", "2026-03-03T09:00", id="midnight opens its own day"),
        pytest.param("2026-03-02T23:59:59", "2026-03-03T09:00", id="a second before midnight"),
        pytest.param("2026-03-06T18:30", "2026-03-09T09:00", id="Friday evening"),
        pytest.param("2026-03-07T11:00", "2026-03-09T09:00", id="Saturday"),
        pytest.param("2026-03-08T11:00", "2026-03-09T09:00", id="Sunday: the next day works"),
        pytest.param("2026-09-19T11:00", "2026-09-20T09:00", id="a Sunday made a working day"),
        pytest.param("2026-09-30T16:00", "2026-10-08T09:00", id="before the holiday week"),
        pytest.param("2026-10-09T16:00", "2026-10-10T09:00", id="before a make-up Saturday"),
    ],
)
def test_the_first_attempt_is_in_the_first_window_of_the_next_working_day(
    completed: str, called: str
) -> None:
    assert planning.first_attempt(local(completed), call_times()) == local(called)


@pytest.mark.parametrize(
    ("tried", "missed", "called"),
    [
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T09:05", "2026-03-03T14:30", id="same day, next window"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T14:30", "2026-03-03T14:30", id="missed on the stroke"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T15:00", "2026-03-03T18:30", id="afternoon half over"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T20:30", "2026-03-04T14:30", id="reported at night"
        ),
        pytest.param(
            ["2026-03-03T09:00", "2026-03-03T14:30"],
            "2026-03-03T14:40",
            "2026-03-04T18:30",
            id="the last one is on another day",
        ),
        pytest.param(
            ["2026-03-06T09:00", "2026-03-06T14:30"],
            "2026-03-06T14:40",
            "2026-03-09T18:30",
            id="Friday to Monday",
        ),
        pytest.param(
            ["2026-09-30T09:00", "2026-09-30T14:30"],
            "2026-09-30T14:40",
            "2026-10-08T18:30",
            id="over the holiday week",
        ),
    ],
)
def test_the_next_attempt_is_at_another_time_of_day_and_at_last_on_another_day(
    tried: list[str], missed: str, called: str
) -> None:
    """R-24 回访时段."""
    planned = planning.next_attempt([local(t) for t in tried], local(missed), call_times())
    assert planned == local(called)


def test_any_window_will_do_where_the_policy_does_not_ask_for_another() -> None:
    times = call_times(other_windows=False)
    planned = planning.next_attempt([local("2026-03-03T09:00")], local("2026-03-03T20:05"), times)
    assert planned == local("2026-03-04T09:00")


def test_with_a_single_window_every_attempt_is_in_it_on_another_day() -> None:
    times = call_times(windows=(MORNING,), min_days=3)
    planned = planning.next_attempt([local("2026-03-03T09:00")], local("2026-03-03T09:05"), times)
    assert planned == local("2026-03-04T09:00")


def test_once_all_windows_were_tried_only_the_last_one_is_avoided() -> None:
    times = call_times(windows=(MORNING, AFTERNOON), max_attempts=4)
    tried = [local("2026-03-03T09:00"), local("2026-03-03T14:30")]
    assert planning.next_attempt(tried, local("2026-03-03T14:40"), times) == local(
        "2026-03-04T09:00"
    )


instants = st.integers(0, 334 * 24 * 60).map(
    lambda minutes: local("2026-01-01T00:00") + timedelta(minutes=minutes)
)
delays = st.lists(st.integers(0, 3 * 24 * 60), min_size=4, max_size=4)


@given(completed=instants, minutes=delays, min_days=st.integers(1, 3))
def test_attempts_keep_to_windows_working_days_and_days_apart(
    completed: datetime, minutes: list[int], min_days: int
) -> None:
    times = call_times(min_days=min_days)
    tried = [planning.first_attempt(completed, times)]
    for late in minutes[:2]:
        missed = tried[-1] + timedelta(minutes=late)
        tried.append(planning.next_attempt(tried, missed, times))
        assert tried[-1] >= missed
    shanghai = [moment.astimezone(SHANGHAI) for moment in tried]
    assert shanghai[0].date() > completed.date()
    assert all(is_working_day(moment.date()) for moment in shanghai)
    assert {moment.time() for moment in shanghai} == {w.start for w in times.windows}
    assert len({moment.date() for moment in shanghai}) >= min_days


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-03-03T08:59", "2026-03-03T09:00", id="early"),
        pytest.param("2026-03-03T09:00", "2026-03-03T09:00", id="on the stroke"),
        pytest.param("2026-03-03T11:29", "2026-03-03T11:29", id="still open"),
        pytest.param("2026-03-03T11:30", "2026-03-03T14:30", id="the end is outside"),
        pytest.param("2026-03-03T20:00", "2026-03-04T09:00", id="over for today"),
        pytest.param("2026-03-06T20:00", "2026-03-09T09:00", id="Friday night"),
        pytest.param("2026-03-07T09:30", "2026-03-09T09:00", id="nobody is rung on a Saturday"),
        pytest.param("2026-10-10T09:30", "2026-10-10T09:30", id="a make-up Saturday"),
    ],
)
def test_calls_are_made_inside_windows_only(now: str, opens: str) -> None:
    assert planning.opening(local(now), call_times()) == local(opens)
