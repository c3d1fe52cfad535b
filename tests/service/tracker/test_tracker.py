"""The tracker hears facts and looks at the clock: clocks, cards, supervision, on a real database."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text

from services.tracker import jobs
from services.tracker.rules.policy import Policy
from services.tracker.settings import Settings
from shared import clock
from shared.events import (
    ClockKind,
    ContactOutcome,
    Fact,
    Limits,
    Role,
    SupervisionRaised,
    TicketType,
    Urgency,
)
from shared.jurisdiction.holidays import load_calendar
from shared.messaging.bus import Message
from tests.fixtures.bench import ROOT, Bench
from tests.fixtures.scenes.tracker import GT, HC, TICKET, TZ, Story, at, clocks, facts_told, local

TABLES = ("tickets", "rounds", "assignments", "clocks", "extensions", "supervisions")


@contextmanager
def listening(engine: Engine, name: str, heard: Callable[..., object]) -> Iterator[None]:
    """Hear an engine's event while the block lasts."""
    event.listen(engine, name, heard)
    try:
        yield
    finally:
        event.remove(engine, name, heard)


async def everything(tracker: Bench) -> dict[str, list[dict[str, Any]]]:
    """Every row of the tracker's own tables."""
    return {name: await tracker.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}


# --- clocks start and stop ---------------------------------------------------------------------


async def test_registration_starts_the_desk_s_and_the_citizen_s_clock(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    assert await clocks(tracker) == {
        "dispatch #1": ("running", "03-02 10:30"),
        "citizen #1": ("running", "03-09 18:00"),
    }
    (fact,) = await tracker.told()
    assert (fact.key, fact.time, fact.assignment) == ("deadline.set", at("03-02 10:00"), None)
    assert [(clock.clock, clock.limit) for clock in fact.data.clocks] == [
        (ClockKind.DISPATCH, "30min"),
        (ClockKind.CITIZEN, "5wd"),
    ]


async def test_a_dispatch_starts_the_unit_s_clocks_from_dispatch(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched("03-02 10:20"))
    assert await clocks(tracker) == {
        "dispatch #1": ("met", "03-02 10:30"),
        "citizen #1": ("running", "03-09 18:00"),
        "sign HC": ("running", "03-02 16:20"),
        "first_contact HC": ("running", "03-03 18:00"),
        "handle HC": ("running", "03-09 18:00"),
    }
    addressed = [f for f in await tracker.told("deadline.set") if f.unit]
    assert [(f.key, f.assignment, len(f.data.clocks)) for f in addressed] == [
        ("deadline.set.HC", HC, 3)
    ]
    met = await tracker.told("deadline.met")
    assert [(f.key, f.data.clock, f.data.late) for f in met] == [
        ("deadline.met", ClockKind.DISPATCH, False)
    ]


async def test_the_dispatch_s_urgency_moves_the_citizen_s_clock_and_keeps_its_start(
    tracker: Bench, story: Story
) -> None:
    urgent = Limits(sign="30min", first_contact="2h", handle="24h")
    await tracker.hear(story.registered(), story.dispatched(urgency=Urgency.URGENT, limits=urgent))
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-03 10:00")
    (moved,) = await tracker.told("deadline.moved")
    assert moved.data.before == at("03-09 18:00")
    assert moved.time == at("03-02 10:05")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (ContactOutcome.REACHED, "met"),
        (ContactOutcome.REFUSED, "met"),
        (ContactOutcome.NO_ANSWER, "running"),
        (ContactOutcome.WRONG_NUMBER, "running"),
    ],
)
async def test_only_an_answered_contact_counts(
    tracker: Bench, story: Story, outcome: ContactOutcome, status: str
) -> None:
    await tracker.hear(
        story.registered(), story.dispatched(), story.contacted("03-02 11:00", outcome)
    )
    assert (await clocks(tracker))["first_contact HC"][0] == status


