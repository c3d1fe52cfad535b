"""What is asked and answered over HTTP. The use case checks codes against the code tables."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
)

from services.intake.rules.machine import TicketStatus as TicketStatus  # routes know no rules
from shared.events import TYPE_NAMES, Location, Reported, TicketType, Urgency
from shared.http.fields import Body, Line, Sentence, Text
from shared.http.problems import Problem, document, malformed

Code = Annotated[str, Line(64)]
Phrase = Annotated[str, Line(200)]
Title = Annotated[str, Line(100)]
Content = Annotated[str, Text(5_000)]
Note = Annotated[str, Text(1_000)]

BATCH_LIMIT = 1_000

TYPE_BY_NAME = {name: kind for kind, name in TYPE_NAMES.items()}
# A type by its word or by its Chinese name: 求助 is help.
NamedType = Annotated[
    TicketType,
    BeforeValidator(
        lambda given: TYPE_BY_NAME.get(given.strip(), given) if isinstance(given, str) else given,
        json_schema_input_type=Annotated[
            str, Field(json_schema_extra={"enum": [*TicketType, *TYPE_BY_NAME]})
        ],
    ),
]


def _as_given(given: object) -> object:
    """Exchanges send numbers and ids as JSON numbers, too, and blanks where there are none."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return None if isinstance(given, str) and not given.strip() else given


# What an exchange calls somebody or something by: taken as it comes, whatever it looks like.
AsGiven = Annotated[
    Annotated[str, Line(200)] | None,
    BeforeValidator(
        _as_given,
        json_schema_input_type=Annotated[str, Field(max_length=200)]
        | Annotated[int, Field(ge=0, le=2**63 - 1)]
        | None,
    ),
]


# --- asked -------------------------------------------------------------------------------------


class Citizen(Body):
    """诉求人: who calls. Any part may be left out; nothing of it is ever printed.

    ``phone`` is as it came, with whatever stands beside the number; several numbers may be given.
    """

    name: Annotated[str, Line(50)] | None = Field(default=None, repr=False)
    phone: AsGiven = Field(default=None, repr=False)
    address: Phrase | None = Field(default=None, repr=False)


class ReportedParty(Body):
    """被反映对象: whom the demand is about (R-35, JN-32): ``units`` by code, posts and villages in
    ``words`` (尚坝村村委会主任). ``nobody``: nobody of the administration is meant, an illegal workshop,
    a banquet; stated beside neither.
    """

    units: tuple[Code, ...] = Field(default=(), max_length=20)
    words: tuple[Phrase, ...] = Field(default=(), max_length=20, repr=False)
    nobody: bool = False


class NewTicket(Body):
    """诉求: a complaint as a channel hands it in (R-01).

    ``address`` and ``location`` are where the matter is, ``caller.address`` where the person
    lives. ``confidential`` left out: reports are confidential (JN-16, WF-11). ``title`` left out: the
    first sentence of the content. Codes may be sent by name: GET /v1/codes says which.
    ``reported_unit`` is one of ``reported.units``, from before there were several.
    """

    type: NamedType
    urgency: Urgency = Urgency.NORMAL
    topic: Code
    title: Title | None = Field(default=None, repr=False)
    content: Content = Field(repr=False)
    area: Code
    address: Phrase | None = Field(default=None, repr=False)
    location: Location | None = Field(default=None, repr=False)
    channel: Code
    flags: tuple[Code, ...] = Field(default=(), max_length=20)
    source_number: AsGiven = Field(default=None, repr=False)
    reported_unit: Code | None = None
    reported: ReportedParty | None = None
    caller: Citizen | None = Field(default=None, repr=False)
    confidential: bool | None = None
    reply_declined: bool = False


def _entry(given: Any) -> NewTicket | Problem:
    try:
        return NewTicket.model_validate(given)
    except ValidationError as broken:
        faults = broken.errors(include_input=False, include_url=False)
        return Problem.model_validate(document(malformed(faults)))


Entry = Annotated[NewTicket | Problem, BeforeValidator(_entry, json_schema_input_type=NewTicket)]


class Batch(Body):
    """Up to a thousand complaints, each judged alone: a bad one is a Problem and stops no other."""

    tickets: tuple[Entry, ...] = Field(min_length=1, max_length=BATCH_LIMIT)


class Supplement(Body):
    """补充: what the citizen adds."""

    content: Content = Field(repr=False)


class Urge(Body):
    """催单: the citizen asks again."""

    note: Note = Field(repr=False)


class Withdrawal(Body):
    """撤单: the citizen takes the complaint back."""

    reason: Note = Field(repr=False)


class ContactReadRequest(Body):
    """Why the contact must be read; the reason stands in the read log (R-36)."""

    reason: Phrase


# --- answered ----------------------------------------------------------------------------------


class Links(BaseModel):
    """Where to go on from here, as paths of this service."""

    self: str
    progress: str


class RegistrationWarning(BaseModel):
    """What of a registered complaint could not be taken up; ``code`` is for programs."""

    field: str
    code: str
    detail: str


class Registered(BaseModel):
    """受理回执: the number, and the code (查询码) that shows its progress to the citizen.

    ``source_number`` is the one that was asked with; ``warnings`` name what could not be taken up.
    """

    number: str
    id: UUID
    code: str = Field(repr=False)
    registered_at: AwareDatetime
    links: Links
    source_number: str | None = Field(default=None, repr=False)
    warnings: list[RegistrationWarning] = []


class BatchAnswer(BaseModel):
    """The answer to one complaint of a batch: 201 or 200 with its ticket, else its problem."""

    status: int
    ticket: Registered | None = None
    problem: Problem | None = None


class BatchAnswers(BaseModel):
    """One answer per complaint, in the order asked."""

    answers: list[BatchAnswer]


class TicketOut(BaseModel):
    """A ticket in its working copy: nobody is named in it (R-36), in ``source_number`` neither.
    ``reported_unit`` is the first of ``reported.units``.

    ``merged_into``: the ticket under whose number it is worked on (并单); ``merged``: those of other
    citizens that are worked on under this one.
    """

    number: str
    id: UUID
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    address: str | None
    location: Location | None
    channel: str
    flags: list[str]
    source_number: str | None
    reported_unit: str | None
    reported: Reported
    confidential: bool
    reply_declined: bool
    has_contact: bool
    status: TicketStatus
    round: int
    urged: int
    registered_at: AwareDatetime
    merged_into: str | None = None
    merged: list[str] = []


class TicketPage(BaseModel):
    """Tickets in the order asked for; ``next`` asks for what follows, None at the end."""

    items: list[TicketOut]
    next: str | None


class Extended(BaseModel):
    """延期: the new date and why (BJ-15)."""

    due: AwareDatetime
    reason: str


class Progress(BaseModel):
    """办理进度 as the citizen sees it; ``round`` is 2 after one reopening (R-44).

    ``answer`` is the lead's public answer of the last resolved round, ``extended`` the extension
    in this round if there is one.
    """

    number: str
    status: TicketStatus
    sentence: Sentence
    unit_names: list[str]
    round: int
    answer: str | None
    extended: Extended | None
    allowed: list[str]


class Contact(BaseModel):
    """Who must be contacted; read once, stored nowhere.

    ``phone`` is the number to call, ``other_phones`` what was given besides; ``phone_given`` what came,
    where that is not the number.
    """

    name: str | None = Field(repr=False)
    phone: str | None = Field(repr=False)
    address: str | None = Field(repr=False)
    other_phones: list[str] = Field(default=[], repr=False)
    phone_given: str | None = Field(default=None, repr=False)
