"""疑点: raised as facts are heard, explained by later ones; a unit comments once, a supervisor dismisses
(R-34, gain 6, ADR 0075).

A habit is of many tickets, so a job counts it: what is heard of one ticket only notes the occasion. A call
whose contact nobody read is noted, too, until the reading has had its time to be heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam, case, func, text
from sqlmodel import col, select

from services.tracker import records
from services.tracker.discrepancies import views
from services.tracker.discrepancies.models import Discrepancies, Discrepancy
from services.tracker.discrepancies.schemas import CommentIn, DiscrepancyOut, DismissalIn
from services.tracker.models import Ticket
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules import honesty
from services.tracker.rules.discrepancies import MOST_TICKETS, Found, found, id_of
from services.tracker.rules.evidence import Heard, Honesty, Order, Seen, Timed, noted, rules_of
from services.tracker.rules.honesty import DiscrepancyStatus
from shared import events
from shared.errors import MoveRefused, NotFound
from shared.events import Data, DiscrepancyKind, Fact
from shared.jurisdiction.period import Period
from shared.messaging.inbox import Handler

OF_TICKET = (
    select(Discrepancies)
    .where(col(Discrepancies.ticket) == bindparam("number"))
    .order_by(col(Discrepancies.id))
    .with_for_update()
)
NAMED = (
    select(Discrepancies)
    .where(col(Discrepancies.id) == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(col(Discrepancies.id))
    .with_for_update()
)
IN_TURN = text("SELECT pg_advisory_xact_lock(hashtext('habits'))")
INTO_THE_NEXT = timedelta(days=40)  # from the first day of a month lies in the one after it


# --- facts heard -------------------------------------------------------------------------------


async def hear(act: ServiceAct, fact: Fact) -> None:
    """What is evidence and nothing else. Raises TooEarly before the ticket is known."""
    await records.locked(act, fact.subject)


def following(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Handlers after each of which the ticket is looked at."""

    def then_look(handler: Handler) -> Handler:
        async def handle(act: ServiceAct, fact: Fact) -> None:
            await handler(act, fact)
            await _look(act, fact)

        return handle

    return {name: then_look(handler) for name, handler in handlers.items()}


async def _look(act: ServiceAct, fact: Fact) -> None:
    record = act.locked.get(fact.subject)
    if not isinstance(record, TicketRecord):
        return
    record = await _whose(act, record, fact)
    if record.ticket.honesty is None:
        return  # a release before this one registered it, and has kept none of what is evidence
    rules = rules_of(orjson.dumps(record.ticket.honesty.get("rules", {})))
    known = Honesty.model_validate(record.ticket.honesty | {"rules": rules})
    heard = tuple(noted(known.heard, fact))
    stand = {each.id: each for each in found(_seen(record, heard), known.rules)}
    if stand.keys() == known.found.keys() and heard == known.heard:
        return  # as nearly always
    await _compare(act, record, known, stand)
    now = Honesty(
        rules=known.rules, heard=heard, found={id: each.kind for id, each in stand.items()}
    )
    record.ticket.honesty = now.model_dump(mode="json", exclude_defaults=True)


async def _whose(act: ServiceAct, record: TicketRecord, fact: Fact) -> TicketRecord:
    """The ticket with the order under which a contact was read, where several are worked on as one."""
    if fact.name != "contact.read" or record.assignment(fact.assignment):
        return record
    group = await records.worked_on_with(act, fact.subject)
    return next((each for each in group if each.assignment(fact.assignment)), record)


def _seen(record: TicketRecord, heard: tuple[Heard, ...]) -> Seen:
    orders = [
        Order(
            id=row.id,
            unit=row.unit,
            role=row.role,
            round=row.round,
            dispatched_at=row.dispatched_at,
            redispatched_at=row.cancelled_at if row.cancel_reason == "redispatched" else None,
            kept_at=records.timeline(row).promise.kept_at if row.promise else None,
        )
        for row in record.assignments
    ]
    clocks = [
        Timed(each.row.assignment, each.row.kind, each.row.status, each.row.due, each.row.ended_at)
        for each in record.clocks.values()
    ]
    ticket = record.ticket
    return Seen(ticket.number, heard, orders, clocks, withdrawn=ticket.withdrawn_at is not None)


async def _compare(
    act: ServiceAct, record: TicketRecord, known: Honesty, stand: Mapping[UUID, Found]
) -> None:
    """Raise what is new, where the county looks for it today; explain what stands no more."""
    new, gone = sorted(stand.keys() - known.found.keys()), sorted(known.found.keys() - stand.keys())
    if not new and not gone:
        return
    rows = await _rows(act, record.ticket.number)
    looked_for = versions.in_force(act).rules.honesty.looks_for
    for id in new:
        if looked_for(stand[id].kind):
            _raise(act, record.ticket, rows, stand[id])
    for id in gone:
        if id in rows:
            _explain(act, rows[id])


