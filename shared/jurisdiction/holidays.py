"""The State Council's holiday notices, and the working calendar of a place they make. Pure.

The files are those of NateScarlet/holiday-cn (MIT): one a year, with the address of the notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from pydantic import Field

from shared.jurisdiction.calendar import SpecialDay, WorkCalendar
from shared.jurisdiction.place import Place
from shared.jurisdiction.sections import Section

# 全国年节及纪念日放假办法 (2024): whose days off a notice arranges. Two may share one stretch of days.
STATUTORY = frozenset(("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节"))


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
    def settles_its_year(self) -> bool:
        """Whether no due moment of the year is provisional any more: every holiday is arranged."""
        arranged = {name for day in self.days if day.off for name in day.name.split("、")}
        return self.complete or arranged >= STATUTORY


def work_calendar(place: Place, notices: Iterable[Notice]) -> WorkCalendar:
    """Monday to Friday in the duty hours of the place, changed by the notices.

    A year whose notice is not whole, or not there, is provisional. A notice may hold days of the
    year beside it; of two notices the later wins.
    """
    duty, in_order = place.duty_hours, sorted(notices, key=lambda notice: notice.year)
    special: Mapping[date, SpecialDay] = {
        row.date: SpecialDay(() if row.off else duty, row.name, " ".join(notice.papers))
        for notice in in_order
        for row in notice.days
    }
    known = {notice.year for notice in in_order if notice.settles_its_year}
    return WorkCalendar(place.timezone, dict.fromkeys(range(5), duty), special, known)
