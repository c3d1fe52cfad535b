"""派单指标: how well the desk and its catalogue found the right unit, counted from the orders themselves.

No figure of a unit's merit: who returns what was never its duty returns it rightly (R-15).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Text, exists, func, literal_column, tuple_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.dispatcher.arbitration.models import Precedents
from services.dispatcher.figures.schemas import DispatchFigures, DispatchRates, UnitDispatch
from services.dispatcher.models import Assignments, Returns
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.assignment import AssignmentStatus
from shared.events import Role
from shared.jurisdiction.appraisal import WHOLE, Appraisal
from shared.jurisdiction.period import Period

COUNTED = (
    "dispatched",
    *("first_dispatches", "first_dispatches_held"),
    *("returns_requested", "returns_granted", "returns_refused"),
    "rulings_overruled",
)
# Whoever it was given to, also where another has it since a reform (机构改革).
GIVEN_TO = "coalesce({0}.former #>> '{{0,unit}}', {0}.unit)"
UNIT = literal_column(GIVEN_TO.format("assignments"), Text)
FIRST_ROUND = (col(Assignments.round) == 1, col(Assignments.role) == Role.LEAD)
ANOTHER = aliased(Assignments, name="another")
OF_SAME = (
    col(ANOTHER.ticket) == col(Assignments.ticket),
    col(ANOTHER.round) == 1,
    col(ANOTHER.role) == Role.LEAD,
)
EARLIER = exists().where(
    *OF_SAME,
    tuple_(ANOTHER.dispatched_at, ANOTHER.id) < tuple_(Assignments.dispatched_at, Assignments.id),
)
ELSEWHERE = exists().where(*OF_SAME, literal_column(GIVEN_TO.format("another"), Text) != UNIT)
HELD = (col(Assignments.status) != AssignmentStatus.RETURNED, ~ELSEWHERE)


async def dispatches(act: ServiceAct, first: date | None, last: date | None) -> DispatchRates:
    """What was dispatched, and what came back, from ``first`` to ``last``, both included; the period so
    far unless told otherwise. A unit sees its own. Raises Malformed for a period that ends before it
    begins.
    """
    of = act.config.place.counted(first, last, act.now)
    own = act.caller.unit if act.caller else None
    counts: Counter[tuple[str, str]] = Counter()
    for names, query in _queries(of):
        for unit, *numbers in await act.session.exec(query):
            if own in (None, unit):
                counts += Counter({(unit, name): n for name, n in zip(names, numbers, strict=True)})
    units, by = sorted({unit for unit, _ in counts}), act.config.place.appraisal
    return DispatchRates(
        start=of.first,
        end=of.last,
        total=_figures(counts, units, by if own else WHOLE),
        units=[
            UnitDispatch(
                **dict(by.standing(code, act.config.units.unit(code), counts[code, "dispatched"])),
                name=act.config.dispatching.names.units.get(code, code),
                figures=_figures(counts, [code], by),
            )
            for code in units
        ],
    )


def _queries(of: Period) -> Iterable[tuple[tuple[str, ...], Any]]:
    """What is counted by unit: the names of the columns, and the query of them."""
    told = col(Assignments.dispatched_at) >= of.start, col(Assignments.dispatched_at) < of.end
    yield (
        COUNTED[:1],
        select(UNIT, func.count()).where(*told).group_by(UNIT),
    )
    yield (
        COUNTED[1:3],
        select(UNIT, func.count(), func.count().filter(*HELD))
        .where(*told, *FIRST_ROUND, ~EARLIER)
        .group_by(UNIT),
    )
    asked, ruled = (
        (column >= of.start) & (column < of.end)
        for column in (col(Returns.requested_at), col(Returns.ruled_at))
    )
    granted = col(Returns.granted).is_(True)
    yield (
        COUNTED[3:6],
        select(
            col(Returns.unit),
            func.count().filter(asked),
            func.count().filter(ruled, granted),
            func.count().filter(ruled, ~granted),
        )
        .where(asked | ruled)
        .group_by(col(Returns.unit)),
    )
    overruled = col(Precedents.overruled_at)
    yield (
        COUNTED[6:],
        select(col(Precedents.unit), func.count())
        .where(overruled >= of.start, overruled < of.end)
        .group_by(col(Precedents.unit)),
    )


def _figures(
    counts: Counter[tuple[str, str]], units: Iterable[str], by: Appraisal
) -> DispatchFigures:
    found = {name: sum(counts[unit, name] for unit in units) for name in COUNTED}
    return DispatchFigures(
        **found,
        return_rate=_share(found["returns_granted"], found["dispatched"], by),
        first_dispatch_accuracy=_share(
            found["first_dispatches_held"], found["first_dispatches"], by
        ),
    )


def _share(part: int, whole: int, by: Appraisal) -> float | None:
    return by.rate(round(part / whole, 6), whole) if whole else None
