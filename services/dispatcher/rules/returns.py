"""退单, the dispatch objection: who may return a ticket, and until when (R-15, R-16). Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, assert_never

from pydantic import Field

from services.dispatcher.rules.assignment import Action, AssignmentStatus, move
from shared.errors import JiesuError, UnknownCode
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.sections import LimitText, Section


class ReturnBarred(JiesuError):
    """A return that may not even be asked for; the subclasses say why."""

    status = 409


class ReturnedBefore(ReturnBarred):
    """A unit asks once per ticket."""

    slug = "returned-before"
    title = "本单位对该工单已申请过退单 Your unit asked to return this ticket before"


class ReturnAfterRuling(ReturnBarred):
    """A unit appointed by hand, or ruled to be the right one, may not return (WF-22)."""

    slug = "return-after-ruling"
    title = "经裁定或直接指定的单位不得退单 A unit appointed by ruling may not return the ticket"


class ReturnOnRedo(ReturnBarred):
    """A unit that completed a ticket cannot say in the next round that it was never its duty."""

    slug = "return-on-redo"
    title = "重办工单不得退单 A ticket to be done again may not be returned"


class ReturnTooLate(ReturnBarred):
    """The window is over; silence counts as acceptance."""

    slug = "return-too-late"
    title = "退单时限已过 The time to return the ticket is over"


class ReturnRules(Section):
    """returns.yaml; the grounds a unit may give are a table of codes.yaml.

    ``after_ruling``: whether a unit may return what it was appointed to, or ruled to keep.
    """

    window: LimitText
    window_urgent: LimitText
    max_per_unit_and_ticket: Annotated[int, Field(ge=0, le=100)]
    after_ruling: bool

    def until(self, dispatched_at: datetime, urgency: Urgency, calendar: WorkCalendar) -> datetime:
        """The last moment at which a return may be requested."""
        return calendar.due(dispatched_at, self._window(urgency)).at

    def _window(self, urgency: Urgency) -> Limit:
        match urgency:
            case Urgency.CRITICAL | Urgency.URGENT | Urgency.UNKNOWN:
                return self.window_urgent
            case Urgency.NORMAL | Urgency.COMPLEX:
                return self.window
            case _:
                assert_never(urgency)


@dataclass(frozen=True, slots=True)
class ReturnContext:
    """What the rules must know of the assignment that is to be returned.

    ``appointed``: made by hand at the desk. ``asked``: returns the unit asked for on this ticket,
    ``refused``: how many of them the desk refused. ``until``: when the window ends.
    """

    status: AssignmentStatus
    redo: bool
    appointed: bool
    asked: int
    refused: int
    until: datetime


def request_return(
    context: ReturnContext,
    reason_code: str,
    rules: ReturnRules,
    grounds: Collection[str],
    now: datetime,
) -> AssignmentStatus:
    """The status after a return was requested.

    Raises MoveRefused, UnknownCode, ReturnAfterRuling, ReturnedBefore, ReturnOnRedo, ReturnTooLate.
    """
    moved = move(context.status, Action.REQUEST_RETURN)
    if reason_code not in grounds:
        raise UnknownCode(field="reason_code", allowed=list(grounds))
    if not rules.after_ruling and (context.appointed or context.refused):
        raise ReturnAfterRuling
    if context.asked >= rules.max_per_unit_and_ticket:
        raise ReturnedBefore
    if context.redo:
        raise ReturnOnRedo
    if now > context.until:
        raise ReturnTooLate(until=context.until.isoformat())
    return moved
