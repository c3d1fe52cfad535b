"""How a clock stands, running, met or cancelled, and the facts that follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracker.rules import timelines
from services.tracker.rules.clock_state import is_current
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.pauses import Pause
from services.tracker.rules.timelines import Ending
from shared.events import DeadlineMet, DeadlineMoved, SupervisionClosed, SupervisionRaised
from tests.fixtures.scenes.handle_clock import (
    CALENDARS,
    after_sweep,
    at,
    history,
    local,
    said_of,
    state,
    told,
)


def test_a_running_clock_passes_marks_by_the_sweep_only() -> None:
    fresh = state()
    assert fresh.passed == {}
    assert fresh.next_at == at("03-06 18:00")
    warned = after_sweep(fresh, at("03-07 10:00"))
    assert list(warned.passed) == ["warn"]
    assert warned.next_at == at("03-09 18:00")
    assert state(warned).passed == warned.passed


def test_a_sweep_that_slept_passes_every_mark_once_at_its_true_time() -> None:
    """R-31 黄牌红牌."""
    fresh = state()
    after = after_sweep(fresh, at("03-20 10:00"))
    assert told(fresh, after) == [
        "deadline.warned@03-06 18:00",
        "deadline.breached@03-09 18:00",
        "supervision.raised@03-09 18:00",
        "supervision.raised@03-10 18:00",
        "supervision.raised@03-12 18:00",
        "supervision.raised@03-16 18:00",
    ]
    assert after.next_at == at("03-23 18:00")
    assert told(after, after_sweep(after, at("03-30 10:00"))) == ["supervision.raised@03-23 18:00"]


def test_meeting_late_passes_first_what_nobody_swept() -> None:
    after = state(met_at=at("03-11 09:00"))
    assert told(state(), after) == [
        "deadline.warned@03-06 18:00",
        "deadline.breached@03-09 18:00",
        "supervision.raised@03-09 18:00",
        "supervision.raised@03-10 18:00",
        "deadline.met@03-11 09:00",
    ]
    met = said_of(state(), after)[-1].data
    assert isinstance(met, DeadlineMet)
    assert met.late
    assert after.judged_at == after.breached_at == at("03-09 18:00")


@pytest.mark.parametrize(
    ("met", "late"),
    [("03-02 10:00", False), ("03-09 18:00", False), ("03-09 18:00:00.000001", True)],
)
def test_the_due_moment_itself_is_in_time(met: str, late: bool) -> None:
    after = state(met_at=at(met))
    assert (after.breached_at is not None) is late
    assert after.judged_at == (at("03-09 18:00") if late else at(met))


def test_an_earlier_completion_that_comes_late_takes_the_breach_back() -> None:
    swept = after_sweep(state(), at("03-13 10:00"))
    after = state(swept, met_at=at("03-09 11:00"))
    assert told(swept, after) == [
        "deadline.annulled@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "deadline.met@03-09 11:00",
    ]
    assert after == state(met_at=at("03-09 11:00"))
    assert after.judged_at == at("03-09 11:00")


def test_what_was_raised_is_what_is_closed() -> None:
    fresh = state()
    swept = after_sweep(fresh, at("03-13 10:00"))
    raised = [fact.data for fact in said_of(fresh, swept)]
    closed = [fact.data for fact in said_of(swept, state(swept, met_at=at("03-09 11:00")))]
    names = {data.supervision for data in raised if isinstance(data, SupervisionRaised)}
    assert {data.supervision for data in closed if isinstance(data, SupervisionClosed)} == names
    assert len(names) == 3


def test_a_cancelled_clock_keeps_the_breach_it_had() -> None:
    lost = Ending(at("03-10 09:00"), timelines.RETURNED)
    after = state(lost=lost)
    assert after.status is ClockStatus.CANCELLED
    assert after.judged_at == at("03-09 18:00")
    assert told(state(), after)[-1] == "deadline.cancelled@03-10 09:00"


def test_a_clock_cancelled_in_time_is_never_judged() -> None:
    after = state(lost=Ending(at("03-09 09:00"), timelines.WITHDRAWN))
    assert (after.judged_at, after.next_at) == (None, None)


def test_the_earliest_end_counts() -> None:
    lost = Ending(at("03-04 10:00"), timelines.WITHDRAWN)
    assert state(met_at=at("03-03 10:00"), lost=lost).status is ClockStatus.MET
    assert state(met_at=at("03-04 10:00"), lost=lost).status is ClockStatus.MET
    assert state(met_at=at("03-05 10:00"), lost=lost).status is ClockStatus.CANCELLED


def test_nothing_new_is_nothing_said() -> None:
    met = state(met_at=at("03-11 09:00"))
    assert told(met, state(met, met_at=at("03-11 09:00"))) == []


# --- whatever happens --------------------------------------------------------------------------

minutes = st.integers(0, 20 * 24 * 60)


@given(asked=minutes, ruled=minutes, done=minutes, swept=minutes)
def test_how_a_clock_stands_depends_on_times_and_not_on_arrivals(
    asked: int, ruled: int, done: int, swept: int
) -> None:
    start = at("03-02 10:00")
    pause = Pause(
        start + timedelta(minutes=min(asked, ruled)), start + timedelta(minutes=max(asked, ruled))
    )
    met = start + timedelta(minutes=done)
    late_sweep = after_sweep(state(), start + timedelta(minutes=swept))
    once = state(pauses=(pause,), met_at=met)
    ways = [
        state(state(late_sweep, met_at=met), pauses=(pause,), met_at=met),
        state(state(late_sweep, pauses=(Pause(pause.begins_at),)), pauses=(pause,), met_at=met),
        state(state(late_sweep, pauses=(pause,)), pauses=(pause,), met_at=met),
    ]
    assert all(way == once for way in ways)


@given(done=minutes, swept=minutes)
def test_a_breach_stands_exactly_when_the_duty_was_late(done: int, swept: int) -> None:
    start = at("03-02 10:00")
    met = start + timedelta(minutes=done)
    before = after_sweep(state(), start + timedelta(minutes=swept))
    after = state(before, met_at=met)
    assert (after.breached_at is not None) == (met > after.due)
    facts = [*said_of(state(), before), *said_of(before, after)]
    names = [fact.data.name for fact in facts]
    standing_breaches = names.count("deadline.breached") - names.count("deadline.annulled")
    assert standing_breaches == (met > after.due)
    raised = names.count("supervision.raised") - names.count("supervision.closed")
    assert raised == sum(key.startswith("ladder") for key in after.passed)


def test_a_pause_that_is_taken_out_again_says_what_it_moved_and_why() -> None:
    """A dispute that was lost after its unit's clock had run again."""
    pause = Pause(at("03-03 10:00"), at("03-05 10:00"))
    stood = state(pauses=(pause,))
    charged = state(stood, pauses=(pause._replace(ends_at=pause.begins_at),))
    [moved] = said_of(stood, charged)
    assert isinstance(moved.data, DeadlineMoved)
    assert (local(moved.data.before), local(moved.data.due)) == ("03-11 18:00", "03-09 18:00")
    assert moved.data.reason.startswith("所停时间计入承办单位")
    assert said_of(stood, state(stood, pauses=()))[0].data == moved.data
    done = state(stood, pauses=(), met_at=at("03-04 10:00"))
    assert told(stood, done) == ["deadline.met@03-04 10:00"]


instants = minutes.map(lambda after: at("03-02 10:00") + timedelta(minutes=after))
asked = instants.map(lambda begins: (Pause(begins),))
ruled = st.tuples(instants, instants).map(lambda both: (Pause(min(both), max(both)),))
histories = st.fixed_dictionaries(
    {
        "met_at": st.none() | instants,
        "lost": st.none() | instants.map(lambda moment: Ending(moment, "lost")),
        "pauses": st.just(()) | asked | ruled,
        "extension": st.integers(0, 2),
    }
)
some = st.sets(st.sampled_from(["met_at", "lost", "pauses", "extension"]))


@given(befell=histories, later=histories, news=some, swept=instants)
def test_a_clock_is_current_exactly_when_to_replay_it_would_change_nothing(
    befell: dict[str, Any], later: dict[str, Any], news: set[str], swept: datetime
) -> None:
    stood = state(**befell)
    if stood.status is ClockStatus.RUNNING:
        stood = after_sweep(stood, swept)
    assert is_current(stood, history(**befell), CALENDARS)
    known = befell | {name: later[name] for name in news}
    replayed = state(stood, **known)
    assert is_current(stood, history(**known), CALENDARS) == (replayed == stood)
