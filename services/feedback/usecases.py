"""What feedback does, one function per fact heard or outcome reported; by the clock: calls.py."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal, Unpack, assert_never
from uuid import UUID

from services.feedback import records, views
from services.feedback.attempts import plan_first, plan_next, plan_promise
from services.feedback.models import Attempt, Callback, Message, Resolution, Ticket
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import messages, planning, reports, verdict
from services.feedback.rules.comments import told
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.reports import ReportedAttempt
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened, Report
from services.feedback.schemas import CallbackOut, OutcomeIn
from shared.errors import TooEarly
from shared.events import (
    AssignmentDispatched,
    CallbackAbout,
    CallbackAnswered,
    CallbackGivenUp,
    CitizenTold,
    EndedHere,
    Fact,
    Occasion,
    PromiseConfirmed,
    Role,
    TicketClosed,
    TicketMerged,
    TicketRegistered,
    TicketReopened,
    TicketResolved,
    TicketType,
)
from shared.jurisdiction.succession import acts_as
from shared.observability import log

# --- facts -------------------------------------------------------------------------------------


async def remember_ticket(act: ServiceAct, fact: Fact) -> None:
    """A ticket was registered: the citizen is told its number (JN-15)."""
    record = remember(act, await records.find_locked(act, fact.subject), fact)
    if not fact.data.split_from:  # who called is told of the whole call, once
        inform(act, record, 1, "accepted")


def remember(act: ServiceAct, record: TicketRecord | None, fact: Fact) -> TicketRecord:
    """Keep what must be known of a ticket, by the last that was said of it."""
    data: TicketRegistered | EndedHere = fact.data
    if record is None:
        known = {name: getattr(data, name) for name in ("channel", *records.LEARNT.values())}
        ticket = Ticket(number=fact.subject, **known)
        record = act.locked[fact.subject] = TicketRecord(act.rows.add(ticket))
    record.learn(fact.seq, data)
    return record


async def tell_who_handles(act: ServiceAct, fact: Fact) -> None:
    """A lead got the ticket. The citizen hears it once a round, not of each re-dispatch."""
    data: AssignmentDispatched = fact.data
    if data.role is Role.LEAD:
        record = await records.locked(act, fact.subject)
        unit = records.unit_called(act, data.lead)
        inform(act, record, fact.round, "dispatched", unit=unit)


async def tell_merged(act: ServiceAct, fact: Fact) -> None:
    """并单: the citizen is told that others reported the same, and hears the answer all the same."""
    data: TicketMerged = fact.data
    record = await records.locked(act, fact.subject)
    inform(act, record, fact.round, "merged", which=data.into)


async def remember_supervision(act: ServiceAct, fact: Fact) -> None:
    """A supervised matter is called back by a person (callbacks.yaml ``human_call_required_for``)."""
    record = await records.locked(act, fact.subject)
    record.ticket.supervised = True


async def cancel_callbacks(act: ServiceAct, fact: Fact) -> None:
    """The citizen took the complaint back: nobody is called any more."""
    record = await records.locked(act, fact.subject)
    record.ticket.withdrawn_at = fact.time
    cancel_open(record)


def cancel_open(record: TicketRecord) -> None:
    """Nobody is called any more, whatever was planned."""
    for callback in record.open_callbacks():
        callback.move(Action.CANCEL)
        callback.rest()


async def follow_up(act: ServiceAct, fact: Fact) -> None:
    """The lead completed a round: plan the callback (R-23, R-24), or close at once.

    A ticket withdrawn before it was completed is closed by nobody. A completion of an older
    round, or one that a later completion of its round replaced, changes nothing.
    """
    record = await records.locked(act, fact.subject)
    ticket = record.ticket
    if not _record_resolution(act, record, fact):
        log.info("ignored: not the completion in force", round=fact.round)
        return
    kind = act.config.policy.closes_at_once(
        TicketType(ticket.type),
        has_contact=ticket.has_contact,
        reply_declined=ticket.reply_declined,
    )
    await records.hear_of_promise(act, record.resolutions[fact.round])
    if kind is None:
        _tell_completed(act, record, fact.round)
        plan_first(act, record, fact.round)
    elif ticket.ended_round >= fact.round:
        log.info("ignored: the hotline ended it", round=fact.round)
    elif ticket.withdrawn_at is None or fact.time < ticket.withdrawn_at:
        end_round(act, record, fact.round, Closed(kind))


def _tell_completed(act: ServiceAct, record: TicketRecord, round: int) -> None:
    """The citizen hears that there is an answer; of one that puts the matter off, until which day, or that
    this has passed (R-19).
    """
    if day := record.resolutions[round].promised_on:
        today = act.now.astimezone(act.config.times.timezone).date()
        which = day.isoformat()
        inform(act, record, round, "completed", which=which, day=day, passed=day < today)
    else:
        inform(act, record, round, "completed")


def _record_resolution(act: ServiceAct, record: TicketRecord, fact: Fact) -> bool:
    """Note the round's resolution; False when this fact is not the one in force."""
    data: TicketResolved = fact.data
    number = record.ticket.number
    if fact.round > record.ticket.round:
        raise TooEarly(f"round {fact.round} of {number} was not opened here yet")
    promised = date.fromisoformat(data.promised_date) if data.promised_date else None
    known = record.resolutions.get(fact.round)
    if known is None:
        known = Resolution(
            number=number,
            round=fact.round,
            seq=fact.seq,
            lead=data.lead,
            completed_at=fact.time,
            promised_on=promised,
            promise=data.promise,
        )
        record.resolutions[fact.round] = act.rows.add(known)
        return True
    if known.ending is not None or fact.seq <= known.seq:
        return False
    known.seq, known.lead, known.completed_at = fact.seq, data.lead, fact.time
    known.promised_on, known.promise_ended, known.promise_ended_at = promised, None, None
    known.promise = data.promise
    return True


