"""What the lists of supervisors and units answer."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel

from services.tracker.schemas import ExtensionOut, SupervisionOut
from shared.events import Role, Urgency


class Counts(BaseModel):
    """Of the whole list as it is narrowed, whatever the page. ``overdue``: their due moment has passed."""

    total: int
    overdue: int


class AskedExtension(ExtensionOut):
    """延期待批: whose it is, and how urgent. ``due``: until when there is anything to extend in time;
    ``topic``: null to an office, of a confidential ticket.
    """

    number: str
    round: int
    unit: str
    role: Role
    urgency: Urgency
    topic: str | None


class ExtensionPage(BaseModel):
    """Extensions that wait for a ruling, those whose clock is due first."""

    items: list[AskedExtension]
    next: str | None
    counts: Counts


class OpenSupervision(SupervisionOut):
    """督办: one that stands. ``due``: of its assignment's handle clock; null when that has ended;
    ``raised_by``: in which role, and not who.
    """

    number: str
    role: Role
    urgency: Urgency
    topic: str
    due: AwareDatetime | None
    raised_by: str


class SupervisionCounts(Counts):
    """``overdue``: of which the unit has let the date pass; ``rungs``: how many stand on each rung;
    ``answered``: how many have an answer to rule on.
    """

    answered: int
    rungs: dict[int, int]


class SupervisionPage(BaseModel):
    """Supervisions that stand, what must be answered first comes first."""

    items: list[OpenSupervision]
    next: str | None
    counts: SupervisionCounts
