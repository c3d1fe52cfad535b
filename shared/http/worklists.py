"""工作清单: what waits for one role, list by list, as every service says it (ADR 0052)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Self

from pydantic import AwareDatetime, BaseModel

from shared.http.fields import Sentence


class Tally(NamedTuple):
    """How many stand in a list, how many of them late, the first due moment: None where none is known."""

    total: int = 0
    overdue: int = 0
    due: datetime | None = None

    @classmethod
    def of(cls, due: Iterable[datetime], now: datetime) -> Self:
        """Of what is due at these moments."""
        moments = [*due]
        return cls(len(moments), sum(each < now for each in moments), min(moments, default=None))


class WorklistLine(BaseModel):
    """One list, as far as it is the caller's to do. ``total`` and ``overdue`` as the list itself says;
    ``due``: the earliest in it, null where none is known; ``door``: the list itself, at this service.
    """

    list: str
    name: Sentence
    total: int
    overdue: int
    due: AwareDatetime | None
    door: str


class Worklist(BaseModel):
    """工作清单: what waits for who asks, a line for each list, also where nothing waits."""

    items: list[WorklistLine]


class Line(NamedTuple):
    """A list's name in both languages, and the door it is read at, below ``/v1/``."""

    zh: str
    en: str
    door: str

    def counted(self, code: str, tally: Tally, **door: str | None) -> WorklistLine:
        """The line with its counts; ``door``: what the door is of."""
        return WorklistLine(
            list=code,
            name=Sentence(zh=self.zh, en=self.en),
            door="/v1/" + self.door.format(**door),
            **tally._asdict(),
        )
