"""A return that is asked pauses the clocks; one that is refused gives the time back."""

from __future__ import annotations

import pytest

from services.tracker.rules import timelines
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.pauses import Pause
from services.tracker.rules.timelines import Ending
from tests.fixtures.scenes.handle_clock import after_sweep, at, local, marks, state, told

PAUSES = {
    "two working hours": ("5wd", "03-04 10:00", "03-04 12:00", "03-10 10:30"),
    "lunch is not given back": ("5wd", "03-04 11:00", "03-04 15:00", "03-10 10:30"),
    "a night gives nothing": ("5wd", "03-04 18:00", "03-05 08:30", "03-09 18:00"),
    "a weekend gives its working hours only": ("5wd", "03-06 17:00", "03-09 09:30", "03-10 10:30"),
    "asked at the due moment is asked in time": (
        "5wd",
        "03-09 18:00",
        "03-10 10:30",
        "03-10 10:30",
    ),
    "asked after it moves nothing": ("5wd", "03-09 18:30", "03-10 10:30", "03-09 18:00"),
    "working hours": ("4wh", "03-02 11:00", "03-02 15:00", "03-02 18:00"),
    "natural time is given back whole": ("24h", "03-02 18:00", "03-03 08:30", "03-04 00:30"),
}


@pytest.mark.parametrize(("limit", "begins", "ends", "due"), PAUSES.values(), ids=PAUSES)
def test_a_refused_return_gives_back_its_working_time(
    limit: str, begins: str, ends: str, due: str
) -> None:
    after = state(limit=limit, pauses=(Pause(at(begins), at(ends)),))
    assert local(after.due) == due
    assert after.status is ClockStatus.RUNNING


def test_a_paused_clock_passes_nothing() -> None:
    paused = state(pauses=(Pause(at("03-06 17:00")),))
    assert (paused.status, paused.passed, paused.next_at) == (ClockStatus.PAUSED, {}, None)
    assert told(state(), paused) == ["deadline.paused@03-06 17:00"]


def test_a_breach_said_before_the_pause_was_known_is_taken_back() -> None:
    swept = after_sweep(state(), at("03-09 18:00"))
    paused = state(swept, pauses=(Pause(at("03-09 17:00")),))
    assert told(swept, paused) == [
        "deadline.annulled@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "deadline.paused@03-09 17:00",
    ]
    assert list(paused.passed) == ["warn"]


def test_a_resumed_clock_is_not_warned_again_for_a_point_before_the_pause() -> None:
    warned = after_sweep(state(), at("03-09 10:00"))
    paused = state(warned, pauses=(Pause(at("03-09 10:00")),))
    resumed = state(paused, pauses=(Pause(at("03-09 10:00"), at("03-09 11:00")),))
    assert told(paused, resumed) == ["deadline.resumed@03-09 11:00"]
    assert resumed.passed == {"warn": at("03-06 18:00")}
    assert local(resumed.due) == "03-10 09:30"


def test_done_while_the_desk_rules_is_judged_by_the_time_that_ran() -> None:
    pause = Pause(at("03-09 17:00"))
    in_time = state(pauses=(pause,), met_at=at("03-12 10:00"))
    assert in_time.status is ClockStatus.MET
    assert in_time.breached_at is None
    late = state(pauses=(Pause(at("03-09 18:30")),), met_at=at("03-12 10:00"))
    assert late.breached_at == at("03-09 18:00")
    assert told(state(pauses=(pause,)), in_time) == ["deadline.met@03-12 10:00"]


def test_asked_at_the_due_moment_and_done_that_evening_is_in_time() -> None:
    after = state(pauses=(Pause(at("03-09 18:00")),), met_at=at("03-09 20:00"))
    assert after.breached_at is None
    assert after.judged_at == at("03-09 20:00")


def test_a_refusal_after_the_answer_changes_nothing() -> None:
    asked, met = at("03-04 10:00"), at("03-05 10:00")
    unruled = state(pauses=(Pause(asked),), met_at=met)
    refused = state(pauses=(Pause(asked, at("03-06 10:00")),), met_at=met)
    assert unruled == refused
    assert unruled.pauses == (Pause(asked, met),)


def test_a_duty_lost_before_its_dispatch_was_known_ends_as_it_starts() -> None:
    after = state(lost=Ending(at("03-01 10:00"), timelines.WITHDRAWN))
    assert (after.status, after.ended_at) == (ClockStatus.CANCELLED, at("03-02 10:00"))


def test_the_ladder_stands_still_with_its_clock() -> None:
    pause = Pause(at("03-10 10:00"), at("03-11 10:00"))
    points = {mark.key: local(mark.at) for mark in marks(state(pauses=(pause,)))}
    assert points["ladder:1"] == "03-09 18:00"
    assert points["ladder:2"] == "03-11 18:00"
