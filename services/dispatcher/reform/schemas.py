"""What is asked and answered of reforms of units."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.dispatcher.rules.reforming import Kind
from services.dispatcher.schemas import Code, Note, Paragraph
from shared.http.fields import Body, Day, Sentence


class ReformPartIn(BaseModel):
    """One successor's part of a unit that is split: what is of one of the topics and in one of the areas,
    with what lies under them. A list left out is any.
    """

    model_config = ConfigDict(extra="forbid")
    unit: Code
    topics: list[Code] = Field(default_factory=list, max_length=200)
    areas: list[Code] = Field(default_factory=list, max_length=200)


class ReformIn(Body):
    """机构改革方案: what is to become of a unit, by which paper, and from which day on (00:00 local time).

    ``into``: the one successor of a merger (撤并) or a new name (更名). ``parts`` and ``remainder``: of a
    split (分设); who gets the remainder must be named.
    """

    kind: Kind
    into: Code | None = None
    parts: list[ReformPartIn] = Field(default_factory=list, max_length=50)
    remainder: Code | None = None
    effective: Day
    reason: Paragraph


class ReformApproval(Body):
    """批准: of a reform as it was proposed."""

    note: Note = ""


class ReformWithdrawal(Body):
    """撤回: why a reform is not to be."""

    reason: Paragraph


class ReformMoves(BaseModel):
    """How many orders of the unit go, or are still to go, to whom; ``unit`` left out: to the desk."""

    unit: str | None
    orders: int


class ReformOut(BaseModel):
    """A reform and where it stands. ``left``: the unit's orders that are in hand or wait for the citizen's
    verdict, by whom they go to; told of one reform, not in the list. ``allowed``: what its reader may do.
    """

    id: UUID
    unit: str
    unit_name: str
    kind: str
    successors: list[str]
    successor_names: list[str]
    parts: list[ReformPartIn]
    remainder: str | None
    reason: str
    status: str
    sentence: Sentence
    allowed: list[str]
    effective_at: AwareDatetime
    proposed_at: AwareDatetime
    proposed_by: str
    approved_at: AwareDatetime | None
    approved_by: str | None
    approved_note: str | None
    withdrawn_at: AwareDatetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None
    in_force_at: AwareDatetime | None
    done_at: AwareDatetime | None
    left: list[ReformMoves] = []


class ReformList(BaseModel):
    """Every reform, the newest first."""

    items: list[ReformOut]
