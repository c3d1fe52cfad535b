"""Batches of facts side by side, beside sweeps, and what a batch asks of the database."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import Engine, event

from services.tracker import jobs
from shared.events import ClockKind
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, local, receive


async def test_sweeps_and_batches_side_by_side_neither_deadlock_nor_double(tracker: Bench) -> None:
    stories = [Story(tracker, f"20260302-{n:06}") for n in range(1, 41)]
    ids = [UUID(int=1_000 + n) for n in range(len(stories))]
    pairs = list(zip(stories, ids, strict=True))
    await receive(tracker, *(story.registered() for story in stories))
    await receive(tracker, *(story.dispatched(id=id) for story, id in pairs))
    await receive(tracker, *(story.signed("03-02 17:00", id=id) for story, id in pairs))
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


@contextmanager
def listening(engine: Engine, name: str, heard: Callable[..., object]) -> Iterator[None]:
    """Hear an engine's event while the block lasts."""
    event.listen(engine, name, heard)
    try:
        yield
    finally:
        event.remove(engine, name, heard)


@contextmanager
def asking(tracker: Bench) -> Iterator[list[str]]:
    """The statements that are asked while the block lasts."""
    asked: list[str] = []
    engine = tracker.service.store.engine.sync_engine
    with listening(engine, "before_cursor_execute", lambda *what: asked.append(what[2])):
        yield asked


async def _dispatched(tracker: Bench, first: int, count: int) -> list[tuple[Story, UUID]]:
    """So many new tickets at a unit, by the ids of their assignments."""
    numbers = range(first, first + count)
    pairs = [(Story(tracker, f"20260302-{number:06}"), UUID(int=number)) for number in numbers]
    for story, id in pairs:
        await receive(tracker, story.registered("03-02 10:00"), story.dispatched(id=id))
    return pairs


async def _asked_for(tracker: Bench, first: int, count: int) -> int:
    """How many statements it takes to hear in one batch that so many new tickets were signed."""
    pairs = await _dispatched(tracker, first, count)
    with asking(tracker) as asked:
        await receive(tracker, *(story.signed("03-02 11:00", id=id) for story, id in pairs))
    return len(asked)


async def test_a_batch_asks_as_often_for_thirty_tickets_as_for_two(tracker: Bench) -> None:
    assert await _asked_for(tracker, 100, 2) == await _asked_for(tracker, 200, 30)
    met = [fact.data.clock for fact in await tracker.told("deadline.met")]
    assert met.count(ClockKind.SIGN) == 32


async def _swept(tracker: Bench, first: int, count: int) -> int:
    """How many statements it takes to pass every mark of the clocks of so many tickets."""
    tracker.at("2026-03-02T10:05+08:00")
    await _dispatched(tracker, first, count)
    tracker.at("2026-03-20T10:00+08:00")
    with asking(tracker) as asked:
        assert await jobs.sweep(tracker.service.store, 1_000) == 4 * count
    return len(asked)


async def test_a_tick_asks_as_often_for_thirty_tickets_as_for_two(tracker: Bench) -> None:
    assert await _swept(tracker, 100, 2) == await _swept(tracker, 200, 30)
    assert len(await tracker.rows("SELECT 1 FROM supervisions")) == 4 * 32
