"""What use cases load, and how rows are shown.

Whoever changes anything about a ticket locks its row first, then loads its assignments: one order
of locks for every door, and never a decision on a row that is about to change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, Text, any_, bindparam, text
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from services.dispatcher.models import Assignment, Delivery, Return, Supplement, Ticket
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import ticket as stands
from services.dispatcher.rules.completion import Work
from services.dispatcher.rules.returns import Standing
from services.dispatcher.schemas import (
    AssignmentOut,
    AssignmentPage,
    Delivered,
    FeedPage,
    TicketOut,
    UnassignedOut,
    UnassignedPage,
)
from services.dispatcher.settings import Config
from shared.errors import BadCursor, NotFound, TooEarly, UnknownCode
from shared.events import Fact, Limits, Role, Urgency
from shared.storage.act import Act

Acting = Act[Config]

FEED_LOCK = 0x66656564  # "feed": one numbering at a time, so positions are given in one order

NUMBER_FEED = text("""
    UPDATE feed SET position = given.position
    FROM (SELECT id, (SELECT coalesce(max(position), 0) FROM feed) + row_number() OVER (ORDER BY id)
              AS position
          FROM (SELECT id FROM feed WHERE position IS NULL ORDER BY id LIMIT :limit) AS waiting
         ) AS given
    WHERE feed.id = given.id""")


@dataclass(slots=True)
class Case:
    """A ticket with its assignments, oldest first."""

    ticket: Ticket
    assignments: list[Assignment]

    def open(self) -> list[Assignment]:
        """The assignments somebody still has to move."""
        return [one for one in self.assignments if one.state in machine.OPEN]

    def co_handlers(self, round: int) -> list[Assignment]:
        """Every assignment of a round that answers to its lead."""
        return [one for one in self.assignments if one.round == round and one.role == Role.CO]

    def completed(self, round: int) -> list[Assignment]:
        """The assignments of a round whose units answered."""
        done = machine.State.COMPLETED
        return [one for one in self.assignments if one.round == round and one.state == done]

    def completed_lead(self, round: int) -> Assignment | None:
        """The lead who completed a round; None while nobody has."""
        return next((one for one in self.completed(round) if one.role == Role.LEAD), None)

    def work(self, own: Assignment) -> Work:
        """What is on record of an assignment that its unit wants to complete."""
        said = self.ticket.said()
        answering = self.co_handlers(own.round) if own.role == Role.LEAD else []
        has_duty = Limits.model_validate(own.limits).first_contact is not None
        return Work(
            state=machine.State(own.state),
            contact_duty=has_duty and said.has_contact and not said.reply_declined,
            attempts=own.attempts,
            reached=own.reached,
            co_handlers={one.unit: machine.State(one.state) for one in answering},
        )

    def marks(self) -> stands.Marks:
        """What the rules judge the ticket's stand by."""
        return stands.Marks(
            round=self.ticket.round,
            resolved=self.ticket.resolved,
            closed=self.ticket.closed,
            withdrawn=self.ticket.withdrawn is not None,
            unassigned=self.ticket.unassigned is not None,
        )


# --- to change ---------------------------------------------------------------------------------


# These statements are made once and not at every request.
LOCKED = (
    select(Ticket)
    .order_by(col(Ticket.number))
    .with_for_update()
    .execution_options(populate_existing=True)
)
LOCKED_BY_NUMBERS = LOCKED.where(
    col(Ticket.number) == any_(bindparam("numbers", type_=ARRAY(Text)))
)
LOCKED_BY_ASSIGNMENT = LOCKED.where(
    col(Ticket.number)
    == select(Assignment.ticket).where(Assignment.id == bindparam("id")).scalar_subquery()
)


async def find_locked(act: Acting, number: str) -> Case | None:
    """A ticket by number, locked, with its assignments."""
    if number not in act.locked:
        numbers = act.lock_order(number, "ticket.")
        act.locked |= dict.fromkeys(numbers) | await _open(act, LOCKED_BY_NUMBERS, numbers=numbers)
    case: Case | None = act.locked[number]
    return case


