"""Selects that repeat: one case under its lock, what is due, the lists, the figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select

from services.feedback.models import Attempt, Callback, Message, Resolution, Ticket
from services.feedback.rules import machine, planning, rates, verdict
from services.feedback.rules.machine import State
from services.feedback.rules.rates import FORMULAS, Counts, Formula
from services.feedback.rules.verdict import Outcome
from services.feedback.schemas import (
    AttemptOut,
    CallbackOut,
    CallbackPage,
    CountsOut,
    RatesOut,
    UnitRates,
)
from services.feedback.settings import Config
from shared.errors import Malformed, NotFound, TooEarly, UnknownCode
from shared.storage.act import Act

FeedbackAct: TypeAlias = Act[Config]


@dataclass(slots=True)
class Case:
    """A callback with the round it is about and its ticket, whose row is held."""

    ticket: Ticket
    resolution: Resolution
    callback: Callback


async def held_ticket(act: FeedbackAct, number: str) -> Ticket:
    """The ticket, its row locked. Raises TooEarly while its registration has not arrived."""
    ticket = await find_locked(act, number)
    if ticket is None:
        raise TooEarly(f"ticket {number} is not registered here yet")
    return ticket


async def find_locked(act: FeedbackAct, number: str) -> Ticket | None:
    """The ticket, its row locked; None when it is not registered here."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        query = select(Ticket).where(col(Ticket.number).in_(numbers)).order_by(col(Ticket.number))
        locked = query.with_for_update().execution_options(populate_existing=True)
        found = {row.number: row for row in (await act.session.exec(locked)).all()}
        act.locked |= dict.fromkeys(numbers) | found
    ticket: Ticket | None = act.locked[number]
    return ticket


async def held_case(act: FeedbackAct, callback: UUID) -> Case:
    """A callback under its ticket's lock. Raises NotFound.

    The callback is read behind the lock: a row read earlier could be out of date.
    """
    number = select(Callback.number).where(col(Callback.id) == callback).scalar_subquery()
    locked = select(Ticket).where(col(Ticket.number) == number).with_for_update()
    ticket = (await act.session.exec(locked.execution_options(populate_existing=True))).first()
    if ticket is None:
        raise NotFound(f"回访不存在 no callback {callback}")
    act.locked[ticket.number] = ticket
    return await case_of(act, ticket, await act.session.get_one(Callback, callback))


async def case_of(act: FeedbackAct, ticket: Ticket, callback: Callback) -> Case:
    """The case of a callback whose ticket is held."""
    resolution = await act.session.get_one(Resolution, (callback.number, callback.round))
    return Case(ticket, resolution, callback)


async def callback_of_round(act: FeedbackAct, number: str, round: int) -> Callback | None:
    """The callback of one round of a ticket."""
    query = select(Callback).where(col(Callback.number) == number, col(Callback.round) == round)
    return (await act.session.exec(query)).first()


async def open_callbacks(act: FeedbackAct, number: str) -> Sequence[Callback]:
    """The callbacks of a ticket that are not over."""
    query = select(Callback).where(
        col(Callback.number) == number, col(Callback.state).in_(machine.OPEN)
    )
    return (await act.session.exec(query)).all()


async def attempts_of(act: FeedbackAct, callbacks: Collection[UUID]) -> Sequence[Attempt]:
    """The attempts of callbacks, in their order."""
    query = (
        select(Attempt)
        .where(col(Attempt.callback).in_(callbacks))
        .order_by(col(Attempt.callback), col(Attempt.attempt))
    )
    return (await act.session.exec(query)).all()


async def is_first(act: FeedbackAct, key: tuple[str, int, str]) -> bool:
    """Note a message to a citizen by ticket, round and occasion; False when it was noted before."""
    values = dict(zip(("number", "round", "occasion"), key, strict=True))
    noted = insert(Message).values(values).on_conflict_do_nothing().returning(col(Message.number))
    return (await (await act.session.connection()).execute(noted)).first() is not None


# --- by the clock ------------------------------------------------------------------------------


