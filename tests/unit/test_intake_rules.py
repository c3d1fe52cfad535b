"""Intake's decisions: every status × action, every order of facts, who may know whom."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.intake.rules.identity import (
    Person,
    WorkingCopy,
    is_confidential,
    mask_note,
    visible,
    working_copy,
)
from services.intake.rules.machine import (
    MOVES,
    PROVES,
    SENTENCES,
    Action,
    Assigned,
    AssignmentStatus,
    TicketStatus,
    allowed,
    ended,
    later,
    move,
    progress_of,
)
from services.intake.rules.numbers import compose_number
from shared.errors import MoveRefused
from shared.events import FACTS, Location, TicketType
from shared.http.fields import Number

# --- numbers -----------------------------------------------------------------------------------


def test_a_number_says_its_day_and_place() -> None:
    assert compose_number(date(2026, 11, 23), 1) == "20261123-000001"
    assert compose_number(date(2026, 11, 23), 999_999) == "20261123-999999"


def test_the_numbers_of_a_day_never_run_out_and_sort_as_they_were_given() -> None:
    counts = [1, 2, 999_998, 999_999, 1_000_000, 1_000_001, 1_999_998, 1_999_999, 2_999_998]
    numbers = [compose_number(date(2026, 11, 23), n) for n in counts]
    assert numbers[4] == "20261123-999999000001"
    assert numbers == sorted(set(numbers))
    assert numbers[-1] < compose_number(date(2026, 11, 24), 1)
    assert all(TypeAdapter(Number).validate_python(number) == number for number in numbers)


# --- the citizen's moves -----------------------------------------------------------------------

ENDED_HERE = {TicketStatus.ANSWERED, TicketStatus.NOT_ACCEPTED, TicketStatus.HANDED_OVER}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", TicketStatus)
def test_every_status_and_action(status: TicketStatus, action: Action) -> None:
    if status in ENDED_HERE and action is Action.SUPPLEMENT:  # the hotline looks at it again
        assert move(status, action) is TicketStatus.ANSWERING
        return
    if action is not Action.WITHDRAW:  # whatever is said is noted, at any stage
        assert move(status, action) is status
        return
    if not ended(status):
        assert move(status, action) is TicketStatus.WITHDRAWN
        return
    with pytest.raises(MoveRefused) as refused:
        move(status, action)
    noted = ["supplement", "urge"]
    assert refused.value.extra == {"current_status": status.value, "allowed": noted}


@pytest.mark.parametrize("status", TicketStatus)
def test_what_is_said_to_be_allowed_is(status: TicketStatus) -> None:
    assert allowed(status) == [each.value for each in Action if (status, each) in MOVES]


@pytest.mark.parametrize("status", TicketStatus)
def test_nothing_but_more_to_say_moves_what_has_ended(status: TicketStatus) -> None:
    final = {TicketStatus.CLOSED, TicketStatus.WITHDRAWN}
    assert ended(status) is (status in final | ENDED_HERE)
    moved = {move(status, Action(action)) for action in allowed(status)}
    assert status not in final or moved == {status}


@pytest.mark.parametrize("status", TicketStatus)
def test_every_status_has_its_sentence(status: TicketStatus) -> None:
    assert SENTENCES[status].zh
    assert SENTENCES[status].en
    assert len(set(SENTENCES.values())) == len(TicketStatus)


# --- what facts add up to ----------------------------------------------------------------------


def test_every_fact_about_an_assignment_proves_something() -> None:
    names = {kind.name for kind in FACTS.values()}
    about = {name for name in names if name.startswith("assignment.")}
    about.remove(
        "assignment.copied"
    )  # to whom it goes has not the assignment, and works on nothing
    assert set(PROVES) == about, "a line in PROVES, or intake parks the ticket of that fact"


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (["dispatched"], AssignmentStatus.DISPATCHED),
        (["dispatched", "updated"], AssignmentStatus.DISPATCHED),
        (["dispatched", "return_requested"], AssignmentStatus.DISPATCHED),
        (["dispatched", "return_requested", "returned"], AssignmentStatus.GONE),
        (["dispatched", "signed"], AssignmentStatus.IN_HAND),
        (["dispatched", "signed", "return_requested", "return_refused"], AssignmentStatus.IN_HAND),
        (["dispatched", "signed", "contacted", "progressed"], AssignmentStatus.IN_HAND),
        (["dispatched", "signed", "contacted", "completed"], AssignmentStatus.COMPLETED),
        (["dispatched", "signed", "completed", "closed"], AssignmentStatus.COMPLETED),
        (["dispatched", "signed", "cancelled"], AssignmentStatus.GONE),
    ],
)
def test_an_assignment_is_the_same_in_any_order_and_twice(
    facts: list[str], status: AssignmentStatus
) -> None:
    for order in itertools.permutations([*facts, facts[-1]]):
        known = None
        for fact in order:
            known = later(known, f"assignment.{fact}")
        assert known is status


def assigned(unit: str, status: AssignmentStatus, round: int = 1) -> Assigned:
    return Assigned(unit, round, status)


D, H, C, G = AssignmentStatus
PROGRESS: list[tuple[list[Assigned], dict[str, Any], TicketStatus, int, tuple[str, ...]]] = [
    ([], {}, TicketStatus.RECEIVED, 1, ()),
    ([assigned("HC", D)], {}, TicketStatus.ASSIGNED, 1, ("HC",)),
    ([assigned("HC", D), assigned("RSJ", D)], {}, TicketStatus.ASSIGNED, 1, ("HC", "RSJ")),
    ([assigned("HC", H), assigned("RSJ", D)], {}, TicketStatus.IN_HAND, 1, ("HC", "RSJ")),
    ([assigned("HC", D), assigned("RSJ", C)], {}, TicketStatus.IN_HAND, 1, ("HC", "RSJ")),
    ([assigned("HC", G)], {}, TicketStatus.RECEIVED, 1, ()),
    ([assigned("HC", G), assigned("RSJ", D)], {}, TicketStatus.ASSIGNED, 1, ("RSJ",)),
    ([assigned("HC", C)], {"resolved_round": 1}, TicketStatus.RESOLVED, 1, ("HC",)),
    ([], {"resolved_round": 1}, TicketStatus.RESOLVED, 1, ()),
    (
        [assigned("HC", C)],
        {"resolved_round": 1, "closed_round": 1},
        TicketStatus.CLOSED,
        1,
        ("HC",),
    ),
    ([], {"closed_round": 1}, TicketStatus.CLOSED, 1, ()),
    ([assigned("HC", C)], {"resolved_round": 1, "reopened_round": 2}, TicketStatus.REOPENED, 2, ()),
    ([assigned("HC", C)], {"reopened_round": 2}, TicketStatus.REOPENED, 2, ()),
    (
        [assigned("HC", C), assigned("HC", D, 2)],
        {"resolved_round": 1, "reopened_round": 2},
        TicketStatus.ASSIGNED,
        2,
        ("HC",),
    ),
    (
        [assigned("HC", C), assigned("HC", H, 2)],
        {"resolved_round": 1},
        TicketStatus.IN_HAND,
        2,
        ("HC",),
    ),
    (
        [assigned("HC", C), assigned("HC", G, 2)],
        {"resolved_round": 1},
        TicketStatus.REOPENED,
        2,
        (),
    ),
    (
        [assigned("HC", C, 2)],
        {"resolved_round": 2, "closed_round": 2, "reopened_round": 2},
        TicketStatus.CLOSED,
        2,
        ("HC",),
    ),
    ([assigned("HC", G)], {"withdrawn": True}, TicketStatus.WITHDRAWN, 1, ()),
    (
        [assigned("HC", C)],
        {"withdrawn": True, "resolved_round": 1},
        TicketStatus.WITHDRAWN,
        1,
        ("HC",),
    ),
    # What the hotline ended itself in a round, whatever a unit did meanwhile; a later round goes on.
    ([], {"ending": "answering", "ending_round": 1}, TicketStatus.ANSWERING, 1, ()),
    (
        [assigned("HC", C)],
        {"ending": "answered", "ending_round": 1, "closed_round": 1, "resolved_round": 1},
        TicketStatus.ANSWERED,
        1,
        (),
    ),
    ([], {"ending": "not_accepted", "ending_round": 1}, TicketStatus.NOT_ACCEPTED, 1, ()),
    ([], {"ending": "handed_over", "ending_round": 1}, TicketStatus.HANDED_OVER, 1, ()),
    (
        [],
        {"ending": "answered", "ending_round": 1, "closed_round": 1, "reopened_round": 2},
        TicketStatus.REOPENED,
        2,
        (),
    ),
]


@pytest.mark.parametrize(("assignments", "known", "status", "round", "units"), PROGRESS)
def test_where_a_ticket_stands(
    assignments: list[Assigned],
    known: dict[str, Any],
    status: TicketStatus,
    round: int,
    units: tuple[str, ...],
) -> None:
    for order in itertools.permutations(assignments):
        progress = progress_of(order, **known)
        assert (progress.status, progress.round, progress.units) == (status, round, units)


def test_every_status_can_be_reached() -> None:
    assert {status for _, _, status, _, _ in PROGRESS} == set(TicketStatus)


# --- who may know what -------------------------------------------------------------------------

CALLER = Person("王小明", ("13800138000",), "紫阳县红椿镇尚坝村3组12号")


def test_a_working_copy_names_nobody() -> None:
    copy = working_copy(
        "王小明反映停水",
        "我是王小明，电话138-0013-8000，邻居李四电话13900139000，水费35.5元。",
        "红椿镇尚坝村3组12号门前",
        CALLER,
    )
    assert copy.title == "[姓名]反映停水"
    assert copy.content == "我是[姓名]，电话[电话]，邻居李四电话[电话1]，水费35.5元。"
    assert copy.matter == {"[电话1]": "13900139000"}
    assert copy.address == "[住址]门前"


def test_a_working_copy_of_an_unknown_caller_is_masked_by_pattern() -> None:
    copy = working_copy("停水", "请打13800138000", None, Person())
    assert copy[:3] == ("停水", "请打[电话1]", None)


def test_no_mask_crosses_from_one_text_into_another() -> None:
    copy = working_copy("门牌1380013", "8000元", None, CALLER)
    assert copy == ("门牌1380013", "8000元", None, {})


def test_a_later_note_is_masked_the_same_way() -> None:
    assert mask_note("王小明再催，13900139000", CALLER) == "[姓名]再催，[电话]"


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_the_three_texts_keep_their_places(text: str) -> None:
    copy = working_copy(text, f"{text}。王小明", text or None, CALLER)
    assert copy.content.endswith("[姓名]")
    assert "王小明" not in "".join(part or "" for part in copy[:3])


def test_a_person_is_never_printed() -> None:
    assert "王小明" not in repr(CALLER) + str(CALLER)


@pytest.mark.parametrize("ticket_type", TicketType)
def test_reports_are_confidential_unless_asked_otherwise(ticket_type: TicketType) -> None:
    assert is_confidential(ticket_type, None) is (ticket_type is TicketType.REPORT)
    assert is_confidential(ticket_type, True)
    assert not is_confidential(ticket_type, False)


def test_a_confidential_fact_says_only_the_area() -> None:
    place = Location(longitude=108.5, latitude=32.5)
    copy = WorkingCopy("停水", "停水", "门前")
    assert visible(False, copy, place) == ("门前", place)
    assert visible(True, copy, place) == (None, None)
