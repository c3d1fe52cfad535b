"""A unit that gets a ticket again in the same round goes on where it stopped (ADR 0049)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from services.tracker.rules.clock_history import ClockHistory, clock_histories
from services.tracker.rules.clock_state import ClockState, replay
from services.tracker.rules.layout import answer_due
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.resuming import resumed
from services.tracker.rules.timelines import AssignmentTimeline, Carried, RoundTimeline
from shared.events import ClockKind, Role, Urgency
from shared.jurisdiction.calendar import Limit
from tests.fixtures.scenes.handle_clock import (
    CALENDARS,
    MATTER,
    POLICY,
    ROUND,
    after_sweep,
    at,
    local,
    marks,
    timeline,
)

CALENDAR = POLICY.calendar


def order(number: int, dispatched_at: str, **what: Any) -> AssignmentTimeline:
    """An order to Hongchun as a lead; moments as ``03-02 10:00``."""
    moments = {name: at(value) for name, value in what.items() if name.endswith("_at")}
    return timeline(number, **what | moments, dispatched_at=at(dispatched_at))


def clock(
    *orders: AssignmentTimeline,
    kind: ClockKind = ClockKind.HANDLE,
    rounds: Sequence[RoundTimeline] = (ROUND,),
    carried: Sequence[Carried] = (),
    corrected_at: str = "",
) -> ClockState:
    """How the clock of the last order stands."""
    terms_at = at(corrected_at) if corrected_at else None
    matter = MATTER.model_copy(update={"carried": tuple(carried), "terms_at": terms_at})
    [found] = [
        each
        for each in clock_histories(matter, rounds, orders)
        if each.assignment == orders[-1].id and each.kind is kind
    ]
    return stands(resumed(found, CALENDAR))


def stands(history: ClockHistory, before: ClockState | None = None) -> ClockState:
    terms = POLICY.terms(history, MATTER)
    assert terms
    return replay(history, terms, CALENDARS, before).state


ONCE = order(1, "03-02 10:00")  # due 03-09 18:00


def test_given_again_at_once_it_is_due_when_it_was() -> None:
    """Ten minutes before the end nobody is given five days more."""
    again = clock(order(1, "03-02 10:00", cancelled_at="03-09 17:50"), order(2, "03-09 17:50"))
    assert (local(again.due), local(again.started_at)) == ("03-09 18:00", "03-02 10:00")
    assert again.resumed_at == at("03-09 17:50")


def test_the_time_it_was_another_s_is_not_the_unit_s() -> None:
    """A → B → A: two working days at B are given back, what A had used up is not."""
    again = clock(order(1, "03-02 10:00", cancelled_at="03-04 10:00"), order(3, "03-06 10:00"))
    assert local(again.due) == "03-11 18:00"
    assert [local(stop.begins_at) for stop in again.pauses] == ["03-04 10:00"]


def test_what_a_shorter_limit_left_is_not_given_again_out_of_a_longer_one() -> None:
    """ADR 0087: five days since the sixth, however much was left of the fifteen before."""
    doubtful = {"handle_limit": "15wd", "urgency": Urgency.COMPLEX}
    orders = [
        order(1, "03-02 10:00", cancelled_at="03-06 10:00", **doubtful),
        order(2, "03-06 10:00", cancelled_at="03-12 10:00"),
        order(3, "03-12 10:00"),
    ]
    assert [local(clock(*orders[:last]).due) for last in (2, 3)] == ["03-13 18:00"] * 2


def test_after_a_granted_return_the_desk_s_time_is_not_the_unit_s() -> None:
    back = {"return_requested_at": "03-03 10:00", "returned_at": "03-05 10:00"}
    again = clock(order(1, "03-02 10:00", **back), order(2, "03-05 15:00"))
    assert [(local(begins), local(ends)) for begins, ends in again.pauses if ends] == [
        ("03-03 10:00", "03-05 15:00")
    ]
    assert again.due > clock(ONCE).due


def test_who_had_missed_it_has_no_time_left() -> None:
    """The red card stands with the first order; the second is due at once, and goes on up the ladder."""
    first = order(1, "03-02 10:00", cancelled_at="03-10 10:00")
    assert local(clock(first).breached_at or first.dispatched_at) == "03-09 18:00"
    again = clock(first, order(2, "03-11 10:00"))
    assert local(again.due) == "03-11 10:00"
    swept = after_sweep(again, at("03-11 10:00"))
    assert set(swept.passed) == {"warn", "due", "ladder:1"}
    assert set(swept.passed.values()) == {at("03-11 10:00")}


@pytest.mark.parametrize(
    ("ruled_on", "refused"),
    [
        ({}, "03-06 18:00"),
        ({"return_requested_at": "03-05 11:00", "return_refused_at": "03-05 16:00"}, "03-09 11:30"),
    ],
)
def test_the_day_to_refuse_in_counts_from_the_new_order(
    ruled_on: dict[str, str], refused: str
) -> None:
    """R-30, ADR 0078: due at once, refused a day later; the desk's three working hours are its own."""
    first = order(1, "03-02 10:00", cancelled_at="03-04 10:00")
    again = clock(first, order(2, "03-05 10:00", **ruled_on), kind=ClockKind.SIGN)
    found = {mark.key: local(mark.at) for mark in marks(again)}
    assert (found["due"], found["trigger:2"]) == ("03-05 10:00", refused)


