"""延期: asked by a unit, ruled on by a supervisor or a higher office, ended with its ground (R-18, 0082)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import uuid6
from pydantic import TypeAdapter
from sqlalchemy import or_
from sqlmodel import col, select

from services.tracker import calendars, records, schemas, telling, views
from services.tracker.clockwork import recompute_clocks
from services.tracker.lists import unit_of
from services.tracker.models import Assignment, Extension, Extensions
from services.tracker.policies import versions
from services.tracker.records import ServiceAct, TicketRecord
from services.tracker.rules import extension
from services.tracker.rules.earlier import before
from services.tracker.rules.extending import Grant, SecondExtension
from services.tracker.rules.extension import (
    Asking,
    ExtensionRuledElsewhere,
    ExtensionStatus,
    NothingToExtend,
    Ruling,
)
from services.tracker.rules.machine import OPEN
from services.tracker.rules.people import OfOffice
from services.tracker.rules.timelines import AssignmentTimeline, first_rounds
from shared import events
from shared.errors import NotFound
from shared.events import Data, Fact, Role, Urgency
from shared.messaging.inbox import Handler
from shared.storage.rows import one_of

WAITING = (
    col(Extensions.status) == ExtensionStatus.ASKED,
    col(Extensions.lapsed_at).is_(None),
)
GRANTS = TypeAdapter(tuple[Grant, ...])
WAITING_OF = select(Extensions).where(col(Extensions.ticket) == records.NUMBERS, *WAITING)


async def request_extension(
    act: ServiceAct, id: UUID, body: schemas.ExtensionIn
) -> schemas.ExtensionOut:
    """延期申请: by the unit, on its own open handle clock, in time; a second where policy gives one."""
    record, assignment = await records.of_assignment(act, id)
    clock = record.handle_clock(id)
    if clock is None:
        raise NothingToExtend
    asking = Asking(
        days=body.days,
        clock=clock.state,
        urgency=Urgency(assignment.urgency),
        redo=assignment.redo or assignment.round > 1,
        before=await _before(act, record, assignment),
        now=act.now,
        unit=calendars.unit_of(clock.row),
    )
    policy = versions.in_force(act, clock.state.started_at)
    extension.check(asking, record.matter(), policy)
    second = policy.rules.extension.second if asking.before else None
    office = _office(act, record, assignment.unit, second) if second else None
    asked = Extension(
        id=UUID(bytes=uuid6.uuid7().bytes),
        ticket=assignment.ticket,
        assignment=id,
        unit=assignment.unit,
        status=ExtensionStatus.ASKED,
        asked_at=act.now,
        asked_by=act.actor,
        ordinal=len(asking.before) + 1,
        office=office,
        **body.model_dump(),
    )
    act.rows.add(asked)
    said = {"extension": asked.id, "ordinal": asked.ordinal, "office": office}
    _say(act, assignment, events.ExtensionRequested(**said, **body.model_dump()))
    by: OfOffice = second.by if second and office else "hotline_supervisor"
    telling.ask_to_rule(act, record, assignment, asked, by)
    return views.show_extension(asked, clock)


async def rule_on_extension(
    act: ServiceAct, id: UUID, body: schemas.RulingIn
) -> schemas.ExtensionOut:
    """延期审批: a grant moves the due moment by as many days as it gives, also when the old one has passed
    meanwhile.

    Raises NotFound, also to a unit that it does not concern; ExtensionRuledElsewhere, MoveRefused,
    MoreThanAsked.
    """
    record, assignment, asked = await records.of_extension(act, id)
    office = _check_ruler(act, record, asked)
    clock = record.handle_clock(assignment.id)
    if clock is None:
        raise NothingToExtend
    ruling = Ruling.GRANT if body.granted else Ruling.REFUSE
    asked.status = extension.rule(views.stands(asked), ruling, clock.state.status)
    asked.ruled_at, asked.ruled_by, asked.ruling = act.now, act.actor, body.reason
    if not body.granted:
        _say(act, assignment, events.ExtensionRefused(extension=id, reason=body.reason))
        return views.show_extension(asked, clock)
    asked.granted_days = extension.days_granted(asked.days, body.days)
    while_open = clock.state.status in OPEN
    lengthen(assignment, asked.granted_days, act.now, office)
    recompute_clocks(act, record, act.now)
    granted = events.ExtensionGranted(
        extension=id,
        days=asked.granted_days,
        due=clock.state.due,
        reason=body.reason,
        role=Role(assignment.role),
        unit_reason=asked.reason,
        while_open=while_open,
        asked=asked.days,
        ordinal=asked.ordinal,
        office=office,
    )
    _say(act, assignment, granted)
    return views.show_extension(asked, clock)


def lengthen(assignment: Assignment, days: int, at: datetime, office: str | None) -> None:
    """Give an order so many working days more than it was granted before."""
    grants = (*records.timeline(assignment).grants, Grant(at, days, office))
    assignment.granted = GRANTS.dump_python(grants, mode="json")
    assignment.extension, assignment.extended_at = sum(each.days for each in grants), at


def _elsewhere(
    act: ServiceAct, record: TicketRecord, assignment: Assignment
) -> list[AssignmentTimeline]:
    """The orders by which its unit had the matter under other numbers (ADR 0049)."""
    carried = (each.order for each in record.matter().carried if not each.joined)
    firsts = first_rounds(record.round_timelines())
    return before(records.timeline(assignment), carried, act.store.dissolved, firsts)


async def _before(
    act: ServiceAct, record: TicketRecord, assignment: Assignment
) -> Sequence[ExtensionStatus]:
    """How those stand that an assignment asked for, and those ruled on under an earlier one, or asked for
    while its unit had the matter under another number (ADR 0087).
    """
    own, asked_at = col(Extensions.assignment) == assignment.id, col(Extensions.asked_at)
    ruled = col(Extensions.status) != ExtensionStatus.ASKED
    had = [one_of(Extensions.assignment, record.orders_like(assignment, act.store.dissolved))]
    had += (
        (col(Extensions.assignment) == each.id)
        & asked_at.between(each.dispatched_at, each.cancelled_at or act.now)
        for each in _elsewhere(act, record, assignment)
    )
    theirs = own | (or_(*had) & ruled)
    query = select(Extensions).where(theirs).order_by(asked_at, col(Extensions.id))
    return [views.stands(row) for row in (await act.session.exec(query)).all()]


# --- who rules on it ---------------------------------------------------------------------------


def _office(
    act: ServiceAct, record: TicketRecord, unit: str, second: SecondExtension
) -> str | None:
    """再次延期: the first office of the policy that may rule on it; where none may, a supervisor does."""
    offices = versions.in_force(act).rules.told.offices(second.by)
    return next((code for code in offices if _may_rule(act, record, code, unit)), None)


def _may_rule(act: ServiceAct, record: TicketRecord, office: str, unit: str) -> bool:
    """Not in its own matter, nor where it has to stand back (R-35)."""
    ticket = record.ticket
    recused = act.config.recused(ticket.about, ticket.area or "")
    return office != unit and office not in recused and act.config.units.unit(office) is not None


def _check_ruler(act: ServiceAct, record: TicketRecord, asked: Extension) -> str | None:
    """Which office rules on it; a supervisor where there is none, or none that may since.

    Raises NotFound, ExtensionRuledElsewhere.
    """
    unit, office = unit_of(act), asked.office
    if office and not _may_rule(act, record, office, asked.unit):
        office = None
    if unit and (unit not in (asked.unit, office) or records.recused_caller(act, record)):
        raise NotFound
    if unit != office:
        known = act.config.units.unit(office) if office else None
        raise ExtensionRuledElsewhere(office, known.name if known else "")
    return office


# --- what it was asked for has ended -----------------------------------------------------------


def ending(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Handlers of facts that may end an order: an extension that still waits ends with it."""

    def then_lapse(handler: Handler) -> Handler:
        async def handle(act: ServiceAct, fact: Fact) -> None:
            await handler(act, fact)
            record = act.locked.get(fact.subject)
            if isinstance(record, TicketRecord):
                await _lapse(act, record)

        return handle

    return {name: then_lapse(handler) for name, handler in handlers.items()}


