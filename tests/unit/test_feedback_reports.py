"""Which report on which attempt is taken, what it does, and what is said of one that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.feedback.rules import machine, reports
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.reports import (
    AlreadyReported,
    CallbackOver,
    CallNotDue,
    ReportedAttempt,
    WrongAttempt,
)
from services.feedback.rules.verdict import Outcome, Report
from shared.errors import JiesuError

NOW = datetime(2026, 3, 3, 1, 5, tzinfo=UTC)
DUE = NOW - timedelta(minutes=5)
EXPIRED = Report(Outcome.EXPIRED)
MISSED = Report(Outcome.NO_ANSWER)
OVER = (CallbackStatus.ANSWERED, CallbackStatus.GIVEN_UP, CallbackStatus.CANCELLED)
Expected = Action | type[JiesuError] | None

# What a report on the attempt a callback is at does, by where the callback stands.
CURRENT: dict[tuple[CallbackStatus, Action], Expected] = {
    (CallbackStatus.PLANNED, Action.ANSWER): CallNotDue,
    (CallbackStatus.PLANNED, Action.REFUSE): CallNotDue,
    (CallbackStatus.PLANNED, Action.MISS): CallNotDue,
    (CallbackStatus.DUE, Action.ANSWER): Action.ANSWER,
    (CallbackStatus.DUE, Action.REFUSE): Action.REFUSE,
    (CallbackStatus.DUE, Action.MISS): Action.MISS,
    (CallbackStatus.NO_ANSWER, Action.ANSWER): Action.ANSWER,
    (CallbackStatus.NO_ANSWER, Action.REFUSE): Action.REFUSE,
    (CallbackStatus.NO_ANSWER, Action.MISS): CallNotDue,
    **{(status, action): CallbackOver for status in OVER for action in Action},
}
MEANT = {Outcome.ANSWERED: Action.ANSWER, Outcome.REFUSED: Action.REFUSE}


def check(report: Report, found: ReportedAttempt, expected: Expected) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected):
            reports.effect_of(report, found, NOW, 3)
    else:
        assert reports.effect_of(report, found, NOW, 3) is expected


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("status", CallbackStatus)
def test_exactly_the_table_is_taken(status: CallbackStatus, outcome: Outcome) -> None:
    found = ReportedAttempt(status=status, expected=1, attempt=1, due=DUE)
    check(Report(outcome), found, CURRENT[status, MEANT.get(outcome, Action.MISS)])


def test_the_last_attempt_missed_gives_up() -> None:
    found = ReportedAttempt(status=CallbackStatus.DUE, expected=3, attempt=3, due=DUE)
    check(MISSED, found, Action.GIVE_UP)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [(Outcome.REFUSED, CallNotDue), (Outcome.ANSWERED, Action.ANSWER)],
)
def test_before_a_call_is_due_nobody_refuses_it(outcome: Outcome, expected: Expected) -> None:
    found = ReportedAttempt(
        status=CallbackStatus.NO_ANSWER, expected=2, attempt=2, due=NOW + timedelta(hours=5)
    )
    check(Report(outcome), found, expected)


@pytest.mark.parametrize("outcome", [o for o in Outcome if o not in MEANT])
@pytest.mark.parametrize("status", CallbackStatus)
@pytest.mark.parametrize("attempt", [1, 3])
def test_a_late_miss_only_sets_the_record_right(
    status: CallbackStatus, outcome: Outcome, attempt: int
) -> None:
    found = ReportedAttempt(status=status, expected=3, attempt=attempt, due=DUE, known=EXPIRED)
    check(Report(outcome), found, None)


@pytest.mark.parametrize("outcome", MEANT)
@pytest.mark.parametrize("status", [s for s in CallbackStatus if s is not CallbackStatus.PLANNED])
def test_a_late_word_counts_while_the_callback_is_open(
    status: CallbackStatus, outcome: Outcome
) -> None:
    found = ReportedAttempt(status=status, expected=2, attempt=1, due=DUE, known=EXPIRED)
    check(Report(outcome), found, CallbackOver if status in OVER else MEANT[outcome])


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not MISSED.outcome])
@pytest.mark.parametrize("status", CallbackStatus)
def test_a_reported_attempt_keeps_its_outcome(status: CallbackStatus, outcome: Outcome) -> None:
    found = ReportedAttempt(status=status, expected=2, attempt=1, due=DUE, known=MISSED)
    check(Report(outcome), found, AlreadyReported if status in OVER else WrongAttempt)


@pytest.mark.parametrize("status", CallbackStatus)
def test_an_attempt_nobody_planned_is_not_looked_for(status: CallbackStatus) -> None:
    reports.check_attempt(status, 2, 2)
    reports.check_attempt(status, 2, 1)
    with pytest.raises(CallbackOver if status in OVER else WrongAttempt) as refused:
        reports.check_attempt(status, 2, 3)
    assert refused.value.extra["attempt"] == 3


@pytest.mark.parametrize("status", CallbackStatus)
def test_what_is_allowed_is_what_the_table_lets_a_report_do(status: CallbackStatus) -> None:
    with pytest.raises(JiesuError) as refused:
        reports.check_attempt(status, 1, 2)
    by_report = {Action.ANSWER, Action.MISS, Action.REFUSE, Action.GIVE_UP}
    possible = by_report & machine.MOVES[status].keys()
    assert refused.value.extra["allowed"] == (["report_outcome"] if possible else [])
    assert refused.value.extra["current_status"] is status
