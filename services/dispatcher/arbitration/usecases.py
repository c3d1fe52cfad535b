"""争议裁决: a dispute goes up the ladder, by a unit, the desk or the clock; who is concerned is heard, and it
ends when there is nothing left to rule on (R-17; docs/adr/0054-arbitration.md).

Meanwhile the ticket has the holder it has: a unit with its order, which goes on working unless its return
stops its clocks, or the desk. What is done by hand, and the ruling: rulings.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam
from sqlmodel import col, func, select

from services.dispatcher import orders, records
from services.dispatcher.arbitration import schemas, views
from services.dispatcher.arbitration.models import (
    Arbitration,
    Arbitrations,
    Statement,
)
from services.dispatcher.handling import hurrying
from services.dispatcher.models import Assignment, Return, Returns
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules import arbitration as rules
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules import hotline_reasons
from services.dispatcher.rules.arbitration import (
    ArbitrationStatus,
    InArbitration,
    StatedBefore,
)
from services.dispatcher.rules.assignment import AssignmentStatus
from shared import events
from shared.errors import MoveRefused, NotFound
from shared.events import Role

SECOND = rules.MOMENT
TICKETS_OF = select(Arbitrations.id, Arbitrations.ticket).where(
    col(Arbitrations.id) == any_(bindparam("ids", type_=ARRAY(Uuid)))
)
DISPUTED = select(Returns).where(
    col(Returns.ticket) == bindparam("number"), col(Returns.withdrawn_at).is_(None)
)


# --- opened ------------------------------------------------------------------------------------


async def is_due(act: ServiceAct, record: TicketRecord) -> bool:
    """Whether one more return opens an arbitration: disputes of its round are counted, those the desk
    ruled on and those it has to. What a unit took back, or lost with its order, was none.
    """
    asked = (await act.session.exec(DISPUTED, params={"number": record.ticket.number})).all()
    orders_of = {each.id: each for each in record.assignments}
    disputes = [
        row
        for row in asked
        if (order := orders_of.get(row.assignment))
        and order.round == record.ticket.round
        and (row.granted is not None or order.status in machine.OPEN)
    ]
    return rules.opens(len(disputes), act.config.arbitration)


def open_by_dispute(
    act: ServiceAct, record: TicketRecord, order: Assignment, asked: Return
) -> Arbitration:
    """退单转入裁决: one return too many, so the desk does not rule on it alone (R-17)."""
    return open_(act, record, "dispute", asked.note or asked.legal_basis, order, [asked])


def open_(
    act: ServiceAct,
    record: TicketRecord,
    by: Literal["dispute", "hand"],
    grounds: str,
    order: Assignment | None,
    asked: Collection[Return],
    named: Iterable[str] = (),
) -> Arbitration:
    """Put a ticket before the first body, with the returns that wait for a ruling; who is heard, hears it."""
    ladder, ticket = act.config.arbitration, record.ticket
    opened = Arbitration(
        id=orders.new_id(),
        ticket=ticket.number,
        round=ticket.round,
        by=by,
        assignment=order.id if order else None,
        grounds=grounds,
        opened_at=act.now,
        opened_by=act.actor,
        parties=_parties(act, record, asked, named),
        step=1,
        due=ladder.due(1, act.now, act.config.calendar),
    )
    _begin(act, opened, 1, grounds)
    record.arbitration, ticket.arbitration = act.rows.add(opened), opened.id
    data = events.ArbitrationOpened(
        arbitration=opened.id,
        by=by,
        grounds=grounds,
        parties=tuple(opened.parties),
        step=1,
        title=ladder.step(1).title,
        limit=str(ladder.step(1).limit),
        requests=tuple(each.id for each in asked),
    )
    orders.tell_of_arbitration(act, record, opened, data)
    hurrying.let_work(act, record)
    return opened


def _parties(
    act: ServiceAct, record: TicketRecord, asked: Iterable[Return], named: Iterable[str]
) -> list[str]:
    """Who has or had it in this round, and whom they say it belongs to; of a secret matter nobody
    who has not heard of it already, unless the desk names them.
    """
    had = [each.unit for each in record.assignments if each.round == record.ticket.round]
    said = () if rules.is_secret(record.matter) else [each.suggested_unit for each in asked]
    barred = act.config.dispatching.barred(record.matter)
    return rules.parties((*had, *said, *named), barred)


async def waiting(act: ServiceAct, record: TicketRecord) -> list[Return]:
    """The returns of a ticket that the desk has to rule on."""
    asked = (await act.session.exec(DISPUTED, params={"number": record.ticket.number})).all()
    disputing = {
        each.id for each in record.open() if each.status == AssignmentStatus.RETURN_REQUESTED
    }
    return [row for row in asked if row.granted is None and row.assignment in disputing]


def check_none(record: TicketRecord) -> None:
    """Raises InArbitration while whose duty it is waits for a ruling of the ladder."""
    if opened := record.arbitration:
        doors = ["statements", "raise", "ruling"]
        raise InArbitration(rule="R-17", arbitration=str(opened.id), allowed=doors)


def check_kept(record: TicketRecord, lead: str, helping: Collection[str]) -> None:
    """派单 by hand: who leads, the ruling decides, and whether who disputes that it has to help does; that
    others help, or that somebody has it meanwhile, nobody is kept from. Raises InArbitration.
    """
    for each in record.open():
        if each.role == Role.LEAD and each.unit != lead:
            check_none(record)
        if each.unit not in helping:
            check_released(record, each)


def check_released(record: TicketRecord, order: Assignment) -> None:
    """撤出协办: a co-handler whose dispute the ladder rules on, the ruling frees. Raises InArbitration."""
    opened = record.arbitration
    if opened and order.role == Role.CO and opened.assignment == order.id:
        check_none(record)


# --- at a step ---------------------------------------------------------------------------------


async def locked(act: ServiceAct, id: UUID) -> tuple[TicketRecord, Arbitration]:
    """An arbitration to be moved on, with its ticket, locked.

    Raises NotFound; MoveRefused when it has ended or was ruled on.
    """
    if id not in act.locked:
        ids = act.lock_order(id)
        numbers = dict((await act.session.exec(TICKETS_OF, params={"ids": ids})).all())
        await records.lock(act, set(numbers.values()))
        act.locked |= {each: act.locked.get(numbers.get(each, "")) for each in ids}
    record: TicketRecord | None = act.locked[id]
    if record is None or records.recused_caller(act, record):
        raise NotFound
    if record.arbitration is None or record.arbitration.id != id:
        over = await act.session.get(Arbitrations, id)
        ruled = over is not None and over.ruled_at is not None
        state = ArbitrationStatus.RULED if ruled else ArbitrationStatus.ENDED
        raise MoveRefused("move on", state, [])
    return record, record.arbitration


async def state(act: ServiceAct, id: UUID, body: schemas.Stating) -> schemas.ArbitrationOut:
    """陈述: a unit in dispute, or invited at this step, says its words, once a step.

    Raises NotFound, MoveRefused, StatedBefore, UnknownCode, AmbiguousCode.
    """
    record, opened = await locked(act, id)
    unit = act.caller.unit if act.caller else None
    if unit is None or unit not in orders.heard(act, record, opened):
        raise NotFound
    said = await views.statements(act, opened.id)
    if any((each.step, each.unit) == (opened.step, unit) for each in said):
        raise StatedBefore(step=opened.step)
    suggested = body.suggested_unit and records.unit_code(
        act, "suggested_unit", body.suggested_unit
    )
    stated = Statement(
        arbitration=id,
        step=opened.step,
        unit=unit,
        stated_at=act.now,
        stated_by=act.actor,
        words=body.words,
        legal_basis=body.legal_basis,
        suggested_unit=suggested or None,
    )
    act.rows.add(stated)
    return views.shown(act, record, opened, [*said, stated])


async def raise_by_hand(act: ServiceAct, id: UUID, body: schemas.Raising) -> schemas.ArbitrationOut:
    """提交上一级: this body does not rule, the next one has to. Raises NotFound, MoveRefused."""
    record, opened = await locked(act, id)
    rules.check_raise(opened.step, act.config.arbitration)
    _raise(act, record, opened, body.grounds)
    return views.shown(act, record, opened, await views.statements(act, id))


def _raise(
    act: ServiceAct,
    record: TicketRecord,
    opened: Arbitration,
    grounds: str,
    *,
    silent: bool = False,
) -> None:
    number = opened.step + 1
    _begin(act, opened, number, grounds, silent=silent)
    step = act.config.arbitration.step(number)
    data = events.ArbitrationRaised(
        arbitration=opened.id,
        step=number,
        title=step.title,
        limit=str(step.limit),
        grounds=grounds,
        silent=silent,
    )
    orders.tell_of_arbitration(act, record, opened, data)


def _begin(
    act: ServiceAct, opened: Arbitration, number: int, grounds: str, *, silent: bool = False
) -> None:
    ladder = act.config.arbitration
    opened.step = number
    opened.due = ladder.due(number, act.now, act.config.calendar)
    opened.next_at = opened.due + SECOND
    begun = {
        "step": number,
        "at": act.now.isoformat(),
        "due": opened.due.isoformat(),
        "grounds": grounds,
        "silent": silent,
    }
    opened.steps = [*opened.steps, begun]


# --- by the clock ------------------------------------------------------------------------------


async def raise_unruled(act: ServiceAct, limit: int) -> int:
    """What a body let lie goes up by itself, where the policy says so; at the last it stays, and is looked
    at no more. How many were looked at.
    """
    looked_at = col(Arbitrations.next_at)
    query = select(Arbitrations.id, Arbitrations.ticket).where(looked_at <= act.now)
    late = dict((await act.session.exec(query.order_by(looked_at).limit(limit))).all())
    await records.lock(act, late.values())
    for id, number in late.items():
        record = await records.locked(act, number)
        opened = record.arbitration
        if opened and opened.id == id and opened.next_at and opened.next_at <= act.now:
            _look_at(act, record, opened)
    return len(late)


def _look_at(act: ServiceAct, record: TicketRecord, opened: Arbitration) -> None:
    ladder = act.config.arbitration
    if over := _over(record):
        orders.end_arbitration(act, record, over)
    elif ladder.is_last(opened.step) or ladder.silence == "stay":
        opened.next_at = None
    else:
        why = str(
            hotline_reasons.body_silent(ladder.step(opened.step).zh, ladder.step(opened.step).en)
        )
        _raise(act, record, opened, why, silent=True)


def _over(record: TicketRecord) -> orders.EndOfArbitration | None:
    """Why there is nothing to rule on: a replica of the release before ended the ticket."""
    if record.ticket.withdrawn_at:
        return "withdrawn"
    if not record.waits:
        return "resolved"
    return None if record.engaged else "merged"


async def next_unruled(act: ServiceAct) -> datetime | None:
    """When the next body is silent too long."""
    moment: datetime | None = (await act.session.exec(select(func.min(Arbitrations.next_at)))).one()
    return moment
