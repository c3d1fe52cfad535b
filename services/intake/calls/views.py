"""The lists agents work through: whom to ring back (R-46), and drafts left without a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid6
from sqlalchemy import literal, tuple_
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlmodel import col, func, select

from services.intake.calls.models import PhoneCall, PhoneCalls, RingBack, RingBacks
from services.intake.calls.records import (
    OPEN,
    details_of,
    end,
    end_theirs,
    is_open,
    locked_call,
    phone_of,
)
from services.intake.calls.schemas import (
    CallTry,
    DraftOut,
    Drafts,
    MissedCall,
    MissedCalls,
    RingBackOut,
    Shown,
    Tried,
)
from services.intake.calls.usecases import show
from services.intake.contacts.schemas import ContactReadRequest
from services.intake.records import ServiceAct
from services.intake.rules import identity
from services.intake.rules.calls import CallEnding, TryOutcome
from services.intake.rules.phones import known_digits
from shared.errors import NotFound
from shared.storage.rows import one_of

UNREGISTERED = (col(PhoneCalls.drafted_at).is_not(None), col(PhoneCalls.number).is_(None))

# --- drafts -----------------------------------------------------------------------------------


async def drafts(act: ServiceAct, after: str | None, limit: int) -> Drafts:
    """草稿: drafts left without a ticket, oldest first: the agent's own, all for the desk."""
    query = left(act, select(PhoneCalls))
    at, id = col(PhoneCalls.drafted_at), col(PhoneCalls.id)
    if after is not None:
        query = query.where(_behind(act, at, id, after))
    found = (await act.session.exec(query.order_by(at, id).limit(limit + 1))).all()
    rows, more = found[:limit], len(found) > limit
    items = [DraftOut(call=row.id, agent=row.agent, drafted_at=row.drafted_at) for row in rows]
    following = _cursor(act, rows[-1].drafted_at, rows[-1].id) if more else None
    return Drafts(items=items, next=following)


def left(act: ServiceAct, query: Any) -> Any:
    """A query of calls, narrowed to those whose draft was left, as far as the caller sees them."""
    before = act.config.calls.left_since(act.now)
    query = query.where(col(PhoneCalls.drafted_at) <= before, *UNREGISTERED)
    if act.caller and act.caller.role == "agent":
        query = query.where(PhoneCalls.agent == act.caller.name)
    return query


# --- missed calls ------------------------------------------------------------------------------

# One line a person: the newest of the calls, since the first of them.
WAITING = (
    select(
        func.min(PhoneCalls.missed_since).label("since"),
        func.count().label("times"),
        func.array_agg(aggregate_order_by(col(PhoneCalls.id), col(PhoneCalls.missed_since).desc()))[
            1
        ].label("newest"),
    )
    .where(*OPEN)
    .group_by(col(PhoneCalls.caller))
    .subquery()
)


async def missed(act: ServiceAct, after: str | None, limit: int) -> MissedCalls:
    """漏接来电: whom to ring back, who has waited longest first; no numbers. Raises BadCursor."""
    since, id = WAITING.c.since, WAITING.c.newest
    query = select(PhoneCalls, since, WAITING.c.times).join(WAITING, col(PhoneCalls.id) == id)
    if after is not None:
        query = query.where(_behind(act, since, id, after))
    found = (await act.session.exec(query.order_by(since, id).limit(limit + 1))).all()
    rows = found[:limit]
    tries = await _tries(act, [call.id for call, *_ in rows])
    items = [
        _missed(act, call, waiting, times, tries.get(call.id, [])) for call, waiting, times in rows
    ]
    more = len(found) > limit
    return MissedCalls(
        items=items,
        next=_cursor(act, items[-1].since, items[-1].call) if more else None,
        withheld_today=await _withheld_today(act),
    )


def _behind(act: ServiceAct, moment: Any, id: Any, after: str) -> Any:
    since, _, last = act.place(after).partition(" ")
    place = literal(datetime.fromisoformat(since)), literal(UUID(last))
    return tuple_(moment, id) > tuple_(*place)


def _cursor(act: ServiceAct, moment: datetime | None, id: UUID) -> str:
    return act.cursor(f"{moment.isoformat() if moment else ''} {id}")


async def _withheld_today(act: ServiceAct) -> int:
    local = act.now.astimezone(act.config.place.timezone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    withheld = select(func.count()).where(
        PhoneCalls.ending == CallEnding.WITHHELD, col(PhoneCalls.heard_at) >= midnight
    )
    return (await act.session.exec(withheld)).one()


async def _tries(act: ServiceAct, ids: Sequence[UUID]) -> dict[UUID, list[RingBack]]:
    found: dict[UUID, list[RingBack]] = {}
    made = select(RingBacks).where(one_of(RingBacks.call, ids)).order_by(col(RingBacks.id))
    for row in await act.session.exec(made) if ids else []:
        found.setdefault(row.call, []).append(row)
    return found


def _missed(
    act: ServiceAct, call: PhoneCall, since: datetime, times: int, tries: Sequence[RingBack]
) -> MissedCall:
    return MissedCall(
        call=call.id,
        since=since,
        due=act.config.calls.ring_back.due(since),
        times=times,
        taken_by=call.taken_by,
        taken_at=call.taken_at,
        tries=[
            RingBackOut(
                at=one.tried_at, by=one.actor, outcome=TryOutcome(one.outcome), note=one.note
            )
            for one in tries
        ],
    )


async def _waiting(act: ServiceAct, id: UUID) -> PhoneCall:
    call = await locked_call(act, id)
    if call is None or not is_open(call):
        raise NotFound("没有此待回拨来电 no such call to ring back; it may be over")
    return call


async def take(act: ServiceAct, id: UUID, body: ContactReadRequest) -> Shown:
    """Whom to ring back, for the agent who does it now; on record. Raises NotFound."""
    call = await _waiting(act, id)
    call.taken_by, call.taken_at = act.actor, act.now
    return await show(act, call, f"漏接回拨 ring back: {body.reason}")


async def tried(act: ServiceAct, id: UUID, body: CallTry) -> Tried:
    """回拨: what came of ringing back once. Raises NotFound."""
    call = await _waiting(act, id)
    phone = phone_of(act, details_of(act, call))
    person = identity.Person(phones=known_digits(phone.numbers, phone.given))
    new = RingBack(
        id=UUID(bytes=uuid6.uuid7().bytes),
        call=id,
        actor=act.actor,
        outcome=body.outcome.value,
        note=identity.mask_note(body.note, person) if body.note else None,
        tried_at=act.now,
    )
    tries = [*(await _tries(act, [id])).get(id, []), act.rows.add(new)]
    days = [one.tried_at.astimezone(act.config.place.timezone).date() for one in tries]
    call.taken_by = call.taken_at = None
    ending = None
    if body.outcome is TryOutcome.REACHED:
        ending = CallEnding.REACHED
    elif act.config.calls.ring_back.given_up(days):
        ending = CallEnding.UNREACHABLE
    if ending:
        await end_theirs(act, call.caller, ending)
        end(act, call, ending)
    return Tried(call=id, tries=len(tries), ending=ending)
