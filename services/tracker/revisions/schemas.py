"""What is asked and answered of revisions over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.tracker.rules.revising import RevisionStatus
from services.tracker.schemas import Paragraph, Phrase
from shared.http.fields import Body, Day, Number, Sentence

MANY = 100  # tickets or clocks that are named one by one


class RevisionIn(Body):
    """拟定更正: which days clocks counted by a wrong calendar, on what ground and by which paper; the
    calendar in force has them right. Of the tickets and clocks named, or else of all that ran on those days.
    """

    days: Annotated[list[Day], Field(min_length=1, max_length=31)]
    ground: Paragraph
    paper: Phrase
    tickets: list[Number] = Field(default_factory=list, max_length=MANY)
    clocks: list[UUID] = Field(default_factory=list, max_length=MANY)


class RevisionRulingIn(Body):
    """确认或不确认, and why."""

    granted: bool
    note: Paragraph


class RevisionOut(BaseModel):
    """更正: ``asked``: the late clocks it is of, before it was worked out which of them it moves; ``moved``:
    those it has moved so far, ``cleared``: of these, those that are late no more. ``calendar``: the version
    of the calendar that has the days right.
    """

    id: UUID
    days: list[date]
    calendar: int
    tickets: list[str]
    clocks: list[UUID]
    ground: str
    paper: str
    status: RevisionStatus
    sentence: Sentence
    asked: int
    moved: int
    cleared: int
    proposed_at: AwareDatetime
    proposed_by: str
    ruled_at: AwareDatetime | None
    ruled_by: str | None
    note: str | None
    done_at: AwareDatetime | None


class RevisionList(BaseModel):
    """Revisions, the newest first, 500 at most."""

    items: list[RevisionOut]


class RevisedClock(BaseModel):
    """One clock a revision moves: when it was due and when it would have been, and whether it is ``late``
    yet; it was.
    """

    id: UUID
    kind: str
    number: str
    round: int
    assignment: UUID | None
    unit: str | None
    due: AwareDatetime
    due_revised: AwareDatetime
    ended_at: AwareDatetime
    late: bool


class RevisedClocks(BaseModel):
    """Clocks a revision moves, those that were late first before others; ask again with ``after`` = ``next``,
    also where a page is empty: of many, only some are moved.
    """

    items: list[RevisedClock]
    next: str | None
