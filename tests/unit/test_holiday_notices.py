"""The calendar of the State Council's notices: its days, its explanations, its files."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar
import holidays
import pytest

from operations.notices import doubts
from shared.errors import ConfigError
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.folder import CalendarRules, Folder, calendar_of
from shared.jurisdiction.holidays import CalendarFiles
from shared.jurisdiction.hours import each_day
from tests.fixtures.calendars import ZIYANG, at
from tests.fixtures.notices import of_the_past
from tests.fixtures.policy import CONFIG

NOTICE_2026 = "https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm"

# --- due moments -------------------------------------------------------------------------------


@cache
def since_2010() -> WorkCalendar:
    """The county, had it been given every notice since then."""
    rules = Folder.take(CONFIG).read(CalendarRules)
    past = (*of_the_past(), *rules.calendar.notices)
    return replace(rules, calendar=CalendarFiles(past, rules.calendar.local)).work_calendar()


@pytest.mark.parametrize("year", range(2010, 2027))
def test_two_other_calendars_agree_on_every_day(year: int) -> None:
    china, calendar = holidays.country_holidays("CN", years=year), since_2010()
    days = list(each_day(date(year, 1, 1), date(year, 12, 31)))
    ours = {day: calendar.is_working_day(day) for day in days}
    assert ours == {day: chinese_calendar.is_workday(day) for day in days}
    assert ours == {day: china.is_working_day(day) for day in days}
    if year >= 2024:
        assert ours == {day: ZIYANG.is_working_day(day) for day in days}


def test_what_is_asked_of_a_notice_holds_for_all_there_were() -> None:
    """But for the one day off that was ordered once, which is a local day to us."""
    found = [line for line in doubts(of_the_past()) if "抗战胜利70周年" not in line]
    assert found == []
    assert all(notice.settles_its_year for notice in of_the_past())


@pytest.mark.parametrize(
    ("start", "limit", "due", "provisional"),
    [
        ("2026-03-02T09:00", "4wh", "2026-03-02T15:00", False),
        ("2026-03-02T12:30", "4wh", "2026-03-02T18:00", False),
        ("2026-03-02T17:00", "4wh", "2026-03-03T11:30", False),
        ("2026-09-30T17:00", "4wh", "2026-10-08T11:30", False),
        ("2026-02-13T18:30", "1wh", "2026-02-14T09:30", False),
        ("2026-12-31T16:00", "2wh", "2026-12-31T18:00", False),
        ("2026-12-31T17:00", "2wh", "2027-01-01T09:30", True),
        ("2026-12-30T09:00", "1wd", "2026-12-31T18:00", False),
        ("2027-03-01T09:00", "1wd", "2027-03-02T18:00", True),
        ("2023-12-29T09:00", "1wd", "2024-01-02T18:00", True),
        ("2026-09-30T17:00", "24h", "2026-10-01T17:00", False),
        ("2026-12-31T23:45", "30min", "2027-01-01T00:15", False),
    ],
)
def test_due(start: str, limit: str, due: str, provisional: bool) -> None:
    assert ZIYANG.due(at(start), Limit.parse(limit)) == (at(due), provisional)


@pytest.mark.parametrize(
    ("due", "limit", "point"),
    [
        ("2026-03-09T18:00", "1wd", "2026-03-06T18:00"),  # over a weekend
        ("2026-10-08T18:00", "1wd", "2026-09-30T18:00"),  # over a holiday
        ("2026-10-08T18:00", "2wd", "2026-09-29T18:00"),
        ("2026-02-24T18:00", "1wd", "2026-02-14T18:00"),  # a make-up day is a working day
        ("2026-03-03T11:00", "1wd", "2026-03-02T11:00"),
        ("2026-03-03T14:00", "1wd", "2026-03-02T12:00"),  # reopening is the end of the morning
        ("2026-03-03T00:00", "1wd", "2026-02-28T18:00"),  # midnight: GLPI #22678
        ("2026-03-07T23:30", "1wd", "2026-03-05T18:00"),  # a Saturday night
        ("2026-01-01T10:00", "1wd", "2025-12-30T18:00"),  # no duty in this year yet
        ("2026-01-01T10:00", "4wh", "2025-12-31T14:00"),
        ("2026-03-02T18:00", "4wh", "2026-03-02T14:00"),
        ("2026-03-03T09:00", "4wh", "2026-03-02T14:30"),
        ("2026-03-03T09:00", "24h", "2026-03-02T09:00"),
    ],
)
def test_before(due: str, limit: str, point: str) -> None:
    assert ZIYANG.before(at(due), Limit.parse(limit)) == at(point)


# --- explanations ------------------------------------------------------------------------------


def test_explanation_of_a_day_limit_names_holidays_and_make_up_days() -> None:
    start, holiday, *_, make_up = ZIYANG.explain(at("2026-09-30T10:00"), Limit.parse("3wd"))
    assert start == (
        date(2026, 9, 30),
        True,
        "工作日：开始当日不计入（民法典第201条）",
        "workday: start day, not counted (Civil Code 201)",
        False,
    )
    assert holiday == (
        date(2026, 10, 1),
        False,
        f"国庆节放假（{NOTICE_2026}）：不计入",
        f"National Day holiday ({NOTICE_2026}): not counted",
        False,
    )
    assert make_up == (
        date(2026, 10, 10),
        True,
        f"国庆节调休上班（{NOTICE_2026}）：第3个工作日，10-10 18:00到期",
        f"National Day make-up workday ({NOTICE_2026}): working day 3, due 10-10 18:00",
        True,
    )


def test_explanation_of_working_hours_says_how_much_each_day_gave() -> None:
    notes = [
        (step.day.day, step.note_zh, step.counted)
        for step in ZIYANG.explain(at("2026-03-06T17:00"), Limit.parse("4wh"))
    ]
    assert notes == [
        (6, "工作日：计入60分钟", True),
        (7, "休息日：不计入", False),
        (8, "休息日：不计入", False),
        (9, "工作日：计入180分钟，03-09 11:30到期", True),
    ]


def test_explanation_of_working_hours_asked_after_duty_begins_with_a_day_that_gives_nothing() -> (
    None
):
    first, second = ZIYANG.explain(at("2026-03-02T19:00"), Limit.parse("1wh"))
    assert (first.working, first.counted) == (True, False)
    assert (second.working, second.counted) == (True, True)


def test_explanation_of_natural_time_has_its_first_and_last_day() -> None:
    steps = ZIYANG.explain(at("2026-09-30T17:00"), Limit.parse("48h"))
    assert [step.day for step in steps] == [date(2026, 9, 30), date(2026, 10, 2)]
    assert all(step.counted and "自然时间连续计算48h" in step.note_zh for step in steps)
    assert len(ZIYANG.explain(at("2026-09-30T17:00"), Limit.parse("2h"))) == 1


def test_explanation_says_which_days_are_provisional() -> None:
    known, *unknown = ZIYANG.explain(at("2026-12-31T10:00"), Limit.parse("2wd"))
    assert "暂定" not in known.note_zh
    assert all("放假通知未发布，暂定" in step.note_zh for step in unknown)
    assert all("provisional, no notice yet" in step.note_en for step in unknown)


# --- files -------------------------------------------------------------------------------------


def notice(year: int, *days: tuple[str, bool]) -> dict[str, Any]:
    rows = [{"name": "元旦", "date": day, "isOffDay": off} for day, off in days]
    return {"year": year, "papers": ["https://example.cn/notice"], "days": rows}


def loaded(folder: Path, *notices: dict[str, Any]) -> WorkCalendar:
    for row in notices:
        (folder / f"calendar/{row['year']}.json").write_text(json.dumps(row), encoding="utf-8")
    return calendar_of(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place without a notice."""
    for file in ("place.yaml", "units.yaml"):
        shutil.copy(CONFIG / file, tmp_path)
    (tmp_path / "calendar").mkdir()
    return tmp_path


