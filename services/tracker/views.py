"""What GET answers: clocks explained, on-time rates, standing breaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Exists,
    Subquery,
    case,
    cast,
    column,
    exists,
    func,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from services.tracker import calendars, records, schemas
from services.tracker.models import Assignments, Clock, Clocks, Extension, Extensions
from services.tracker.records import ClockEntry, ServiceAct, may_see
from services.tracker.rules import machine
from services.tracker.rules.calendars import Calendars
from services.tracker.rules.explanation import explain
from services.tracker.rules.extension import ExtensionStatus
from services.tracker.rules.paragraph import paragraph
from services.tracker.rules.rates import Share, Tally, absent, share
from shared.errors import NotFound
from shared.events import ClockKind, Role
from shared.http.fields import Sentence
from shared.jurisdiction.calendar import Step
from shared.jurisdiction.period import period

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
        clocks=[_show_clock(entry, calendars.of_clock(act, entry.row)) for entry in clocks],
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


def _show_clock(entry: ClockEntry, known: Calendars) -> schemas.ClockOut:
    """A clock with its explanation."""
    row, state = entry.row, entry.state
    why, sentence = explain(state, known), machine.SENTENCES[state.status]
    said = paragraph(ClockKind(row.kind), state, why, known.latest.calendar.tz)
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
        breached_at=state.breached_at,
        extended_by=state.extension,
        kept=why.kept,
        days=[_show_day(step) for step in why.days],
        extension_days=[_show_day(step) for step in why.extension_days],
        pauses=[schemas.PauseOut(**stop._asdict()) for stop in why.pauses],
        passed=state.marked,
        **state.model_dump(include=SHOWN),
    )


def _show_day(step: Step) -> schemas.DayOut:
    return schemas.DayOut(
        day=step.day,
        working=step.working,
        counted=step.counted,
        note=Sentence(zh=step.note_zh, en=step.note_en),
    )


def show_extension(row: Extension, clock: ClockEntry) -> schemas.ExtensionOut:
    """An extension with the due moment of its clock."""
    shown = row.model_dump() | {"status": stands(row)}
    return schemas.ExtensionOut(**shown, due=clock.state.due)


def stands(row: Extension) -> ExtensionStatus:
    """Where an extension stands."""
    return ExtensionStatus.LAPSED if row.lapsed_at else ExtensionStatus(row.status)


# --- figures -----------------------------------------------------------------------------------


async def read_on_time_rates(
    act: ServiceAct, first: date | None, last: date | None
) -> schemas.RatesOut:
    """按期办结率 and 及时签收率 of a period, this month so far by default; a unit sees its own.

    A clock counts in the period in which it was judged: when it was met in time, or breached.
    Raises Malformed for a period that ends before it begins.
    """
    of = period(first, last, act.now, act.config.calendar.tz)
    rows = [row for row in await _judged(act, of.start, of.end) if may_see(act, row.unit)]
    return schemas.RatesOut(
        start=of.first,
        end=of.last,
        handle=_show_share(share(rows, ClockKind.HANDLE)),
        handle_uncharged=_show_share(share(rows, ClockKind.HANDLE, charged=False)),
        sign=_show_share(share(rows, ClockKind.SIGN)),
        hotline_review=_show_share(share(rows, ClockKind.HOTLINE_REVIEW)),
        completion_audit=_show_share(share(rows, ClockKind.COMPLETION_AUDIT)),
        arbitration=_show_share(share(rows, ClockKind.ARBITRATION)),
        attend=_show_attend(rows),
        units=[
            _unit_rates(act, rows, unit) for unit in sorted({row.unit for row in rows if row.unit})
        ],
    )


async def _judged(act: ServiceAct, start: datetime, end: datetime) -> list[Tally]:
    """The duties judged in [start, end) by unit and kind: sign clocks, those of who was whistled for, handle
    clocks of leads, and the desk's on requests and audits and those of the bodies of the ladder, which
    are no unit's.

    A co-handler answers to its lead, not to the citizen. A unit that had a ticket twice in a round had
    the duty once, and was late if it ever was (ADR 0049).
    """
    duties = _duties(act, start, end)
    on_time, uncharged, extended = duties.c.on_time, duties.c.uncharged, duties.c.extended
    query = select(  # type: ignore[call-overload]  # typed to 4 columns
        duties.c.unit,
        duties.c.kind,
        func.count(),
        func.count().filter(on_time),
        func.count().filter(on_time & extended),
        func.count().filter(uncharged),
        func.count().filter(uncharged & extended),
        func.count().filter(~on_time & duties.c.undone),
    ).group_by(duties.c.unit, duties.c.kind)
    return [Tally(*row) for row in await act.session.exec(query)]


def _duties(act: ServiceAct, start: datetime, end: datetime) -> Subquery:
    """Each duty with whether it was done in time: as it was judged, and without what was charged."""
    counted = (
        col(Clocks.kind).in_([*EVERYBODYS, *NOBODYS])
        | ((col(Clocks.kind) == ClockKind.HANDLE) & (col(Clocks.role) == Role.LEAD)),
        # One that went on late was late before: there it counts.
        col(Clocks.resumed_at).is_(None) | ~(_went_on_late() | _missed_before()),
    )
    apart = case((col(Clocks.kind).in_(NOBODYS), col(Clocks.id)))  # each question
    in_time = col(Clocks.breached_at).is_(None)
    spared = func.coalesce(Clocks.ended_at, act.now) <= col(Clocks.due_uncharged)
    judged = (
        select(  # type: ignore[call-overload]  # typed to 4 columns
            Clocks,
            charged(Clocks).label("whose"),
            apart.label("apart"),
            in_time.label("in_time"),
            (in_time | func.coalesce(spared, False)).label("in_time_uncharged"),
            ((col(Clocks.kind) == ClockKind.ATTEND) & NOT_COME).label("not_come"),
        )
        .where(col(Clocks.judged_at) >= start, col(Clocks.judged_at) < end, *counted)
        .subquery()
        .c
    )
    found: Subquery = (
        select(  # type: ignore[call-overload]  # typed to 4 columns
            judged.whose.label("unit"),
            judged.kind,
            func.bool_and(judged.in_time).label("on_time"),
            func.bool_and(judged.in_time_uncharged).label("uncharged"),
            func.bool_or(judged.extension > 0).label("extended"),
            func.bool_and(judged.not_come).label("undone"),
        )
        .group_by(judged.ticket, judged.round, judged.whose, judged.kind, judged.apart)
        .subquery()
    )
    return found


def _went_on_late() -> ColumnElement[bool]:
    """Whether no time was left when the ticket was given again; also where a unit had it that is no more."""
    return func.coalesce(col(Clocks.breached_at) <= col(Clocks.resumed_at), False)


def _missed_before() -> Exists:
    """Whether the unit of a clock was late with the same duty before it got the ticket again."""
    before = aliased(Clocks)
    same = (getattr(before, name) == getattr(Clocks, name) for name in ("ticket", "round", "kind"))
    counted = col(before.kind).in_(EVERYBODYS) | (col(before.role) == Role.LEAD)
    theirs = charged(before) == charged(Clocks)
    return exists().where(*same, theirs, counted, col(before.breached_at) < col(Clocks.judged_at))


def charged(clocks: Any) -> ColumnElement[str | None]:
    """Whose a clock is in the figures: of who answered for it when it was judged, or breached; a unit
    that is no more keeps what it missed (机构改革).
    """
    each = func.jsonb_array_elements(clocks.former).table_valued(column("value", JSONB))
    until = cast(each.c.value[0].astext, DateTime(timezone=True))
    moment = func.coalesce(clocks.judged_at, clocks.breached_at)
    before = select(each.c.value[1].astext).where(moment < until).order_by(until).limit(1)
    return func.coalesce(before.correlate(clocks).scalar_subquery(), clocks.unit)


def _unit_rates(act: ServiceAct, rows: Sequence[Tally], unit: str) -> schemas.UnitRates:
    """The rates of a unit, and what a reform makes of them: what was judged before it is the old unit's."""
    dissolved = act.store.dissolved
    ended = dissolved.get(unit)
    return schemas.UnitRates(
        unit=unit,
        name=next(iter(act.config.units.called([unit], dissolved)), None),
        until=ended.since if ended else None,
        successors=list(ended.reform.successors) if ended else [],
        follows=[
            schemas.Followed(unit=code, since=each.since)
            for code, each in sorted(dissolved.items())
            if unit in each.reform.successors
        ],
        handle=_show_share(share(rows, ClockKind.HANDLE, unit)),
        handle_uncharged=_show_share(share(rows, ClockKind.HANDLE, unit, charged=False)),
        sign=_show_share(share(rows, ClockKind.SIGN, unit)),
        attend=_show_attend(rows, unit),
    )


