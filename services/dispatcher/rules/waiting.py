"""等待诉求人: the time to handle an order stands still while its lead waits for what only the citizen can
give, and the desk has granted that (WF-21; docs/adr/0083-waiting-for-the-citizen.md). Pure.

asked ── grant ──→ waits ── the citizen came or spoke, the work went on, the order gone, the longest ──→ over
  ├──── refuse, silence ──→ refused
  └──── the citizen came or spoke, the work went on, the order gone ──→ over
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from shared.errors import JiesuError
from shared.events import Awaited, Role, WaitEnd
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.sections import LimitText, Section


class WaitNotOffered(JiesuError):
    """``because``: ``policy``, the county's returns.yaml knows no such wait; ``role``, it is no lead's order,
    or one without a limit; ``urgency``, somebody is in need now; ``redo``, it is done again.
    """

    status = 409
    slug = "wait-not-offered"
    title = "本单不适用等待诉求人 This order does not wait for its citizen"


class WaitedBefore(JiesuError):
    """A round waits for its citizen once, whatever became of that."""

    status = 409
    slug = "waited-before"
    title = (
        "本轮已申请过等待诉求人 Once a round is waited for the citizen, and it was asked for before"
    )


class WaitTooLate(JiesuError):
    """What is overdue stays overdue: a wait is asked for and granted by ``latest``."""

    status = 409
    slug = "wait-too-late"
    title = "时限已过，不得再等待诉求人 The time is over, and a wait gives none back"


class NoWait(JiesuError):
    """It was ruled on, or is over: ``current_status`` says how it stands, null where there never was one."""

    status = 409
    slug = "no-wait"
    title = "没有可办理的等待 There is no such wait of this order"


class WaitRules(Section):
    """``awaiting_citizen`` of returns.yaml. ``longest``: how long a wait lasts at most, from the asking;
    ``review``: how long the desk has to rule on it. Its silence grants nothing.
    """

    longest: LimitText
    review: LimitText

    def ruled_by(self, asked_at: datetime, calendar: WorkCalendar) -> datetime:
        """By when the desk must have ruled."""
        return calendar.due(asked_at, self.review).at

    def until(self, asked_at: datetime, calendar: WorkCalendar) -> datetime:
        """Until when it lasts at the longest."""
        longest: Limit = self.longest
        return calendar.due(asked_at, longest).at


class WaitStatus(StrEnum):
    """Where a wait stands."""

    ASKED = "asked"
    WAITS = "waits"
    REFUSED = "refused"
    OVER = "over"


class Wait(BaseModel):
    """等待, as its order keeps and shows it. ``contact_time``: the contact in which the citizen was reached.
    ``due``: by when the desk must have ruled; ``until``: how long it lasts at most, of a granted one.
    """

    id: UUID
    awaited: Awaited
    reason: str
    contact_time: AwareDatetime
    asked_at: AwareDatetime
    due: AwareDatetime
    granted: bool | None = None
    ruling: str | None = None
    ruled_at: AwareDatetime | None = None
    ruled_by: str | None = None
    until: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    why: WaitEnd | None = None

    @classmethod
    def on_record(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """As an order keeps it; None of one that never waited."""
        return cls.model_validate(kept) if kept else None

    @property
    def kept(self) -> dict[str, Any]:
        """As an order keeps it."""
        return self.model_dump(mode="json")

    @property
    def status(self) -> WaitStatus:
        """Where it stands."""
        if self.ended_at:
            return WaitStatus.OVER
        if self.granted is None:
            return WaitStatus.ASKED
        return WaitStatus.WAITS if self.granted else WaitStatus.REFUSED

    @property
    def open(self) -> bool:
        """Whether it is still to be ruled on, or lasts."""
        return self.status in OPEN


OPEN = (WaitStatus.ASKED, WaitStatus.WAITS)


class WaitContext(NamedTuple):
    """How an order stands, as far as a wait depends on it.

    ``offered``: the county's policy knows such a wait. ``stands_still``: an order so urgent may.
    ``waited``: the round has waited before. ``latest``: when the time to handle it is over; None: no limit.
    """

    offered: bool
    role: Role
    stands_still: bool
    redo: bool
    waited: bool
    latest: datetime | None


def barred(order: WaitContext, now: datetime) -> JiesuError | None:
    """Why nobody may ask to wait for the citizen of an order that is handled, if so."""
    because = {
        "policy": not order.offered,
        "role": order.role is not Role.LEAD or order.latest is None,
        "urgency": not order.stands_still,
        "redo": order.redo,
    }
    if against := next((why for why, so in because.items() if so), None):
        return WaitNotOffered(because=against)
    if order.waited:
        return WaitedBefore()
    return too_late(order.latest, now)


def first(limit: datetime | None, said: datetime | None) -> datetime | None:
    """When the time is over of an order that has a limit: as it was given, or as the tracker has ``said``,
    where its unit had used some of it up before.
    """
    return min(limit, said) if limit and said else limit


def too_late(latest: datetime | None, now: datetime) -> WaitTooLate | None:
    """What was missed is not washed (DOMAIN.md 5.3 row 3)."""
    late = latest is not None and now > latest
    return WaitTooLate(latest=latest and latest.isoformat()) if late else None
