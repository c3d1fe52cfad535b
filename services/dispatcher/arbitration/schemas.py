"""What the doors of arbitration and precedents take and answer."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from services.dispatcher.rules.catalogue import RuleId
from services.dispatcher.schemas import Code, Paragraph, Phrase
from services.dispatcher.worklists.schemas import Counts
from shared.events import TicketType, Urgency
from shared.http.fields import Body, Sentence


class Opening(Body):
    """提级办理: why the desk puts it before the ladder, and who is heard beside those that have or had the
    ticket (R-33).
    """

    grounds: Paragraph
    parties: list[Code] = Field(default_factory=list, max_length=20)


class Stating(Body):
    """陈述: what a unit says at this step, on what legal basis, and whose it thinks it is."""

    words: Paragraph
    legal_basis: Paragraph | None = None
    suggested_unit: Code | None = None


class Raising(Body):
    """提交上一级: why this body does not rule."""

    grounds: Paragraph


class Arbitrated(Body):
    """裁决: one lead, any co-handlers, and why. ``body`` and ``paper``: who met, and the number of its paper;
    the higher steps of arbitration.yaml ask for them.
    """

    lead: Code
    co_handlers: list[Code] = Field(default_factory=list, max_length=20)
    ruling: Paragraph
    body: Phrase | None = None
    paper: Phrase | None = None


class StatementOut(BaseModel):
    """陈述: what a unit said at a step."""

    step: int
    unit: str
    stated_at: AwareDatetime
    words: str
    legal_basis: str | None
    suggested_unit: str | None


class StepOut(BaseModel):
    """A step it came to: why, since when, and when its body must have ruled. ``silent``: the one before
    said nothing in time.
    """

    step: int
    title: Sentence
    at: AwareDatetime
    due: AwareDatetime
    grounds: str
    silent: bool


class RulingOut(BaseModel):
    """裁决: whose it was found to be, by whom, when and why."""

    lead: str
    co_handlers: list[str]
    ruling: str
    body: str | None
    paper: str | None
    ruled_at: AwareDatetime


class ArbitrationOut(BaseModel):
    """争议裁决: a dispute before the ladder. ``by``: ``dispute``, one return too many, or ``hand``. ``due``:
    when the body of ``step`` must have ruled; ``last``: nobody is above it. ``holder``: the unit that leads
    meanwhile, null while the desk has the ticket. ``content`` is left out of a confidential matter and
    of a report, and ``matter``, its title, too for a unit.
    """

    id: UUID
    number: str
    round: int
    status: str
    sentence: Sentence
    by: str
    grounds: str
    opened_at: AwareDatetime
    step: int
    title: Sentence
    role: str
    last: bool
    due: AwareDatetime
    holder: str | None
    parties: list[str]
    type: TicketType
    urgency: Urgency
    topic: str
    matter: str | None
    content: str | None
    area: str
    steps: list[StepOut]
    statements: list[StatementOut]
    ruling: RulingOut | None
    ended_at: AwareDatetime | None
    ended_reason: str | None


class ArbitrationItem(BaseModel):
    """An open arbitration as it stands in the list. ``heard``: which units have been, at this step."""

    id: UUID
    number: str
    round: int
    by: str
    grounds: str
    opened_at: AwareDatetime
    step: int
    title: Sentence
    role: str
    due: AwareDatetime
    parties: list[str]
    heard: list[str]
    type: TicketType
    urgency: Urgency
    topic: str
    matter: str | None
    area: str


class ArbitrationCounts(Counts):
    """``steps``: how many wait at each step."""

    steps: dict[int, int]


class ArbitrationPage(BaseModel):
    """Open arbitrations: critical ones first, then urgent ones, of each what is due first."""

    items: list[ArbitrationItem]
    next: str | None
    counts: ArbitrationCounts


class PrecedentOut(BaseModel):
    """先例: a ruling whose duty a matter is, with what a rule of the catalogue needs of it.

    ``unit``: whose it was found to be; null where was only ruled whose it is not (``disputed``). ``number``,
    ``title``, ``grounds``, ``ruling`` and ``overruled_reason`` are left out of a confidential matter
    and of a report.
    ``overruled_by``: who at the desk gave the ticket to another lead all the same, the last of them.
    """

    id: UUID
    kind: Literal["return", "arbitration"]
    number: str | None
    topic: str
    area: str
    type: TicketType
    title: str | None
    confidential: bool
    disputed: list[str]
    unit: str | None
    co_handlers: list[str]
    reason_code: str | None
    grounds: str | None
    ruling: str | None
    arbitration: UUID | None
    step: int | None
    body: str | None
    paper: str | None
    ruled_at: AwareDatetime
    overruled_at: AwareDatetime | None = None
    overruled_by: str | None = None
    overruled_reason: str | None = None


class PrecedentRule(Body):
    """形成规则: what the rule covers beside topic and type of the matter that was ruled on: its area, unless
    it holds ``everywhere``, and any of ``keywords``. ``before``: the rule it comes before, else the one that
    would decide the matter now; ``id``: its own, else the precedent's.
    """

    id: RuleId | None = None
    everywhere: bool = False
    keywords: list[Phrase] = Field(default_factory=list, max_length=20)
    before: Phrase | None = None
    note: Paragraph | None = None


class PrecedentPage(BaseModel):
    """Precedents, the newest first; ask again with ``after`` = ``next``."""

    items: list[PrecedentOut]
    next: str | None


class LikePrecedents(BaseModel):
    """Precedents most like a ticket's matter, the most alike first."""

    items: Annotated[list[PrecedentOut], Field(max_length=10)]
