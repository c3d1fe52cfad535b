"""calls.yaml: when a caller was tried often enough, and which faults stop the start."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.rules.calls import CallRules, RingBackRules, earlier

RULES = RingBackRules.model_validate({"within": "2h", "max_tries": 3, "min_days": 2})
DAYS = [date(2026, 3, day) for day in (2, 3)]


@pytest.mark.parametrize(
    ("days", "over"),
    [([0], False), ([0, 0, 0, 0], False), ([0, 1], False), ([0, 0, 1], True), ([0, 1, 1, 1], True)],
)
def test_a_caller_is_given_up_after_tries_on_days(days: list[int], over: bool) -> None:
    """R-46."""
    assert RULES.given_up([DAYS[day] for day in days]) is over


@given(st.lists(st.sampled_from(DAYS), max_size=6), st.sampled_from(DAYS))
def test_one_more_try_never_puts_a_caller_back(days: list[date], another: date) -> None:
    assert not RULES.given_up(days) or RULES.given_up([*days, another])


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=6))
def test_what_is_said_again_or_late_happened_once(minutes: list[int]) -> None:
    moments = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=one) for one in minutes]
    known = None
    for moment in moments:
        known = earlier(known, moment)
    assert known == min(moments)


@pytest.mark.parametrize("wrong", ["1wd", "4wh", "0min", "soon", 3, None])
def test_a_time_that_is_none_stops_the_start(wrong: object) -> None:
    rules = {
        "missed_after": wrong,
        "ring_back": {"within": "2h", "max_tries": 3, "min_days": 2},
        "pop_opens_for": "2min",
        "draft_left_after": "4h",
    }
    with pytest.raises(ValidationError):
        CallRules.model_validate(rules)
