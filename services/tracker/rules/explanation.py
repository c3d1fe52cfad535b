"""Why a clock is due when it is: day by day, so that everybody can check it (Zammad #390)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from services.tracker.rules.standing import Standing, given_back
from shared.jurisdiction.calendar import Limit, Step, WorkCalendar


class Stop(NamedTuple):
    """A time in which the clock stood still, and how many seconds of its kind that gave back."""

    begins: datetime
    ends: datetime | None
    given_back: float


class Explanation(NamedTuple):
    """The days of the limit, those of the extension, and the pauses.

    ``kept``: a newer calendar would end it earlier, and a due moment is never moved earlier.
    """

    days: list[Step]
    extension_days: list[Step]
    pauses: list[Stop]
    kept: bool


def explain(standing: Standing, calendar: WorkCalendar) -> Explanation:
    """Explain a due moment by the calendar as it is known today."""
    limit, extension_days = Limit.parse(standing.terms.limit), []
    ends = calendar.due(standing.started, limit).at
    days = calendar.explain(standing.started, limit)
    if standing.extension:
        longer = Limit(standing.extension, "wd")
        extension_days = calendar.explain(ends, longer)
        ends = calendar.due(ends, longer).at
    pauses = [Stop(*pause, given_back(pause, limit, calendar)) for pause in standing.pauses]
    return Explanation(days, extension_days, pauses, kept=standing.base > ends)
