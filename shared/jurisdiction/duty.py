"""上班时间 as a file has it: duty hours, and other ones for part of the year. Pure.

place.yaml has them for the place, units.yaml for a unit whose hours differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from shared.jurisdiction.hours import Season, Segment
from shared.jurisdiction.sections import DutyHours, Section, Where, refuse

_DAY = re.compile(r"(?:\d{4}-)?\d\d-\d\d")
_WORKDAYS = 5  # Monday to Friday


def _in_order(hours: tuple[Segment, ...]) -> tuple[Segment, ...]:
    if any(later.opens < earlier.closes for earlier, later in pairwise(hours)):
        raise ValueError("时段须按先后排列、不得重叠 in the order of the day, none in another")
    return hours


def _season_day(text: Any) -> str:
    wrong = '应写作 write "05-01" (每年 each year) 或 or "2027-05-01"'
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError(wrong)
    try:
        date.fromisoformat(text if len(text) > len("05-01") else f"2024-{text}")
    except ValueError:
        raise ValueError(f"没有这一天 no such day; {wrong}") from None
    return text


Duty = Annotated[tuple[DutyHours, ...], AfterValidator(_in_order)]
SeasonDay = Annotated[str, PlainValidator(_season_day)]


class SeasonHours(Section):
    """作息时段: the duty hours from a day to a day, each year or once."""

    first: SeasonDay = Field(alias="from")
    last: SeasonDay = Field(alias="to")
    duty_hours: Annotated[Duty, Field(min_length=1)]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if len(self.first) != len(self.last):
            refuse([(("to",), "两日须同为每年或同有年份 both days each year, or both of a year")])
        if len(self.first) > len("05-01") and self.last < self.first:
            refuse([(("to",), "早于起始日 before the day it begins")])
        return self

    def season(self) -> Season:
        """As a calendar has it."""
        return Season(self.first, self.last, week(self.duty_hours))


class Hours(Section):
    """Duty hours of Monday to Friday, and of seasons; one that has a year goes before a yearly one."""

    duty_hours: Duty = ()
    seasons: tuple[SeasonHours, ...] = ()

    @model_validator(mode="after")
    def _one_each_day(self) -> Self:
        refuse(self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Where, str]]:
        if self.seasons and not self.duty_hours:
            yield ("seasons",), "须先有 duty_hours where there are seasons there are duty_hours"
        rows = [each.season() for each in self.seasons]
        for (_, earlier), (at, later) in combinations(enumerate(rows), 2):
            if earlier.meets(later):
                wrong = f"与另一时段重叠 meets another: {earlier.first} … {earlier.last}"
                yield ("seasons", at), wrong

    def duty_on(self, day: date) -> tuple[Segment, ...]:
        """The duty hours of a day, were it a workday."""
        rows = sorted((each.season() for each in self.seasons), key=lambda season: season.yearly)
        return next((row.week[0] for row in rows if row.covers(day)), self.duty_hours)


def week(hours: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], ...]:
    """Monday to Friday with these hours."""
    return tuple(hours if weekday < _WORKDAYS else () for weekday in range(7))
