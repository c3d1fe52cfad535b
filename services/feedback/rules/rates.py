"""Satisfaction by named formulas over the same raw outcomes (DOMAIN.md 3.1, 3.2).

The county changed its formula between 2020 and 2022, so no figure means anything without the name
of its formula. Rates are exact fractions of 1; a rate without a valid callback is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from types import MappingProxyType
from typing import Self, TypeAlias

from services.feedback.rules.verdict import Answers, Outcome

Rates: TypeAlias = dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Counts:
    """Finished callbacks by outcome (R-25), and the answers of those that were answered.

    ``partial``: not all questions were answered; who said nothing of satisfaction is unrated.
    ``by_citizen``: nobody called, the citizen rang.
    """

    called: int = 0
    refused: int = 0
    unreachable: int = 0
    contacted: int = 0
    solved: int = 0
    partly_solved: int = 0
    satisfied: int = 0
    basically_satisfied: int = 0
    unsatisfied: int = 0
    unrated: int = 0
    partial: int = 0
    by_citizen: int = 0

    @property
    def valid(self) -> int:
        """有效回访: called − refused − unreachable (ZY22)."""
        return self.called - self.refused - self.unreachable

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


@dataclass(frozen=True, slots=True)
class PromiseCounts:
    """Callbacks about promised days (R-19), by what was answered to ``solved``: whether the citizen accepts
    the day, or whether the promise was kept. The rest of ``called`` answered something else.
    """

    called: int = 0
    yes: int = 0
    partly: int = 0
    no: int = 0
    refused: int = 0
    unreachable: int = 0

    def __add__(self, other: Self) -> Self:
        names = [field.name for field in fields(self)]
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


def count_promise(outcome: Outcome, answers: Answers | None, times: int = 1) -> PromiseCounts:
    """``times`` callbacks about a promised day that ended with this outcome of their last attempt."""
    refused = outcome is Outcome.REFUSED
    solved = answers.solved if answers else None
    return PromiseCounts(
        called=times,
        yes=times * (solved == "yes"),
        partly=times * (solved == "partly"),
        no=times * (solved == "no"),
        refused=times * refused,
        unreachable=times * (answers is None and not refused),
    )


def count(
    outcome: Outcome,
    answers: Answers | None,
    times: int = 1,
    *,
    by_citizen: bool = False,
    put_off: bool = False,
) -> Counts:
    """``times`` callbacks that ended with this outcome of their last attempt. Who accepts that a matter is
    ``put_off`` has not said that it was solved.
    """
    if outcome is Outcome.REFUSED:
        return Counts(called=times, refused=times)
    if answers is None:
        return Counts(called=times, unreachable=times)
    return Counts(
        called=times,
        contacted=times * (answers.contacted == "yes"),
        solved=times * (answers.solved == "yes" and not put_off),
        partly_solved=times * (answers.solved == "partly" and not put_off),
        satisfied=times * (answers.satisfied == "satisfied"),
        basically_satisfied=times * (answers.satisfied == "basically_satisfied"),
        unsatisfied=times * (answers.satisfied == "unsatisfied"),
        unrated=times * (answers.satisfied in ("unrated", None)),
        partial=times * bool(answers.missing),
        by_citizen=times * by_citizen,
    )


def total(counts: Iterable[Counts]) -> Counts:
    """The sum of several counts."""
    return sum(counts, Counts())


@dataclass(frozen=True, slots=True)
class Formula:
    """A way to count, by name, with the words that are printed beside every figure."""

    name: str
    text: str
    compute: Callable[[Counts], Rates]

    def rates(self, counts: Counts) -> Rates | None:
        """The rates of these counts, or None when there was no valid callback."""
        return self.compute(counts) if counts.valid else None


def _ziyang_2022(counts: Counts) -> Rates:
    """Not rated counts for the unit."""
    return {"satisfaction": Fraction(counts.valid - counts.unsatisfied, counts.valid)}


def _ziyang_2020(counts: Counts) -> Rates:
    """Only 满意 counts; not rated counts against the unit."""
    return {"satisfaction": Fraction(counts.satisfied, counts.valid)}


def _beijing(counts: Counts) -> Rates:
    """Three rates (三率), and a score of 100."""
    content = counts.satisfied + Fraction(9, 10) * counts.basically_satisfied
    rates = {
        "response": Fraction(counts.contacted, counts.valid),
        "solved": Fraction(counts.solved, counts.valid),
        "satisfaction": content / counts.valid,
    }
    weighed = rates["response"] + 5 * rates["solved"] + 4 * rates["satisfaction"]
    return {**rates, "score": 10 * weighed}


_VALID = "valid = called - refused - unreachable"

FORMULAS: Mapping[str, Formula] = MappingProxyType(
    {
        formula.name: formula
        for formula in (
            Formula(
                "ziyang-2022",
                f"satisfaction = (valid - unsatisfied) / valid; {_VALID}",
                _ziyang_2022,
            ),
            Formula("ziyang-2020", f"satisfaction = satisfied / valid; {_VALID}", _ziyang_2020),
            Formula(
                "beijing-district",
                "response = contacted / valid; solved = solved / valid; "
                "satisfaction = (satisfied + 0.9*basically) / valid; "
                f"score = 100*(0.1*response + 0.5*solved + 0.4*satisfaction); {_VALID}",
                _beijing,
            ),
        )
    }
)
