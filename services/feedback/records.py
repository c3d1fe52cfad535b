"""What is loaded to decide: a ticket behind its lock, with its rounds and their callbacks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.feedback.models import Attempt, Callback, Message, Resolution, Ticket
from services.feedback.rules import machine
from services.feedback.settings import Config
from shared.errors import NotFound, TooEarly
from shared.storage.act import Act

ServiceAct: TypeAlias = Act[Config]


@dataclass(slots=True)
class TicketRecord:
    """A ticket whose row is locked; by round: how its lead completed it, and its callback."""

    ticket: Ticket
    resolutions: dict[int, Resolution] = field(default_factory=dict)
    callbacks: dict[int, Callback] = field(default_factory=dict)

    def open_callbacks(self) -> list[Callback]:
        """The callbacks that are not over."""
        return [found for found in self.callbacks.values() if found.status in machine.OPEN]


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
        act.locked |= dict.fromkeys(numbers) | await _lock(act, col(Ticket.number).in_(numbers))
    record: TicketRecord | None = act.locked[number]
    return record


async def locked_callback(act: ServiceAct, callback: UUID) -> tuple[TicketRecord, Callback]:
    """A callback, its ticket's row locked. Raises NotFound."""
    number = select(Callback.number).where(col(Callback.id) == callback).scalar_subquery()
    found = await _lock(act, col(Ticket.number) == number)
    if not found:
        raise NotFound(f"回访不存在 no callback {callback}")
    act.locked |= found
    [record] = found.values()
    return record, await act.session.get_one(Callback, callback)


async def _lock(act: ServiceAct, which: ColumnElement[bool]) -> dict[str, TicketRecord]:
    """Lock tickets in the order of their numbers, then read what hangs on them, by number.

    A row that was read before the lock could be out of date.
    """
    query = select(Ticket).where(which).order_by(col(Ticket.number)).with_for_update()
    locked = query.execution_options(populate_existing=True)
    return await records_of(act, (await act.session.exec(locked)).all())


async def records_of(act: ServiceAct, tickets: Sequence[Ticket]) -> dict[str, TicketRecord]:
    """The records of tickets whose rows are locked, by number."""
    records = {ticket.number: TicketRecord(ticket) for ticket in tickets}
    if not records:
        return records
    query = (
        select(Resolution, Callback)
        .outerjoin(
            Callback,
            (col(Callback.number) == col(Resolution.number))
            & (col(Callback.round) == col(Resolution.round)),
        )
        .where(col(Resolution.number).in_(records))
    )
    for resolution, callback in await act.session.exec(query):
        record = records[resolution.number]
        record.resolutions[resolution.round] = resolution
        if callback is not None:
            record.callbacks[resolution.round] = callback
    return records


async def attempts_of(act: ServiceAct, callbacks: Collection[UUID]) -> Sequence[Attempt]:
    """The attempts of callbacks, in their order."""
    query = (
        select(Attempt)
        .where(col(Attempt.callback).in_(callbacks))
        .order_by(col(Attempt.callback), col(Attempt.attempt))
    )
    return (await act.session.exec(query)).all()


async def is_first(act: ServiceAct, key: tuple[str, int, str]) -> bool:
    """Note a message to a citizen by ticket, round and occasion; False when it was noted before."""
    values = dict(zip(("number", "round", "occasion"), key, strict=True))
    noted = insert(Message).values(values).on_conflict_do_nothing().returning(col(Message.number))
    return (await (await act.session.connection()).execute(noted)).first() is not None


def needs_person(config: Config, ticket: Ticket, callback: Callback) -> bool:
    """Whether a person makes this call (callbacks.yaml ``human_call_required_for``)."""
    return config.policy.needs_person(
        report=ticket.type == "report",
        supervised=ticket.supervised,
        redo=callback.round > 1,
    )
