"""From a ticket and its assignments to the clocks that watch them."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from services.tracker.rules import timelines
from services.tracker.rules.clock_history import clock_histories, effective_urgency
from services.tracker.rules.timelines import AssignmentTimeline, Ending, Matter
from shared.events import Role, Urgency
from tests.fixtures.scenes.handle_clock import MATTER, ROUND, at, timeline


def clocks(
    *assignments: AssignmentTimeline, matter: Matter = MATTER
) -> list[tuple[str, str | None, str]]:
    """Kind, unit and end of each clock of a ticket."""
    return [
        (clock.kind.value, clock.unit, "met" if clock.met_at else "lost" if clock.lost else "open")
        for clock in clock_histories(matter, [ROUND], assignments)
    ]


def test_a_registered_ticket_is_watched_before_anybody_has_it() -> None:
    assert clocks() == [("dispatch", None, "open"), ("citizen", None, "open")]


def test_a_dispatch_starts_three_clocks_and_ends_the_desk_s() -> None:
    assert clocks(timeline(1)) == [
        ("dispatch", None, "met"),
        ("citizen", None, "open"),
        ("sign", "HC", "open"),
        ("first_contact", "HC", "open"),
        ("handle", "HC", "open"),
    ]


def test_nobody_must_contact_a_citizen_without_a_contact() -> None:
    kinds = [kind for kind, _, _ in clocks(timeline(1, has_contact=False, sign_limit=None))]
    assert kinds == ["dispatch", "citizen", "handle"]


def test_a_co_handler_does_not_end_the_desk_s_clock() -> None:
    assert clocks(timeline(1, role=Role.CO))[0] == ("dispatch", None, "open")


def test_completion_meets_what_still_runs() -> None:
    done = {kind: end for kind, _, end in clocks(timeline(1, completed_at=at("03-04 10:00")))}
    assert done["sign"] == done["first_contact"] == done["handle"] == "met"


def test_a_returned_lead_starts_the_desk_s_clock_afresh() -> None:
    back = timeline(1, return_requested_at=at("03-02 11:00"), returned_at=at("03-02 15:00"))
    assert clocks(back)[:2] == [("dispatch", None, "met"), ("dispatch", None, "open")]
    again = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:20"))
    assert [end for kind, _, end in clocks(back, again) if kind == "dispatch"] == ["met", "met"]
    assert [end for _, unit, end in clocks(back, again) if unit == "HC"] == ["lost"] * 3


def test_each_return_starts_a_clock_that_only_a_later_dispatch_meets() -> None:
    first = timeline(1, returned_at=at("03-02 15:00"))
    second = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:20"), returned_at=at("03-02 15:20"))
    ends = [end for kind, _, end in clocks(first, second) if kind == "dispatch"]
    assert ends == ["met", "met", "open"]


def test_a_dispatch_at_the_very_moment_of_registration_or_return_is_in_time() -> None:
    back = timeline(1, dispatched_at=MATTER.registered_at, returned_at=at("03-02 15:00"))
    again = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:00"))
    ends = [end for kind, _, end in clocks(back, again) if kind == "dispatch"]
    assert ends == ["met", "met"]


def test_a_withdrawn_ticket_has_no_clock_left() -> None:
    gone = MATTER.model_copy(update={"withdrawn_at": at("03-02 11:00")})
    assert {end for _, _, end in clocks(timeline(1), matter=gone)[1:]} == {"lost"}


def test_the_latest_lead_of_a_round_sets_the_urgency() -> None:
    leads = [
        timeline(3, urgency=Urgency.URGENT),
        timeline(2, urgency=Urgency.CRITICAL, dispatched_at=at("03-02 11:00")),
        timeline(1, urgency=Urgency.NORMAL, round=2, dispatched_at=at("03-09 11:00")),
    ]
    for order in permutations(leads):
        assert effective_urgency(MATTER, order, 1) is Urgency.CRITICAL
        assert effective_urgency(MATTER, order, 2) is Urgency.NORMAL
    assert effective_urgency(MATTER, [], 1) is Urgency.NORMAL


@pytest.mark.parametrize(("asked", "counts"), [("complex", "normal"), ("critical", "critical")])
def test_a_citizen_cannot_lengthen_the_limit_by_asking(asked: str, counts: str) -> None:
    matter = MATTER.model_copy(update={"urgency": Urgency(asked)})
    urgencies = {clock.urgency for clock in clock_histories(matter, [ROUND], [])}
    assert urgencies == {Urgency(counts)}


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"returned_at": at("03-03 10:00")}, timelines.RETURNED),
        (
            {"cancelled_at": at("03-03 10:00"), "cancel_reason": "redispatched"},
            timelines.REDISPATCHED,
        ),
        ({"cancelled_at": at("03-03 10:00"), "cancel_reason": "withdrawn"}, timelines.WITHDRAWN),
        ({"completed_at": at("03-03 10:00")}, timelines.COMPLETED),
        (
            {"completed_at": at("03-03 10:00"), "returned_at": at("03-03 10:00")},
            timelines.COMPLETED,
        ),
    ],
)
def test_an_assignment_says_why_it_ended(what: dict[str, Any], why: str) -> None:
    withdrawal = Ending(at("03-02 11:00"), timelines.WITHDRAWN)
    assert timeline(1, **what).ending(None) == Ending(at("03-03 10:00"), why)
    assert timeline(1, **what).ending(withdrawal) == withdrawal
