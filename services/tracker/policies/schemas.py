"""What is asked and answered of the policy: drafts, versions, and what one would have meant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from services.tracker.schemas import Paragraph
from shared.http.editions import EditionOut
from shared.http.fields import NUMBERS, Body, Cursor, Day, Sentence

LONGEST = 14_000  # characters of one file: both go into one fact
LONGEST_PERIOD = timedelta(days=92)
Yaml = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Version = Annotated[int, Field(ge=1, le=1_000_000), NUMBERS]


class PolicyContent(Body):
    """时限规则草稿: what a draft says. ``limits`` and ``supervision``: the texts of the two files; what is
    left out is as in ``from_version``, or else as in the latest version. ``note``: why, for who publishes.
    """

    limits: Yaml | None = None
    supervision: Yaml | None = None
    from_version: Version | None = None
    note: Paragraph

    def masked(self, keep: Collection[str] = ()) -> Self:
        """Rules name nobody, and their sources have numbers: a policy is never altered."""
        whole = {"limits": self.limits, "supervision": self.supervision}
        return super().masked(keep).model_copy(update=whole)


class PolicyReason(Body):
    """Why a draft is discarded, or a version withdrawn."""

    reason: Paragraph


class WholePolicy(EditionOut):
    """A draft or version with what it says, comments too."""

    limits: str
    supervision: str


# --- simulation --------------------------------------------------------------------------------


class SimulationIn(Body):
    """试算: which draft, over the tickets registered from one day to another; a page of them at a time."""

    draft: UUID
    first: Day = Field(alias="from")
    last: Day = Field(alias="to")
    after: Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=5_000), NUMBERS] = 1_000

    @model_validator(mode="after")
    def _of_a_period(self) -> Self:
        if self.last < self.first:
            raise ValueError("to 早于 from the period ends before it begins")
        if self.last - self.first > LONGEST_PERIOD:
            raise ValueError(f"最长{LONGEST_PERIOD.days}天 at most {LONGEST_PERIOD.days} days")
        return self


class Counts(BaseModel):
    """How many clocks were late, were warned (yellow card), and climbed a rung of supervision."""

    late: int
    warned: int
    supervised: int


class Beside(BaseModel):
    """Clocks as they stand and under the draft; ``changed``: those the draft gives other terms."""

    clocks: int
    changed: int
    before: Counts
    after: Counts


class UnitBeside(Beside):
    """The same of one unit."""

    unit: str
    name: str | None


class KindBeside(Beside):
    """The same of one kind of clock."""

    kind: str


class ClockBeside(BaseModel):
    """One clock that would be late, or would not be, under the draft; ``draft_due`` null: no such duty."""

    number: str
    kind: str
    unit: str | None
    limit: str
    due: AwareDatetime
    late: bool
    draft_limit: str | None
    draft_due: AwareDatetime | None
    draft_late: bool


class SimulationOut(BaseModel):
    """试算结果: the clocks of a page of tickets as they stand, and as the draft would have left them.
    ``units``: by unit, of clocks that are one's; ``kinds``: of all. Of ``examples`` at most fifty.
    ``not_modelled``: what would be otherwise, too, and is not counted. ``next`` asks for the tickets that
    follow, None at the end.
    """

    digest: str
    tickets: int
    total: Beside
    units: list[UnitBeside]
    kinds: list[KindBeside]
    examples: list[ClockBeside]
    not_modelled: list[Sentence]
    next: str | None
