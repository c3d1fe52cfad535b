"""办结审核: what is checked of a lead's answer before its citizen is called, and which answers a person
must look at (R-22, JN-27; docs/adr/0055-nothing-ends-by-a-units-own-word.md). Pure.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from services.dispatcher.rules import answers
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.returns import ReturnRules
from shared.errors import JiesuError
from shared.events import CompletionKind, TicketType, Urgency
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.sections import LimitText, Section

Share = Annotated[str, Field(pattern=r"^(100|[1-9]?\d)%$")]


class Check(StrEnum):
    """What an answer is checked for."""

    OFF_TOPIC = "off_topic"
    DEMAND_UNANSWERED = "demand_unanswered"
    TYPE_CHANGED = "type_changed"
    CONTACT_UNPROVED = "contact_unproved"
    COPIED = "copied"
    IDENTITY = "identity"


class Finding(NamedTuple):
    """What a check found, in words; ``tickets``: the others it is about."""

    check: Check
    zh: str
    en: str
    tickets: tuple[str, ...] = ()


class NotAuditable(JiesuError):
    """Only what waits for its audit is audited; others may have been quicker, or the citizen withdrew."""

    status = 409
    slug = "not-under-audit"
    title = "该办结件不在待审核状态 This completion does not wait for an audit"


# --- audit.yaml --------------------------------------------------------------------------------


class CopiedRules(Section):
    """抄袭答复: from what share of like text an answer counts as pasted, and how far back is looked.
    ``same_matter``: demands alike by that much are one matter, and may have one answer.
    """

    alike: Share
    same_matter: Share
    within_days: Annotated[int, Field(ge=1, le=3_650)]


class ByPerson(Section):
    """人工审核: which answers a person must look at; ``all`` is 逐一审核 (JN-27). ``share`` of all others
    is drawn by number.
    """

    all: bool
    findings: frozenset[Check]
    urgencies: frozenset[Urgency] = frozenset()
    types: frozenset[TicketType] = frozenset()
    kinds: frozenset[CompletionKind] = frozenset()
    share: Share = "0%"


class AuditRules(Section):
    """audit.yaml. ``completion_audit``: how long the desk has; ``silence``: what holds when it says
    nothing. ``unit_clock``: whether the time of an audit that sends back is given to the unit.
    ``request_review``: how long the desk has to rule on a request to end a matter; ``request_clock``: what
    the unit's does meanwhile.
    """

    completion_audit: LimitText
    silence: Literal["passed", "waits"]
    unit_clock: Literal["stands_still_once", "runs_on"]
    by_person: ByPerson
    copied: CopiedRules
    request_review: LimitText
    request_clock: Literal["runs_on", "stands_still_once"]

    def pauses_for(self, urgency: Urgency, returns: ReturnRules) -> bool:
        """Whether a unit's clocks stand still while the desk rules on its request; of what is urgent never,
        as for a return.
        """
        return self.request_clock == "stands_still_once" and returns.stands_still(urgency)

    def audited_by(self, completed_at: datetime, calendar: WorkCalendar) -> datetime:
        """When the desk must have audited."""
        return calendar.due(completed_at, self.completion_audit).at

    def ruled_by(self, asked_at: datetime, calendar: WorkCalendar) -> datetime:
        """When the desk must have ruled on a request."""
        return calendar.due(asked_at, self.request_review).at

    def copied_since(self, now: datetime) -> datetime:
        """From when on answers are compared."""
        return now - timedelta(days=self.copied.within_days)

    def needs_person(self, answer: Answered, findings: Collection[Finding]) -> bool:
        """Whether a person must look at an answer before the citizen is called."""
        asked, drawn = self.by_person, zlib.crc32(f"{answer.number}/{answer.round}".encode()) % 100
        return (
            asked.all
            or any(each.check in asked.findings for each in findings)
            or answer.urgency.level in asked.urgencies
            or answer.type in asked.types
            or answer.kind in asked.kinds
            or drawn < percent(asked.share)
        )


def percent(share: Share) -> int:
    """A share as a number."""
    return int(share.removesuffix("%"))


def undone(*, reached: bool) -> AssignmentStatus:
    """审核退回: where an order goes on whose answer was sent back, in the same round: the citizen it has
    reached stays reached.
    """
    return AssignmentStatus.CONTACTED if reached else AssignmentStatus.SIGNED


# --- checked -----------------------------------------------------------------------------------


class Demand(NamedTuple):
    """What one citizen demands: the title that an agent gave it, and the words."""

    title: str
    content: str

    @property
    def whole(self) -> str:
        """All of it."""
        return f"{self.title}\n{self.content}"


class Other(NamedTuple):
    """Another ticket's answer that may be the same."""

    number: str
    unit: str
    demanded: str
    public_answer: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A lead's answer, and what is on record of its ticket. ``demanded``: the words of every citizen who
    waits for it. ``corrected``: which of type and topic were changed since the dispatch, from what to
    what. ``contact_duty``: the citizen can and wants to be contacted. ``hidden``: the labels of numbers
    masked in the public answer. ``others``: answers that may be the same.
    """

    number: str
    round: int
    type: TicketType
    urgency: Urgency
    kind: CompletionKind
    demanded: Sequence[Demand]
    public_answer: str
    corrected: Sequence[tuple[str, str, str]] = ()
    contact_duty: bool = False
    attempts: int = 0
    reached: bool = False
    hidden: Sequence[str] = ()
    others: Sequence[Other] = ()


def check(answer: Answered, rules: AuditRules) -> list[Finding]:
    """Everything that is found of an answer, in words."""
    return [
        *_unanswered(answer),
        *_changed(answer),
        *_unproved(answer),
        *_copied(answer, rules.copied),
        *_identities(answer),
    ]


def _unanswered(answer: Answered) -> Iterator[Finding]:
    said = answer.public_answer
    if not any(answers.is_about(*each, said) for each in answer.demanded):
        yield Finding(
            Check.OFF_TOPIC,
            "公开答复与诉求没有相同的实词，可能答非所问",
            "The public answer shares no word with the demand: it may answer something else",
        )
        return
    left = [each for text in answer.demanded for each in answers.unanswered(text.whole, said)]
    if left:
        yield Finding(
            Check.DEMAND_UNANSWERED,
            f"公开答复未提及以下诉求：{answers.listed(left)}",
            f"The public answer says nothing of {len(left)} of the demands",
        )


def _changed(answer: Answered) -> Iterator[Finding]:
    for field, was, now in answer.corrected:
        zh, en = ("性质", "type") if field == "type" else ("诉求分类", "topic")
        yield Finding(
            Check.TYPE_CHANGED,
            f"派单后{zh}由 {was} 改为 {now}",
            f"The {en} was changed after the dispatch, from {was} to {now}",
        )


def _unproved(answer: Answered) -> Iterator[Finding]:
    if answer.contact_duty and not answer.reached:
        yield Finding(
            Check.CONTACT_UNPROVED,
            f"记录了 {answer.attempts} 次联系，均未联系上诉求人",
            f"{answer.attempts} attempts to contact the citizen are on record, none was answered",
        )


def _copied(answer: Answered, rules: CopiedRules) -> Iterator[Finding]:
    alike, same = percent(rules.alike) / 100, percent(rules.same_matter) / 100
    found = [
        other
        for other in answer.others
        if answers.likeness(answer.public_answer, other.public_answer) >= alike
    ]
    is_same_matter = any(
        answers.likeness(each.whole, other.demanded) >= same
        for each in answer.demanded
        for other in found
    )
    if found and not is_same_matter:
        zh = "、".join(f"{other.number}（{other.unit}）" for other in found)
        yield Finding(
            Check.COPIED,
            f"公开答复与其他工单的答复雷同，而诉求不同：{zh}",
            "The public answer is that of other tickets with another demand",
            tuple(other.number for other in found),
        )


def _identities(answer: Answered) -> Iterator[Finding]:
    labels = [*answer.hidden, *("[姓名或住址]" for _ in answers.identities(answer.public_answer))]
    if labels:
        listed = "、".join(dict.fromkeys(labels))
        yield Finding(
            Check.IDENTITY,
            f"公开答复中有像个人身份的内容：{listed}",
            "The public answer has what looks like somebody's identity",
        )
