"""What is on record of a ticket in the four databases, as entries of its proof pack.

Only the read log is written to, before anything is read: who makes a pack reads a citizen's words (R-36).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from operations.clocks import reading
from operations.proof.clearing import Clearing
from operations.proof.pack import FORMAT, Kind, Said
from operations.runtime.registry import NAMES
from services.intake import readlog, vault
from services.intake.models import Ticket, Tickets
from services.intake.readlog import Deed
from services.tracker import calendars
from services.tracker import models as tracker
from services.tracker.models import Clock, Clocks
from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.explanation import explain, righted, waits_of
from services.tracker.rules.paragraph import Approved, approved, paragraph
from services.tracker.rules.pauses import WaitTimeline
from services.tracker.rules.revising import second
from services.tracker.rules.timelines import AssignmentTimeline, Matter
from shared.caller import Caller
from shared.errors import NotFound
from shared.events import ClockKind, Fact
from shared.jurisdiction.codes import Units
from shared.storage.act import Act, Store

INTAKE = "intake"  # who knows the citizen, and keeps the read log
TRACKER = "tracker"
CALLS_BACK = "feedback"
FACTS = text("SELECT body, recorded FROM fact_log WHERE subject = :number ORDER BY id")
LAST = text("SELECT last FROM seq WHERE subject = :number")
READS = text("""
    SELECT id, actor, deed, reason, read_at, person, why, hash FROM contact_read
    WHERE number = :number ORDER BY id""")
CALLS = text("""
    SELECT id, heard_at, began_at, answered_at, hung_up_at, agent, ending FROM phone_call
    WHERE number = :number ORDER BY heard_at, id""")
RING_BACKS = text("""
    SELECT b.id, b.actor, b.outcome, b.note, b.tried_at
    FROM ring_back b JOIN phone_call c ON c.id = b.call
    WHERE c.number = :number ORDER BY b.tried_at, b.id""")
ATTEMPTS = text("""
    SELECT a.callback, a.attempt, a.due, a.asked_at, a.outcome, a.contacted, a.solved, a.satisfied,
        a.comment, a.reported_at, a.reported_by, a.by_citizen, c.round,
        coalesce(a.about, 'answer') AS about
    FROM attempts a JOIN callbacks c ON c.id = a.callback
    WHERE c.number = :number AND coalesce(a.asked_at, a.reported_at) IS NOT NULL
    ORDER BY c.round, c.about, a.attempt""")
OF_TICKET = (
    "type", "urgency", "topic", "title", "content", "area", "channel", "confidential", "registered_at",
    "status", "follows", "work", "split_from",
)  # fmt: skip
Stores = Mapping[str, Store[Any]]


class Making(NamedTuple):
    """Of which ticket a pack is made, by whom, why and when; ``release``: by which code."""

    number: str
    by: Caller
    reason: str
    now: datetime
    release: str


async def gather(stores: Stores, making: Making) -> list[Said]:
    """Write down who makes a pack and why; then all that is on record, the head first. Raises NotFound."""
    await _note(stores[INTAKE], making)
    async with stores[INTAKE].act(making.by.actor, making.now) as act:
        ticket = await _ticket(act, making.number)
        clearing = await _clearing(act, ticket)
    found, logs = list[Said](), dict[str, Any]()
    for name, store in stores.items():
        facts, logs[name] = await _facts(store, making.number, clearing)
        found += facts
    found += [*await _at_intake(stores[INTAKE], making.number, clearing)]
    found += [*await _callbacks(stores[CALLS_BACK], making.number, clearing)]
    found.sort(key=_place)
    found += await _clocks(stores[TRACKER], making)
    return [_head(ticket, making, clearing, logs, stores[INTAKE], found), *found]


def _place(said: Said) -> tuple[Any, ...]:
    """In the order in which things were written down; of one moment as one thing leads to another."""
    return said.recorded, NAMES.index(said.service), said.source.get("seq", 0)


async def _note(intake: Store[Any], making: Making) -> None:
    async with intake.act(making.by.actor, making.now) as act:
        ticket = await _ticket(act, making.number)
        reason = await vault.cleared(act, ticket, making.reason)
        await readlog.write(act, Deed.PROOF, {making.number: reason})


async def _ticket(act: Act[Any], number: str) -> Ticket:
    found = await act.session.get(Tickets, number)
    if found is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return found


async def _clearing(act: Act[Any], ticket: Ticket) -> Clearing:
    person, config = await vault.known_person(act, ticket), act.config
    codes = {each.code for each in (*config.units.units, *config.codes.areas, *config.codes.topics)}
    return Clearing(person, config.public, frozenset(codes), ticket.confidential)


# --- one kind after the other ------------------------------------------------------------------


async def _rows(store: Store[Any], query: TextClause, number: str) -> list[dict[str, Any]]:
    async with reading(store) as connection:
        found = await connection.execute(query, {"number": number})
        return [dict(row) for row in found.mappings()]


async def _facts(
    store: Store[Any], number: str, clearing: Clearing
) -> tuple[list[Said], dict[str, Any]]:
    """What a service said of the ticket, and whether its log has all of it."""
    rows = await _rows(store, FACTS, number)
    said = [_fact(store.name, row["body"], clearing) for row in rows]
    last = max([row["last"] for row in await _rows(store, LAST, number)], default=0)
    there = {each.source["seq"] for each in said}
    missing = [seq for seq in range(1, last + 1) if seq not in there]
    return said, {"facts": len(said), "missing": missing}


def _fact(service: str, body: str, clearing: Clearing) -> Said:
    fact = Fact.envelope(body)
    data, masked = clearing.data(fact.data, cleared=service == INTAKE)
    source: dict[str, str | int] = {"fact": str(fact.id), "seq": fact.seq}
    if not masked:  # the hash of a text with a telephone in it would tell that
        source["sha256"] = hashlib.sha256(body.encode()).hexdigest()
    return Said(
        kind=Kind.MESSAGE if fact.name == "citizen.told" else Kind.ACT,
        service=service,
        name=fact.name,
        at=fact.time,
        recorded=fact.recorded,
        actor=fact.actor,
        unit=fact.unit,
        round=fact.round,
        assignment=fact.assignment,
        source=source,
        masked=tuple(masked),
        data=data,
    )


async def _at_intake(store: Store[Any], number: str, clearing: Clearing) -> list[Said]:
    """Who read who called, and the calls of the telephone exchange it came by."""
    found = [_read(row, clearing) for row in await _rows(store, READS, number)]
    found += [_call(row, clearing) for row in await _rows(store, CALLS, number)]
    for row in await _rows(store, RING_BACKS, number):
        data, masked = _cleared(row, ("outcome", "note"), clearing)
        found.append(_row(Kind.CALL, INTAKE, "ring_back", row["tried_at"], row, data, masked))
    return found


def _read(row: Mapping[str, Any], clearing: Clearing) -> Said:
    data, masked = _cleared(row, ("deed", "reason", "person", "why"), clearing, cleared=True)
    said = _row(Kind.READING, INTAKE, row["deed"], row["read_at"], row, data, masked)
    kept = {} if masked else {"hash": row["hash"]}
    return said.model_copy(update={"source": said.source | kept})


def _call(row: Mapping[str, Any], clearing: Clearing) -> Said:
    data, masked = _cleared(row, ("began_at", "answered_at", "hung_up_at", "ending"), clearing)
    at = row["began_at"] or row["heard_at"]
    said = _row(Kind.CALL, INTAKE, "call", at, row, data, masked)
    by = f"agent:{row['agent']}" if row["agent"] else None
    return said.model_copy(update={"recorded": row["heard_at"], "actor": by})


async def _callbacks(store: Store[Any], number: str, clearing: Clearing) -> Iterator[Said]:
    """回访: every attempt with its raw outcome, also those that came to nothing."""
    names = (
        "attempt", "due", "asked_at", "outcome", "contacted", "solved", "satisfied", "comment", "by_citizen",
        "about",
    )  # fmt: skip

    def said() -> Iterator[Said]:
        for row in rows:
            data, masked = _cleared(row, names, clearing)
            at, by = row["reported_at"] or row["asked_at"], row["reported_by"]
            one = _row(Kind.CALL, CALLS_BACK, "callback", at, row, data, masked)
            where: dict[str, str | int] = {"row": f"{row['callback']}/{row['attempt']}"}
            yield one.model_copy(update={"actor": by, "source": where, "round": row["round"]})

    rows = await _rows(store, ATTEMPTS, number)
    return said()


def _cleared(
    row: Mapping[str, Any], names: Sequence[str], clearing: Clearing, *, cleared: bool = False
) -> tuple[dict[str, Any], list[str]]:
    """Some columns of a row as JSON has them, without what is empty."""
    known = {name: row[name] for name in names if row[name] not in (None, "")}
    plain = {name: _json(value) for name, value in known.items()}
    return clearing.data(plain, cleared=cleared)


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _row(
    kind: Kind,
    service: str,
    name: str,
    at: datetime,
    row: Mapping[str, Any],
    data: dict[str, Any],
    masked: Sequence[str],
) -> Said:
    where = row.get("id", "")
    return Said(
        kind=kind,
        service=service,
        name=name,
        at=at,
        recorded=at,
        actor=row.get("actor"),
        source={"row": where if isinstance(where, int) else str(where)},
        masked=tuple(masked),
        data=data,
    )


# --- how it stands -----------------------------------------------------------------------------


async def _clocks(store: Store[Any], making: Making) -> list[Said]:
    """Every clock as it stands at this moment, with its explanation, in the order in which they began."""
    async with reading(store) as connection:
        session = AsyncSession(connection)
        query = select(Clocks).where(Clocks.ticket == making.number)
        rows = (await session.exec(query.order_by(col(Clocks.started_at), col(Clocks.id)))).all()
        known = Calendars(await calendars.kept(session)) if rows else None
        ticket = await session.get(tracker.Tickets, making.number)
        matter = Matter.model_validate(vars(ticket)) if ticket else None
        of_ticket = select(tracker.Assignments).where(tracker.Assignments.ticket == making.number)
        units, orders = store.config.units, await session.exec(of_ticket)
        timelines = [AssignmentTimeline.model_validate(vars(row)) for row in orders]
        return [
            _clock(row, known, matter, making.now, _Orders(timelines, units))
            for row in rows
            if known and matter
        ]


class _Orders(NamedTuple):
    """The orders of a ticket, as far as they explain a clock."""

    orders: Sequence[AssignmentTimeline]
    units: Units

    def granted(self, clock: Clock) -> list[Approved]:
        """The extensions of a clock's order."""
        mine = (each.grants for each in self.orders if each.id == clock.assignment)
        return approved(next(mine, ()), self.units)

    def waits(self, clock: Clock) -> list[WaitTimeline]:
        """The waits for the citizen for which it may have stood still."""
        return waits_of(clock.kind, clock.unit, self.orders)


