"""疑点清单: discrepancies as they are listed, counted and shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import func, tuple_
from sqlmodel import col, select

from services.tracker import lists
from services.tracker.discrepancies.models import Discrepancies, Discrepancy
from services.tracker.discrepancies.schemas import (
    DiscrepancyCount,
    DiscrepancyCounts,
    DiscrepancyOut,
    DiscrepancyPage,
)
from services.tracker.list_schemas import Counts
from services.tracker.models import Tickets
from services.tracker.records import ServiceAct, recused_from
from services.tracker.rules.honesty import TITLES, DiscrepancyStatus
from shared.events import DiscrepancyKind
from shared.http.fields import Sentence
from shared.storage.rows import one_of

WHOLE = (col(Discrepancies.status) != DiscrepancyStatus.NOTED,)
# Occasions of habits. What a call waits for nobody reads: who did could still mend it.
OCCASIONS = (
    col(Discrepancies.status) == DiscrepancyStatus.NOTED,
    col(Discrepancies.explained_at).is_(None),
    col(Discrepancies.kind) != DiscrepancyKind.CONTACT_UNREAD,
)
OPEN = (col(Discrepancies.status) == DiscrepancyStatus.OPEN,)


class Wanted(NamedTuple):
    """What narrows the list."""

    unit: str | None = None
    kind: DiscrepancyKind | None = None
    status: DiscrepancyStatus | None = None


async def discrepancies(
    act: ServiceAct, wanted: Wanted, after: str | None, limit: int
) -> DiscrepancyPage:
    """疑点清单: those raised first; occasions of habits only when asked for. A unit sees its own. Raises
    BadCursor.
    """
    narrowed = await _own(act)
    if wanted.unit is not None:
        narrowed.append(col(Discrepancies.unit) == wanted.unit)
    if wanted.kind is not None:
        narrowed.append(col(Discrepancies.kind) == wanted.kind)
    narrowed += _standing(wanted.status)
    place = tuple_(col(Discrepancies.raised_at), col(Discrepancies.id))
    query = select(*place.clauses, Discrepancies).where(*narrowed)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place > lists.last(act, after))
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    total = (await act.session.exec(select(func.count()).where(*narrowed))).one()
    found = [row for *_, row in rows[:limit]]
    hidden = await _hidden(act, found)
    return DiscrepancyPage(
        items=[_shown(act, row, hidden) for row in found],
        next=lists.next_(act, rows, limit),
        counts=Counts(total=total, overdue=0),
    )


def _standing(status: DiscrepancyStatus | None) -> tuple[Any, ...]:
    """What narrows the list to those that stand so; to all that anybody reads unasked."""
    if status is None:
        return WHOLE
    return (
        OCCASIONS if status is DiscrepancyStatus.NOTED else (col(Discrepancies.status) == status,)
    )


async def counts(act: ServiceAct, first: date | None, last: date | None) -> DiscrepancyCounts:
    """Per unit, month and kind, by when what they go by happened; the period so far unless told otherwise.
    A unit sees its own. Raises Malformed for a period that ends before it begins.
    """
    place = act.config.place
    of = place.counted(first, last, act.now)
    begins, later = place.period.into_month
    local = func.timezone(str(place.timezone), col(Discrepancies.at)) + begins
    moment = local + func.make_interval(0, later)
    month = func.to_char(moment, "YYYY-MM").label("month")
    by = (col(Discrepancies.unit), month, col(Discrepancies.kind))
    status = col(Discrepancies.status)
    each = (
        func.count().filter(status == one)
        for one in (
            DiscrepancyStatus.OPEN,
            DiscrepancyStatus.EXPLAINED,
            DiscrepancyStatus.DISMISSED,
        )
    )
    at = col(Discrepancies.at)
    query = select(*by, *each).where(*WHOLE, at >= of.start, at < of.end, *await _own(act))
    rows = await act.session.exec(query.group_by(*by).order_by(*by))
    names = ("unit", "month", "kind", "open", "explained", "dismissed")
    items = [DiscrepancyCount(**dict(zip(names, row, strict=True))) for row in rows]
    return DiscrepancyCounts(start=of.first, end=of.last, items=items)


async def discrepancy_out(act: ServiceAct, row: Discrepancy) -> DiscrepancyOut:
    """One, after something was said to it."""
    return _shown(act, row, await _hidden(act, [row]))


async def is_recused(act: ServiceAct, row: Discrepancy) -> bool:
    """Whether the caller is a unit that must know nothing of its ticket (R-35)."""
    return row.ticket is not None and row.ticket in await _recused(act, [row.ticket])


async def _own(act: ServiceAct) -> list[Any]:
    return await lists.own(act, Discrepancies.ticket, Discrepancies.unit)


async def _hidden(act: ServiceAct, rows: Iterable[Discrepancy]) -> set[str]:
    """Tickets of which the caller must know nothing, among those that discrepancies go by."""
    return await _recused(act, {number for row in rows for number in row.tickets})


async def _recused(act: ServiceAct, numbers: Iterable[str]) -> set[str]:
    if lists.unit_of(act) is None:
        return set()
    tickets = (await act.session.exec(select(Tickets).where(one_of(Tickets.number, numbers)))).all()
    return {row.number for row in tickets if recused_from(act, row)}


def _shown(act: ServiceAct, row: Discrepancy, hidden: set[str]) -> DiscrepancyOut:
    kind, of_unit = DiscrepancyKind(row.kind), lists.unit_of(act) is not None
    title, by = TITLES.get(kind), row.dismissed_by
    alike = of_unit and kind is DiscrepancyKind.ANSWERS_ALIKE  # others' tickets are not its own
    return DiscrepancyOut(
        **row.model_dump(exclude={"tickets", "dismissed_by", "commented_by"}),
        title=Sentence(zh=title.zh, en=title.en) if title else Sentence(zh=row.kind, en=row.kind),
        number=row.ticket,
        tickets=[] if alike else [each for each in row.tickets if each not in hidden],
        dismissed_by=by.partition(":")[0] if by and of_unit else by,
    )