async def _rows(act: ServiceAct, number: str) -> dict[UUID, Discrepancy]:
    """The discrepancies of a ticket, locked, once an act."""
    key = ("discrepancies", number)
    if key not in act.locked:
        loaded = await act.rows.load(Discrepancy, OF_TICKET, {"number": number})
        act.locked[key] = {row.id: row for row in loaded}
    rows: dict[UUID, Discrepancy] = act.locked[key]
    return rows


def _raise(act: ServiceAct, ticket: Ticket, rows: dict[UUID, Discrepancy], what: Found) -> None:
    """疑点: once for its evidence; one that had been explained too soon stands again."""
    order = what.order
    is_habit = versions.in_force(act).rules.honesty.needed(what.kind) is not None
    waits = is_habit or what.kind is DiscrepancyKind.CONTACT_UNREAD
    row = rows.get(what.id)
    if row is None:
        row = rows[what.id] = act.rows.add(
            Discrepancy(
                id=what.id,
                kind=what.kind,
                status=DiscrepancyStatus.NOTED,
                ticket=ticket.number,
                round=order.round if order else 1,
                assignment=order.id if order else None,
                unit=order.unit if order else None,
                at=what.at,
                raised_at=act.now,
                reason=honesty.reason(what.kind),
                evidence=[each.model_dump(mode="json") for each in what.evidence],
                tickets=list(what.tickets),
            )
        )
    elif row.explained_at is None or row.status == DiscrepancyStatus.DISMISSED:
        return
    row.status, row.explained_at, row.to_look_at = DiscrepancyStatus.NOTED, None, waits
    if not waits:
        _open(act, row)


def _open(act: ServiceAct, row: Discrepancy) -> None:
    row.status, row.explained_at = DiscrepancyStatus.OPEN, None
    data = events.DiscrepancyRaised.on_record(
        {
            "discrepancy": row.id,
            "kind": row.kind,
            "about_unit": row.unit,
            "noticed_at": row.at,
            "reason": row.reason,
            "evidence": row.evidence,
            "tickets": row.tickets,
        }
    )
    _tell(act, row, data)


def _explain(act: ServiceAct, row: Discrepancy) -> None:
    """疑点消除: it stays on record; what a person dismissed stays dismissed, what was only noted is nobody's
    to read.
    """
    was, row.explained_at = row.status, act.now
    if was == DiscrepancyStatus.NOTED:
        row.to_look_at = True
    elif was == DiscrepancyStatus.OPEN:
        row.status = DiscrepancyStatus.EXPLAINED
        _tell(act, row, _said(events.DiscrepancyExplained, row, reason=honesty.EXPLAINED))


# --- by the clock ------------------------------------------------------------------------------


async def look_again(act: ServiceAct, limit: int) -> int:
    """Raise what has waited and still stands; of habits count the occasions a unit has in the month of each
    that is new. How many were looked at.
    """
    await (await act.session.connection()).execute(IN_TURN)
    new = await act.rows.load(Discrepancy, _waiting(act).limit(limit))
    months = set[tuple[str, str, Period]]()
    for row in new:
        row.to_look_at = False
        stands = row.status == DiscrepancyStatus.NOTED and row.explained_at is None
        if row.kind != DiscrepancyKind.CONTACT_UNREAD:
            months |= {(row.kind, row.unit, _month(act, row.at))} if row.unit else set()
        elif stands:
            _open(act, row)
    for kind, unit, month in sorted(months, key=str):
        await _count(act, DiscrepancyKind(kind), unit, month)
    return len(new)


async def next_look(act: ServiceAct) -> datetime | None:
    """When the next one is to be looked at."""
    moment = select(func.min(_ripe(act))).where(col(Discrepancies.to_look_at))
    found: datetime | None = (await act.session.exec(moment)).one()
    return found


def _waiting(act: ServiceAct) -> Any:
    due = select(Discrepancies).where(col(Discrepancies.to_look_at), _ripe(act) <= act.now)
    # Whoever hears facts has a ticket locked first.
    return due.order_by(col(Discrepancies.id)).with_for_update(skip_locked=True)


