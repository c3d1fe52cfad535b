"""place.yaml: what the place is called, its clock, its duty hours, the edition of its rules. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, PlainValidator, StringConstraints, field_validator

from shared.jurisdiction.calendar import Segment
from shared.jurisdiction.sections import DutyHours, Section, Words
from shared.security.numbers import AREA_CODE


def _zone(name: Any) -> ZoneInfo:
    if isinstance(name, ZoneInfo):
        return name
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):  # no such zone, or a path to something else
        raise ValueError(f"没有这个时区 no such time zone: {name!r:.60}") from None


class Place(Section):
    """The place whose rules these are. ``version`` is given by those who change them.

    ``area_code`` is that of its telephones, with the 0; None where there are several: then a local
    number, given without one, is nobody's.
    """

    name: Words
    version: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    area_code: Annotated[str, StringConstraints(pattern=rf"^0{AREA_CODE}$")] | None = None
    timezone: Annotated[ZoneInfo, PlainValidator(_zone)]
    duty_hours: Annotated[tuple[DutyHours, ...], Field(min_length=1)]

    @field_validator("duty_hours")
    @classmethod
    def _in_order(cls, hours: tuple[Segment, ...]) -> tuple[Segment, ...]:
        if any(later.opens < earlier.closes for earlier, later in pairwise(hours)):
            raise ValueError("时段须按先后排列、不得重叠 in the order of the day, none in another")
        return hours
