"""What a list is narrowed to, as conditions on its tickets, what comes first, and where its pages end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, any_, case, literal, or_
from sqlmodel import col, select

from services.dispatcher.models import Assignments, Tickets
from services.dispatcher.records import ServiceAct
from services.dispatcher.whistles.views import AWAITED
from services.dispatcher.worklists.schemas import Narrowing, Whose
from shared.errors import UnknownCode
from shared.events import Urgency
from shared.jurisdiction.codes import areas_above

# What endangers life comes first, whatever is due.
ENDANGERS = or_(col(Tickets.urgency) == Urgency.CRITICAL, col(Tickets.alarmed_at).is_not(None))
RANK = case(
    (ENDANGERS, 0),
    (col(Tickets.urgency) == Urgency.URGENT, 1),
    else_=2,
)


def conditions(act: ServiceAct, to: Narrowing) -> list[Any]:
    """A list of tickets, narrowed. Raises UnknownCode, AmbiguousCode."""
    matter, wanted = col(Tickets.matter), []
    if to.topic:
        wanted.append(_is_one_of(matter["topic"], _topics(act, to.topic)))
    if to.area:
        wanted.append(_is_one_of(matter["area"], _areas(act, to.area)))
    if to.flags:
        wanted.append(matter["flags"].contains(list(to.flags)))
    if to.urgency:
        wanted.append(col(Tickets.urgency) == to.urgency)
    if to.danger:
        wanted.append(ENDANGERS)
    if to.text:
        said = (matter[field].as_string() for field in ("title", "content"))
        wanted.append(or_(*(each.icontains(to.text, autoescape=True) for each in said)))
    return wanted


def of_unit(unit: str, whose: Whose) -> list[Any]:
    """A list of orders: a unit's own, or those it handed down."""
    wanted = [col(Assignments.handed_by if whose.handed_down else Assignments.unit) == unit]
    if whose.handler:
        wanted.append(col(Assignments.handler) == whose.handler)
    if whose.role:
        wanted.append(col(Assignments.role) == whose.role)
    if whose.awaited:
        wanted += AWAITED
    if whose.account:
        wanted.append(col(Assignments.handler_account) == whose.account)
    return wanted


def on_ticket(condition: Any) -> Any:
    """A condition on the ticket of an order, as a query of its own: PostgreSQL knows nothing of what stands
    in matters, and would rather read every ticket there is than those of a unit's orders.
    """
    of_ticket = select(condition).where(col(Tickets.number) == col(Assignments.ticket))
    return of_ticket.correlate(Assignments).scalar_subquery()


def _is_one_of(field: Any, values: Sequence[str]) -> Any:
    """Whether a text within JSON is one of these."""
    return field.as_string() == any_(literal(list(values), ARRAY(Text)))


def _topics(act: ServiceAct, called: str) -> list[str]:
    """A topic or a field with all that lies under it."""
    codes = act.config.codes
    code = called if called in codes.branches else codes.topic_names.code(called, "topic")
    if code not in codes.branches:
        raise UnknownCode(called, field="topic", nearest=codes.nearest_topics(called))
    return [each for each in codes.branches if code in codes.lineage(each)]


def _areas(act: ServiceAct, called: str) -> list[str]:
    """An area with all that lie in it."""
    codes = act.config.codes
    code = codes.area_names.code(called, "area")
    within = [each.code for each in codes.areas if code in areas_above(each.code)]
    if not within:
        raise UnknownCode(called, field="area", nearest=codes.nearest_areas(called))
    return within


# --- its pages ----------------------------------------------------------------------------------


def next_place(act: ServiceAct, rows: Sequence[Any], limit: int) -> str | None:
    """The place of the last row shown, when there are more. Without a slash, by which a replica of the
    release before knows its own: it begins the list anew, as ours does with one of its.
    """
    if len(rows) <= limit:
        return None
    rank, moment, key = rows[limit - 1][:3]
    return act.cursor(f"{rank}|{moment.astimezone(UTC):%Y%m%dT%H%M%S.%f}|{key}")


def last_place(act: ServiceAct, cursor: str, key: Any = str) -> tuple[int, datetime, Any] | None:
    """The place a cursor names; None of one of the release before. Raises BadCursor."""
    rank, found, rest = act.place(cursor).partition("|")
    if not found:
        return None
    moment, _, last = rest.partition("|")
    return int(rank), datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), key(last)
