"""What a model of suggestions says of a text, and which files are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.dispatcher.rules.reasons import Names
from services.dispatcher.rules.suggesting import (
    MOST,
    Model,
    cleaned,
    grams_of,
    reason_for,
    words_of,
)
from shared.errors import ConfigError
from tests.fixtures.suggesting import SPEAKING, file_of, model_of

MODEL = model_of()


def test_the_unit_a_text_speaks_for_comes_first_with_the_words_that_do() -> None:
    """DOMAIN.md 7: a model may suggest, ranked and with reasons."""
    first, *others = MODEL.suggest("停电", "村里停电两天")
    assert (first.unit, first.words) == ("GDJ", ("停电",))
    assert first.confidence > 0.5
    assert all(each.confidence < first.confidence for each in others)
    assert sum(each.confidence for each in (first, *others)) == pytest.approx(1)


def test_whoever_stands_back_is_not_suggested_and_makes_nobody_surer() -> None:
    """R-35: and a desk learns from no figure who it is."""
    every = {each.unit: each.confidence for each in MODEL.suggest("停电", "停电")}
    left = MODEL.suggest("停电", "停电", without={"GDJ"})
    assert {each.unit: each.confidence for each in left} == {
        unit: confidence for unit, confidence in every.items() if unit != "GDJ"
    }
    assert MODEL.suggest("停电", "停电", without=set(every)) == []


@given(title=some.text(max_size=30), content=some.text(max_size=200))
def test_any_text_gets_chances_that_are_chances(title: str, content: str) -> None:
    found = MODEL.suggest(title, content)
    assert len(found) == MOST
    assert all(0 <= each.confidence <= 1 for each in found)
    assert sum(each.confidence for each in found) == pytest.approx(1)
    for each in found:
        assert all(word in cleaned(f"{title}\n{content}") for word in each.words)


@given(text=some.text(max_size=60))
def test_no_digit_of_a_text_is_read(text: str) -> None:
    """No model holds anybody's number (R-36)."""
    assert not {*cleaned(text)} & {*"123456789"}
    assert all(gram in cleaned(text) for gram in grams_of(cleaned(text), 1, 4))


def test_words_do_not_repeat_one_another() -> None:
    said = {"停电": 2.0, "停": 0.5, "里停": 0.1, "里停电": 0.1, "退款": 1.0, "水表": -1.0}
    assert words_of(said) == ("里停电", "退款")


def test_the_reason_says_how_sure_by_which_words_and_from_what() -> None:
    [first, *_] = MODEL.suggest("停电", "停电")
    reason = reason_for(first, MODEL, Names(units={"GDJ": "供电公司"}))
    for words in (reason.zh, reason.en):
        assert "供电公司" in words
        assert "停电" in words
        assert "300" in words
        assert "2026-03-01" in words


def cut(raw: dict[str, Any]) -> None:
    raw["voters"][0]["grams"].pop()


def other_weight(raw: dict[str, Any]) -> None:
    raw["voters"][0]["bias"][0] = 0.5


def other_format(raw: dict[str, Any]) -> None:
    raw["format"] = "jiesu-suggest-2"


def more(raw: dict[str, Any]) -> None:
    raw["run"] = "os.system"


def twice(raw: dict[str, Any]) -> None:
    raw["voters"][0]["grams"][0] = raw["voters"][0]["grams"][1]


def endless(raw: dict[str, Any]) -> None:
    raw["sharpness"] = float("inf")


def no_units(raw: dict[str, Any]) -> None:
    raw["units"] = []


@pytest.mark.parametrize("spoil", [cut, other_weight, other_format, more, twice, endless, no_units])
def test_what_is_no_whole_model_is_refused(spoil: Callable[[dict[str, Any]], None]) -> None:
    raw = json.loads(file_of().model_dump_json())
    assert Model.read(json.dumps(raw).encode(), "model.json").file == file_of()
    spoil(raw)
    with pytest.raises(ConfigError, match=r"model\.json"):
        Model.read(json.dumps(raw).encode(), "model.json")


def test_a_model_of_another_number_of_signs_is_refused() -> None:
    with pytest.raises(ConfigError, match="not whole"):
        model_of(sureness=(0.0, 1.0))


def test_no_model_is_read_from_anything_else() -> None:
    for raw in (
        b"",
        b"{}",
        b"[]",
        b"\x80\x04K\x01.",
        file_of(SPEAKING).model_dump_json().encode()[:-9],
    ):
        with pytest.raises(ConfigError):
            Model.read(raw, "model.json")
