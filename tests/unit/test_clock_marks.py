"""The marks on a clock: warning, due moment, ladder and triggers, by kind and urgency."""

from __future__ import annotations

from typing import Any

import pytest

from services.tracker.rules.layout import answer_due
from shared.events import ClockKind, Role, TicketType, Urgency
from tests.fixtures.scenes.handle_clock import (
    CALENDARS,
    MATTER,
    POLICY,
    at,
    history,
    local,
    marks,
    state,
    terms,
)

MARKS = {
    "five working days: a day before, due, and the ladder": (
        {},
        [
            "warn 03-06 18:00",
            "due 03-09 18:00",
            "ladder:1 03-09 18:00",
            "ladder:2 03-10 18:00",
            "ladder:3 03-12 18:00",
            "ladder:4 03-16 18:00",
            "ladder:5 03-23 18:00",
        ],
    ),
    "over Spring Festival and two make-up Saturdays": (
        {"started_at": at("02-13 10:00")},
        [
            "warn 02-26 18:00",
            "due 02-27 18:00",
            "ladder:1 02-27 18:00",
            "ladder:2 02-28 18:00",
            "ladder:3 03-03 18:00",
            "ladder:4 03-05 18:00",
            "ladder:5 03-12 18:00",
        ],
    ),
    "four working hours over lunch: a warning a day before would lie before the start": (
        {"kind": ClockKind.SIGN, "limit": "4wh"},
        ["due 03-02 16:00", "trigger:2 03-03 18:00"],
    ),
    "one working day is warned at the end of the day it starts": (
        {"kind": ClockKind.FIRST_CONTACT, "limit": "1wd"},
        ["warn 03-02 18:00", "due 03-03 18:00"],
    ),
    "natural time is warned at three quarters, and climbs in days and nights": (
        {"urgency": Urgency.URGENT, "limit": "24h"},
        [
            "warn 03-03 04:00",
            "due 03-03 10:00",
            "ladder:1 03-03 10:00",
            "ladder:2 03-04 10:00",
            "ladder:3 03-06 10:00",
            "ladder:4 03-08 10:00",
            "ladder:5 03-13 10:00",
        ],
    ),
    "natural time of a normal ticket as well": (
        {"kind": ClockKind.DISPATCH, "limit": "30min"},
        ["warn 03-02 10:22:30", "due 03-02 10:30"],
    ),
    "a critical ticket not signed for is the head's matter": (
        {"kind": ClockKind.SIGN, "urgency": Urgency.CRITICAL, "limit": "15min"},
        ["warn 03-02 10:11:15", "due 03-02 10:15", "trigger:3 03-02 10:15"],
    ),
    "the third redo is supervised from its dispatch": (
        {"round": 4, "limit": "3wd"},
        [
            "trigger:4 03-02 10:00",
            "warn 03-04 18:00",
            "due 03-05 18:00",
            "ladder:1 03-05 18:00",
            "ladder:2 03-06 18:00",
            "ladder:3 03-10 18:00",
            "ladder:4 03-12 18:00",
            "ladder:5 03-19 18:00",
        ],
    ),
    "the second redo is not": (
        {"round": 3, "kind": ClockKind.HANDLE, "limit": "1wd"},
        [
            "warn 03-02 18:00",
            "due 03-03 18:00",
            "ladder:1 03-03 18:00",
            "ladder:2 03-04 18:00",
            "ladder:3 03-06 18:00",
            "ladder:4 03-10 18:00",
            "ladder:5 03-17 18:00",
        ],
    ),
    "nor is a co-handler of the third": (
        {"round": 4, "role": Role.CO, "limit": "4wh"},
        [
            "due 03-02 16:00",
            "ladder:1 03-02 16:00",
            "ladder:2 03-03 18:00",
            "ladder:3 03-05 18:00",
            "ladder:4 03-09 18:00",
            "ladder:5 03-16 18:00",
        ],
    ),
}


@pytest.mark.parametrize(("what", "expected"), MARKS.values(), ids=MARKS)
def test_marks(what: dict[str, Any], expected: list[str]) -> None:
    points = marks(state(**what))
    assert [f"{mark.key} {local(mark.at)}" for mark in points] == expected


def test_a_supervision_order_is_answered_in_three_working_days() -> None:
    """R-32 催办."""
    rungs = {mark.key: (mark.rung, mark.at) for mark in marks(state()) if mark.rung}
    answers = {key: answer_due(rung, at, CALENDARS) for key, (rung, at) in rungs.items()}
    assert answers["ladder:2"] == at("03-13 18:00")
    assert answers["ladder:1"] == at("03-10 18:00")


def test_the_ticket_s_own_clocks_look_their_limits_up() -> None:
    kinds = [
        (ClockKind.DISPATCH, Urgency.NORMAL, 1),
        (ClockKind.DISPATCH, Urgency.CRITICAL, 1),
        (ClockKind.CITIZEN, Urgency.NORMAL, 1),
        (ClockKind.CITIZEN, Urgency.URGENT, 1),
        (ClockKind.CITIZEN, Urgency.NORMAL, 2),
    ]
    limits = [terms(history(kind=k, urgency=u, round=r, limit=None)).limit for k, u, r in kinds]
    assert limits == ["30min", "5min", "5wd", "24h", "3wd"]


def test_praise_is_passed_on_so_nobody_is_watched_for_handling_it() -> None:
    praise = MATTER.model_copy(update={"type": TicketType.COMMENDATION})
    assert POLICY.terms(history(kind=ClockKind.CITIZEN, limit=None), praise) is None


def test_every_rung_has_a_name_for_people() -> None:
    assert [POLICY.title(rung).split()[0] for rung in (1, 2, 3, 7)] == [
        "催办",
        "督办单",
        "一把手督办",
        "移送",
    ]
