"""更正: proposed by a supervisor, confirmed by another person, and carried out batch by batch (ADR 0076)."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import uuid6
from sqlmodel import col, select

from services.tracker import beside, calendars, records
from services.tracker.models import Clock, Clocks, Supervision
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord
from services.tracker.revisions import views
from services.tracker.revisions.models import Revision, Revisions
from services.tracker.revisions.schemas import RevisionIn, RevisionOut, RevisionRulingIn
from services.tracker.rules import revising
from services.tracker.rules.revising import Judged, NothingToRevise, Revised
from shared import events
from shared.errors import Malformed, NotFound
from shared.events import ClockKind

CONFIRMED = (
    select(Revisions)
    .where(col(Revisions.granted).is_(True), col(Revisions.done_at).is_(None))
    .order_by(col(Revisions.ruled_at), col(Revisions.id))
    .limit(1)
)


class Persons(NamedTuple):
    """Who proposed a revision, and who confirmed it."""

    proposed_by: str
    confirmed_by: str


# --- decided by two persons --------------------------------------------------------------------


async def propose(act: ServiceAct, _: None, body: RevisionIn) -> RevisionOut:
    """拟定: which days clocks counted wrongly. Nothing is revised before another person confirms it.

    Raises Malformed for a day that has not come; NothingToRevise where the calendar in force has the days as
    they were counted, or no clock was late by them.
    """
    days = sorted(set(body.days))
    if days[-1] > act.now.astimezone(act.config.calendar.tz).date():
        raise Malformed(
            "日期尚未到来：日历更正后，时限自会顺延 "
            "The day has not come: clocks follow the calendar by themselves",
            field="days",
        )
    await calendars.load(act)
    known = calendars.of(act)
    if not revising.differs(known, known.latest.number, days):
        raise NothingToRevise
    revision = Revision(
        id=UUID(bytes=uuid6.uuid7().bytes),
        days=list(map(str, days)),
        calendar=known.latest.number,
        tickets=body.tickets,
        clocks=list(map(str, body.clocks)),
        ground=body.ground,
        paper=body.paper,
        asked=0,
        proposed_at=act.now,
        proposed_by=act.actor,
    )
    revision.asked = await views.count(act, revision)
    if not revision.asked:
        raise NothingToRevise(
            "没有因这些日期逾期且已结束的时限 No clock that has ended was late by these days"
        )
    return views.shown(act.rows.add(revision))


async def rule(act: ServiceAct, id: UUID, body: RevisionRulingIn) -> RevisionOut:
    """确认或不确认: by another person than who proposed it. Raises NotFound, MoveRefused, OwnApproval."""
    row = await _locked(act, id)
    revising.check_ruling(views.status_of(row), row.proposed_by, act.actor, granted=body.granted)
    row.granted, row.note = body.granted, body.note
    row.ruled_at, row.ruled_by = act.now, act.actor
    return views.shown(row)


async def _locked(act: ServiceAct, id: UUID) -> Revision:
    if id not in act.locked:
        query = select(Revisions).where(col(Revisions.id) == id).with_for_update()
        act.locked[id] = next(iter(await act.rows.load(Revision, query)), None)
    row: Revision | None = act.locked[id]
    if row is None:
        raise NotFound
    return row


# --- carried out -------------------------------------------------------------------------------


async def waits(act: ServiceAct) -> datetime | None:
    """Now, while a confirmed revision is not carried out."""
    return act.now if (await act.session.exec(CONFIRMED)).first() else None


async def carry_out(act: ServiceAct, limit: int) -> int:
    """Revise the next clocks of a confirmed revision; returns how many were looked at."""
    claimed = await act.rows.load(Revision, CONFIRMED.with_for_update(skip_locked=True))
    if not claimed:
        return 0
    [revision] = claimed
    query = select(Clocks.breached_at, Clocks.id, Clocks.ticket).where(
        *views.concerned(act, revision)
    )
    if revision.upto_at:
        query = query.where((revision.upto_at, revision.upto) < views.PLACE)
    found = (await act.session.exec(query.order_by(views.PLACE).limit(limit))).all()
    held = await records.lock(act, sorted({number for *_, number in found}))
    for at, id, number in found:
        _count(revision, _revise(act, held[number], id, revision))
        revision.upto_at, revision.upto = at, id
    if len(found) < limit:
        revision.done_at = act.now
    return len(found)


def _count(revision: Revision, judged: Judged | None) -> None:
    if judged:
        revision.moved += 1
        revision.cleared += not judged.late


def _revise(act: ServiceAct, record: TicketRecord, id: UUID, row: Revision) -> Judged | None:
    entry = record.clocks[id]
    persons = Persons(row.proposed_by, row.ruled_by or "")
    return apply(act, record, entry, views.of_clock(entry.row, row), persons)


def apply(
    act: ServiceAct, record: TicketRecord, entry: ClockEntry, by: Revised, persons: Persons
) -> Judged | None:
    """Set the revised judgement of a clock beside the first, and close what it had raised and would not have;
    None where nothing moves.
    """
    row, judged = entry.row, beside.judged_by(act, entry, by)
    if judged is None or not revising.concerns(entry.state) or judged.due == row.due_revised:
        return None
    row.revised, row.due_revised = by.model_dump(mode="json"), judged.due
    data = events.DeadlineRevised(
        clock=ClockKind(row.kind),
        clock_id=row.id,
        before=row.due,
        due=judged.due,
        late=judged.late,
        revision=by.revision,
        days=tuple(map(date.isoformat, by.days)),
        calendar=by.calendar,
        ground=by.ground,
        paper=by.paper,
        **persons._asdict(),
    )
    _tell(act, row, data)
    for each in record.supervisions.values():
        if each.clock == row.id and each.rung not in judged.rungs and each.closed_at is None:
            _close(act, each, by, persons)
    return judged


def _close(act: ServiceAct, row: Supervision, by: Revised, persons: Persons) -> None:
    row.closed_at = row.withdrawn_at = act.now
    row.withdrawn_by, row.withdrawn_reason = persons.confirmed_by, by.ground
    row.close_reason = f"时限已更正（{by.paper}） its clock was revised"
    data = events.SupervisionClosed(supervision=row.id, rung=row.rung, reason=row.close_reason)
    _tell(act, row, data)


def _tell(act: ServiceAct, row: Clock | Supervision, data: events.Data) -> None:
    act.tell(
        data,
        subject=row.ticket,
        round=row.round,
        assignment=row.assignment,
        unit=row.unit,
    )
