"""吹哨报到 as it is read: whistles whose units are at work or awaited, and 双考核, counted for both sides
(R-47, BJ-33).
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select

from services.dispatcher.models import Assignment, Assignments, Clocks
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import whistling
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.whistling import Blown, Outcome, Tally
from services.dispatcher.whistles.schemas import (
    BlewFigures,
    HeardFigures,
    UnitWhistles,
    WhistleFigures,
    WhistleOut,
    WhistlePage,
)
from shared.events import ClockKind, Urgency

# --- the list ----------------------------------------------------------------------------------

DUE = (
    select(Clocks.due)
    .where(
        col(Clocks.ticket) == col(Assignments.ticket),
        col(Clocks.assignment) == col(Assignments.id),
        col(Clocks.kind) == ClockKind.ATTEND,
    )
    .correlate(Assignments)
    .scalar_subquery()
)
BLOWN_AND_OPEN = (col(Assignments.whistle).is_not(None), col(Assignments.status).in_(machine.OPEN))
AWAITED = (*BLOWN_AND_OPEN, col(Assignments.whistle)["attended"].as_string().is_(None))


async def open_whistles(
    act: ServiceAct, unit: str | None, after: str | None, limit: int, *, awaited: bool
) -> WhistlePage:
    """Whistles whose units have an open order; ``awaited``: only of those that have not come. ``unit``: for
    which it was. Raises BadCursor.
    """
    query = select(Assignments, DUE).where(*(AWAITED if awaited else BLOWN_AND_OPEN))
    if unit is not None:
        query = query.where(Assignments.unit == unit)
    if after is not None:
        query = query.where(col(Assignments.id) > UUID(act.place(after)))
    rows = (await act.session.exec(query.order_by(col(Assignments.id)).limit(limit + 1))).all()
    items = [_shown(*row) for row in rows[:limit]]
    more = len(rows) > limit
    return WhistlePage(items=items, next=act.cursor(str(items[-1].assignment)) if more else None)


def _shown(order: Assignment, due: datetime | None) -> WhistleOut:
    return WhistleOut(
        number=order.ticket,
        round=order.round,
        assignment=order.id,
        unit=order.unit,
        status=order.status,
        urgency=Urgency(order.urgency),
        due=due,
        whistle=Blown.model_validate(order.whistle),
    )


# --- figures -----------------------------------------------------------------------------------

# The last order of each whistle; of a unit that is no more, the one it was blown for.
BLOWN = text("""
    SELECT DISTINCT ON (order_.whistle->>'id')
        coalesce(order_.former #>> '{0,unit}', order_.unit) AS unit, order_.whistle, order_.status,
        tickets.round > order_.round AS redone,
        (SELECT lead.verdict FROM assignments lead WHERE lead.ticket = order_.ticket
            AND lead.round = order_.round AND lead.role = 'lead' AND lead.verdict IS NOT NULL
            LIMIT 1) AS verdict
    FROM assignments order_ JOIN tickets ON tickets.number = order_.ticket
    WHERE order_.whistle IS NOT NULL AND (order_.whistle->>'at')::timestamptz >= :start
        AND (order_.whistle->>'at')::timestamptz < :end
    ORDER BY order_.whistle->>'id', order_.id DESC""")


async def figures(act: ServiceAct, first: date | None, last: date | None) -> WhistleFigures:
    """双考核 of whistles blown from ``first`` to ``last``, both included; the period so far unless told
    otherwise. A unit sees its own. Raises Malformed for a period that ends before it begins.
    """
    of = act.config.place.counted(first, last, act.now)
    asked = {"start": of.start, "end": of.end}
    found = (await (await act.session.connection()).execute(BLOWN, asked)).all()
    own = act.caller.unit if act.caller else None
    tallies = whistling.tallies(map(_outcome, found))
    units = [_counted(act, *each) for each in sorted(tallies.items()) if own in (None, each[0])]
    return WhistleFigures(start=of.first, end=of.last, units=units)


def _outcome(row: Any) -> Outcome:
    return Outcome(
        unit=row.unit,
        blown=Blown.model_validate(row.whistle),
        returned=row.status == AssignmentStatus.RETURNED,
        verdict=whistling.verdict_of(row.verdict, redone=row.redone),
    )


def _counted(act: ServiceAct, unit: str, tally: Tally) -> UnitWhistles:
    return UnitWhistles(
        unit=unit,
        name=act.config.dispatching.names.unit(unit),
        blew=BlewFigures(**_counts(BlewFigures, tally.blew), verdicts=dict(tally.blew_verdicts)),
        heard=HeardFigures(
            **_counts(HeardFigures, tally.heard), verdicts=dict(tally.heard_verdicts)
        ),
    )


def _counts(shown: type[BlewFigures | HeardFigures], counts: Counter[str]) -> dict[str, Any]:
    return {name: counts[name] for name in shown.model_fields if name != "verdicts"}
