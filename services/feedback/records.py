"""What is loaded to decide: a ticket behind its lock, with its rounds, callbacks and messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, bindparam, or_
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from services.feedback.models import (
    Attempt,
    Attempts,
    Callback,
    Callbacks,
    Message,
    Messages,
    Resolution,
    Resolutions,
    Ticket,
    Tickets,
)
from services.feedback.rules import machine
from services.feedback.settings import Config
from shared.errors import NotFound, TooEarly
from shared.events import CallbackAbout, EndedHere, TicketRegistered, TicketType
from shared.jurisdiction.succession import called
from shared.storage.act import Act

ServiceAct: TypeAlias = Act[Config]
# What may be put right of a ticket, as a correction names it, and where it is kept.
LEARNT = {
    "type": "type",
    "confidential": "confidential",
    "reply_declined": "reply_declined",
    "phone": "has_contact",
}


@dataclass(slots=True)
class TicketRecord:
    """A ticket whose row is locked; by round: how its lead completed it, its callback, and the one about its
    promise.

    ``attempts``: those of each callback, in their order; ``messages``: round and occasion of what
    the citizen was told.
    """

    ticket: Ticket
    resolutions: dict[int, Resolution] = field(default_factory=dict)
    callbacks: dict[int, Callback] = field(default_factory=dict)
    promises: dict[int, Callback] = field(default_factory=dict)
    attempts: dict[UUID, list[Attempt]] = field(default_factory=lambda: defaultdict(list))
    messages: set[tuple[int, str]] = field(default_factory=set)

    def learn(self, seq: int, data: TicketRegistered | EndedHere) -> None:
        """Take over what intake says of the ticket, but for what it corrected later."""
        if isinstance(data, TicketRegistered) and data.split_from:
            self.ticket.split_from, self.ticket.matter = data.split_from, data.title
        known = self.ticket.corrected or {}
        news = {field: name for field, name in LEARNT.items() if seq > known.get(field, 0)}
        for name in news.values():
            setattr(self.ticket, name, getattr(data, name))
        self.ticket.corrected = known | dict.fromkeys(news, seq)

    def waited_for_answer(self, round: int, at: datetime) -> bool:
        """Whether that round was worked on at a moment: nobody had answered or ended it."""
        ticket, answer = self.ticket, self.resolutions.get(round)
        ends = (answer.completed_at if answer else None, ticket.withdrawn_at)
        return ticket.ended_round < round and all(end is None or at <= end for end in ends)

    def every_callback(self) -> list[Callback]:
        """Those about answers, and those about promises."""
        return [*self.callbacks.values(), *self.promises.values()]

    def open_callbacks(self) -> list[Callback]:
        """The callbacks that are not over."""
        return [found for found in self.every_callback() if found.status in machine.OPEN]

    def callback(self, id: UUID) -> Callback:
        """One of its callbacks."""
        return next(found for found in self.every_callback() if found.id == id)

    def about_now(self, config: Config, callback: Callback) -> CallbackAbout:
        """What a call that is made now asks of."""
        return about_now(config, callback, self.resolutions[callback.round])

    def asked_of_promise(self, callback: Callback) -> bool:
        """Whether a first callback asked whether the promise was kept, which had ended before."""
        settled = callback.settled_by and self.attempt(callback, callback.settled_by)
        return bool(settled and settled.about == CallbackAbout.BOTH)

    def attempt(self, callback: Callback, number: int) -> Attempt | None:
        """One attempt of a callback, if it was planned."""
        of_callback = self.attempts[callback.id]
        return next((each for each in of_callback if each.attempt == number), None)


# These statements are made once and not at every request.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))
LOCKED = select(Tickets).order_by(col(Tickets.number)).with_for_update()
LOCKED_BY_NUMBERS = LOCKED.where(col(Tickets.number) == NUMBERS)
LOCKED_BY_CALLBACKS = LOCKED.where(
    col(Tickets.number).in_(select(Callbacks.number).where(col(Callbacks.id) == IDS))
)
RESOLUTIONS_OF = select(Resolutions).where(col(Resolutions.number) == NUMBERS)
CALLBACKS_OF = select(Callbacks).where(col(Callbacks.number) == NUMBERS)
MESSAGES_OF = select(Messages).where(col(Messages.number) == NUMBERS)
ATTEMPTS_OF = (
    select(Attempts)
    .where(col(Attempts.callback) == IDS)
    .order_by(col(Attempts.callback), col(Attempts.attempt))
)


async def locked(act: ServiceAct, number: str) -> TicketRecord:
    """The ticket, its row locked. Raises TooEarly while its registration has not arrived."""
    record = await find_locked(act, number)
    if record is None:
        raise TooEarly(f"ticket {number} is not registered here yet")
    return record


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """The ticket, its row locked; None when it is not registered here."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        found = await _lock(act, LOCKED_BY_NUMBERS, numbers=numbers)
        act.locked |= dict.fromkeys(numbers) | found
    record: TicketRecord | None = act.locked[number]
    return record


