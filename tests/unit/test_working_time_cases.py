"""Cases of eight public suites on working time, restated as facts (each names its source).

Another file is taken with the environment variable WORKING_TIME_CASES. Where libraries differ the
case has ``semantics``. Our own answers:

- a limit in working days does not count the day it starts, whatever the hour, and ends at duty
  end (CC203, 民法典 art. 201 and 203), so ``add_working_days_instant`` gives a closing instant;
- a start on a day off is treated like any other: nothing is rolled first;
- adding 0 seconds gives the next working instant; forward may end on a closing instant, backward
  on an opening one;
- time between reversed instants is negative.

A case with another convention is run twice: with that convention written in terms of our calendar
it must give the source's answer, and without it our own, which is counted here day by day.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar.constants import holidays as cn_holidays
from chinese_calendar.constants import workdays as cn_workdays

from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.hours import Segment, SpecialDay

Case = dict[str, Any]

HERE = Path(__file__).parent.parent / "data" / "working_time_cases.json"
FILE = json.loads(Path(os.environ.get("WORKING_TIME_CASES", HERE)).read_text(encoding="utf-8"))
CASES: list[Case] = FILE["cases"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


# --- calendars as the file describes them ------------------------------------------------------


def segments(rows: list[list[str]]) -> tuple[Segment, ...]:
    return tuple(Segment.parse(*row) for row in rows)


def without(duty: tuple[Segment, ...], breaks: tuple[Segment, ...]) -> tuple[Segment, ...]:
    for pause in breaks:
        parts = [
            (row.opens, min(row.closes, pause.opens)) for row in duty if row.opens < pause.opens
        ] + [
            (max(row.opens, pause.closes), row.closes) for row in duty if row.closes > pause.closes
        ]
        duty = tuple(sorted(Segment(opens, closes) for opens, closes in parts))
    return duty


class Description:
    """What the file says about one calendar, asked day by day."""

    def __init__(self, name: str) -> None:
        row = FILE["calendars"][name]
        self.tz = ZoneInfo(row["tz"])
        self.week = {day: segments(row["week"][word]) for day, word in enumerate(WEEKDAYS)}
        self.hours = {
            date.fromisoformat(day): segments(rows) for day, rows in row["date_hours"].items()
        }
        self.breaks = {
            date.fromisoformat(day): segments(rows) for day, rows in row["breaks"].items()
        }
        self.off = set(map(date.fromisoformat, row["holidays"]))
        if name == "cn":
            self.off = set(cn_holidays)
            self.hours = dict.fromkeys(cn_workdays, self.week[0])

    def duty(self, day: date) -> tuple[Segment, ...]:
        if day in self.off:
            return ()
        return without(self.hours.get(day, self.week[day.weekday()]), self.breaks.get(day, ()))

    def calendar(self) -> WorkCalendar:
        special = {
            day: SpecialDay(self.duty(day)) for day in {*self.hours, *self.breaks, *self.off}
        }
        return WorkCalendar(self.tz, self.week, special)


@cache
def described(name: str) -> Description:
    return Description(name)


@cache
def built(name: str) -> WorkCalendar:
    return described(name).calendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- the conventions of others, in terms of our calendar ---------------------------------------


def previous_working_instant(calendar: WorkCalendar, t: datetime) -> datetime:
    return calendar.add_working_seconds(calendar.add_working_seconds(t, -1), 1)


def rolled(calendar: WorkCalendar, day: date, direction: int) -> date:
    return day if calendar.is_working_day(day) else calendar.add_working_days_date(day, direction)


def rolled_first(direction: int) -> Callable[[WorkCalendar, Case], date]:
    def answer(calendar: WorkCalendar, case: Case) -> date:
        origin = rolled(calendar, date.fromisoformat(case["start"]), direction)
        return calendar.add_working_days_date(origin, case["days"])

    return answer


def keep_time_of_day(calendar: WorkCalendar, case: Case) -> datetime:
    origin = calendar.next_working_instant(at(case["start"])).astimezone(calendar.tz)
    day = calendar.add_working_days_date(origin.date(), case["days"])
    return datetime.combine(day, origin.timetz())


def biz_day(calendar: WorkCalendar, case: Case) -> datetime:
    origin = at(case["start"]).astimezone(calendar.tz)
    day = calendar.add_working_days_date(origin.date(), case["days"])
    moved = datetime.combine(day, origin.timetz())
    if case["days"] > 0:
        return calendar.next_working_instant(moved)
    return previous_working_instant(calendar, moved)


def from_the_day_on(calendar: WorkCalendar, case: Case) -> int:
    first, last = date.fromisoformat(case["from"]), date.fromisoformat(case["to"])
    return calendar.working_days_between(first - DAY, last - DAY)


CONVENTIONS: dict[str, Callable[[WorkCalendar, Case], Any]] = {
    "nonworking_origin_rolls_forward_first": rolled_first(1),
    "nonworking_origin_rolls_back_first": rolled_first(-1),
    "keep_time_of_day; non-working origin is first moved to next opening": keep_time_of_day,
    "biz_day: go to the n-th day with hours, same clock minute, then to the next (or previous)"
    " working instant": biz_day,
    "zero moves to previous closing instant": lambda c, x: previous_working_instant(
        c, at(x["start"])
    ),
    "[from, to)": from_the_day_on,
}


# --- our own answers, counted day by day -------------------------------------------------------


def nth_day(description: Description, day: date, n: int) -> date:
    step = DAY if n > 0 else -DAY
    for _ in range(abs(n)):
        day += step
        while not description.duty(day):
            day += step
    return day


def nth_duty_end(description: Description, start: datetime, n: int) -> datetime:
    day = nth_day(description, start.astimezone(description.tz).date(), n)
    while not description.duty(day):
        day += DAY
    midnight = datetime(day.year, day.month, day.day, tzinfo=description.tz)
    return midnight + description.duty(day)[-1].closes


# --- what is asked of the calendar -------------------------------------------------------------


def due_with_pauses(calendar: WorkCalendar, case: Case) -> datetime:
    start = at(case["start"])
    due = calendar.add_working_seconds(start, case["seconds"])
    for begun, ended in (map(at, pause) for pause in case["pauses"]):
        if begun < due and ended > start:
            paused = calendar.working_seconds_between(max(begun, start), ended)
            due = calendar.add_working_seconds(due, paused)
    return due


def between_with_pauses(calendar: WorkCalendar, case: Case) -> float:
    spans = [(case["from"], case["to"]), *case["pauses"]]
    whole, *paused = [calendar.working_seconds_between(at(a), at(b)) for a, b in spans]
    return whole - sum(paused)


def count_days(calendar: WorkCalendar, case: Case) -> int:
    first, last = date.fromisoformat(case["from"]), date.fromisoformat(case["to"])
    return sum(calendar.is_working_day(first + n * DAY) for n in range((last - first).days + 1))


ASKED: dict[str, Callable[[WorkCalendar, Case], Any]] = {
    "add_working_seconds": lambda c, x: c.add_working_seconds(at(x["start"]), x["seconds"]),
    "working_seconds_between": lambda c, x: c.working_seconds_between(at(x["from"]), at(x["to"])),
    "is_working_day": lambda c, x: c.is_working_day(date.fromisoformat(x["date"])),
    "add_working_days_date": lambda c, x: c.add_working_days_date(
        date.fromisoformat(x["start"]), x["days"]
    ),
    "add_working_days_instant": lambda c, x: c.add_working_days_instant(at(x["start"]), x["days"]),
    "next_working_instant": lambda c, x: c.next_working_instant(at(x["start"])),
    "next_closing_instant": lambda c, x: c.next_closing_instant(at(x["start"])),
    "working_periods_from": lambda c, x: [
        list(period) for period in islice(c.working_periods(at(x["start"])), x["count"])
    ],
    "working_days_between": lambda c, x: c.working_days_between(
        date.fromisoformat(x["from"]), date.fromisoformat(x["to"])
    ),
    "sub_working_seconds": lambda c, x: c.add_working_seconds(at(x["start"]), -x["seconds"]),
    # Not operations of ours, but each is one sentence in terms of them.
    "is_working": lambda c, x: c.next_working_instant(at(x["at"])) == at(x["at"]),
    "prev_working_instant": lambda c, x: previous_working_instant(c, at(x["start"])),
    "count_working_days_inclusive": count_days,
    "working_seconds_between_with_pauses": between_with_pauses,
    "deadline_with_pauses": due_with_pauses,
}


def expected(case: Case) -> Any:
    answer = case["expected"]
    if isinstance(answer, list):
        return [list(map(at, period)) for period in answer]
    if not isinstance(answer, str):
        return answer
    return at(answer) if "T" in answer else date.fromisoformat(answer)


def named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case["id"]) for case in cases]


@pytest.mark.parametrize("case", named(CASES))
def test_working_time_cases(case: Case) -> None:
    answer = CONVENTIONS.get(case.get("semantics", ""), ASKED[case["op"]])
    assert answer(built(case["calendar"]), case) == expected(case)


@pytest.mark.parametrize("case", named([c for c in CASES if c["op"] == "add_working_days_instant"]))
def test_working_time_cases_day_limits_end_at_duty_end(case: Case) -> None:
    answer = ASKED["add_working_days_instant"](built(case["calendar"]), case)
    assert answer == nth_duty_end(described(case["calendar"]), at(case["start"]), case["days"])


@pytest.mark.parametrize("case", named([c for c in CASES if c["op"] == "add_working_days_date"]))
def test_working_time_cases_nothing_is_rolled_first(case: Case) -> None:
    answer = ASKED["add_working_days_date"](built(case["calendar"]), case)
    start = date.fromisoformat(case["start"])
    assert answer == nth_day(described(case["calendar"]), start, case["days"])


def test_working_time_cases_are_all_accounted_for() -> None:
    assert {case["op"] for case in CASES} == set(ASKED)
    assert len({case["id"] for case in CASES}) == len(CASES) > 0
