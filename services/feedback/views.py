"""What GET answers about callbacks; nothing is locked and nothing changes here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, func, select

from services.feedback.models import (
    Attempt,
    Attempts,
    Callback,
    Callbacks,
    Resolution,
    Resolutions,
    Ticket,
    Tickets,
    steps,
)
from services.feedback.records import (
    ServiceAct,
    TicketRecord,
    about_now,
    attempts_of,
    needs_person,
    person_calls,
)
from services.feedback.rules import machine, verdict
from services.feedback.rules.machine import CallbackStatus
from services.feedback.schemas import (
    AnswersOut,
    AttemptOut,
    AwaitedNumber,
    AwaitedNumberList,
    CallbackOut,
    CallbackPage,
    DueCallbackPage,
    DueCounts,
)
from services.feedback.settings import Config
from shared.errors import NotFound
from shared.events import CallbackAbout
from shared.http.fields import Sentence
from shared.http.worklists import Line, Tally, Worklist

LAPSE = "lapse"
DUE_NOW = (
    col(Callbacks.status) == CallbackStatus.DUE,
    func.coalesce(col(Callbacks.next_step), "").not_in(
        steps(LAPSE)
    ),  # of those the number is wrong
    col(Attempts.callback) == col(Callbacks.id),
    col(Attempts.attempt) == col(Callbacks.attempt),
    col(Tickets.number) == col(Callbacks.number),
    col(Tickets.withdrawn_at).is_(None),
)
LATE = col(Callbacks.finish_due)  # after this the callback itself is late
NUMBER_AWAITED = (
    func.coalesce(col(Callbacks.next_step), "").in_(steps(LAPSE)),
    col(Tickets.number) == col(Callbacks.number),
    col(Tickets.withdrawn_at).is_(None),
)
MOST = 500
NUMBERS = Line("错号待更正", "Callers whose number is to be found and corrected", "awaited-numbers")
TO_CALL = Line("待回访", "Citizens a person is to call now", "callbacks/due?person=true")


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
        lapses = func.coalesce(col(Callbacks.next_step), "").in_(steps(LAPSE))
        query = query.where(lapses if awaits_number else ~lapses)
    if after is not None:
        query = query.where(col(Callbacks.id) > UUID(act.place(after)))
    found = (await act.session.exec(query)).all()
    shown = found[:limit]
    last = act.cursor(str(shown[-1].id)) if len(found) > limit else None
    return CallbackPage(items=await _views(act, shown), next=last)


async def due(
    act: ServiceAct, person: bool | None, after: str | None, limit: int
) -> DueCallbackPage:
    """待回访清单: whom to call now, what was due first (R-23, R-24). ``person``: only those a person makes,
    or only the machine's. Raises BadCursor.
    """
    by_person = person_calls(act.config)
    wanted = [*DUE_NOW]
    if person is not None:
        wanted.append(by_person if person else ~by_person)
    place = tuple_(col(Attempts.due), col(Callbacks.id))
    query = select(col(Attempts.due), Callbacks).where(*wanted)
    if after is not None:
        moment, _, last = act.place(after).partition("/")
        query = query.where(place > (datetime.fromisoformat(moment), UUID(last)))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    counted = select(
        func.count(),
        func.count().filter(by_person),
        func.count().filter(act.now > LATE),
    ).where(*wanted)
    total, persons, overdue = (await act.session.exec(counted)).one()
    more = len(rows) > limit
    shown = [callback for _, callback in rows[:limit]]
    return DueCallbackPage(
        items=await _views(act, shown),
        next=act.cursor(f"{rows[limit - 1][0].isoformat()}/{shown[-1].id}") if more else None,
        counts=DueCounts(total=total, persons=persons, overdue=overdue),
    )


async def awaited_numbers(act: ServiceAct) -> AwaitedNumberList:
    """错号待更正: whose number is to be found and corrected at intake, what ends first first."""
    query = select(Callbacks).where(*NUMBER_AWAITED)
    ends_first = query.order_by(col(Callbacks.next_at), col(Callbacks.id)).limit(MOST)
    found = await act.session.exec(ends_first)
    return AwaitedNumberList(
        items=[
            AwaitedNumber(
                number=row.number,
                round=row.round,
                callback=row.id,
                due=row.next_at or row.finish_due,
            )
            for row in found
        ]
    )


async def worklist(act: ServiceAct) -> Worklist:
    """工作清单: what call-back staff are to do next, or who can put a number right, counted as the lists
    themselves count.
    """
    if act.caller is None:
        raise AssertionError("a worklist is somebody's")
    if act.caller.role == "callback":
        waits = (*DUE_NOW, person_calls(act.config))
        tally = await _tally(act, col(Attempts.due), LATE, waits)
        return Worklist(items=[TO_CALL.counted("callbacks", tally)])
    ends = col(Callbacks.next_at)
    tally = await _tally(act, ends, ends, NUMBER_AWAITED)
    return Worklist(items=[NUMBERS.counted("awaited_numbers", tally)])


async def _tally(act: ServiceAct, due: Any, late_after: Any, waits: Iterable[Any]) -> Tally:
    late = func.count().filter(act.now > late_after)
    counted = select(func.count(), late, func.min(due)).where(*waits)
    return Tally(*(await act.session.exec(counted)).one())


async def read(act: ServiceAct, callback: UUID) -> CallbackOut:
    """One callback. Raises NotFound."""
    found = await act.session.get(Callbacks, callback)
    if found is None:
        raise NotFound(f"回访不存在 no callback {callback}")
    return (await _views(act, [found]))[0]


async def number_of(act: ServiceAct, callback: UUID) -> str:
    """Whose ticket a callback is of. Raises NotFound."""
    query = select(Callbacks.number).where(Callbacks.id == callback)
    number = (await act.session.exec(query)).first()
    if number is None:
        raise NotFound(f"回访不存在 no callback {callback}")
    return number


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
    awaits_number = callback.step == LAPSE
    status = CallbackStatus(callback.status)
    zh, en = machine.AWAITS_NUMBER if awaits_number else machine.SENTENCES[status]
    said = callback.answers()
    about = _about(config, callback, resolution, attempts[-1])
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
        split_from=ticket.split_from,
        matter=ticket.asked_of,
        about=about,
        promised_date=resolution.promised_on,
        promise_ended=resolution.promise_ended,
        questions=list(config.policy.questions_about(about, resolution.promised_on)),
        attempts=[AttemptOut.model_validate(row, from_attributes=True) for row in attempts],
    )


def _about(
    config: Config, callback: Callback, resolution: Resolution, attempt: Attempt
) -> CallbackAbout:
    """What an attempt asks: as it fell due, or as it would now."""
    waits = callback.status in (CallbackStatus.PLANNED, CallbackStatus.NO_ANSWER)
    return about_now(config, callback, resolution) if waits else attempt.asked
