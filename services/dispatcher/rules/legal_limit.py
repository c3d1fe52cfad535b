"""法定时限: a law's own limit that is longer than the hotline's prevails (JN-24(2), WF-20(2)). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.dispatcher.rules.reasons import Reason, limit_in_words
from services.dispatcher.rules.ticket import (
    ASSIGNABLE,
    DispatchStatus,
    Milestones,
    dispatch_status,
)
from shared.errors import JiesuError, MoveRefused
from shared.events import LegalLimit
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.limits import lengthens


class LegalLimitNotForUrgency(JiesuError):
    """What is urgent is not put off by a procedure: somebody is in need now."""

    status = 409
    slug = "legal-limit-not-for-urgency"
    title = "紧急件不适用较长的法定时限 An urgent ticket does not wait for a legal limit"


class LegalLimitInVain(JiesuError):
    """A law's limit counts where it is longer than the one there is, ``limit``."""

    status = 409
    slug = "legal-limit-in-vain"
    title = "法定时限不长于现有时限 The law's limit is not longer than the present one"


def check(known: Milestones, *, natural: bool, law: LegalLimit, present: str | None) -> None:
    """Whether the desk may name a law for a ticket, whose units have ``present`` to handle it. ``natural``:
    whether it runs day and night. Raises MoveRefused, LegalLimitNotForUrgency, LegalLimitInVain.
    """
    status = dispatch_status(known)
    if status is not DispatchStatus.ASSIGNED:
        raise MoveRefused("name_law", status, [])
    if natural:
        raise LegalLimitNotForUrgency
    if present is None or not lengthens(law, Limit.parse(present)):
        raise LegalLimitInVain(field="limit", limit=present)


def check_withdrawal(known: Milestones, kept: Mapping[str, Any] | None) -> LegalLimit:
    """The law that was named for the round that runs, which the desk may take back until that is answered.
    Raises MoveRefused.
    """
    status, law = dispatch_status(known), of_round(kept, known.round)
    if status not in ASSIGNABLE or law is None:
        raise MoveRefused("withdraw_law", status, [])
    return law


def of_round(kept: Mapping[str, Any] | None, round: int) -> LegalLimit | None:
    """The law's limit of a round. A redo has one of its own until the desk names the law again (R-27)."""
    return LegalLimit.model_validate(kept) if kept and kept["round"] == round else None


def shared(number: str) -> Reason:
    """Why it holds for who waits for the work of another ticket."""
    return Reason(f"与{number}为同一事项，并单办理", f"It is one matter with {number}")


PARTED = Reason("撤销并单，系另一事项", "It was another matter after all")


def withdrawn(law: LegalLimit, reason: str) -> Reason:
    """What the units at work hear where it was named wrongly."""
    return Reason(
        f"撤回法定时限：{law.law}{law.article}不适用，办理时限按原规定计算：{reason}",
        f"{law.law}, {law.article}, does not apply after all: the limit is what it was",
    )


def is_of_work(kept: Mapping[str, Any] | None) -> bool:
    """Whether it was named for a work that the ticket joined, and not for that by itself."""
    return bool(kept and kept.get("work"))


def words(law: LegalLimit, reason: str) -> Reason:
    """What the units at work hear of it."""
    zh, en = limit_in_words(law.limit)
    return Reason(
        f"依据{law.law}{law.article}，法定时限为{zh}，办理时限按此计算：{reason}",
        f"By {law.law}, {law.article}, the limit to handle it is {en}",
    )
