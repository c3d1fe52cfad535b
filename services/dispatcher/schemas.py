"""What is asked and answered over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, PrivateAttr, model_validator

from services.dispatcher.rules.waiting import Wait
from services.dispatcher.rules.whistling import Blown
from shared.events import (
    CompletionKind,
    ContactOutcome,
    Limits,
    Reported,
    Role,
    TicketType,
    Urgency,
)
from shared.http.fields import Body, Instant, Line, Sentence, Text
from shared.security.masking import mask_patterns, pattern_spans


def _is_no_number(account: str) -> str:
    """An account stands in facts and lists as it is, so it may not be a person's number."""
    if next(iter(pattern_spans(account)), None):
        raise ValueError(
            "账号不得为电话、证件、邮箱等个人号码 an account is no telephone or mail address of a person"
        )
    return account


Code = Annotated[str, Line(20)]
Phrase = Annotated[str, Line(200)]
Paragraph = Annotated[str, Text(2_000)]
Note = Annotated[str, Text(2_000, min_length=0)]
Account = Annotated[str, Line(200), AfterValidator(_is_no_number)]
Report = Annotated[str, Text(10_000)]


class Recall(Body):
    """收回派单: why no unit is to go on with it."""

    reason: Paragraph


class Assign(Body):
    """指定承办单位: the desk names one lead and any co-handlers (JN-29).

    ``overrules``: why a unit gets the ticket again whose return was granted, or another one than the last
    ruling named; it stays on record with that return or ruling. ``urgency``: less than critical or urgent
    is only asked for with it, and another person grants it (ADR 0071).
    """

    lead: Code
    co_handlers: list[Code] = Field(default_factory=list, max_length=20)
    reason: Paragraph
    urgency: Urgency | None = None
    overrules: Paragraph | None = None


class CoHandler(Body):
    """增加协办: which unit helps, and why (JN-29). ``overrules``: as of an assignment."""

    unit: Code
    reason: Paragraph
    overrules: Paragraph | None = None


class Release(Body):
    """撤出协办: why the co-handler need not go on."""

    reason: Paragraph


class Press(Body):
    """催促协办: which co-handler, and what the lead still needs of it; ``desk``: the desk is asked to step
    in, too.
    """

    unit: Code
    note: Paragraph
    desk: bool = False


class Sign(Body):
    """签收: the unit names the person who handles it (专人负责). ``handler_account``: the name of that
    person's token, by which the orders that are theirs are found.
    """

    handler: Phrase
    handler_account: Account | None = None


class ContactMade(Body):
    """先行联系: one attempt; ``made_at`` is when it was made, now if it is left out (R-12)."""

    how: Literal["phone", "visit", "message"]
    outcome: ContactOutcome
    made_at: Instant | None = None
    note: Note = ""


class Progress(Body):
    """进展: how far the unit is."""

    note: Paragraph


class ReturnRequest(Body):
    """退单申请, with its legal basis and who in the unit approved it on paper, by the unit's own word (R-15).
    ``suggested_unit``: whose it is; on the grounds of ``suggested_unit_for`` in returns.yaml it has to be
    said.
    """

    reason_code: Phrase
    legal_basis: Paragraph
    suggested_unit: Code | None = None
    approver: Phrase
    note: Note = ""


class ReturnWithdrawal(Body):
    """撤回退单申请: why the unit goes on after all."""

    reason: Paragraph


class Ruling(Body):
    """退单裁定: the desk decides (R-15). ``named_unit``: whom the ruling finds to be the right one, where a
    return is granted; that unit may not return it (R-16).
    """

    granted: bool
    ruling: Paragraph
    named_unit: Code | None = None


