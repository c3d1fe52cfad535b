"""What is loaded to decide: a ticket under its lock, with its assignments.

Whoever changes anything about a ticket locks its row first, then loads its assignments: one order
of locks for every door, and never a decision on a row that is about to change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, all_, any_, bindparam, or_, union
from sqlmodel import col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from services.dispatcher import handle_dues, past_returns
from services.dispatcher.arbitration.models import Arbitration, Arbitrations
from services.dispatcher.models import (
    Assignment,
    Assignments,
    Supplement,
    Supplements,
    Ticket,
    Tickets,
)
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import handing_down, merging, reforming
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.completion import Work
from services.dispatcher.rules.ticket import Milestones
from services.dispatcher.rules.whistling import Blown
from services.dispatcher.rules.work_order import CARRIED, Added, newest_that_fit
from services.dispatcher.settings import Config
from shared.errors import NotFound, TooEarly, UnknownCode
from shared.events import Role, TicketMerged, TicketRegistered
from shared.jurisdiction.gazetteer import accuses
from shared.jurisdiction.succession import acts_as
from shared.storage.act import Act

ServiceAct = Act[Config]
# Tickets of which somebody must know nothing, or so it may be: whom they are about is stated.
_REPORTED = (col(Tickets.matter)[("reported", part)].as_string() for part in ("units", "words"))
ABOUT_SOMEBODY = or_(
    col(Tickets.matter)["reported_unit"].as_string().is_not(None),
    *(func.coalesce(each, "[]") != "[]" for each in _REPORTED),
)
_NEWEST_FIRST = col(Supplements.seq).desc()
_SIZED = (
    select(
        Supplements.seq,
        Supplements.content,
        func.sum(func.length(col(Supplements.content))).over(order_by=_NEWEST_FIRST).label("size"),
        func.count().over().label("said"),
    )
    .where(Supplements.ticket == bindparam("number"))
    .subquery()
)
# What the citizen of a ticket added, as far as a work order carries it.
ADDED = select(_SIZED.c.seq, _SIZED.c.content, _SIZED.c.said).where(_SIZED.c.size <= CARRIED)


class Answerer(NamedTuple):
    """Who completed a round, and the rule that had given it to them, of which version."""

    unit: str
    rule: str | None
    version: int | None = None


@dataclass(slots=True)
class TicketRecord:
    """A ticket with its assignments, oldest first.

    ``registered``: what intake said of it, when that is at hand; see ``matter``. ``supplements``:
    what was added in this act; see ``added``. ``group``: the tickets that are worked on as one, itself
    among them; empty when it is alone. ``arbitration``: the open one. ``past``: its returns, where loaded.
    """

    ticket: Ticket
    assignments: list[Assignment]
    registered: TicketRegistered | None = None
    supplements: list[Supplement] = field(default_factory=list)
    group: list[TicketRecord] = field(default_factory=list, repr=False, compare=False)
    arbitration: Arbitration | None = None
    past: past_returns.Past | None = field(default=None, repr=False, compare=False)

    @property
    def matter(self) -> TicketRegistered:
        """What intake registered, read from its row once."""
        if self.registered is None:
            self.registered = TicketRegistered.on_record(self.ticket.matter)
        return self.registered

    def open(self) -> list[Assignment]:
        """The assignments somebody still has to move."""
        return [each for each in self.assignments if each.status in machine.OPEN]

    def answering_to(self, order: Assignment) -> list[Assignment]:
        """Whose answers an order's unit waits for before its own."""
        of_round = [each for each in self.assignments if each.round == order.round]
        co_handlers = [each for each in of_round if each.role == Role.CO]
        return handing_down.answering_to(order, co_handlers, self.open())

    def completed(self, round: int) -> list[Assignment]:
        """The assignments of a round whose units answered."""
        of_round = (each for each in self.assignments if each.round == round)
        return [each for each in of_round if each.status == AssignmentStatus.COMPLETED]

    def completed_lead(self, round: int) -> Assignment | None:
        """The lead who completed a round; None while nobody has."""
        return next((each for each in self.completed(round) if each.role == Role.LEAD), None)

    def answerer(self, round: int) -> Answerer | None:
        """Who completed a round, of this ticket or of another for it; None while nobody has."""
        if lead := self.completed_lead(round):
            return Answerer(lead.unit, lead.rule, lead.catalogue_version)
        answered = self.ticket.answered or {}
        if answered.get("round") == round:
            version = answered.get("catalogue_version")  # the release before kept none
            return Answerer(answered["lead"], answered["rule"], version)
        return None

    @property
    def waits(self) -> bool:
        """Whether its citizen is owed an answer to this round."""
        ticket = self.ticket
        return ticket.withdrawn_at is None and max(ticket.resolved, ticket.closed) < ticket.round

    def answering(self) -> Assignment | None:
        """Under which assignment its round was answered, its own or one of its group."""
        if lead := self.completed_lead(self.ticket.round):
            return lead
        answered = self.ticket.answered or {}
        if answered.get("round") != self.ticket.round:
            return None
        others = (each for other in self.group for each in other.assignments)
        return next((each for each in others if str(each.id) == answered["assignment"]), None)

    def waiting_with(self) -> list[TicketRecord]:
        """The other tickets of its group that wait for an answer, and for nobody of their own."""
        others = (each for each in self.group if each is not self)
        return [each for each in others if each.waits and not each.engaged]

    @property
    def joined(self) -> TicketRecord | None:
        """The ticket whose units work on this one, too; None when it has units or the desk for itself."""
        return self.holder() if self.waits and not self.engaged else None

    def holder(self) -> TicketRecord | None:
        """The ticket of its group whose units are at work for all that wait; None when nobody is."""
        members = (
            merging.Member(each.ticket.number, each.waits, each.engaged) for each in self.group
        )
        number = merging.holder(members)
        return next((each for each in self.group if each.ticket.number == number), None)

    @property
    def under_audit(self) -> bool:
        """办结审核: whether its lead has answered and the hotline has not let the answer pass (R-22)."""
        return self.waits and self.completed_lead(self.ticket.round) is not None and not self.open()

    @property
    def engaged(self) -> bool:
        """Whether units are at work under its number, or the desk has to find some or audits them."""
        return bool(self.open()) or self.ticket.unassigned_at is not None or self.under_audit

    def at_work(self) -> list[Assignment]:
        """The assignments whose units work on it, or whose answer is audited."""
        return self.completed(self.ticket.round) if self.under_audit else self.open()

    def work(self, assignment: Assignment) -> Work:
        """What is on record of an assignment that its unit wants to complete."""
        has_duty, answering = assignment.limits["first_contact"], self.answering_to(assignment)
        can_be_asked = self.matter.has_contact and not self.matter.reply_declined
        return Work(
            status=AssignmentStatus(assignment.status),
            contact_duty=has_duty is not None and can_be_asked,
            attempts=assignment.attempts,
            reached=assignment.reached,
            co_handlers={each.unit: AssignmentStatus(each.status) for each in answering},
            awaited=(blown := Blown.on_record(assignment.whistle)) is not None
            and not blown.attended,
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
            audited=self.under_audit,
        )


