"""What feedback does: load, decide, save, tell. One function per fact heard, outcome or tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import assert_never
from uuid import UUID

import uuid6

from services.feedback import queries
from services.feedback.models import Attempt, Callback, Message, Resolution, Ticket
from services.feedback.phone import Call
from services.feedback.queries import Case, FeedbackAct
from services.feedback.rules import machine, messages, planning, verdict
from services.feedback.rules.machine import Action, State
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened
from services.feedback.schemas import CallbackOut, OutcomeIn
from shared.crypto import mask_patterns
from shared.errors import MoveRefused, TooEarly
from shared.events import (
    AssignmentDispatched,
    CallbackAnswered,
    CallbackGivenUp,
    CallbackPlanned,
    CitizenTold,
    ClosingKind,
    ExtensionGranted,
    Fact,
    Role,
    TicketClosed,
    TicketRegistered,
    TicketReopened,
    TicketResolved,
    TicketType,
)
from shared.observability import log

LEASE = timedelta(seconds=60)
ASK_AGAIN_FIRST = timedelta(minutes=1)
ASK_AGAIN_CAP = timedelta(minutes=30)

# --- facts -------------------------------------------------------------------------------------


async def remember_ticket(act: FeedbackAct, fact: Fact) -> None:
    """A ticket was registered: the citizen is told its number (JN-15)."""
    data: TicketRegistered = fact.data
    if await act.session.get(Ticket, fact.subject):
        return
    ticket = Ticket(
        number=fact.subject,
        ticket_type=data.ticket_type,
        channel=data.channel,
        has_contact=data.has_contact,
        reply_declined=data.reply_declined,
    )
    act.session.add(ticket)
    await act.session.flush()
    await _inform(act, ticket, 1, "accepted")


async def tell_who_handles(act: FeedbackAct, fact: Fact) -> None:
    """A lead got the ticket. The citizen hears it once a round, not of each re-dispatch."""
    data: AssignmentDispatched = fact.data
    if data.role is Role.LEAD:
        ticket = await queries.held_ticket(act, fact.subject)
        unit = act.config.unit_names.get(data.lead, data.lead)
        await _inform(act, ticket, fact.round, "dispatched", unit=unit)


async def tell_new_date(act: FeedbackAct, fact: Fact) -> None:
    """An extension was granted: the citizen is told the new date (BJ-15)."""
    data: ExtensionGranted = fact.data
    ticket = await queries.held_ticket(act, fact.subject)
    on = data.due.astimezone(act.config.times.timezone).date()
    await _inform(act, ticket, fact.round, "extended", which=str(data.extension), on=on)


async def remember_supervision(act: FeedbackAct, fact: Fact) -> None:
    """A supervised matter is called back by a person (policy.yaml ``human_call_required_for``)."""
    ticket = await queries.held_ticket(act, fact.subject)
    ticket.supervised = True


async def cancel_callbacks(act: FeedbackAct, fact: Fact) -> None:
    """The citizen took the complaint back: nobody is called any more."""
    ticket = await queries.held_ticket(act, fact.subject)
    ticket.withdrawn = fact.time
    for callback in await queries.open_callbacks(act, ticket.number):
        _move(callback, Action.CANCEL)
        _rest(callback)


async def follow_up(act: FeedbackAct, fact: Fact) -> None:
    """The lead completed a round: plan the callback (R-23, R-24), or close at once.

    A ticket withdrawn before it was completed is closed by nobody. A completion of an older
    round, or one that a later completion of its round replaced, changes nothing.
    """
    ticket = await queries.held_ticket(act, fact.subject)
    resolution = await _record_resolution(act, ticket, fact)
    if resolution is None:
        log.info("ignored: not the completion in force", round=fact.round)
        return
    kind = verdict.closes_at_once(
        TicketType(ticket.ticket_type),
        has_contact=ticket.has_contact,
        reply_declined=ticket.reply_declined,
        not_for=act.config.policy.not_for,
    )
    if kind is None:
        await _inform(act, ticket, fact.round, "completed")
        await _plan_first(act, ticket, resolution)
    elif ticket.withdrawn is None or fact.time < ticket.withdrawn:
        await _close(act, ticket, resolution, kind)


async def _record_resolution(act: FeedbackAct, ticket: Ticket, fact: Fact) -> Resolution | None:
    """The round's resolution when this fact is the one in force, else None."""
    data: TicketResolved = fact.data
    if fact.round > ticket.round:
        raise TooEarly(f"round {fact.round} of {ticket.number} was not opened here yet")
    known = await act.session.get(Resolution, (ticket.number, fact.round))
    if known is None:
        known = Resolution(
            number=ticket.number,
            round=fact.round,
            seq=fact.seq,
            lead=data.lead,
            completed=fact.time,
        )
        act.session.add(known)
        await act.session.flush()
        return known
    if known.ending is not None or fact.seq <= known.seq:
        return None
    known.seq, known.lead, known.completed = fact.seq, data.lead, fact.time
    return known


# --- planning ----------------------------------------------------------------------------------


