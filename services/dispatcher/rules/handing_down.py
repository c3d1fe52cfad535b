"""二次派单: who answers to whom when units hand their orders down to their own (R-13; ADR 0059). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from shared.errors import JiesuError, Malformed
from shared.events import Role
from shared.jurisdiction.codes import Units
from shared.jurisdiction.succession import Dissolved, acts_as


class NotBelow(Malformed):
    """A unit hands down to its own only: a town to its villages, a bureau to its stations, brigades and
    companies; ``allowed`` are their codes.
    """

    slug = "not-below"
    title = "只能交办给本单位的下级单位 A unit hands an order down to units of its own only"


class NotHandedDown(JiesuError):
    """A confidential matter, or a report of which nobody has said whom it accuses, goes to no more people
    than the desk gives it to, neither handed down nor by a whistle (JN-32).
    """

    status = 409
    slug = "not-handed-down"
    title = (
        "保密或未注明被举报人的工单不得自行交办或吹哨，需要时请派单员增加协办 A confidential matter, or a"
        " report that names nobody, is not handed down or whistled for: ask the desk for a co-handler"
    )


class WorksAlready(JiesuError):
    """The unit has an order for this ticket already; ``unit``."""

    status = 409
    slug = "works-already"
    title = "该单位已在办理本工单 This unit works on the ticket already"


def superior(units: Units, code: str, dissolved: Mapping[str, Dissolved]) -> str | None:
    """Whose a unit is today: its ``parent``, or who alone follows that one; None of one that is nobody's,
    and where its parent was split: until units.yaml says whose it is now, the desk alone gives it orders.
    """
    own = units.unit(code)
    if own is None or own.parent is None:
        return None
    today = acts_as(own.parent, dissolved)
    return today[0] if len(today) == 1 else None


def units_below(units: Units, code: str, dissolved: Mapping[str, Dissolved]) -> list[str]:
    """To whom a unit may hand its order down: the villages of a town, the stations, brigades and companies
    of a bureau, and those of a unit it follows. Never a town: what is its duty the catalogue says (R-05);
    never one that is no more; and an office is no handling unit whose people these would be.
    """
    own = units.unit(code)
    if own is None or own.kind == "office":
        return []
    return [
        unit.code
        for unit in units.units
        if unit.kind not in ("town", "district")
        and unit.code not in dissolved
        and superior(units, unit.code, dissolved) == code
    ]


class Order(Protocol):
    """An order of a unit in a round. ``handed_by``: the unit that handed it down."""

    id: UUID
    round: int
    unit: str
    role: str
    handed_by: str | None


Given = TypeVar("Given", bound=Order)


def below(order: Order, at_work: Iterable[Given]) -> list[Given]:
    """What is open of that which an order's unit handed down itself."""
    return [each for each in at_work if (each.round, each.handed_by) == (order.round, order.unit)]


def above(order: Order, at_work: Iterable[Given]) -> list[Given]:
    """The open orders an order was handed down of, its superior's first, then that one's."""
    of_round = {each.unit: each for each in at_work if each.round == order.round}
    found: list[Given] = []
    while (up := of_round.get(order.handed_by or "")) and up not in found:
        found.append(up)
        order = up
    return found


def with_below(orders: Iterable[Given], at_work: Sequence[Given]) -> list[Given]:
    """Orders with all that was handed down of them, and of that, each once."""
    found = {each.id: each for each in orders}
    new = list(found.values())
    while new:
        new = [each for order in new for each in below(order, at_work) if each.id not in found]
        found |= {each.id: each for each in new}
    return list(found.values())


def answering_to(
    order: Order, co_handlers: Iterable[Given], at_work: Sequence[Order]
) -> list[Given]:
    """Who answers to an order before its unit may complete: to the lead its co-handlers, to who handed
    it down those below. What was handed down by a unit that is out answers to the lead.

    ``co_handlers``: every one of the round; ``at_work``: the ticket's open orders.
    """
    if order.role != Role.LEAD:
        return [each for each in co_handlers if each.handed_by == order.unit]
    others = {each.unit for each in at_work if each.unit != order.unit}
    return [each for each in co_handlers if each.handed_by not in others]


def following(at_work: Sequence[Given], roles: Collection[str]) -> list[Given]:
    """Of open orders those that were handed down by a unit that goes on, when these units are to work on
    a ticket: they go on with it. Whom the desk names itself follows nobody.
    """
    going_on, found = set(roles), dict[UUID, Given]()
    while more := [
        each
        for each in at_work
        if each.handed_by in going_on and each.unit not in roles and each.id not in found
    ]:
        found |= {each.id: each for each in more}
        going_on |= {each.unit for each in more}
    return list(found.values())
