"""办结: what must be done and said before a unit may finish (R-13, R-19, R-21). Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import assert_never

from services.dispatcher.rules.assignment import OPEN, Action, AssignmentStatus, move
from shared.errors import JiesuError, Malformed
from shared.events import AssignmentCompleted, CompletionKind


class CitizenNotContacted(JiesuError):
    """The citizen is contacted first, or at least the attempts are on record (R-12)."""

    status = 409
    slug = "citizen-not-contacted"
    title = "尚未联系诉求人，不得办结 The citizen must be contacted before completion"


class ContactNotOnRecord(JiesuError):
    """A completion claims a contact that nobody recorded (LYG 答复规范)."""

    status = 409
    slug = "contact-not-on-record"
    title = "没有联系记录 No contact with the citizen is on record"


class CoHandlersOpen(JiesuError):
    """The lead answers for all, so it finishes last; ``units`` have not answered yet (R-13)."""

    status = 409
    slug = "co-handlers-open"
    title = "协办单位尚未答复 Co-handlers have not answered yet"


class NotAttended(JiesuError):
    """吹哨报到: who was whistled for comes first, and answers then (R-47)."""

    status = 409
    slug = "not-attended"
    title = "吹哨件须先报到 You were whistled for: come before you answer"


class ContactTimeWrong(Malformed):
    """An attempt lies between the dispatch and now."""

    slug = "contact-time-wrong"
    title = (
        "联系时间应在派单之后、当前时间之前 An attempt is made after dispatch and not in the future"
    )


class RequestPending(JiesuError):
    """One request at a time: the desk has not ruled on the one there is."""

    status = 409
    slug = "request-pending"
    title = "已有申请待热线裁定 A request to end this matter waits for a ruling already"


class RequestRefused(JiesuError):
    """The desk refused to end the matter so; the unit goes on and answers (R-20)."""

    status = 409
    slug = "request-refused"
    title = "热线已不予同意，应继续办理 The hotline refused to end the matter so: go on with it"


class NoRequestPending(JiesuError):
    """Nothing waits for a ruling: it was ruled on, taken back or overtaken."""

    status = 409
    slug = "no-request-pending"
    title = "没有待裁定的申请 No request to end this matter waits for a ruling"


class PromisedDateMissing(Malformed):
    """What cannot be done yet is promised for a day to come (JN-24(3))."""

    slug = "promised-date-missing"
    title = "暂无条件的须承诺办结日期 A matter put off needs a promised date that is not past"


class PromisedDateTooFar(Malformed):
    """Nothing is promised for a day beyond the horizon of the policy, ``latest`` (R-19)."""

    slug = "promised-date-too-far"
    title = "承诺日期超过最长期限 The promised date lies beyond the horizon"

    def __init__(self, latest: date) -> None:
        super().__init__(
            f"最迟 {latest} at the latest {latest}",
            field="promised_date",
            latest=latest.isoformat(),
        )


class UnsolvedReasonMissing(Malformed):
    """Who did not solve it says why."""

    slug = "unsolved-reason-missing"
    title = "未解决的须说明原因 An unsolved matter needs its reason"


class KindContradicted(Malformed):
    """``solved`` and the kind of completion say opposite things."""

    slug = "kind-contradicted"
    title = "办结类型与是否解决不一致 The kind and whether it was solved contradict each other"


@dataclass(frozen=True, slots=True)
class Work:
    """What is on record of an assignment when its unit wants to complete it.

    ``contact_duty``: its limits name a first contact and the citizen can and wants to be contacted.
    ``co_handlers``: the statuses of those who answer to it, by unit; empty for a co-handler.
    ``awaited``: it was whistled for, and has not come.
    """

    status: AssignmentStatus
    contact_duty: bool
    attempts: int
    reached: bool
    co_handlers: Mapping[str, AssignmentStatus]
    awaited: bool = False


def complete(
    work: Work, data: AssignmentCompleted, today: date, latest: date = date.max
) -> AssignmentStatus:
    """The status after a unit said that it is done. ``latest``: the last day that may be promised.

    Raises MoveRefused, NotAttended, CitizenNotContacted, CoHandlersOpen, ContactNotOnRecord,
    KindContradicted, UnsolvedReasonMissing, PromisedDateMissing, PromisedDateTooFar.
    """
    moved = move(work.status, Action.COMPLETE)
    check_work(work, data.without)
    if data.contacted and not work.reached:
        raise ContactNotOnRecord(field="contacted")
    _check_form(data, today)
    put_off = data.kind is CompletionKind.NO_CONDITION_YET
    if put_off and date.fromisoformat(data.promised_date or "") > latest:
        raise PromisedDateTooFar(latest)
    return moved


def check_work(work: Work, without: Collection[str]) -> None:
    """What has to be done before a unit may answer, whatever its form says. ``without``: whom it goes on
    without. Raises NotAttended, CitizenNotContacted, CoHandlersOpen.
    """
    if work.awaited:
        raise NotAttended
    if work.contact_duty and not work.attempts:
        raise CitizenNotContacted
    waiting = [unit for unit, status in work.co_handlers.items() if status in OPEN]
    if waited_for := [unit for unit in waiting if unit not in without]:
        raise CoHandlersOpen(units=waited_for)


def is_done(work: Work, late: Collection[str]) -> bool:
    """Whether that is done. ``late``: whom the unit may go on without."""
    try:
        check_work(work, late)
    except JiesuError:
        return False
    return True


# 申请事项: what ends a matter by a unit's own word, and so is asked of the hotline (R-15, R-20, WF-21).
ASKED = (CompletionKind.NOT_OUR_DUTY, CompletionKind.TERMINATED)


def ask(work: Work, data: AssignmentCompleted, today: date, refused: Collection[str]) -> None:
    """Whether a unit may ask to end a matter so, whatever its co-handlers do: ``refused`` are the kinds
    the desk refused on the order before.

    Raises MoveRefused, CitizenNotContacted, ContactNotOnRecord, RequestRefused, UnsolvedReasonMissing.
    """
    if data.kind in refused:
        raise RequestRefused(field="kind")
    complete(_as_asked(work, data.kind), data, today)


def may_ask(work: Work, kind: CompletionKind, refused: Collection[str]) -> bool:
    """Whether a unit may ask for an end of a kind, whatever its form says; ``refused`` as ``ask``."""
    return kind not in refused and is_done(_as_asked(work, kind), ())


def _as_asked(work: Work, kind: CompletionKind) -> Work:
    contact_duty = work.contact_duty and kind is not CompletionKind.NOT_OUR_DUTY
    return replace(work, co_handlers={}, contact_duty=contact_duty, awaited=False)


def _check_form(data: AssignmentCompleted, today: date) -> None:
    """Refuse a form that contradicts itself or leaves out what its kind needs."""
    if _contradicted(data.kind, data.solved):
        raise KindContradicted(field="solved")
    if not data.solved and not (data.unsolved_reason or data.unsolved_reason_code):
        raise UnsolvedReasonMissing(field="unsolved_reason")
    put_off = data.kind is CompletionKind.NO_CONDITION_YET
    if put_off and (data.promised_date or "") < today.isoformat():
        raise PromisedDateMissing(field="promised_date")


def _contradicted(kind: CompletionKind, solved: bool) -> bool:
    match kind:
        case CompletionKind.SOLVED:
            return not solved
        case CompletionKind.NO_CONDITION_YET | CompletionKind.UNKNOWN:
            return solved  # what we do not know cannot be vouched for as solved
        case (
            CompletionKind.PARTLY_SOLVED
            | CompletionKind.EXPLAINED
            | CompletionKind.NOT_OUR_DUTY
            | CompletionKind.TERMINATED
        ):
            return False
        case _:
            assert_never(kind)


def check_attempt(made_at: datetime, dispatched_at: datetime, now: datetime) -> None:
    """An attempt cannot lie in the future or before the dispatch. Raises ContactTimeWrong."""
    if not dispatched_at <= made_at <= now:
        raise ContactTimeWrong(field="made_at")
