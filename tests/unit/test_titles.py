"""A complaint without a title is called by its first sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.titles import LONGEST, title_of


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("小区停水三天。无人处理。", "小区停水三天"),
        ("停水\n第二行", "停水"),
        ("。。！停水了吗？", "停水了吗"),
        ("  停\t水  ", "停 水"),
        ("！！！", "！！！"),
        ("水" * 200, "水" * 99 + "…"),
        ("水" * 97 + "[电话]停水", "水" * 97 + "…"),
        ("水" * 95 + "[电话]停水停水", "水" * 95 + "[电话]…"),
    ],
)
def test_the_first_sentence_stands_for_the_title(content: str, title: str) -> None:
    assert title_of(content) == title


@given(st.text(min_size=1).filter(lambda text: bool(text.strip())))
def test_whatever_the_text_there_is_a_title_of_one_line(content: str) -> None:
    title = title_of(content)
    assert title
    assert len(title) <= LONGEST
    assert len(title.splitlines()) == 1