class Completion(Body):
    """办结: the form of R-21. ``contacted`` left out: as is on record.

    Two texts, for two readers. ``internal_result`` (办理情况) is for the file: unit, desk and supervisors
    read it, nobody else ever. ``public_answer`` (公开答复) is what the citizen reads and is told.
    ``result`` is the name that ``internal_result`` had before; one of them is needed.

    ``contact_time``: which recorded contact it was, the last one if left out; ``contact_number``: the
    number called, of which the last two digits are kept. ``unsolved_reason_code``: why not, as
    codes.yaml lists it; it or ``unsolved_reason`` is needed for what was not solved.

    A kind that ends the matter by the unit's own word, ``not_our_duty_confirmed`` or ``terminated``, asks
    the hotline (R-15, R-20): nothing ends before it rules.

    ``public_numbers``: numbers in ``public_answer`` the unit confirms to be its own and for the
    public; they stay, as those of units.yaml do. What was taken out of it the answer says. ``without``:
    co-handlers whose limit is over and whom the lead does not wait for (R-13).
    """

    kind: CompletionKind
    solved: bool
    facts_true: bool = True
    beyond_duty: bool = False
    contacted: bool | None = None
    contact_number: Annotated[str, Line(40)] | None = None
    contact_time: Instant | None = None
    unsolved_reason_code: Phrase | None = None
    unsolved_reason: Paragraph | None = None
    internal_result: Report | None = None
    result: Report | None = None
    public_answer: Report
    promised_date: date | None = None
    signed_off_by: Phrase
    public_numbers: list[Annotated[str, Line(40)]] = Field(default_factory=list, max_length=10)
    without: list[Code] = Field(default_factory=list, max_length=20)
    _hidden: tuple[str, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _one_result(self) -> Self:
        if self.internal_result is None and self.result is None:
            raise ValueError("须填写办理情况 internal_result is needed (or result, its old name)")
        if None not in (self.internal_result, self.result) and self.internal_result != self.result:
            raise ValueError("internal_result 与 result 是同一项 are one field: give one of them")
        return self

    def masked(self, keep: Collection[str] = ()) -> Self:
        """Without anybody's number but those the unit confirms in its public answer."""
        confirmed = {"".join(filter(str.isdecimal, number)) for number in self.public_numbers}
        given, own = self.public_answer, {*keep, *confirmed}
        done = super().masked(keep)
        number = self.contact_number and last_digits(self.contact_number)
        update = {"public_answer": mask_patterns(given, own), "contact_number": number}
        done = done.model_copy(update=update)
        done._hidden = tuple(label for *_, label in sorted(pattern_spans(given, own)))
        return done

    @property
    def hidden(self) -> tuple[str, ...]:
        """The labels of what was taken out of the public answer, in its order."""
        return self._hidden


def last_digits(number: str, kept: int = 2) -> str:
    """A number of which its last digits tell which of several it was, and no more."""
    digits = [sign for sign in number if sign.isdecimal()]
    return "*" * max(len(digits) - kept, 4) + "".join(digits[-kept:] if len(digits) > 4 else ())


class CompletionWarning(BaseModel):
    """What of a request was done otherwise than asked; ``code`` is for programs."""

    field: str
    code: str
    detail: str


def warnings_of(body: Completion) -> list[CompletionWarning]:
    """What was taken out of a public answer, by label and count: a number itself is not repeated."""
    counts = Counter(body.hidden)
    if not counts:
        return []
    found = "、".join(f"{label} {count} 处" for label, count in counts.items())
    detail = (
        f"公开答复中像个人号码的内容已遮去：{found}。如系单位对外公开的电话，请在 public_numbers 中确认，"
        "或登记在 units.yaml 的 telephones "
        "taken out of the public answer, for it looks like a person's number; confirm your office's own "
        "in public_numbers, or have it listed under telephones in units.yaml"
    )
    return [CompletionWarning(field="public_answer", code="number-masked", detail=detail)]


class Pending(BaseModel):
    """待热线决定: what the hotline has to decide of a completion form, since when and by when: its audit
    (办结审核), or a ``request`` to end the matter.
    """

    id: UUID
    what: Literal["audit", "request"]
    kind: CompletionKind
    since: AwareDatetime
    due: AwareDatetime


class SentBack(BaseModel):
    """退回补正: why the last answer of an order was sent back, and what its audit found (R-22)."""

    audit: UUID
    at: AwareDatetime
    grounds: str
    findings: tuple[str, ...] = ()


class FormerUnit(BaseModel):
    """原承办单位: who had an assignment that is no more, until when, and by which reform."""

    unit: str
    until: AwareDatetime
    reform: UUID


class AssignmentOut(BaseModel):
    """An assignment as its unit and the desk see it; ``allowed``: what its reader may do with it now, by role
    and by how it stands (rules/acts.py): a unit reads its own acts, of its own orders, the desk its own.

    ``content`` is as registered: what the citizen added came with the dispatch, or after it with
    assignment.updated. ``address`` is left out of a confidential matter. Due moments are the
    tracker's. ``completion``: the form as it was sent in; its ``internal_result`` (办理情况) is for these
    readers only, its ``public_answer`` (公开答复) for the citizen. ``pending``: what the hotline has to
    decide of a form; ``sent_back``: why its last answer must be put right. ``catalogue_version``: the
    one whose ``rule`` decided. ``approved``: who let a
    town lead what its duty list does not name (``by``), and why (``ground``). ``unit`` has
    it now, ``former`` had it before and are no more. ``handed_by``: the unit that handed it down, to
    which this one answers (二次派单). ``whistle``: the one the unit was whistled for with (吹哨报到).
    ``warnings`` come with the answer to a completion only.
    """

    id: UUID
    number: str
    round: int
    unit: str
    role: Role
    status: str
    sentence: Sentence
    allowed: list[str]
    type: TicketType
    urgency: Urgency
    topic: str
    title: str
    content: str
    area: str
    address: str | None
    registered_at: AwareDatetime
    dispatched_at: AwareDatetime
    rule: str | None
    reason: str
    limits: Limits
    redo: bool
    handler: str | None
    handler_account: str | None = None
    attempts: int
    reached: bool
    progress: str | None
    completion: dict[str, Any] | None
    verdict: str | None
    handed_by: str | None = None
    pending: Pending | None = None
    sent_back: SentBack | None = None
    catalogue_version: int | None = None
    approved: dict[str, str] | None = None
    former: list[FormerUnit] = []
    whistle: Blown | None = None
    wait: Wait | None = None
    warnings: list[CompletionWarning] = []


class SupplementOut(BaseModel):
    """补充: one thing the citizen added; ``seq`` grows, and has gaps."""

    seq: int
    added_at: AwareDatetime
    content: str


class SupplementPage(BaseModel):
    """What the citizen added, oldest first; ``next`` asks for what follows, None at the end."""

    items: list[SupplementOut]
    next: str | None


class Shield(BaseModel):
    """回避: whom a demand is about as stated, the words of a report that name somebody, and who may
    not be given it: whom it is about and their kin, or while nothing is stated, those of the words.
    """

    reported: Reported
    mentioned: list[str]
    recused: list[str]


class TicketOut(BaseModel):
    """A ticket's assignments, oldest first, and where the ticket stands for the dispatcher; ``shield``
    is the desk's and supervisors', no unit's.

    ``merged_into``: the ticket under whose number it is worked on (并单). ``merged``: the tickets of
    other citizens that wait for the same work; ``citizens``: how many that are with this one.
    ``arbitration``: the one that is open about it (争议裁决). ``approval``: where less urgency, or the limit
    of a law, was asked for just now, what waits for a second person. ``allowed``: what the caller may do with
    the ticket at this service's doors; with each order, it says itself.
    """

    number: str
    status: str
    sentence: Sentence
    round: int
    urgency: Urgency
    assignments: list[AssignmentOut]
    merged_into: str | None = None
    merged: list[str] = []
    citizens: int = 1
    arbitration: UUID | None = None
    approval: UUID | None = None
    allowed: list[str] = []
    shield: Shield | None = None


class AssignmentPage(BaseModel):
    """A unit's assignments, oldest first; ``next`` asks for what follows, None at the end."""

    items: list[AssignmentOut]
    next: str | None


class Delivered(BaseModel):
    """A fact as it went over the bus, fields we do not know included, at its place in the unit feed."""

    position: int
    fact: dict[str, Any]


class FeedPage(BaseModel):
    """A page of the unit feed; ask again with ``after`` = ``next``. ``more``: at once."""

    items: list[Delivered]
    next: int
    more: bool