def test_a_third_redo_given_again_is_answered_from_then_on() -> None:
    """R-27: the rung is raised when the unit gets it again, and so is the day of its answer."""
    rounds = [ROUND.model_copy(update={"number": 4})]
    first = order(1, "03-02 10:00", round=4, cancelled_at="03-04 10:00")
    [rung] = [
        mark
        for mark in marks(clock(first, order(2, "03-09 10:00", round=4), rounds=rounds))
        if mark.key == "trigger:4"
    ]
    assert rung.rung
    answered = answer_due(rung.rung, rung.at, CALENDARS)
    assert (local(rung.at), answered) == ("03-09 10:00", at("03-12 18:00"))


def test_what_was_signed_is_not_counted_on_while_it_stood_signed() -> None:
    first = order(1, "03-02 10:00", signed_at="03-02 11:00", cancelled_at="03-04 10:00")
    again = clock(first, order(2, "03-04 10:00"), kind=ClockKind.SIGN)
    assert local(again.due) == "03-04 15:00"  # three of its four working hours


def test_a_shorter_limit_leaves_what_was_left_or_its_own_time() -> None:
    """Made urgent, it is due in a day; but not later than it was before."""
    urgent = {"urgency": Urgency.URGENT, "handle_limit": "24h"}
    early = clock(
        order(1, "03-02 10:00", cancelled_at="03-03 10:00"), order(2, "03-03 10:00", **urgent)
    )
    assert (local(early.due), early.resumed_at) == ("03-04 10:00", None)
    late = clock(
        order(1, "03-02 10:00", cancelled_at="03-09 17:00"), order(2, "03-09 17:00", **urgent)
    )
    assert local(late.due) == "03-09 18:00"


def test_a_longer_limit_counts_from_the_first_order() -> None:
    """疑难: 15 working days in all, and not beside those used up."""
    longer = {"urgency": Urgency.COMPLEX, "handle_limit": "15wd"}
    again = clock(
        order(1, "03-02 10:00", cancelled_at="03-06 10:00"), order(2, "03-06 10:00", **longer)
    )
    assert again.due == CALENDAR.due(at("03-02 10:00"), Limit.parse("15wd")).at


@pytest.mark.parametrize(("first", "then"), [(Role.LEAD, Role.CO), (Role.CO, Role.LEAD)])
def test_another_role_is_no_new_start(first: Role, then: Role) -> None:
    """No role takes away what the other left, and none gives it anew."""
    limits = {Role.LEAD: "5wd", Role.CO: "3wd"}
    before = order(
        1, "03-02 10:00", role=first, handle_limit=limits[first], cancelled_at="03-03 10:00"
    )
    again = clock(before, order(2, "03-03 10:00", role=then, handle_limit=limits[then]))
    assert local(again.due) == ("03-06 18:00" if then is Role.CO else "03-09 18:00")


def test_an_extension_stays_granted_and_is_granted_once() -> None:
    first = order(1, "03-02 10:00", extension=3, cancelled_at="03-05 10:00")
    again = clock(first, order(2, "03-05 10:00"))
    assert (local(again.due), again.extension) == ("03-12 18:00", 3)


def test_asked_back_at_the_moment_it_came_again_it_stands_still() -> None:
    first = order(1, "03-02 10:00", cancelled_at="03-03 10:00")
    second = order(2, "03-04 10:00", return_requested_at="03-04 10:00")
    assert clock(first, second).status is ClockStatus.PAUSED


