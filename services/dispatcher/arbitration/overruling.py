"""推翻裁定: the desk gives a ticket again to whom it freed of it, or to another than a ruling named, and says
why: that stays with the return or the precedent (R-15 … R-17).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.dispatcher import past_returns
from services.dispatcher.arbitration import precedents
from services.dispatcher.models import Assignment
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import returns
from services.dispatcher.rules.returns import ReturnGranted, RulingNames
from shared.events import Role


async def overrule(
    act: ServiceAct, record: TicketRecord, named: Mapping[str, str], why: str | None
) -> None:
    """No ticket goes back by hand to a unit whose return was granted, unless the desk says what overrules
    that: it is kept with the return, and the unit may not return the ticket any more (R-16). ``named``:
    the field of the request by each unit.

    Raises ReturnGranted.
    """
    past = await past_returns.load(act, record.ticket.number)
    freed = set(returns.freed(past_returns.earlier(act, past)))
    for unit, field in named.items():
        if unit not in freed:
            continue
        if why is None:
            raise ReturnGranted(field=field, unit=unit, allowed=["overrules"])
        for row in past.asked:
            if (
                past_returns.today(act, row.unit) == unit
                and row.granted
                and row.overruled_at is None
            ):
                row.overruled_at, row.overruled_by = act.now, act.actor
                row.overruled_reason = why


async def overrule_ruling(
    act: ServiceAct, record: TicketRecord, lead: str, why: str | None
) -> None:
    """No ticket gets by hand another lead than the last ruling named, unless the desk says what overrules
    that: it is kept with the precedent, and counted (R-15, R-17). Who leads it already goes on.

    Raises RulingNames.
    """
    at_work = [each.unit for each in record.open() if each.role == Role.LEAD]
    ruled = await _last_ruling(act, record)
    if ruled is None or lead in (*at_work, past_returns.today(act, ruled.unit)):
        return
    if why is None:
        raise RulingNames(field="lead", unit=ruled.unit, allowed=["overrules"])
    await precedents.overrule(act, record.ticket.number, ruled.at, why)


async def is_ruled(act: ServiceAct, record: TicketRecord, lead: Assignment) -> bool:
    """Whether the last ruling named just who leads."""
    ruled = await _last_ruling(act, record)
    return ruled is not None and past_returns.today(act, ruled.unit) == lead.unit


class _Ruled(NamedTuple):
    """Whom a ruling named as the lead, and when."""

    at: datetime
    unit: str


async def _last_ruling(act: ServiceAct, record: TicketRecord) -> _Ruled | None:
    """The last ruling that named who leads a ticket. What was ruled on a co-handler is about its help."""
    past = await past_returns.load(act, record.ticket.number)
    leads = {each.id for each in record.assignments if each.role == Role.LEAD}
    found = [
        _Ruled(row.ruled_at, row.named_unit)
        for row in past.asked
        if row.ruled_at and row.named_unit and row.assignment in leads
    ]
    found += [_Ruled(row.ruled_at, row.lead) for row in past.ruled if row.ruled_at and row.lead]
    return max(found, default=None)


async def is_freed(act: ServiceAct, record: TicketRecord, unit: str) -> bool:
    """Whether the desk granted a unit's return of this ticket, and no ruling has named it since."""
    past = await past_returns.load(act, record.ticket.number)
    return unit in returns.freed(past_returns.earlier(act, past))