def _clock(row: Clock, known: Calendars, matter: Matter, now: datetime, orders: _Orders) -> Said:
    state, by = ClockState.model_validate(vars(row)), known.by(calendars.unit_of(row))
    why, kind = explain(state, by, orders.waits(row)), ClockKind(row.kind)
    granted = orders.granted(row)
    revised = second(row.revised, row.due_revised, row.ended_at)
    right = righted(kind, state, matter)
    told = paragraph(kind, state, why, by.latest.calendar.tz, revised, right, granted)
    data = {
        "status": row.status,
        "urgency": row.urgency,
        "limit": state.terms.limit,
        "started_at": state.started_at,
        "due": state.due,
        "provisional": state.provisional,
        "ended_at": state.ended_at,
        "breached_at": row.breached_at,
        "due_revised": revised.due if revised else None,
        "late_revised": revised.late if revised else None,
        "extended_by": state.extension,
        "marks": {name: _json(at) for name, at in sorted(state.marked.items())},
        "pauses": [[_json(each.begins_at), _json(each.ends_at)] for each in state.pauses],
        "days": [
            {"day": str(day.day), "counted": day.counted, "zh": day.note_zh, "en": day.note_en}
            for day in (*why.days, *why.extension_days)
        ],
        "explanation": {"zh": told.zh, "en": told.en},
    }
    return Said(
        kind=Kind.CLOCK,
        service=TRACKER,
        name=row.kind,
        at=now,
        recorded=now,
        unit=row.unit,
        round=row.round,
        assignment=row.assignment,
        source={"row": str(row.id)},
        data={name: _json(value) for name, value in data.items() if value is not None},
    )


