"""Attempts are planned: the first of a callback, the next after a miss, and those about a promise that came
to its end (R-19, R-23, R-24).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid6

from services.feedback.models import Attempt, Callback, Resolution
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import machine, planning
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import Outcome
from shared.events import CallbackAbout, CallbackPlanned, TicketType


def plan_first(act: ServiceAct, record: TicketRecord, round: int) -> None:
    """Plan the first attempt; a later completion of the round moves one that is still planned."""
    completed = record.resolutions[round].completed_at
    finish_due = act.config.policy.finish_due(completed, act.config.calendar)
    callback = record.callbacks.get(round)
    if callback is None:
        callback = act.rows.add(_new_callback(record.resolutions[round], finish_due))
        record.callbacks[round] = callback
    elif callback.status == CallbackStatus.PLANNED:
        callback.move(Action.PLAN)
        callback.finish_due = finish_due
    else:
        return
    due = planning.first_attempt(completed, act.config.times)
    if record.ticket.withdrawn_at is None and record.ticket.ended_round < round:
        _plan_attempt(act, record, callback, due)
    else:
        _keep_attempt(act, record, callback, due)
        callback.move(Action.CANCEL)


def plan_promise(act: ServiceAct, record: TicketRecord, round: int) -> bool:
    """Ask whether a promise was kept, once it came to its end; answers whether the citizen will be called.

    A first callback that is still open asks of both; where one asked of the promise nobody asks again. Of a
    round that is not the last, or was withdrawn, and of whom is called in no case, nobody asks.
    """
    ticket, resolution = record.ticket, record.resolutions[round]
    spared = act.config.policy.closes_at_once(
        TicketType(ticket.type),
        has_contact=ticket.has_contact,
        reply_declined=ticket.reply_declined,
    )
    over = ticket.withdrawn_at is not None or max(ticket.ended_round, ticket.round - 1) >= round
    if resolution.promise_ended_at is None or spared or over:
        return False
    first, second = record.callbacks.get(round), record.promises.get(round)
    if second or (first and first.status in machine.OPEN):
        return (second or first) in record.open_callbacks()
    if first and record.asked_of_promise(first):
        return False
    since = max(resolution.promise_ended_at, resolution.ended_at or resolution.promise_ended_at)
    finish_due = act.config.policy.finish_due(since, act.config.calendar)
    callback = act.rows.add(_new_callback(resolution, finish_due, CallbackAbout.PROMISE))
    record.promises[round] = callback
    _plan_attempt(act, record, callback, planning.first_attempt(since, act.config.times))
    return True


def _new_callback(
    resolution: Resolution, finish_due: datetime, about: CallbackAbout = CallbackAbout.ANSWER
) -> Callback:
    return Callback(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=resolution.number,
        round=resolution.round,
        status=CallbackStatus.PLANNED,
        attempt=1,
        finish_due=finish_due,
        about=about,
    )


def plan_next(act: ServiceAct, record: TicketRecord, callback: Callback) -> None:
    """Plan the attempt after a miss, at another time of day (R-24). A wrong number was no try."""
    tried = [
        attempt.asked_at or attempt.due
        for attempt in record.attempts[callback.id]
        if attempt.outcome != Outcome.WRONG_NUMBER
    ]
    callback.attempt += 1
    due = planning.next_attempt(tried, act.now, act.config.times)
    _plan_attempt(act, record, callback, due)


def _plan_attempt(act: ServiceAct, record: TicketRecord, callback: Callback, due: datetime) -> None:
    _keep_attempt(act, record, callback, due)
    callback.wait_for("fall_due", due)
    callback.failed_asks = 0
    about = record.about_now(act.config, callback)
    act.tell(
        CallbackPlanned(attempt=callback.attempt, due=due, about=about),
        subject=callback.number,
        round=callback.round,
    )


def _keep_attempt(act: ServiceAct, record: TicketRecord, callback: Callback, due: datetime) -> None:
    planned = record.attempt(callback, callback.attempt)
    if planned:
        planned.due = due
        return
    attempt = Attempt(callback=callback.id, attempt=callback.attempt, due=due)
    record.attempts[callback.id].append(act.rows.add(attempt))