# --- under a lock ------------------------------------------------------------------------------


# These statements are made once and not at every request.
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
LOCKED = (
    select(Tickets)
    .where(col(Tickets.number) != all_(bindparam("known", type_=ARRAY(Text))))
    .order_by(col(Tickets.number))
    .with_for_update()
)


def _with_their_work(chosen: Any) -> SelectOfScalar[Tickets]:
    """Lock the chosen tickets and those worked on with them, in one order for every door. Arrays, for
    then each step goes by an index whatever the planner knows of the table.
    """
    merged, number = col(Tickets.work), col(Tickets.number)
    works = select(merged).where(
        number == any_(func.array(chosen.scalar_subquery())), merged.is_not(None)
    )
    with_them = select(number).where(
        merged.is_not(None), merged == any_(func.array(works.scalar_subquery()))
    )
    return LOCKED.where(number == any_(func.array(union(chosen, with_them).scalar_subquery())))


LOCKED_BY_NUMBERS = _with_their_work(select(func.unnest(NUMBERS.element)))
LOCKED_BY_ASSIGNMENTS = _with_their_work(
    select(Assignments.ticket).where(
        col(Assignments.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
    )
)
LOCKED_BY_WORK = LOCKED.where(col(Tickets.work) == any_(bindparam("works", type_=ARRAY(Text))))
OPENED = select(Arbitrations).where(
    col(Arbitrations.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
)
ASSIGNMENTS_OF = (
    select(Assignments).where(col(Assignments.ticket) == NUMBERS).order_by(col(Assignments.id))
)


async def find_locked(act: ServiceAct, number: str) -> TicketRecord | None:
    """A ticket by number, locked, with its assignments; None when it is not registered here."""
    if number not in act.locked:
        into = {fact.data.into for fact in act.batch if isinstance(fact.data, TicketMerged)}
        # Facts addressed to a unit are only passed on to it: they lock no ticket.
        await lock(act, {*act.lock_order(number, "ticket."), *into})
    record: TicketRecord | None = act.locked[number]
    return record


async def lock(act: ServiceAct, numbers: Iterable[str]) -> None:
    """Lock tickets in the order of their numbers, with those they are worked on with."""
    new = sorted(set(numbers).difference(act.locked))
    if new:
        found = await _lock(act, LOCKED_BY_NUMBERS, numbers=new)
        act.locked |= dict.fromkeys(new) | found


async def locked(act: ServiceAct, number: str) -> TicketRecord:
    """The ticket a fact is about. Raises TooEarly when it has not been registered here yet."""
    record = await find_locked(act, number)
    if record is None:
        raise TooEarly(f"ticket {number} is not registered yet")
    return record


def secret(matter: TicketRegistered) -> bool:
    """Whether who has a matter no more may not read its words either: a report, or a confidential one."""
    return accuses(matter.type) or matter.confidential


def recused_caller(act: ServiceAct, record: TicketRecord) -> bool:
    """回避: whether the caller is a unit that must know nothing of the ticket (R-35, JN-32)."""
    return recused_unit(act, record, act.caller.unit if act.caller else None)


def recused_unit(act: ServiceAct, record: TicketRecord, unit: str | None) -> bool:
    """回避: whether a unit must know nothing of the ticket (R-35, JN-32)."""
    return unit is not None and unit in act.config.dispatching.recused(record.matter)


async def locked_assignment(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Assignment]:
    """An assignment the caller may act on, with its ticket and that one's past.

    Raises NotFound for what does not exist, for another unit's, and for a recused unit's alike;
    BeingTransferred for one that is the caller's in a moment.
    """
    if id not in act.locked:
        found = await _lock(act, LOCKED_BY_ASSIGNMENTS, ids=(ids := act.lock_order(id)))
        act.locked |= dict.fromkeys(ids) | found
        await past_returns.look_ahead(act, list(found))
        loaded = [row for row in act.locked.values() if isinstance(row, TicketRecord)]
        act.locked |= {each.id: record for record in loaded for each in record.assignments}
    record: TicketRecord | None = act.locked[id]
    if record is None:
        raise NotFound
    assignment = next(each for each in record.assignments if each.id == id)
    theirs = not act.caller or act.caller.unit in (None, assignment.unit)
    if recused_caller(act, record):
        raise NotFound
    if not theirs:
        today = acts_as(assignment.unit, act.store.dissolved)
        soon = act.caller and [act.caller.unit] == list(today)
        raise reforming.BeingTransferred if soon else NotFound
    record.past = await past_returns.load(act, record.ticket.number)
    return record, assignment


async def _lock(
    act: ServiceAct, tickets: SelectOfScalar[Tickets], **values: object
) -> dict[str, TicketRecord]:
    """The records of those tickets that are registered here, locked, and of their groups."""
    known = {row.ticket.number: row for row in act.locked.values() if isinstance(row, TicketRecord)}
    rows = await act.rows.load(Ticket, tickets, values | {"known": list(known)})
    while works := {row.work for row in rows if row.work}:
        # Who was merged while we waited for the lock was not there to be locked.
        values = {"works": list(works), "known": [*known, *(row.number for row in rows)]}
        if not (late := await act.rows.load(Ticket, LOCKED_BY_WORK, values)):
            break
        rows += late
    found = {row.number: TicketRecord(row, []) for row in rows}
    if found:
        of_them = {"numbers": list(found)}
        for assignment in await act.rows.load(Assignment, ASSIGNMENTS_OF, of_them):
            found[assignment.ticket].assignments.append(assignment)
        await handle_dues.load(act, (row for each in found.values() for row in each.assignments))
    if opened := {row.arbitration: row.number for row in rows if row.arbitration}:
        for arbitration in await act.rows.load(Arbitration, OPENED, {"ids": list(opened)}):
            found[arbitration.ticket].arbitration = arbitration
    regroup([*known.values(), *found.values()])
    return found


def regroup_loaded(act: ServiceAct) -> None:
    """Bring the groups of all that is locked up to what their tickets say."""
    loaded = (row for row in act.locked.values() if isinstance(row, TicketRecord))
    regroup({id(row): row for row in loaded}.values())


def regroup(loaded: Iterable[TicketRecord]) -> None:
    """Let each record know which others its ticket is worked on with."""
    groups: dict[str, list[TicketRecord]] = defaultdict(list)
    for record in sorted(loaded, key=lambda record: record.ticket.number):
        record.group = []
        if record.ticket.work:
            record.group = groups[record.ticket.work]
            record.group.append(record)


# --- beside it ---------------------------------------------------------------------------------


async def read(act: ServiceAct, number: str) -> TicketRecord:
    """A ticket with its assignments and its group to look at, not locked. Raises NotFound."""
    ticket = await act.session.get(Tickets, number)
    if ticket is None:
        raise NotFound
    group = await _group_of(act, ticket)
    records = {row.number: TicketRecord(row, []) for row in (ticket, *group)}
    for row in await act.session.exec(ASSIGNMENTS_OF, params={"numbers": list(records)}):
        records[row.ticket].assignments.append(row)
    regroup(records.values())
    return records[number]


async def _group_of(act: ServiceAct, ticket: Ticket) -> Sequence[Ticket]:
    if ticket.work is None:
        return []
    others = select(Tickets).where(Tickets.work == ticket.work, Tickets.number != ticket.number)
    return (await act.session.exec(others)).all()


async def added(act: ServiceAct, record: TicketRecord) -> Added:
    """What the citizen added: the newest as far as a work order carries it, and how many more."""
    rows = (await act.session.exec(ADDED, params={"number": record.ticket.number})).all()
    before = {seq: content for seq, content, _ in rows}
    number_before = rows[0][2] if rows else 0  # no single one is longer than what is carried
    now = {each.seq: each.content for each in record.supplements}  # saved when the act ends
    newest = newest_that_fit([content for _, content in sorted((before | now).items())])
    return Added(newest, number_before + len(now) - len(newest))


def unit_code(act: ServiceAct, field: str, called: str) -> str:
    """The code of a unit by its code or name, or of who follows it where it is no more. Raises UnknownCode
    with the nearest, UnitSplit with who follows it, AmbiguousCode.
    """
    today = acts_as(code := named_unit(act, field, called), act.store.dissolved)
    if len(today) > 1:
        raise reforming.UnitSplit(field=field, unit=code, allowed=list(today))
    return today[0]


def named_unit(act: ServiceAct, field: str, called: str) -> str:
    """The code of a unit by its code or name, also of one that is no more. Raises as unit_code."""
    code = (units := act.config.units).names.code(called, field)
    if units.unit(code) is None:
        raise UnknownCode(called, field=field, nearest=list(units.nearest_units(called)))
    return code
