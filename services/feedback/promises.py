"""承诺办结: what the tracker says of a promised day, to the citizen, and whom it has asked (R-19, ADR 0069).

What is heard of the same promise later than it was said changes nothing.
"""

from __future__ import annotations

from datetime import date, timedelta

from services.feedback import records
from services.feedback.attempts import plan_promise
from services.feedback.records import ServiceAct, TicketRecord
from services.feedback.rules import messages
from services.feedback.rules.comments import told
from services.feedback.usecases import inform
from shared.errors import TooEarly
from shared.events import ClockKind, DeadlineBreached, Fact, PromiseKept, PromiseMoved
from shared.observability import log

WORDS = 200  # of what a unit wrote, in a message; a text message holds little


async def tell_moved(act: ServiceAct, fact: Fact) -> None:
    """承诺改期: the citizen is told the new day and the unit's reason."""
    data: PromiseMoved = fact.data
    day, before = date.fromisoformat(data.promised_date), date.fromisoformat(data.before)
    details: messages.Details = {"day": day, "before": before, "words": _words(data.unit_reason)}
    for record, round in await _who_wait(act, fact, day):
        inform(act, record, round, "promise_moved", which=data.promised_date, **details)


async def ask_kept(act: ServiceAct, fact: Fact) -> None:
    """承诺兑现: the unit says that it is done. The citizen is told what, and asked."""
    data: PromiseKept = fact.data
    words = _words(data.result)
    for record, round in await _who_wait(act, fact, date.fromisoformat(data.promised_date)):
        _end(record, round, fact, "kept")
        called = plan_promise(act, record, round)
        heard = messages.CALLED if called else messages.RINGS
        inform(act, record, round, "promise_kept", words=words, **heard._asdict())


async def ask_after_day(act: ServiceAct, fact: Fact) -> None:
    """到期未兑现: the day passed and the unit said nothing. The citizen is asked all the same."""
    data: DeadlineBreached = fact.data
    if data.clock is not ClockKind.PROMISE:
        return
    last = data.due - timedelta(microseconds=1)  # it is due as the day ends
    for record, round in await _who_wait(
        act, fact, last.astimezone(act.config.times.timezone).date()
    ):
        _end(record, round, fact, "passed")
        plan_promise(act, record, round)


async def _who_wait(act: ServiceAct, fact: Fact, day: date) -> list[tuple[TicketRecord, int]]:
    """Whose promise it is, each with its round: the ticket's, if this is news of its last round, and those
    of everybody whose ticket was worked on with it (并单). Raises TooEarly before the round was opened, or
    answered, here.
    """
    record = await records.locked(act, fact.subject)
    latest, answered = record.ticket.round, fact.round in record.resolutions
    if fact.round > latest or (fact.round == latest and not answered):
        raise TooEarly(f"round {fact.round} of {fact.subject} was not answered here yet")
    everybody = [
        (record, fact.round),
        *await records.promised_with(act, fact.subject, fact.assignment),
    ]
    found = [each for each in everybody if _is_news(*each, seq=fact.seq, day=day)]
    if not found:
        log.info("ignored: that promise is over", ticket=fact.subject, round=fact.round)
    return found


def _is_news(record: TicketRecord, round: int, *, seq: int, day: date) -> bool:
    ticket, resolution = record.ticket, record.resolutions.get(round)
    over = round < ticket.round or ticket.withdrawn_at or ticket.ended_round >= round
    return not over and resolution is not None and resolution.hear_promise(seq, day)


def _end(record: TicketRecord, round: int, fact: Fact, how: str) -> None:
    resolution = record.resolutions[round]
    resolution.promise_ended, resolution.promise_ended_at = how, fact.time


def _words(text: str) -> str:
    """What a unit wrote, as a message may say it: without persons and homes, and short."""
    words = told(text, confidential=False)
    return words if len(words) <= WORDS else f"{words[: WORDS - 1]}…"