async def _open(act: Acting, tickets: SelectOfScalar[Ticket], **values: object) -> dict[str, Case]:
    """The cases of those tickets that are registered here, locked."""
    rows = (await act.session.exec(tickets, params=values)).all()
    found = {row.number: Case(row, []) for row in rows}
    for one in await _assignments(act, list(found)):
        found[one.ticket].assignments.append(one)
    return found


async def ground(act: Acting, fact: Fact) -> Case:
    """The ticket a fact is about. Raises TooEarly when it has not been registered here yet."""
    case = await find_locked(act, fact.subject)
    if case is None:
        raise TooEarly(f"{fact.name}: ticket {fact.subject} is not registered yet")
    return case


async def ticket(act: Acting, number: str) -> Case:
    """The ticket the desk acts on. Raises NotFound."""
    case = await find_locked(act, number)
    if case is None:
        raise NotFound
    return case


async def assignment(act: Acting, id: UUID) -> tuple[Case, Assignment]:
    """An assignment the caller may act on, with its ticket.

    Raises NotFound for what does not exist and for another unit's alike.
    """
    found = await _open(act, LOCKED_BY_ASSIGNMENT, id=id)
    act.locked |= found
    for case in found.values():
        for one in case.assignments:
            if one.id == id and (not act.caller or act.caller.unit in (None, one.unit)):
                return case, one
    raise NotFound


async def supplements(act: Acting, number: str) -> list[str]:
    """What the citizen added, in the order it was said."""
    added = select(Supplement.content).where(Supplement.ticket == number)
    return list((await act.session.exec(added.order_by(col(Supplement.seq)))).all())


async def standing(act: Acting, own: Assignment) -> Standing:
    """What the rules must know before a unit may ask to return an assignment."""
    query = select(Return.granted).where(Return.ticket == own.ticket, Return.unit == own.unit)
    rulings = (await act.session.exec(query)).all()
    urgency = Urgency(own.urgency)
    return Standing(
        state=machine.State(own.state),
        redo=own.redo,
        appointed=own.appointed,
        asked=len(rulings),
        refused=sum(granted is False for granted in rulings),
        until=act.config.returns.until(own.dispatched, urgency, act.config.calendar),
    )


async def return_to_rule(act: Acting, id: UUID) -> Return:
    """The return of an assignment that waits for its ruling."""
    query = select(Return).where(Return.assignment == id, col(Return.granted).is_(None))
    return (await act.session.exec(query)).one()


ASSIGNMENTS_OF = (
    select(Assignment)
    .where(col(Assignment.ticket) == any_(bindparam("numbers", type_=ARRAY(Text))))
    .order_by(col(Assignment.id))
)


async def _assignments(act: Acting, numbers: Collection[str]) -> list[Assignment]:
    if not numbers:
        return []
    return list((await act.session.exec(ASSIGNMENTS_OF, params={"numbers": numbers})).all())


# --- to show -----------------------------------------------------------------------------------


async def ticket_seen(act: Acting, number: str) -> TicketOut:
    """A ticket's assignments as the caller may see them.

    The lead sees its whole round, for its co-handlers answer to it (R-13). A co-handler sees its
    own, and so does a unit that leads no more. Raises NotFound, also for a unit that has none.
    """
    found = await act.session.get(Ticket, number)
    if found is None:
        raise NotFound
    case = Case(found, await _assignments(act, [number]))
    if act.caller and act.caller.unit:
        own = [one for one in case.assignments if one.unit == act.caller.unit]
        if not own:
            raise NotFound
        led = {one.round for one in own if one.role == Role.LEAD and one.state not in machine.GONE}
        case.assignments = [
            one for one in case.assignments if one.unit == act.caller.unit or one.round in led
        ]
    return show_ticket(case)


