"""Clocks of many tickets at once: those whose marks are due, and those an earlier calendar laid out.

The sweep takes clocks alone and skips those that are locked (records.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, all_, bindparam, cast, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import col, select

from services.tracker import calendars
from services.tracker.models import Clock, Clocks, Supervision, Supervisions
from services.tracker.records import NUMBERS, SUPERVISIONS, ClockEntry, ServiceAct
from shared.storage.rows import one_of

DUE = (
    select(Clocks)
    .where(col(Clocks.next_at) <= bindparam("now"))
    .order_by(col(Clocks.next_at), col(Clocks.id))
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True, key_share=True)
)

EARLIER = (
    col(Clocks.calendar) < bindparam("version", type_=Integer),
    col(Clocks.ended_at).is_(None),
)
ANY_BEHIND = select(Clocks.id).where(*EARLIER).limit(1)
BEHIND = (
    select(Clocks)
    .where(*EARLIER)
    .order_by(col(Clocks.calendar), col(Clocks.id))
    .limit(bindparam("limit", type_=Integer))
    .with_for_update(skip_locked=True, key_share=True)
)
# The other clocks of some tickets that press a unit: what may keep a lower rung back.
PRESSING = select(Clocks).where(
    col(Clocks.ticket) == NUMBERS,
    col(Clocks.id) != all_(bindparam("claimed", type_=ARRAY(Uuid))),
    col(Clocks.terms)["rungs"] != cast([], JSONB),
)
BY_PEOPLE = SUPERVISIONS.where(
    col(Supervisions.clock).is_(None) | col(Supervisions.accepted_at).is_not(None)
)


async def claim(act: ServiceAct, limit: int) -> list[ClockEntry]:
    """Clocks with a mark that is due and that nobody has locked, sorted by ticket."""
    await calendars.load(act)
    rows = await act.rows.load(Clock, DUE, {"now": act.now, "limit": limit})
    return [ClockEntry.of(row) for row in sorted(rows, key=lambda row: (row.ticket, row.id))]


async def supervisions(act: ServiceAct, ids: Collection[UUID]) -> dict[UUID, Supervision]:
    """Supervisions of locked clocks, by id."""
    if not ids:
        return {}
    query = select(Supervisions).where(one_of(Supervisions.id, ids))
    return {row.id: row for row in await act.rows.load(Supervision, query)}


async def pressing(
    act: ServiceAct, claimed: Sequence[ClockEntry]
) -> tuple[list[ClockEntry], list[Supervision]]:
    """Claimed clocks with all others of their tickets that press a unit, and what people raised or accepted
    there.
    """
    if not claimed:
        return [], []
    asked = {"numbers": sorted({entry.row.ticket for entry in claimed})}
    ids = {"claimed": [entry.row.id for entry in claimed]}
    others = await act.rows.load(Clock, PRESSING, asked | ids)
    by_people = await act.rows.load(Supervision, BY_PEOPLE, asked)
    return [*claimed, *map(ClockEntry.of, others)], by_people


async def next_mark(act: ServiceAct) -> datetime | None:
    """When the next mark of any clock is due."""
    moment: datetime | None = (await act.session.exec(select(func.min(Clocks.next_at)))).one()
    return moment


async def behind(act: ServiceAct, limit: int) -> list[ClockEntry]:
    """Open clocks that were laid out by an earlier version of the calendar, and that nobody has locked."""
    await calendars.load(act)
    asked = {"version": calendars.of(act).latest.number, "limit": limit}
    rows = await act.rows.load(Clock, BEHIND, asked)
    return [ClockEntry.of(row) for row in sorted(rows, key=lambda row: (row.ticket, row.id))]


async def is_behind(act: ServiceAct) -> bool:
    """Whether an open clock was laid out by an earlier version of the calendar."""
    await calendars.load(act)
    asked = {"version": calendars.of(act).latest.number}
    return (await act.session.exec(ANY_BEHIND, params=asked)).first() is not None