def test_a_notice_may_hold_days_of_the_year_beside_it_and_the_later_one_wins(
    folder: Path,
) -> None:
    calendar = loaded(
        folder,
        notice(2018, ("2018-12-31", False), ("2019-01-01", True)),
        notice(2019, ("2018-12-29", False), ("2018-12-31", True), ("2019-01-01", True)),
    )
    assert calendar.is_working_day(date(2018, 12, 29))
    assert not calendar.is_working_day(date(2018, 12, 31))
    assert not calendar.is_working_day(date(2019, 1, 1))


def test_days_of_the_year_beside_it_do_not_make_that_year_known(folder: Path) -> None:
    calendar = loaded(folder, notice(2018, ("2018-01-01", True), ("2019-01-01", True)))
    assert calendar.due(at("2018-12-28T10:00"), Limit(2, "wd")) == (at("2019-01-02T18:00"), True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", ":1: "),
        ("[]", ":1: "),
        ('{"papers": [], "days": []}', "year"),
        ('{"year": 2026, "days": []}', "papers"),
        ('{"year": 2025, "papers": [], "days": []}', "year"),
        ('{"year": 2026, "papers": [], "days": [{"name": "x", "isOffDay": true}]}', "days.0.date"),
        (
            '{"year": 2026, "papers": [], "days": [{"name": "x", "date": "1/1", "isOffDay": 1}]}',
            "days.0.date",
        ),
        (
            '{"year": 2026, "papers": [], "days": [{"name": "x", "date": "2026-01-01"}]}',
            "days.0.isOffDay",
        ),
    ],
)
def test_a_malformed_notice_is_refused_with_file_and_field(
    folder: Path, text: str, fault: str
) -> None:
    (folder / "calendar/2026.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"2026\.json.*{fault}"):
        calendar_of(folder)


def test_a_folder_without_notices_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="no holiday notice"):
        calendar_of(folder)


FEASTS = ("元旦", "春节", "清明节", "劳动节", "端午节", "国庆节、中秋节")


@pytest.mark.parametrize("missing", [None, *FEASTS])
def test_a_year_is_known_when_every_statutory_holiday_is_arranged(
    folder: Path, missing: str | None
) -> None:
    row = notice(2026)
    row["days"] = [
        {"name": name, "date": f"2026-01-{day:02}", "isOffDay": True}
        for day, name in enumerate(FEASTS, 1)
        if name != missing
    ]
    assert loaded(folder, row).due(at("2026-03-02T10:00"), Limit(1, "wd")).provisional == (
        missing is not None
    )


def test_a_notice_may_say_that_it_is_complete(folder: Path) -> None:
    row = notice(2026, ("2026-01-01", True))
    assert loaded(folder, row).due(at("2026-03-02T10:00"), Limit(1, "wd")).provisional
    whole = row | {"complete": True, "$schema": "x", "$id": "y"}
    assert not loaded(folder, whole).due(at("2026-03-02T10:00"), Limit(1, "wd")).provisional