def test_another_unit_and_another_round_start_afresh() -> None:
    first = order(1, "03-02 10:00", cancelled_at="03-05 10:00")
    for other in ({"unit": "GT"}, {"round": 2}):
        fresh = clock(first, order(2, "03-05 10:00", **other))
        assert (fresh.started_at, fresh.resumed_at) == (at("03-05 10:00"), None)


ANSWERED = ROUND.model_copy(update={"ended_at": at("03-09 17:55")})


def reopened(*, continues: bool) -> tuple[RoundTimeline, RoundTimeline]:
    """The hotline answered itself; a second round was opened then."""
    return ANSWERED, RoundTimeline(number=2, started_at=at("03-09 17:56"), continues=continues)


def test_a_round_that_the_hotline_reopened_itself_goes_on() -> None:
    """Recalled, answered by the hotline, which takes that back, given again: no day more than before."""
    orders = (
        order(1, "03-02 10:00", cancelled_at="03-09 17:50"),
        order(2, "03-09 17:56", round=2),
    )
    again = clock(*orders, rounds=reopened(continues=True))
    assert (local(again.due), local(again.started_at)) == ("03-10 08:36", "03-02 10:00")
    fresh = clock(*orders, rounds=reopened(continues=False))
    assert (fresh.started_at, fresh.resumed_at) == (at("03-09 17:56"), None)


def test_words_that_were_taken_back_answered_nobody() -> None:
    """The citizen waits since the start; what the citizen reopened has been answered once."""

    def waiting(*rounds: RoundTimeline) -> list[tuple[int, str | None]]:
        found = clock_histories(MATTER, rounds, [])
        own = [each for each in found if each.kind is ClockKind.CITIZEN]
        return [(each.round, local(each.met_at) if each.met_at else None) for each in own]

    first, second = reopened(continues=True)
    assert waiting(first, second) == [(1, None)]
    done = second.model_copy(update={"resolved_at": at("03-11 10:00")})
    assert waiting(first, done) == [(1, "03-11 10:00")]
    assert waiting(*reopened(continues=False)) == [(1, "03-09 17:55"), (2, None)]


def test_a_clock_of_the_release_before_keeps_what_it_promised() -> None:
    """It started afresh then; its due moment is not moved earlier now."""
    orders = order(1, "03-02 10:00", cancelled_at="03-05 10:00"), order(2, "03-05 10:00")
    found = list(clock_histories(MATTER, [ROUND], orders))[-1]
    promised = stands(found)
    assert stands(resumed(found, CALENDAR, promised), promised) == promised


def test_a_shorter_limit_that_is_lengthened_again_counts_from_the_first_order() -> None:
    """疑难, taken back, given as an ordinary one, made 疑难 again: 15 working days in all."""
    longer = {"urgency": Urgency.COMPLEX, "handle_limit": "15wd"}
    first = order(1, "03-02 10:00", cancelled_at="03-05 10:00", **longer)
    orders = [first, order(2, "03-05 10:00")]
    found = list(clock_histories(MATTER, [ROUND], orders))[-1]
    fresh = stands(resumed(found, CALENDAR))
    assert (local(fresh.due), fresh.resumed_at) == ("03-12 18:00", None)
    again = [first, order(2, "03-05 10:00", terms_at="03-06 10:00", **longer)]
    found = list(clock_histories(MATTER, [ROUND], again))[-1]
    whole = resumed(found, CALENDAR, fresh)
    assert stands(whole, fresh).due == CALENDAR.due(at("03-02 10:00"), Limit.parse("15wd")).at


# --- the county's rules change meanwhile --------------------------------------------------------

TAKEN = order(1, "03-02 10:00", cancelled_at="03-04 10:00")


@pytest.mark.parametrize("limit", ["10wd", "3wd"])
def test_limits_that_changed_meanwhile_are_not_those_of_a_clock_that_goes_on(limit: str) -> None:
    """A → B → A, twice; the new rules are for whoever gets it first under them."""
    new = {"handle_limit": limit, "sign_limit": "9wh"}
    other = order(2, "03-04 10:00", unit="GT", cancelled_at="03-06 10:00", **new)
    again = order(3, "03-06 10:00", cancelled_at="03-06 11:00", **new)
    orders = TAKEN, other, again, order(4, "03-06 11:00", **new)
    assert (local(clock(*orders).due), clock(*orders).terms.limit) == ("03-11 18:00", "5wd")
    assert clock(*orders, kind=ClockKind.SIGN).terms.limit == "4wh"
    assert clock(TAKEN, other).terms.limit == limit