async def _plan_first(act: FeedbackAct, ticket: Ticket, resolution: Resolution) -> None:
    """Plan the first attempt; a later completion of the round moves one that is still planned."""
    finish_by = act.config.calendar.due(resolution.completed, act.config.policy.finish_within).at
    callback = await queries.callback_of_round(act, resolution.number, resolution.round)
    if callback is None:
        callback = _new_callback(resolution, finish_by)
        act.session.add(callback)
        await act.session.flush()
    elif callback.state == State.PLANNED:
        _move(callback, Action.PLAN)
        callback.finish_by = finish_by
    else:
        return
    due = planning.first_attempt(resolution.completed, act.config.times)
    if ticket.withdrawn is None:
        await _plan_attempt(act, callback, due)
    else:
        await _save_attempt(act, callback, due)
        _move(callback, Action.CANCEL)


def _new_callback(resolution: Resolution, finish_by: datetime) -> Callback:
    return Callback(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=resolution.number,
        round=resolution.round,
        state=State.PLANNED,
        attempt=1,
        finish_by=finish_by,
    )


async def _plan_next(act: FeedbackAct, case: Case) -> None:
    """Plan the attempt after a miss, at another time of day (R-24)."""
    before = await queries.attempts_of(act, [case.callback.id])
    tried = [attempt.asked or attempt.due for attempt in before]
    case.callback.attempt += 1
    due = planning.next_attempt(tried, act.now, act.config.times)
    await _plan_attempt(act, case.callback, due)


async def _plan_attempt(act: FeedbackAct, callback: Callback, due: datetime) -> None:
    await _save_attempt(act, callback, due)
    _wait_for(callback, "fall_due", due)
    callback.failed_asks = 0
    act.tell(
        CallbackPlanned(attempt=callback.attempt, due=due),
        subject=callback.number,
        round=callback.round,
    )


async def _save_attempt(act: FeedbackAct, callback: Callback, due: datetime) -> None:
    await act.session.merge(Attempt(callback=callback.id, attempt=callback.attempt, due=due))


def _move(callback: Callback, action: Action) -> None:
    callback.state = machine.move(State(callback.state), action)


def _wait_for(callback: Callback, step: str, at: datetime) -> None:
    callback.next_step, callback.next_at, callback.leased_until = step, at, None


def _rest(callback: Callback) -> None:
    """Nothing more for the clock to do: a person moves it on, or nobody."""
    callback.next_step = callback.next_at = callback.leased_until = None


# --- outcomes ----------------------------------------------------------------------------------


async def report_outcome(act: FeedbackAct, callback: UUID, body: OutcomeIn) -> CallbackOut:
    """回访结果: what came of an attempt. The same again changes nothing.

    Raises NotFound; MoveRefused for an attempt that was not planned, has another outcome, or a
    callback that is over. The outcome of an attempt that had expired is taken late.
    """
    case = await queries.held_case(act, callback)
    attempt = await act.session.get(Attempt, (callback, body.attempt))
    outcome, answers = Outcome(body.outcome), body.answers()
    comment = mask_patterns(body.comment)
    if attempt is None:
        raise _refused(case, outcome)
    if attempt.outcome is None or attempt.outcome == Outcome.EXPIRED:
        await _settle(act, case, attempt, outcome, answers, comment)
    elif not _is_same(attempt, outcome, answers, comment):
        raise _refused(case, outcome)
    await act.session.flush()
    return (await queries.views(act, [case.callback]))[0]


def _refused(case: Case, outcome: Outcome) -> MoveRefused:
    state = State(case.callback.state)
    return MoveRefused(outcome, state, [action.value for action in machine.MOVES[state]])


def _is_same(attempt: Attempt, outcome: Outcome, answers: Answers | None, comment: str) -> bool:
    return (attempt.outcome, _answers_of(attempt), attempt.comment) == (outcome, answers, comment)


def _answers_of(attempt: Attempt) -> Answers | None:
    if attempt.outcome != Outcome.ANSWERED:
        return None
    raw = {"contacted": attempt.contacted, "solved": attempt.solved, "satisfied": attempt.satisfied}
    return Answers(**raw)


async def _settle(
    act: FeedbackAct,
    case: Case,
    attempt: Attempt,
    outcome: Outcome,
    answers: Answers | None = None,
    comment: str = "",
) -> None:
    """Write an attempt's outcome down and move its callback by it."""
    action = verdict.action_for(outcome, attempt.attempt, act.config.times.max_attempts)
    was_missed = attempt.outcome == Outcome.EXPIRED
    if not (was_missed and action in (Action.MISS, Action.GIVE_UP)):
        _move(case.callback, action)
        await _follow(act, case, attempt.attempt, action, answers, comment)
    attempt.outcome, attempt.comment = outcome, comment
    attempt.reported, attempt.reported_by = act.now, act.actor
    if answers:
        attempt.contacted, attempt.solved = answers.contacted, answers.solved
        attempt.satisfied = answers.satisfied


async def _follow(
    act: FeedbackAct,
    case: Case,
    attempt: int,
    action: verdict.OutcomeAction,
    answers: Answers | None,
    comment: str,
) -> None:
    """Say what an outcome means for the callback and for the ticket."""
    if action is Action.MISS:
        await _plan_next(act, case)
        return
    _rest(case.callback)
    case.callback.settled_by = attempt
    match action:
        case Action.ANSWER:
            await _hear(act, case, _given(answers), comment)
        case Action.REFUSE:
            await _give_up(act, case, "refused", ClosingKind.REFUSED_CALLBACK)
        case Action.GIVE_UP:
            await _give_up(act, case, "unreachable", ClosingKind.UNREACHABLE)
        case other:
            assert_never(other)
