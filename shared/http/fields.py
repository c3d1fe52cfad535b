"""The fields requests and answers are made of: a ticket's number, moments, days, bounded text.

Nobody's complaint is refused for an odd blank, and no character of it breaks a wire that goes line
by line. So text is brought into one form on its way in:

- VT, FF, NEL (U+0085), U+2028 and U+2029 become a line feed, in a field of one line every break a
  space; CR stays, for JSON escapes it wherever it travels;
- what nobody sees and what changes what is seen goes: U+FEFF, C1 controls, and the marks, embeddings,
  overrides and isolates of writing direction, by which a text reads otherwise than it is stored and
  a phone number spelt backwards passes every mask. Letters keep their own direction, and joiners
  (U+200B to U+200D) stay: emoji, Uyghur and Tibetan need them;
- the other C0 controls and DEL, such as a telephone system's end marks, become a space;
- a text of which nothing can be seen is empty;
- NUL and half a surrogate pair are refused: no database keeps them.

What is older than this lies in databases and fact logs as it came: each wire escapes on its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from annotated_types import GroupedMetadata
from fastapi import Path as InPath
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)

from shared.security.masking import mask_patterns

# A ticket's number, as intake's compose_number makes it.
Number = Annotated[
    str,
    InPath(pattern=r"^[0-9]{8}-([0-9]{6}){1,4}$", max_length=33, examples=["20260302-000001"]),
]
# A cursor as an answer gave it; of a unit's code, that it is not without end, and no database refuses it.
Cursor = Annotated[str, StringConstraints(max_length=100)]
UnitCode = Annotated[str, StringConstraints(max_length=64, pattern=r"^[^\x00]*$")]


# --- bodies ------------------------------------------------------------------------------------


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, so a typing error is no silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def masked(self, keep: Collection[str] = ()) -> Self:
        """What of it may enter rows and facts: every text somebody typed, without what looks like
        anybody's number (R-36). Codes never do, and stay. Whoever adds a field has it masked.
        """
        return self.model_copy(
            update={
                name: _masked(value, keep)
                for name, value in self
                if type(value) is str or isinstance(value, list | tuple)
            }
        )


def _masked(value: Any, keep: Collection[str]) -> Any:
    if type(value) is str:
        return mask_patterns(value, keep)
    return (
        type(value)(_masked(each, keep) for each in value)
        if isinstance(value, list | tuple)
        else value
    )


def _no_truth(value: object) -> object:
    numbers = value.values() if isinstance(value, Mapping) else (value,)
    if any(isinstance(number, bool) for number in numbers):
        raise ValueError("应为数字，不是 true 或 false a number is asked, not true or false")
    return value


# Where numbers are asked, true is no 1. Numbers in quotes are taken, as ever. Stands behind the bounds of a
# field, or its schema would not say these.
NUMBERS = BeforeValidator(_no_truth)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("时刻超出范围 the moment is before year 1 or after year 9999") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def _with_neighbours(value: date) -> date:
    if not date.min.year < value.year < date.max.year:
        raise ValueError("日期超出范围 the day lies in year 1 or in year 9999")
    return value


# A day whose beginning and end are moments in any zone.
Day = Annotated[date, AfterValidator(_with_neighbours)]


_BREAKS = re.compile(r"[\x0b\x0c\x85\u2028\u2029]")
_ANY_BREAK = re.compile(r"[\t\r\n\x0b\x0c\x85\u2028\u2029]+")
_UNSEEN = re.compile(r"[\x80-\x84\x86-\x9f\ufeff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROLS = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")
_REFUSED = "\0"
# Letters, marks and symbols by name of which nothing is seen: fillers, an empty Braille cell.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_visible(text: str) -> bool:
    """Whether a text has anything that can be seen: no blanks, joiners and selectors only."""
    return any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANK for c in text) or any(
        unicodedata.category(c) in ("Co", "Cn")
        for c in text  # rare names; what is newer than we
    )


def in_one_form(value: object) -> object:
    """A text as it is kept; see the head of this file. Not for what is no text at all."""
    if not isinstance(value, str):
        return value
    text = _CONTROLS.sub(" ", _UNSEEN.sub("", _BREAKS.sub("\n", value)))
    return text if is_visible(text) or _REFUSED in text else ""


def _on_one_line(value: object) -> object:
    return in_one_form(_ANY_BREAK.sub(" ", value) if isinstance(value, str) else value)


def _no_controls(value: str) -> str:
    if _REFUSED in value:
        raise ValueError("含有控制字符 control characters such as NUL are not allowed")
    return value


@dataclass(frozen=True)
class Text(GroupedMetadata):
    """``Annotated[str, Text(100)]``: in one form, stripped, not empty, bounded, no NUL."""

    max_length: int
    min_length: int = 1
    form = staticmethod(in_one_form)

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(
            strip_whitespace=True, min_length=self.min_length, max_length=self.max_length
        )
        yield AfterValidator(_no_controls)
        yield BeforeValidator(self.form)  # the last is the first to look


@dataclass(frozen=True)
class Line(Text):
    """A text of one line: names, titles, codes."""

    form = staticmethod(_on_one_line)


class Sentence(BaseModel):
    """A sentence for people, in Chinese and English."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    zh: str
    en: str
