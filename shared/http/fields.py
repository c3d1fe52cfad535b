"""The fields requests and answers are made of: a ticket's number, moments, days, bounded text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated

from annotated_types import GroupedMetadata
from fastapi import Path as InPath
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

# A ticket's number, as intake's compose_number makes it.
Number = Annotated[str, InPath(pattern=r"^[0-9]{8}-[0-9]{6}$", examples=["20260302-000001"])]


# --- bodies ------------------------------------------------------------------------------------


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, so a typing error is no silent loss."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


def _no_controls(value: str) -> str:
    if any(ord(c) < 32 and c not in "\n\t\r" for c in value) or "\x7f" in value:
        raise ValueError("含有控制字符 control characters such as NUL are not allowed")
    return value


@dataclass(frozen=True)
class Text(GroupedMetadata):
    """``Annotated[str, Text(100)]``: stripped, not empty, bounded, free of control characters."""

    max_length: int
    min_length: int = 1

    def __iter__(self) -> Iterator[object]:
        yield StringConstraints(
            strip_whitespace=True, min_length=self.min_length, max_length=self.max_length
        )
        yield AfterValidator(_no_controls)


class Sentence(BaseModel):
    """A sentence for people, in Chinese and English."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    zh: str
    en: str