def test_nor_after_a_recall_a_reform_or_a_round_that_goes_on() -> None:
    longer = {"handle_limit": "10wd"}
    assert local(clock(TAKEN, order(2, "03-04 10:00", **longer)).due) == "03-09 18:00"
    followed = order(2, "03-03 10:00", unit="GT", transfers=((9, at("03-04 09:00"), "GT", "HC"),))
    followed = followed.model_copy(update={"cancelled_at": at("03-04 10:00")})
    assert local(clock(followed, order(3, "03-04 10:00", **longer)).due) == "03-10 18:00"
    orders = (
        order(1, "03-02 10:00", cancelled_at="03-09 17:50"),
        order(2, "03-09 17:56", round=2, handle_limit="3wd"),
    )
    assert local(clock(*orders, rounds=reopened(continues=True)).due) == "03-10 08:36"


def test_a_correction_between_two_orders_brings_the_limits_that_are_right() -> None:
    longer = order(2, "03-04 10:00", handle_limit="10wd")
    assert local(clock(TAKEN, longer, corrected_at="03-03 10:00").due) == "03-16 18:00"
    before = clock(TAKEN, longer, corrected_at="03-01 10:00")
    assert local(before.due) == "03-09 18:00"
    told = longer.model_copy(update={"terms_at": at("03-05 10:00")})
    assert local(clock(TAKEN, told, corrected_at="03-05 09:59").due) == "03-16 18:00"


# --- the same matter under another number -------------------------------------------------------

LATER = order(2, "03-06 10:00")  # of its own due 03-13 18:00


def joined(since: str, **what: Any) -> Carried:
    """An order of the same unit that another ticket had, joined then."""
    return Carried(
        order=order(1, "03-02 10:00", cancelled_at=since, **what),
        since=at(since),
        known_at=at(since),
        joined="20260302-000002",
    )


def test_a_matter_that_was_split_goes_on_where_the_call_s_clock_stood() -> None:
    split = clock(LATER, carried=[joined("03-06 10:00")])
    assert (local(split.due), split.resumed_at) == ("03-09 18:00", at("03-06 10:00"))
    other = order(2, "03-06 10:00", unit="GT")
    assert clock(other, carried=[joined("03-06 10:00")]).resumed_at is None


def test_merged_into_a_younger_ticket_the_unit_is_due_by_the_first_of_its_clocks() -> None:
    merged = clock(LATER, carried=[joined("03-06 15:00")])
    assert (local(merged.due), merged.pauses) == ("03-09 18:00", ())
    extended = clock(LATER, carried=[joined("03-06 15:00", extension=9)])
    assert (local(extended.due), extended.resumed_at) == ("03-13 18:00", None)


def test_what_joins_keeps_its_own_limit_where_it_was_given_for_the_same() -> None:
    """A town's rules may differ by topic, or have changed: its clock is due when it was."""
    longer = {"handle_limit": "10wd"}
    merged = clock(LATER.model_copy(update=longer), carried=[joined("03-06 15:00")])
    assert local(merged.due) == "03-09 18:00"
    granted = {"urgency": Urgency.COMPLEX, "handle_limit": "15wd"}
    complex_ = clock(LATER.model_copy(update=granted), carried=[joined("03-06 15:00")])
    assert complex_.due == CALENDAR.due(at("03-02 10:00"), Limit.parse("15wd")).at


def test_what_ran_out_before_the_merge_is_due_at_once_and_no_breach_moves() -> None:
    late = clock(LATER, carried=[joined("03-11 10:00")])
    assert local(late.due) == "03-11 10:00"
    missed = clock(LATER, carried=[joined("03-16 10:00")])
    assert (local(missed.due), missed.resumed_at) == ("03-13 18:00", None)


def test_what_was_done_or_over_before_the_merge_is_left_alone() -> None:
    signed = order(2, "03-06 10:00", signed_at="03-06 11:00")
    found = clock(signed, carried=[joined("03-06 15:00")], kind=ClockKind.SIGN)
    assert (found.started_at, found.resumed_at) == (at("03-06 10:00"), None)
    gone = order(2, "03-06 10:00", cancelled_at="03-06 12:00")
    assert clock(gone, carried=[joined("03-06 15:00")]).resumed_at is None
