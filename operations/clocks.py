"""重演时限: every clock rebuilt from the fact log, and what stands in the tracker's database otherwise.

Page by page of tickets, each read at one moment: the tracker's rows and facts first, then what its
neighbours said. So all it has heard is there, and what it has not heard yet is told apart by its inbox.
Nothing is written: the databases are asked to refuse it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from services.tracker import calendars, records, replaying
from services.tracker.consumers import HANDLERS
from services.tracker.models import Clock, Supervision, Ticket
from services.tracker.replaying import OnRecord, Replayed
from services.tracker.rules import differences
from services.tracker.rules.calendars import Version
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.differences import Difference, Of, Pressed, Stands
from services.tracker.rules.policy import Terms
from services.tracker.rules.timelines import Carried, Matter
from shared import policies, succession
from shared.events import Fact, speaker_of
from shared.messaging.bus import matches
from shared.storage.act import Store
from shared.storage.rows import Rows

TRACKER, FRONT_DESK = "tracker", "intake"
PAGE = 200  # tickets
# What is on its way for no longer than this is not late: facts between services, marks, new calendars.
ON_ITS_WAY = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)

SAID = text("""
    SELECT fact, subject, key, body, recorded, position FROM fact_log
    WHERE subject = ANY(CAST(:numbers AS text[])) ORDER BY id""")
REGISTERED = text("""
    SELECT id, subject FROM fact_log
    WHERE id > :after AND key = 'ticket.registered'
        AND (CAST(:since AS timestamptz) IS NULL OR recorded >= :since)
        AND (CAST(:ticket AS text) IS NULL OR subject = :ticket)
    ORDER BY id LIMIT :limit""")
COUNTED = text("""
    SELECT count(*) FROM fact_log WHERE key = 'ticket.registered'
        AND (CAST(:since AS timestamptz) IS NULL OR recorded >= :since)
        AND (CAST(:ticket AS text) IS NULL OR subject = :ticket)""")
ROWS = text("""
    SELECT number FROM tickets
    WHERE number > :after AND (CAST(:since AS timestamptz) IS NULL OR registered_at >= :since)
        AND (CAST(:ticket AS text) IS NULL OR number = :ticket)
    ORDER BY number LIMIT :limit""")
TOLD = text("""
    SELECT subject FROM fact_log
    WHERE subject = ANY(CAST(:numbers AS text[])) AND key = 'ticket.registered'""")
HEARD = text("""
    SELECT fact FROM received WHERE consumer = 'tracker' AND fact = ANY(CAST(:facts AS uuid[]))""")
PARKED = text("""
    SELECT fact, state, reason, since FROM retry
    WHERE consumer = 'tracker' AND subject = ANY(CAST(:numbers AS text[]))""")


@dataclass(slots=True)
class Report:
    """How much was compared. ``older``: tickets whose clocks began before the versions of the calendar were
    kept; ``on_their_way``: clocks with a mark or a calendar that is only just due; ``other_terms``: clocks
    under terms that today's rules do not give.
    """

    tickets: int = 0
    clocks: int = 0
    facts: int = 0
    older: int = 0
    on_their_way: int = 0
    other_terms: int = 0
    differences: int = 0


class Span(NamedTuple):
    """Which tickets: those registered since a moment, or one."""

    since: datetime | None = None
    ticket: str | None = None


class Found(NamedTuple):
    """What differs on one ticket."""

    ticket: str
    differences: Sequence[Difference]


def speakers() -> list[str]:
    """Whose facts the tracker hears of."""
    said = {speaker_of(".".join(pattern.split(".")[:2])) for pattern in HANDLERS}
    return sorted(filter(None, said))


async def count(stores: Mapping[str, Store[Any]], span: Span) -> int:
    """How many tickets there are to look at."""
    async with reading(stores[FRONT_DESK]) as connection:
        return int((await connection.execute(COUNTED, span._asdict())).scalar_one())


async def compare(
    stores: Mapping[str, Store[Any]], span: Span, report: Report, now: datetime
) -> AsyncIterator[tuple[int, list[Found]]]:
    """Page by page, how many tickets were looked at and what differs on them. ``report`` is kept up.

    ``stores``: the tracker's with its rules, and the speakers'. ``now`` is real time: what was written less
    than a minute before may be on its way. Raises what is_trouble() calls trouble.
    """
    await succession.take_up(stores[TRACKER])
    async with reading(stores[TRACKER]) as connection:
        await policies.remember(stores[TRACKER], connection)
    async for numbers in _pages(stores[FRONT_DESK], REGISTERED, span, 0):
        page = await _read(stores, numbers, now)
        found = [Found(number, await _look(page, number, report)) for number in numbers]
        report.tickets += len(numbers)
        yield len(numbers), _counted(found, report)
    async for numbers in _pages(stores[TRACKER], ROWS, span, ""):
        async with reading(stores[FRONT_DESK]) as connection:
            told = (await connection.execute(TOLD, {"numbers": numbers})).scalars().all()
        nothing = [Difference("工单 ticket", "row", "有 it is there", differences.NOTHING)]
        lost = sorted(set(numbers).difference(told))
        yield 0, _counted([Found(number, nothing) for number in lost], report)


def _counted(found: Sequence[Found], report: Report) -> list[Found]:
    report.differences += sum(len(each.differences) for each in found)
    return [each for each in found if each.differences]


# --- reading -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Page:
    """What stands and was said of some tickets, as the tracker had it at one moment."""

    tracker: Store[Any]
    now: datetime
    versions: Sequence[Version]
    spoken: Mapping[str, Sequence[Any]]
    own: Mapping[str, Sequence[Any]]
    clocks: Mapping[str, Sequence[Clock]]
    supervisions: Mapping[str, Sequence[Supervision]]
    carried: Mapping[str, Sequence[Carried]]
    heard: Set[UUID]
    parked: Mapping[UUID, Any]


@asynccontextmanager
async def reading(store: Store[Any]) -> AsyncIterator[AsyncConnection]:
    """One moment of a database, which refuses every write."""
    async with store.engine.connect() as connection:
        await connection.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        yield connection


async def _pages(
    store: Store[Any], query: TextClause, span: Span, after: Any
) -> AsyncIterator[list[str]]:
    """Numbers of tickets; the first column of the query is where the next page begins."""
    while True:
        values = {**span._asdict(), "after": after, "limit": PAGE}
        async with reading(store) as connection:
            rows = (await connection.execute(query, values)).all()
        if not rows:
            return
        yield [row[-1] for row in rows]
        after = rows[-1][0]


async def _read(stores: Mapping[str, Store[Any]], numbers: Sequence[str], now: datetime) -> _Page:
    """The tracker first: what it has heard, its neighbours have said by then."""
    of, tracker = {"numbers": numbers}, stores[TRACKER]
    async with reading(tracker) as connection:
        session = AsyncSession(connection)
        rows = Rows(session)
        own = (await connection.execute(SAID, of)).all()
        clocks = await rows.load(Clock, records.CLOCKS, of)
        supervisions = await rows.load(Supervision, records.SUPERVISIONS, of)
        tickets = await rows.load(Ticket, records.NAMED, of)
        parked = {row.fact: row for row in await connection.execute(PARKED, of)}
        versions = await calendars.kept(session)
        spoken = [row for name in speakers() for row in await _spoken(stores[name], of)]
        ids = {"facts": [row.fact for row in spoken]}
        heard = set((await connection.execute(HEARD, ids)).scalars())
    return _Page(
        tracker,
        now,
        versions,
        _by_ticket(spoken, "subject"),
        _by_ticket(own, "subject"),
        _by_ticket(clocks, "ticket"),
        _by_ticket(supervisions, "ticket"),
        {row.number: Matter.model_validate(vars(row)).carried for row in tickets},
        heard,
        parked,
    )


async def _spoken(store: Store[Any], of: Mapping[str, Any]) -> list[Any]:
    async with reading(store) as connection:
        rows = (await connection.execute(SAID, of)).all()
    return [row for row in rows if any(matches(pattern, row.key) for pattern in HANDLERS)]


def _by_ticket(rows: Iterable[Any], name: str) -> Mapping[str, Sequence[Any]]:
    found = defaultdict[str, list[Any]](list)
    for row in rows:
        found[getattr(row, name)].append(row)
    return found


# --- one ticket --------------------------------------------------------------------------------


async def _look(page: _Page, number: str, report: Report) -> list[Difference]:
    """What differs on a ticket."""
    found, spoken = list(_not_taken_up(page, number)), page.spoken.get(number, ())
    taken = [row for row in spoken if row.fact in page.heard and row.fact not in page.parked]
    own = [(row, Fact.decode(row.body)) for row in page.own.get(number, ())]
    heard = [(row, Fact.decode(row.body)) for row in taken]
    if not heard:
        return found
    begun = min((fact.recorded for _, fact in own), default=None)
    if page.versions and begun and begun < page.versions[0].since:
        report.older += 1
        return found
    inputs = [*heard, *(pair for pair in own if replaying.is_input(pair[1]))]
    # Facts of one moment, as those of a clock that is stepped, in the order in which they were written.
    inputs.sort(key=lambda pair: (pair[1].recorded, pair[0].recorded))
    rows = page.clocks.get(number, ())
    until = _until(page, rows, [fact for _, fact in (*heard, *own)])
    terms = {row.id: (row.urgency, Terms.model_validate(row.terms)) for row in rows}
    on_record = OnRecord(terms, page.carried.get(number, ()))
    facts = [fact for _, fact in inputs]
    again, others = await replaying.replayed(page.tracker, page.versions, facts, until, on_record)
    report.facts += len(inputs)
    report.clocks += len(again.clocks)
    report.other_terms += len(others)
    found += [
        Difference(f"{fact.name} {fact.id}", "fact", "已收到 it was heard", TOO_EARLY)
        for fact in again.early
    ]
    skipped = _on_their_way(page, rows, again, until)
    report.on_their_way += len(skipped)
    return [*found, *_compared(page, number, again, [fact for _, fact in own], skipped)]


TOO_EARLY = "它所依据的事实不在日志里 what it builds on is not in the log"


def _not_taken_up(page: _Page, number: str) -> Iterator[Difference]:
    """Facts that were said long enough ago, and moved nothing."""
    before = page.now - ON_ITS_WAY
    for row in page.spoken.get(number, ()):
        parked = page.parked.get(row.fact)
        about = f"{row.key} {row.fact}"
        if parked and (parked.state in ("dead", "newer") or parked.since < before):
            why = f"未能处理 {parked.state}: {parked.reason}"
            yield Difference(about, "fact", why, "已说 it was said")
        elif row.fact not in page.heard and row.recorded < before:
            why = "未收到 not heard" if row.position else "未发出 not sent"
            yield Difference(about, "fact", why, "已说 it was said")


def _until(page: _Page, rows: Sequence[Clock], facts: Sequence[Fact]) -> datetime:
    """Up to when the tracker has looked at a ticket: to just before its next mark, or till now; at least
    till the last that is known of it.
    """
    ahead = [row.next_at - INSTANT for row in rows if row.next_at]
    last = {version.number: version.since for version in page.versions}
    laid_out = [last[row.calendar] for row in rows if row.calendar in last]
    looked = min([page.now, *ahead])
    return max([looked, *laid_out, *(fact.recorded for fact in facts)])


def _on_their_way(
    page: _Page, rows: Sequence[Clock], again: Replayed, until: datetime
) -> set[UUID]:
    """Clocks with a mark, or a new calendar, that is only just due: the sweep comes to them."""
    before, late = page.now - ON_ITS_WAY, set[UUID]()
    since = {version.number: version.since for version in page.versions}
    for row in rows:
        marked = row.next_at is not None and before < row.next_at <= until
        entry = again.clocks.get(row.id)
        number = entry.state.calendar if entry else 0
        behind = row.calendar < number and since[number] > before
        if marked or behind:
            late.add(row.id)
    return late


def _compared(
    page: _Page, number: str, again: Replayed, own: Sequence[Fact], skipped: Set[UUID]
) -> Iterator[Difference]:
    rows = {row.id: row for row in page.clocks.get(number, ())}
    pressed = {row.id: row for row in page.supervisions.get(number, ())}
    names = {id: f"{row.kind} round {row.round}" for id, row in rows.items()}
    names |= {id: f"{each.row.kind} round {each.row.round}" for id, each in again.clocks.items()}
    yield from differences.of_rows(
        {id: _stands(row) for id, row in rows.items() if id not in skipped},
        {
            id: differences.stands(each.state, each.row.due_revised)
            for id, each in again.clocks.items()
            if id not in skipped
        },
        names,
    )
    yield from differences.of_rows(
        {id: _pressed(row) for id, row in pressed.items() if row.clock not in skipped},
        {id: _pressed(row) for id, row in again.supervisions.items() if row.clock not in skipped},
        dict.fromkeys([*pressed, *again.supervisions], "supervision"),
    )
    if skipped:
        return
    clocks = [
        (Of(each.row.assignment, each.row.round, each.row.kind), each.state)
        for each in again.clocks.values()
    ]
    yield from differences.of_clock_facts(own, again.said, clocks)
    yield from differences.of_supervision_facts(
        own, {id: _pressed(row) for id, row in again.supervisions.items()}
    )


def _stands(row: Clock) -> Stands:
    """A clock's row; its judgement as its columns have it, for figures count by them."""
    known = differences.stands(ClockState.model_validate(vars(row)), row.due_revised)
    return known._replace(breached_at=row.breached_at, judged_at=row.judged_at)


def _pressed(row: Supervision) -> Pressed:
    return Pressed(row.rung, row.raised_at, row.closed_at)
