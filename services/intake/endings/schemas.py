"""What is asked of and answered by the hotline's own ends of calls; the rest stands in schemas.py."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.intake.rules.machine import TicketStatus
from services.intake.schemas import CitizenWords, Content, Note, Phrase
from shared.events import CallRating
from shared.http.fields import Body

# --- asked -------------------------------------------------------------------------------------


class Dispatch(Body):
    """转派: why what the hotline kept or ended goes to a unit after all."""

    reason: Note = Field(repr=False)


class CallRated(Body):
    """一次一评: what the caller says of the call itself (R-26)."""

    rating: CallRating


class MaliciousUse(CitizenWords):
    """恶意使用: the evidence in words, whether the caller was warned, and to whom it was referred: 110,
    or the number the police gave it (BJ-9, BJ-37, JN-42).
    """

    evidence: Content = Field(repr=False)
    warned: bool
    referred_to: Phrase | None = None


class MaliciousUseUndone(Body):
    """撤销标记: why the mark was wrong."""

    reason: Note = Field(repr=False)


# --- answered ----------------------------------------------------------------------------------


class EndingOut(BaseModel):
    """One act of the hotline on a ticket: how it ended it, kept it, or let it go on (``resumed``).

    ``code``: the reason it was not accepted for, or the line that took it over.
    """

    kind: str
    round: int
    code: str | None
    words: str
    taken_by: str | None
    taken_at: AwareDatetime | None
    recorded_at: AwareDatetime
    recorded_by: str


class MaliciousMarkOut(BaseModel):
    """One mark of malicious use; the evidence in its working copy."""

    id: UUID
    evidence: str
    warned: bool
    referred_to: str | None
    marked_at: AwareDatetime
    marked_by: str
    undone_at: AwareDatetime | None
    undone_by: str | None
    undone_reason: str | None


class FrontRecord(BaseModel):
    """受理台记录: all the hotline did with a ticket itself, oldest first.

    ``caller_marks``: how many marks of malicious use that stand this caller has, in all tickets.
    """

    number: str
    status: TicketStatus
    call_rating: CallRating | None
    endings: list[EndingOut]
    malicious_use: list[MaliciousMarkOut]
    caller_marks: int


class FrontFigures(BaseModel):
    """受理统计: what became of the numbers given from ``start`` to ``end``, both days included.

    Each is counted once, where it stands now: ``registered`` is the sum of ``dispatched``,
    ``answered``, ``answering``, ``not_accepted``, ``handed_over`` and ``withdrawn`` (before anybody
    had it). ``direct_share``: answered of registered (R-02). ``answering_overdue`` is part of
    ``answering``; ``malicious``: tickets with a mark that stands. ``call_ratings`` are of calls, and
    apart from those of matters (R-26). ``registered`` counts matters: a call that was split into three is
    three of them; ``calls`` counts it once, on the day its number was given.
    """

    start: date
    end: date
    registered: int
    calls: int
    dispatched: int
    answered: int
    direct_share: float | None
    answering: int
    answering_overdue: int
    not_accepted: int
    not_accepted_by_reason: dict[str, int]
    handed_over: int
    handed_over_by_line: dict[str, int]
    withdrawn: int
    malicious: int
    call_ratings: dict[str, int]
