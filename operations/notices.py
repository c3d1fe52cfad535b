"""放假通知 A year's notice before it is taken: what cannot be meant, what it contradicts, what it changes.

Pure. The folder itself is read more leniently (shared/jurisdiction/holidays.py): what a county has had
stays readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.holidays import STATUTORY, CalendarFiles, Notice, NoticeDay
from shared.jurisdiction.sections import Where, nearest

FIRST, LAST = 2007, 2100  # since then there is a notice a year
BESIDE = timedelta(days=10)  # so far a notice goes into the year before or after
FRIDAY = 4
WEEKDAYS = "一二三四五六日"
# 全国年节及纪念日放假办法: days off by the date itself, whatever a notice arranges around them.
FIXED = {"元旦": ("01-01",), "劳动节": ("05-01",), "国庆节": ("10-01", "10-02", "10-03")}
WORKED = {True: "上班", False: "放假"}
ENGLISH = {True: "workday", False: "off"}
Found = tuple[Where, str]


def faults(notice: Notice, file: str) -> Iterator[Found]:
    """Everything of a notice that cannot be meant, each at its place."""
    if not FIRST <= notice.year <= LAST:
        yield ("year",), f"不是 {FIRST} 至 {LAST} 年 not from {FIRST} to {LAST}"
        return
    if file.removesuffix(".json").isdecimal() and file != f"{notice.year}.json":
        yield ("year",), f"与文件名不符 the file is called {file}"
    if not any(map(str.strip, notice.papers)):
        yield ("papers",), "没有通知的网址或文号 no address and no number of the notice"
    if not notice.days:
        yield ("days",), "没有任何一天：通知还没有发布 no day at all: the notice is not out yet"
    first: dict[date, int] = {}
    for at, day in enumerate(notice.days):
        if day.date in first:
            yield (
                ("days", at, "date"),
                f"同一天重复，首见第 {first[day.date]} 项 the same day again",
            )
        first.setdefault(day.date, at)
        yield from ((("days", at, *where), wrong) for where, wrong in _of_day(notice.year, day))
    yield from _fixed(notice)


def _of_day(year: int, day: NoticeDay) -> Iterator[Found]:
    if not date(year, 1, 1) - BESIDE <= day.date <= date(year, 12, 31) + BESIDE:
        yield ("date",), f"不在 {year} 年及其前后十天内 not in {year}, nor within ten days of it"
    for name in day.name.split("、"):
        if name not in STATUTORY:
            wrong = f"不是法定节日 no statutory holiday: {name!r:.40}{nearest(name, STATUTORY)}"
            yield ("name",), f"{wrong}；本地放假用 of the place's own: calendar local add"
    if not day.off and day.date.weekday() <= FRIDAY:
        which = WEEKDAYS[day.date.weekday()]
        yield ("isOffDay",), f"周{which}本来上班，不是调休 a weekday is no make-up workday"


def _fixed(notice: Notice) -> Iterator[Found]:
    off = {day.date for day in notice.days if day.off}
    for name in sorted(FIXED.keys() - notice.unarranged):
        for day in FIXED[name]:
            if date.fromisoformat(f"{notice.year}-{day}") not in off:
                yield ("days",), f"{name} {notice.year}-{day} 没有放假 is not off"


def contradictions(notice: Notice, files: CalendarFiles) -> Iterator[Found]:
    """What stands otherwise in the notices that the folder has: days that differ, and such as are gone."""
    known = {
        day.date: (day, each.year)
        for each in sorted(files.notices, key=lambda each: each.year)
        for day in each.days
    }
    for at, day in enumerate(notice.days):
        before, year = known.get(day.date, (day, notice.year))
        if before.off != day.off:
            was = f"{year}.json：{WORKED[not before.off]} {ENGLISH[not before.off]}"
            yield ("days", at, "isOffDay"), f"与已有的通知不符 contradicts {was}"
    named = {day.date for day in notice.days}
    for day, year in known.values():
        if year == notice.year and day.date not in named:
            said = f"{WORKED[not day.off]} {ENGLISH[not day.off]}"
            yield ("days",), f"缺少已有的 {day.date} {said} stands in {year}.json and is missing"


def differences(before: WorkCalendar, after: WorkCalendar) -> Iterator[str]:
    """One line for each day that becomes off or a workday; for a unit alone, with its code."""
    units = sorted(before.units.keys() | after.units.keys())
    whole = _changed(before, after)
    yield from (_line(day, after) for day in whole)
    for unit in units:
        for day, worked in _changed(before.of(unit), after.of(unit)).items():
            if whole.get(day) != worked:
                yield f"{unit} {_line(day, after.of(unit))}"


def _changed(before: WorkCalendar, after: WorkCalendar) -> dict[date, bool]:
    days = sorted(before.special.keys() | after.special.keys())
    return {
        day: after.is_working_day(day)
        for day in days
        if before.is_working_day(day) != after.is_working_day(day)
    }


def _line(day: date, after: WorkCalendar) -> str:
    special, which = after.special_of(day), WEEKDAYS[day.weekday()]
    why = f"：{special.name}（{special.notice}）" if special else ""
    now = after.is_working_day(day)
    was = not now
    return f"{day} 周{which} {WORKED[was]} → {WORKED[now]} {ENGLISH[was]} → {ENGLISH[now]}{why}"


def doubts(notices: Sequence[Notice]) -> Iterator[str]:
    """Of notices that lie in a folder, by hand or imported, one line for all that cannot be meant."""
    for notice in notices:
        for where, wrong in faults(notice, f"{notice.year}.json"):
            yield f"calendar/{notice.year}.json: {'.'.join(map(str, where))}: {wrong}"
