"""Asking the phone system: what falls due is claimed and asked for, silence expires.

The jobs ask in between, outside any transaction. Without a phone system a callback that fell due
waits for call-back staff.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, or_, select

from services.feedback import models, phone, records, usecases
from services.feedback.models import Callback, Callbacks, Ticket, Tickets
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import planning
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import Answers, Closed, Outcome, Report
from services.feedback.settings import Config
from shared.events import CallbackAbout, CallbackGivenUp, ClosingKind
from shared.observability import log
from shared.storage.rows import one_of

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
    for record, callback in claimed:
        if callback.step == "fall_due":
            _fall_due(act, record, callback)
        if act.config.settings.phone_system_url is None:
            callback.rest()
            continue
        callback.wait_for("ask", act.now)
        callback.lease_ends_at = real + LEASE
        calls.append(_call(act.config, record, callback))
    return len(claimed), calls


def _fall_due(act: ServiceAct, record: TicketRecord, callback: Callback) -> None:
    """From here on it is known what this attempt asks. What was answered to other questions before is not
    taken for an answer to these; whether the unit contacted the citizen is the same in all.
    """
    callback.move(Action.FALL_DUE)
    attempt, before = (record.attempt(callback, callback.attempt - n) for n in (0, 1))
    if attempt is None:
        raise AssertionError(f"attempt {callback.attempt} of {callback.id} was never planned")
    attempt.about = record.about_now(act.config, callback)
    if attempt.about == CallbackAbout.BOTH and (before is None or before.about != attempt.about):
        callback.keep(Answers(contacted=(callback.answers() or Answers()).contacted))


def _call(config: Config, record: TicketRecord, callback: Callback) -> phone.Call:
    ticket, attempt = record.ticket, record.attempt(callback, callback.attempt)
    return phone.Call(
        callback=callback.id,
        number=ticket.number,
        round=callback.round,
        attempt=callback.attempt,
        person=records.needs_person(config, ticket, callback),
        matter=ticket.asked_of,
        about=attempt.asked if attempt else CallbackAbout.ANSWER,
        promised_on=record.resolutions[callback.round].promised_on,
    )


async def record_asks(act: ServiceAct, asked: Mapping[phone.Call, phone.AskFailed | None]) -> None:
    """Note which calls the phone system took, and why it did not take the others.

    The outcome may have come in meanwhile: then nobody waits for it any more.
    """
    for call, failure in sorted(asked.items(), key=lambda item: item[0].number):
        record = await records.locked(act, call.number)
        callback = record.callback(call.callback)
        waits = callback.status == CallbackStatus.DUE and callback.attempt == call.attempt
        if failure is None:
            if tried := record.attempt(callback, call.attempt):
                tried.asked_at = act.now
            if waits:
                callback.wait_for("expire", act.now + act.config.outcome_within)
        elif waits:
            _note_failure(act, record, callback, failure)


def _note_failure(
    act: ServiceAct, record: TicketRecord, callback: Callback, failure: phone.AskFailed
) -> None:
    """Ask again later; but hand a contact nobody can open to staff, and end without an erased one."""
    log.warning("call not asked", ticket=callback.number, why=str(failure))
    callback.failed_asks += 1
    if isinstance(failure, phone.ContactErased):
        record.ticket.has_contact = False
        callback.move(Action.GIVE_UP)
        callback.rest()
        tried = record.attempt(callback, callback.attempt)
        about = tried.asked if tried else CallbackAbout.ANSWER
        given_up = CallbackGivenUp(outcome="unreachable", attempts=callback.attempt, about=about)
        act.tell(given_up, subject=callback.number, round=callback.round)
        usecases.conclude(act, record, callback, Closed(ClosingKind.NO_CONTACT))
    elif isinstance(failure, phone.ContactUnreadable):
        callback.rest()
    else:
        callback.wait_for("ask", act.now + planning.ask_again_after(callback.failed_asks))


async def expire_calls(act: ServiceAct, limit: int, real: datetime) -> int:
    """Count asked calls nobody reported on as not answered, and give up who had no right number until
    the round should have been finished; answers how many.
    """
    claimed = await _claim(act, ("expire", "lapse"), limit, real)
    for record, callback in claimed:
        if callback.step == "lapse":
            callback.move(Action.LAPSE)
            usecases.settle(act, record, callback, record.attempts[callback.id][-1])
        else:
            expired = Report(Outcome.EXPIRED)
            usecases.apply_report(act, record, callback, callback.attempt, expired)
    return len(claimed)


# --- what is due -------------------------------------------------------------------------------


async def _claim(
    act: ServiceAct, steps: Collection[str], limit: int, real: datetime
) -> Sequence[tuple[TicketRecord, Callback]]:
    """Callbacks whose next step is due and that nobody else works on, held for this act.

    Both rows are locked: the ticket as the lock everybody takes, the callback so that it is still
    due behind the lock.
    """
    query = (
        select(Tickets.number, Callbacks.id)
        .join(Callbacks, col(Callbacks.number) == col(Tickets.number))
        .where(
            col(Callbacks.next_step).in_(models.steps(*steps)),
            col(Callbacks.next_at) <= act.now,
            or_(col(Callbacks.lease_ends_at).is_(None), col(Callbacks.lease_ends_at) <= real),
        )
        .order_by(col(Callbacks.next_at), col(Callbacks.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = (await act.session.exec(query)).all()
    mine = select(Tickets).where(one_of(Tickets.number, {number for number, _ in claimed}))
    locked = await records.records_of(act, await act.rows.load(Ticket, mine))
    return [(locked[number], locked[number].callback(id)) for number, id in claimed]


async def _next_moment(act: ServiceAct, steps: Collection[str]) -> datetime | None:
    """When the next of these steps is due; a call that is being asked for counts as due."""
    query = select(func.min(col(Callbacks.next_at))).where(
        col(Callbacks.next_step).in_(models.steps(*steps))
    )
    moment: datetime | None = (await act.session.exec(query)).one()
    return moment


async def next_expiry(act: ServiceAct) -> datetime | None:
    """When the next asked call expires, or the next callback without a right number ends."""
    return await _next_moment(act, ("expire", "lapse"))


async def next_call(act: ServiceAct) -> datetime | None:
    """When there is next a call to make, inside the calling windows."""
    moment = await _next_moment(act, ("fall_due", "ask"))
    return moment and planning.opening(max(moment, act.now), act.config.times)
