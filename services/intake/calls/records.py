"""Calls as they are kept: who rang and what was said sealed, all of them changed one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Executable, text
from sqlmodel import col, select

from services.intake.calls.models import PhoneCall, PhoneCalls
from services.intake.records import ServiceAct
from services.intake.rules.calls import CallEnding
from services.intake.rules.phones import GivenPhone, read_phone
from services.intake.sealing import SealBroken
from shared.observability import log, place
from shared.storage.rows import one_of

# A call may end others of its caller: so whoever changes one holds this, and nobody waits in a circle.
LOCK = text("SELECT pg_advisory_xact_lock(hashtext('phone_call'))")

Details = dict[str, Any]
OPEN = (col(PhoneCalls.missed_since).is_not(None), col(PhoneCalls.ended_at).is_(None))


async def locked_calls(act: ServiceAct, query: Executable) -> list[PhoneCall]:
    """Calls to be changed; one that this act has already is not loaded beside itself."""
    await (await act.session.connection()).execute(LOCK)
    rows = await act.rows.load(PhoneCall, query)
    return [act.locked.setdefault(row.id, row) for row in rows]


async def locked_call(act: ServiceAct, id: UUID) -> PhoneCall | None:
    """One call to be changed, None when there is none."""
    if id not in act.locked:
        found = await locked_calls(act, select(PhoneCalls).where(PhoneCalls.id == id))
        return found[0] if found else None
    known: PhoneCall = act.locked[id]
    return known


def bound_call(id: UUID) -> str:
    """What the seal of a call is bound to."""
    return f"call/{id}"


def details_of(act: ServiceAct, call: PhoneCall) -> Details:
    """What lies sealed for a call: its numbers as they came, draft, transcript; nothing once it was erased
    or its key is lost.
    """
    if not call.sealed:
        return {}
    try:
        known: Details = orjson.loads(act.config.sealer.unseal(call.sealed, bound_call(call.id)))
        return known
    except SealBroken as error:
        log.error("a call cannot be read", call=str(call.id), why=place(error))
        return {}


def keep_details(act: ServiceAct, call: PhoneCall, details: Details) -> None:
    """Seal what is known of a call anew."""
    call.sealed = act.config.sealer.seal(orjson.dumps(details), bound_call(call.id))


def add_details(act: ServiceAct, call: PhoneCall, **news: Any) -> None:
    """Seal more beside what is known of a call. Raises SealBroken rather than lose what it cannot read."""
    sealed = act.config.sealer.unseal(call.sealed, bound_call(call.id)) if call.sealed else b"{}"
    keep_details(act, call, orjson.loads(sealed) | news)


def phone_of(act: ServiceAct, details: Details) -> GivenPhone:
    """The caller's number, as the place reads it."""
    return read_phone(details.get("from"), act.config.place.area_code)


def end(act: ServiceAct, call: PhoneCall, ending: CallEnding) -> None:
    """Nobody has to ring back. Nothing is left by which another call of the same person could be told."""
    if call.missed_since and call.ended_at is None:
        call.ended_at, call.ending = act.now, ending.value
    call.caller = None


def is_open(call: PhoneCall) -> bool:
    """Whether somebody has to ring back."""
    return call.missed_since is not None and call.ended_at is None


async def end_theirs(
    act: ServiceAct, digest: bytes | None, ending: CallEnding, *, until: datetime | None = None
) -> None:
    """A person's missed calls need not be rung back: all, or those of before a moment. What was said of that
    moment may come late, and a call missed after it is none of them.
    """
    if digest is None:
        return
    theirs = select(PhoneCalls).where(PhoneCalls.caller == digest, *OPEN)
    for call in await locked_calls(act, theirs.order_by(col(PhoneCalls.id))):
        rang_at = call.began_at or call.hung_up_at or call.heard_at
        if is_open(call) and (until is None or rang_at <= until):
            end(act, call, ending)


def drop_draft(act: ServiceAct, call: PhoneCall) -> None:
    """The agent's draft is needed no more."""
    if call.drafted_at:
        add_details(act, call, draft=None)
        call.drafted_at = None


async def tie(act: ServiceAct, numbers: Mapping[UUID, str]) -> None:
    """Tickets were made of calls: each keeps the number of its first ticket, and its draft goes. Of one call
    only one, or its row would tell that two tickets are one person's.
    """
    query = select(PhoneCalls).where(one_of(PhoneCalls.id, numbers)).order_by(col(PhoneCalls.id))
    for call in await locked_calls(act, query):
        call.number = call.number or numbers[call.id]
        drop_draft(act, call)
        end(act, call, CallEnding.REGISTERED)
