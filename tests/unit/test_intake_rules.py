"""Intake's decisions: every stage × action, every order of facts, who may know whom; its bodies."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake import schemas
from services.intake.rules.registration import (
    MOVES,
    PROVES,
    SENTENCES,
    Action,
    Assigned,
    Holding,
    NumbersExhausted,
    Person,
    Stage,
    allowed,
    compose_number,
    is_confidential,
    later,
    mask_note,
    may_read_contact,
    move,
    progress_of,
    visible,
    working_copy,
)
from services.intake.schemas import Batch, NewTicket
from shared.errors import MoveRefused
from shared.events import FACTS, Location, TicketType, Urgency
from shared.http.problems import Problem

# --- numbers -----------------------------------------------------------------------------------


def test_a_number_says_its_day_and_place() -> None:
    assert compose_number(date(2026, 11, 23), 1) == "20261123-000001"
    assert compose_number(date(2026, 11, 23), 999_999) == "20261123-999999"


def test_a_day_ends_at_a_million() -> None:
    with pytest.raises(NumbersExhausted):
        compose_number(date(2026, 11, 23), 1_000_000)


# --- the citizen's moves -----------------------------------------------------------------------

OPEN = {Stage.RECEIVED, Stage.ASSIGNED, Stage.IN_HAND, Stage.REOPENED}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_and_action(stage: Stage, action: Action) -> None:
    if stage in OPEN:
        after = Stage.WITHDRAWN if action is Action.WITHDRAW else stage
        assert move(stage, action) is after
        return
    with pytest.raises(MoveRefused) as refused:
        move(stage, action)
    assert refused.value.extra == {"current_status": stage.value, "allowed": []}


@pytest.mark.parametrize("stage", Stage)
def test_what_is_said_to_be_allowed_is(stage: Stage) -> None:
    assert allowed(stage) == [each.value for each in Action if (stage, each) in MOVES]


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_its_sentence(stage: Stage) -> None:
    assert SENTENCES[stage].zh
    assert SENTENCES[stage].en
    assert len(set(SENTENCES.values())) == len(Stage)


# --- what facts add up to ----------------------------------------------------------------------


def test_every_fact_about_an_assignment_proves_something() -> None:
    names = {kind.name for kind in FACTS.values()}
    assert set(PROVES) == {name for name in names if name.startswith("assignment.")}


@pytest.mark.parametrize(
    ("facts", "holding"),
    [
        (["dispatched"], Holding.DISPATCHED),
        (["dispatched", "updated"], Holding.DISPATCHED),
        (["dispatched", "return_requested"], Holding.DISPATCHED),
        (["dispatched", "return_requested", "returned"], Holding.GONE),
        (["dispatched", "signed"], Holding.IN_HAND),
        (["dispatched", "signed", "return_requested", "return_refused"], Holding.IN_HAND),
        (["dispatched", "signed", "contacted", "progressed"], Holding.IN_HAND),
        (["dispatched", "signed", "contacted", "completed"], Holding.COMPLETED),
        (["dispatched", "signed", "completed", "closed"], Holding.COMPLETED),
        (["dispatched", "signed", "cancelled"], Holding.GONE),
    ],
)
def test_an_assignment_is_the_same_in_any_order_and_twice(
    facts: list[str], holding: Holding
) -> None:
    for order in itertools.permutations([*facts, facts[-1]]):
        known = None
        for fact in order:
            known = later(known, f"assignment.{fact}")
        assert known is holding


def held(unit: str, holding: Holding, round: int = 1) -> Assigned:
    return Assigned(unit, round, holding)


D, H, C, G = Holding
STANDINGS: list[tuple[list[Assigned], dict[str, Any], Stage, int, tuple[str, ...]]] = [
    ([], {}, Stage.RECEIVED, 1, ()),
    ([held("HC", D)], {}, Stage.ASSIGNED, 1, ("HC",)),
    ([held("HC", D), held("RSJ", D)], {}, Stage.ASSIGNED, 1, ("HC", "RSJ")),
    ([held("HC", H), held("RSJ", D)], {}, Stage.IN_HAND, 1, ("HC", "RSJ")),
    ([held("HC", D), held("RSJ", C)], {}, Stage.IN_HAND, 1, ("HC", "RSJ")),
    ([held("HC", G)], {}, Stage.RECEIVED, 1, ()),
    ([held("HC", G), held("RSJ", D)], {}, Stage.ASSIGNED, 1, ("RSJ",)),
    ([held("HC", C)], {"resolved_round": 1}, Stage.RESOLVED, 1, ("HC",)),
    ([], {"resolved_round": 1}, Stage.RESOLVED, 1, ()),
    ([held("HC", C)], {"resolved_round": 1, "closed_round": 1}, Stage.CLOSED, 1, ("HC",)),
    ([], {"closed_round": 1}, Stage.CLOSED, 1, ()),
    ([held("HC", C)], {"resolved_round": 1, "reopened_round": 2}, Stage.REOPENED, 2, ()),
    ([held("HC", C)], {"reopened_round": 2}, Stage.REOPENED, 2, ()),
    (
        [held("HC", C), held("HC", D, 2)],
        {"resolved_round": 1, "reopened_round": 2},
        Stage.ASSIGNED,
        2,
        ("HC",),
    ),
    ([held("HC", C), held("HC", H, 2)], {"resolved_round": 1}, Stage.IN_HAND, 2, ("HC",)),
    ([held("HC", C), held("HC", G, 2)], {"resolved_round": 1}, Stage.REOPENED, 2, ()),
    (
        [held("HC", C, 2)],
        {"resolved_round": 2, "closed_round": 2, "reopened_round": 2},
        Stage.CLOSED,
        2,
        ("HC",),
    ),
    ([held("HC", G)], {"withdrawn": True}, Stage.WITHDRAWN, 1, ()),
    ([held("HC", C)], {"withdrawn": True, "resolved_round": 1}, Stage.WITHDRAWN, 1, ("HC",)),
]


@pytest.mark.parametrize(("assignments", "known", "stage", "round", "units"), STANDINGS)
def test_where_a_ticket_stands(
    assignments: list[Assigned],
    known: dict[str, Any],
    stage: Stage,
    round: int,
    units: tuple[str, ...],
) -> None:
    for order in itertools.permutations(assignments):
        standing = progress_of(order, **known)
        assert (standing.stage, standing.round, standing.units) == (stage, round, units)


def test_every_stage_can_be_reached() -> None:
    assert {stage for _, _, stage, _, _ in STANDINGS} == set(Stage)


# --- who may know what -------------------------------------------------------------------------

CALLER = Person("王小明", "13800138000", "紫阳县红椿镇尚坝村3组12号")


def test_a_working_copy_names_nobody() -> None:
    copy = working_copy(
        "王小明反映停水",
        "我是王小明，电话138-0013-8000，邻居李四电话13900139000，水费35.5元。",
        "红椿镇尚坝村3组12号门前",
        CALLER,
    )
    assert copy.title == "[姓名]反映停水"
    assert copy.content == "我是[姓名]，电话[电话]，邻居李四电话[电话]，水费35.5元。"
    assert copy.address == "[住址]门前"


def test_a_working_copy_of_an_unknown_caller_is_masked_by_pattern() -> None:
    copy = working_copy("停水", "请打13800138000", None, Person())
    assert copy == ("停水", "请打[电话]", None)


def test_no_mask_crosses_from_one_text_into_another() -> None:
    copy = working_copy("门牌1380013", "8000元", None, CALLER)
    assert copy == ("门牌1380013", "8000元", None)


def test_a_later_note_is_masked_the_same_way() -> None:
    assert mask_note("王小明再催，13900139000", CALLER) == "[姓名]再催，[电话]"


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_the_three_texts_keep_their_places(text: str) -> None:
    copy = working_copy(text, f"{text}。王小明", text or None, CALLER)
    assert copy.content.endswith("[姓名]")
    assert "王小明" not in "".join(part or "" for part in copy)


def test_a_person_is_never_printed() -> None:
    assert "王小明" not in repr(CALLER) + str(CALLER)


@pytest.mark.parametrize("ticket_type", TicketType)
def test_reports_are_confidential_unless_asked_otherwise(ticket_type: TicketType) -> None:
    assert is_confidential(ticket_type, None) is (ticket_type is TicketType.REPORT)
    assert is_confidential(ticket_type, True)
    assert not is_confidential(ticket_type, False)


def test_a_confidential_fact_says_only_the_area() -> None:
    place = Location(longitude=108.5, latitude=32.5)
    assert visible(False, "门前", place) == ("门前", place)
    assert visible(True, "门前", place) == (None, None)


@pytest.mark.parametrize("holding", Holding)
def test_a_unit_reads_while_its_assignment_is_open(holding: Holding) -> None:
    mine = [held("HC", holding)]
    assert may_read_contact("unit", "liaison", "HC", mine, None, Stage.IN_HAND) is (
        holding in (D, H)
    )


@pytest.mark.parametrize("stage", [Stage.CLOSED, Stage.WITHDRAWN])
def test_no_unit_reads_after_the_end(stage: Stage) -> None:
    """Not even one whose assignment is still open here: its end may be on the way."""
    assert not may_read_contact("unit", "liaison", "HC", [held("HC", D)], None, stage)


@pytest.mark.parametrize("reported", ["HC", "RSJ", None])
def test_the_unit_complained_of_never_reads(reported: str | None) -> None:
    mine = [held("HC", D)]
    assert may_read_contact("unit", "liaison", "HC", mine, reported, Stage.IN_HAND) is (
        reported != "HC"
    )


def test_another_units_assignment_opens_nothing() -> None:
    assert not may_read_contact("unit", "liaison", "RSJ", [held("HC", H)], None, Stage.IN_HAND)


@pytest.mark.parametrize(
    "role", ["phone_system", "desk", "supervisor", "callback", "ops", "service", "unit"]
)
def test_no_other_role_reads(role: str) -> None:
    assert not may_read_contact(role, "tracker", None, [held("HC", H)], None, Stage.IN_HAND)


def test_feedback_reads_to_call_back() -> None:
    assert may_read_contact("service", "feedback", None, [], "HC", Stage.RESOLVED)


@pytest.mark.parametrize("stage", Stage)
def test_callback_staff_read_while_the_verdict_is_awaited(stage: Stage) -> None:
    allowed = may_read_contact("callback", "li", None, [], None, stage)
    assert allowed is (stage is Stage.RESOLVED)


# --- bodies ------------------------------------------------------------------------------------

GIVEN: dict[str, Any] = {
    "type": "help",
    "topic": "water.supply",
    "title": "停水",
    "content": "家里停水三天",
    "area": "610924109",
    "channel": "phone",
}


def test_a_short_ticket_is_enough() -> None:
    ticket = NewTicket.model_validate(GIVEN)
    assert ticket.type is TicketType.HELP
    assert ticket.urgency is Urgency.NORMAL
    assert ticket.caller is None
    assert ticket.confidential is None


def test_a_whole_ticket_is_read() -> None:
    ticket = NewTicket.model_validate(
        GIVEN
        | {
            "urgency": "urgent",
            "address": "尚坝村",
            "location": {"longitude": 108.5, "latitude": 32.5},
            "flags": ["water"],
            "source_number": "AK-1",
            "reported_unit": "HC",
            "caller": {"name": "王小明", "phone": "+86 138-0013-8000", "address": "尚坝村3组"},
            "confidential": True,
            "reply_declined": True,
        }
    )
    assert ticket.caller is not None
    assert ticket.caller.phone == "13800138000"
    assert NewTicket.model_validate_json(ticket.model_dump_json()) == ticket


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "gossip"}, "type"),
        ({"urgency": "now"}, "urgency"),
        ({"title": " "}, "title"),
        ({"title": "长" * 101}, "title"),
        ({"content": ""}, "content"),
        ({"content": "长" * 5_001}, "content"),
        ({"content": "x" * 100_000}, "content"),
        ({"content": "停\0水"}, "content"),
        ({"caller": {"phone": "12345"}}, "phone"),
        ({"caller": {"phone": "4421234"}}, "phone"),
        ({"caller": {"name": "王\0"}}, "name"),
        ({"location": {"longitude": 181, "latitude": 32}}, "longitude"),
        ({"location": {"longitude": float("nan"), "latitude": 32}}, "longitude"),
        ({"flags": ["water"] * 21}, "flags"),
        ({"tilte": "停水"}, "tilte"),
    ],
)
def test_a_bad_field_is_named_and_never_quoted(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NewTicket.model_validate(GIVEN | change)
    faults = refused.value.errors(include_input=False)
    assert [fault["loc"][-1] for fault in faults] == [field]
    assert "4421234" not in faults[0]["msg"]


def test_a_ticket_is_never_printed_with_its_words() -> None:
    ticket = NewTicket.model_validate(GIVEN | {"caller": {"name": "王小明"}})
    assert "王小明" not in repr(ticket)
    assert "停水" not in repr(ticket)


def test_each_ticket_of_a_batch_is_judged_alone() -> None:
    batch = Batch.model_validate({"tickets": [GIVEN, GIVEN | {"title": ""}, "nonsense", GIVEN]})
    good, bad, nonsense, last = batch.tickets
    assert isinstance(good, NewTicket)
    assert good == last
    assert isinstance(bad, Problem)
    assert (bad.status, bad.field) == (422, "title")
    assert isinstance(nonsense, Problem)
    assert (nonsense.status, nonsense.field) == (422, "body")


@pytest.mark.parametrize("size", [0, 1_001])
def test_a_batch_has_its_bounds(size: int) -> None:
    with pytest.raises(ValidationError):
        Batch.model_validate({"tickets": [GIVEN] * size})


def test_the_interface_shows_a_batch_as_tickets() -> None:
    items = Batch.model_json_schema()["properties"]["tickets"]["items"]
    assert items == {"$ref": "#/$defs/NewTicket"}


def test_a_batch_can_be_fingerprinted() -> None:
    one, other = (
        Batch.model_validate({"tickets": [GIVEN, GIVEN | {"title": title}]}).model_dump_json()
        for title in ("", "停电")
    )
    assert one != other


def test_the_interface_knows_every_stage() -> None:
    assert set(get_args(schemas.Stage)) == {stage.value for stage in Stage}
