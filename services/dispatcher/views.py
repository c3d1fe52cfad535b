"""What GET answers, and how rows are shown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import col, func, select

from services.dispatcher import reading, records
from services.dispatcher.models import Assignment, Assignments, Supplement, Supplements, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import ticket as tickets
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.schemas import (
    AssignmentOut,
    AssignmentPage,
    Pending,
    Shield,
    SupplementOut,
    SupplementPage,
    TicketOut,
)
from services.dispatcher.worklists.schemas import Handling, HandlingUnit, UnitAnswer
from shared.errors import NotFound, UnknownCode
from shared.events import CompletionKind, Role, Urgency
from shared.http.fields import Sentence
from shared.jurisdiction.succession import acts_as
from shared.storage.rows import one_of

# What every answer about an assignment says of its status.
SENTENCES = {status: Sentence(zh=zh, en=en) for status, (zh, en) in machine.SENTENCES.items()}
AUDITED = Sentence(zh="已报办结：由热线审核答复", en="The hotline audits the answer")
SENT_BACK = Sentence(
    zh="退回补正：由承办单位按审核意见补正后重新办结",
    en="Sent back by the audit: the unit puts its answer right and completes it again",
)


async def ticket_for_caller(act: ServiceAct, number: str) -> TicketOut:
    """A ticket's assignments as the caller may see them.

    The lead sees its whole round, for its co-handlers answer to it (R-13). A co-handler sees its
    own and what it handed down, and so does a unit that leads no more. Raises NotFound, also for a unit
    that has none and for one that has to stand back.
    """
    record = await records.read(act, number)
    if records.recused_caller(act, record):
        raise NotFound
    whole = (await reading.whole(act, [record.ticket]))[number]
    if act.caller and act.caller.unit:
        record.assignments = _seen_by(act.caller.unit, record.assignments)
        if not record.assignments:
            raise NotFound
        record.group = [each for each in record.group if not records.recused_caller(act, each)]
    return ticket_out(act, record, whole)


def _seen_by(unit: str, assignments: Sequence[Assignment]) -> list[Assignment]:
    led = {
        each.round
        for each in assignments
        if each.unit == unit and each.role == Role.LEAD and each.status not in machine.GONE
    }
    return [
        each for each in assignments if unit in (each.unit, each.handed_by) or each.round in led
    ]


async def unit_assignments(
    act: ServiceAct, unit: str, after: str | None, limit: int, statuses: Sequence[str]
) -> AssignmentPage:
    """A page of a unit's assignments, oldest first. Raises NotFound, UnknownCode, BadCursor.

    A unit does not see those of tickets it has to stand back from.
    """
    check_unit_readable(act, unit)
    if unknown := set(statuses) - set(AssignmentStatus):
        raise UnknownCode(sorted(unknown), field="status", allowed=list(AssignmentStatus))
    place = UUID(act.place(after)) if after is not None else None
    found: list[tuple[TicketRecord, Assignment]] = []
    while len(found) <= limit:  # no page is short for what is left out: that would tell of it
        rows = await _of_unit(act, unit, place, limit + 1, statuses)
        found += [row for row in rows if not records.recused_caller(act, row[0])]
        if len(rows) <= limit:
            break
        place = rows[-1][1].id
    known = await reading.whole(act, (record.ticket for record, _ in found[:limit]))
    items = [_shown(act, known[each.ticket], each) for _, each in found[:limit]]
    return AssignmentPage(
        items=items, next=act.cursor(str(items[-1].id)) if len(found) > limit else None
    )


async def _of_unit(
    act: ServiceAct, unit: str, after: UUID | None, limit: int, statuses: Sequence[str]
) -> list[tuple[TicketRecord, Assignment]]:
    """A unit's assignments behind one, oldest first, whether it may see them or not."""
    query = select(Assignments, Tickets).join(
        Tickets, col(Tickets.number) == col(Assignments.ticket)
    )
    query = query.where(Assignments.unit == unit)
    if statuses:
        query = query.where(col(Assignments.status).in_(statuses))
    if after is not None:
        query = query.where(col(Assignments.id) > after)
    rows = await act.session.exec(query.order_by(col(Assignments.id)).limit(limit))
    return [(TicketRecord(ticket, [assignment]), assignment) for assignment, ticket in rows]


