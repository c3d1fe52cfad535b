"""The golden table of DOMAIN.md section 4, and what two common wrong engines would say."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from shared.jurisdiction.calendar import Limit, WorkCalendar
from tests.fixtures.calendars import DUTY, SHANGHAI, ZIYANG

WEEKENDS_ONLY = WorkCalendar(SHANGHAI, dict.fromkeys(range(5), DUTY))

# start, working days, due, and the day of an engine that knows weekends only
GOLDEN = [
    ("2026-02-12", 5, "2026-02-26", "2026-02-19"),
    ("2026-02-13", 1, "2026-02-14", "2026-02-16"),
    ("2026-02-13", 5, "2026-02-27", "2026-02-20"),
    ("2026-02-14", 1, "2026-02-24", "2026-02-16"),
    ("2026-02-20", 3, "2026-02-26", "2026-02-25"),
    ("2026-04-30", 5, "2026-05-11", "2026-05-07"),
    ("2026-05-08", 1, "2026-05-09", "2026-05-11"),
    ("2026-09-18", 1, "2026-09-20", "2026-09-21"),
    ("2026-09-18", 5, "2026-09-24", "2026-09-25"),
    ("2026-09-24", 5, "2026-10-09", "2026-10-01"),
    ("2026-09-30", 5, "2026-10-13", "2026-10-07"),
    ("2026-10-01", 1, "2026-10-08", "2026-10-02"),
    ("2025-09-26", 5, "2025-10-10", "2025-10-03"),
    ("2025-09-30", 5, "2025-10-14", "2025-10-07"),
]


def instant(day: str, clock: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), SHANGHAI)


@pytest.mark.parametrize("clock", ["00:00", "07:59", "10:00", "13:00", "18:00", "23:59"])
@pytest.mark.parametrize(("start", "days", "due", "weekends_only"), GOLDEN)
def test_golden_deadlines(start: str, days: int, due: str, weekends_only: str, clock: str) -> None:
    limit = Limit(days, "wd")
    assert ZIYANG.due(instant(start, clock), limit) == (instant(due, "18:00"), False)
    assert WEEKENDS_ONLY.due(instant(start, clock), limit).at == instant(weekends_only, "18:00")


def test_golden_deadline_in_a_year_without_a_notice_is_provisional() -> None:
    due = ZIYANG.due(instant("2026-12-31", "10:00"), Limit(5, "wd"))
    assert due == (instant("2027-01-07", "18:00"), True)


@pytest.mark.parametrize(
    ("start", "working"), [("2026-02-14", True), ("2026-02-20", False), ("2026-10-01", False)]
)
def test_starts_that_the_table_marks(start: str, working: bool) -> None:
    assert ZIYANG.is_working_day(date.fromisoformat(start)) is working


def test_2026_has_six_make_up_days_and_248_working_days() -> None:
    days = [date(2026, 1, 1) + timedelta(n) for n in range(365)]
    working = [day for day in days if ZIYANG.is_working_day(day)]
    make_up = [f"{day:%m-%d}" for day in working if day.weekday() >= 5]
    assert make_up == ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"]
    assert len(working) == 248
