"""Texts in one form: odd blanks are welcome, what breaks a line or the reading of it is not."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.http.fields import Line, Text, is_visible

FREE: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(100)])
ONE_LINE: TypeAdapter[str] = TypeAdapter(Annotated[str, Line(100)])
NOTE: TypeAdapter[str] = TypeAdapter(Annotated[str, Text(100, min_length=0)])
BREAKS = ["\x0b", "\x0c", "\x85", "\u2028", "\u2029"]
STEERING = [*"\u061c\u200e\u200f", *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])]
INVISIBLE = [
    "\u200b",
    "\ufeff",
    "\u200b\ufeff\u2060",
    " \u3000\n",
    "\u2028",
    "\u3164\u2800",
    "\u00ad",
    "\ufe0f",
]


@pytest.mark.parametrize("char", BREAKS)
def test_an_odd_break_is_a_line_feed_and_a_blank_where_there_is_one_line(char: str) -> None:
    assert FREE.validate_python(f"停水{char}三天") == "停水\n三天"
    assert ONE_LINE.validate_python(f"停水{char}\r\n三天") == "停水 三天"


@pytest.mark.parametrize("char", [*STEERING, "\ufeff", "\x80", "\x9f"])
def test_what_steers_the_reading_or_is_never_seen_goes(char: str) -> None:
    assert FREE.validate_python(f"13800{char}001111") == "13800001111"
    assert ONE_LINE.validate_python(f"{char}停水") == "停水"


@pytest.mark.parametrize("text", INVISIBLE)
def test_an_invisible_text_is_empty(text: str) -> None:
    for kind in (FREE, ONE_LINE):
        with pytest.raises(ValidationError, match="at least 1 character"):
            kind.validate_python(text)
    assert NOTE.validate_python(text) == ""


@pytest.mark.parametrize("text", ["停", "!", "1", "😀", "\ue000", "👨\u200d👩", "ئۇ", "\U0003ffff"])
def test_what_can_be_seen_is_kept_as_it_is(text: str) -> None:
    assert is_visible(text)
    assert FREE.validate_python(text) == text


@pytest.mark.parametrize(
    "char", [chr(n) for n in range(1, 32) if chr(n) not in "\t\n\r\x0b\x0c"] + ["\x7f"]
)
def test_other_controls_refuse_no_text_and_do_not_stay(char: str) -> None:
    for kind in (FREE, ONE_LINE):
        assert kind.validate_python(f"停{char}水{char}") == "停 水"
        with pytest.raises(ValidationError, match="at least 1 character"):
            kind.validate_python(char)


@pytest.mark.parametrize("around", ["停{}水", "{}"])
def test_what_no_database_keeps_is_refused_by_name(around: str) -> None:
    for kind in (FREE, ONE_LINE):
        with pytest.raises(ValidationError, match="控制字符"):
            kind.validate_python(around.format("\0"))


@given(st.text(max_size=60))
def test_no_text_that_is_taken_has_more_lines_than_line_feeds(text: str) -> None:
    try:
        taken = FREE.validate_python(text)
    except ValidationError:
        return
    assert len(taken.replace("\r", " ").splitlines()) <= taken.count("\n") + 1
    assert FREE.validate_python(taken) == taken


@given(st.text(max_size=60))
def test_a_line_is_one_line(text: str) -> None:
    try:
        taken = ONE_LINE.validate_python(text)
    except ValidationError:
        return
    assert taken.splitlines() == [taken]
