"""What a list is narrowed to, as conditions on its tickets and orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, Text, any_, literal, or_
from sqlmodel import col, select

from services.dispatcher.list_schemas import Narrowing, Whose
from services.dispatcher.models import Assignments, Tickets
from services.dispatcher.records import ServiceAct
from shared.errors import UnknownCode
from shared.jurisdiction.codes import areas_above


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
    if to.text:
        said = (matter[field].as_string() for field in ("title", "content"))
        wanted.append(or_(*(each.icontains(to.text, autoescape=True) for each in said)))
    return wanted


def of_unit(unit: str, whose: Whose) -> list[Any]:
    """A list of orders: a unit's own, or those it handed down."""
    wanted = [col(Assignments.handed_by if whose.handed_down else Assignments.unit) == unit]
    if whose.handler:
        wanted.append(col(Assignments.handler) == whose.handler)
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
        raise UnknownCode(field="topic", nearest=codes.nearest_topics(called))
    return [each for each in codes.branches if code in codes.lineage(each)]


def _areas(act: ServiceAct, called: str) -> list[str]:
    """An area with all that lie in it."""
    codes = act.config.codes
    code = codes.area_names.code(called, "area")
    within = [each.code for each in codes.areas if code in areas_above(each.code)]
    if not within:
        raise UnknownCode(field="area", nearest=codes.nearest_areas(called))
    return within
