"""主办与协办: who stays, goes or is new when others are to work on a ticket (R-13, JN-29; ADR 0049). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.dispatcher.rules.assignment import AssignmentStatus
from shared.errors import JiesuError, Malformed
from shared.events import Role

# Before what the lead asks of the desk, by which it is known again.
SILENT = "协办单位未答复，主办单位请派单员处理 A co-handler is silent, the lead asks the desk:"


class CoHandlerIsLead(Malformed):
    """The lead answers for all and to nobody: it cannot be its own co-handler (JN-29)."""

    slug = "co-handler-is-lead"
    title = "主办单位不能同时协办 The lead cannot be a co-handler as well"


class CoHandlerInTime(JiesuError):
    """Whom a lead may not go on without yet: ``units`` with the moments their limits end."""

    status = 409
    slug = "co-handler-in-time"
    title = "协办时限未到，须等待答复 The co-handler's limit is not over: wait for its answer"


class Holding(NamedTuple):
    """An order of a unit that it still works on, or answered as a co-handler of the lead at work.
    ``hurried``: its ticket became more urgent.
    """

    unit: str
    role: Role
    status: AssignmentStatus
    hurried: bool = False


class Change(NamedTuple):
    """Places in the holdings of those who stay and of those who go, and the units that get an order."""

    stay: tuple[int, ...]
    go: tuple[int, ...]
    new: tuple[str, ...]


def change(holdings: Iterable[Holding], roles: Mapping[str, Role]) -> Change:
    """What happens to each when these units are to work on a ticket, in these roles.

    Who keeps its role keeps its order: nobody who stays begins anew. Another role is another duty and
    another limit, so it is another order; and so is one that nobody has signed before it became more
    urgent, as after a correction (ADR 0045).
    """
    stay: dict[int, str] = {}
    go: list[int] = []
    for place, each in enumerate(holdings):
        given_anew = each.hurried and each.status is AssignmentStatus.DISPATCHED
        if roles.get(each.unit) == each.role and not given_anew:
            stay[place] = each.unit
        else:
            go.append(place)
    new = tuple(unit for unit in roles if unit not in stay.values())
    return Change(tuple(stay), tuple(go), new)


def carried(status: AssignmentStatus, was: AssignmentStatus) -> AssignmentStatus:
    """Where a unit goes on that gets another role: where it stood. ``was``: where it asked to return it,
    which falls with the order.
    """
    return was if status is AssignmentStatus.RETURN_REQUESTED else status
