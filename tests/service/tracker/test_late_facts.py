"""Facts that come late, early, twice or in any order end in the same rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared import clock
from shared.events import ContactOutcome, Fact, Limits, Role, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, Story, clocks, facts_told, local, receive

# --- late --------------------------------------------------------------------------------------


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
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    await tracker.hear(story.completed("03-11 09:00"))
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
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    await tracker.hear(story.completed("03-10 09:00"))
    assert len(await tracker.told("supervision.closed")) == 1
    await tracker.hear(story.asked_return("03-03 10:00"), story.refused_return("03-04 10:00"))
    assert len(await tracker.told("supervision.closed")) == 1
    assert await tracker.rows("SELECT 1 FROM supervisions") == []
    assert "handle" in {fact.data.clock for fact in await tracker.told("deadline.annulled")}


# --- early, twice, in any order ----------------------------------------------------------------


async def _retried(tracker: Bench) -> None:
    """Try what is parked again, hour by hour for a day."""
    for hours in range(1, 23):
        await tracker.service.inbox.retry_once(now=clock.real() + timedelta(hours=hours))
    assert await tracker.parked() == []


async def test_a_fact_without_its_ground_waits(tracker: Bench, story: Story) -> None:
    signed, dispatched = story.signed("03-02 11:00"), story.dispatched()
    await receive(tracker, signed, dispatched)
    assert [row["state"] for row in await tracker.parked()] == ["early", "early"]
    await receive(tracker, story.registered())
    await _retried(tracker)
    assert (await clocks(tracker))["sign HC"] == ("met", "03-02 16:05")


TABLES = ("tickets", "rounds", "assignments", "clocks", "extensions", "supervisions")


async def everything(tracker: Bench) -> dict[str, list[dict[str, Any]]]:
    """Every row of the tracker's own tables; of discrepancies what stands, and not since when (gain 6)."""
    rows = {name: await tracker.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}
    stand = "SELECT id, kind, status, unit, assignment, at FROM discrepancies"
    stand += " WHERE explained_at IS NULL ORDER BY id"
    return rows | {"discrepancies": await tracker.rows(stand)}


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
        story.left("03-02 15:00", Urgency.URGENT),
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
    found = {row["kind"] for row in straight["discrepancies"]}
    assert found == {"contact_unread", "result_denied"}
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


# --- in batches --------------------------------------------------------------------------------


def _in_some_order(facts: Sequence[Fact], order: random.Random) -> list[Fact]:
    """Facts and some doubles in an order in which none is early."""
    rest, found = [*facts, *order.sample(facts, 5)], list[Fact]()
    while rest:
        known = {(fact.name, fact.assignment, fact.round) for fact in found}
        fact = order.choice([fact for fact in rest if _ground(fact) in {None, *known}])
        rest.remove(fact)
        found.append(fact)
    return found


def _ground(fact: Fact) -> tuple[str, UUID | None, int] | None:
    """What must be known before a fact: name, assignment and round."""
    if fact.name == "ticket.registered":
        return None
    if fact.assignment and fact.name != "assignment.dispatched":
        return "assignment.dispatched", fact.assignment, fact.round
    if fact.name == "ticket.resolved" and fact.round > 1:
        return "ticket.reopened", None, fact.round
    return "ticket.registered", None, 1


async def _heard(tracker: Bench, batches: Sequence[Sequence[Fact]], sweeps: set[int]) -> Any:
    """What is said and kept when facts come in these batches, the sweep after some of them."""
    await tracker.do("TRUNCATE tickets, inbox, outbox, seq CASCADE")
    for at, batch in enumerate(batches):
        before = tracker.service.store.acts
        await receive(tracker, *batch)
        assert tracker.service.store.acts == before + 2  # one that began and ended: nothing failed
        if at in sweeps:
            await tracker.run("sweep")
    assert await tracker.parked() == []
    apart = {"id", "recorded", "traceparent"}
    said = [fact.model_dump(exclude=apart) for fact in await tracker.told()]
    return said, await everything(tracker)


@pytest.mark.parametrize("seed", range(6))
async def test_a_batch_says_and_keeps_what_its_facts_do_one_by_one(
    tracker: Bench, story: Story, seed: int
) -> None:
    order = random.Random(seed)
    tracker.at("2026-03-25T10:00+08:00")
    facts = _in_some_order(whole_life(story), order) if seed else whole_life(story)
    size = order.choice([3, 6, len(facts)])
    sweeps = {at for at in range(len(facts)) if (at + 1) % size == 0 and order.random() < 0.7}
    batches = [facts[at : at + size] for at in range(0, len(facts), size)]
    together = await _heard(tracker, batches, {at // size for at in sweeps})
    assert await _heard(tracker, [[fact] for fact in facts], sweeps) == together


async def test_a_rung_taken_back_and_raised_again_within_a_batch_stands(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 11:00"))
    tracker.at("2026-03-11T10:00+08:00")
    await tracker.run("sweep")
    raised = await tracker.rows("SELECT id, rung, raised_at FROM supervisions ORDER BY rung")
    assert [row["rung"] for row in raised] == [1, 2]
    before = tracker.service.store.acts
    await receive(  # a pause on a Sunday moves nothing, and the answer is late as before
        tracker,
        story.asked_return("03-08 10:00"),
        story.refused_return("03-08 11:00"),
        story.completed("03-11 09:00"),
    )
    assert tracker.service.store.acts == before + 2  # one that began and ended: nothing failed
    assert raised == await tracker.rows(
        "SELECT id, rung, raised_at FROM supervisions WHERE closed_at IS NOT NULL ORDER BY rung"
    )
    told = await facts_told(tracker, "supervision.raised", "supervision.closed")
    assert [line.split("@")[0] for line in told] == [
        *["supervision.raised"] * 2,
        *["supervision.closed"] * 2,
        *["supervision.raised"] * 2,
        *["supervision.closed"] * 2,
    ]
