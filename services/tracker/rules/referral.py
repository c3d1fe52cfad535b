"""移送: a unit's conduct is handed to the discipline body, always by two people (BJ-35, JN-40, WF-33).

waiting ── grant ──→ granted
   └──── refuse ──→ refused

It presses nobody: the order goes on, other rungs are climbed as ever, and the unit is told nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from shared.caller import person
from shared.errors import JiesuError, MoveRefused, OwnApproval

RUNG = 7  # 移送 on the ladder

Ground = Literal["falsified", "leak", "retaliation"]
GROUNDS: Mapping[Ground, tuple[str, str]] = {
    "falsified": ("弄虚作假", "falsification"),
    "leak": ("泄露诉求人信息", "leaking who the citizen is"),
    "retaliation": ("打击报复", "retaliation"),
}


class ReferralTakesTwo(JiesuError):
    """Rung 7 is raised by nobody alone: one supervisor proposes a referral, another grants it."""

    status = 409
    slug = "referral-takes-two"
    title = "移送须由一名督办员提出、另一名批准 A referral is proposed by one supervisor, granted by another"


class ReferralWaits(JiesuError):
    """The same was proposed and nobody has decided: ``referral``."""

    status = 409
    slug = "referral-waits"
    title = "同一事由的移送提议待批准 The same referral waits for another supervisor"


class ReferralStatus(StrEnum):
    """Where it stands; SENTENCES says who moves it from there."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


SENTENCES: Mapping[ReferralStatus, tuple[str, str]] = {
    ReferralStatus.WAITING: (
        "待批准：由另一名督办员同意或不予移送",
        "Another supervisor agrees or refuses",
    ),
    ReferralStatus.GRANTED: ("已移送", "Agreed, and handed to the discipline body"),
    ReferralStatus.REFUSED: ("不予移送", "Refused, or taken back"),
}


def status(granted: bool | None) -> ReferralStatus:
    """Where a referral stands."""
    if granted is None:
        return ReferralStatus.WAITING
    return ReferralStatus.GRANTED if granted else ReferralStatus.REFUSED


def check_decision(now: ReferralStatus, proposed_by: str, actor: str, *, granted: bool) -> None:
    """Who proposed it may take it back and no more. Raises OwnApproval, MoveRefused."""
    if granted and person(proposed_by) == person(actor):
        raise OwnApproval(asked_by=proposed_by)
    if now is not ReferralStatus.WAITING:
        raise MoveRefused("grant" if granted else "refuse", now, [])
