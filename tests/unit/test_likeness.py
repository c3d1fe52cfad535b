"""What makes two reports alike: words, places, callers (R-09)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.likeness import (
    Duplicates,
    Seen,
    distance_m,
    is_candidate,
    likeness,
    repeats,
)
from shared.events import Location

RULES = Duplicates(window_days=30, radius_m=750, likeness=0.45)
BRIDGE = Location(longitude=108.534, latitude=32.52)


@given(st.text(), st.text())
def test_likeness_is_mutual_and_between_nothing_and_all(one: str, other: str) -> None:
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, other) == likeness(other, one)


@given(st.text(alphabet="停水三天路灯不亮河堤", min_size=2))
def test_a_text_is_like_itself_however_it_is_punctuated(said: str) -> None:
    assert likeness(said, f"您好！{said}，谢谢。") == 1


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("河堤路口的路灯坏了一周，晚上很黑", "晚上很黑，河堤路口路灯坏了好几天了", True),
        ("小区停水三天无人处理，老人没水喝", "我们小区停水三天了没有人处理", True),
        ("河堤路口的路灯坏了一周", "紫府路有个大坑", False),
        ("幼儿园乱收费，一学期三千", "幼儿园门口堵车，接孩子不安全", False),
    ],
)
def test_near_copies_are_told_from_other_matters_of_one_topic(
    one: str, other: str, alike: bool
) -> None:
    assert (likeness(one, other) >= RULES.likeness) is alike


def test_a_word_or_two_are_not_contained_in_a_text_by_chance() -> None:
    assert likeness("路灯", "河堤路口的路灯坏了一周，晚上很黑，老人摔倒") < RULES.likeness


@pytest.mark.parametrize(
    ("distance", "alike", "candidate"),
    [(700, 0.1, True), (800, 0.9, False), (None, 0.5, True), (None, 0.4, False)],
)
def test_a_known_place_decides_before_words_do(
    distance: float | None, alike: float, candidate: bool
) -> None:
    assert is_candidate(Seen(False, True, distance, alike), RULES) is candidate
    assert repeats(Seen(True, True, distance, alike), RULES) is candidate


def test_another_kind_of_matter_is_nobodys_repeat() -> None:
    assert not is_candidate(Seen(False, False, 1.0, 1.0), RULES)
    assert is_candidate(Seen(True, False, None, 0.0), RULES)
    assert not repeats(Seen(True, False, 1.0, 1.0), RULES)


def test_metres_over_the_ground() -> None:
    east = Location(longitude=108.544, latitude=32.52)
    assert distance_m(BRIDGE, east) == pytest.approx(937.6, abs=1)
    assert distance_m(BRIDGE, BRIDGE) == 0
    assert distance_m(BRIDGE, None) is None
