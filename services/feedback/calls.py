"""Asking the phone system: what falls due is claimed and asked for, silence expires.

The jobs ask in between, outside any transaction. Without a phone system a callback that fell due
waits for call-back staff.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, or_, select

from services.feedback import phone, records, usecases
from services.feedback.models import Attempt, Callback, Ticket
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import planning
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import Closed, Outcome, Report
from services.feedback.settings import Config
from shared.events import CallbackGivenUp, ClosingKind
from shared.observability import log

# Of wall clock; past it whoever claimed a call has died, for asking takes no longer.
LEASE = 2 * timedelta(seconds=phone.ASK_WITHIN)


async def claim_calls(act: ServiceAct, limit: int, real: datetime) -> tuple[int, list[phone.Call]]:
    """Let callbacks fall due and claim the calls to ask for; answers how many moved, and those.

    Nothing happens outside the calling windows. A claimed call is ours for LEASE of wall clock;
    then it may be asked for again, under the same webhook id.
    """
    if planning.opening(act.now, act.config.times) > act.now:
        return 0, []
    claimed = await _claim(act, ("fall_due", "ask"), limit, real)
    calls = []
    for ticket, callback in claimed:
        if callback.next_step == "fall_due":
            callback.move(Action.FALL_DUE)
        if act.config.settings.phone_system_url is None:
            callback.rest()
            continue
        callback.wait_for("ask", act.now)
        callback.lease_ends_at = real + LEASE
        calls.append(_call(act.config, ticket, callback))
    return len(claimed), calls


def _call(config: Config, ticket: Ticket, callback: Callback) -> phone.Call:
    return phone.Call(
        callback=callback.id,
        number=ticket.number,
        round=callback.round,
        attempt=callback.attempt,
        person=records.needs_person(config, ticket, callback),
    )


async def record_asks(act: ServiceAct, asked: Mapping[phone.Call, phone.AskFailed | None]) -> None:
    """Note which calls the phone system took, and why it did not take the others.

    The outcome may have come in meanwhile: then nobody waits for it any more.
    """
    for call, failure in sorted(asked.items(), key=lambda item: item[0].number):
        record = await records.locked(act, call.number)
        callback = record.callbacks[call.round]
        waits = callback.status == CallbackStatus.DUE and callback.attempt == call.attempt
        if failure is None:
            tried = await act.session.get_one(Attempt, (call.callback, call.attempt))
            tried.asked_at = act.now
            if waits:
                callback.wait_for("expire", act.now + act.config.outcome_within)
        elif waits:
            await _note_failure(act, record, callback, failure)


async def _note_failure(
    act: ServiceAct, record: TicketRecord, callback: Callback, failure: phone.AskFailed
) -> None:
    """Ask again later; but hand a contact nobody can open to staff, and end without an erased one."""
    log.warning("call not asked", ticket=callback.number, why=str(failure))
    callback.failed_asks += 1
    if isinstance(failure, phone.ContactErased):
        record.ticket.has_contact = False
        callback.move(Action.GIVE_UP)
        callback.rest()
        given_up = CallbackGivenUp(outcome="unreachable", attempts=callback.attempt)
        act.tell(given_up, subject=callback.number, round=callback.round)
        await usecases.end_round(act, record, callback.round, Closed(ClosingKind.NO_CONTACT))
    elif isinstance(failure, phone.ContactUnreadable):
        callback.rest()
    else:
        callback.wait_for("ask", act.now + planning.ask_again_after(callback.failed_asks))


async def expire_calls(act: ServiceAct, limit: int, real: datetime) -> int:
    """Count asked calls nobody reported on as not answered; answers how many."""
    claimed = await _claim(act, ("expire",), limit, real)
    locked = await records.records_of(act, [ticket for ticket, _ in claimed])
    for ticket, callback in claimed:
        attempt = await act.session.get_one(Attempt, (callback.id, callback.attempt))
        expired = Report(Outcome.EXPIRED)
        await usecases.apply_report(act, locked[ticket.number], callback, attempt, expired)
    return len(claimed)


# --- what is due -------------------------------------------------------------------------------


async def _claim(
    act: ServiceAct, steps: Collection[str], limit: int, real: datetime
) -> Sequence[tuple[Ticket, Callback]]:
    """Callbacks whose next step is due and that nobody else works on, held for this act.

    Both rows are locked: the ticket as the lock everybody takes, the callback so that its values
    are those after the lock.
    """
    query = (
        select(Ticket, Callback)
        .join(Callback, col(Callback.number) == col(Ticket.number))
        .where(
            col(Callback.next_step).in_(steps),
            col(Callback.next_at) <= act.now,
            or_(col(Callback.lease_ends_at).is_(None), col(Callback.lease_ends_at) <= real),
        )
        .order_by(col(Callback.next_at), col(Callback.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await act.session.exec(query)).all()


async def _next_moment(act: ServiceAct, steps: Collection[str]) -> datetime | None:
    """When the next of these steps is due; a call that is being asked for counts as due."""
    query = select(func.min(col(Callback.next_at))).where(col(Callback.next_step).in_(steps))
    moment: datetime | None = (await act.session.exec(query)).one()
    return moment


async def next_expiry(act: ServiceAct) -> datetime | None:
    """When the next asked call expires."""
    return await _next_moment(act, ("expire",))


async def next_call(act: ServiceAct) -> datetime | None:
    """When there is next a call to make, inside the calling windows."""
    moment = await _next_moment(act, ("fall_due", "ask"))
    return moment and planning.opening(max(moment, act.now), act.config.times)
