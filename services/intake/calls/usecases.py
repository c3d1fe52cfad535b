"""来电 Calls of the exchange: who is on the line, what the agent notes, whom to ring back (R-46).

A call is no ticket, and nothing of it is told as a fact. What the exchange says may come in any order and
any number of times.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, func, select

from services.intake import callers, readlog
from services.intake.callers import CallerLookup
from services.intake.calls.models import PhoneCall, PhoneCalls
from services.intake.calls.records import (
    LOCK,
    add_details,
    details_of,
    drop_draft,
    end,
    end_theirs,
    is_open,
    keep_details,
    locked_call,
    locked_calls,
    phone_of,
)
from services.intake.calls.schemas import (
    CallHeard,
    CallOut,
    CallReport,
    Draft,
    Shown,
    Transcript,
)
from services.intake.claims import Registration
from services.intake.records import ServiceAct
from services.intake.rules.calls import CallEnding, CallEvent, earlier
from shared.errors import NotFound

RINGING = (
    col(PhoneCalls.answered_at).is_(None),
    col(PhoneCalls.hung_up_at).is_(None),
    col(PhoneCalls.missed_since).is_(None),
    col(PhoneCalls.number).is_(None),
)

# --- what the exchange says --------------------------------------------------------------------

BEGIN = text("""
    INSERT INTO phone_call (id, sealed, heard_at) VALUES (:id, '', :now)
    ON CONFLICT DO NOTHING""")


async def hear(act: ServiceAct, body: CallReport) -> CallHeard:
    """Take what the exchange says of a call, and give the agent's screen a pop id while it lasts."""
    id = act.config.digester.call_id(body.id)
    await (await act.session.connection()).execute(BEGIN, {"id": id, "now": act.now})
    call = await locked_call(act, id)
    if call is None:  # erased this very moment: it was over a month ago
        raise NotFound("没有此通话 no such call")
    known = details_of(act, call)
    given = {"id": body.id, "from": body.from_, "to": body.to}
    lacks = {name for name in given if not known.get(name)}
    if not phone_of(act, known).contact:  # a number that was withheld may come late
        lacks.add("from")
    news = {name: value for name, value in given.items() if value and name in lacks}
    if news and (known or not call.sealed):  # else its key is away, and comes back perhaps
        keep_details(act, call, known | news)
    _note(call, body.event, body.at or act.now)
    call.agent = body.agent or call.agent
    await _judge(act, call)
    pop = _give_pop(act, call) if call.hung_up_at is None else None
    return CallHeard(call=id, pop=pop, missed=is_open(call))


def _give_pop(act: ServiceAct, call: PhoneCall) -> str:
    """The pop id for the agent's screen: the same until it was opened or is too old. The exchange may say
    that a call was answered before the screen has asked.
    """
    details = details_of(act, call)
    pop: str = details.get("pop", "")
    if not _stands(act, call) or call.pop != _pop_digest(act, pop):
        pop = secrets.token_urlsafe(16)
        if details:  # else its key is away: then each report gives another
            keep_details(act, call, details | {"pop": pop})
    call.pop, call.pop_until = _pop_digest(act, pop), act.config.calls.pop_until(act.now)
    return pop


def _pop_digest(act: ServiceAct, pop: str) -> bytes:
    return act.config.digester.digest("call pop", pop.encode())


def _stands(act: ServiceAct, call: PhoneCall) -> bool:
    return call.pop is not None and call.pop_until is not None and act.now < call.pop_until


def _note(call: PhoneCall, event: CallEvent, at: datetime) -> None:
    match event:
        case CallEvent.NEW:
            call.began_at = earlier(call.began_at, at)
        case CallEvent.ANSWERED:
            call.answered_at = earlier(call.answered_at, at)
        case CallEvent.HUNG_UP:
            call.hung_up_at = earlier(call.hung_up_at, at)


async def _judge(act: ServiceAct, call: PhoneCall) -> None:
    """Whether a call is missed, from everything known of it."""
    digest = _caller(act, call)
    if call.answered_at:
        end(act, call, CallEnding.ANSWERED)
        await end_theirs(act, digest, CallEnding.CALLED_AGAIN, until=call.answered_at)
    elif call.number is None:
        if digest and call.ending == CallEnding.WITHHELD:  # its number was heard of only now
            call.ended_at = call.ending = None
        if call.ended_at is None:
            call.caller = digest
            if call.hung_up_at:
                _miss(act, call)


def _caller(act: ServiceAct, call: PhoneCall) -> bytes | None:
    """By which calls of one person are told while they are to be rung back: a key of its own."""
    contact = phone_of(act, details_of(act, call)).contact
    return act.config.digester.digest("missed caller", contact.encode())[:16] if contact else None


def _miss(act: ServiceAct, call: PhoneCall) -> None:
    call.missed_since = call.missed_since or call.heard_at
    if call.caller is None:
        end(act, call, CallEnding.WITHHELD)


