"""How intake looks things up: the citizen's progress, one ticket, and lists by cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, select

from services.intake.models import Handling, Ticket
from services.intake.rules import registration as rules
from services.intake.schemas import Extended, Progress, TicketOut, TicketPage, Words
from services.intake.settings import Config
from shared.errors import NotFound
from shared.events import Location
from shared.storage.act import Act as AnyAct

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


@dataclass(slots=True)
class Case:
    """A ticket with its assignments as intake knows them."""

    ticket: Ticket
    handlings: dict[UUID, Handling]

    def assigned(self) -> list[rules.Assigned]:
        """The assignments as rules see them."""
        rows = self.handlings.values()
        return [rules.Assigned(row.unit, row.round, rules.Holding(row.holding)) for row in rows]

    def standing(self) -> rules.Standing:
        """Where the ticket stands, from everything known of it."""
        return rules.progress_of(
            self.assigned(),
            withdrawn=self.ticket.withdrawn,
            resolved_round=self.ticket.resolved_round,
            closed_round=self.ticket.closed_round,
            reopened_round=self.ticket.reopened_round,
        )

    def refresh(self, now: datetime) -> None:
        """Bring the stored stage, which lists filter by, and its end up to what is known."""
        ticket, stage = self.ticket, self.standing().stage
        ticket.stage = stage.value
        ticket.ended = (ticket.ended or now) if stage in rules.ENDED else None


async def find_locked(act: Act, number: str) -> Case | None:
    """A ticket by number, locked, with its assignments; None when it is not registered."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        query = select(Ticket).where(col(Ticket.number).in_(numbers)).order_by(col(Ticket.number))
        locked = query.with_for_update().execution_options(populate_existing=True)
        found = await _cases(act, (await act.session.exec(locked)).all())
        act.locked |= dict.fromkeys(numbers) | {case.ticket.number: case for case in found}
    case: Case | None = act.locked[number]
    return case


async def see(act: Act, number: str) -> Case | None:
    """A ticket to look at only."""
    ticket = await act.session.get(Ticket, number)
    return (await _cases(act, [ticket]))[0] if ticket else None


async def _cases(act: Act, tickets: Sequence[Ticket]) -> list[Case]:
    found = {ticket.number: Case(ticket, {}) for ticket in tickets}
    if found:
        query = select(Handling).where(col(Handling.number).in_(found))
        for row in await act.session.exec(query):
            found[row.number].handlings[row.assignment] = row
    return list(found.values())


def progress(act: Act, case: Case) -> Progress:
    """办理进度 as the citizen sees it, with the units by name (R-44)."""
    ticket, where = case.ticket, case.standing()
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
    case = await see(act, number)
    if not act.config.digester.check_code(number, code) or case is None:
        raise NotFound("工单号或查询码不正确 the number or the code is wrong")
    return progress(act, case)


async def one(act: Act, number: str) -> TicketOut:
    """One ticket. Raises NotFound."""
    case = await see(act, number)
    if case is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return _out(case)


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
    items = [_out(case) for case in await _cases(act, rows[:limit])]
    more = len(rows) > limit
    return TicketPage(items=items, next=act.cursor(items[-1].number) if more else None)


def _out(case: Case) -> TicketOut:
    ticket = case.ticket
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
        round=case.standing().round,
        urged=ticket.urged,
        registered_at=ticket.registered,
    )
