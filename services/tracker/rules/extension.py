"""延期: one, by the unit on its own open handle clock, before it expires (R-18, FS, SD17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.machine import Action, ClockStatus, move
from services.tracker.rules.policy import Policy
from services.tracker.rules.timelines import Matter
from shared.errors import JiesuError, MoveRefused
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit


class ExtensionStatus(StrEnum):
    """Where an extension stands: the unit asked, a supervisor granted or refused it."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class Ruling(StrEnum):
    """What a supervisor can do with an extension."""

    GRANT = "grant"
    REFUSE = "refuse"


RULINGS: Mapping[ExtensionStatus, Mapping[Ruling, ExtensionStatus]] = MappingProxyType(
    {
        ExtensionStatus.ASKED: {
            Ruling.GRANT: ExtensionStatus.GRANTED,
            Ruling.REFUSE: ExtensionStatus.REFUSED,
        },
        ExtensionStatus.GRANTED: {},
        ExtensionStatus.REFUSED: {},
    }
)


class NothingToExtend(JiesuError):
    """The assignment has no handle limit."""

    status = 409
    slug = "nothing-to-extend"
    title = "该派单没有办理时限 This assignment has no handle limit"


class ExtensionAskedBefore(JiesuError):
    """Each assignment may ask once."""

    status = 409
    slug = "extension-asked-before"
    title = "每次派单只能申请一次延期 An extension was asked for before"


class ExtensionNotForUrgency(JiesuError):
    """Urgent and critical tickets are not extended."""

    status = 409
    slug = "extension-not-for-urgency"
    title = "该紧急程度不得延期 No extension at this urgency"


class ExtensionNotOnRedo(JiesuError):
    """A redo has a limit of its own, which is not extended."""

    status = 409
    slug = "extension-not-on-redo"
    title = "重办不得延期 A redo is not extended"


class ExtensionTooLate(JiesuError):
    """It must be asked for before expiry, and some working hours before; ``latest`` says when."""

    status = 409
    slug = "extension-too-late"
    title = "延期申请已过期限 It is too late to ask for an extension"


class ExtensionTooLong(JiesuError):
    """More days than one extension may have; ``most`` says how many."""

    status = 409
    slug = "extension-too-long"
    title = "延期天数超过上限 More days than an extension may have"


class ExtensionOverCap(JiesuError):
    """Limit and extension together are longer than handling may take; ``cap`` says how long."""

    status = 409
    slug = "extension-over-cap"
    title = "办理总时限超过上限 Handling would take longer than it may"


@dataclass(frozen=True, slots=True)
class Asking:
    """So many working days more on a clock, asked at an instant; ``unit``: whose hours it goes by."""

    days: int
    clock: ClockState
    urgency: Urgency
    redo: bool
    asked_before: bool
    now: datetime
    unit: str | None = None


def check(asking: Asking, matter: Matter, policy: Policy) -> None:
    """Refuse what may not be asked. Raises MoveRefused and the errors named above."""
    rules = policy.rules.extension
    if asking.asked_before:
        raise ExtensionAskedBefore
    move(asking.clock.status, Action.EXTEND)
    if asking.urgency.level in rules.not_for:
        raise ExtensionNotForUrgency(urgency=asking.urgency)
    if asking.redo:
        raise ExtensionNotOnRedo
    _check_time(asking, policy)
    _check_length(asking, matter, policy)


def _check_time(asking: Asking, policy: Policy) -> None:
    margin = policy.rules.extension.apply_at_latest_before
    latest = policy.calendar.of(asking.unit).before(asking.clock.due, margin)
    if asking.now > latest:
        raise ExtensionTooLate(latest=latest.isoformat(), due=asking.clock.due.isoformat())


def _check_length(asking: Asking, matter: Matter, policy: Policy) -> None:
    most = policy.extension_max(matter)
    if asking.days > most.amount:
        raise ExtensionTooLong(field="days", most=str(most))
    cap, calendar = policy.rules.extension.cap_total_handle, policy.calendar.of(asking.unit)
    longer = calendar.due(asking.clock.base_due, Limit(asking.days, "wd")).at
    if longer > calendar.due(asking.clock.started_at, cap).at:
        raise ExtensionOverCap(field="days", cap=str(cap))


def rule(status: ExtensionStatus, ruling: Ruling, clock: ClockStatus) -> ExtensionStatus:
    """The extension after a ruling. One asked in time may be ruled on late, even after the answer;
    on a cancelled clock there is nothing to grant. Raises MoveRefused.
    """
    allowed = RULINGS[status]
    if ruling not in allowed:
        raise MoveRefused(ruling.value, status.value, [known.value for known in allowed])
    if ruling is Ruling.GRANT and clock is ClockStatus.CANCELLED:
        raise MoveRefused(ruling.value, clock.value, [Ruling.REFUSE.value])
    return allowed[ruling]