async def handling(act: ServiceAct, number: str) -> Handling:
    """办理情况: which units have a ticket, how far they are, and what they answered. Nothing of the
    matter and nothing internal. Raises NotFound.
    """
    record = await records.read(act, number)
    status = tickets.dispatch_status(record.milestones())
    zh, en = tickets.SENTENCES[status]
    holder = record.joined
    theirs = [*record.assignments, *(holder.open() if holder else ())]
    return Handling(
        number=number,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        round=record.ticket.round,
        urgency=record.ticket.urgency,
        merged_into=holder.ticket.number if holder else None,
        units=[_handling_unit(act, each) for each in theirs],
        answer=None if record.under_audit else _answer(record.answering()),
    )


def _handling_unit(act: ServiceAct, assignment: Assignment) -> HandlingUnit:
    shown = assignment.model_dump(include={"unit", "role", "round", "status", "dispatched_at"})
    return HandlingUnit(
        **shown,
        name=act.config.dispatching.names.unit(assignment.unit),
        sentence=SENTENCES[AssignmentStatus(assignment.status)],
    )


def _answer(assignment: Assignment | None) -> UnitAnswer | None:
    if assignment is None or assignment.completion is None:
        return None
    return UnitAnswer.model_validate(assignment.completion | {"unit": assignment.unit})


async def supplements(act: ServiceAct, id: UUID, after: str | None, limit: int) -> SupplementPage:
    """A page of what the citizen added, for the unit that holds the assignment, the desk and
    supervisors. Raises NotFound for everybody else, BadCursor.
    """
    assignment = await act.session.get(Assignments, id)
    if assignment is None:
        raise NotFound
    record = await records.read(act, assignment.ticket)
    if not _may_read(act, record, assignment):
        raise NotFound
    place = int(act.place(after)) if after is not None else 0
    rows = await _supplements(act, assignment.ticket, place, limit + 1)
    items = [SupplementOut.model_validate(row.model_dump()) for row in rows[:limit]]
    return SupplementPage(
        items=items, next=act.cursor(str(items[-1].seq)) if len(rows) > limit else None
    )


async def _supplements(
    act: ServiceAct, number: str, after: int, limit: int
) -> Sequence[Supplement]:
    """What the citizen added behind a place, in the order it was said."""
    query = select(Supplements).where(Supplements.ticket == number, Supplements.seq > after)
    return (await act.session.exec(query.order_by(col(Supplements.seq)).limit(limit))).all()