def _head(
    ticket: Ticket,
    making: Making,
    clearing: Clearing,
    logs: Mapping[str, Any],
    intake: Store[Any],
    entries: Sequence[Said],
) -> Said:
    """卷首: what the pack is of, who made it and why, and whether the logs were whole."""
    row = {name: getattr(ticket, name) for name in OF_TICKET}
    matter, _ = _cleared(row, OF_TICKET, clearing, cleared=True)
    names = _names(intake, ticket, entries)
    return Said(
        kind=Kind.HEAD,
        service=INTAKE,
        name="proof",
        at=making.now,
        recorded=making.now,
        actor=making.by.actor,
        data={
            "format": FORMAT,
            "ticket": making.number,
            "reason": clearing.text(making.reason, cleared=True),
            "release": making.release,
            "place": intake.config.place.name,
            "timezone": str(intake.config.place.timezone),
            "matter": matter,
            "names": names,
            "logs": dict(logs),
            "withheld": clearing.withholds,
        },
    )


def _names(intake: Store[Any], ticket: Ticket, entries: Sequence[Said]) -> dict[str, str]:
    """What the units, topics, areas and channels are called that the pack speaks of."""
    config = intake.config
    spoken = {each.unit for each in entries} | {ticket.topic, ticket.area, ticket.channel}
    spoken |= {word for each in entries for word in _strings(each.data)}
    known = {each.code: each.name for each in (*config.units.units, *config.codes.areas)}
    known |= {each.code: each.zh for each in (*config.codes.topics, *config.codes.channels)}
    return {code: name for code, name in known.items() if code in spoken}


def _strings(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, (dict, list)):
        for each in said.values() if isinstance(said, dict) else said:
            yield from _strings(each)
