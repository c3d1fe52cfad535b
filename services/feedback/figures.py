"""满意率: the figures of a period, counted from raw outcomes (DOMAIN.md 3.1, 3.2)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from services.feedback import records
from services.feedback.models import Attempts, Callbacks, CallsRated, Resolutions
from services.feedback.records import ServiceAct
from services.feedback.rules import rates, verdict
from services.feedback.rules.rates import FORMULAS, Counts, Formula, PromiseCounts
from services.feedback.rules.verdict import Answers, Outcome
from services.feedback.schemas import (
    CallRatings,
    CountsOut,
    PromiseCountsOut,
    PromisesOut,
    RatesOut,
    RedoOut,
    UnitRates,
)
from shared.errors import UnknownCode
from shared.events import CallbackAbout, CallRating
from shared.jurisdiction.appraisal import WHOLE, Appraisal


class Ended(NamedTuple):
    """So many callbacks of one lead that ended alike."""

    lead: str
    outcome: Outcome
    by_citizen: bool
    about: str | None
    answers: Answers | None
    times: int

    @classmethod
    def of(
        cls, lead: str, word: str, by_citizen: bool, about: str | None, *said_and_times: Any
    ) -> Ended:
        """As a row says it."""
        *said, times = said_and_times
        outcome = Outcome(word)
        answered = outcome is Outcome.ANSWERED
        answers = verdict.answers_on_record(*said) if answered else None
        return cls(lead, outcome, by_citizen, about, answers, times)


async def satisfaction(
    act: ServiceAct, first: date | None, last: date | None, name: str | None
) -> RatesOut:
    """The figures of the rounds that ended from ``first`` to ``last``, both included.

    Raises UnknownCode for an unknown formula, Malformed for a period that ends before it begins.
    """
    formula = _formula(name or act.config.formula)
    of = act.config.place.counted(first, last, act.now)
    outcomes = [Ended.of(*row) for row in await _outcomes(act, of.start, of.end)]
    units = _counts_by_unit(outcomes)
    promises = await _promises_by_unit(act, outcomes, of.start, of.end)
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
        promises=_promises(promises.values()),
        units=_by_unit(act, formula, units, rounds, promises),
        not_called=await _not_called(act, of.start, of.end),
        calls=await _calls(act, of.start, of.end),
    )


def _formula(name: str) -> Formula:
    if name not in FORMULAS:
        raise UnknownCode(name, field="formula", allowed=list(FORMULAS))
    return FORMULAS[name]


def _counts_by_unit(outcomes: Iterable[Ended]) -> dict[str, Counts]:
    units: dict[str, Counts] = defaultdict(Counts)
    for ended in outcomes:
        units[ended.lead] += rates.count(
            ended.outcome,
            ended.answers,
            ended.times,
            by_citizen=ended.by_citizen,
            put_off=ended.about == CallbackAbout.PUT_OFF,
        )
    return units


async def _promises_by_unit(
    act: ServiceAct, outcomes: Iterable[Ended], start: datetime, end: datetime
) -> dict[str, tuple[PromiseCounts, PromiseCounts]]:
    """By lead: who accepts a promised day, and whether promises were kept, asked in [start, end)."""
    accepted, kept = (
        defaultdict[str, PromiseCounts](PromiseCounts),
        defaultdict[str, PromiseCounts](PromiseCounts),
    )
    asked = [Ended.of(*row) for row in await _asked_of_promises(act, start, end)]
    for ended in (*outcomes, *asked):
        counts = rates.count_promise(ended.outcome, ended.answers, ended.times)
        if ended.about == CallbackAbout.PUT_OFF:
            accepted[ended.lead] += counts
        elif ended.about in verdict.OF_PROMISE:
            kept[ended.lead] += counts
    return {lead: (accepted[lead], kept[lead]) for lead in {*accepted, *kept}}


def _promises(units: Iterable[tuple[PromiseCounts, PromiseCounts]]) -> PromisesOut:
    accepted, kept = PromiseCounts(), PromiseCounts()
    for one_accepted, one_kept in units:
        accepted, kept = accepted + one_accepted, kept + one_kept
    return PromisesOut(
        accepted=PromiseCountsOut(**asdict(accepted)), kept=PromiseCountsOut(**asdict(kept))
    )


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


def _redo(rounds: Iterable[tuple[int, int]], by: Appraisal = WHOLE) -> RedoOut:
    completed, reopened = (sum(numbers) for numbers in zip((0, 0), *rounds, strict=True))
    rate = round(reopened / completed, 6) if completed else None
    return RedoOut(completed=completed, reopened=reopened, rate=by.rate(rate, completed))


def _by_unit(
    act: ServiceAct,
    formula: Formula,
    units: Mapping[str, Counts],
    rounds: Mapping[str, tuple[int, int]],
    promises: Mapping[str, tuple[PromiseCounts, PromiseCounts]],
) -> list[UnitRates]:
    by = act.config.place.appraisal
    return [
        UnitRates(
            **dict(by.standing(code, act.config.units.unit(code), counts.valid)),
            name=records.unit_called(act, code),
            counts=_shown(counts),
            rates=by.rate(_rounded(formula, counts), counts.valid),
            redo=_redo([rounds[code]] if code in rounds else [], by),
            promises=_promises([promises[code]] if code in promises else []),
        )
        for code in sorted({*units, *rounds, *promises})
        for counts in [units.get(code, Counts())]
    ]


def _shown(counts: Counts) -> CountsOut:
    return CountsOut(valid=counts.valid, **asdict(counts))


def _rounded(formula: Formula, counts: Counts) -> dict[str, float] | None:
    """Rates to six places; what is printed is rounded from these."""
    found = formula.rates(counts)
    return None if found is None else {name: round(float(rate), 6) for name, rate in found.items()}


async def _outcomes(act: ServiceAct, start: datetime, end: datetime) -> Sequence[Any]:
    """Those whose rounds ended in [start, end) with a callback."""
    return await _ended(
        act,
        col(Callbacks.about) != CallbackAbout.PROMISE,
        col(Resolutions.ended_at) >= start,
        col(Resolutions.ended_at) < end,
    )


async def _asked_of_promises(act: ServiceAct, start: datetime, end: datetime) -> Sequence[Any]:
    """Those about promises that ended in [start, end); their rounds had ended before."""
    return await _ended(
        act,
        col(Callbacks.about) == CallbackAbout.PROMISE,
        col(Attempts.reported_at) >= start,
        col(Attempts.reported_at) < end,
    )


async def _ended(act: ServiceAct, *wanted: ColumnElement[bool]) -> Sequence[Any]:
    """Rows as Ended takes them of callbacks that are over; the outcome is that of the attempt that settled
    it, the answers are what was said in all of them.
    """
    said = [
        func.coalesce(col(Callbacks.said)[question].as_string(), getattr(Attempts, question))
        for question in verdict.QUESTIONS
    ]
    raw = (Resolutions.lead, Attempts.outcome, Attempts.by_citizen, Attempts.about, *said)
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
        .where(*wanted)
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