def _ripe(act: ServiceAct) -> ColumnElement[datetime]:
    """From when on each is looked at. A reading and the call after it are heard from two services, in either
    order: a call waits as long as its reading may come.
    """
    rules = versions.in_force(act).rules.honesty.contact_unread
    grace = timedelta(minutes=rules.grace_minutes if rules else 0)
    is_call = col(Discrepancies.kind) == DiscrepancyKind.CONTACT_UNREAD
    noted_at = col(Discrepancies.raised_at)
    return case((is_call, noted_at + grace), else_=noted_at)


def _month(act: ServiceAct, at: datetime) -> Period:
    """The month, as the place counts it, in which something happened; to its end."""
    place = act.config.place
    month = place.counted(None, None, at)
    after = place.counted(None, None, month.start + INTO_THE_NEXT)
    return Period(month.first, after.first - timedelta(days=1), month.start, after.start)


async def _count(act: ServiceAct, kind: DiscrepancyKind, unit: str, month: Period) -> None:
    occasions = select(Discrepancies.at, Discrepancies.ticket).where(
        col(Discrepancies.kind) == kind,
        col(Discrepancies.unit) == unit,
        col(Discrepancies.status) == DiscrepancyStatus.NOTED,
        col(Discrepancies.explained_at).is_(None),
        col(Discrepancies.at) >= month.start,
        col(Discrepancies.at) < month.end,
    )
    found = sorted((await act.session.exec(occasions)).all())
    id = id_of(kind, unit, month.first)
    row = next(iter(await act.rows.load(Discrepancy, NAMED, {"ids": [id]})), None)
    needed = row.needed if row else versions.in_force(act).rules.honesty.needed(kind)
    if needed is None:
        return
    if len(found) < needed:
        if row and row.status == DiscrepancyStatus.OPEN:
            _explain(act, row)
        return
    why = honesty.reason(kind, len(found))
    tickets = sorted({number for _, number in found if number})[:MOST_TICKETS]
    if row is None:
        row = act.rows.add(
            Discrepancy(
                id=id,
                kind=kind,
                status=DiscrepancyStatus.EXPLAINED,
                unit=unit,
                at=found[needed - 1][0],
                raised_at=act.now,
                reason=why,
                evidence=[],
                tickets=tickets,
                needed=needed,
            )
        )
    if row.status != DiscrepancyStatus.DISMISSED:
        row.at, row.reason, row.tickets = found[needed - 1][0], why, tickets
    if row.status == DiscrepancyStatus.EXPLAINED:
        _open(act, row)


# --- acts over HTTP ----------------------------------------------------------------------------


async def comment(act: ServiceAct, id: UUID, body: CommentIn) -> DiscrepancyOut:
    """申辩: what its unit says to it, once. Raises NotFound, also to another unit and to one that has to
    stand back; MoveRefused when it has said so before.
    """
    row = await _locked(act, id)
    if not records.may_see(act, row.unit) or await views.is_recused(act, row):
        raise NotFound
    if row.commented_at:
        raise MoveRefused("comment", "commented", [])
    row.comment, row.commented_at, row.commented_by = body.comment, act.now, act.actor
    _tell(act, row, _said(events.DiscrepancyCommented, row, comment=body.comment))
    return await views.discrepancy_out(act, row)


async def dismiss(act: ServiceAct, id: UUID, body: DismissalIn) -> DiscrepancyOut:
    """排除: a supervisor looked into it and found nothing; it stays on record, with who and why.

    Raises NotFound; MoveRefused when it was explained or dismissed before.
    """
    row = await _locked(act, id)
    if row.status != DiscrepancyStatus.OPEN:
        raise MoveRefused("dismiss", row.status, [])
    row.status, row.dismissed_at = DiscrepancyStatus.DISMISSED, act.now
    row.dismissed_by, row.dismissed_reason = act.actor, body.reason
    _tell(act, row, _said(events.DiscrepancyDismissed, row, reason=body.reason))
    return await views.discrepancy_out(act, row)


async def _locked(act: ServiceAct, id: UUID) -> Discrepancy:
    """One, locked; of an occasion of a habit nobody says anything. Raises NotFound."""
    if id not in act.locked:
        ids = act.lock_order(id)
        found = await act.rows.load(Discrepancy, NAMED, {"ids": ids})
        act.locked |= dict.fromkeys(ids) | {row.id: row for row in found}
    row: Discrepancy | None = act.locked[id]
    if row is None or row.status == DiscrepancyStatus.NOTED:
        raise NotFound
    return row


def _said(data: type[Data], row: Discrepancy, **more: str) -> Data:
    return data.on_record({"discrepancy": row.id, "kind": row.kind, **more})


def _tell(act: ServiceAct, row: Discrepancy, data: Data) -> None:
    subject = row.ticket or f"unit:{row.unit}"
    act.tell(data, subject=subject, round=row.round, assignment=row.assignment)
