"""Satisfaction of a period, from raw outcomes, under a named formula (DOMAIN.md 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta

from services.feedback import queries
from services.feedback.queries import FeedbackAct
from services.feedback.rules import rates
from services.feedback.rules.rates import FORMULAS, Counts, Formula
from services.feedback.rules.verdict import Answers, Outcome
from services.feedback.schemas import CountsOut, RatesOut, UnitRates
from services.feedback.settings import Config
from shared.errors import Malformed, UnknownCode


async def satisfaction(
    act: FeedbackAct, first: date | None, last: date | None, name: str | None
) -> RatesOut:
    """The figures of the rounds that ended from ``first`` to ``last``, both included.

    Raises UnknownCode for a formula nobody knows, Malformed for a period that ends before it begins.
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
        not_called=await queries.not_called(act, start, end),
    )


def _formula(name: str) -> Formula:
    if name not in FORMULAS:
        raise UnknownCode(field="formula", allowed=list(FORMULAS))
    return FORMULAS[name]


def _midnight(config: Config, day: date) -> datetime:
    return datetime.combine(day, time(), config.times.timezone).astimezone(UTC)


async def _counts_by_unit(act: FeedbackAct, start: datetime, end: datetime) -> dict[str, Counts]:
    units: dict[str, Counts] = defaultdict(Counts)
    for lead, outcome, contacted, solved, satisfied, times in await queries.outcomes(
        act, start, end
    ):
        answers = Answers(contacted, solved, satisfied) if solved else None
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
    return found and {name: round(float(rate), 6) for name, rate in found.items()}
