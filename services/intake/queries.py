"""How intake looks things up: the citizen's progress, one ticket, and lists by cursor."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlmodel import col, select

from services.intake import rules
from services.intake.models import Handling, Ticket
from services.intake.schemas import Extended, Progress, TicketOut, TicketPage, Words
from services.intake.settings import Config
from shared.db import Act as AnyAct
from shared.errors import NotFound
from shared.events import Location

Act = AnyAct[Config]


class Filter(NamedTuple):
    """What a list of tickets is narrowed to; None narrows nothing."""

    ticket_type: str | None = None
    topic: str | None = None
    area: str | None = None
    channel: str | None = None
    stage: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def handlings(act: Act, *numbers: str) -> dict[str, list[rules.Assigned]]:
    """The assignments of tickets as intake knows them, by ticket number."""
    found: dict[str, list[rules.Assigned]] = {number: [] for number in numbers}
    for row in await act.session.exec(select(Handling).where(col(Handling.number).in_(numbers))):
        held = rules.Assigned(row.unit, row.round, rules.Holding(row.holding))
        found[row.number].append(held)
    return found


async def standing(act: Act, ticket: Ticket) -> rules.Standing:
    """Where a ticket stands, from everything known of it."""
    return _standing(ticket, (await handlings(act, ticket.number))[ticket.number])


def _standing(ticket: Ticket, held: list[rules.Assigned]) -> rules.Standing:
    return rules.progress_of(
        held,
        withdrawn=ticket.withdrawn,
        resolved_round=ticket.resolved_round,
        closed_round=ticket.closed_round,
        reopened_round=ticket.reopened_round,
    )


async def refresh(act: Act, ticket: Ticket) -> None:
    """Bring the stored stage, which lists filter by, and its end up to what is known."""
    stage = (await standing(act, ticket)).stage
    ticket.stage = stage.value
    ticket.ended = (ticket.ended or act.now) if stage in rules.ENDED else None


async def progress(act: Act, ticket: Ticket) -> Progress:
    """办理进度 as the citizen sees it, with the units by name (R-44)."""
    where = await standing(act, ticket)
    sentence = rules.SENTENCES[where.stage]
    names = [act.config.units.unit(code) for code in where.units]
    return Progress(
        number=ticket.number,
        stage=where.stage.value,
        sentence=Words(zh=sentence.zh, en=sentence.en),
        units=[unit.name for unit in names if unit],
        rounds=where.round,
        answer=ticket.answer,
        extended=_extended(ticket, where.round),
        allowed=rules.allowed(where.stage),
    )


def _extended(ticket: Ticket, round: int) -> Extended | None:
    if ticket.extended_due is None or ticket.extended_round != round:
        return None
    return Extended(due=ticket.extended_due, reason=ticket.extended_reason or "")


async def progress_by_code(act: Act, number: str, code: str) -> Progress:
    """The citizen's own look, by number and code. Raises NotFound for either being wrong."""
    ticket = await act.session.get(Ticket, number)
    if not act.config.digester.check_code(number, code) or ticket is None:
        raise NotFound("工单号或查询码不正确 the number or the code is wrong")
    return await progress(act, ticket)


async def one(act: Act, number: str) -> TicketOut:
    """One ticket. Raises NotFound."""
    ticket = await act.session.get(Ticket, number)
    if ticket is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return _out(ticket, await standing(act, ticket))


async def page(act: Act, narrowed: Filter, after: str | None, limit: int) -> TicketPage:
    """Tickets by number, which is their order of registration. Raises BadCursor."""
    query = select(Ticket).order_by(Ticket.number).limit(limit + 1)
    for column in ("ticket_type", "topic", "area", "channel", "stage"):
        if (wanted := getattr(narrowed, column)) is not None:
            query = query.where(getattr(Ticket, column) == wanted)
    if narrowed.since:
        query = query.where(Ticket.registered >= narrowed.since)
    if narrowed.until:
        query = query.where(Ticket.registered < narrowed.until)
    if after is not None:
        query = query.where(Ticket.number > act.place(after))
    rows = (await act.session.exec(query)).all()
    held = await handlings(act, *(row.number for row in rows))
    items = [_out(row, _standing(row, held[row.number])) for row in rows[:limit]]
    more = len(rows) > limit
    return TicketPage(items=items, next=act.cursor(items[-1].number) if more else None)


def _out(ticket: Ticket, where: rules.Standing) -> TicketOut:
    has_place = ticket.longitude is not None and ticket.latitude is not None
    location = Location(longitude=ticket.longitude, latitude=ticket.latitude) if has_place else None
    return TicketOut(
        number=ticket.number,
        id=ticket.id,
        type=ticket.ticket_type,
        urgency=ticket.urgency,
        topic=ticket.topic,
        title=ticket.title,
        content=ticket.content,
        area=ticket.area,
        address=ticket.address,
        location=location,
        channel=ticket.channel,
        flags=ticket.flags,
        source_number=ticket.source_number,
        reported_unit=ticket.reported_unit,
        confidential=ticket.confidential,
        reply_declined=ticket.reply_declined,
        has_contact=ticket.has_contact,
        stage=ticket.stage,
        round=where.round,
        urged=ticket.urged,
        registered_at=ticket.registered,
    )