async def test_completion_meets_what_still_runs_and_resolution_the_citizen_s(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.signed("03-02 11:00"),
        story.completed("03-04 11:00"),
        story.resolved("03-04 11:00"),
    )
    assert {status for status, _ in (await clocks(tracker)).values()} == {"met"}
    met = {f.data.clock: local(f.time) for f in await tracker.told("deadline.met")}
    assert met["sign"] == "03-02 11:00"
    assert met["first_contact"] == met["handle"] == met["citizen"] == "03-04 11:00"


async def test_a_ticket_without_a_contact_or_with_praise_has_fewer_clocks(
    tracker: Bench, story: Story
) -> None:
    praise = Story(tracker, "20260302-000002")
    await tracker.hear(
        story.registered(),
        story.dispatched(has_contact=False),
        praise.registered(ticket_type=TicketType.COMMENDATION),
        praise.dispatched(limits=Limits(sign="1wd"), id=GT, unit="GT"),
    )
    assert "first_contact HC" not in await clocks(tracker)
    assert set(await clocks(tracker, "20260302-000002")) == {"dispatch #1", "sign GT"}


async def test_withdrawal_cancels_every_clock(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.withdrawn("03-02 15:00"))
    statuses = {name: status for name, (status, _) in (await clocks(tracker)).items()}
    assert statuses.pop("dispatch #1") == "met"
    assert set(statuses.values()) == {"cancelled"}
    assert await facts_told(tracker, "deadline.cancelled") == ["deadline.cancelled@03-02 15:00"] * 4


# --- returns -----------------------------------------------------------------------------------


