"""What is loaded to decide: a ticket under its lock, with its assignments.

Whoever changes anything about a ticket locks its row first, then loads its assignments: one order
of locks for every door, and never a decision on a row that is about to change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, or_
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from services.dispatcher.models import (
    Assignment,
    Assignments,
    Return,
    Returns,
    Supplement,
    Supplements,
    Ticket,
    Tickets,
)
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.completion import Work
from services.dispatcher.rules.dispatch import CARRIED, Added, newest_that_fit
from services.dispatcher.rules.returns import ReturnContext
from services.dispatcher.rules.ticket import Milestones
from services.dispatcher.settings import Config
from shared.errors import NotFound, TooEarly
from shared.events import Role, TicketRegistered, Urgency
from shared.storage.act import Act

ServiceAct = Act[Config]
# Tickets of which somebody must know nothing, or so it may be: whom they are about is stated.
ABOUT_SOMEBODY = or_(
    col(Tickets.matter)["reported_unit"].as_string().is_not(None),
    *(
        func.coalesce(col(Tickets.matter)[("reported", part)].as_string(), "[]") != "[]"
        for part in ("units", "words")
    ),
)


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments, oldest first.

    ``registered``: what intake said of it, when that is at hand; see ``matter``. ``supplements``:
    what was added in this act; see ``added``.
    """

    ticket: Ticket
    assignments: list[Assignment]
    registered: TicketRegistered | None = None
    supplements: list[Supplement] = field(default_factory=list)

    @property
    def matter(self) -> TicketRegistered:
        """What intake registered, read from its row once."""
        if self.registered is None:
            self.registered = TicketRegistered.on_record(self.ticket.matter)
        return self.registered

    def open(self) -> list[Assignment]:
        """The assignments somebody still has to move."""
        return [each for each in self.assignments if each.status in machine.OPEN]

    def co_handlers(self, round: int) -> list[Assignment]:
        """Every assignment of a round that answers to its lead."""
        return [each for each in self.assignments if each.round == round and each.role == Role.CO]

    def completed(self, round: int) -> list[Assignment]:
        """The assignments of a round whose units answered."""
        of_round = (each for each in self.assignments if each.round == round)
        return [each for each in of_round if each.status == AssignmentStatus.COMPLETED]

    def completed_lead(self, round: int) -> Assignment | None:
        """The lead who completed a round; None while nobody has."""
        return next((each for each in self.completed(round) if each.role == Role.LEAD), None)

    def work(self, assignment: Assignment) -> Work:
        """What is on record of an assignment that its unit wants to complete."""
        leads, has_duty = assignment.role == Role.LEAD, assignment.limits["first_contact"]
        answering = self.co_handlers(assignment.round) if leads else []
        can_be_asked = self.matter.has_contact and not self.matter.reply_declined
        return Work(
            status=AssignmentStatus(assignment.status),
            contact_duty=has_duty is not None and can_be_asked,
            attempts=assignment.attempts,
            reached=assignment.reached,
            co_handlers={each.unit: AssignmentStatus(each.status) for each in answering},
        )

    def milestones(self) -> Milestones:
        """What the rules judge the ticket's status by."""
        return Milestones(
            round=self.ticket.round,
            resolved=self.ticket.resolved,
            closed=self.ticket.closed,
            ended=self.ticket.ended,
            withdrawn=self.ticket.withdrawn_at is not None,
            unassigned=self.ticket.unassigned_at is not None,
        )


# --- under a lock ------------------------------------------------------------------------------


