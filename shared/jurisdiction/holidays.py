"""Reads the State Council's holiday notices into a working calendar.

The files are those of NateScarlet/holiday-cn (MIT): one a year, with the address of the notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from shared.errors import ConfigError
from shared.jurisdiction.calendar import Segment, SpecialDay, WorkCalendar
from shared.jurisdiction.reader import read


class _Day(BaseModel):
    name: str
    date: date
    off: Annotated[bool, Field(alias="isOffDay")]


class _Notice(BaseModel):
    year: int
    papers: list[str]
    days: list[_Day]


def load_calendar(directory: Path, duty: Sequence[Segment], tz: ZoneInfo) -> WorkCalendar:
    """Monday to Friday, changed by the notices ``directory``/YYYY.json.

    A year with an empty file or none has weekends only, and is provisional. A file may hold days
    of the year beside it; of two notices the later wins. Raises ConfigError.
    """
    notices = [_notice(path) for path in sorted(directory.glob("[0-9][0-9][0-9][0-9].json"))]
    if not notices:
        raise ConfigError(f"{directory}: no holiday notice YYYY.json")
    special = {
        row.date: SpecialDay(() if row.off else tuple(duty), row.name, " ".join(notice.papers))
        for notice in notices
        for row in notice.days
    }
    known = {notice.year for notice in notices if notice.days}
    return WorkCalendar(tz, dict.fromkeys(range(5), duty), special, known)


def _notice(path: Path) -> _Notice:
    notice = read(path, _Notice)
    if f"{notice.year:04}" != path.stem:
        raise ConfigError(f"{path}: year: the file holds the notice of {notice.year}")
    return notice
