"""What is asked and answered of calls."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field

from services.intake.callers import CallerTickets
from services.intake.rules.calls import CallEnding, CallEvent, TryOutcome
from services.intake.schemas import AsGiven, Code, Content, Note, Phrase, Title, as_given
from shared.events import TicketType
from shared.http.fields import Body, Instant, Line, Text

CallId = Annotated[
    Annotated[str, Line(200)],
    BeforeValidator(
        as_given,
        json_schema_input_type=Annotated[str, Field(min_length=1, max_length=200)]
        | Annotated[int, Field(ge=0, le=2**63 - 1)],
    ),
]
NAME = 50


class CallReport(Body):
    """通话事件: what happened to a call. ``id``: the exchange's own, whatever it looks like; ``from`` may be
    withheld; ``agent``: the name in the token of the agent it rings at; ``at``: now when left out.
    """

    id: CallId = Field(repr=False)
    event: CallEvent
    from_: AsGiven = Field(default=None, alias="from", repr=False)
    to: AsGiven = Field(default=None, repr=False)
    agent: Annotated[str, Line(NAME)] | None = None
    at: Instant | None = None


class CallHeard(BaseModel):
    """``call``: our id of it, the same at every report. ``pop``: for the agent's screen, opened once; None
    when the call is over. ``missed``: somebody must ring back.
    """

    call: UUID
    pop: str | None = Field(repr=False)
    missed: bool


class Shown(BaseModel):
    """来电弹屏: who is on the line, or to be rung back; ``phone`` is None when it is withheld or unreadable,
    ``phone_given`` what came where that is not the number.
    """

    call: UUID
    phone: str | None = Field(repr=False)
    phone_given: str | None = Field(repr=False)
    tickets: CallerTickets


class Draft(Body):
    """草稿: what an agent has noted while the caller speaks; no ticket."""

    type: TicketType | None = None
    topic: Code | None = None
    area: Code | None = None
    title: Title | None = Field(default=None, repr=False)
    content: Content | None = Field(default=None, repr=False)
    address: Phrase | None = Field(default=None, repr=False)
    name: Annotated[str, Line(NAME)] | None = Field(default=None, repr=False)
    note: Note | None = Field(default=None, repr=False)


class Transcript(Body):
    """转写文本: what speech recognition heard so far."""

    content: Annotated[str, Text(20_000)] = Field(repr=False)


class CallOut(BaseModel):
    """A call without its numbers; ``number``: the ticket that was made of it."""

    call: UUID
    agent: str | None
    began_at: AwareDatetime | None
    answered_at: AwareDatetime | None
    hung_up_at: AwareDatetime | None
    number: str | None
    draft: Draft | None
    transcript: str | None = Field(repr=False)


class DraftOut(BaseModel):
    """A draft that was left without a ticket."""

    call: UUID
    agent: str | None
    drafted_at: AwareDatetime | None


class Drafts(BaseModel):
    """Drafts, the one left longest first."""

    items: list[DraftOut]
    next: str | None


class CallTry(Body):
    """回拨: what came of ringing back."""

    outcome: TryOutcome
    note: Phrase | None = Field(default=None, repr=False)


class RingBackOut(BaseModel):
    """One try to ring back."""

    at: AwareDatetime
    by: str
    outcome: TryOutcome
    note: str | None


class MissedCall(BaseModel):
    """漏接来电: one person. ``call``: the newest of his, ``since`` when he has waited, ``times`` how often
    he has rung, ``due``: by when he should have been rung back; ``tries``: since he last rang.
    """

    call: UUID
    since: AwareDatetime
    due: AwareDatetime
    times: int
    taken_by: str | None
    taken_at: AwareDatetime | None
    tries: list[RingBackOut]


class Tried(BaseModel):
    """How often was tried; ``ending``: why the person is on the list no more, None while he is."""

    call: UUID
    tries: int
    ending: CallEnding | None


class MissedCalls(BaseModel):
    """Who waits longest first. ``withheld_today``: missed calls without a number, whom nobody can ring."""

    items: list[MissedCall]
    next: str | None
    withheld_today: int
