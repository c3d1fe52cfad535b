"""What is asked and answered over HTTP. The use case checks codes against the code tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from services.intake.rules.machine import TicketStatus as TicketStatus  # routes know no rules
from services.intake.rules.words import asked_for
from shared.events import TYPE_NAMES, CallRating, Location, Reported, TicketType, Urgency
from shared.http.fields import NUMBERS, Body, Instant, Line, Number, Sentence, Text
from shared.http.problems import Problem, document, malformed
from shared.security.masking import mask_patterns

Code = Annotated[str, Line(64)]
Phrase = Annotated[str, Line(200)]
Title = Annotated[str, Line(100)]
Content = Annotated[str, Text(5_000)]
Note = Annotated[str, Text(1_000)]

SearchText = Annotated[str, Line(100), AfterValidator(asked_for)]
SourceNumber = Annotated[str, Line(200)]

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


def as_given(given: object) -> object:
    """As text: exchanges send numbers and ids as JSON numbers, too, and blanks where there are none."""
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return None if isinstance(given, str) and not given.strip() else given


# What an exchange calls somebody or something by: taken as it comes, whatever it looks like.
AsGiven = Annotated[
    Annotated[str, Line(200)] | None,
    BeforeValidator(
        as_given,
        json_schema_input_type=Annotated[str, Field(max_length=200)]
        | Annotated[int, Field(ge=0, le=2**63 - 1)]
        | None,
    ),
]


# --- asked -------------------------------------------------------------------------------------


class Citizen(Body):
    """诉求人: who calls. Any part may be left out; nothing of it is ever printed. ``phone`` is as it came,
    with whatever stands beside the number; several numbers may be given.
    """

    name: Annotated[str, Line(50)] | None = Field(default=None, repr=False)
    phone: AsGiven = Field(default=None, repr=False)
    address: Phrase | None = Field(default=None, repr=False)


class ReportedParty(Body):
    """被反映对象: whom the demand is about (R-35, JN-32): ``units`` by code, posts and villages in ``words``
    (尚坝村村委会主任). ``nobody``: nobody of the administration is meant, a banquet; stated beside neither.
    """

    units: tuple[Code, ...] = Field(default=(), max_length=20)
    words: tuple[Phrase, ...] = Field(default=(), max_length=20, repr=False)
    nobody: bool = False


class DirectAnswer(Body):
    """直办: the answer, or none yet: then the hotline keeps it and owes one (R-02).

    ``callback_wanted``: the caller asked to be rung up with it, so it stays with the hotline too.
    ``rating``: what the caller said of the call (R-26). ``public_numbers``: numbers in the answer that
    the agent confirms to be an office's; they stay, as those of units.yaml do.
    """

    answer: Content | None = Field(default=None, repr=False)
    callback_wanted: bool = False
    rating: CallRating | None = None
    public_numbers: list[Annotated[str, Line(40)]] = Field(default_factory=list, max_length=10)

    _confirmed: frozenset[str] = PrivateAttr(frozenset())

    def model_post_init(self, _: Any) -> None:
        """Know the confirmed numbers, which no fact repeats, also when the body is masked."""
        digits = ("".join(filter(str.isdecimal, each)) for each in self.public_numbers)
        self._confirmed = frozenset(digits)

    @property
    def confirmed(self) -> frozenset[str]:
        """The confirmed numbers, digits only."""
        return self._confirmed

    def masked(self, keep: Collection[str] = ()) -> Self:
        """Without anybody's number but those that are confirmed."""
        answer = self.answer and mask_patterns(self.answer, {*keep, *self.confirmed})
        return super().masked(keep).model_copy(update={"answer": answer})


class NotAccepted(Body):
    """不予受理: a reason of endings.yaml, and what the agent adds to it (R-07, R-08)."""

    reason: Code
    note: Note | None = Field(default=None, repr=False)


class HandedOver(Body):
    """即时转接: which line took it over, who there, and when (R-06)."""

    line: Code
    taken_by: Phrase = Field(repr=False)
    at: Instant


class Ending(Body):
    """How a call ends that becomes no order: exactly one of these."""

    direct_answer: DirectAnswer | None = None
    not_accepted: NotAccepted | None = None
    handed_over: HandedOver | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(each is not None for each in self._ways) != 1:
            raise ValueError(
                "直办答复、不予受理、转应急热线须且只须给出一项 exactly one of them is needed"
            )
        return self

    @property
    def _ways(self) -> tuple[object, ...]:
        return self.direct_answer, self.not_accepted, self.handed_over


