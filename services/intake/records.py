"""What intake loads to decide: a ticket with its assignments, locked or only to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam
from sqlmodel import col, func, select

from services.intake.models import Assignment, Assignments, CitizenNotes, Ticket, Tickets
from services.intake.rules import machine
from services.intake.settings import Config
from shared.errors import TooEarly
from shared.storage.act import Act

ServiceAct = Act[Config]


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments as intake knows them.

    ``supplements``: how many it has and how many characters they are together, once counted; acts
    that share a transaction count on from there.
    """

    ticket: Ticket
    assignments: dict[UUID, Assignment] = field(default_factory=dict)
    supplements: tuple[int, int] | None = None

    @property
    def status(self) -> machine.TicketStatus:
        """The stored status, which ``refresh`` keeps up to what is known."""
        return machine.shown(machine.TicketStatus(self.ticket.status), self.ticket.ending)

    def assigned(self) -> list[machine.Assigned]:
        """The assignments as rules see them."""
        return [
            machine.Assigned(row.unit, row.round, machine.AssignmentStatus(row.status))
            for row in self.assignments.values()
        ]

    def progress(self) -> machine.TicketProgress:
        """Where the ticket stands, from everything known of it."""
        return machine.progress_of(
            self.assigned(),
            withdrawn=self.ticket.withdrawn,
            resolved_round=self.ticket.resolved_round,
            closed_round=self.ticket.closed_round,
            reopened_round=self.ticket.reopened_round,
            ending=self.ticket.ending,
            ending_round=self.ticket.ending_round,
        )

    def refresh(self, now: datetime) -> None:
        """Bring the stored status, which lists filter by, and its end up to what is known."""
        ticket, status = self.ticket, self.progress().status
        ticket.status = machine.stored(status).value
        if status not in machine.STORED:
            ticket.ending = ticket.answer_due = None
        ticket.ended_at = (ticket.ended_at or now) if machine.ended(status) else None


# These statements are made once and not at every request.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
LOCKED = (
    select(Tickets)
    .where(col(Tickets.number) == NUMBERS)
    .order_by(col(Tickets.number))
    .with_for_update()
)
ASSIGNMENTS_OF = select(Assignments).where(col(Assignments.number) == NUMBERS)


async def locked(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket by number, locked. Raises TooEarly when it is not registered."""
    record = await find_locked(act, number)
    if record is None:
        raise TooEarly(f"no ticket {number} here")
    return record


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket by number, locked, with its assignments; None when it is not registered."""
    if number not in act.locked:
        numbers = act.lock_order(number)
        act.locked |= dict.fromkeys(numbers) | await _lock(act, numbers)
    record: TicketRecord | None = act.locked[number]
    return record


async def _lock(act: ServiceAct, numbers: Sequence[str]) -> dict[str, TicketRecord]:
    """Lock tickets in the order of their numbers, then load their assignments, by number."""
    found = _records(await act.rows.load(Ticket, LOCKED, {"numbers": numbers}))
    if found:
        for row in await act.rows.load(Assignment, ASSIGNMENTS_OF, {"numbers": list(found)}):
            found[row.number].assignments[row.id] = row
    return found


async def read(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket to look at only."""
    ticket = await act.session.get(Tickets, number)
    return (await records_of(act, [ticket]))[0] if ticket else None


async def records_of(act: ServiceAct, tickets: Sequence[Ticket]) -> list[TicketRecord]:
    """Tickets with their assignments to look at only, in the order given."""
    found = _records(tickets)
    if found:
        for row in await act.session.exec(ASSIGNMENTS_OF, params={"numbers": list(found)}):
            found[row.number].assignments[row.id] = row
    return list(found.values())


def _records(tickets: Sequence[Ticket]) -> dict[str, TicketRecord]:
    return {ticket.number: TicketRecord(ticket) for ticket in tickets}


async def supplemented(act: ServiceAct, record: TicketRecord) -> tuple[int, int]:
    """How many supplements a ticket has, and how many characters they are together."""
    if record.supplements is None:
        content = col(CitizenNotes.content)
        query = select(func.count(), func.coalesce(func.sum(func.length(content)), 0)).where(
            CitizenNotes.number == record.ticket.number,
            CitizenNotes.action == machine.Action.SUPPLEMENT,
        )
        count, characters = (await act.session.exec(query)).one()
        record.supplements = count, characters
    return record.supplements
