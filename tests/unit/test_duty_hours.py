"""Duty hours by date and by unit, and local days off and on (ADR 0064)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from operations.runtime.reload import check
from services.tracker.rules.calendars import Calendars, Version, document, from_document
from services.tracker.rules.extension import Asking, ExtensionTooLate
from services.tracker.rules.extension import check as check_extension
from shared.errors import ConfigError
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.folder import calendar_of
from shared.jurisdiction.hours import Season, Segment, SpecialDay, week_of
from shared.jurisdiction.sections import LONGEST
from tests.fixtures.calendars import DUTY, SHANGHAI, ZIYANG, at
from tests.fixtures.policy import CONFIG, edit, parsed_once
from tests.fixtures.scenes.handle_clock import MATTER, POLICY, state

__all__ = ["parsed_once"]  # a fixture
pytestmark = pytest.mark.usefixtures("parsed_once")

LATE = '[{from: "08:00", to: "12:00"}, {from: "15:00", to: "18:30"}]'
SUMMER = f'from: "05-01", to: "09-30", duty_hours: {LATE}'
OWN = 'duty_hours: [{from: "09:00", to: "17:00"}]'
HOT = 'from: "2026-07-20", to: "2026-07-31", duty_hours: [{from: "07:00", to: "13:00"}]'


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the county, to change."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


def seasons(county: Path, *rows: str) -> WorkCalendar:
    """The county with other hours for part of the year."""
    written = "\n".join(f"  - {{{row}}}" for row in rows)
    edit(county / "place.yaml", "timezone: Asia", f"seasons:\n{written}\ntimezone: Asia")
    return calendar_of(county)


def local(county: Path, *rows: str) -> WorkCalendar:
    """The county with days of its own."""
    written = "".join(f"  - {{{row}}}\n" for row in rows)
    (county / "calendar/local.yaml").write_text(f"days:\n{written}", encoding="utf-8")
    return calendar_of(county)


def due(calendar: WorkCalendar, start: str, limit: str) -> datetime:
    return calendar.due(at(start), Limit.parse(limit)).at


# --- by date ------------------------------------------------------------------------------------


def test_summer_hours_begin_and_end_on_their_days(county: Path) -> None:
    calendar = seasons(county, SUMMER)
    assert due(calendar, "2026-04-29T10:00", "1wd") == at("2026-04-30T18:00")
    assert due(calendar, "2026-05-06T10:00", "1wd") == at("2026-05-07T18:30")
    assert due(calendar, "2026-04-30T17:00", "2wh") == at("2026-05-06T09:00"), "over the holiday"
    assert due(calendar, "2026-09-30T18:00", "1wh") == at("2026-10-08T09:00")
    assert due(calendar, "2027-05-10T14:30", "1wh") == at("2027-05-10T16:00"), "each year"


def test_hours_of_a_year_go_before_those_of_each_year(county: Path) -> None:
    calendar = seasons(county, SUMMER, HOT)
    assert due(calendar, "2026-07-17T10:00", "1wd") == at("2026-07-20T13:00")
    assert due(calendar, "2026-07-31T10:00", "1wd") == at("2026-08-03T18:30")


def test_winter_may_go_over_the_turn_of_the_year(county: Path) -> None:
    calendar = seasons(
        county, 'from: "11-01", to: "02-29", duty_hours: [{from: "09:00", to: "17:00"}]'
    )
    for day, closes in (("10-30", 18), ("11-02", 17), ("12-31", 17)):
        assert due(calendar, f"2026-{day}T10:00", "1wh") == at(f"2026-{day}T11:00")
        assert (
            calendar.segments_of(date.fromisoformat(f"2026-{day}"))[-1].closes.seconds
            == closes * 3600
        )
    assert calendar.segments_of(date(2027, 2, 26))[-1].closes.seconds == 17 * 3600
    assert calendar.segments_of(date(2027, 3, 1))[-1].closes.seconds == 18 * 3600


def test_a_make_up_workday_has_the_hours_of_its_date(county: Path) -> None:
    calendar = seasons(county, SUMMER)
    assert not calendar.week[6]
    sunday = date(2026, 9, 20)  # 国庆节调休上班
    assert calendar.special[sunday].segments == calendar.usual(date(2026, 9, 21))


def test_an_explanation_counts_by_the_hours_of_each_day(county: Path) -> None:
    steps = seasons(county, SUMMER).explain(at("2026-04-30T17:00"), Limit.parse("2wh"))
    counted = {step.day.day: step.note_zh for step in steps if step.counted}
    assert counted == {30: "工作日：计入60分钟", 6: "工作日：计入60分钟，05-06 09:00到期"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (['from: "05-01", to: "2026-09-30", duty_hours: [{from: "08:00", to: "12:00"}]'], "both"),
        (['from: "2026-05-02", to: "2026-05-01", duty_hours: [{from: "08:00", to: "12:00"}]'], "before"),
        (['from: "02-30", to: "05-01", duty_hours: [{from: "08:00", to: "12:00"}]'], "no such day"),
        (['from: "5.1", to: "05-01", duty_hours: [{from: "08:00", to: "12:00"}]'], "应写作 write"),
        (['from: "05-01", to: "09-30", duty_hours: []'], "duty_hours"),
        ([SUMMER, 'from: "09-30", to: "10-31", duty_hours: [{from: "08:00", to: "12:00"}]'], "meets"),
        (
            ['from: "11-01", to: "02-01", duty_hours: [{from: "08:00", to: "12:00"}]',
             'from: "01-01", to: "01-31", duty_hours: [{from: "08:00", to: "12:00"}]'],
            "meets another: 11-01 … 02-01",
        ),
        (
            ['from: "05-01", to: "06-01", '
             'duty_hours: [{from: "08:00", to: "12:00"}, {from: "11:00", to: "13:00"}]'],
            "in the order of the day",
        ),
        ([SUMMER.replace("to:", "till:", 1)], "unknown key"),
    ],
)  # fmt: skip
def test_hours_that_cannot_be_are_refused_with_file_and_line(
    county: Path, rows: list[str], said: str
) -> None:
    with pytest.raises(ConfigError, match=rf"place\.yaml:\d+: seasons.*{said}"):
        seasons(county, *rows)


# --- by unit ------------------------------------------------------------------------------------


def test_a_unit_has_hours_of_its_own(county: Path) -> None:
    edit(county / "units.yaml", "code: HC, ", f"code: HC, {OWN}, ")
    calendar = seasons(county, SUMMER)
    assert due(calendar.of("HC"), "2026-05-06T10:00", "1wd") == at("2026-05-07T17:00")
    assert due(calendar.of("HC"), "2026-02-13T10:00", "1wd") == at("2026-02-14T17:00"), "调休"
    assert calendar.of("CG") is calendar.of(None) is calendar
    known = Calendars.of(calendar)
    assert known.by("HC").latest.calendar is calendar.units["HC"]
    assert known.by("CG") is known.by(None) is known


def test_answers_and_extensions_of_a_unit_go_by_its_hours(county: Path) -> None:
    edit(county / "units.yaml", "code: HC, ", f"code: HC, {OWN}, ")
    policy = replace(POLICY, calendar=calendar_of(county))
    raised = at("2026-03-02T10:00")
    [rung, *_] = [n for n in range(1, 8) if policy.answer_due(n, raised)]
    ends = {unit: policy.answer_due(rung, raised, unit) for unit in ("HC", "CG")}
    assert ends["HC"] != ends["CG"] == policy.answer_due(rung, raised)
    # Four working hours before the due moment, 18:00: at 14:00, and at 13:00 of a day that ends at 17:00.
    late = Asking(3, state(), Urgency.NORMAL, False, (), at("2026-03-09T13:30"))
    check_extension(late, MATTER, policy)
    with pytest.raises(ExtensionTooLate):
        check_extension(replace(late, unit="HC"), MATTER, policy)


def test_seasons_of_a_unit_want_its_duty_hours(county: Path) -> None:
    edit(county / "units.yaml", "code: HC, ", f"code: HC, seasons: [{{{SUMMER}}}], ")
    with pytest.raises(ConfigError, match=r"units\.yaml:\d+: units\.\d+\.seasons: 须先有"):
        calendar_of(county)


# --- local days ---------------------------------------------------------------------------------

FLOOD = "date: 2026-07-14, name: 防汛停工, off: true, paper: 紫汛〔2026〕7号, by: 县防汛指挥部"
SATURDAY = "date: 2026-07-18, name: 防汛补班, off: false, paper: 紫汛〔2026〕8号, by: 县政府"


def test_a_local_day_goes_before_the_notice_and_is_explained_by_its_paper(county: Path) -> None:
    calendar = local(county, FLOOD, SATURDAY)
    steps = calendar.explain(at("2026-07-13T10:00"), Limit.parse("5wd"))
    by_day = {step.day.day: (step.counted, step.note_zh, step.note_en) for step in steps}
    zh, en = "防汛停工放假（县防汛指挥部 紫汛〔2026〕7号）", "Flood closure holiday"
    assert by_day[14][:2] == (False, f"{zh}：不计入")
    assert by_day[14][2].startswith(en)
    assert by_day[18][0], "a Saturday on"
    assert due(calendar, "2026-07-13T10:00", "5wd") == at("2026-07-20T18:00")
    worked = local(county, FLOOD.replace("2026-07-14", "2026-10-02").replace("true", "false"))
    assert worked.is_working_day(date(2026, 10, 2)), "the notice has it off"


def test_a_local_day_of_units_is_theirs_alone(county: Path) -> None:
    calendar = local(county, f"{FLOOD}, units: [HC, CG]", FLOOD.replace("true", "false"))
    assert not calendar.of("HC").is_working_day(date(2026, 7, 14))
    assert not calendar.of("CG").is_working_day(date(2026, 7, 14))
    assert calendar.of("HP").is_working_day(date(2026, 7, 14))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([FLOOD, FLOOD], "days.1: 同一天重复"),
        ([f"{FLOOD}, units: [HC]", f"{FLOOD}, units: [CG, HC]"], "days.1: 同一天重复.* HC"),
        ([f"{FLOOD}, units: [HC, XX]"], "days.0.units.1: 代码不存在 no such code: XX"),
        ([FLOOD.replace(", paper: 紫汛〔2026〕7号", "")], "days.0.paper"),
        ([FLOOD.replace("2026-07-14", "2026-02-30")], "days.0.date"),
        ([FLOOD.replace("off", "of")], "days.0.of: 未知的键 unknown key；是否指 did you mean off"),
    ],
)
def test_a_local_day_that_cannot_be_is_refused_with_file_and_line(
    county: Path, rows: list[str], said: str
) -> None:
    written = "".join(f"  - {{{row}}}\n" for row in rows)
    (county / "calendar/local.yaml").write_text(f"days:\n{written}", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"calendar/local\.yaml:\d+: {said}"):
        check(county)


# --- kept in a database -------------------------------------------------------------------------


def test_a_calendar_with_seasons_and_units_comes_back_from_its_document(county: Path) -> None:
    edit(
        county / "units.yaml",
        "code: HC, ",
        'code: HC, duty_hours: [{from: "09:00", to: "17:00"}], ',
    )
    seasons(county, HOT, SUMMER)
    calendar = local(county, f"{FLOOD}, units: [CG]")
    again = from_document(document(calendar))
    assert document(again) == document(calendar)
    for unit in ("HC", "CG", None):
        for day in ("2026-07-13", "2026-07-20", "2026-10-01", "2026-11-02"):
            then = date.fromisoformat(day)
            assert again.of(unit).segments_of(then) == calendar.of(unit).segments_of(then)


def test_a_document_of_before_is_read_and_is_the_same_yet() -> None:
    written = document(ZIYANG)
    assert written.keys() == {"timezone", "week", "special", "known"}
    assert document(from_document(written)) == written


def test_hours_that_changed_are_named_as_the_reason() -> None:
    summer = Season("03-05", "09-30", week_of(dict.fromkeys(range(5), DUTY[:1])))
    changed = WorkCalendar(
        SHANGHAI, dict(enumerate(ZIYANG.week)), ZIYANG.special, ZIYANG.known, seasons=[summer]
    )
    known = Calendars(
        [Version(1, at("2026-01-01T00:00"), ZIYANG), Version(2, at("2026-03-04T20:00"), changed)]
    )
    said = known.why(1, 2, at("2026-03-02T09:00"), at("2026-03-09T18:00"))
    assert "工作时间已调整" in said


# --- no working time ----------------------------------------------------------------------------


def all_off(year: int) -> Mapping[date, SpecialDay]:
    first = date(year, 1, 1).toordinal()
    return {date.fromordinal(first + n): SpecialDay() for n in range(366)}


def test_a_calendar_with_no_working_time_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="2027: 全年没有工作时间"):
        WorkCalendar(SHANGHAI, {0: DUTY}, all_off(2027))
    with pytest.raises(ConfigError, match="no duty hours"):
        WorkCalendar(SHANGHAI, {0: DUTY}, seasons=[Season("05-01", "09-30", week_of({}))])


def test_days_that_leave_some_time_are_looked_for_over_the_year() -> None:
    calendar = WorkCalendar(SHANGHAI, {0: DUTY}, dict(list(all_off(2027).items())[:300]))
    assert calendar.add_working_days_date(date(2026, 12, 28), 1) == date(2027, 11, 1)


class Idle(WorkCalendar):
    """Never on duty, whatever its week says."""

    def segments_of(self, day: date) -> tuple[Segment, ...]:
        return ()


def test_working_time_that_never_comes_is_not_looked_for_without_end() -> None:
    idle = Idle(SHANGHAI, {0: DUTY})
    with pytest.raises(ConfigError, match="2026: 全年没有工作时间"):
        idle.add_working_seconds(at("2026-03-02T10:00"), 1)
    with pytest.raises(ConfigError, match="no working time in the whole year"):
        idle.add_working_days_date(date(2026, 3, 2), -1)
    with pytest.raises(ConfigError, match="no calendar goes so far"):
        ZIYANG.add_working_days_date(date(9999, 12, 1), 60)


def test_a_limit_longer_than_any_matter_is_refused(county: Path) -> None:
    edit(county / "callbacks.yaml", "reopen_within: ", "reopen_within: 99999999wd  # ")
    with pytest.raises(ConfigError, match=r"callbacks\.yaml:\d+: reopen_within: .*longer than ten"):
        check(county)
    assert LONGEST > 0