async def claim(
    act: FeedbackAct, steps: Collection[str], limit: int, real: datetime
) -> Sequence[tuple[Ticket, Callback]]:
    """Callbacks whose next step is due and that nobody else works on, held for this act.

    Both rows are locked: the ticket as the lock everybody takes, the callback so that its values
    are those after the lock.
    """
    query = (
        select(Ticket, Callback)
        .join(Callback, col(Callback.number) == col(Ticket.number))
        .where(
            col(Callback.next_step).in_(steps),
            col(Callback.next_at) <= act.now,
            or_(col(Callback.leased_until).is_(None), col(Callback.leased_until) <= real),
        )
        .order_by(col(Callback.next_at), col(Callback.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await act.session.exec(query)).all()


async def next_moment(act: FeedbackAct, steps: Collection[str]) -> datetime | None:
    """When the next of these steps is due; a call that is being asked for counts as due."""
    query = select(func.min(col(Callback.next_at))).where(col(Callback.next_step).in_(steps))
    moment: datetime | None = (await act.session.exec(query)).one()
    return moment


async def next_expiry(act: FeedbackAct) -> datetime | None:
    """When the next asked call expires."""
    return await next_moment(act, ("expire",))


async def next_call(act: FeedbackAct) -> datetime | None:
    """When there is next a call to make, inside the calling windows."""
    moment = await next_moment(act, ("fall_due", "ask"))
    return moment and planning.opening(max(moment, act.now), act.config.times)


# --- what is shown -----------------------------------------------------------------------------


async def page(
    act: FeedbackAct, state: State | None, after: str | None, limit: int
) -> CallbackPage:
    """Callbacks in the order they were planned. Raises BadCursor."""
    query = select(Callback).order_by(col(Callback.id)).limit(limit + 1)
    if state is not None:
        query = query.where(col(Callback.state) == state)
    if after is not None:
        query = query.where(col(Callback.id) > UUID(act.place(after)))
    found = (await act.session.exec(query)).all()
    shown = found[:limit]
    last = act.cursor(str(shown[-1].id)) if len(found) > limit else None
    return CallbackPage(items=await views(act, shown), next=last)


async def one(act: FeedbackAct, callback: UUID) -> CallbackOut:
    """One callback. Raises NotFound."""
    found = await act.session.get(Callback, callback)
    if found is None:
        raise NotFound(f"回访不存在 no callback {callback}")
    return (await views(act, [found]))[0]


async def views(act: FeedbackAct, callbacks: Sequence[Callback]) -> list[CallbackOut]:
    """Callbacks as they are shown."""
    if not callbacks:
        return []
    query = (
        select(Callback.id, Ticket, Resolution)
        .join(Ticket, col(Ticket.number) == col(Callback.number))
        .join(
            Resolution,
            (col(Resolution.number) == col(Callback.number))
            & (col(Resolution.round) == col(Callback.round)),
        )
        .where(col(Callback.id).in_([callback.id for callback in callbacks]))
    )
    rows = {key: (ticket, resolution) for key, ticket, resolution in await act.session.exec(query)}
    attempts = await attempts_of(act, rows.keys())
    return [
        _view(act.config, Case(*rows[callback.id], callback), attempts) for callback in callbacks
    ]


def _view(config: Config, case: Case, attempts: Iterable[Attempt]) -> CallbackOut:
    callback, words = case.callback, machine.SENTENCES[State(case.callback.state)]
    own = [row for row in attempts if row.callback == callback.id]
    return CallbackOut(
        id=callback.id,
        ticket=callback.number,
        round=callback.round,
        lead=case.resolution.lead,
        state=State(callback.state),
        sentence_zh=words.zh,
        sentence_en=words.en,
        attempt=callback.attempt,
        due=own[-1].due,
        finish_by=callback.finish_by,
        person=needs_person(config, case.ticket, callback),
        failed_asks=callback.failed_asks,
        ending=case.resolution.ending,
        attempts=[AttemptOut.model_validate(row, from_attributes=True) for row in own],
    )


def needs_person(config: Config, ticket: Ticket, callback: Callback) -> bool:
    """Whether a person makes this call (policy.yaml ``human_call_required_for``)."""
    return config.policy.needs_person(
        report=ticket.ticket_type == "report",
        supervised=ticket.supervised,
        redo=callback.round > 1,
    )


# --- figures -----------------------------------------------------------------------------------


async def satisfaction(
    act: FeedbackAct, first: date | None, last: date | None, name: str | None
) -> RatesOut:
    """The figures of the rounds that ended from ``first`` to ``last``, both included.

    Raises UnknownCode for an unknown formula, Malformed for a period that ends before it begins.
    """
    today = act.now.astimezone(act.config.times.timezone).date()
    first, last = first or today.replace(day=1), last or today
    if last < first:
        raise Malformed("to 早于 from is before from", field="to")
    formula = _formula(name or act.config.formula)
    start, end = _midnight(act.config, first), _midnight(act.config, last + timedelta(days=1))
    units = await _counts_by_unit(act, start, end)
    whole = rates.total(units.values())
    return RatesOut(
        formula=formula.name,
        text=formula.text,
        start=first,
        end=last,
        counts=_shown(whole),
        rates=_rounded(formula, whole),
        units=_by_unit(act.config, formula, units),
        not_called=await _not_called(act, start, end),
    )


def _formula(name: str) -> Formula:
    if name not in FORMULAS:
        raise UnknownCode(field="formula", allowed=list(FORMULAS))
    return FORMULAS[name]


def _midnight(config: Config, day: date) -> datetime:
    return datetime.combine(day, time(), config.times.timezone).astimezone(UTC)


async def _counts_by_unit(act: FeedbackAct, start: datetime, end: datetime) -> dict[str, Counts]:
    units: dict[str, Counts] = defaultdict(Counts)
    for lead, outcome, contacted, solved, satisfied, times in await _outcomes(act, start, end):
        answers = verdict.answers_on_record(contacted, solved, satisfied)
        units[lead] += rates.count(Outcome(outcome), answers, times)
    return units


def _by_unit(config: Config, formula: Formula, units: Mapping[str, Counts]) -> list[UnitRates]:
    return [
        UnitRates(
            unit=code,
            name=config.unit_names.get(code, code),
            counts=_shown(counts),
            rates=_rounded(formula, counts),
        )
        for code, counts in sorted(units.items())
    ]


def _shown(counts: Counts) -> CountsOut:
    return CountsOut(valid=counts.valid, **asdict(counts))


def _rounded(formula: Formula, counts: Counts) -> dict[str, float] | None:
    """Rates to six places; what is printed is rounded from these."""
    found = formula.rates(counts)
    return None if found is None else {name: round(float(rate), 6) for name, rate in found.items()}


async def _outcomes(act: FeedbackAct, start: datetime, end: datetime) -> Sequence[Any]:
    """Rows of (lead, outcome, contacted, solved, satisfied, number) of rounds that ended in
    [start, end) with a callback; the outcome is that of the attempt that settled it.
    """
    raw = (Resolution.lead, Attempt.outcome, Attempt.contacted, Attempt.solved, Attempt.satisfied)
    query = (
        select(*raw, func.count())  # type: ignore[call-overload]  # sqlmodel types 4 columns at most
        .join(
            Callback,
            (col(Callback.number) == col(Resolution.number))
            & (col(Callback.round) == col(Resolution.round)),
        )
        .join(
            Attempt,
            (col(Attempt.callback) == col(Callback.id))
            & (col(Attempt.attempt) == col(Callback.settled_by)),
        )
        .where(col(Resolution.ended) >= start, col(Resolution.ended) < end)
        .group_by(*raw)
    )
    rows: Sequence[Any] = (await act.session.exec(query)).all()
    return rows


async def _not_called(act: FeedbackAct, start: datetime, end: datetime) -> dict[str, int]:
    """How many rounds ended in [start, end) without a callback, by kind."""
    query = (
        select(Resolution.ending, func.count())
        .where(
            col(Resolution.ending).in_(verdict.WITHOUT_CALLBACK),
            col(Resolution.ended) >= start,
            col(Resolution.ended) < end,
        )
        .group_by(col(Resolution.ending))
    )
    return {str(kind): number for kind, number in await act.session.exec(query)}
