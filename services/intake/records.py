"""What intake loads to decide: a ticket with its assignments, locked or only to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select

from services.intake.models import Assignment, CitizenNote, Ticket
from services.intake.rules import machine
from services.intake.settings import Config
from shared.errors import TooEarly
from shared.storage.act import Act

ServiceAct = Act[Config]


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments as intake knows them."""

    ticket: Ticket
    assignments: dict[UUID, Assignment]

    @property
    def status(self) -> machine.TicketStatus:
        """The stored status, which ``refresh`` keeps up to what is known."""
        return machine.TicketStatus(self.ticket.status)

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
        )

    def refresh(self, now: datetime) -> None:
        """Bring the stored status, which lists filter by, and its end up to what is known."""
        ticket, status = self.ticket, self.progress().status
        ticket.status = status.value
        ticket.ended_at = (ticket.ended_at or now) if machine.ended(status) else None


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
        query = select(Ticket).where(col(Ticket.number).in_(numbers)).order_by(col(Ticket.number))
        rows = query.with_for_update().execution_options(populate_existing=True)
        found = await records_of(act, (await act.session.exec(rows)).all())
        act.locked |= dict.fromkeys(numbers) | {record.ticket.number: record for record in found}
    record: TicketRecord | None = act.locked[number]
    return record


async def read(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket to look at only."""
    ticket = await act.session.get(Ticket, number)
    return (await records_of(act, [ticket]))[0] if ticket else None


async def records_of(act: ServiceAct, tickets: Sequence[Ticket]) -> list[TicketRecord]:
    """Tickets with their assignments, in the order given."""
    found = {ticket.number: TicketRecord(ticket, {}) for ticket in tickets}
    if found:
        query = select(Assignment).where(col(Assignment.number).in_(found))
        for row in await act.session.exec(query):
            found[row.number].assignments[row.id] = row
    return list(found.values())


async def supplemented(act: ServiceAct, number: str) -> tuple[int, int]:
    """How many supplements a ticket has, and how many characters they are together."""
    content = col(CitizenNote.content)
    query = select(func.count(), func.coalesce(func.sum(func.length(content)), 0)).where(
        CitizenNote.number == number, CitizenNote.action == machine.Action.SUPPLEMENT
    )
    count, characters = (await act.session.exec(query)).one()
    return count, characters
