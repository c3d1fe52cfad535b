"""What a call ends as that becomes no order: answered, not accepted, handed over (R-02, R-06 … R-08).

endings.yaml names the reasons and the emergency lines; the table says who may end what, and when an
end is undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from services.intake.rules.identity import Person, Public, copy_of
from services.intake.rules.machine import STORED, TicketStatus
from shared.errors import Forbidden, JiesuError, Malformed, MoveRefused, UnknownCode
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.sections import LimitText, Section, Where, Words, refuse
from shared.security.masking import mask_patterns

# --- endings.yaml ------------------------------------------------------------------------------


class Instead(Section):
    """The channel to use instead: what to do, and where it can be reached."""

    zh: Words
    en: Words
    phone: Words | None = None
    address: Words | None = None

    @property
    def in_chinese(self) -> str:
        """As the citizen is told."""
        return "，".join(filter(None, (self.zh, self.phone and f"电话{self.phone}", self.address)))

    @property
    def in_english(self) -> str:
        """As the citizen is told."""
        return ", ".join(filter(None, (self.en, self.phone and f"ring {self.phone}", self.address)))


class NotAcceptedReason(Section):
    """不予受理情形: why a demand is not accepted, by which rule, and where it belongs (WF-19)."""

    code: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    zh: Words
    en: Words
    basis: Words
    instead: Instead


class Line(Section):
    """应急热线: a line that takes over at once (BJ-11(1), GB66-2)."""

    code: Annotated[str, Field(pattern=r"^[0-9]{3,5}$")]
    zh: Words
    en: Words


class EndingRules(Section):
    """The file. ``resume_within``: until when what was ended here goes on; later it is a new call."""

    not_accepted: Annotated[tuple[NotAcceptedReason, ...], Field(min_length=1)]
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    resume_within: LimitText

    @model_validator(mode="after")
    def _fits(self) -> EndingRules:
        refuse(self._misfits())
        return self

    def _misfits(self) -> Iterator[tuple[Where, str]]:
        for part in ("not_accepted", "lines"):
            codes = [each.code for each in getattr(self, part)]
            for at, code in enumerate(codes):
                if code in codes[:at]:
                    yield (part, at, "code"), f"代码重复 given twice: {code}"

    def reason(self, code: str) -> NotAcceptedReason:
        """A reason by its code. Raises UnknownCode with all of them."""
        for reason in self.not_accepted:
            if reason.code == code:
                return reason
        allowed = [reason.code for reason in self.not_accepted]
        raise UnknownCode(code, field="reason", allowed=allowed)

    def line(self, code: str) -> Line:
        """A line by its number. Raises UnknownCode with all of them."""
        for line in self.lines:
            if line.code == code:
                return line
        allowed = [line.code for line in self.lines]
        raise UnknownCode(code, field="line", allowed=allowed)


# --- an end ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """How a ticket ends at the hotline, or that the hotline keeps it to answer it.

    ``code``: the reason it is not accepted for, or the line that took it over. ``zh`` and ``en``: what
    the catalogue says of that. ``words``: what the agent wrote. ``taken_by``, ``taken_at``: who took
    it over there, and when. ``own``: numbers in the words that are an office's.
    """

    status: TicketStatus
    code: str | None = None
    zh: str = ""
    en: str = ""
    words: str = ""
    taken_by: str | None = None
    taken_at: datetime | None = None
    own: frozenset[str] = frozenset()

    def masked(self, person: Person | None, public: Public, *, confidential: bool = False) -> End:
        """With what was written cleared of names: the working copy."""
        words = ""
        public = public._replace(telephones=public.telephones | self.own)
        if self.words:
            words = copy_of(self.words, person, public, confidential=confidential).content
        return replace(self, words=words, taken_by=self.taken_by and mask_patterns(self.taken_by))

    @property
    def told(self) -> str | None:
        """What the citizen reads of it."""
        parts = [f"{self.zh} {self.en}".strip(), self.words]
        return "\n".join(filter(None, parts)) or None


def answered(
    answer: str | None, *, callback_wanted: bool, own: frozenset[str] = frozenset()
) -> End:
    """直办. What is not answered yet, or must be told to who asked to be rung up, stays with the
    hotline. ``own``: numbers in it that are an office's, digits only.
    """
    over = answer is not None and not callback_wanted
    status = TicketStatus.ANSWERED if over else TicketStatus.ANSWERING
    return End(status, words=answer or "", own=own)


def not_accepted(rules: EndingRules, code: str, note: str) -> End:
    """不予受理. Raises UnknownCode."""
    reason = rules.reason(code)
    zh = f"{reason.zh}，热线不予受理：{reason.instead.in_chinese}。"
    en = f"{reason.en}; the hotline cannot accept it. {reason.instead.in_english}."
    return End(TicketStatus.NOT_ACCEPTED, code, zh, en, note)


TOLERANCE = timedelta(minutes=5)  # clocks of other systems


def handed_over(rules: EndingRules, code: str, taken_by: str, at: datetime, now: datetime) -> End:
    """即时转接. Raises UnknownCode, Malformed for a moment to come."""
    line = rules.line(code)
    if at > now + TOLERANCE:
        raise Malformed("接转时间在将来 it was taken over in the future", field="at")
    return End(TicketStatus.HANDED_OVER, code, line.zh, line.en, "", taken_by, at)


# --- who may, and when -------------------------------------------------------------------------


class EndAction(StrEnum):
    """What the hotline itself can do to a ticket that no unit has."""

    DIRECT_ANSWER = "direct_answer"
    NOT_ACCEPTED = "not_accepted"
    HANDED_OVER = "handed_over"
    DISPATCH = "dispatch"


_ENDS = {
    EndAction.DIRECT_ANSWER: TicketStatus.ANSWERED,
    EndAction.NOT_ACCEPTED: TicketStatus.NOT_ACCEPTED,
    EndAction.HANDED_OVER: TicketStatus.HANDED_OVER,
}
# What the dispatcher had before is dispatched again in its next round: then it is reopened.
MOVES: Mapping[tuple[TicketStatus, EndAction], TicketStatus] = {
    (status, action): to
    for status in (TicketStatus.RECEIVED, TicketStatus.REOPENED, TicketStatus.ANSWERING)
    for action, to in _ENDS.items()
} | {(status, EndAction.DISPATCH): TicketStatus.RECEIVED for status in STORED}
ANYBODYS = (EndAction.HANDED_OVER,)
WITH_A_UNIT = (TicketStatus.ASSIGNED, TicketStatus.IN_HAND, TicketStatus.RESOLVED)


class UnitHoldsTicket(JiesuError):
    """A unit has the ticket; the hotline ends it only when none has."""

    status = 409
    slug = "unit-holds-ticket"
    title = "工单在承办单位手中 A unit has the ticket"


class EndingFinal(JiesuError):
    """It ended too long ago to go on; what the citizen says now is a new call."""

    status = 409
    slug = "ending-final"
    title = "已超过恢复办理的期限 It ended too long ago to go on"


def check_kept(end: End, *, registered: bool) -> None:
    """What the dispatcher has is answered or goes to a unit: kept here, two would wait for each other.
    Raises Malformed.
    """
    if registered and end.status is TicketStatus.ANSWERING:
        raise Malformed(
            "已交派单的工单须直接填写答复，不能留待答复 it was sent to the desk: say the answer, it "
            "cannot be kept to be answered later",
            field="answer",
        )


def check(
    action: EndAction,
    status: TicketStatus,
    units: Collection[str],
    theirs: Collection[EndAction] = tuple(EndAction),
) -> None:
    """Raises UnitHoldsTicket, MoveRefused, which names what of ``theirs`` the status allows."""
    if status in WITH_A_UNIT:
        raise UnitHoldsTicket(
            "承办单位已接到本工单：请先由派单员收回派单（派单服务 POST /v1/tickets/{number}/recall）再办 "
            "a unit has this ticket: first the desk takes the order back (the dispatcher's POST "
            "/v1/tickets/{number}/recall)",
            units=list(units),
            current_status=status.value,
        )
    if (status, action) not in MOVES:
        raise MoveRefused(action.value, status.value, allowed(status, theirs))


def allowed(status: TicketStatus, theirs: Collection[EndAction] = tuple(EndAction)) -> list[str]:
    """What the hotline can do itself in a status; ``theirs``: what who asks may do of it."""
    return [each.value for each in EndAction if each in theirs and (status, each) in MOVES]


def acts_of(role: str, registered: bool) -> list[EndAction]:
    """What a role may do itself: what the dispatcher holds is the desk's to end, but for a hand-over, which
    waits for nobody.
    """
    return [each for each in EndAction if not registered or role == "desk" or each in ANYBODYS]


def check_role(action: EndAction, role: str, *, registered: bool) -> None:
    """What the dispatcher holds is the desk's to end, but for a hand-over, which waits for nobody.
    Raises Forbidden.
    """
    if action not in acts_of(role, registered):
        raise Forbidden("已交派单，由派单员办理 it was sent to the desk: needed: desk", role=role)


def check_resumable(
    ended_at: datetime | None, within: Limit, hours: WorkCalendar, now: datetime
) -> None:
    """Raises EndingFinal."""
    if not is_resumable(ended_at, within, hours, now):
        raise EndingFinal(
            "已超过恢复办理的期限，请登记新的诉求 it ended too long ago: register a new ticket"
        )


def is_resumable(
    ended_at: datetime | None, within: Limit, hours: WorkCalendar, now: datetime
) -> bool:
    """Whether what was ended here may go on."""
    return ended_at is None or hours.due(ended_at, within).at >= now
