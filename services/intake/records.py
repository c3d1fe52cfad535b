"""What intake loads to decide: a ticket with its assignments, locked or only to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, all_, any_, bindparam, union
from sqlmodel import col, func, or_, select

from services.intake.models import Assignment, Assignments, CitizenNotes, Ticket, Tickets
from services.intake.rules import machine
from services.intake.rules.supplements import has_room
from services.intake.settings import Config
from shared.errors import NotFound, TooEarly
from shared.storage.act import Act
from shared.storage.rows import one_of

ServiceAct = Act[Config]


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments as intake knows them.

    ``supplements``: how many it has and how many characters they are together, once counted; acts
    that share a transaction count on from there. ``group``: the tickets it is worked on with as one,
    itself among them; empty when it is alone.
    """

    ticket: Ticket
    assignments: dict[UUID, Assignment] = field(default_factory=dict)
    supplements: tuple[int, int] | None = None
    group: list[TicketRecord] = field(default_factory=list, repr=False, compare=False)
    marked: bool = False

    @property
    def status(self) -> machine.TicketStatus:
        """The stored status, which ``refresh`` keeps up to what is known."""
        return machine.shown(machine.TicketStatus(self.ticket.status), self.ticket.ending)

    @property
    def answer(self) -> str | None:
        """What the citizen may read: what the hotline said itself, else what the lead answered."""
        return self.ticket.ending_words if self.ticket.ending else self.ticket.answer

    @property
    def full(self) -> bool:
        """Whether nothing more may be added to it, where that was counted."""
        return self.supplements is not None and not has_room(*self.supplements)

    def assigned(self) -> list[machine.Assigned]:
        """The assignments as rules see them."""
        return [
            machine.Assigned(row.unit, row.round, machine.AssignmentStatus(row.status))
            for row in self.assignments.values()
        ]

    def at_work(self) -> list[machine.Assigned]:
        """The assignments under its own number and, while it waits for an answer, the open ones of those
        it is worked on with (并单): who works on it.
        """
        return [*self.assigned(), *(self._shared() if machine.owed(self.status) else ())]

    def _shared(self) -> list[machine.Assigned]:
        others = (each for each in self.group if each is not self)
        return [each for other in others for each in other.assigned() if each.open]

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
            shared=self._shared(),
        )

    def refresh(self, now: datetime) -> None:
        """Bring the stored status, which lists filter by, and its end up to what is known; those of the
        tickets it is worked on with, too.
        """
        for record in self.group or [self]:
            ticket, status = record.ticket, record.progress().status
            ticket.status = machine.stored(status).value
            if status not in machine.STORED:
                ticket.ending = ticket.answer_due = None
            ticket.ended_at = (ticket.ended_at or now) if machine.ended(status) else None


# These statements are made once and not at every request.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
NUMBER, WORK = col(Tickets.number), col(Tickets.work)
# Arrays: each step goes by an index, whatever the planner knows of the table.
WORKS = select(WORK).where(NUMBER == NUMBERS, WORK.is_not(None)).scalar_subquery()
WITH_THEM = select(NUMBER).where(WORK.is_not(None), any_(func.array(WORKS)) == WORK)
TOGETHER = union(select(func.unnest(NUMBERS.element)), WITH_THEM).scalar_subquery()
FREE = all_(bindparam("known", type_=ARRAY(Text))) != NUMBER
LOCK = select(Tickets).where(FREE).order_by(NUMBER).with_for_update()
LOCKED = LOCK.where(any_(func.array(TOGETHER)) == NUMBER)
LOCKED_BY_WORK = LOCK.where(any_(bindparam("works", type_=ARRAY(Text))) == WORK)
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
        await lock(act, act.lock_order(number))
    record: TicketRecord | None = act.locked[number]
    return record


async def get_locked(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket that somebody asked for by number, locked. Raises NotFound."""
    record = await find_locked(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return record


async def lock(act: ServiceAct, numbers: Collection[str]) -> None:
    """Lock tickets in the order of their numbers, with those they are worked on with as one, then load
    their assignments.
    """
    known = {number: row for number, row in act.locked.items() if row}
    new = sorted(set(numbers).difference(act.locked))
    tickets = await act.rows.load(Ticket, LOCKED, {"numbers": new, "known": list(known)})
    while works := {ticket.work for ticket in tickets if ticket.work}:
        # Who was merged while we waited for the lock was not there to be locked.
        values = {"works": list(works), "known": [*known, *(each.number for each in tickets)]}
        if not (late := await act.rows.load(Ticket, LOCKED_BY_WORK, values)):
            break
        tickets += late
    found = _records(tickets)
    if found:
        for row in await act.rows.load(Assignment, ASSIGNMENTS_OF, {"numbers": list(found)}):
            found[row.number].assignments[row.id] = row
    act.locked |= dict.fromkeys(new) | found
    regroup(act.locked.values())


async def read(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket to look at only."""
    ticket = await act.session.get(Tickets, number)
    return (await records_of(act, [ticket]))[0] if ticket else None


async def records_of(act: ServiceAct, tickets: Sequence[Ticket]) -> list[TicketRecord]:
    """Tickets with their assignments to look at only, in the order given."""
    found = _records(tickets)
    works = {ticket.work for ticket in tickets if ticket.work}
    others: dict[str, TicketRecord] = {}
    if works:
        of_works = select(Tickets).where(one_of(Tickets.work, works))
        others = _records((await act.session.exec(of_works)).all())
    loaded = others | found
    if loaded:
        for row in await act.session.exec(ASSIGNMENTS_OF, params={"numbers": list(loaded)}):
            loaded[row.number].assignments[row.id] = row
    regroup(loaded.values())
    return list(found.values())


async def matters_of(act: ServiceAct, ticket: Ticket) -> Sequence[Ticket]:
    """All the matters of a call (拆分), the one that kept its number first; the ticket alone when it was
    not split.
    """
    call = ticket.split_from or ticket.number
    of_call = or_(col(Tickets.number) == call, col(Tickets.split_from) == call)
    return (await act.session.exec(select(Tickets).where(of_call).order_by(NUMBER))).all()


def regroup(loaded: Iterable[TicketRecord | None]) -> None:
    """Let each record know which others its ticket is worked on with."""
    groups: dict[str, list[TicketRecord]] = defaultdict(list)
    by_number = {record.ticket.number: record for record in loaded if record}
    for _, record in sorted(by_number.items()):
        record.group = groups[record.ticket.work] if record.ticket.work else []
        if record.ticket.work:
            record.group.append(record)


def _records(tickets: Sequence[Ticket]) -> dict[str, TicketRecord]:
    return {ticket.number: TicketRecord(ticket) for ticket in tickets}


async def supplemented(act: ServiceAct, record: TicketRecord) -> tuple[int, int]:
    """How many supplements a ticket has, and how many characters they are together."""
    await count_supplements(act, [record])
    return record.supplements or (0, 0)


async def count_supplements(act: ServiceAct, records: Iterable[TicketRecord]) -> None:
    """The same of several tickets, where it was not counted yet: to the records."""
    new = {each.ticket.number: each for each in records if each.supplements is None}
    if not new:
        return
    number, content = col(CitizenNotes.number), col(CitizenNotes.content)
    query = (
        select(number, func.count(), func.sum(func.length(content)))
        .where(one_of(CitizenNotes.number, new), CitizenNotes.action == machine.Action.SUPPLEMENT)
        .group_by(number)
    )
    found = {of: (count, size) for of, count, size in await act.session.exec(query)}
    for each, record in new.items():
        record.supplements = found.get(each, (0, 0))