async def test_a_refused_return_gives_back_the_working_overlap_only(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.signed("03-02 11:00"),
        story.asked_return("03-03 17:00"),
    )
    assert (await clocks(tracker))["handle HC"] == ("paused", "03-09 18:00")
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-09 18:00")
    await tracker.hear(story.refused_return("03-04 09:30"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 10:30")
    assert (await clocks(tracker))["first_contact HC"] == ("running", "03-04 10:30")
    assert (await clocks(tracker))["sign HC"] == ("met", "03-02 16:05")
    assert await facts_told(tracker, "deadline.paused", "deadline.resumed") == [
        "deadline.paused@03-03 17:00",
        "deadline.paused@03-03 17:00",
        "deadline.resumed@03-04 09:30",
        "deadline.resumed@03-04 09:30",
    ]


async def test_a_granted_return_cancels_and_starts_the_desk_s_clock_afresh(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.asked_return("03-02 11:00"),
        story.returned("03-02 15:00"),
    )
    now = await clocks(tracker)
    assert now["dispatch #1 again"] == ("running", "03-02 15:30")
    assert now["handle HC"][0] == now["sign HC"][0] == "cancelled"
    await tracker.hear(story.dispatched("03-02 15:10", id=GT, unit="GT"))
    now = await clocks(tracker)
    assert now["dispatch #1 again"][0] == "met"
    assert now["handle GT"] == ("running", "03-09 18:00")


# --- the sweep ---------------------------------------------------------------------------------


async def test_a_sweep_that_slept_fires_each_mark_once_with_its_true_time(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    await tracker.hear(story.contacted("03-02 11:10"))
    tracker.at("2026-03-20T10:00+08:00")
    assert await tracker.run("sweep") == 2
    assert await tracker.run("sweep") == 0
    handle = [f for f in await tracker.told() if f.assignment == HC]
    fired = [f for f in handle if f.name.startswith(("deadline.w", "deadline.b", "supervision"))]
    assert [f"{f.key}@{local(f.time)}" for f in fired] == [
        "deadline.warned.HC@03-06 18:00",
        "deadline.breached.HC@03-09 18:00",
        "supervision.raised.HC@03-09 18:00",
        "supervision.raised.HC@03-10 18:00",
        "supervision.raised.HC@03-12 18:00",
    ]
    assert {f.data.title.split()[0] for f in fired if f.name == "supervision.raised"} == {
        "催办",
        "督办单",
        "一把手督办",
    }
    assert fired[3].data.answer_due == at("03-13 18:00")


async def test_the_sweep_is_bounded_and_looks_only_at_what_is_due(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(*(Story(tracker, f"20260302-{n:06}").registered() for n in range(1, 6)))
    assert await tracker.service.next_due() == at("03-02 10:22").replace(second=30)
    tracker.at("2026-03-02T10:22+08:00")
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 0
    tracker.at("2026-03-02T10:25+08:00")
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 3
    assert await tracker.service.jobs["sweep"].run(tracker.service.store, 3) == 2
    assert await tracker.service.next_due() == at("03-02 10:30")


async def test_two_sweeps_at_once_fire_each_mark_once(tracker: Bench) -> None:
    tickets = [f"20260302-{n:06}" for n in range(1, 41)]
    await tracker.hear(*(Story(tracker, ticket).registered() for ticket in tickets))
    tracker.at("2026-03-20T10:00+08:00")
    run, store = tracker.service.jobs["sweep"].run, tracker.service.store
    moved = [1]
    while sum(moved):
        moved = await asyncio.gather(*(run(store, 7) for _ in range(3)))
    for name in ("deadline.warned", "deadline.breached"):
        subjects = sorted(f.subject for f in await tracker.told(name))
        assert subjects == sorted(tickets * 2)


async def test_a_sweep_beside_a_handler_neither_waits_for_it_nor_doubles(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    tracker.at("2026-03-20T10:00+08:00")
    async with tracker.service.store.act("service:tracker") as act:
        locked = text("SELECT 1 FROM clocks WHERE ticket = :ticket FOR NO KEY UPDATE")
        await (await act.session.connection()).execute(locked, {"ticket": TICKET})
        assert await jobs.sweep(tracker.service.store, 10) == 0
    await asyncio.gather(
        jobs.sweep(tracker.service.store, 10), tracker.hear(story.completed("03-11 10:00"))
    )
    await tracker.run("sweep")
    breached = [f for f in await tracker.told("deadline.breached") if f.data.clock == "handle"]
    assert len(breached) == 1
    assert (await clocks(tracker))["handle HC"][0] == "met"


async def receive(tracker: Bench, *facts: Fact) -> None:
    """Receive facts as one batch, beside whatever else goes on."""
    await tracker.receive([Message(fact.key, str(fact.id), fact.encode()) for fact in facts])


async def test_sweeps_and_batches_side_by_side_neither_deadlock_nor_double(tracker: Bench) -> None:
    stories = [Story(tracker, f"20260302-{n:06}") for n in range(1, 41)]
    ids = [UUID(int=1_000 + n) for n in range(len(stories))]
    pairs = list(zip(stories, ids, strict=True))
    await receive(tracker, *(story.registered() for story in stories))
    await receive(tracker, *(story.dispatched(id=id) for story, id in pairs))
    tracker.at("2026-03-20T10:00+08:00")
    done = [story.completed("03-12 10:00", id=id) for story, id in pairs]
    await asyncio.gather(
        *(receive(tracker, *done[part::4]) for part in range(4)),
        *(jobs.sweep(tracker.service.store, 15) for _ in range(8)),
    )
    await tracker.run("sweep")
    assert await tracker.parked() == []
    cards = Counter((f.subject, f.data.clock) for f in await tracker.told("deadline.breached"))
    assert {clock for _, clock in cards} == {"sign", "first_contact", "handle", "citizen"}
    assert (len(cards), set(cards.values())) == (4 * len(stories), {1})
    kept = await tracker.rows("SELECT rung, closed_at FROM supervisions")
    assert sorted(row["rung"] for row in kept) == [1] * len(stories) + [2] * len(stories)
    assert {local(row["closed_at"]) for row in kept} == {"03-12 10:00"}


async def test_two_facts_of_a_ticket_at_once_are_both_known(tracker: Bench) -> None:
    stories = [Story(tracker, f"20260302-{n:06}") for n in range(1, 16)]
    ids = [UUID(int=1_000 + n) for n in range(len(stories))]
    pairs = list(zip(stories, ids, strict=True))
    await receive(tracker, *(story.registered() for story in stories))
    await receive(tracker, *(story.dispatched(id=id) for story, id in pairs))
    for story, id in pairs:
        await asyncio.gather(
            receive(tracker, story.signed("03-02 11:00", id=id)),
            receive(tracker, story.contacted("03-02 12:00", id=id)),
            receive(tracker, story.completed("03-02 15:00", id=id)),
        )
    rows = await tracker.rows("SELECT kind, ended_at FROM clocks WHERE assignment IS NOT NULL")
    ended = {(row["kind"], local(row["ended_at"])) for row in rows}
    assert ended == {
        ("sign", "03-02 11:00"),
        ("first_contact", "03-02 12:00"),
        ("handle", "03-02 15:00"),
    }


# --- late facts --------------------------------------------------------------------------------


async def test_an_earlier_completion_that_arrives_late_takes_breach_and_ladder_back(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    tracker.at("2026-03-11T10:00+08:00")
    await tracker.run("sweep")
    raised = {f.data.supervision for f in await tracker.told("supervision.raised")}
    assert len(raised) == 2
    await tracker.hear(story.completed("03-09 17:00"))
    annulled = await tracker.told("deadline.annulled")
    assert [(f.data.clock, local(f.time)) for f in annulled] == [("handle", "03-11 10:00")]
    closed = await tracker.told("supervision.closed")
    assert sorted(f.data.supervision for f in closed) == sorted(raised)
    met = [f for f in await tracker.told("deadline.met") if f.data.clock == "handle"]
    assert [(local(f.time), f.data.late) for f in met] == [("03-09 17:00", False)]
    assert await tracker.rows("SELECT 1 FROM supervisions") == []
    breached = await tracker.rows("SELECT kind FROM clocks WHERE breached_at IS NOT NULL")
    assert {row["kind"] for row in breached} == {"first_contact", "citizen"}


async def test_a_late_completion_closes_what_was_raised_with_its_time(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.completed("03-11 09:00"))
    assert await facts_told(tracker, "supervision.raised", "supervision.closed") == [
        "supervision.raised@03-09 18:00",
        "supervision.raised@03-10 18:00",
        "supervision.closed@03-11 09:00",
        "supervision.closed@03-11 09:00",
    ]
    rows = await tracker.rows(
        "SELECT rung, closed_at, close_reason FROM supervisions ORDER BY rung"
    )
    assert [row["rung"] for row in rows] == [1, 2]
    assert {local(row["closed_at"]) for row in rows} == {"03-11 09:00"}
    assert all("已办结" in row["close_reason"] for row in rows)


async def test_what_was_closed_and_then_taken_back_is_not_closed_twice(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.completed("03-10 09:00"))
    assert len(await tracker.told("supervision.closed")) == 1
    await tracker.hear(story.asked_return("03-03 10:00"), story.refused_return("03-04 10:00"))
    assert len(await tracker.told("supervision.closed")) == 1
    assert await tracker.rows("SELECT 1 FROM supervisions") == []
    assert "handle" in {fact.data.clock for fact in await tracker.told("deadline.annulled")}


async def test_a_fact_without_its_ground_waits(tracker: Bench, story: Story) -> None:
    signed, dispatched = story.signed("03-02 11:00"), story.dispatched()
    await receive(tracker, signed, dispatched)
    assert [row["state"] for row in await tracker.parked()] == ["early", "early"]
    await receive(tracker, story.registered())
    await _retried(tracker)
    assert (await clocks(tracker))["sign HC"] == ("met", "03-02 16:05")


def whole_life(story: Story) -> list[Fact]:
    """A ticket returned once, quarrelled over, answered late, reopened and answered again."""
    back: dict[str, Any] = {"id": GT, "round": 1}
    redo: dict[str, Any] = {"round": 2, "id": UUID(int=3)}
    limits = Limits(sign="4wh", first_contact="1wd", handle="3wd")
    return [
        story.registered(),
        story.dispatched(),
        story.asked_return("03-02 14:30"),
        story.returned("03-02 15:00"),
        story.dispatched("03-02 15:20", unit="GT", urgency=Urgency.COMPLEX, id=GT),
        story.dispatched("03-02 15:20", unit="ZJJ", role=Role.CO, id=UUID(int=4)),
        story.signed("03-03 09:00", **back),
        story.contacted("03-03 10:00", ContactOutcome.NO_ANSWER, **back),
        story.contacted("03-03 15:00", **back),
        story.contacted("03-04 09:00", **back),
        story.asked_return("03-04 10:00", **back),
        story.refused_return("03-05 10:00", **back),
        story.cancelled("03-06 10:00", id=UUID(int=4)),
        story.completed("03-16 10:00", **back),
        story.resolved("03-16 10:00"),
        story.reopened("03-17 10:00", 2),
        story.dispatched("03-17 10:00", unit="GT", redo=True, limits=limits, **redo),
        story.signed("03-17 11:00", **redo),
        story.completed("03-24 10:00", **redo),
        story.resolved("03-24 10:00", round=2),
    ]


@pytest.mark.parametrize("seed", range(6))
async def test_shuffled_and_doubled_facts_give_the_same_rows(
    tracker: Bench, story: Story, seed: int
) -> None:
    facts, order = whole_life(story), random.Random(seed)
    tracker.at("2026-03-25T10:00+08:00")
    await tracker.hear(*facts)
    await tracker.run("sweep")
    straight = await everything(tracker)
    assert len(straight["supervisions"]) > 2
    async with tracker.service.store.engine.begin() as connection:
        mixed = facts + order.sample(facts, 9)
        order.shuffle(mixed)
        await connection.execute(text("TRUNCATE tickets, inbox CASCADE"))
    for batch in _pieces(mixed, order):
        await receive(tracker, *batch)
        if order.random() < 0.4:
            await tracker.run("sweep")
    await _retried(tracker)
    await tracker.run("sweep")
    assert await everything(tracker) == straight


async def _asked_for(tracker: Bench, first: int, count: int) -> int:
    """How many statements it takes to hear in one batch that so many new tickets were signed."""
    numbers = range(first, first + count)
    stories = [Story(tracker, f"20260302-{number:06}") for number in numbers]
    ids = [UUID(int=number) for number in numbers]
    for story, id in zip(stories, ids, strict=True):
        await receive(tracker, story.registered("03-02 10:00"), story.dispatched(id=id))
    asked: list[str] = []
    engine = tracker.service.store.engine.sync_engine
    with listening(engine, "before_cursor_execute", lambda *what: asked.append(what[2])):
        signed = zip(stories, ids, strict=True)
        await receive(tracker, *(story.signed("03-02 11:00", id=id) for story, id in signed))
    return len(asked)


async def test_a_batch_asks_as_often_for_thirty_tickets_as_for_two(tracker: Bench) -> None:
    assert await _asked_for(tracker, 100, 2) == await _asked_for(tracker, 200, 30)
    met = [fact.data.clock for fact in await tracker.told("deadline.met")]
    assert met.count(ClockKind.SIGN) == 32


def _pieces(facts: Sequence[Fact], order: random.Random) -> list[list[Fact]]:
    """Batches of one to five; the doubles keep their ids, or come again under another."""
    rest, pieces = list(facts), []
    while rest:
        size = order.randint(1, 5)
        again = [
            fact.model_copy(update={"id": UUID(int=order.getrandbits(128))}) for fact in rest[:1]
        ]
        pieces.append(rest[:size] + again)
        rest = rest[size:]
    return pieces


async def _retried(tracker: Bench) -> None:
    """Try what is parked again, hour by hour for a day."""
    for hours in range(1, 23):
        await tracker.service.inbox.retry_once(now=clock.real() + timedelta(hours=hours))
    assert await tracker.parked() == []


# --- redo and triggers -------------------------------------------------------------------------


async def test_a_redo_has_a_citizen_s_clock_of_its_own(tracker: Bench, story: Story) -> None:
    limits = Limits(sign="4wh", first_contact="1wd", handle="3wd")
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.completed("03-04 10:00"),
        story.resolved("03-04 10:00"),
        story.reopened("03-05 10:00", 2),
        story.dispatched("03-05 10:00", id=GT, unit="GT", round=2, redo=True, limits=limits),
    )
    now = await clocks(tracker)
    assert now["citizen #1"][0] == "met"
    assert now["citizen #2"] == ("running", "03-10 18:00")
    assert now["handle GT"] == ("running", "03-10 18:00")
    rounds = {f.round for f in await tracker.told("deadline.set") if f.time == at("03-05 10:00")}
    assert rounds == {2}


@pytest.mark.parametrize(("round", "rungs"), [(3, []), (4, [2])])
async def test_more_than_two_redo_rounds_are_supervised_from_dispatch(
    tracker: Bench, story: Story, round: int, rungs: list[int]
) -> None:
    await tracker.hear(
        story.registered(),
        story.reopened("03-02 11:00", round),
        story.dispatched("03-02 11:00", round=round, redo=True),
    )
    tracker.at("2026-03-02T11:00+08:00")
    await tracker.run("sweep")
    raised = await tracker.told("supervision.raised")
    assert [(f.data.rung, f.data.by, local(f.time)) for f in raised] == [
        (rung, "trigger", "03-02 11:00") for rung in rungs
    ]


async def test_a_critical_ticket_not_signed_for_is_the_head_s_matter(
    tracker: Bench, story: Story
) -> None:
    limits = Limits(sign="15min", first_contact="30min", handle="2h")
    await tracker.hear(
        story.registered(), story.dispatched(urgency=Urgency.CRITICAL, limits=limits)
    )
    tracker.at("2026-03-02T10:25+08:00")
    await tracker.run("sweep")
    (raised,) = await tracker.told("supervision.raised")
    assert (raised.data.rung, raised.data.by) == (3, "trigger")
    assert isinstance(raised.data, SupervisionRaised)
    await tracker.hear(story.signed("03-02 10:19"))
    (closed,) = await tracker.told("supervision.closed")
    assert closed.data.supervision == raised.data.supervision


# --- a year without a calendar -----------------------------------------------------------------


def with_notice(tmp_path: Path) -> Policy:
    """The county's rules once the notice for 2027 is out: New Year's Day is off."""
    folder = ROOT / "config" / "ziyang"
    policy: Policy = Settings(embedded=True, config_dir=folder).load()
    for notice in (folder / "calendar").glob("*.json"):
        (tmp_path / notice.name).write_bytes(notice.read_bytes())
    (tmp_path / "2027.json").write_text(
        '{"year": 2027, "papers": [], "days": '
        '[{"name": "元旦", "date": "2027-01-01", "isOffDay": true}]}'
    )
    segments = policy.table.calendar.duty_segments
    calendar = load_calendar(tmp_path, segments, TZ)
    return Policy(policy.table, policy.rules, calendar)


async def uncertain_since(tracker: Bench) -> datetime | None:
    async with tracker.service.store.act("service:tracker", tracker.now) as act:
        return await tracker.service.jobs["recompute"].due(act)


async def test_a_provisional_due_moment_becomes_certain_when_the_calendar_arrives(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    tracker.at("2026-12-30T10:00+08:00")
    await tracker.hear(story.registered("12-30 10:00"), story.dispatched("12-30 10:05"))
    provisional = await tracker.rows("SELECT kind FROM clocks WHERE provisional")
    assert {row["kind"] for row in provisional} == {"citizen", "handle"}
    assert await tracker.run("recompute") == 0
    assert await uncertain_since(tracker) is None
    tracker.service.store.config = with_notice(tmp_path)
    assert await uncertain_since(tracker) == at("12-30 10:00")
    assert await tracker.run("recompute") == 1
    assert await tracker.rows("SELECT 1 FROM clocks WHERE provisional") == []
    moved = {f.data.clock: f.data for f in await tracker.told("deadline.moved")}
    assert set(moved) == {"citizen", "handle"}
    assert {local(data.before) for data in moved.values()} == {"01-06 18:00"}
    assert {local(data.due) for data in moved.values()} == {"01-07 18:00"}
    assert all("放假安排" in data.reason for data in moved.values())
