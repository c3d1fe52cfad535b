"""统计周期: which moments the days of figures are, by the place's own count (R-48)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from shutil import copytree
from zoneinfo import ZoneInfo

import pytest

from services.tracker.settings import Settings
from shared.errors import ConfigError, Malformed
from shared.jurisdiction.period import Periods
from tests.fixtures.policy import CONFIG, edit

TZ = ZoneInfo("Asia/Shanghai")
DISTRICT = Periods.model_validate({"start_day": 19, "day_start": "12:00"})


def at(moment: str) -> datetime:
    """An instant of 2026 in local time."""
    return datetime.fromisoformat(f"2026-{moment}").replace(tzinfo=TZ)


def test_a_calendar_month_from_midnight_to_midnight() -> None:
    found = Periods().of(None, None, at("03-20 10:00"), TZ)
    assert (found.first, found.last) == (date(2026, 3, 1), date(2026, 3, 20))
    assert (found.start, found.end) == (at("03-01 00:00"), at("03-21 00:00"))


@pytest.mark.parametrize(
    ("now", "first", "last"),
    [
        ("03-18 11:59", "02-19", "03-18"),
        ("03-18 12:00", "03-19", "03-19"),  # the day of the 19th begins at noon of the 18th
        ("03-19 11:59", "03-19", "03-19"),
        ("01-05 09:00", "2025-12-19", "01-05"),
    ],
)
def test_from_the_19th_noon_to_noon(now: str, first: str, last: str) -> None:
    """R-48, HR: [D-1 12:00, D 12:00)."""
    found = DISTRICT.of(None, None, at(now), TZ)
    dates = [date.fromisoformat(day if len(day) > 5 else f"2026-{day}") for day in (first, last)]
    assert [found.first, found.last] == dates


def test_days_asked_for_begin_at_noon_of_the_day_before() -> None:
    found = DISTRICT.of(date(2026, 2, 19), date(2026, 3, 18), at("07-01 10:00"), TZ)
    assert (found.start, found.end) == (at("02-18 12:00"), at("03-18 12:00"))
    one_day = DISTRICT.of(date(2026, 3, 1), date(2026, 3, 1), at("07-01 10:00"), TZ)
    assert (one_day.start, one_day.end) == (at("02-28 12:00"), at("03-01 12:00"))


def test_the_last_day_alone_means_the_period_it_lies_in() -> None:
    found = DISTRICT.of(None, date(2026, 3, 18), at("07-01 10:00"), TZ)
    assert found.first == date(2026, 2, 19)


def test_a_period_that_ends_before_it_begins_is_none() -> None:
    with pytest.raises(Malformed):
        DISTRICT.of(date(2026, 3, 2), date(2026, 3, 1), at("07-01 10:00"), TZ)


@pytest.mark.parametrize(
    ("written", "field"),
    [
        ("{start_day: 29}", "start_day"),
        ("{start_day: 0}", "start_day"),
        ('{day_start: "24:00"}', "day_start"),
        ("{day_start: 12}", "day_start"),
        ('{day_end: "12:00"}', "day_end"),
    ],
)
def test_what_is_no_period_stops_the_start(tmp_path: Path, written: str, field: str) -> None:
    """With file, line and field."""
    county = copytree(CONFIG, tmp_path / "county")
    edit(county / "place.yaml", "timezone: Asia", f"period: {written}\ntimezone: Asia")
    with pytest.raises(ConfigError, match=rf"place\.yaml:\d+.*{field}"):
        Settings(embedded=True, config_dir=county).load()


@pytest.mark.parametrize("limit", ["2.5wd", "24h"])
def test_the_legal_limit_is_whole_working_days(tmp_path: Path, limit: str) -> None:
    county = copytree(CONFIG, tmp_path / "county")
    edit(county / "supervision.yaml", "legal_limit: 5wd", f"legal_limit: {limit}")
    with pytest.raises(ConfigError, match=r"supervision\.yaml:\d+.*figures\.legal_limit"):
        Settings(embedded=True, config_dir=county).load()
