"""更正: revisions as they are listed, and the clocks each would move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, tuple_
from sqlmodel import col, select

from services.tracker import beside, calendars, lists
from services.tracker.models import Clock, Clocks
from services.tracker.records import ClockEntry, ServiceAct
from services.tracker.revisions.models import Revision, Revisions
from services.tracker.revisions.schemas import (
    RevisedClock,
    RevisedClocks,
    RevisionList,
    RevisionOut,
)
from services.tracker.rules.revising import SENTENCES, Judged, Revised, RevisionStatus, status
from shared.errors import NotFound
from shared.http.fields import Sentence
from shared.storage.rows import one_of

PLACE = tuple_(col(Clocks.breached_at), col(Clocks.id))
MANY = 500


GRANTED, DONE = col(Revisions.granted), col(Revisions.done_at)
STANDS: Mapping[RevisionStatus, Any] = MappingProxyType(
    {
        RevisionStatus.PROPOSED: GRANTED.is_(None),
        RevisionStatus.CONFIRMED: GRANTED.is_(True) & DONE.is_(None),
        RevisionStatus.DONE: DONE.is_not(None),
        RevisionStatus.REFUSED: GRANTED.is_(False),
    }
)


async def listed(act: ServiceAct, wanted: RevisionStatus | None) -> RevisionList:
    """Every revision, or those that stand somewhere; the newest first."""
    query = select(Revisions).order_by(col(Revisions.proposed_at).desc(), col(Revisions.id))
    if wanted is not None:
        query = query.where(STANDS[wanted])
    return RevisionList(items=[shown(row) for row in await act.session.exec(query.limit(MANY))])


async def proposers(act: ServiceAct) -> list[tuple[str]]:
    """Who proposed each revision that waits for a second person."""
    query = select(Revisions.proposed_by).where(STANDS[RevisionStatus.PROPOSED])
    return [(by,) for by in await act.session.exec(query)]


async def read(act: ServiceAct, id: UUID) -> RevisionOut:
    """One revision. Raises NotFound."""
    return shown(await _one(act, id))


async def clocks(act: ServiceAct, id: UUID, after: str | None, limit: int) -> RevisedClocks:
    """The clocks it moves, or would. Raises NotFound, BadCursor."""
    revision = await _one(act, id)
    await calendars.load(act)
    query = select(*PLACE.clauses, Clocks).where(*concerned(act, revision))  # type: ignore[call-overload]
    if after is not None:
        query = query.where(lists.last(act, after) < PLACE)
    rows = (await act.session.exec(query.order_by(PLACE).limit(limit + 1))).all()
    items = [
        _clock(entry.row, judged)
        for entry in (ClockEntry.of(clock) for _, _, clock in rows[:limit])
        if (judged := beside.judged_by(act, entry, of_clock(entry.row, revision)))
    ]
    return RevisedClocks(items=items, next=lists.next_(act, rows, limit))


async def _one(act: ServiceAct, id: UUID) -> Revision:
    row = await act.session.get(Revisions, id)
    if row is None:
        raise NotFound
    return row


def concerned(act: ServiceAct, revision: Revision) -> Sequence[Any]:
    """The late clocks that had ended when it was proposed and ran on its days, or those of them it names."""
    zone, days = act.config.calendar.tz, sorted(map(date.fromisoformat, revision.days))
    named = [one_of(Clocks.ticket, revision.tickets), one_of(Clocks.id, map(UUID, revision.clocks))]
    return (
        col(Clocks.ended_at) <= revision.proposed_at,
        col(Clocks.breached_at) >= datetime.combine(days[0], time(), zone),
        col(Clocks.started_at) < datetime.combine(days[-1] + timedelta(days=1), time(), zone),
        *([or_(*named)] if revision.tickets or revision.clocks else []),
    )


async def count(act: ServiceAct, revision: Revision) -> int:
    """How many late clocks it is of."""
    query = select(func.count()).select_from(Clocks).where(*concerned(act, revision))
    return (await act.session.exec(query)).one()


def of_clock(row: Clock, revision: Revision) -> Revised:
    """What a clock is revised by: this, upon what it was revised by before."""
    new = Revised(
        revision=revision.id,
        calendar=revision.calendar,
        days=tuple(map(date.fromisoformat, revision.days)),
        ground=revision.ground,
        paper=revision.paper,
        at=revision.ruled_at or revision.proposed_at,
    )
    return new.after(Revised.model_validate(row.revised) if row.revised else None)


def _clock(row: Clock, judged: Judged) -> RevisedClock:
    return RevisedClock(number=row.ticket, due_revised=judged.due, late=judged.late, **_of(row))


def _of(row: Clock) -> dict[str, Any]:
    names = ("id", "kind", "round", "assignment", "unit", "due", "ended_at")
    return {name: getattr(row, name) for name in names}


def shown(row: Revision) -> RevisionOut:
    """A revision, and where it stands."""
    stands = status_of(row)
    zh, en = SENTENCES[stands]
    return RevisionOut(**row.model_dump(), status=stands, sentence=Sentence(zh=zh, en=en))


def status_of(row: Revision) -> RevisionStatus:
    """Where it stands."""
    return status(row.granted, row.done_at)
