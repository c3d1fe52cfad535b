"""The ladder of arbitration.yaml and how like two matters are (R-17)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.rules.arbitration import (
    MOVES,
    SENTENCES,
    Action,
    ArbitrationRules,
    ArbitrationStatus,
    check_raise,
    check_ruler,
    invited_exist,
    move,
    opens,
    parties,
)
from services.dispatcher.rules.likeness import Matter, likeness
from services.dispatcher.settings import Settings
from shared.errors import Forbidden, Malformed, MoveRefused
from tests.fixtures.policy import CONFIG
from tests.fixtures.scenes.handle_clock import at

COUNTY = Settings(embedded=True, config_dir=CONFIG).load()
LADDER = COUNTY.arbitration


@pytest.mark.parametrize(("status", "action"), list(product(ArbitrationStatus, Action)))
def test_exactly_the_table_passes(status: ArbitrationStatus, action: Action) -> None:
    if action in MOVES[status]:
        assert move(status, action) is MOVES[status][action]
        return
    with pytest.raises(MoveRefused):
        move(status, action)


def test_whatever_can_be_moved_says_who_moves_it() -> None:
    assert SENTENCES.keys() == set(ArbitrationStatus)


@pytest.mark.parametrize(
    ("disputes", "most", "opened"), [(0, 2, False), (1, 2, True), (0, 1, True)]
)
def test_the_dispute_that_is_one_too_many_opens_one(disputes: int, most: int, opened: bool) -> None:
    rules = LADDER.model_copy(update={"max_returns_before": most})
    assert opens(disputes, rules) is opened


def test_the_ladder_ends_where_nobody_is_above() -> None:
    """R-17: the desk, 编办 and 司法, the government office, the executive meeting."""
    assert [step.role for step in LADDER.ladder] == ["desk"] + ["supervisor"] * 3
    for number in (1, 2, 3):
        check_raise(number, LADDER)
    with pytest.raises(MoveRefused):
        check_raise(4, LADDER)


def test_on_a_ladder_made_shorter_what_stood_higher_is_before_the_last() -> None:
    shorter = LADDER.model_copy(update={"ladder": LADDER.ladder[:2]})
    assert shorter.is_last(4)
    assert shorter.step(4) is LADDER.ladder[1]


def test_each_body_has_its_limit() -> None:
    """GB66-5: four working hours for the hotline, two working days for the meeting."""
    due = [LADDER.due(number, at("03-02 11:00"), COUNTY.calendar) for number in (1, 2)]
    assert due == [at("03-02 17:00"), at("03-04 18:00")]


@pytest.mark.parametrize(
    ("number", "role", "body", "paper", "refused"),
    [
        (1, "desk", None, None, None),
        (1, "supervisor", None, None, Forbidden),
        (2, "desk", "联席会议", "3号", Forbidden),
        (2, "supervisor", None, "3号", Malformed),
        (2, "supervisor", "联席会议", None, Malformed),
        (2, "supervisor", "联席会议", "3号", None),
    ],
)
def test_who_records_a_ruling_and_what_it_names(
    number: int, role: str, body: str | None, paper: str | None, refused: type[Exception] | None
) -> None:
    if refused is None:
        check_ruler(LADDER.step(number), role, body, paper)
        return
    with pytest.raises(refused):
        check_ruler(LADDER.step(number), role, body, paper)


def test_who_is_invited_exists() -> None:
    assert list(invited_exist(LADDER, COUNTY.units)) == []
    step = LADDER.ladder[1].model_copy(update={"invites": ("SFJJ",)})
    wrong = LADDER.model_copy(update={"ladder": (LADDER.ladder[0], step)})
    ((file, where, why),) = invited_exist(wrong, COUNTY.units)
    assert (file, where) == ("arbitration", ("ladder", 1, "invites", 0))
    assert "SFJ" in why


def test_a_ladder_has_a_step() -> None:
    with pytest.raises(ValueError, match="ladder"):
        ArbitrationRules.model_validate(
            {"max_returns_before": 2, "ladder": [], "silence": "raise", "charged_to": "loser"}
        )


@given(st.lists(st.sampled_from(["A", "B", "C", None])), st.sets(st.sampled_from(["A", "B"])))
def test_who_stands_back_is_never_heard_and_nobody_twice(
    units: list[str | None], barred: set[str]
) -> None:
    """R-35 回避."""
    heard = parties(units, barred)
    assert set(heard) == {unit for unit in units if unit} - barred
    assert len(heard) == len(set(heard))


MATTERS = st.builds(
    Matter,
    st.sampled_from(["water.supply", "lighting.street"]),
    st.sampled_from(["610924100", "610924100201", "610924110"]),
    st.sampled_from(["help", "complaint"]),
    st.text("路灯不亮停水", max_size=8),
)


@given(MATTERS, MATTERS)
def test_nothing_is_more_like_a_matter_than_itself_and_likeness_is_mutual(
    some: Matter, other: Matter
) -> None:
    assert likeness(some, other) == likeness(other, some)
    assert likeness(some, some) >= likeness(some, other)


def test_the_topic_counts_before_the_area_and_that_before_words() -> None:
    light = Matter("lighting.street", "610924100", "complaint", "路灯不亮")
    topic = light._replace(area="610924110", title="停水")
    village = Matter("water.supply", "610924100201", "complaint", "停水")
    words = Matter("water.supply", "610924110", "complaint", "路灯不亮")
    ranked = sorted((words, village, topic), key=lambda each: likeness(light, each), reverse=True)
    assert ranked == [topic, village, words]