class NewTicket(Body):
    """诉求: a complaint as a channel hands it in (R-01).

    ``address`` and ``location`` are where the matter is, ``caller.address`` where the person lives.
    Left out: reports are ``confidential`` (JN-16, WF-11), ``title`` is the content's first sentence, ``area``
    (or the whole place) the one that address, title or content name. Codes may be sent by name (/v1/codes).
    ``reported_unit``: one of ``reported.units``. ``ending``: how the call ended, when no unit is to have it.
    ``call``: our id of the call; its number is the caller's phone where none is given. ``follows``: which it
    goes on from. ``upstream_due``: when the platform that passed it on wants the answer.
    """

    type: NamedType
    urgency: Urgency = Urgency.NORMAL
    topic: Code
    title: Title | None = Field(default=None, repr=False)
    content: Content = Field(repr=False)
    area: Code | None = None
    address: Phrase | None = Field(default=None, repr=False)
    location: Annotated[Location | None, NUMBERS] = Field(default=None, repr=False)
    channel: Code
    flags: tuple[Code, ...] = Field(default=(), max_length=20)
    source_number: AsGiven = Field(default=None, repr=False)
    upstream_due: Instant | None = None
    reported_unit: Code | None = None
    reported: ReportedParty | None = None
    caller: Citizen | None = Field(default=None, repr=False)
    follows: Number | None = None
    confidential: bool | None = None
    reply_declined: bool = False
    ending: Ending | None = None
    call: UUID | None = None


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


class CitizenWords(Body):
    """What a citizen said: sealed as it came; intake masks it, knowing who spoke."""

    def masked(self, keep: Collection[str] = ()) -> Self:
        """As it came."""
        return self


class Supplement(CitizenWords):
    """补充: what the citizen adds."""

    content: Content = Field(repr=False)


class Urge(CitizenWords):
    """催单: the citizen asks again."""

    note: Note = Field(repr=False)


class Withdrawal(CitizenWords):
    """撤单: the citizen takes the complaint back."""

    reason: Note = Field(repr=False)


class NotesRead(Body):
    """已阅: what was done with what the citizen said after the end."""

    done: Note = Field(repr=False)


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


class AreaFound(BaseModel):
    """Which area was found for a complaint that named none, and the words of it that decided."""

    area: str
    name: str
    words: tuple[str, ...] = Field(repr=False)


class Registered(BaseModel):
    """受理回执: the number, and the code (查询码) that shows its progress to the citizen.

    ``source_number`` is the one that was asked with; ``warnings`` name what could not be taken up;
    ``area_found`` is null where the area was said, or none was found.
    """

    number: str
    id: UUID
    code: str = Field(repr=False)
    registered_at: AwareDatetime
    links: Links
    source_number: str | None = Field(default=None, repr=False)
    warnings: list[RegistrationWarning] = []
    area_found: AreaFound | None = None


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

    ``answer_due``: until when the hotline owes the answer to what it kept.
    ``follows`` and ``followed_by``: the tickets it goes on from, and that go on from it.
    ``noted_after_end_at``: since when something was said after the end that nobody has read.
    ``merged_into``: the ticket under whose number it is worked on (并单); ``merged``: those of
    others under it. ``split_from``: of whose call it is one matter (拆分); ``matters``: all of that call.
    ``allowed``: what the reader may do with it at this service, by role and state (ADR 0078).
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
    upstream_due: AwareDatetime | None = None
    reported_unit: str | None
    reported: Reported
    confidential: bool
    reply_declined: bool
    has_contact: bool
    status: TicketStatus
    round: int
    urged: int
    registered_at: AwareDatetime
    answer_due: AwareDatetime | None = None
    call_rating: CallRating | None = None
    follows: str | None = None
    followed_by: list[str] = []
    noted_after_end_at: AwareDatetime | None = None
    merged_into: str | None = None
    merged: list[str] = []
    split_from: str | None = None
    matters: list[str] = []
    allowed: list[str] = []


class Noted(BaseModel):
    """What was said of a ticket later, in the working copy, and by which ``action``."""

    action: str
    content: str
    said_at: AwareDatetime


class Notes(BaseModel):
    """What was said later, oldest first."""

    items: list[Noted]


class TicketPage(BaseModel):
    """Tickets in the order asked for; ``next`` asks for what follows, None at the end."""

    items: list[TicketOut]
    next: str | None


class Extended(BaseModel):
    """延期: the new date and why (BJ-15)."""

    due: AwareDatetime
    reason: str


class MatterProgress(BaseModel):
    """One matter of a call that held several (拆分): which, and how far it is."""

    number: str
    title: str
    status: TicketStatus
    sentence: Sentence
    unit_names: list[str]
    answer: str | None


class Progress(BaseModel):
    """办理进度 as the citizen sees it; ``round`` is 2 after one reopening (R-44).

    ``answer`` is the lead's public answer of the last resolved round, ``extended`` the extension
    in this round if there is one. ``matters``: all of the call, this one among them, to who asks with the
    code and where it was split.
    """

    number: str
    status: TicketStatus
    sentence: Sentence
    unit_names: list[str]
    round: int
    answer: str | None
    extended: Extended | None
    allowed: list[str]
    matters: list[MatterProgress] = []
