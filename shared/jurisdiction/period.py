"""统计周期 The days figures are asked for, as the moments between which things are counted (R-48).

A period need not be a calendar month, nor a day begin at midnight: a district of Beijing counts from the
19th to the 18th, and its day D from noon of the day before to noon of D (DOMAIN.md, HR). Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator

from shared.errors import Malformed
from shared.jurisdiction.sections import Section

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_LAST_START = 28  # every month has it


def _clock_time(text: Any) -> time:
    if isinstance(text, str) and _CLOCK.fullmatch(text):
        return time.fromisoformat(text)
    raise ValueError('应写作 write "00:00" 或 or "12:00"')


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included; what happened in [start, end) lies in them."""

    first: date
    last: date
    start: datetime
    end: datetime


class Periods(Section):
    """How the days of figures are counted. ``start_day``: of the month, on which a period begins.

    ``day_start``: when a day begins; any but midnight is that of the day before, so day D ends on D.
    """

    start_day: Annotated[int, Field(ge=1, le=_LAST_START)] = 1
    day_start: Annotated[time, PlainValidator(_clock_time)] = time()

    @property
    def lead(self) -> timedelta:
        """How long before its midnight a day begins."""
        begins = timedelta(hours=self.day_start.hour, minutes=self.day_start.minute)
        return timedelta(days=1) - begins if begins else begins

    @property
    def into_month(self) -> tuple[timedelta, int]:
        """What added to local time leads into the month a period is called by, that of its last day: a span,
        and how many months after it.
        """
        return self.lead - timedelta(days=self.start_day - 1), int(self.start_day > 1)

    def of(self, first: date | None, last: date | None, now: datetime, zone: ZoneInfo) -> Period:
        """The days asked for; the period that runs, up to today, unless told otherwise.

        Raises Malformed for a period that ends before it begins.
        """
        today = (now.astimezone(zone).replace(tzinfo=None) + self.lead).date()
        first, last = first or self._began(last or today), last or today
        if last < first:
            raise Malformed("结束日早于开始日 The last day is before the first", field="to")
        start, after = (self._begins(day, zone) for day in (first, last + timedelta(days=1)))
        return Period(first, last, start, after)

    def _began(self, day: date) -> date:
        """The first day of the period a day lies in."""
        month = day if day.day >= self.start_day else day.replace(day=1) - timedelta(days=1)
        return month.replace(day=self.start_day)

    def _begins(self, day: date, zone: ZoneInfo) -> datetime:
        wall = datetime.combine(day, time()) - self.lead
        return wall.replace(tzinfo=zone).astimezone(UTC)
