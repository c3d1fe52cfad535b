"""What a ticket is to the desk: derived, for its facts come in any order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import MoveRefused


class Stand(StrEnum):
    """Where a ticket stands for the dispatcher; SENTENCES says who moves it from there."""

    UNASSIGNED = "unassigned"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


SENTENCES: Mapping[Stand, str] = {
    Stand.UNASSIGNED: "待派：由派单员指定承办单位 The desk must assign it",
    Stand.ASSIGNED: "已派：由承办单位办理 Its units are at work",
    Stand.RESOLVED: "已办结：等待回访 The citizen is to be called back",
    Stand.CLOSED: "已结案：无需再办 The citizen has judged; nobody moves it",
    Stand.WITHDRAWN: "已撤单：无需再办 The citizen took it back; nobody moves it",
}

ASSIGNABLE = (Stand.UNASSIGNED, Stand.ASSIGNED)


@dataclass(frozen=True, slots=True)
class Marks:
    """What is known of a ticket; ``resolved`` and ``closed`` are the rounds that ended so, or 0."""

    round: int
    resolved: int = 0
    closed: int = 0
    withdrawn: bool = False
    unassigned: bool = False


def stand(marks: Marks) -> Stand:
    """Where a ticket stands. A withdrawal is final; a new round outlives the last verdict."""
    if marks.withdrawn:
        return Stand.WITHDRAWN
    if marks.closed >= marks.round:
        return Stand.CLOSED
    if marks.resolved >= marks.round:
        return Stand.RESOLVED
    return Stand.UNASSIGNED if marks.unassigned else Stand.ASSIGNED


def check_assignable(marks: Marks) -> None:
    """The desk may assign what nobody has, and re-dispatch what is open. Raises MoveRefused."""
    standing = stand(marks)
    if standing not in ASSIGNABLE:
        raise MoveRefused("assign", standing, [])