def _may_read(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> bool:
    """Of units the one that has the assignment still, unless it must withdraw."""
    if act.caller is None or act.caller.unit is None:
        return True
    theirs = assignment.unit == act.caller.unit and assignment.status not in machine.GONE
    return theirs and not records.recused_caller(act, record)


def check_unit_readable(act: ServiceAct, unit: str) -> None:
    """A unit reads its own only, the desk and supervisors read any. Raises NotFound."""
    callers = act.caller.unit if act.caller else None
    if callers not in (None, unit) or act.config.units.unit(unit) is None:
        raise NotFound


def check_feed_readable(act: ServiceAct, unit: str) -> None:
    """As any list of a unit; who alone follows a unit that is no more reads its feed to the end, too.
    Raises NotFound.
    """
    callers = act.caller.unit if act.caller else None
    follows = callers and [callers] == list(acts_as(unit, act.store.dissolved))
    check_unit_readable(act, callers if callers and follows else unit)


# --- as it is answered -------------------------------------------------------------------------


def ticket_out(
    act: ServiceAct, record: TicketRecord, whole: TicketRecord | None = None
) -> TicketOut:
    """A ticket as it is answered; ``whole``: with the orders its reader does not see, too."""
    units = act.caller is not None and act.caller.unit is not None
    status = tickets.dispatch_status(record.milestones())
    zh, en = tickets.SENTENCES[status]
    number, work = record.ticket.number, record.ticket.work
    others = [*filter(None, [record.joined]), *record.waiting_with()]
    merged = [each.ticket.number for each in others]
    # A unit that has to stand back from the other ticket does not learn that there is one.
    known = not units or any(each.ticket.number == work for each in record.group)
    return TicketOut(
        number=number,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        round=record.ticket.round,
        urgency=record.ticket.urgency,
        assignments=[_shown(act, whole or record, each) for each in record.assignments],
        merged_into=None if work == number or not known else work,
        merged=merged,
        citizens=len(merged) + record.waits,
        arbitration=record.ticket.arbitration,
        allowed=reading.allowed_on(act, record),
        shield=None if units else shield(act, record),
    )


def shield(act: ServiceAct, record: TicketRecord) -> Shield:
    """回避: whom a ticket is about, and who may not be given it; for the desk, not for units."""
    matter, dispatching = record.matter, act.config.dispatching
    return Shield(
        reported=matter.about,
        mentioned=[mention.words for mention in dispatching.mentions(matter)],
        recused=sorted(dispatching.barred(matter)),
    )


WITHHELD = "（已不由本单位承办，内容不再显示 it is no longer yours, and not shown）"


def _shown(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> AssignmentOut:
    """An assignment as its reader may see it: whoever lost a report or a confidential matter reads no
    words of it any more (R-35).
    """
    out = assignment_out(act, record, assignment)
    reads = act.caller is not None and act.caller.unit is not None
    if not (reads and assignment.status in machine.GONE and records.secret(record.matter)):
        return out
    withheld = dict.fromkeys(("title", "content", "reason"), WITHHELD)
    return out.model_copy(update=withheld | {"address": None, "whistle": None, "wait": None})


def _sentence(assignment: Assignment, status: AssignmentStatus, *, audited: bool) -> Sentence:
    if audited:
        return AUDITED
    to_correct = assignment.sent_back and status in machine.HANDLING
    return SENT_BACK if to_correct else SENTENCES[status]


def assignment_out(act: ServiceAct, record: TicketRecord, assignment: Assignment) -> AssignmentOut:
    """An assignment as it is answered: its row, as far as the contract shows it, and its matter."""
    status, matter = AssignmentStatus(assignment.status), record.matter
    pending = _pending(record, assignment)
    waits = pending.what if pending else None
    return AssignmentOut.model_validate(
        vars(assignment)
        | {
            "number": record.ticket.number,
            "urgency": Urgency(assignment.urgency),  # a new row has the bare word, known or not
            "sentence": _sentence(assignment, status, audited=waits == "audit"),
            "allowed": reading.allowed(act, record, assignment, waits),
            "completion": assignment.completion and shown_form(assignment.completion),
            "pending": pending,
            "sent_back": assignment.sent_back if status in machine.OPEN else None,
            "type": matter.type,
            "topic": matter.topic,
            "title": matter.title,
            "content": matter.content,
            "area": matter.area,
            "address": None if matter.confidential else matter.address,
            "registered_at": record.ticket.registered_at,
        }
    )


def _pending(record: TicketRecord, assignment: Assignment) -> Pending | None:
    """What the hotline has to decide of its form, unless the order has moved on."""
    if not (known := assignment.pending):
        return None
    kind = CompletionKind(known["kind"])  # a newer release knows more words
    pending = Pending.model_validate(known | {"kind": kind})
    waits = record.under_audit if pending.what == "audit" else assignment.status in machine.OPEN
    return pending if waits else None


def shown_form(completion: dict[str, Any]) -> dict[str, Any]:
    """A form as it is answered: 办理情况 under its name, and under the one it had before."""
    return completion | {"internal_result": completion["result"]}


# --- beside it ---------------------------------------------------------------------------------


async def waiting_in(act: ServiceAct, works: Collection[str]) -> dict[str | None, int]:
    """How many citizens wait for each of these works."""
    if not works:
        return {}
    ended = func.greatest(col(Tickets.resolved), col(Tickets.closed))
    waiting = (
        select(Tickets.work, func.count())
        .where(one_of(Tickets.work, works), col(Tickets.withdrawn_at).is_(None))
        .where(ended < col(Tickets.round))
        .group_by(col(Tickets.work))
    )
    return dict((await act.session.exec(waiting)).all())