async def unit_assignments(
    act: Acting, unit: str, after: str | None, limit: int, states: Sequence[str]
) -> AssignmentPage:
    """A page of a unit's assignments, oldest first. Raises NotFound, UnknownCode, BadCursor."""
    _check_readable(act, unit)
    if set(states) - set(machine.State):
        raise UnknownCode(field="state", allowed=list(machine.State))
    query = select(Assignment, Ticket).join(Ticket, col(Ticket.number) == col(Assignment.ticket))
    query = query.where(Assignment.unit == unit)
    if states:
        query = query.where(col(Assignment.state).in_(states))
    if after is not None:
        query = query.where(col(Assignment.id) > UUID(act.place(after)))
    rows = (await act.session.exec(query.order_by(col(Assignment.id)).limit(limit + 1))).all()
    items = [show(found, one) for one, found in rows[:limit]]
    return AssignmentPage(
        items=items, next=act.cursor(str(items[-1].id)) if len(rows) > limit else None
    )


async def unassigned(act: Acting, after: str | None, limit: int) -> UnassignedPage:
    """A page of the tickets that wait for the desk. Raises BadCursor."""
    query = select(Ticket).where(col(Ticket.unassigned).is_not(None))
    if after is not None:
        query = query.where(col(Ticket.number) > act.place(after))
    rows = (await act.session.exec(query.order_by(col(Ticket.number)).limit(limit + 1))).all()
    items = [_show_unassigned(one) for one in rows[:limit]]
    return UnassignedPage(
        items=items, next=act.cursor(items[-1].ticket) if len(rows) > limit else None
    )


def show_ticket(case: Case) -> TicketOut:
    """A ticket as it is answered."""
    standing = stands.stand(case.marks())
    return TicketOut(
        ticket=case.ticket.number,
        stand=standing,
        sentence=stands.SENTENCES[standing],
        round=case.ticket.round,
        urgency=case.ticket.urgency,
        assignments=[show(case.ticket, one) for one in case.assignments],
    )


def show(found: Ticket, one: Assignment) -> AssignmentOut:
    """An assignment as it is answered."""
    state = machine.State(one.state)
    row = one.model_dump(exclude={"was", "appointed"})
    matter = {field: found.matter[field] for field in ("title", "topic", "area")}
    return AssignmentOut(
        **row, **matter, sentence=machine.SENTENCES[state], allowed=machine.allowed(state)
    )


def _show_unassigned(found: Ticket) -> UnassignedOut:
    return UnassignedOut(
        **found.matter,
        **found.model_dump(include={"registered", "round", "urged", "nearest"}),
        ticket=found.number,
        since=found.unassigned,
        reason=found.unassigned_reason,
    )


# --- the unit feed -----------------------------------------------------------------------------


async def number_feed(act: Acting, limit: int) -> int:
    """Give the waiting deliveries their positions, in order; returns how many."""
    connection = await act.session.connection()
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({FEED_LOCK})"))
    return (await connection.execute(NUMBER_FEED, {"limit": limit})).rowcount


async def oldest_delivery(act: Acting) -> datetime | None:
    """Since when the oldest delivery waits for its place."""
    waiting = select(func.min(Delivery.received)).where(col(Delivery.position).is_(None))
    return (await act.session.exec(waiting)).one()


async def open_feed(act: Acting, unit: str, cursor: str) -> int:
    """Where a reader's cursor stands in a unit's feed.

    Raises NotFound, and BadCursor for one that was never given.
    """
    _check_readable(act, unit)
    if not re.fullmatch(r"[0-9]{1,18}", cursor):
        raise BadCursor
    last = (await act.session.exec(select(func.max(Delivery.position)))).one() or 0
    if int(cursor) > last:
        raise BadCursor
    return int(cursor)


async def feed_page(act: Acting, unit: str, after: int, limit: int) -> FeedPage:
    """What was delivered to a unit after a position."""
    query = select(Delivery).where(Delivery.unit == unit, col(Delivery.position) > after)
    rows = (await act.session.exec(query.order_by(col(Delivery.position)).limit(limit + 1))).all()
    items = [Delivered(position=row.position, fact=orjson.loads(row.body)) for row in rows[:limit]]
    last = items[-1].position if items else after
    return FeedPage(items=items, next=last, more=len(rows) > limit)


def _check_readable(act: Acting, unit: str) -> None:
    """A unit reads its own only, the desk and supervisors read any. Raises NotFound."""
    own = act.caller.unit if act.caller else None
    if own not in (None, unit) or act.config.units.unit(unit) is None:
        raise NotFound