# --- outcomes ----------------------------------------------------------------------------------


async def report_outcome(act: ServiceAct, callback_id: UUID, body: OutcomeIn) -> CallbackOut:
    """回访结果: what came of an attempt. The same again changes nothing.

    Raises NotFound; WrongAttempt, CallNotDue, AlreadyReported, CallbackOver.
    """
    record, callback = await records.locked_callback(act, callback_id)
    reports.check_attempt(CallbackStatus(callback.status), callback.attempt, body.attempt)
    report = Report(body.said_outcome(), body.answers(), body.comment)
    apply_report(act, record, callback, body.attempt, report)
    return views.callback_out(act.config, record, callback)


def apply_report(
    act: ServiceAct, record: TicketRecord, callback: Callback, number: int, report: Report
) -> None:
    """Let a report on an attempt move its callback, and end the round when it does; the same again
    changes nothing. Raises as reports.effect_of.

    That an expired attempt was a miss is known already: then only the record gets truer.
    """
    attempt = record.attempt(callback, number)
    if attempt is None:
        raise AssertionError(f"attempt {number} of {callback.id} was never planned")
    if attempt.report() == report:
        return
    found = _as_found(record, callback, attempt)
    action = reports.effect_of(report, found, act.now, act.config.times.max_attempts)
    attempt.write(report, act.now, act.actor)
    if report.answers:
        callback.keep(report.answers.after(callback.answers()))
    wrong = report.outcome is Outcome.WRONG_NUMBER and not _called_anew(record, attempt)
    if action is None:
        if wrong and callback.status == CallbackStatus.NO_ANSWER:
            await_number(act, record, callback)
        return
    callback.move(action)
    match action:
        case Action.MISS if wrong:
            await_number(act, record, callback)
        case Action.MISS:
            plan_next(act, record, callback)
        case Action.ANSWER | Action.REFUSE | Action.GIVE_UP:
            settle(act, record, callback, attempt)
        case _:
            assert_never(action)


def settle(
    act: ServiceAct,
    record: TicketRecord,
    callback: Callback,
    attempt: Attempt,
    decided: Closed | Reopened | None = None,
) -> None:
    """An attempt ended its callback: say so, and end the round as the citizen's word wants it, or as
    was decided.

    Answers of which some are missing are said in how the round ends only: the fact of an answered
    callback has all three.
    """
    report, answers = attempt.report(), callback.answers()
    if report is None:
        raise AssertionError(f"attempt {attempt.attempt} of {callback.id} has no report")
    about = attempt.asked
    callback.rest()
    callback.settled_by = attempt.attempt
    answers = answers if report.answers else None
    spoken = replace(report, comment=told(report.comment, confidential=record.ticket.confidential))
    said = _told_by(spoken, answers, attempt)
    if said:
        act.tell(said, subject=callback.number, round=callback.round)
    if answers and verdict.is_confirmed(answers, about):
        _confirm(act, record, callback.round, answers, spoken.comment)
    ending = verdict.judge(answers, about) if answers else verdict.unheard(report.outcome)
    conclude(act, record, callback, decided or ending, report.comment)


def _confirm(
    act: ServiceAct, record: TicketRecord, round: int, answers: Answers, comment: str
) -> None:
    """承诺属实: addressed to the unit that had promised, or who follows it where it is no more."""
    resolution = record.resolutions[round]
    day, kept = resolution.promised_on, answers.solved
    if kept is None or kept == "no" or answers.satisfied == "unsatisfied":
        raise AssertionError("who objects confirms nothing")
    act.tell(
        PromiseConfirmed(
            promised_date=day.isoformat() if day else None,
            solved=kept,
            satisfied=answers.satisfied,
            comment=comment,
        ),
        subject=resolution.number,
        round=round,
        assignment=resolution.promise,
        unit=acts_as(resolution.lead, act.store.dissolved)[0],
    )


