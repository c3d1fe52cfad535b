"""Satisfaction counted from raw outcomes, by each formula, against printed figures."""

from __future__ import annotations

from fractions import Fraction

import pytest

from services.feedback.rules import rates
from services.feedback.rules.rates import FORMULAS, Counts, PromiseCounts
from services.feedback.rules.verdict import Answers, Outcome


def percent(formula: str, counts: Counts, rate: str = "satisfaction", digits: int = 2) -> float:
    found = FORMULAS[formula].rates(counts)
    assert found is not None
    return round(float(100 * found[rate]), digits)


SEPTEMBER_2022 = Counts(
    called=641, refused=80, unreachable=40, satisfied=440, unsatisfied=40, unrated=41
)


def test_ziyang_september_2022_as_printed() -> None:
    """R-43 分类评价."""
    assert SEPTEMBER_2022.valid == 521
    assert percent("ziyang-2022", SEPTEMBER_2022) == 92.32


def test_the_same_month_by_the_formula_of_2020() -> None:
    assert percent("ziyang-2020", SEPTEMBER_2022, digits=1) == 84.5


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        pytest.param(Counts(called=72, satisfied=61), 84.7, id="departments"),
        pytest.param(Counts(called=96, satisfied=40), 41.7, id="towns"),
    ],
)
def test_ziyang_october_2020_to_the_digit(counts: Counts, printed: float) -> None:
    assert percent("ziyang-2020", counts, digits=1) == printed


def test_the_towns_of_october_2020_by_the_formula_of_2022() -> None:
    towns = Counts(called=96, satisfied=40, unsatisfied=28, unrated=28)
    assert percent("ziyang-2022", towns, digits=1) == 70.8


def test_three_rates_and_their_score_of_a_hundred() -> None:
    counts = Counts(
        called=120,
        refused=12,
        unreachable=8,
        contacted=98,
        solved=90,
        partly_solved=4,
        satisfied=80,
        basically_satisfied=10,
        unsatisfied=6,
        unrated=4,
    )
    found = FORMULAS["beijing-district"].rates(counts)
    assert found == {
        "response": Fraction(98, 100),
        "solved": Fraction(90, 100),
        "satisfaction": Fraction(89, 100),
        "score": Fraction(904, 10),
    }


@pytest.mark.parametrize("name", FORMULAS)
def test_without_a_valid_callback_there_is_no_rate(name: str) -> None:
    assert FORMULAS[name].rates(Counts(called=3, refused=1, unreachable=2)) is None


@pytest.mark.parametrize("name", FORMULAS)
def test_full_marks_are_full_marks(name: str) -> None:
    answers = Answers("yes", "yes", "satisfied")
    found = FORMULAS[name].rates(rates.count(Outcome.ANSWERED, answers, 7))
    assert found is not None
    assert set(found.values()) <= {Fraction(1), Fraction(100)}


@pytest.mark.parametrize(
    ("outcome", "answers", "expected"),
    [
        (Outcome.REFUSED, None, Counts(called=2, refused=2)),
        (Outcome.NO_ANSWER, None, Counts(called=2, unreachable=2)),
        (Outcome.WRONG_NUMBER, None, Counts(called=2, unreachable=2)),
        (Outcome.NUMBER_OFF, None, Counts(called=2, unreachable=2)),
        (Outcome.EXPIRED, None, Counts(called=2, unreachable=2)),
        (
            Outcome.ANSWERED,
            Answers("yes", "partly", "basically_satisfied"),
            Counts(called=2, contacted=2, partly_solved=2, basically_satisfied=2),
        ),
        (
            Outcome.ANSWERED,
            Answers("no", "no", "unsatisfied"),
            Counts(called=2, unsatisfied=2),
        ),
        (
            Outcome.ANSWERED,
            Answers("yes", "yes", "unrated"),
            Counts(called=2, contacted=2, solved=2, unrated=2),
        ),
    ],
)
def test_raw_outcomes_are_counted_by_kind(
    outcome: Outcome, answers: Answers | None, expected: Counts
) -> None:
    """R-25 回访结果."""
    assert rates.count(outcome, answers, 2) == expected


def test_the_total_is_the_sum_of_the_units() -> None:
    parts = [Counts(called=2, satisfied=1, refused=1), Counts(called=3, satisfied=3)]
    assert rates.total(parts) == Counts(called=5, satisfied=4, refused=1)


def test_who_accepts_to_wait_has_not_said_that_it_was_solved() -> None:
    """R-19: nor does a promised day take anybody out of the satisfaction of a period."""
    answers = Answers("yes", "yes", "satisfied")
    counts = rates.count(Outcome.ANSWERED, answers, 3, put_off=True)
    assert (counts.called, counts.satisfied, counts.contacted) == (3, 3, 3)
    assert (counts.solved, counts.partly_solved) == (0, 0)


@pytest.mark.parametrize(
    ("outcome", "answers", "expected"),
    [
        (Outcome.ANSWERED, Answers(None, "yes"), PromiseCounts(called=2, yes=2)),
        (Outcome.ANSWERED, Answers(None, "partly"), PromiseCounts(called=2, partly=2)),
        (Outcome.ANSWERED, Answers(None, "no"), PromiseCounts(called=2, no=2)),
        (Outcome.ANSWERED, Answers("no"), PromiseCounts(called=2)),
        (Outcome.REFUSED, None, PromiseCounts(called=2, refused=2)),
        (Outcome.NO_ANSWER, None, PromiseCounts(called=2, unreachable=2)),
    ],
)
def test_callbacks_about_promises_are_counted_by_what_was_said(
    outcome: Outcome, answers: Answers | None, expected: PromiseCounts
) -> None:
    assert rates.count_promise(outcome, answers, 2) == expected
