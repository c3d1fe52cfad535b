"""更正: what may be put right of a ticket, when, and what never, lest a reporter be exposed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from services.intake.rules.identity import is_confidential
from services.intake.rules.machine import TicketStatus, ended
from shared.errors import JiesuError, MoveRefused, Recused
from shared.events import Reported, TicketType

# What names a person: sealed before and after, and said by name only.
PERSONAL = ("phone", "name", "caller_address")
PLAIN = (
    "type", "topic", "area", "flags", "urgency", "reported", "reply_declined", "confidential",
)  # fmt: skip
AFTER_THE_END = ("phone",)


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
