"""按期率 on-time rates of a period, what was saved against the legal limit, and the breaches that stand.

A clock counts in the period in which it was judged, or in that in which it was due: both exist, and
supervision.yaml says which is printed (`figures`). Whatever became of it later, by re-dispatch, recall or
withdrawal, one that was missed counts where it was missed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, case, exists, func, true, tuple_
from sqlmodel import col, select

from services.tracker import calendars, schemas
from services.tracker.judging import EVERYBODYS, Judgement, charged
from services.tracker.models import Assignments, Clock, Clocks
from services.tracker.policies import versions
from services.tracker.records import ClockEntry, ServiceAct, may_see
from services.tracker.rules.clock_state import due_unextended
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.rates import Saved, Share, Tally, absent, days_taken, saved, share
from services.tracker.rules.supervision import Basis
from shared.events import ClockKind, Role
from shared.jurisdiction.appraisal import WHOLE, Appraisal
from shared.jurisdiction.period import Period
from shared.storage.rows import one_of

CURSOR = "%Y%m%dT%H%M%S.%f"
# No unit's: the desk's, those of the bodies of the ladder, and the citizen's own, which never stands still.
NOBODYS = (
    ClockKind.HOTLINE_REVIEW,
    ClockKind.COMPLETION_AUDIT,
    ClockKind.ARBITRATION,
    ClockKind.CITIZEN,
)
LEADS = (col(Clocks.kind) == ClockKind.HANDLE) & (col(Clocks.role) == Role.LEAD)
NOT_COME = exists().where(
    col(Assignments.id) == col(Clocks.assignment), col(Assignments.attended_at).is_(None)
)


# --- rates -------------------------------------------------------------------------------------


async def read_on_time_rates(
    act: ServiceAct,
    first: date | None,
    last: date | None,
    basis: Basis | None = None,
    judgement: schemas.WhichJudgement = "revised",
) -> schemas.RatesOut:
    """按期办结率, 及时签收率 and their like of a period, the period so far by default; a unit sees its own.

    ``basis``: as the policy says unless told otherwise. By ``judged`` a clock counts when it was met in time
    or breached, by ``due`` when its due moment was, once that has come. ``judgement``: with what was revised
    since, or as clocks were first judged. Raises Malformed for a period that ends before it begins.
    """
    rules = versions.in_force(act).rules.figures
    read = Judgement(act.now, first=judgement == "first")
    of, by = act.config.place.counted(first, last, act.now), basis or rules.on_time_by
    rows = [
        row for row in await _tallies(act, read, _counted(read, of, by)) if may_see(act, row.unit)
    ]
    spared = await _saved(act, of)
    whole = WHOLE if may_see(act, None) else act.config.place.appraisal
    return schemas.RatesOut(
        start=of.first,
        end=of.last,
        basis=by,
        judgement=judgement,
        **_shares(rows, None, whole),
        hotline_review=_show_share(share(rows, ClockKind.HOTLINE_REVIEW)),
        completion_audit=_show_share(share(rows, ClockKind.COMPLETION_AUDIT)),
        arbitration=_show_share(share(rows, ClockKind.ARBITRATION)),
        citizen=_show_share(share(rows, ClockKind.CITIZEN)),
        saved=_show_saved(act, spared.values(), whole),
        units=[
            _unit_rates(act, rows, spared, unit)
            for unit in sorted({row.unit for row in rows if row.unit} | set(spared))
        ],
    )


def _counted(read: Judgement, of: Period, basis: Basis) -> tuple[ColumnElement[bool], ...]:
    """Which clocks count: judged ones of the duties that are figured, in the period."""
    stored, judged = col(Clocks.judged_at), read.judged_at(Clocks)
    moment: ColumnElement[datetime] = judged
    come: ColumnElement[bool] = true()
    if basis == "due":  # what was met ahead of its due moment counts when that has come
        stored = col(Clocks.due)
        moment = read.due(Clocks)
        come = moment <= read.now
    return (
        col(Clocks.judged_at).is_not(None),
        ((stored >= of.start) & (stored < of.end))
        | col(Clocks.due_counted).is_not(None)
        | col(Clocks.due_revised).is_not(None),  # indexed, each of them
        judged.is_not(None),
        moment >= of.start,
        moment < of.end,
        come,
        col(Clocks.kind).in_([*EVERYBODYS, *NOBODYS]) | LEADS,
        # One that went on late was late before: there it counts.
        col(Clocks.resumed_at).is_(None)
        | ((~read.went_on_late(Clocks) | read.counts_apart(Clocks)) & ~read.missed_before()),
    )


async def _tallies(
    act: ServiceAct, read: Judgement, counted: Sequence[ColumnElement[bool]]
) -> list[Tally]:
    """The duties that count by unit and kind: of who has to sign, contact or come, handle clocks of leads,
    and those that are no unit's.

    A co-handler answers to its lead, not to the citizen. A unit that had a ticket twice in a round had
    the duty once, and was late if it ever was (ADR 0049).
    """
    duties = _duties(read, counted, await _needed_their_extension(act, counted))
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
        func.count().filter(on_time & duties.c.by_extension),
        func.count().filter(duties.c.revised),
    ).group_by(duties.c.unit, duties.c.kind)
    return [Tally(*row) for row in await act.session.exec(query)]


async def _needed_their_extension(
    act: ServiceAct, counted: Sequence[ColumnElement[bool]]
) -> list[UUID]:
    """The clocks that were in time only thanks to an extension."""
    query = select(Clocks).where(
        *counted, LEADS, col(Clocks.extension) > 0, col(Clocks.breached_at).is_(None)
    )
    extended = [ClockEntry.of(row) for row in await act.session.exec(query)]
    if extended:
        await calendars.load(act)
    return [
        entry.row.id
        for entry in extended
        if entry.state.ended_at
        and due_unextended(entry.state, calendars.of_clock(act, entry.row)) < entry.state.ended_at
    ]


def _duties(
    read: Judgement, counted: Sequence[ColumnElement[bool]], needed: Collection[UUID]
) -> Subquery:
    """Each duty with whether it was done in time: as it was judged, and without what was charged."""
    apart = case((col(Clocks.kind).in_(NOBODYS), col(Clocks.id)))  # each question
    in_time = read.in_time(Clocks)
    spared = func.coalesce(Clocks.ended_at, read.now) <= col(Clocks.due_uncharged)
    judged = (
        select(  # type: ignore[call-overload]  # typed to 4 columns
            Clocks,
            read.whose(Clocks).label("whose"),
            apart.label("apart"),
            in_time.label("in_time"),
            (in_time | func.coalesce(spared, False)).label("in_time_uncharged"),
            ((col(Clocks.kind) == ClockKind.ATTEND) & NOT_COME).label("not_come"),
            one_of(Clocks.id, needed).label("needed"),
        )
        .where(*counted)
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
            func.bool_or(judged.needed).label("by_extension"),
            func.bool_or(judged.due_revised.is_not(None)).label("revised"),
        )
        .group_by(judged.ticket, judged.round, judged.whose, judged.kind, judged.apart)
        .subquery()
    )
    return found


async def _saved(act: ServiceAct, of: Period) -> dict[str, Saved]:
    """审批压缩 by unit: working days that first answers of the period took, against those of the law; of no
    unit where the policy names no legal limit.
    """
    legal = versions.in_force(act).rules.figures.legal_limit
    if legal is None:
        return {}
    await calendars.load(act)
    answering, began_with = charged(Clocks, Clocks.ended_at), col(Clocks.former)[0][1].as_string()
    goes_by = func.coalesce(began_with, Clocks.unit)  # as calendars.unit_of
    query = select(answering, goes_by, Clocks.started_at, Clocks.ended_at).where(
        LEADS,
        col(Clocks.status) == ClockStatus.MET,
        col(Clocks.round) == 1,
        col(Clocks.ended_at) >= of.start,
        col(Clocks.ended_at) < of.end,
    )
    found: dict[str, Saved] = {}
    for unit, went_by, start, end in await act.session.exec(query):
        if unit and end and may_see(act, unit):
            known = calendars.of(act).by(went_by).over(start, end)[-1].calendar
            answer = Saved.of(int(legal.amount), days_taken(known, start, end))
            found[unit] = saved([found.get(unit, Saved()), answer])
    return found


def _unit_rates(
    act: ServiceAct, rows: Sequence[Tally], spared: dict[str, Saved], unit: str
) -> schemas.UnitRates:
    """The rates of a unit, and what a reform makes of them: what was judged before it is the old unit's."""
    dissolved, units, by = act.store.dissolved, act.config.units, act.config.place.appraisal
    ended = dissolved.get(unit)
    volume = share(rows, ClockKind.HANDLE, unit).due
    return schemas.UnitRates(
        **dict(by.standing(unit, units.unit(unit), volume)),
        name=next(iter(units.called([unit], dissolved)), None),
        until=ended.since if ended else None,
        successors=list(ended.reform.successors) if ended else [],
        follows=[
            schemas.Followed(unit=code, since=each.since)
            for code, each in sorted(dissolved.items())
            if unit in each.reform.successors
        ],
        **_shares(rows, unit, by),
        saved=_show_saved(act, [spared[unit]] if unit in spared else [], by),
    )


