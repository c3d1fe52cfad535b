"""Days off and on: the State Council's notices, the place's own days, and the calendar they make. Pure.

The notices are files of NateScarlet/holiday-cn (MIT): one a year, with the address of the notice. Local
days (防汛停工, 暴雪) stand in ``calendar/local.yaml``, each with its paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Self

from pydantic import Field, model_validator

from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import Unit, UnitCode, Units
from shared.jurisdiction.duty import Hours, week
from shared.jurisdiction.hours import SpecialDay
from shared.jurisdiction.place import Place
from shared.jurisdiction.sections import Section, Where, Words, refuse, unknown_code

# 全国年节及纪念日放假办法 (2024): whose days off a notice arranges. Two may share one stretch of days.
STATUTORY = frozenset(("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"))
LOCAL = "calendar/local"  # .yaml


class NoticeDay(Section):
    """A day unlike its weekday: off, or a make-up workday (调休)."""

    name: str
    date: date
    off: bool = Field(alias="isOffDay")


class Notice(Section):
    """放假通知: the notice of a year; ``papers`` are the addresses where it is written.

    ``complete``: it names all there are, though not every statutory holiday is among them. A copy
    of holiday-cn may keep its two marks of origin.
    """

    year: int
    papers: tuple[str, ...]
    days: tuple[NoticeDay, ...]
    complete: bool = False
    schema_of_origin: str | None = Field(default=None, alias="$schema")
    place_of_origin: str | None = Field(default=None, alias="$id")

    @property
    def unarranged(self) -> frozenset[str]:
        """The statutory holidays it says nothing of."""
        return STATUTORY - {name for day in self.days if day.off for name in day.name.split("、")}

    @property
    def settles_its_year(self) -> bool:
        """Whether no due moment of the year is provisional any more: every holiday is arranged."""
        return self.complete or not self.unarranged


class LocalDay(Section):
    """本地放假或上班日: a day the place itself ordered off or on, by which paper (文号) and whose; of some
    units only, where they are named. It goes before the year's notice.
    """

    date: date
    name: Words
    off: bool
    paper: Words
    by: Words
    units: tuple[UnitCode, ...] = ()

    @property
    def source(self) -> str:
        """Whose paper it is, as explanations name it."""
        return f"{self.by} {self.paper}"


class LocalDays(Section):
    """calendar/local.yaml; a place need not have one."""

    days: tuple[LocalDay, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        first: dict[tuple[date, str], int] = {}
        twice = []
        for at, day in enumerate(self.days):
            for unit in day.units or ("",):
                if (day.date, unit) in first:
                    wrong = f"同一天重复 the same day again: {day.date} {unit}".rstrip()
                    twice.append((("days", at), wrong))
                first.setdefault((day.date, unit), at)
        refuse(twice)
        return self


@dataclass(frozen=True)
class CalendarFiles:
    """The folder ``calendar``: the notices by year, and the days of the place's own."""

    notices: tuple[Notice, ...]
    local: LocalDays


def local_units_exist(calendar: CalendarFiles, units: Units) -> Iterator[tuple[str, Where, str]]:
    """A check between files: the units that have a local day stand in units.yaml."""
    known = {unit.code for unit in units.units}
    for at, day in enumerate(calendar.local.days):
        for nth, unit in enumerate(day.units):
            if unit not in known:
                yield LOCAL, ("days", at, "units", nth), unknown_code(unit, known)


def work_calendar(place: Place, files: CalendarFiles, units: Iterable[Unit] = ()) -> WorkCalendar:
    """Monday to Friday in the duty hours of the date, changed by the notices and then by local days.

    A year whose notice is not whole, or not there, is provisional. A notice may hold days of the
    year beside it; of two notices the later wins. Units with hours or days of their own have their own.
    """
    named = {unit for day in files.local.days for unit in day.units}
    own = {
        unit.code: _of(place, unit if unit.duty_hours else place, files, unit.code)
        for unit in units
        if unit.duty_hours or unit.code in named
    }
    return _of(place, place, files, None, own)


def _of(
    place: Place,
    hours: Hours,
    files: CalendarFiles,
    unit: str | None,
    units: dict[str, WorkCalendar] | None = None,
) -> WorkCalendar:
    in_order = sorted(files.notices, key=lambda notice: notice.year)
    special = {
        row.date: SpecialDay(
            () if row.off else hours.duty_on(row.date), row.name, " ".join(notice.papers)
        )
        for notice in in_order
        for row in notice.days
    }
    # What is ordered for a unit by name goes before what holds for all.
    local = sorted(files.local.days, key=lambda day: bool(day.units))
    special |= {
        row.date: SpecialDay(() if row.off else hours.duty_on(row.date), row.name, row.source)
        for row in local
        if not row.units or unit in row.units
    }
    known = {notice.year for notice in in_order if notice.settles_its_year}
    seasons = [each.season() for each in hours.seasons]
    usual = dict(enumerate(week(hours.duty_hours)))
    return WorkCalendar(place.timezone, usual, special, known, seasons=seasons, units=units)