async def _lapse(act: ServiceAct, record: TicketRecord) -> None:
    for asked in await _waiting(act, record.ticket.number):
        assignment, clock = (
            record.assignment(asked.assignment),
            record.handle_clock(asked.assignment),
        )
        if assignment is None or clock is None:
            continue
        order = records.timeline(assignment)
        ended = extension.lapses(order, clock.state, record.matter().withdrawal)
        if ended:
            asked.lapsed_at = max(ended.at, asked.asked_at)
            lapsed = events.ExtensionLapsed(extension=asked.id, reason=ended.why)
            _say(act, assignment, lapsed, asked.lapsed_at)


async def _waiting(act: ServiceAct, number: str) -> Sequence[Extension]:
    """The extensions of a ticket that nobody has ruled on; of all that are locked by then, asked for once."""
    known: dict[str, list[Extension]] = act.locked.setdefault("extensions that wait", {})
    if number not in known:
        locked = {key for key, each in act.locked.items() if isinstance(each, TicketRecord)}
        new = sorted(locked - known.keys())
        known.update((each, []) for each in new)
        for row in await act.rows.load(Extension, WAITING_OF, {"numbers": new}):
            known[row.ticket].append(row)
    return known[number]


def _say(act: ServiceAct, assignment: Assignment, data: Data, time: datetime | None = None) -> None:
    act.tell(
        data,
        subject=assignment.ticket,
        time=time or act.now,
        round=assignment.round,
        assignment=assignment.id,
        unit=assignment.unit,
    )
