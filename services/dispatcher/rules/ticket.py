"""What a ticket is to the desk: derived, for its facts come in any order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import MoveRefused


class DispatchStatus(StrEnum):
    """Where a ticket stands for the dispatcher; SENTENCES says who moves it from there."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    IN_AUDIT = "in_audit"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


SENTENCES: Mapping[DispatchStatus, tuple[str, str]] = {
    DispatchStatus.UNASSIGNED: ("待派：由派单员指定承办单位", "The desk must assign it"),
    DispatchStatus.ASSIGNED: ("已派：由承办单位办理", "Its units are at work"),
    DispatchStatus.IN_AUDIT: ("待审核：由热线审核办结答复", "The hotline audits the answer"),
    DispatchStatus.RESOLVED: ("已办结：等待回访", "The citizen is to be called back"),
    DispatchStatus.CLOSED: ("已结案：无需再办", "The citizen has judged; nobody moves it"),
    DispatchStatus.WITHDRAWN: ("已撤单：无需再办", "The citizen took it back; nobody moves it"),
    DispatchStatus.ENDED: ("热线已办结：无需派单", "The hotline ended it itself; nobody moves it"),
}

ASSIGNABLE = (DispatchStatus.UNASSIGNED, DispatchStatus.ASSIGNED)


@dataclass(frozen=True, slots=True)
class Milestones:
    """How far a ticket is known to be; ``resolved``, ``closed`` and ``ended`` (by the hotline
    itself) are rounds that ended so, or 0. ``audited``: its lead answered, and the answer waits for its
    audit.
    """

    round: int
    resolved: int = 0
    closed: int = 0
    withdrawn: bool = False
    unassigned: bool = False
    ended: int = 0
    audited: bool = False


def dispatch_status(known: Milestones) -> DispatchStatus:
    """Where a ticket stands. A withdrawal is final; a new round outlives the last verdict."""
    if known.withdrawn:
        return DispatchStatus.WITHDRAWN
    if known.ended >= known.round:
        return DispatchStatus.ENDED
    if known.closed >= known.round:
        return DispatchStatus.CLOSED
    if known.resolved >= known.round:
        return DispatchStatus.RESOLVED
    if known.audited:
        return DispatchStatus.IN_AUDIT
    return DispatchStatus.UNASSIGNED if known.unassigned else DispatchStatus.ASSIGNED


def check_assignable(known: Milestones) -> None:
    """The desk may assign what nobody has, and re-dispatch what is open. Raises MoveRefused."""
    status = dispatch_status(known)
    if status not in ASSIGNABLE:
        raise MoveRefused("assign", status, [])


def check_recallable(known: Milestones) -> None:
    """The desk may take back what units have. Raises MoveRefused."""
    status = dispatch_status(known)
    if status is not DispatchStatus.ASSIGNED:
        allowed = ["assign"] if status in ASSIGNABLE else []
        raise MoveRefused("recall", status, allowed)
