"""What is asked and answered of whistles (吹哨报到)."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.dispatcher.rules.whistling import Attendance, Blown
from services.dispatcher.schemas import AssignmentOut, Code, Note, Paragraph, Phrase
from shared.events import Urgency
from shared.http.fields import Body, Instant


class Blow(Body):
    """吹哨: for which units, what is needed of them, and why the town cannot do it alone (``ground``)."""

    units: Annotated[list[Code], Field(min_length=1, max_length=20)]
    need: Paragraph
    ground: Paragraph


class Attend(Body):
    """报到: who of the unit came, and when; now if ``came_at`` is left out."""

    person: Phrase
    came_at: Instant | None = None
    note: Note = ""


class Say(Body):
    """到场情况: what the lead says of a unit that was whistled for. It stands beside what that one says."""

    unit: Code
    attendance: Attendance
    note: Note = ""


class CallOff(Body):
    """撤回吹哨: for which unit it was blown by mistake, and why; it reads this."""

    unit: Code
    reason: Paragraph


class WhistledOut(BaseModel):
    """The orders of those that were whistled for, in the order in which they were named."""

    orders: list[AssignmentOut]


class WhistleOut(BaseModel):
    """A whistle whose unit is at work or awaited. ``due``: when it must have come, as the tracker last said
    it; null while it has not, and for who was relieved of coming twice.
    """

    number: str
    round: int
    assignment: UUID
    unit: str
    status: str
    urgency: Urgency
    due: AwareDatetime | None
    whistle: Blown


class WhistlePage(BaseModel):
    """Open whistles, oldest order first; ``next`` asks for what follows, None at the end."""

    items: list[WhistleOut]
    next: str | None


class BlewFigures(BaseModel):
    """吹哨: how a unit whistled, and what came of it. Of ``blown`` it called off ``called_off``; of the
    others units came for ``attended``, the desk granted a return before anybody came for ``returned``; it
    said itself ``present`` or ``nobody_came``. ``verdicts``: how citizens closed the rounds (a kind of
    closing, or ``redo``), a round once for each whistle in it.
    """

    blown: int
    called_off: int
    attended: int
    returned: int
    present: int
    nobody_came: int
    verdicts: dict[str, int]


class HeardFigures(BaseModel):
    """报到: what a unit did that was whistled for; of ``heard``, those called off left out, as of
    ``BlewFigures``. Whether it came in time, its clock says: `GET /tracker/v1/rates`.
    """

    heard: int
    attended: int
    returned: int
    present: int
    nobody_came: int
    verdicts: dict[str, int]


class UnitWhistles(BaseModel):
    """双考核 of one unit."""

    unit: str
    name: str
    blew: BlewFigures
    heard: HeardFigures


class WhistleFigures(BaseModel):
    """双考核: whistles blown in a period; ``start`` and ``end`` are days, both included, Asia/Shanghai."""

    start: date
    end: date
    units: list[UnitWhistles]
