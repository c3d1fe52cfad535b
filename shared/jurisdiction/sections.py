"""What every part of a configuration file is: named keys, no other ones, nothing changed later. Pure.

Values are checked by strict types (a number is no text, ``yes`` is no ``true``); texts with a form
of their own, such as a limit, have it here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.hours import Segment

Step = int | str
Where = tuple[Step, ...]

SHOWN = 12  # of what is allowed
LONGEST = 10 * 366 * 24.0  # hours: of a limit
SHORTEST = 0.016  # hours, a minute with its decimals; what is much shorter is printed as no limit is written
_HOURS = {"wd": 24.0, "wh": 1.0, "h": 1.0, "min": 1 / 60}
LIKELY = 50.0  # of 100: what is less like it is not meant

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Section(BaseModel):
    """A part of a configuration file. Every key is read by some code: what nobody obeys stands in none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values; what was worked out of the old ones and kept stays behind."""
        copied = super().model_copy(update=update, deep=deep)
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


def refuse(found: Iterable[tuple[Where, str]]) -> None:
    """For validators of sections: raise all (where, what is wrong) found, each at its own place."""
    kinds = [(where, PydanticCustomError("rule", "{w}", {"w": wrong})) for where, wrong in found]
    if kinds:
        errors = [InitErrorDetails(type=kind, loc=where, input=None) for where, kind in kinds]
        raise ValidationError.from_exception_data("config", errors)


def nearest(word: str, allowed: Collection[str]) -> str:
    """What to write instead, for the end of a sentence; all that is allowed where nothing is near."""
    from rapidfuzz import process  # two megabytes that only a slip needs

    found = process.extractOne(word, allowed, score_cutoff=LIKELY) if allowed else None
    if found:
        return f"；是否指 did you mean {found[0]}"
    return f"；可用 allowed: {', '.join(sorted(allowed)[:SHOWN])}" if allowed else ""


def unknown_code(code: str, known: Collection[str]) -> str:
    """What a check says of a code that stands in no table."""
    return f"代码不存在 no such code: {code}{nearest(code, known)}"


def _limit(text: Any) -> Limit:
    if isinstance(text, Limit):
        return text
    if not isinstance(text, str):
        raise ValueError("应为时限 must be a limit: 5wd, 4wh, 24h or 30min")
    limit = Limit.parse(text)
    if limit.amount * _HOURS[limit.unit] > LONGEST:
        raise ValueError("超过十年 longer than ten years")
    if limit.amount * _HOURS[limit.unit] < SHORTEST:
        raise ValueError("不足一分钟 shorter than a minute")
    return limit


def _working_days(text: Any) -> Limit:
    limit = _limit(text)
    if limit.unit != "wd":
        raise ValueError("应为工作日数 must be working days, such as 7wd")
    return limit


def _segment(row: Any) -> Segment:
    if isinstance(row, Segment):
        return row
    if not isinstance(row, dict) or row.keys() != {"from", "to"}:
        raise ValueError('应为起止时刻 must be a stretch of the day: {from: "08:30", to: "12:00"}')
    return Segment.parse(str(row["from"]), str(row["to"]))


LimitText = Annotated[Limit, PlainValidator(_limit)]
WorkingDays = Annotated[Limit, PlainValidator(_working_days)]
DutyHours = Annotated[Segment, PlainValidator(_segment)]
