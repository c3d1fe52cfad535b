"""风险报告: dangers as they are listed and shown. An office sees what it was told of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import exists, func, tuple_
from sqlmodel import col, select

from services.tracker import lists
from services.tracker.list_schemas import Counts
from services.tracker.models import Rounds, Ticket, Tickets
from services.tracker.records import ServiceAct
from services.tracker.risks.schemas import RiskOut, RiskPage
from services.tracker.rules.risk import SENTENCES, RiskStatus, status
from shared.http.fields import Sentence

REPORTED = (col(Tickets.risk_at).is_not(None),)
ACKNOWLEDGED = col(Tickets.risk_acknowledgement).is_not(None)
UNDER_WAY = col(Tickets.withdrawn_at).is_(None) & exists().where(
    col(Rounds.ticket) == col(Tickets.number),
    col(Rounds.resolved_at).is_(None),
    col(Rounds.ended_at).is_(None),
).correlate(Tickets)
STANDS: Mapping[RiskStatus, Any] = MappingProxyType(
    {
        RiskStatus.OPEN: ~ACKNOWLEDGED & UNDER_WAY,
        RiskStatus.ACKNOWLEDGED: ACKNOWLEDGED,
        RiskStatus.ENDED: ~ACKNOWLEDGED & ~UNDER_WAY,
    }
)
WAITING = (*REPORTED, STANDS[RiskStatus.OPEN])
DUE = col(Tickets.risk_due)


async def own(act: ServiceAct) -> list[Any]:
    """What narrows dangers to those the caller may see."""
    return await lists.own(act, Tickets.number, col(Tickets.risk_office), *REPORTED)


async def risks(
    act: ServiceAct, wanted: RiskStatus | None, after: str | None, limit: int
) -> RiskPage:
    """风险报告: dangers that were reported, the newest first. Raises BadCursor."""
    narrowed = [*REPORTED, *await own(act)]
    if wanted is not None:
        narrowed.append(STANDS[wanted])
    place = tuple_(col(Tickets.risk_at), col(Tickets.number))
    query = select(*place.clauses, UNDER_WAY, Tickets).where(*narrowed)  # type: ignore[call-overload]
    if after is not None:
        query = query.where(place < lists.last(act, after, str))
    newest = query.order_by(*(each.desc() for each in place.clauses)).limit(limit + 1)
    rows = (await act.session.exec(newest)).all()
    late = func.count().filter(STANDS[RiskStatus.OPEN], act.now > DUE)
    total, overdue = (await act.session.exec(select(func.count(), late).where(*narrowed))).one()
    return RiskPage(
        items=[risk_out(ticket, under_way=going_on) for *_, going_on, ticket in rows[:limit]],
        next=lists.next_(act, rows, limit),
        counts=Counts(total=total, overdue=overdue),
    )


def risk_out(ticket: Ticket, *, under_way: bool) -> RiskOut:
    """One as it is answered."""
    stands = status(acknowledged=ticket.risk_acknowledgement is not None, under_way=under_way)
    hidden = {"topic": None, "area": None} if ticket.confidential else {}
    about = {"topic": ticket.topic, "area": ticket.area} | hidden
    return RiskOut(
        **about,
        number=ticket.number,
        type=ticket.type,
        registered_at=ticket.registered_at,
        reported_at=ticket.risk_at,
        office=ticket.risk_office,
        due=ticket.risk_due,
        status=stands,
        sentence=Sentence(**SENTENCES[stands]._asdict()),
        acknowledgement=ticket.risk_acknowledgement,
    )