async def promised_with(
    act: ServiceAct, number: str, promise: UUID | None
) -> list[tuple[TicketRecord, int]]:
    """The other tickets that were answered with one promise, their rows locked, each with its round."""
    if promise is None:
        return []
    of_promise = select(Resolutions.number, Resolutions.round).where(
        Resolutions.promise == promise, Resolutions.number != number
    )
    rounds = dict((await act.session.exec(of_promise)).all())
    if new := sorted(rounds.keys() - act.locked.keys()):
        act.locked |= await _lock(act, LOCKED_BY_NUMBERS, numbers=new)
    return [(act.locked[each], rounds[each]) for each in sorted(rounds)]


async def hear_of_promise(act: ServiceAct, heard: Resolution) -> None:
    """The promise of an answer that is heard late may have come to its end for others with it (并单)."""
    for record, round in await promised_with(act, heard.number, heard.promise):
        known = record.resolutions[round]
        seq, day = known.promise_seq or 0, known.promised_on
        if known.promise_ended and heard.hear_promise(seq, day):
            heard.promise_ended = known.promise_ended
            heard.promise_ended_at = known.promise_ended_at


async def locked_callback(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Callback]:
    """A callback, its ticket's row locked. Raises NotFound."""
    if id not in act.locked:
        ids = act.lock_order(id)
        found = await _lock(act, LOCKED_BY_CALLBACKS, ids=ids)
        act.locked |= dict.fromkeys(ids)
        act.locked |= found
        act.locked |= {each.id: r for r in found.values() for each in r.every_callback()}
    record: TicketRecord | None = act.locked[id]
    if record is None:
        raise NotFound(f"回访不存在 no callback {id}")
    return record, record.callback(id)


async def _lock(
    act: ServiceAct, tickets: SelectOfScalar[Tickets], **values: object
) -> dict[str, TicketRecord]:
    """Lock tickets in the order of their numbers, then read what hangs on them, by number.

    A row that was read before the lock could be out of date.
    """
    return await records_of(act, await act.rows.load(Ticket, tickets, values))


async def records_of(act: ServiceAct, tickets: Sequence[Ticket]) -> dict[str, TicketRecord]:
    """The records of tickets whose rows are locked, by number."""
    records = {ticket.number: TicketRecord(ticket) for ticket in tickets}
    if not records:
        return records
    of_them = {"numbers": list(records)}
    for resolution in await act.rows.load(Resolution, RESOLUTIONS_OF, of_them):
        records[resolution.number].resolutions[resolution.round] = resolution
    whose = {}
    for callback in await act.rows.load(Callback, CALLBACKS_OF, of_them):
        whose[callback.id] = records[callback.number]
        of_promise = callback.about == CallbackAbout.PROMISE
        mine = records[callback.number]
        (mine.promises if of_promise else mine.callbacks)[callback.round] = callback
    if whose:
        for attempt in await act.rows.load(Attempt, ATTEMPTS_OF, {"ids": list(whose)}):
            whose[attempt.callback].attempts[attempt.callback].append(attempt)
    for message in await act.rows.load(Message, MESSAGES_OF, of_them):
        records[message.number].messages.add((message.round, message.occasion))
    return records


async def attempts_of(act: ServiceAct, callbacks: Iterable[UUID]) -> Sequence[Attempt]:
    """The attempts of callbacks to look at only, in their order."""
    return (await act.session.exec(ATTEMPTS_OF, params={"ids": list(callbacks)})).all()


def about_now(config: Config, callback: Callback, resolution: Resolution) -> CallbackAbout:
    """What a call of a callback that is made now asks of."""
    return config.policy.about_now(
        promise=callback.about == CallbackAbout.PROMISE,
        promised=resolution.promised_on is not None,
        ended=resolution.promise_ended is not None,
    )


def needs_person(config: Config, ticket: Ticket, callback: Callback) -> bool:
    """Whether a person makes this call (callbacks.yaml ``human_call_required_for``)."""
    return config.policy.needs_person(
        report=ticket.type == "report",
        supervised=ticket.supervised,
        redo=callback.round > 1,
    )


def person_calls(config: Config) -> ColumnElement[bool]:
    """The same of rows: whether a person makes a call, also where nobody else can."""
    required = {
        "report": col(Tickets.type) == TicketType.REPORT,
        "supervised": col(Tickets.supervised),
        "redo": col(Callbacks.round) > 1,
    }
    why = (required[each] for each in sorted(config.policy.human_call_required_for))
    return or_(col(Callbacks.next_step).is_(None), *why)


def unit_called(act: ServiceAct, code: str) -> str:
    """What a citizen is told of a unit: its name, and who follows it where it is no more."""
    return called(code, act.config.unit_names, act.store.dissolved)
