"""What is asked and answered of discrepancies over HTTP."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.tracker.list_schemas import Counts
from services.tracker.rules.honesty import DiscrepancyStatus
from services.tracker.schemas import Paragraph
from shared.events import DiscrepancyKind, Evidence
from shared.http.fields import Body, Sentence


class CommentIn(Body):
    """申辩: what the unit says to it."""

    comment: Paragraph


class DismissalIn(Body):
    """排除: why there is nothing in it."""

    reason: Paragraph


class DiscrepancyOut(BaseModel):
    """疑点: what on record does not fit together, and no verdict (R-34). ``number``: the ticket; null of a
    habit, which goes by ``tickets``. ``at``: when what it goes by happened. ``dismissed_by``: a unit reads in
    which role, and not who.
    """

    id: UUID
    kind: DiscrepancyKind
    title: Sentence
    status: DiscrepancyStatus
    number: str | None
    round: int
    assignment: UUID | None
    unit: str | None
    at: AwareDatetime
    raised_at: AwareDatetime
    reason: str
    evidence: list[Evidence]
    tickets: list[str]
    explained_at: AwareDatetime | None
    comment: str | None
    commented_at: AwareDatetime | None
    dismissed_at: AwareDatetime | None
    dismissed_by: str | None
    dismissed_reason: str | None


class DiscrepancyPage(BaseModel):
    """Discrepancies, those raised first first; ask again with ``after`` = ``next``."""

    items: list[DiscrepancyOut]
    next: str | None
    counts: Counts


class DiscrepancyCount(BaseModel):
    """How many of one kind there are of a unit in a month; ``unit``: null where no unit had the ticket."""

    unit: str | None
    month: str
    kind: DiscrepancyKind
    open: int
    explained: int
    dismissed: int


class DiscrepancyCounts(BaseModel):
    """By unit, month and kind; ``start`` and ``end`` are days, both included, as the place counts them."""

    start: date
    end: date
    items: list[DiscrepancyCount]
