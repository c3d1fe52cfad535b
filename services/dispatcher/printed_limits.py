"""印制时限: which limits an order of a unit is printed with, and by which policy (BJ-13, ADR 0072, 0087)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import had, legal_limit, work_order
from services.dispatcher.rules.whistling import Blown
from shared import policies
from shared.events import Limits, Role, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.succession import acts_as


class Printed(NamedTuple):
    """The limits of an order, and which version of the policy says them."""

    limits: Limits
    policy_version: int


def limits_of(
    act: ServiceAct,
    record: TicketRecord,
    urgency: Urgency,
    role: Role,
    blown: Blown | None = None,
    since: datetime | None = None,
    *,
    unit: str | None = None,
) -> Limits:
    """The limits of one role in the round that runs, with that to come of who was whistled for, by the policy
    in force when its unit got the matter in the round, or an order ``since`` then; now where it never had it.
    The moment an upstream platform named is printed where it lay ahead by then.
    """
    return of_unit(act, record, urgency, role, blown, since, unit=unit).limits


def of_unit(
    act: ServiceAct,
    record: TicketRecord,
    urgency: Urgency,
    role: Role,
    blown: Blown | None = None,
    since: datetime | None = None,
    *,
    unit: str | None,
) -> Printed:
    """The same, and of which policy. Whoever takes an order back and gives it again does not bring it under
    another one; nor does another number give more time than that under which its unit has the matter there.
    """
    own, elsewhere = _had(act, record, unit) if unit else (None, None)
    at = min(filter(None, (own, since)), default=None)
    limits = _limits(act, record, urgency, role, unit, at)
    if elsewhere:
        there = _limits(act, record, urgency, role, unit, elsewhere)
        if _lasts(act, there) < _lasts(act, limits):
            limits, at = there, elsewhere
    if blown and not blown.attended:
        limits = limits.model_copy(update={"attend": act.config.grassroots.attend(urgency)})
    limits = work_order.without_contact(limits, record.matter)
    return Printed(limits, policies.version(act, at))


def _had(
    act: ServiceAct, record: TicketRecord, unit: str
) -> tuple[datetime | None, datetime | None]:
    """Since when a unit, or one that it follows, has had a ticket in its round, and its matter under other
    numbers.
    """
    round, dissolved = record.ticket.round, act.store.dissolved

    def follows(other: str) -> bool:
        return unit in (other, *acts_as(other, dissolved))

    of_round = (each for each in record.assignments if each.round == round)
    own = min((each.dispatched_at for each in of_round if follows(each.unit)), default=None)
    return own, had.since(record.ticket.had, round, follows)


def _limits(
    act: ServiceAct,
    record: TicketRecord,
    urgency: Urgency,
    role: Role,
    unit: str | None,
    at: datetime | None,
) -> Limits:
    matter, ticket = record.matter, record.ticket
    table, due = policies.limits(act, at), matter.upstream_due
    return table.stages(
        work_order.kind_of(table, matter, urgency, unit),
        redo=ticket.round > 1,
        role=role,
        law=legal_limit.of_round(ticket.law, ticket.round),
        upstream_due=due if due and due > (at or act.now) else None,
    )


def _lasts(act: ServiceAct, limits: Limits) -> datetime:
    """When it were to be handled if that began now."""
    handle = limits.handle or "0h"  # of what is only passed on
    return act.config.calendar.due(act.now, Limit.parse(handle)).at


def since_when(orders: Iterable[Assignment], at: datetime | None = None) -> dict[str, datetime]:
    """Since when units have had a matter by these orders: their first, or a later moment."""
    found: dict[str, datetime] = {}
    for each in sorted(orders, key=lambda order: order.dispatched_at):
        found.setdefault(each.unit, max(each.dispatched_at, at or each.dispatched_at))
    return found


def note_had(record: TicketRecord, units: Mapping[str, datetime], *, waited: bool = False) -> None:
    """Keep since when units have a ticket's matter under another number; whether they ``waited`` there."""
    ticket = record.ticket
    ticket.had = had.noted(ticket.had, ticket.round, units, waited=waited)


def join(record: TicketRecord, holder: TicketRecord, at: datetime) -> None:
    """Who works on another ticket has this one, too, from a moment on (并单)."""
    note_had(record, since_when(holder.at_work(), at))
