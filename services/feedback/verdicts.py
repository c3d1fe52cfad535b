"""来电评价、重办: what the citizen says without being called, and what the upstream platform returns.

The verdict is the citizen's at any moment after the answer; who closes and reopens is feedback alone
(ADR 0006, 0045).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import uuid6

from services.feedback import records, usecases
from services.feedback.models import Attempt, Callback
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import hearing, machine, verdict
from services.feedback.rules.hearing import Kept, RoundFound
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened, Report
from services.feedback.schemas import AnswersOut, ReopeningIn, VerdictIn, VerdictOut
from shared.errors import NotFound
from shared.events import CallbackAbout


async def give_verdict(act: ServiceAct, number: str, body: VerdictIn) -> VerdictOut:
    """评价: the citizen rang and said what came of it; it counts as the answer of a callback.

    Raises NotFound, NothingToJudge, AlreadyJudged, NotReopened, AnswersMissing.
    """
    record = await _locked(act, number)
    report = Report(Outcome.ANSWERED, body.answers(), body.comment)
    return _heard(act, record, report)


async def reopen(act: ServiceAct, number: str, body: ReopeningIn) -> VerdictOut:
    """重办: by the citizen, who says it is not solved, or by the platform it came from.

    Raises NotFound, NothingToJudge, NotReopened.
    """
    record, reason = await _locked(act, number), body.reason
    if body.by == "citizen":
        return _heard(act, record, Report(Outcome.ANSWERED, Answers(solved="no"), reason))
    round = record.ticket.round
    decided = hearing.return_upstream(_found(act, record, round), act.now)
    usecases.cancel_open(record)
    usecases.end_round(act, record, round, decided, reason)
    return _shown(act, record, round)


async def _locked(act: ServiceAct, number: str) -> TicketRecord:
    record = await records.find_locked(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return record


def _heard(act: ServiceAct, record: TicketRecord, report: Report) -> VerdictOut:
    round = record.ticket.round
    answers = report.answers or Answers()
    found = _found(act, record, round)
    if _repeats(record, round, report):
        return _shown(act, record, round)
    decided = hearing.hear(found, answers, act.now)
    callback = _callback(record, round) or _uncalled(act, record, round)
    match decided:
        case Kept():
            callback.keep(answers.after(found.said))
        case Closed() | Reopened():
            _settle(act, record, callback, report, decided)
    return _shown(act, record, round)


def _settle(
    act: ServiceAct,
    record: TicketRecord,
    callback: Callback,
    report: Report,
    decided: Closed | Reopened,
) -> None:
    """End the round as the citizen wants it. A verdict that stands is not written over: who was content
    on Monday and rings on Friday was content on Monday. That nobody was reached is.
    """
    if callback.status == CallbackStatus.ANSWERED:
        usecases.end_round(act, record, callback.round, decided, report.comment)
        return
    answers = (report.answers or Answers()).after(callback.answers())
    callback.keep(answers)
    callback.move(Action.HEAR)
    attempt = _attempt_of(act, record, callback)
    attempt.write(report, act.now, act.actor)
    attempt.by_citizen = True
    attempt.about = attempt.about or record.about_now(act.config, callback)
    if callback.about != CallbackAbout.PROMISE:
        record.resolutions[callback.round].ending = None
    usecases.settle(act, record, callback, attempt, decided)


def _attempt_of(act: ServiceAct, record: TicketRecord, callback: Callback) -> Attempt:
    """The attempt that need not be made any more, or one more when all were."""
    current = record.attempt(callback, callback.attempt)
    if current and current.outcome is None:
        return current
    callback.attempt = 1 + max(
        (each.attempt for each in record.attempts[callback.id]), default=callback.attempt - 1
    )
    attempt = Attempt(callback=callback.id, attempt=callback.attempt, due=act.now)
    record.attempts[callback.id].append(act.rows.add(attempt))
    return attempt


def _uncalled(act: ServiceAct, record: TicketRecord, round: int) -> Callback:
    """A round that was to have no callback has one after all: the citizen made it."""
    resolution = record.resolutions[round]
    callback = Callback(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=resolution.number,
        round=round,
        status=CallbackStatus.CANCELLED,
        attempt=1,
        finish_due=act.now,
    )
    record.callbacks[round] = act.rows.add(callback)
    return callback


def _callback(record: TicketRecord, round: int) -> Callback | None:
    """The callback a citizen who rings speaks to: that about the promise, until it was answered."""
    promise = record.promises.get(round)
    waits = promise and promise.status in (*machine.OPEN, CallbackStatus.GIVEN_UP)
    return promise if waits else record.callbacks.get(round)


def _last(record: TicketRecord, round: int) -> Callback | None:
    """The callback that asked last."""
    promise = record.promises.get(round)
    asked = promise and promise.status != CallbackStatus.CANCELLED
    return promise if asked else record.callbacks.get(round)


def _found(act: ServiceAct, record: TicketRecord, round: int) -> RoundFound:
    """The round as a call finds it; one whose promise waits for an answer has no end that stands."""
    resolution, callback = record.resolutions.get(round), _callback(record, round)
    of_promise = callback is not None and callback is record.promises.get(round)
    ended = None if callback in record.open_callbacks() else _ended(record, round)
    return RoundFound(
        number=record.ticket.number,
        completed=resolution is not None,
        withdrawn=record.ticket.withdrawn_at is not None,
        ending=verdict.ending_on_record(resolution.ending)
        if resolution and not of_promise
        else None,
        until=_until(act, ended) if ended else None,
        said=callback.answers() if callback else None,
        about=record.about_now(act.config, callback) if callback else CallbackAbout.ANSWER,
    )


def _ended(record: TicketRecord, round: int) -> datetime | None:
    """When a round ended, or was asked of for the last time."""
    resolution, promise = record.resolutions.get(round), record.promises.get(round)
    asked = promise and promise.settled_by and record.attempt(promise, promise.settled_by)
    last = asked.reported_at if asked else None
    return last or (resolution.ended_at if resolution else None)


def _until(act: ServiceAct, ended: datetime) -> datetime:
    until = act.config.policy.reopen_until(ended, act.config.calendar)
    return until.astimezone(act.config.times.timezone)


def _repeats(record: TicketRecord, round: int, report: Report) -> bool:
    """Whether just this was heard of the round that ended, by the same words."""
    callback = _last(record, round)
    if callback is None or callback.settled_by is None:
        return False
    attempt = record.attempt(callback, callback.settled_by)
    return attempt is not None and attempt.by_citizen and attempt.report() == report


def _about(act: ServiceAct, record: TicketRecord, callback: Callback | None) -> CallbackAbout:
    """What was judged: as it was asked, or as it would be now."""
    if callback is None:
        return CallbackAbout.ANSWER
    attempt = record.attempt(callback, callback.settled_by or callback.attempt)
    return attempt.asked if attempt and attempt.about else record.about_now(act.config, callback)


def _shown(act: ServiceAct, record: TicketRecord, round: int) -> VerdictOut:
    callback, resolution = _last(record, round), record.resolutions[round]
    about = _about(act, record, callback)
    said = (callback.answers() if callback else None) or Answers()
    waits = callback in record.open_callbacks()
    ending = None if waits else verdict.ending_on_record(resolution.ending)
    return VerdictOut(
        number=record.ticket.number,
        round=round,
        ending=ending,
        current_round=record.ticket.round,
        said=AnswersOut.model_validate(said, from_attributes=True),
        missing=[] if ending else list(said.missing_about(about)),
        about=about,
    )
