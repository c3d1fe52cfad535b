"""统计周期 The days figures are asked for, as the moments between which things are counted (R-48)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.errors import Malformed


@dataclass(frozen=True, slots=True)
class Period:
    """Days from ``first`` to ``last``, both included; what happened in [start, end) lies in them."""

    first: date
    last: date
    start: datetime
    end: datetime


def period(first: date | None, last: date | None, now: datetime, zone: ZoneInfo) -> Period:
    """The days asked for; this month so far unless told otherwise.

    Raises Malformed for a period that ends before it begins.
    """
    today = now.astimezone(zone).date()
    first, last = first or today.replace(day=1), last or today
    if last < first:
        raise Malformed("结束日早于开始日 The last day is before the first", field="to")
    start, after = (
        datetime.combine(day, time(), zone).astimezone(UTC)
        for day in (first, last + timedelta(days=1))
    )
    return Period(first, last, start, after)
