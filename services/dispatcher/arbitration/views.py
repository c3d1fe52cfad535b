"""What is shown of arbitrations: one with all that was said, and the list of those that are open."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import col, func, select

from services.dispatcher import orders, records
from services.dispatcher.arbitration.models import (
    Arbitration,
    Arbitrations,
    Statement,
    Statements,
)
from services.dispatcher.arbitration.schemas import (
    ArbitrationCounts,
    ArbitrationItem,
    ArbitrationOut,
    ArbitrationPage,
    RulingOut,
    StatementOut,
    StepOut,
)
from services.dispatcher.models import Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.arbitration import SENTENCES, ArbitrationStatus, Step, is_secret
from services.dispatcher.worklists.narrowing import RANK, conditions, last_place, next_place
from services.dispatcher.worklists.schemas import Narrowing
from shared.errors import NotFound
from shared.events import Role, TicketRegistered
from shared.http.fields import Sentence
from shared.storage.rows import one_of

OF_TICKET = (
    col(Arbitrations.ruled_at).is_(None),
    col(Arbitrations.ended_at).is_(None),
    col(Tickets.number) == col(Arbitrations.ticket),
)


async def read(act: ServiceAct, id: UUID) -> ArbitrationOut:
    """One arbitration with all that was said. A unit reads one in which it is heard.

    Raises NotFound, also to a unit that has no part in it or has to stand back (R-35).
    """
    found = await act.session.get(Arbitrations, id)
    if found is None:
        raise NotFound
    record = await records.read(act, found.ticket)
    unit = act.caller.unit if act.caller else None
    if unit and unit not in (*orders.heard(act, record, found), *_named(act, record, found)):
        raise NotFound
    return shown(act, record, found, await statements(act, id))


def _named(act: ServiceAct, record: TicketRecord, ruled: Arbitration) -> list[str]:
    """Whom the ruling names, though they were no party."""
    recused = act.config.dispatching.recused(record.matter)
    return [each for each in (ruled.lead, *ruled.co_handlers) if each and each not in recused]


async def statements(act: ServiceAct, id: UUID) -> Sequence[Statement]:
    """What units said in an arbitration, in the order it was said."""
    said = select(Statements).where(Statements.arbitration == id)
    return (await act.session.exec(said.order_by(col(Statements.stated_at)))).all()


async def open_ones(
    act: ServiceAct,
    narrowed: Narrowing,
    step: int | None,
    role: str | None,
    after: str | None,
    limit: int,
) -> ArbitrationPage:
    """Open arbitrations, the most urgent first, of each what is due first; a unit finds and counts those
    in which it is heard.

    Raises UnknownCode, AmbiguousCode, BadCursor.
    """
    wanted = [*await waits(act, role), *conditions(act, narrowed)]
    if narrowed.unit:
        wanted.append(col(Arbitrations.parties).contains([narrowed.unit]))
    if step is not None:
        wanted.append(col(Arbitrations.step) == step)
    place = tuple_(RANK, col(Arbitrations.due), col(Arbitrations.id))
    query = select(*place.clauses, Tickets, Arbitrations).where(*wanted)  # type: ignore[call-overload]
    if after is not None and (last := last_place(act, after, UUID)):
        query = query.where(place > last)
    rows = (await act.session.exec(query.order_by(place).limit(limit + 1))).all()
    said = await _heard(act, [row[-1] for row in rows[:limit]])
    items = [_item(act, *row[-2:], heard=said[row[-1].id]) for row in rows[:limit]]
    return ArbitrationPage(
        items=items, next=next_place(act, rows, limit), counts=await _counts(act, wanted)
    )


async def waits(act: ServiceAct, role: str | None = None) -> list[Any]:
    """What stands in the list, for this caller; of a role: what is before a body whose ruling it records."""
    ladder = act.config.arbitration.ladder
    steps = [number for number, step in enumerate(ladder, 1) if step.role == role]
    before = func.least(col(Arbitrations.step), len(ladder)).in_(steps)
    return [*OF_TICKET, *([before] if role else []), *await _heard_in(act)]


async def _heard_in(act: ServiceAct) -> list[Any]:
    """For a unit, a condition that leaves those in which it is heard: few are open at a time."""
    unit = act.caller.unit if act.caller else None
    if unit is None:
        return []
    rows = await act.session.exec(select(Arbitrations, Tickets).where(*OF_TICKET))
    heard = [
        row.id for row, ticket in rows if unit in orders.heard(act, TicketRecord(ticket, []), row)
    ]
    return [one_of(Arbitrations.id, heard)]


async def _heard(act: ServiceAct, listed: Sequence[Arbitration]) -> Mapping[UUID, list[str]]:
    """Which units have been heard at the step each is before."""
    found: dict[UUID, list[str]] = defaultdict(list)
    steps = {row.id: row.step for row in listed}
    query = select(Statements).where(one_of(Statements.arbitration, steps))
    for said in await act.session.exec(query.order_by(col(Statements.stated_at))):
        if said.step == steps[said.arbitration]:
            found[said.arbitration].append(said.unit)
    return found


async def _counts(act: ServiceAct, wanted: Iterable[Any]) -> ArbitrationCounts:
    late = func.count().filter(col(Arbitrations.due) < act.now)
    by = col(Arbitrations.step), col(Tickets.urgency)
    query = select(*by, func.count(), late).where(*wanted).group_by(*by)
    steps: Counter[int] = Counter()
    urgencies: Counter[str] = Counter()
    overdue = 0
    for step, urgency, number, of_late in await act.session.exec(query):
        steps[step] += number
        urgencies[str(urgency)] += number
        overdue += of_late
    return ArbitrationCounts(total=steps.total(), overdue=overdue, urgencies=urgencies, steps=steps)


# --- as they are answered ----------------------------------------------------------------------


MATTER = {"type", "topic", "area"}
ROW = {"id", "round", "by", "grounds", "opened_at", "step", "due", "parties"}


def _title(step: Step) -> Sentence:
    return Sentence(zh=step.zh, en=step.en)


def _title_of(act: ServiceAct, matter: TicketRegistered) -> str | None:
    """What a matter is called; a unit that is only heard reads it of no confidential one, and no report."""
    is_heard = act.caller is not None and act.caller.unit is not None
    return None if is_heard and is_secret(matter) else matter.title


def _item(
    act: ServiceAct, ticket: Ticket, opened: Arbitration, *, heard: Sequence[str]
) -> ArbitrationItem:
    matter, step = TicketRecord(ticket, []).matter, act.config.arbitration.step(opened.step)
    return ArbitrationItem(
        **opened.model_dump(include=ROW),
        **matter.model_dump(include=MATTER),
        number=opened.ticket,
        title=_title(step),
        role=step.role,
        heard=list(heard),
        urgency=ticket.urgency,
        matter=_title_of(act, matter),
    )


def shown(
    act: ServiceAct, record: TicketRecord, found: Arbitration, said: Iterable[Statement]
) -> ArbitrationOut:
    """An arbitration as it is answered."""
    matter, ladder = record.matter, act.config.arbitration
    status, step = _status(found), ladder.step(found.step)
    zh, en = SENTENCES[status]
    holders = (each.unit for each in record.open() if each.role == Role.LEAD)
    return ArbitrationOut(
        **found.model_dump(include=ROW | {"ended_at", "ended_reason"}),
        **matter.model_dump(include=MATTER),
        number=found.ticket,
        status=status,
        sentence=Sentence(zh=zh, en=en),
        title=_title(step),
        role=step.role,
        last=ladder.is_last(found.step),
        holder=next(holders, None),
        urgency=record.ticket.urgency,
        matter=_title_of(act, matter),
        content=None if is_secret(matter) else matter.content,
        steps=[StepOut(**each, title=_title(ladder.step(each["step"]))) for each in found.steps],
        statements=[StatementOut(**each.model_dump()) for each in said],
        ruling=_ruling(found),
    )


def _status(found: Arbitration) -> ArbitrationStatus:
    if found.ruled_at:
        return ArbitrationStatus.RULED
    return ArbitrationStatus.ENDED if found.ended_at else ArbitrationStatus.OPEN


def _ruling(found: Arbitration) -> RulingOut | None:
    if found.ruled_at is None:
        return None
    return RulingOut.model_validate(found.model_dump())
