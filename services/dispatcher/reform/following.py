"""Who follows a unit that is no more, for what is dispatched today (机构改革, ADR 0056)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, func, select

from services.dispatcher.models import Assignments
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import dispatch, reasons, reforming
from services.dispatcher.rules.assignment import AssignmentStatus
from shared import events
from shared.jurisdiction.codes import areas_above
from shared.jurisdiction.succession import Dissolved, acts_as, successor


def decide(
    act: ServiceAct,
    dispatching: dispatch.Dispatching,
    matter: events.TicketRegistered,
    at: datetime,
) -> dispatch.Decision | dispatch.Undecided:
    """What the rules in force say of a matter, with who follows each unit they name that is no more."""
    decided = dispatching.decide(matter, at)
    if isinstance(decided, dispatch.Undecided):
        return decided
    now, names = (
        today(act, matter, (decided.lead, *decided.co_handlers)),
        act.config.dispatching.names,
    )
    if not now:
        return decided
    why = reasons.joined(
        (decided.why, *(reforming.taken_over(*each, names) for each in now.items()))
    )
    lead = now.get(decided.lead, decided.lead)
    helping = dispatch.helpers(lead, (now.get(unit, unit) for unit in decided.co_handlers))
    return replace(decided, lead=lead, co_handlers=helping, why=why)


def followed(
    act: ServiceAct, matter: events.TicketRegistered, order: dispatch.Order
) -> dispatch.Order:
    """An order as it is today: to who follows each unit that is no more, and says so."""
    now, names = today(act, matter, order.roles()), act.config.dispatching.names
    if not now:
        return order
    lead = now.get(order.lead, order.lead)
    helping = dispatch.helpers(lead, (now.get(unit, unit) for unit in order.co_handlers))
    why = (order.reason, *(str(reforming.taken_over(*each, names)) for each in now.items()))
    whistles = {now.get(unit, unit): blown for unit, blown in order.whistles.items()}
    reason = "；".join(why)
    return replace(order, lead=lead, co_handlers=helping, reason=reason, whistles=whistles)


def today(act: ServiceAct, matter: events.TicketRegistered, units: Iterable[str]) -> dict[str, str]:
    """Who follows those of some units that are no more; left out where the desk must say who does, or who
    follows must stand back: transferring.py brings that to the desk.
    """
    found: dict[str, str] = {}
    for unit in units:
        now: str | None = unit
        while now and (dissolved := act.store.dissolved.get(now)):
            now = successor_of(act, matter, dissolved)
        if now and now != unit and now not in act.config.dispatching.barred(matter):
            found[unit] = now
    return found


def at_work(
    act: ServiceAct, matter: events.TicketRegistered, units: Iterable[str | None]
) -> list[str]:
    """Some units as they are today for a matter: each that is there, or who certainly follows it."""
    named = [unit for unit in units if unit]
    now = today(act, matter, named)
    return [now.get(unit, unit) for unit in named if unit in now or unit not in act.store.dissolved]


def followed_by(act: ServiceAct, unit: str) -> list[str]:
    """Units that are no more whose one successor a unit is."""
    dissolved = act.store.dissolved
    return [each for each in dissolved if [unit] == list(acts_as(each, dissolved))]


def successor_of(
    act: ServiceAct, matter: events.TicketRegistered, dissolved: Dissolved
) -> str | None:
    """Who has a matter of a unit that is no more; None where a person must say."""
    return successor(dissolved, act.config.codes.lineage(matter.topic), areas_above(matter.area))


async def held_by_removed(act: ServiceAct, limit: int) -> list[tuple[str, datetime, int]]:
    """Units that stand in units.yaml no more and hold open assignments: since when, and how many."""
    ended = (AssignmentStatus.RETURNED, AssignmentStatus.COMPLETED, AssignmentStatus.CANCELLED)
    oldest, count = func.min(Assignments.dispatched_at), func.count()
    held = select(Assignments.unit, oldest, count).where(col(Assignments.status).not_in(ended))
    by_unit = held.group_by(col(Assignments.unit)).order_by(oldest).limit(limit)
    found = (await act.session.exec(by_unit)).all()
    return [row for row in found if act.config.units.unit(row[0]) is None]