def _shares(rows: Sequence[Tally], unit: str | None, by: Appraisal) -> dict[str, Any]:
    """What is figured of all units and of each."""
    handle = share(rows, ClockKind.HANDLE, unit)
    return {
        "handle": schemas.HandleOut(
            **_show_share(handle, by).model_dump(),
            by_extension=handle.by_extension,
            rate_unextended=by.rate(handle.rate_unextended, handle.due),
        ),
        "handle_uncharged": _show_share(share(rows, ClockKind.HANDLE, unit, charged=False), by),
        "sign": _show_share(share(rows, ClockKind.SIGN, unit), by),
        "contact": _show_share(share(rows, ClockKind.FIRST_CONTACT, unit), by),
        "attend": _show_attend(rows, unit, by),
    }


def _show_saved(
    act: ServiceAct, answers: Iterable[Saved], by: Appraisal
) -> schemas.SavedOut | None:
    if versions.in_force(act).rules.figures.legal_limit is None:
        return None
    found = saved(answers)
    rate = by.rate(found.rate, found.answered)
    return schemas.SavedOut(**found._asdict(), saved_days=found.saved_days, rate=rate)


def _show_attend(rows: Sequence[Tally], unit: str | None, by: Appraisal) -> schemas.AttendOut:
    found = share(rows, ClockKind.ATTEND, unit)
    missing = absent(rows, unit)
    return schemas.AttendOut(
        due=found.due,
        on_time=found.on_time,
        late=found.due - found.on_time - missing,
        absent=missing,
        revised=found.revised,
        rate=by.rate(found.rate, found.due),
    )


def _show_share(found: Share, by: Appraisal = WHOLE) -> schemas.ShareOut:
    """A share with its rate."""
    return schemas.ShareOut(
        due=found.due,
        on_time=found.on_time,
        extended=found.extended,
        revised=found.revised,
        rate=by.rate(found.rate, found.due),
    )


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
