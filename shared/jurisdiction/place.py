"""place.yaml: what the place is called, its clock, its duty hours, the edition of its rules. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, StringConstraints

from shared.jurisdiction.appraisal import Appraisal
from shared.jurisdiction.duty import Duty, Hours
from shared.jurisdiction.period import Period, Periods
from shared.jurisdiction.sections import Words
from shared.security.numbers import AREA_CODE


def _zone(name: Any) -> ZoneInfo:
    if isinstance(name, ZoneInfo):
        return name
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):  # no such zone, or a path to something else
        raise ValueError(f"没有这个时区 no such time zone: {name!r:.60}") from None


class Place(Hours):
    """The place whose rules these are. ``version`` is given by those who change them.

    ``area_code`` is that of its telephones, with the 0; None where there are several: then a local
    number, given without one, is nobody's. Summer and winter hours are ``seasons``. ``period``: how the
    days of figures are counted; ``appraisal``: how those of units stand beside one another.
    """

    name: Words
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    area_code: Annotated[str, StringConstraints(pattern=rf"^0{AREA_CODE}$")] | None = None
    timezone: Annotated[ZoneInfo, PlainValidator(_zone)]
    duty_hours: Annotated[Duty, Field(min_length=1)]
    period: Periods = Periods()
    appraisal: Appraisal = Appraisal()

    def counted(self, first: date | None, last: date | None, now: datetime) -> Period:
        """The days figures are asked for; the period that runs, so far, unless told otherwise. Raises
        Malformed.
        """
        return self.period.of(first, last, now, self.timezone)
