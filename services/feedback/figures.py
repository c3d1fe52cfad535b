"""满意率: the figures of a period, counted from raw outcomes (DOMAIN.md 3.1, 3.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from services.feedback.models import Attempts, Callbacks, CallsRated, Resolutions
from services.feedback.records import ServiceAct
from services.feedback.rules import rates, verdict
from services.feedback.rules.rates import FORMULAS, Counts, Formula
from services.feedback.rules.verdict import Outcome
from services.feedback.schemas import CallRatings, CountsOut, RatesOut, UnitRates
from services.feedback.settings import Config
from shared.errors import Malformed, UnknownCode
from shared.events import CallRating


async def satisfaction(
    act: ServiceAct, first: date | None, last: date | None, name: str | None
) -> RatesOut:
    """The figures of the rounds that ended from ``first`` to ``last``, both included.

    Raises UnknownCode for an unknown formula, Malformed for a period that ends before it begins.
    """
    today = act.now.astimezone(act.config.times.timezone).date()
    first, last = first or today.replace(day=1), last or today
    if last < first:
        raise Malformed("结束日早于开始日 The last day is before the first", field="to")
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
        calls=await _calls(act, start, end),
    )


def _formula(name: str) -> Formula:
    if name not in FORMULAS:
        raise UnknownCode(field="formula", allowed=list(FORMULAS))
    return FORMULAS[name]


def _midnight(config: Config, day: date) -> datetime:
    return datetime.combine(day, time(), config.times.timezone).astimezone(UTC)


async def _counts_by_unit(act: ServiceAct, start: datetime, end: datetime) -> dict[str, Counts]:
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


async def _outcomes(act: ServiceAct, start: datetime, end: datetime) -> Sequence[Any]:
    """Rows of (lead, outcome, contacted, solved, satisfied, number) of rounds that ended in
    [start, end) with a callback; the outcome is that of the attempt that settled it.
    """
    raw = (
        Resolutions.lead,
        Attempts.outcome,
        Attempts.contacted,
        Attempts.solved,
        Attempts.satisfied,
    )
    query = (
        select(*raw, func.count())  # type: ignore[call-overload]  # sqlmodel types 4 columns at most
        .join(
            Callbacks,
            (col(Callbacks.number) == col(Resolutions.number))
            & (col(Callbacks.round) == col(Resolutions.round)),
        )
        .join(
            Attempts,
            (col(Attempts.callback) == col(Callbacks.id))
            & (col(Attempts.attempt) == col(Callbacks.settled_by)),
        )
        .where(col(Resolutions.ended_at) >= start, col(Resolutions.ended_at) < end)
        .group_by(*raw)
    )
    rows: Sequence[Any] = (await act.session.exec(query)).all()
    return rows


async def _not_called(act: ServiceAct, start: datetime, end: datetime) -> dict[str, int]:
    """How many rounds ended in [start, end) without a callback, by kind."""
    query = (
        select(Resolutions.ending, func.count())
        .where(
            col(Resolutions.ending).in_(verdict.WITHOUT_CALLBACK),
            col(Resolutions.ended_at) >= start,
            col(Resolutions.ended_at) < end,
        )
        .group_by(col(Resolutions.ending))
    )
    return {str(kind): number for kind, number in await act.session.exec(query)}


async def _calls(act: ServiceAct, start: datetime, end: datetime) -> CallRatings:
    """What callers said of their calls in [start, end)."""
    query = (
        select(CallsRated.rating, CallsRated.direct, func.count())
        .where(col(CallsRated.rated_at) >= start, col(CallsRated.rated_at) < end)
        .group_by(col(CallsRated.rating), col(CallsRated.direct))
    )
    found = (await act.session.exec(query)).all()
    every, direct = Counter[str](), Counter[str]()
    for rating, is_direct, number in found:
        every[str(rating)] += number
        direct[str(rating)] += number * is_direct
    return CallRatings(
        all={word.value: every[word.value] for word in CallRating},
        direct={word.value: direct[word.value] for word in CallRating},
    )
