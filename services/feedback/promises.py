"""承诺办结: what the tracker says of a promised day, to the citizen, and whom it has asked (R-19, ADR 0069).

What is heard of the same promise later than it was said changes nothing.
"""

from __future__ import annotations

from datetime import date

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
    if record := await _news(act, fact, day):
        words = _words(data.unit_reason)
        inform(
            act,
            record,
            fact.round,
            "promise_moved",
            which=data.promised_date,
            day=day,
            before=before,
            words=words,
        )


async def ask_kept(act: ServiceAct, fact: Fact) -> None:
    """承诺兑现: the unit says that it is done. The citizen is told what, and asked."""
    data: PromiseKept = fact.data
    if record := await _news(act, fact, date.fromisoformat(data.promised_date)):
        _end(record, fact, "kept")
        called = plan_promise(act, record, fact.round)
        heard = messages.CALLED if called else messages.RINGS
        words = _words(data.result)
        inform(act, record, fact.round, "promise_kept", words=words, **heard._asdict())


async def ask_after_day(act: ServiceAct, fact: Fact) -> None:
    """到期未兑现: the day passed and the unit said nothing. The citizen is asked all the same."""
    data: DeadlineBreached = fact.data
    if data.clock is not ClockKind.PROMISE:
        return
    day = data.due.astimezone(act.config.times.timezone).date()
    if record := await _news(act, fact, day):
        _end(record, fact, "passed")
        plan_promise(act, record, fact.round)


async def _news(act: ServiceAct, fact: Fact, day: date) -> TicketRecord | None:
    """The ticket, if this is news of a promise of its last round that somebody still waits for. Raises
    TooEarly before the round was opened, or answered, here.
    """
    record = await records.locked(act, fact.subject)
    ticket, resolution = record.ticket, record.resolutions.get(fact.round)
    if fact.round > ticket.round or (fact.round == ticket.round and resolution is None):
        raise TooEarly(f"round {fact.round} of {fact.subject} was not answered here yet")
    over = fact.round < ticket.round or ticket.withdrawn_at or ticket.ended_round >= fact.round
    if over or resolution is None or not resolution.hear_promise(fact.seq, day):
        log.info("ignored: that promise is over", ticket=fact.subject, round=fact.round)
        return None
    return record


def _end(record: TicketRecord, fact: Fact, how: str) -> None:
    resolution = record.resolutions[fact.round]
    resolution.promise_ended, resolution.promise_ended_at = how, fact.time


def _words(text: str) -> str:
    """What a unit wrote, as a message may say it: without persons and homes, and short."""
    words = told(text, confidential=False)
    return words if len(words) <= WORDS else f"{words[: WORDS - 1]}…"
