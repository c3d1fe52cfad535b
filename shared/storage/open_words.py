"""Columns of words: a row is read with its words as members of their enums, known or not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator

from shared.events import OpenEnum


class Words(TypeDecorator[str]):
    """A text column whose values are words of an open enum.

    A word of a newer release is read as UNKNOWN, which every rule treats, and is saved again as it
    was. Models would refuse the bare text.
    """

    impl: Any = Text
    cache_ok = True

    def __init__(self, words: type[OpenEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> OpenEnum | None:
        return None if value is None else self.words(value)


class ShortWords(Words):
    """The same for a column made as VARCHAR."""

    impl: Any = String
    cache_ok = True