def conclude(
    act: ServiceAct,
    record: TicketRecord,
    callback: Callback,
    ending: Closed | Reopened,
    comment: str = "",
) -> None:
    """A callback is over: end its round, or, after its promise, leave it closed as it was (R-19). Where the
    first was answered before the promise came to its end that was heard of meanwhile, ask of that now.
    """
    if callback.about == CallbackAbout.PROMISE and isinstance(ending, Closed):
        return
    end_round(act, record, callback.round, ending, comment)
    plan_promise(act, record, callback.round)


def _called_anew(record: TicketRecord, attempt: Attempt) -> bool:
    """Whether the number was corrected since an attempt called the old one."""
    corrected = record.ticket.number_corrected_at
    return corrected is not None and corrected > (attempt.asked_at or attempt.due)


def await_number(act: ServiceAct, record: TicketRecord, callback: Callback) -> None:
    """错号: nobody calls that number again. A person finds the right one (更正) before the day the round
    should be finished by; then it has to do without a verdict.
    """
    callback.wait_for("lapse", max(callback.finish_due, act.now))


def _tries(record: TicketRecord, callback: Callback, attempt: int) -> int:
    """How many attempts up to one count: who never had the right number was not tried."""
    wrong = sum(
        each.outcome == Outcome.WRONG_NUMBER and each.attempt < attempt
        for each in record.attempts[callback.id]
    )
    return attempt if attempt >= planning.MOST_ATTEMPTS else attempt - wrong


def _as_found(record: TicketRecord, callback: Callback, attempt: Attempt) -> ReportedAttempt:
    return ReportedAttempt(
        said=callback.answers(),
        tries=_tries(record, callback, attempt.attempt),
        status=CallbackStatus(callback.status),
        expected=callback.attempt,
        attempt=attempt.attempt,
        due=attempt.due,
        known=attempt.report(),
        about=attempt.asked,
    )


def _told_by(
    report: Report, answers: Answers | None, attempt: Attempt
) -> CallbackAnswered | CallbackGivenUp | None:
    """The fact in which the end of a callback is said; None for answers of which some are missing."""
    if answers is None:
        refused = report.outcome is Outcome.REFUSED
        outcome: Literal["refused", "unreachable"] = "refused" if refused else "unreachable"
        return CallbackGivenUp(outcome=outcome, attempts=attempt.attempt, about=attempt.asked)
    if answers.contacted is None or answers.solved is None or answers.satisfied is None:
        return None
    return CallbackAnswered(
        contacted=answers.contacted == "yes",
        solved=answers.solved,
        satisfied=answers.satisfied,
        comment=report.comment,
        about=attempt.asked,
    )


def end_round(
    act: ServiceAct,
    record: TicketRecord,
    round: int,
    ending: Closed | Reopened,
    comment: str = "",
) -> None:
    """Close the ticket or open its next round (R-27); nobody else may (ADR 0006). ``comment``: what was
    said, in whichever words; what of it may travel is decided here.
    """
    ticket, resolution = record.ticket, record.resolutions[round]
    if resolution.ending is None:  # how it ended first stays on record when it is opened again
        resolution.ending, resolution.ended_at = ending.kind, act.now
    match ending:
        case Closed(kind):
            act.tell(TicketClosed(kind=kind), subject=ticket.number, round=round)
            inform(act, record, round, "closed")
        case Reopened(reasons, cause):
            ticket.round = round + 1
            comment = told(comment, confidential=ticket.confidential)
            data = TicketReopened(reasons=reasons, comment=comment, cause=cause)
            act.tell(data, subject=ticket.number, round=ticket.round)
            inform(act, record, ticket.round, "reopened", **messages.JUDGED._asdict())
        case _:
            assert_never(ending)


def inform(
    act: ServiceAct,
    record: TicketRecord,
    round: int,
    occasion: Occasion,
    which: str = "",
    **details: Unpack[messages.Details],
) -> None:
    """Tell the citizen of something, once. The fact is the port: a message gateway hears it.

    ``which`` tells apart what is told more than once a round.
    """
    ticket, key = record.ticket, (round, f"{occasion} {which}".strip())
    wanted = messages.is_told(
        occasion, has_contact=ticket.has_contact, reply_declined=ticket.reply_declined
    )
    if not wanted or key in record.messages:
        return
    record.messages.add(key)
    act.rows.add(Message(number=ticket.number, round=round, occasion=key[1]))
    text = messages.compose(
        messages.text_of(occasion, details),
        ticket.number,
        confidential=ticket.kept_quiet,
        **details,
    )
    channel = messages.way_back(ticket.channel)
    data = CitizenTold(occasion=occasion, channel=channel, zh=text.zh, en=text.en)
    act.tell(data, subject=ticket.number, round=round)
