"""更正: what may be put right of a ticket, when, and what never, lest a reporter be exposed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.intake.rules.identity import is_confidential
from services.intake.rules.machine import TicketStatus, ended
from shared.caller import person
from shared.errors import JiesuError, Malformed, MoveRefused, OwnApproval, Recused
from shared.events import Reported, TicketType

# What names a person: sealed before and after, and said by name only.
PERSONAL = ("phone", "name", "caller_address")
PLAIN = (
    "type", "topic", "area", "flags", "urgency", "reported", "reply_declined", "confidential",
    "upstream_due",
)  # fmt: skip
AFTER_THE_END = ("phone",)
ABOUT = ("units", "words")


class ConsentMissing(JiesuError):
    """A confidential ticket is opened only by the citizen's own word: ``consent`` says how it was given."""

    status = 409
    slug = "consent-missing"
    title = "未注明诉求人同意，不得取消保密 Nobody said the citizen consents: it stays confidential"


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What a correction changes, in the order of the fields; what was so already is no correction."""
    named = [field for field in (*PERSONAL, *PLAIN) if field in after]
    return [field for field in named if before[field] != after[field]]


def secret_as_registered(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is corrected, with the secrecy it would have been registered with: what turns out to be a
    report is confidential unless the citizen wants it open (R-35).
    """
    becomes = after.get("type", before["type"])
    secret = becomes != before["type"] and is_confidential(TicketType(becomes), None)
    return ({"confidential": True} if secret else {}) | dict(after)


def exposing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields of a correction that would take the shield off who reported: nobody is confidential any
    more, somebody is not reported any more, or it is no report (R-35). Another person must agree.
    """
    now, found = {**before, **after}, []
    if before["type"] == TicketType.REPORT != now["type"]:
        found.append("type")
    if any(set(before["reported"][part]) - set(now["reported"][part]) for part in ABOUT):
        found.append("reported")
    if before["confidential"] and not now["confidential"]:
        found.append("confidential")
    return found


def loosening(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a correction may give more time: another moment of the upstream platform than an earlier one
    than it named before, or none (ADR 0080). Another person must agree.
    """
    if "upstream_due" not in after:
        return False
    was, now = before["upstream_due"], after["upstream_due"]
    return not (was and now and datetime.fromisoformat(now) <= datetime.fromisoformat(was))


def check_apart(fields: Collection[str]) -> None:
    """Who called is put right at once, and never waits with what does. Raises Malformed."""
    if named := [field for field in PERSONAL if field in fields]:
        raise Malformed(
            "须经另一人批准的更正，请与诉求人信息的更正分开提交 what waits for another person is corrected "
            "apart from the caller",
            field="caller",
            fields=named,
        )


def check_status(status: TicketStatus, fields: Collection[str]) -> None:
    """After the end only the way to reach the citizen is put right. Raises MoveRefused."""
    refused = [field for field in fields if field not in AFTER_THE_END]
    if ended(status) and refused:
        refusal = MoveRefused("correct", status.value, ["correct_ticket"])
        refusal.extra |= {"field": refused[0], "fields": list(AFTER_THE_END)}
        raise refusal


def check_shield(
    *,
    type: TicketType,
    was_report: bool,
    reported: Reported,
    was_stated: bool,
    confidential: bool,
    was_confidential: bool,
    consent: str | None,
) -> None:
    """Whether what is corrected would expose who reported (R-35, JN-32); the values are those after it.

    While nobody said whom a report is about, no rule may give it to anybody: it cannot become another
    type, nor lose what was said; a wrong number or place is put right all the same.
    Raises Recused, ConsentMissing.
    """
    stays = type is TicketType.REPORT and not was_stated
    if was_report and not reported.stated and not stays:
        field = "reported" if type is TicketType.REPORT else "type"
        raise Recused(
            "举报件未注明被反映对象：须先注明单位、人员，或注明不涉及行政机关（nobody），方可更正 "
            "Nobody has said whom this report is about: state units, words or nobody first, or it could go "
            "to just them",
            field=field,
        )
    if was_confidential and not confidential and not consent:
        raise ConsentMissing(
            "取消保密须注明诉求人如何同意（consent） say in consent how the citizen agreed",
            field="consent",
        )


class CorrectionStatus(StrEnum):
    """Where a correction stands: only what is in force holds."""

    IN_FORCE = "in_force"
    WAITING = "waiting"
    REFUSED = "refused"


def status_of(*, waits: bool, granted: bool | None) -> CorrectionStatus:
    """Where a correction stands."""
    if not waits or granted:
        return CorrectionStatus.IN_FORCE
    return CorrectionStatus.WAITING if granted is None else CorrectionStatus.REFUSED


def check_ahead(upstream_due: str | None, now: datetime) -> None:
    """A moment that came while it waited to be agreed to gives no time. Raises MoveRefused."""
    if upstream_due and datetime.fromisoformat(upstream_due) <= now:
        raise MoveRefused("grant", "passed", ["refuse"])


def check_decision(status: CorrectionStatus, asked_by: str, actor: str, *, granted: bool) -> None:
    """Another person than who corrected it agrees; who did may take it back. Raises MoveRefused,
    OwnApproval.
    """
    if status is not CorrectionStatus.WAITING:
        raise MoveRefused("decide", status, [])
    if granted and person(asked_by) == person(actor):
        raise OwnApproval(asked_by=asked_by)