# These statements are made once and not at every request.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
LOCKED = select(Tickets).order_by(col(Tickets.number)).with_for_update()
LOCKED_BY_NUMBERS = LOCKED.where(col(Tickets.number) == NUMBERS)
LOCKED_BY_ASSIGNMENTS = LOCKED.where(
    col(Tickets.number).in_(
        select(Assignments.ticket).where(
            col(Assignments.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
        )
    )
)
ASSIGNMENTS_OF = (
    select(Assignments).where(col(Assignments.ticket) == NUMBERS).order_by(col(Assignments.id))
)


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket by number, locked, with its assignments; None when it is not registered here."""
    if number not in act.locked:
        # Facts addressed to a unit are only passed on to it: they lock no ticket.
        numbers = act.lock_order(number, "ticket.")
        found = await _lock(act, LOCKED_BY_NUMBERS, numbers=numbers)
        act.locked |= dict.fromkeys(numbers) | found
    record: TicketRecord | None = act.locked[number]
    return record


async def locked(act: ServiceAct, number: str) -> TicketRecord:
    """The ticket a fact is about. Raises TooEarly when it has not been registered here yet."""
    record = await find_locked(act, number)
    if record is None:
        raise TooEarly(f"ticket {number} is not registered yet")
    return record


def recused_caller(act: ServiceAct, record: TicketRecord) -> bool:
    """回避: whether the caller is a unit that must know nothing of the ticket (R-35, JN-32)."""
    unit = act.caller.unit if act.caller else None
    return unit is not None and unit in act.config.dispatching.recused(record.matter)


async def locked_assignment(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment]:
    """An assignment the caller may act on, with its ticket.

    Raises NotFound for what does not exist, for another unit's, and for a recused unit's alike.
    """
    if id not in act.locked:
        ids = act.lock_order(id)
        found = await _lock(act, LOCKED_BY_ASSIGNMENTS, ids=ids)
        act.locked |= dict.fromkeys(ids) | found
        act.locked |= {each.id: record for record in found.values() for each in record.assignments}
    record: TicketRecord | None = act.locked[id]
    if record is None:
        raise NotFound
    assignment = next(each for each in record.assignments if each.id == id)
    theirs = not act.caller or act.caller.unit in (None, assignment.unit)
    if not theirs or recused_caller(act, record):
        raise NotFound
    return record, assignment


async def _lock(
    act: ServiceAct, tickets: SelectOfScalar[Tickets], **values: object
) -> dict[str, TicketRecord]:
    """The records of those tickets that are registered here, locked."""
    rows = await act.rows.load(Ticket, tickets, values)
    found = {row.number: TicketRecord(row, []) for row in rows}
    if found:
        of_them = {"numbers": list(found)}
        for assignment in await act.rows.load(Assignment, ASSIGNMENTS_OF, of_them):
            found[assignment.ticket].assignments.append(assignment)
    return found


# --- beside it ---------------------------------------------------------------------------------


async def read(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket with its assignments to look at, not locked. Raises NotFound."""
    ticket = await act.session.get(Tickets, number)
    if ticket is None:
        raise NotFound
    assignments = await act.session.exec(ASSIGNMENTS_OF, params={"numbers": [number]})
    return TicketRecord(ticket, list(assignments.all()))


async def added(act: ServiceAct, record: TicketRecord) -> Added:
    """What the citizen added: the newest as far as a work order carries it, and how many more."""
    number = record.ticket.number
    size = func.sum(func.length(col(Supplements.content))).over(
        order_by=col(Supplements.seq).desc()
    )
    sized = select(Supplements.seq, Supplements.content, size.label("size"))
    of_ticket = sized.where(Supplements.ticket == number).subquery()
    fits = select(of_ticket.c.seq, of_ticket.c.content).where(of_ticket.c.size <= CARRIED)
    before = dict((await act.session.exec(fits)).all())
    count = select(func.count()).select_from(Supplements).where(Supplements.ticket == number)
    number_before = (await act.session.exec(count)).one()
    now = {each.seq: each.content for each in record.supplements}  # saved when the act ends
    newest = newest_that_fit([content for _, content in sorted((before | now).items())])
    return Added(newest, number_before + len(now) - len(newest))


async def supplements(act: ServiceAct, number: str, after: int, limit: int) -> Sequence[Supplement]:
    """What the citizen added behind a place, in the order it was said."""
    query = select(Supplements).where(Supplements.ticket == number, Supplements.seq > after)
    return (await act.session.exec(query.order_by(col(Supplements.seq)).limit(limit))).all()


async def return_context(act: ServiceAct, assignment: Assignment) -> ReturnContext:
    """What the rules must know before a unit may ask to return an assignment."""
    query = select(Returns.granted).where(
        Returns.ticket == assignment.ticket, Returns.unit == assignment.unit
    )
    rulings = (await act.session.exec(query)).all()
    urgency, rules = Urgency(assignment.urgency), act.config.returns
    return ReturnContext(
        status=AssignmentStatus(assignment.status),
        redo=assignment.redo,
        appointed=assignment.appointed,
        asked=len(rulings),
        refused=sum(granted is False for granted in rulings),
        until=rules.until(assignment.dispatched_at, urgency, act.config.calendar),
    )


async def return_to_rule(act: ServiceAct, id: UUID) -> Return:
    """The return of an assignment that waits for its ruling."""
    query = select(Returns).where(Returns.assignment == id, col(Returns.granted).is_(None))
    [waiting] = await act.rows.load(Return, query)
    return waiting


async def held_by_removed(act: ServiceAct, limit: int) -> list[tuple[str, datetime, int]]:
    """Units that stand in units.yaml no more and hold open assignments: since when, and how many."""
    ended = (AssignmentStatus.RETURNED, AssignmentStatus.COMPLETED, AssignmentStatus.CANCELLED)
    oldest, count = func.min(Assignments.dispatched_at), func.count()
    held = select(Assignments.unit, oldest, count).where(col(Assignments.status).not_in(ended))
    by_unit = held.group_by(col(Assignments.unit)).order_by(oldest).limit(limit)
    found = (await act.session.exec(by_unit)).all()
    return [row for row in found if act.config.units.unit(row[0]) is None]
