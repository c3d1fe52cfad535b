"""What is asked and answered of promises over HTTP."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.tracker.list_schemas import Counts
from services.tracker.rules.promise import PromiseStatus
from services.tracker.schemas import Paragraph
from shared.http.fields import Body, Day


class FulfilmentIn(Body):
    """承诺兑现: what was done, in words the citizen reads."""

    result: Paragraph


class MoveIn(Body):
    """申请改期: to which day, and why, in words the citizen reads."""

    promised_date: Day
    reason: Paragraph


class MoveRulingIn(Body):
    """改期审批: granted or refused, and why."""

    granted: bool
    reason: Paragraph


class ReviewIn(Body):
    """挂账复核: what the hotline found."""

    note: Paragraph


class MoveOut(BaseModel):
    """Another day that was asked for. ``granted``: null while it waits for its ruling."""

    promised_date: date
    reason: str
    asked_at: AwareDatetime
    granted: bool | None
    ruling: str | None
    ruled_at: AwareDatetime | None


class ReviewOut(BaseModel):
    """What the hotline found when it looked after a promise."""

    at: AwareDatetime
    by: str
    note: str


class PromiseOut(BaseModel):
    """承诺: a day a unit promised. ``first_date``: as first promised; ``due``: the end of the day as it is;
    ``late``: it passed without; ``result``: what was done; ``review_at``: when the hotline looks after it.
    """

    assignment: UUID
    number: str
    round: int
    unit: str
    topic: str
    status: PromiseStatus
    promised_date: date
    first_date: date
    made_at: AwareDatetime
    due: AwareDatetime
    late: bool
    kept_at: AwareDatetime | None
    result: str | None
    moves: list[MoveOut]
    reviews: list[ReviewOut]
    review_at: AwareDatetime | None


class PromisePage(BaseModel):
    """Promises, those whose day comes first; ask again with ``after`` = ``next``."""

    items: list[PromiseOut]
    next: str | None
    counts: Counts
