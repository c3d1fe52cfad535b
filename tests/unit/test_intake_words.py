"""What texts are searched by: two characters side by side, in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.words import asked_for, grams, searchable

LETTERS = st.text(st.sampled_from("停水三天没有ABcd１２，。 \n😀𠀀"), max_size=30)


def test_a_text_is_compared_in_one_form() -> None:
    assert searchable("ＷＩＦＩ坏了，\n河堤路８号!") == "wifi坏了 河堤路8号"


def test_grams_are_pairs_side_by_side_and_cross_no_mark() -> None:
    assert len(grams("停水三天")) == 3
    assert grams("停水 三天") == sorted([*grams("停水"), *grams("三天")])
    assert grams("停") == grams("停 水") == []


@given(LETTERS, LETTERS, LETTERS)
def test_a_text_has_the_grams_of_whatever_it_holds(before: str, held: str, after: str) -> None:
    words = searchable(held)
    assert set(grams(words)) <= set(grams(searchable(f"{before}{held}{after}")))


@given(st.text(max_size=50))
def test_grams_fit_the_column(anything: str) -> None:
    found = grams(searchable(anything))
    assert all(-(2**31) <= gram < 2**31 for gram in found)
    assert len(found) == len(set(found))


@pytest.mark.parametrize("said", ["停", "停，水", "!!", " 停 "])
def test_one_character_is_not_searched_for(said: str) -> None:
    with pytest.raises(ValueError, match="两个字"):
        asked_for(said)
