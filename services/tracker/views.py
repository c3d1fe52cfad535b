"""What GET answers of a ticket: its clocks, explained."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    exists,
)
from sqlmodel import col, select

from services.tracker import calendars, records, schemas
from services.tracker.models import Assignments, Clocks, Extension, Extensions
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord, may_see
from services.tracker.rules import machine
from services.tracker.rules.explanation import explain, righted
from services.tracker.rules.extension import ExtensionStatus
from services.tracker.rules.paragraph import approved, paragraph
from services.tracker.rules.revising import Second, second
from shared.errors import NotFound
from shared.events import ClockKind
from shared.http.fields import Sentence
from shared.jurisdiction.calendar import Step

SHOWN = {*("status", "started_at", "resumed_at", "due", "provisional", "ended_at", "next_at")}
CURSOR = "%Y%m%dT%H%M%S.%f"
EVERYBODYS = (ClockKind.SIGN, ClockKind.ATTEND)  # counted of leads and co-handlers
NOT_COME = exists().where(
    col(Assignments.id) == col(Clocks.assignment), col(Assignments.attended_at).is_(None)
)
NOBODYS = (ClockKind.HOTLINE_REVIEW, ClockKind.COMPLETION_AUDIT, ClockKind.ARBITRATION)


# --- the clocks of a ticket --------------------------------------------------------------------


async def list_clocks(act: ServiceAct, number: str) -> schemas.TicketClocks:
    """The clocks of a ticket, each explained. A unit sees its own.

    Raises NotFound, also to a unit that has none and to one that has to stand back.
    """
    record = await records.read(act, number)
    seen = {row.id for row in record.assignments if may_see(act, row.unit)}
    whole = act.caller is None or act.caller.role != "unit"
    if not (seen or whole) or records.recused_caller(act, record):
        raise NotFound
    clocks = [entry for entry in record.clocks.values() if whole or entry.row.assignment in seen]
    handles = {assignment: record.handle_clock(assignment) for assignment in seen}
    return schemas.TicketClocks(
        number=number,
        clocks=[_show_clock(act, record, entry) for entry in clocks],
        extensions=[
            show_extension(row, clock)
            for row in await _extensions(act, number)
            if (clock := handles.get(row.assignment))
        ],
        supervisions=[
            schemas.SupervisionOut.model_validate(row, from_attributes=True)
            for row in record.supervisions.values()
            if row.assignment in seen and may_see(act, row.unit)
        ],
    )


async def _extensions(act: ServiceAct, number: str) -> Sequence[Extension]:
    """The extensions of a ticket, oldest first."""
    query = select(Extensions).where(Extensions.ticket == number).order_by(col(Extensions.asked_at))
    return (await act.session.exec(query)).all()


def _show_clock(act: ServiceAct, record: TicketRecord, entry: ClockEntry) -> schemas.ClockOut:
    """A clock with its explanation."""
    row, state, known = entry.row, entry.state, calendars.of_clock(act, entry.row)
    why, sentence = explain(state, known, record.waits_of(row)), machine.SENTENCES[state.status]
    revised = second(row.revised, row.due_revised, row.ended_at)
    kind, zone = ClockKind(row.kind), known.latest.calendar.tz
    order, right = record.assignment(row.assignment), righted(kind, state, record.matter())
    granted = approved(records.timeline(order).grants if order else (), act.config.units)
    said = paragraph(kind, state, why, zone, revised, right, granted)
    return schemas.ClockOut(
        id=row.id,
        kind=row.kind,
        round=row.round,
        assignment=row.assignment,
        unit=row.unit,
        urgency=row.urgency,
        sentence=Sentence(zh=sentence.zh, en=sentence.en),
        explanation=Sentence(zh=said.zh, en=said.en),
        limit=state.terms.limit,
        policy_version=state.terms.policy_version,
        breached_at=state.breached_at,
        extended_by=state.extension,
        kept=why.kept,
        days=[_show_day(step) for step in why.days],
        extension_days=[_show_day(step) for step in why.extension_days],
        pauses=[schemas.PauseOut(**stop._asdict()) for stop in why.pauses],
        passed=state.marked,
        revised=_show_revised(revised) if revised else None,
        rule=state.terms.rule,
        law=state.terms.law,
        upstream_due=state.terms.upstream and state.terms.upstream.due,
        **state.model_dump(include=SHOWN),
    )


def _show_revised(found: Second) -> schemas.RevisedOut:
    by = found.by.model_dump(exclude={"calendar"})
    return schemas.RevisedOut(due=found.due, late=found.late, **by)


def _show_day(step: Step) -> schemas.DayOut:
    return schemas.DayOut(
        day=step.day,
        working=step.working,
        counted=step.counted,
        note=Sentence(zh=step.note_zh, en=step.note_en),
    )


def show_extension(row: Extension, clock: ClockEntry) -> schemas.ExtensionOut:
    """An extension with the due moment of its clock."""
    shown = row.model_dump() | {"status": stands(row), "granted_days": _granted(row)}
    return schemas.ExtensionOut(**shown, due=clock.state.due)


def _granted(row: Extension) -> int | None:
    """How many days were granted; of one that a release before granted, all."""
    return row.granted_days or row.days if row.status == ExtensionStatus.GRANTED else None


def stands(row: Extension) -> ExtensionStatus:
    """Where an extension stands."""
    return ExtensionStatus.LAPSED if row.lapsed_at else ExtensionStatus(row.status)
