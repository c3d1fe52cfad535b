"""What the lists of what is to be done next are asked, and what they answer."""

from __future__ import annotations

from typing import Annotated, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from services.dispatcher.schemas import AssignmentOut, Shield
from shared.events import CompletionKind, Role, TicketType, Urgency
from shared.http.fields import Line, Sentence

Words = Annotated[str, Line(50)]


class Narrowing(NamedTuple):
    """What a list is narrowed to; None narrows nothing. ``topic`` and ``area`` take in what lies under
    them; ``flags``: all of these; ``unit``: which has or had an order; ``text``: words of title or content;
    ``danger``: what endangers life, or may.
    """

    unit: str | None = None
    topic: str | None = None
    area: str | None = None
    flags: tuple[str, ...] = ()
    text: str | None = None
    urgency: Urgency | None = None
    danger: bool = False


class Whose(NamedTuple):
    """Which of a unit's orders in hand. ``handler``: who handles them, ``account``: by the name of their
    token.
    ``role``: as what the unit has them. ``handed_down``: not its own, but those it handed down to units
    below it. ``awaited``: those it was whistled for with, and has not come.
    """

    handler: str | None = None
    account: str | None = None
    role: Role | None = None
    handed_down: bool = False
    awaited: bool = False


class ListedClock(BaseModel):
    """A clock as the tracker last said it. ``paused_since``: it stands still, and will be due later."""

    kind: str
    due: AwareDatetime | None
    provisional: bool
    paused_since: AwareDatetime | None


class Counts(BaseModel):
    """Of the whole list as it is narrowed, whatever the page. ``overdue``: their due moment has passed."""

    total: int
    overdue: int
    urgencies: dict[str, int]


class UnassignedOut(BaseModel):
    """待派: a ticket that a person must assign, with what is needed to decide.

    ``doubted``: units are at work on it, and a correction puts in doubt whether it is theirs; to assign
    just those again confirms them.
    ``citizens``: how many wait for it, its own one among them (并单).
    ``due``: when the desk must have assigned it, ``citizen_due``: when the citizen is to have an answer;
    null while the tracker has not said.
    ``suggested_unit``: whom the ruling named when a return was granted, or else whom the unit suggested;
    ``nearest`` are rules to start from, those that lead there first.
    ``arbitration``: the one that is open about it. ``precedents``: the door to rulings on like matters.
    """

    number: str
    type: TicketType
    topic: str
    title: str
    content: str
    area: str
    flags: tuple[str, ...]
    reported_unit: str | None
    shield: Shield
    urgency: Urgency
    round: int
    urged: int
    registered_at: AwareDatetime
    unassigned_at: AwareDatetime
    reason: str
    nearest: list[str]
    suggested_unit: str | None = None
    doubted: bool = False
    citizens: int = 1
    arbitration: UUID | None = None
    due: AwareDatetime | None = None
    citizen_due: AwareDatetime | None = None
    precedents: str


class UnassignedPage(BaseModel):
    """Unassigned tickets: critical ones first, then urgent ones, of each what is due first."""

    items: list[UnassignedOut]
    next: str | None
    counts: Counts


class ReturnOut(BaseModel):
    """退单申请: what a unit asks the desk to take back, and on what grounds (R-15).

    ``ground``: what the reason's code means. ``due``: when the desk must have ruled, null of one asked
    for before there was a limit. ``citizen_due``: the citizen's clock runs on meanwhile. ``precedents``:
    the door to rulings on like matters.
    """

    id: UUID
    assignment: UUID
    number: str
    round: int
    unit: str
    role: Role
    reason_code: str
    ground: Sentence
    legal_basis: str
    suggested_unit: str | None
    approver: str
    note: str
    requested_at: AwareDatetime
    due: AwareDatetime | None
    citizen_due: AwareDatetime | None
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    flags: tuple[str, ...]
    shield: Shield
    dispatched_at: AwareDatetime
    rule: str | None
    precedents: str


class ReturnPage(BaseModel):
    """Returns that wait for a ruling: critical ones first, then urgent ones, of each what is due first."""

    items: list[ReturnOut]
    next: str | None
    counts: Counts


class PressOut(BaseModel):
    """催促: a co-handler that is silent, about which who answers for it asks the desk (R-13).

    ``by``: who asks, since ``pressed_at``. ``due``: by when the desk sees to it. ``status`` and ``handler``
    of the silent unit's order; ``handle_due``: by when that one must have answered, null while the tracker
    has not said.
    """

    number: str
    round: int
    assignment: UUID
    unit: str
    role: Role
    status: str
    handler: str | None
    by: str
    note: str
    pressed_at: AwareDatetime
    due: AwareDatetime
    handle_due: AwareDatetime | None
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    area: str
    flags: tuple[str, ...]


class PressPage(BaseModel):
    """Presses the desk is to see to: critical ones first, then urgent ones, of each what is due first."""

    items: list[PressOut]
    next: str | None
    counts: Counts


class OrderOut(AssignmentOut):
    """An order in hand. ``due``: what its unit must do next of all, and has not; ``clocks``: every clock
    of it, done or not; both as far as the tracker has said.
    """

    flags: tuple[str, ...]
    due: AwareDatetime | None
    clocks: list[ListedClock]


class HandlerCount(BaseModel):
    """How many orders one person has in hand; ``account`` where it was said."""

    handler: str | None
    account: str | None = None
    orders: int


class OrderCounts(Counts):
    """``statuses`` and ``handlers`` (who handles them; null for nobody yet): how many orders each has."""

    statuses: dict[str, int]
    handlers: list[HandlerCount]


class OrderPage(BaseModel):
    """A unit's orders in hand, what is due first; ``next`` asks for what follows, None at the end."""

    items: list[OrderOut]
    next: str | None
    counts: OrderCounts


class HandlingUnit(BaseModel):
    """A unit that has the ticket, or had it: by code and by name, as whose, since when, and how far it is."""

    unit: str
    name: str
    role: Role
    round: int
    status: str
    sentence: Sentence
    dispatched_at: AwareDatetime


class UnitAnswer(BaseModel):
    """答复: what the lead answered to the round, in the words the citizen reads."""

    unit: str
    kind: CompletionKind
    solved: bool
    contacted: bool
    promised_date: str | None
    public_answer: str


class Handling(BaseModel):
    """办理情况: where a ticket stands, for who speaks with its citizen. ``answer``: of this round, null
    while nobody has answered. ``merged_into``: the ticket whose units work on this one, too.
    """

    number: str
    status: str
    sentence: Sentence
    round: int
    urgency: Urgency
    merged_into: str | None
    units: list[HandlingUnit]
    answer: UnitAnswer | None
