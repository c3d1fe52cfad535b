"""What is loaded to decide: a ticket under its lock, with its assignments.

Whoever changes anything about a ticket locks its row first, then loads its assignments: one order
of locks for every door, and never a decision on a row that is about to change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from services.dispatcher.models import Assignment, Return, Supplement, Ticket
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.completion import Work
from services.dispatcher.rules.dispatch import CARRIED, Added
from services.dispatcher.rules.returns import ReturnContext
from services.dispatcher.rules.ticket import Milestones
from services.dispatcher.settings import Config
from shared.errors import NotFound, TooEarly
from shared.events import Role, TicketRegistered, Urgency
from shared.storage.act import Act

ServiceAct = Act[Config]
# The unit a ticket complains of; empty for none.
REPORTED = func.coalesce(col(Ticket.matter)["reported_unit"].as_string(), "")


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments, oldest first.

    ``registered``: what intake said of it, when that is at hand; see ``matter``.
    """

    ticket: Ticket
    assignments: list[Assignment]
    registered: TicketRegistered | None = None

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
            withdrawn=self.ticket.withdrawn_at is not None,
            unassigned=self.ticket.unassigned_at is not None,
        )


# --- under a lock ------------------------------------------------------------------------------


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
ASSIGNMENTS_OF = (
    select(Assignment)
    .where(col(Assignment.ticket) == any_(bindparam("numbers", type_=ARRAY(Text))))
    .order_by(col(Assignment.id))
)


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket by number, locked, with its assignments; None when it is not registered here."""
    if number not in act.locked:
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
    return unit in act.config.units.recused(record.matter.reported_unit)


async def locked_assignment(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment]:
    """An assignment the caller may act on, with its ticket.

    Raises NotFound for what does not exist, for another unit's, and for a recused unit's alike.
    """
    found = await _lock(act, LOCKED_BY_ASSIGNMENT, id=id)
    act.locked |= found
    for record in found.values():
        for assignment in record.assignments:
            theirs = not act.caller or act.caller.unit in (None, assignment.unit)
            if assignment.id == id and theirs and not recused_caller(act, record):
                return record, assignment
    raise NotFound


async def _lock(
    act: ServiceAct, tickets: SelectOfScalar[Ticket], **values: object
) -> dict[str, TicketRecord]:
    """The records of those tickets that are registered here, locked."""
    rows = (await act.session.exec(tickets, params=values)).all()
    found = {row.number: TicketRecord(row, []) for row in rows}
    for assignment in await _assignments(act, list(found)):
        found[assignment.ticket].assignments.append(assignment)
    return found


async def _assignments(act: ServiceAct, numbers: Collection[str]) -> list[Assignment]:
    if not numbers:
        return []
    return list((await act.session.exec(ASSIGNMENTS_OF, params={"numbers": numbers})).all())


# --- beside it ---------------------------------------------------------------------------------


async def read(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket with its assignments to look at, not locked. Raises NotFound."""
    ticket = await act.session.get(Ticket, number)
    if ticket is None:
        raise NotFound
    return TicketRecord(ticket, await _assignments(act, [number]))


async def added(act: ServiceAct, number: str) -> Added:
    """What the citizen added: the newest as far as a work order carries it, and how many more."""
    size = func.sum(func.length(col(Supplement.content))).over(order_by=col(Supplement.seq).desc())
    sized = select(Supplement.seq, Supplement.content, size.label("size"))
    of_ticket = sized.where(Supplement.ticket == number).subquery()
    fits = select(of_ticket.c.content).where(of_ticket.c.size <= CARRIED)
    newest = (await act.session.exec(fits.order_by(of_ticket.c.seq))).all()
    count = select(func.count()).select_from(Supplement).where(Supplement.ticket == number)
    return Added(newest, (await act.session.exec(count)).one() - len(newest))


async def supplements(act: ServiceAct, number: str, after: int, limit: int) -> Sequence[Supplement]:
    """What the citizen added behind a place, in the order it was said."""
    query = select(Supplement).where(Supplement.ticket == number, Supplement.seq > after)
    return (await act.session.exec(query.order_by(col(Supplement.seq)).limit(limit))).all()


async def return_context(act: ServiceAct, assignment: Assignment) -> ReturnContext:
    """What the rules must know before a unit may ask to return an assignment."""
    query = select(Return.granted).where(
        Return.ticket == assignment.ticket, Return.unit == assignment.unit
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
    query = select(Return).where(Return.assignment == id, col(Return.granted).is_(None))
    return (await act.session.exec(query)).one()


async def held_by_removed(act: ServiceAct, limit: int) -> list[tuple[str, datetime, int]]:
    """Units that stand in units.yaml no more and hold open assignments: since when, and how many."""
    ended = (AssignmentStatus.RETURNED, AssignmentStatus.COMPLETED, AssignmentStatus.CANCELLED)
    oldest, count = func.min(Assignment.dispatched_at), func.count()
    held = select(Assignment.unit, oldest, count).where(col(Assignment.status).not_in(ended))
    by_unit = held.group_by(col(Assignment.unit)).order_by(oldest).limit(limit)
    found = (await act.session.exec(by_unit)).all()
    return [row for row in found if act.config.units.unit(row[0]) is None]