def _show_attend(rows: Sequence[Tally], unit: str | None = None) -> schemas.AttendOut:
    found = share(rows, ClockKind.ATTEND, unit)
    missing = absent(rows, unit)
    return schemas.AttendOut(
        due=found.due,
        on_time=found.on_time,
        late=found.due - found.on_time - missing,
        absent=missing,
        rate=found.rate,
    )


def _show_share(found: Share) -> schemas.ShareOut:
    """A share with its rate."""
    return schemas.ShareOut(**found._asdict(), rate=found.rate)


# --- breaches ----------------------------------------------------------------------------------


async def list_breaches(
    act: ServiceAct, unit: str | None, undone: bool, after: str | None, limit: int
) -> schemas.BreachPage:
    """Standing breaches, oldest first. Raises BadCursor."""
    rows = await _breached(act, unit, undone, _place(act, after) if after else None, limit)
    items = [
        schemas.BreachOut(
            number=row.ticket, missed_by=whose if whose != row.unit else None, **row.model_dump()
        )
        for row, whose in rows
    ]
    full = len(rows) == limit
    return schemas.BreachPage(items=items, next=_cursor(act, rows[-1][0]) if full else None)


async def _breached(
    act: ServiceAct,
    unit: str | None,
    undone: bool,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[tuple[Clock, str | None]]:
    place, whose = tuple_(col(Clocks.breached_at), col(Clocks.id)), charged(Clocks)
    query = select(Clocks, whose).where(col(Clocks.breached_at).is_not(None))
    query = query.order_by(place).limit(limit)
    if unit is not None:
        query = query.where((col(Clocks.unit) == unit) | (whose == unit))
    if undone:
        query = query.where(col(Clocks.ended_at).is_(None))
    if after is not None:
        query = query.where(place > after)
    return (await act.session.exec(query)).all()


def _cursor(act: ServiceAct, row: Clock) -> str:
    """The place of a breach in the list."""
    return act.cursor(f"{row.breached_at:{CURSOR}}/{row.id.hex}")


def _place(act: ServiceAct, cursor: str) -> tuple[datetime, UUID]:
    """The place a cursor names. Raises BadCursor."""
    moment, _, clock = act.place(cursor).partition("/")
    return datetime.strptime(moment, CURSOR).replace(tzinfo=UTC), UUID(hex=clock)
