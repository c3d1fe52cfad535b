"""What GET answers about callbacks; nothing is locked and nothing changes here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, func, select

from services.feedback.models import (
    Attempt,
    Callback,
    Callbacks,
    Resolution,
    Resolutions,
    Ticket,
    Tickets,
)
from services.feedback.records import ServiceAct, TicketRecord, attempts_of, needs_person
from services.feedback.rules import machine, verdict
from services.feedback.rules.machine import CallbackStatus
from services.feedback.schemas import AnswersOut, AttemptOut, CallbackOut, CallbackPage
from services.feedback.settings import Config
from shared.errors import NotFound
from shared.http.fields import Sentence

LAPSE = "lapse"


async def page(
    act: ServiceAct,
    status: CallbackStatus | None,
    awaits_number: bool | None,
    after: str | None,
    limit: int,
) -> CallbackPage:
    """Callbacks in the order they were planned. Raises BadCursor."""
    query = select(Callbacks).order_by(col(Callbacks.id)).limit(limit + 1)
    if status is not None:
        query = query.where(col(Callbacks.status) == status)
    if awaits_number is not None:
        lapses = func.coalesce(col(Callbacks.next_step), "") == LAPSE
        query = query.where(lapses if awaits_number else ~lapses)
    if after is not None:
        query = query.where(col(Callbacks.id) > UUID(act.place(after)))
    found = (await act.session.exec(query)).all()
    shown = found[:limit]
    last = act.cursor(str(shown[-1].id)) if len(found) > limit else None
    return CallbackPage(items=await _views(act, shown), next=last)


async def read(act: ServiceAct, callback: UUID) -> CallbackOut:
    """One callback. Raises NotFound."""
    found = await act.session.get(Callbacks, callback)
    if found is None:
        raise NotFound(f"回访不存在 no callback {callback}")
    return (await _views(act, [found]))[0]


async def _views(act: ServiceAct, callbacks: Sequence[Callback]) -> list[CallbackOut]:
    if not callbacks:
        return []
    query = (
        select(Callbacks.id, Tickets, Resolutions)
        .join(Tickets, col(Tickets.number) == col(Callbacks.number))
        .join(
            Resolutions,
            (col(Resolutions.number) == col(Callbacks.number))
            & (col(Resolutions.round) == col(Callbacks.round)),
        )
        .where(col(Callbacks.id).in_([callback.id for callback in callbacks]))
    )
    rows = {key: (ticket, resolution) for key, ticket, resolution in await act.session.exec(query)}
    attempts = await attempts_of(act, rows.keys())
    return [
        _view(
            act.config,
            callback,
            *rows[callback.id],
            [attempt for attempt in attempts if attempt.callback == callback.id],
        )
        for callback in callbacks
    ]


def callback_out(config: Config, record: TicketRecord, callback: Callback) -> CallbackOut:
    """A callback of a ticket that was loaded, as it is answered."""
    resolution = record.resolutions[callback.round]
    return _view(config, callback, record.ticket, resolution, record.attempts[callback.id])


def _view(
    config: Config,
    callback: Callback,
    ticket: Ticket,
    resolution: Resolution,
    attempts: Sequence[Attempt],
) -> CallbackOut:
    awaits_number = callback.next_step == LAPSE
    status = CallbackStatus(callback.status)
    zh, en = machine.AWAITS_NUMBER if awaits_number else machine.SENTENCES[status]
    said = callback.answers()
    return CallbackOut(
        id=callback.id,
        number=callback.number,
        round=callback.round,
        lead=resolution.lead,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        attempt=callback.attempt,
        due=attempts[-1].due,
        finish_due=callback.finish_due,
        person=needs_person(config, ticket, callback),
        failed_asks=callback.failed_asks,
        ending=verdict.ending_on_record(resolution.ending),
        said=AnswersOut.model_validate(said, from_attributes=True) if said else None,
        awaits_number=awaits_number,
        attempts=[AttemptOut.model_validate(row, from_attributes=True) for row in attempts],
    )
