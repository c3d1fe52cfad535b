"""满意率: the figures of a period, counted from raw outcomes (DOMAIN.md 3.1, 3.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from services.feedback import records
from services.feedback.models import Attempts, Callbacks, CallsRated, Resolutions
from services.feedback.records import ServiceAct
from services.feedback.rules import rates, verdict
from services.feedback.rules.rates import FORMULAS, Counts, Formula
from services.feedback.rules.verdict import Outcome
from services.feedback.schemas import CallRatings, CountsOut, RatesOut, RedoOut, UnitRates
from shared.errors import UnknownCode
from shared.events import CallRating


async def satisfaction(
    act: ServiceAct, first: date | None, last: date | None, name: str | None
) -> RatesOut:
    """The figures of the rounds that ended from ``first`` to ``last``, both included.

    Raises UnknownCode for an unknown formula, Malformed for a period that ends before it begins.
    """
    formula = _formula(name or act.config.formula)
    of = act.config.place.counted(first, last, act.now)
    units = await _counts_by_unit(act, of.start, of.end)
    rounds = await _rounds_by_unit(act, of.start, of.end)
    whole = rates.total(units.values())
    return RatesOut(
        formula=formula.name,
        text=formula.text,
        start=of.first,
        end=of.last,
        counts=_shown(whole),
        rates=_rounded(formula, whole),
        redo=_redo(rounds.values()),
        units=_by_unit(act, formula, units, rounds),
        not_called=await _not_called(act, of.start, of.end),
        calls=await _calls(act, of.start, of.end),
    )


def _formula(name: str) -> Formula:
    if name not in FORMULAS:
        raise UnknownCode(name, field="formula", allowed=list(FORMULAS))
    return FORMULAS[name]


async def _counts_by_unit(act: ServiceAct, start: datetime, end: datetime) -> dict[str, Counts]:
    units: dict[str, Counts] = defaultdict(Counts)
    for lead, word, by_citizen, *said, times in await _outcomes(act, start, end):
        outcome = Outcome(word)
        answered = outcome is Outcome.ANSWERED
        answers = verdict.answers_on_record(*said) if answered else None
        units[lead] += rates.count(outcome, answers, times, by_citizen=by_citizen)
    return units


async def _rounds_by_unit(
    act: ServiceAct, start: datetime, end: datetime
) -> dict[str, tuple[int, int]]:
    """By lead: how many rounds it completed in [start, end), and how many were sent back in it."""
    completed, ended = (
        (column >= start) & (column < end)
        for column in (col(Resolutions.completed_at), col(Resolutions.ended_at))
    )
    reopened = ended & (col(Resolutions.ending) == verdict.REOPENED)
    lead = col(Resolutions.lead)
    query = (
        select(lead, func.count().filter(completed), func.count().filter(reopened))
        .where(completed | reopened)
        .group_by(lead)
    )
    return {unit: (done, back) for unit, done, back in await act.session.exec(query)}


def _redo(rounds: Iterable[tuple[int, int]]) -> RedoOut:
    completed, reopened = (sum(numbers) for numbers in zip((0, 0), *rounds, strict=True))
    rate = round(reopened / completed, 6) if completed else None
    return RedoOut(completed=completed, reopened=reopened, rate=rate)


def _by_unit(
    act: ServiceAct,
    formula: Formula,
    units: Mapping[str, Counts],
    rounds: Mapping[str, tuple[int, int]],
) -> list[UnitRates]:
    return [
        UnitRates(
            unit=code,
            name=records.unit_called(act, code),
            counts=_shown(counts := units.get(code, Counts())),
            rates=_rounded(formula, counts),
            redo=_redo([rounds[code]] if code in rounds else []),
        )
        for code in sorted({*units, *rounds})
    ]


def _shown(counts: Counts) -> CountsOut:
    return CountsOut(valid=counts.valid, **asdict(counts))


def _rounded(formula: Formula, counts: Counts) -> dict[str, float] | None:
    """Rates to six places; what is printed is rounded from these."""
    found = formula.rates(counts)
    return None if found is None else {name: round(float(rate), 6) for name, rate in found.items()}


async def _outcomes(act: ServiceAct, start: datetime, end: datetime) -> Sequence[Any]:
    """Rows of (lead, outcome, by_citizen, contacted, solved, satisfied, number) of rounds that ended in
    [start, end) with a callback; the outcome is that of the attempt that settled it, the answers are
    what was said in all of them.
    """
    said = [
        func.coalesce(col(Callbacks.said)[question].as_string(), getattr(Attempts, question))
        for question in verdict.QUESTIONS
    ]
    raw = (Resolutions.lead, Attempts.outcome, Attempts.by_citizen, *said)
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