async def miss_unanswered(act: ServiceAct, limit: int) -> int:
    """Count calls as missed that nobody answered and of which nothing more was heard; how many."""
    before = act.config.calls.missed_since(act.now)
    late = select(PhoneCalls).where(col(PhoneCalls.heard_at) <= before, *RINGING)
    rows = await locked_calls(act, late.order_by(col(PhoneCalls.id)).limit(limit))
    for call in rows:
        if not is_open(call) and call.ended_at is None:
            _miss(act, call)
    return len(rows)


async def next_unanswered(act: ServiceAct) -> datetime | None:
    """When the oldest ringing call counts as missed."""
    oldest = (await act.session.exec(select(func.min(PhoneCalls.heard_at)).where(*RINGING))).one()
    return oldest + act.config.calls.missed_after if oldest else None


# --- the agent's screen ------------------------------------------------------------------------


async def open_pop(act: ServiceAct, pop: str) -> Shown:
    """Who is on the line, once, for the agent it rings at. Raises NotFound for whatever is not: used,
    too late, another's.
    """
    query = select(PhoneCalls).where(PhoneCalls.pop == _pop_digest(act, pop))
    call = next((one for one in await locked_calls(act, query) if _stands(act, one)), None)
    if call is None or not _claim(act, call):
        raise NotFound("弹屏编号无效、已用过或已过期 this pop id is unknown, used or too old")
    call.pop = call.pop_until = None
    return await show(act, call, "来电弹屏 the caller rings")


def _claim(act: ServiceAct, call: PhoneCall) -> bool:
    """Whether a call is the caller's to see: the desk's, and the agent's whose it is. The agent who comes
    first to one that nobody has takes it.
    """
    caller = act.caller
    if caller is None or caller.role == "desk":
        return caller is not None
    if caller.role == "agent" and call.agent is None:
        call.agent = caller.name
    return caller.role == "agent" and call.agent == caller.name


async def show(act: ServiceAct, call: PhoneCall, reason: str) -> Shown:
    """Who it is and which tickets are theirs; on record."""
    details = details_of(act, call)
    phone = phone_of(act, details)
    asked = CallerLookup(phone=details.get("from"), reason=reason)
    return Shown(
        call=call.id,
        phone=phone.contact,
        phone_given=phone.given if phone.given != phone.contact else None,
        tickets=await callers.lookup(act, asked),
    )


async def read(act: ServiceAct, id: UUID) -> CallOut:
    """A call with draft and transcript, for whose it is. Raises NotFound."""
    call = await _own(act, id)
    details = details_of(act, call)
    if act.caller and act.caller.name != call.agent:
        await readlog.log_lookup(act, [], f"通话草稿 draft of call {id}")
    return CallOut(
        call=id,
        agent=call.agent,
        began_at=call.began_at,
        answered_at=call.answered_at,
        hung_up_at=call.hung_up_at,
        number=call.number,
        draft=Draft.model_validate(details["draft"]) if details.get("draft") else None,
        transcript=details.get("transcript"),
    )


async def _own(act: ServiceAct, id: UUID) -> PhoneCall:
    call = await locked_call(act, id)
    if call is None or not _claim(act, call):
        raise NotFound("没有您的此通话 no such call of yours")
    return call


async def put_draft(act: ServiceAct, id: UUID, body: Draft) -> CallOut:
    """Keep what the agent has noted so far, in the place of what was noted before. Raises NotFound."""
    call = await _own(act, id)
    add_details(act, call, draft=body.model_dump(mode="json", exclude_unset=True))
    call.drafted_at = act.now
    return await read(act, id)


async def remove_draft(act: ServiceAct, id: UUID) -> None:
    """The draft is needed no more: the caller was answered, or it came to nothing. Raises NotFound."""
    drop_draft(act, await _own(act, id))


async def put_transcript(act: ServiceAct, id: UUID, body: Transcript) -> None:
    """Keep what speech recognition heard. Raises NotFound."""
    call = await locked_call(act, id)
    if call is None:
        raise NotFound("没有此通话 no such call")
    add_details(act, call, transcript=body.content)


async def with_call(act: ServiceAct, item: Registration) -> Registration:
    """A complaint with the call it was made of, if that is known, and its number where none was given."""
    id = item.body.call
    found = select(PhoneCalls).where(PhoneCalls.id == id)
    call = (await act.session.exec(found)).first()
    if call is None:
        return item
    phone = item.phone if item.phone.given else phone_of(act, details_of(act, call))
    return replace(item, call=id, phone=phone)


# --- keeping -----------------------------------------------------------------------------------

FORGET = text("""
    DELETE FROM phone_call WHERE id IN (
        SELECT id FROM phone_call WHERE heard_at < :before
            AND (missed_since IS NULL OR ended_at IS NOT NULL)
            AND (missed_since IS NOT NULL OR answered_at IS NOT NULL OR number IS NOT NULL)
        ORDER BY heard_at LIMIT :limit FOR UPDATE SKIP LOCKED)""")


async def forget(act: ServiceAct, limit: int) -> int:
    """Erase calls that were kept long enough (PIPL 19), drafts too; never one whose caller is still to be
    rung back. Returns how many.
    """
    connection = await act.session.connection()
    await connection.execute(LOCK)
    values = {"before": act.config.keep_calls.before(act.now), "limit": limit}
    return (await connection.execute(FORGET, values)).rowcount
