"""What policy lists happens, to whom it says (R-31, shared case T14)."""

from __future__ import annotations

from typing import Any

import pytest

from services.tracker.rules.changes import ClockRef, changes
from services.tracker.rules.clock_state import Reading, pass_due_marks, replay
from services.tracker.rules.policy import Terms
from shared.events import ClockKind, DeadlineBreached, DeadlineWarned, Urgency
from tests.fixtures.scenes.handle_clock import CALENDARS, CLOCK, COUNTY, MATTER, at, history, local


def swept(now: str, **what: Any) -> list[str]:
    """What a clock of the county says to people up to a moment: the point, the card and whom."""
    befell = history(**what)
    terms = COUNTY.terms(befell, MATTER)
    assert terms is not None
    before = replay(befell, terms, CALENDARS).state
    after = pass_due_marks(before, CALENDARS, at(now))
    said = changes(ClockRef(CLOCK, befell.kind), before, after, CALENDARS, at=at(now), now=at(now))
    return [
        f"{fact.data.point} {fact.data.color} {local(fact.at)} {'+'.join(fact.data.to)}"
        if isinstance(fact.data, DeadlineWarned)
        else f"red {local(fact.at)} {'+'.join(fact.data.to)}"
        for fact in said
        if isinstance(fact.data, DeadlineWarned | DeadlineBreached)
    ]


LISTED = {
    "a handle clock": (
        {},
        [
            "50%_elapsed none 03-05 09:15 handler",
            "1wd_before_due yellow 03-06 18:00 handler+liaison+unit_deputy",
            "red 03-09 18:00 liaison+unit_head+hotline_supervisor",
        ],
    ),
    "a missed sign clock shows the yellow card": (
        {"kind": ClockKind.SIGN, "limit": "4wh"},
        [
            "50%_elapsed none 03-02 12:00 handler",
            "red 03-02 16:00 liaison+unit_head+hotline_supervisor",
            "sign_due_missed yellow 03-02 16:00 liaison+unit_deputy",
        ],
    ),
    "natural time": (
        {"urgency": Urgency.URGENT, "limit": "24h"},
        [
            "50%_elapsed none 03-02 22:00 handler",
            "75%_elapsed yellow 03-03 04:00 handler+liaison",
            "red 03-03 10:00 liaison+unit_head+hotline_supervisor",
        ],
    ),
    "the desk's own clock has its card, no people of a unit, and who answers for the desk": (
        {"kind": ClockKind.DISPATCH, "limit": "30min"},
        ["None None 03-02 10:22:30 ", "red 03-02 10:30 hotline_supervisor"],
    ),
}


@pytest.mark.parametrize(("what", "said"), LISTED.values(), ids=LISTED)
def test_t14_what_policy_lists_happens(what: dict[str, Any], said: list[str]) -> None:
    """R-31 黄牌红牌."""
    assert swept("03-10 10:00", **what) == said


def test_a_sign_clock_met_in_time_shows_none() -> None:
    befell = {"kind": ClockKind.SIGN, "limit": "4wh", "met_at": at("03-02 16:00")}
    known = COUNTY.terms(history(**befell), MATTER)
    assert known is not None
    state = replay(history(**befell), known, CALENDARS).state
    assert "warn:sign_due_missed" not in state.marked
    late = replay(history(**befell | {"met_at": at("03-02 16:01")}), known, CALENDARS).state
    assert local(late.marked["warn:sign_due_missed"]) == "03-02 16:00"


def test_the_release_before_finds_none_of_them_among_the_marks_it_knows() -> None:
    befell = history(kind=ClockKind.SIGN, limit="4wh")
    terms = COUNTY.terms(befell, MATTER)
    assert terms is not None
    state = pass_due_marks(replay(befell, terms, CALENDARS).state, CALENDARS, at("03-10 10:00"))
    assert set(state.state.passed) == {"due", "trigger:2"}
    assert set(state.state.warned) == {"warn:50%_elapsed", "warn:sign_due_missed"}


def test_terms_of_the_release_before_say_the_card_alone() -> None:
    terms = Terms.model_validate({"limit": "5wd", "warn": "1wd_before_due", "rungs": []})
    reading: Reading = pass_due_marks(
        replay(history(), terms, CALENDARS).state, CALENDARS, at("03-10 10:00")
    )
    assert list(reading.state.marked) == ["warn", "due"]
