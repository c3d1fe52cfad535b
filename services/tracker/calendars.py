"""工作日历: its versions as they stand in the database, so that all replicas go by the same one (ADR 0062).

The county's folder is where a calendar is changed. The first act of a process that finds it changed makes it
the next version, which holds from a moment later: by then every act is over that does not know of it, so
nothing passes by a calendar that no longer holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from weakref import WeakKeyDictionary

import orjson
from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.tracker.models import CalendarVersions, Clock
from services.tracker.rules.calendars import Calendars, Version, document, from_document
from services.tracker.settings import Config
from shared.jurisdiction.calendar import WorkCalendar
from shared.observability import log
from shared.storage.act import Act, Store

KNOWN = "calendars"
# Longer than any act takes that was open when a version came.
TAKES_HOLD = timedelta(seconds=5)
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('calendars'))")
NUMBERS = text("SELECT number, since, digest FROM calendars ORDER BY number")
NEXT = text("SELECT min(since) FROM calendars WHERE since > :now")
OPEN = text(
    "SELECT calendar, count(*) FROM clocks WHERE ended_at IS NULL GROUP BY calendar ORDER BY calendar"
)
ALL = select(CalendarVersions).order_by(col(CalendarVersions.number))

_read: WeakKeyDictionary[Store[Config], Calendars] = WeakKeyDictionary()
# The folder's calendar each store has found among the versions: it was news once, and is no more.
_taken: WeakKeyDictionary[Store[Config], WorkCalendar] = WeakKeyDictionary()


async def load(act: Act[Config]) -> None:
    """Ask which versions there are, once an act; the county's own is made one if it is news."""
    if KNOWN in act.locked:
        return
    connection = await act.session.connection()
    rows = (await connection.execute(NUMBERS)).all()
    if _taken.get(act.store) is not act.config.calendar:
        own = digest_of(act.config.calendar)
        if rows and rows[-1].digest == own:
            _taken[act.store] = act.config.calendar
        else:
            await _add(act, own)
            rows = (await connection.execute(NUMBERS)).all()
    held = [row.number for row in rows if row.since <= act.now] or [rows[0].number]
    act.locked[KNOWN] = await _numbered(act, held)


def of(act: Act[Config]) -> Calendars:
    """The versions that hold at the moment of an act that loaded them."""
    found: Calendars = act.locked[KNOWN]
    return found


def of_clock(act: Act[Config], row: Clock) -> Calendars:
    """Those a clock goes by."""
    return of(act).by(unit_of(row))


def unit_of(row: Clock) -> str | None:
    """Whose hours a clock goes by: of the unit it began with, for who follows that has its limits."""
    return row.former[0][1] if row.former else row.unit


async def next_since(act: Act[Config]) -> datetime | None:
    """When the next version takes hold, if one is waiting to."""
    connection = await act.session.connection()
    found: datetime | None = (await connection.execute(NEXT, {"now": act.now})).scalar()
    return found


async def _numbered(act: Act[Config], numbers: Sequence[int]) -> Calendars:
    known = _read.get(act.store)
    if known and [version.number for version in known.versions] == numbers:
        return known
    versions = [version for version in await kept(act.session) if version.number in numbers]
    found = _read[act.store] = Calendars(versions)
    return found


async def kept(session: AsyncSession) -> list[Version]:
    """Every version there is, also one that holds only from later on; the oldest first."""
    rows = (await session.exec(ALL)).all()
    return [Version(row.number, row.since, from_document(row.document)) for row in rows]


async def _add(act: Act[Config], own: str) -> None:
    """Make the county's calendar the next version, unless another process just did."""
    await (await act.session.connection()).execute(ONE_AT_A_TIME)
    last = (await act.session.exec(ALL)).all()[-1:]
    if last and last[0].digest == own:
        return
    row = CalendarVersions(
        number=last[0].number + 1 if last else 1,
        since=act.now + TAKES_HOLD if last else act.now,
        known_at=act.now,
        digest=own,
        document=document(act.config.calendar),
    )
    act.session.add(row)
    await act.session.flush()
    log.info("calendar taken up", version=row.number, since=row.since.isoformat())


def digest_of(calendar: WorkCalendar) -> str:
    """By which a calendar is known as the one that is a version already."""
    written = orjson.dumps(document(calendar), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()


# --- how far open clocks have come -------------------------------------------------------------


class Kept(NamedTuple):
    """A version as it is kept: which calendar, and since when it holds."""

    number: int
    since: datetime
    digest: str


class Progress(NamedTuple):
    """The versions, oldest first; how many open clocks run under each."""

    versions: Sequence[Kept]
    clocks: Mapping[int, int]
    now: datetime

    @property
    def holding(self) -> int:
        """The version that holds; 0 while there is none."""
        return max((each.number for each in self.versions if each.since <= self.now), default=0)

    @property
    def open(self) -> int:
        """All open clocks."""
        return sum(self.clocks.values())

    @property
    def behind(self) -> Mapping[int, int]:
        """Open clocks that wait for the last version, by the one they run under; 0: they have none."""
        last = self.versions[-1].number if self.versions else 0
        return {number: count for number, count in self.clocks.items() if number < last}

    @property
    def following(self) -> int:
        """Open clocks that run under the last version."""
        return self.open - sum(self.behind.values())


async def progress(act: Act[Config]) -> Progress:
    """How far the open clocks have come since the last version, which the job `recompute` sees to."""
    connection = await act.session.connection()
    versions = [Kept(*row) for row in (await connection.execute(NUMBERS)).all()]
    clocks = {row[0]: row[1] for row in (await connection.execute(OPEN)).all()}
    return Progress(versions, clocks, act.now)
