"""What feedback does: load, decide, save, tell. One function per fact heard, outcome or tick."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Unpack
from uuid import UUID

import uuid6

from services.feedback import phone, queries
from services.feedback.models import Attempt, Callback, Resolution, Ticket
from services.feedback.queries import Case, FeedbackAct
from services.feedback.rules import machine, messages, planning, verdict
from services.feedback.rules.machine import Action, State
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened, Report
from services.feedback.schemas import CallbackOut, OutcomeIn
from services.feedback.settings import Config
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
from shared.security.masking import mask_patterns

# Of wall clock; past it whoever claimed a call has died, for asking takes no longer.
LEASE = 2 * timedelta(seconds=phone.ASK_WITHIN)

# --- facts -------------------------------------------------------------------------------------


async def remember_ticket(act: FeedbackAct, fact: Fact) -> None:
    """A ticket was registered: the citizen is told its number (JN-15)."""
    data: TicketRegistered = fact.data
    if await queries.find_locked(act, fact.subject):
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
    act.locked[fact.subject] = ticket
    await _inform(act, ticket, 1, "accepted")


async def tell_who_handles(act: FeedbackAct, fact: Fact) -> None:
    """A lead got the ticket. The citizen hears it once a round, not of each re-dispatch."""
    data: AssignmentDispatched = fact.data
    if data.role is Role.LEAD:
        ticket = await queries.held_ticket(act, fact.subject)
        unit = act.config.unit_names.get(data.lead, data.lead)
        await _inform(act, ticket, fact.round, "dispatched", unit=unit)


async def tell_new_date(act: FeedbackAct, fact: Fact) -> None:
    """The lead got an extension: the citizen is told the new date (BJ-15)."""
    data: ExtensionGranted = fact.data
    if data.role is not Role.LEAD:
        return
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
        callback.move(Action.CANCEL)
        callback.rest()


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
        callback.move(Action.PLAN)
        callback.finish_by = finish_by
    else:
        return
    due = planning.first_attempt(resolution.completed, act.config.times)
    if ticket.withdrawn is None:
        await _plan_attempt(act, callback, due)
    else:
        await _save_attempt(act, callback, due)
        callback.move(Action.CANCEL)


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
    callback.wait_for("fall_due", due)
    callback.failed_asks = 0
    act.tell(
        CallbackPlanned(attempt=callback.attempt, due=due),
        subject=callback.number,
        round=callback.round,
    )


async def _save_attempt(act: FeedbackAct, callback: Callback, due: datetime) -> None:
    await act.session.merge(Attempt(callback=callback.id, attempt=callback.attempt, due=due))


# --- outcomes ----------------------------------------------------------------------------------


async def report_outcome(act: FeedbackAct, callback: UUID, body: OutcomeIn) -> CallbackOut:
    """回访结果: what came of an attempt. The same again changes nothing.

    Raises NotFound; MoveRefused for an attempt not planned or with another outcome, for a call
    refused before it was due, and for a callback that is over. An expired attempt takes it late.
    """
    case = await queries.held_case(act, callback)
    report = Report(Outcome(body.outcome), body.answers(), mask_patterns(body.comment))
    if body.attempt > case.callback.attempt:  # asked first: no column holds just any number
        raise _refused(case, report)
    attempt = await act.session.get_one(Attempt, (callback, body.attempt))
    early = report.outcome is Outcome.REFUSED and attempt.due > act.now  # nobody called so far
    if attempt.outcome in (None, Outcome.EXPIRED) and not early:
        await _settle(act, case, attempt, report)
    elif early or attempt.report() != report:
        raise _refused(case, report)
    await act.session.flush()
    return (await queries.views(act, [case.callback]))[0]


def _refused(case: Case, report: Report) -> MoveRefused:
    state = State(case.callback.state)
    return MoveRefused(report.outcome, state, [action.value for action in machine.MOVES[state]])


async def _settle(act: FeedbackAct, case: Case, attempt: Attempt, report: Report) -> None:
    """Write what was reported on an attempt down, and let it move callback and ticket.

    That an expired attempt was a miss is known already: then only the record gets truer.
    """
    action = verdict.action_for(report.outcome, attempt.attempt, act.config.times.max_attempts)
    known = attempt.outcome == Outcome.EXPIRED and action in (Action.MISS, Action.GIVE_UP)
    if not known:
        case.callback.move(action)
    attempt.write(report, act.now, act.actor)
    if not known:
        await _follow(act, case, attempt, report)


async def _follow(act: FeedbackAct, case: Case, attempt: Attempt, report: Report) -> None:
    """Say what the moved callback means for the ticket."""
    if case.callback.state == State.NO_ANSWER:
        await _plan_next(act, case)
        return
    case.callback.rest()
    case.callback.settled_by = attempt.attempt
    if report.answers:
        await _hear(act, case, report.answers, report.comment)
    else:
        await _give_up(act, case, attempt.attempt, verdict.unheard(report.outcome))


async def _hear(act: FeedbackAct, case: Case, answers: Answers, comment: str) -> None:
    """The citizen answered: the ticket is closed or reopened by the answers (R-27)."""
    data = CallbackAnswered(
        contacted=answers.contacted,
        solved=answers.solved,
        satisfied=answers.satisfied,
        comment=comment,
    )
    act.tell(data, subject=case.ticket.number, round=case.resolution.round)
    decided = verdict.judge(answers)
    if isinstance(decided, Closed):
        await _close(act, case.ticket, case.resolution, decided.kind)
    else:
        await _reopen(act, case, decided, comment)


async def _give_up(act: FeedbackAct, case: Case, attempts: int, kind: ClosingKind) -> None:
    """No verdict could be had: the ticket is closed as what it is, counted apart (R-25)."""
    refused = kind is ClosingKind.REFUSED_CALLBACK
    data = CallbackGivenUp(outcome="refused" if refused else "unreachable", attempts=attempts)
    act.tell(data, subject=case.ticket.number, round=case.resolution.round)
    await _close(act, case.ticket, case.resolution, kind)


async def _close(
    act: FeedbackAct, ticket: Ticket, resolution: Resolution, kind: ClosingKind
) -> None:
    resolution.ending, resolution.ended = kind, act.now
    act.tell(TicketClosed(kind=kind), subject=ticket.number, round=resolution.round)
    await _inform(act, ticket, resolution.round, "closed")


async def _reopen(act: FeedbackAct, case: Case, decided: Reopened, comment: str) -> None:
    """Open the next round; nobody else may (DESIGN, the life of a ticket)."""
    case.resolution.ending, case.resolution.ended = verdict.REOPENED, act.now
    case.ticket.round = case.resolution.round + 1
    data = TicketReopened(reasons=decided.reasons, comment=comment)
    act.tell(data, subject=case.ticket.number, round=case.ticket.round)
    await _inform(act, case.ticket, case.ticket.round, "reopened")


async def _inform(
    act: FeedbackAct,
    ticket: Ticket,
    round: int,
    event: messages.Event,
    which: str = "",
    **details: Unpack[messages.Details],
) -> None:
    """Tell the citizen of something, once. The fact is the port: a message gateway hears it."""
    key = (ticket.number, round, f"{event} {which}".strip())
    wanted = messages.is_told(
        event, has_contact=ticket.has_contact, reply_declined=ticket.reply_declined
    )
    if not wanted or not await queries.is_first(act, key):
        return
    words = messages.compose(event, ticket.number, **details)
    channel = messages.way_back(ticket.channel)
    data = CitizenTold(event=event, channel=channel, zh=words.zh, en=words.en)
    act.tell(data, subject=ticket.number, round=round)


# --- by the clock ------------------------------------------------------------------------------


async def claim_calls(act: FeedbackAct, limit: int, real: datetime) -> tuple[int, list[phone.Call]]:
    """Let callbacks fall due and claim the calls to ask for; answers how many moved, and those.

    Nothing happens outside the calling windows. A claimed call is ours for LEASE of wall clock;
    then it may be asked for again, under the same webhook id. Without a phone system a callback
    that fell due waits for call-back staff.
    """
    if planning.opening(act.now, act.config.times) > act.now:
        return 0, []
    claimed = await queries.claim(act, ("fall_due", "ask"), limit, real)
    calls = []
    for ticket, callback in claimed:
        if callback.next_step == "fall_due":
            callback.move(Action.FALL_DUE)
        if act.config.settings.phone_system_url is None:
            callback.rest()
            continue
        callback.wait_for("ask", act.now)
        callback.leased_until = real + LEASE
        calls.append(_call(act.config, ticket, callback))
    return len(claimed), calls


def _call(config: Config, ticket: Ticket, callback: Callback) -> phone.Call:
    return phone.Call(
        callback=callback.id,
        ticket=ticket.number,
        round=callback.round,
        attempt=callback.attempt,
        person=queries.needs_person(config, ticket, callback),
    )


async def record_asks(act: FeedbackAct, asked: Mapping[phone.Call, phone.AskFailed | None]) -> None:
    """Note which calls the phone system took, and why it did not take the others.

    The outcome may have come in meanwhile: then nobody waits for it any more.
    """
    for call, failure in sorted(asked.items(), key=lambda item: item[0].ticket):
        ticket = await queries.held_ticket(act, call.ticket)
        callback = await act.session.get_one(Callback, call.callback)
        waits = callback.state == State.DUE and callback.attempt == call.attempt
        if failure is None:
            tried = await act.session.get_one(Attempt, (call.callback, call.attempt))
            tried.asked = act.now
            if waits:
                callback.wait_for("expire", act.now + act.config.outcome_within)
        elif waits:
            await _not_asked(act, ticket, callback, failure)


async def _not_asked(
    act: FeedbackAct, ticket: Ticket, callback: Callback, failure: phone.AskFailed
) -> None:
    """Ask again later; but hand a contact nobody can open to staff, and end without an erased one."""
    log.warning("call not asked", ticket=ticket.number, why=str(failure))
    callback.failed_asks += 1
    if isinstance(failure, phone.ContactErased):
        ticket.has_contact = False
        case = await queries.case_of(act, ticket, callback)
        callback.move(Action.GIVE_UP)
        callback.rest()
        await _give_up(act, case, callback.attempt, ClosingKind.NO_CONTACT)
    elif isinstance(failure, phone.ContactUnreadable):
        callback.rest()
    else:
        callback.wait_for("ask", act.now + planning.ask_again_after(callback.failed_asks))


async def expire_calls(act: FeedbackAct, limit: int, real: datetime) -> int:
    """Count asked calls nobody reported on as not answered; answers how many."""
    claimed = await queries.claim(act, ("expire",), limit, real)
    for ticket, callback in claimed:
        case = await queries.case_of(act, ticket, callback)
        attempt = await act.session.get_one(Attempt, (callback.id, callback.attempt))
        await _settle(act, case, attempt, Report(Outcome.EXPIRED))
    return len(claimed)
