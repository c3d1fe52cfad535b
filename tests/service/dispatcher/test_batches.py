"""Whichever way facts come, a ticket's rows are the same; and what a batch asks of the database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.events import (
    ClosingKind,
    Data,
    Fact,
    TicketClosed,
    TicketReopened,
    TicketSupplemented,
    TicketUrged,
    TicketWithdrawn,
)
from shared.messaging.bus import Message
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    STREET_LIGHT,
    assignments,
    banquet,
    company,
    finish,
    street_light,
    warned,
)
from tests.fixtures.statements import asked

AGREED, AGAIN, TAKEN_BACK, DESKS = (f"20260302-00000{n}" for n in range(1, 5))
REDO = TicketReopened(reasons=("not_solved",), comment="晚上还是黑的")


def said(bench: Bench, *told: tuple[str, Data], round: int = 1) -> list[Fact]:
    """Facts about tickets, a second after one another."""
    return [
        bench.fact(data, subject=subject, round=round, time=bench.now + timedelta(seconds=count))
        for count, (subject, data) in enumerate(told)
    ]


def begun(bench: Bench) -> list[Fact]:
    """Four complaints, and what their citizens had to add before anybody answered."""
    more = TicketSupplemented(content="灯杆也歪了")
    return said(
        bench,
        (AGREED, street_light()),
        (AGAIN, company()),
        (TAKEN_BACK, street_light()),
        (DESKS, banquet()),
        (AGAIN, more),
        (AGREED, TicketUrged(times=1, note="急")),
        (AGAIN, TicketUrged(times=1, note="急")),
        (DESKS, more),
        (DESKS, TicketUrged(times=1, note="急")),
        (DESKS, TicketUrged(times=2, note="很急")),
    )


def ended(bench: Bench) -> list[Fact]:
    """What became of them when the units had answered."""
    first = said(
        bench,
        (AGREED, TicketClosed(kind=ClosingKind.SATISFIED)),
        (AGAIN, TicketSupplemented(content="又灭了")),
        (TAKEN_BACK, TicketWithdrawn(reason="不办了")),
        (DESKS, TicketWithdrawn(reason="不办了")),
    )
    second = said(bench, (AGAIN, REDO), (TAKEN_BACK, REDO), round=2)
    third = said(
        bench,
        (AGAIN, TicketSupplemented(content="还是黑的")),
        (AGAIN, TicketUrged(times=2, note="还没来")),
    )
    return [*first, *second, *third]


async def lived(
    bench: Bench, hear: Callable[[list[Fact]], Iterator[Sequence[Fact]]]
) -> tuple[Any, Any]:
    """Let the tickets live, their facts heard in such batches: their rows, and what was told."""
    await bench.do(
        "TRUNCATE tickets, assignments, supplements, contacts, inbox, outbox, seq, feed CASCADE"
    )
    await heard(bench, hear(begun(bench)))
    for number, units in (
        (AGREED, (STREET_LIGHT,)),
        (AGAIN, (*COMPANY_CO, COMPANY)),
        (TAKEN_BACK, (STREET_LIGHT,)),
    ):
        given = await assignments(bench, number)
        for unit in units:
            await finish(bench, unit, given[unit])
    await heard(bench, hear(ended(bench)))
    return await rows(bench), await facts(bench)


async def heard(bench: Bench, batches: Iterator[Sequence[Fact]]) -> None:
    """Receive these batches; what was early is tried again, hour by hour for less than a day."""
    for batch in batches:
        await receive(bench, batch)
    for hours in range(1, 23):
        await bench.service.inbox.retry_once(now=clock.real() + timedelta(hours=hours))
    assert await bench.parked() == []


async def receive(bench: Bench, batch: Sequence[Fact]) -> None:
    """Receive one batch, nothing more."""
    await bench.receive([Message(fact.key, str(fact.id), fact.encode()) for fact in batch])


async def rows(bench: Bench) -> list[dict[str, Any]]:
    """Every row about tickets; what a dispatch made up, its id, is left out, and so is a place among
    the facts of a speaker.
    """
    return [
        *await bench.rows("SELECT * FROM tickets ORDER BY number"),
        *await bench.rows(
            "SELECT to_jsonb(a) - 'id' AS a FROM assignments a ORDER BY ticket, round, unit"
        ),
        *await bench.rows("SELECT ticket, added_at, content FROM supplements ORDER BY 1, 2"),
    ]


async def facts(bench: Bench) -> list[tuple[Any, ...]]:
    """What was told of each ticket, in order."""
    told = sorted(await bench.told(), key=lambda fact: (fact.subject, fact.seq))
    return [
        (fact.subject, fact.seq, fact.name, fact.time, fact.round, fact.unit, fact.data)
        for fact in told
    ]


def one_by_one(given: list[Fact]) -> Iterator[Sequence[Fact]]:
    yield from ([fact] for fact in given)


def all_at_once(given: list[Fact]) -> Iterator[Sequence[Fact]]:
    yield given


def in_pieces(seed: int, *, shuffled: bool) -> Callable[[list[Fact]], Iterator[Sequence[Fact]]]:
    """Batches of one to five with doubles among them, in order or in any."""
    order = random.Random(seed)

    def pieces(given: list[Fact]) -> Iterator[Sequence[Fact]]:
        rest = list(given)
        if shuffled:
            order.shuffle(rest)
        while rest:
            size = order.randint(1, 5)
            yield rest[:size] + order.sample(given if shuffled else rest[:size], 1)
            rest = rest[size:]

    return pieces


async def test_a_batch_ends_in_the_rows_and_facts_of_one_by_one(dispatcher: Bench) -> None:
    straight = await lived(dispatcher, one_by_one)
    assert {name for _, _, name, *_ in straight[1]} >= {"assignment.updated", "assignment.closed"}
    assert await lived(dispatcher, all_at_once) == straight
    for seed in range(2):
        assert await lived(dispatcher, in_pieces(seed, shuffled=False)) == straight


@pytest.mark.parametrize("seed", range(4))
async def test_shuffled_and_doubled_facts_end_in_the_same_rows(
    dispatcher: Bench, seed: int
) -> None:
    straight, _ = await lived(dispatcher, one_by_one)
    mixed, _ = await lived(dispatcher, in_pieces(seed, shuffled=True))
    assert mixed == straight


# --- what it asks for --------------------------------------------------------------------------


async def _asked_for(bench: Bench, day: int, count: int) -> list[int]:
    """How many statements it takes to hear so many facts of each kind, each kind in one batch."""
    numbers = [f"202603{day:02}-{n:06}" for n in range(count)]
    kinds: list[Data] = [
        street_light(),
        TicketSupplemented(content="又灭了"),
        TicketUrged(times=1, note="急"),
        TicketWithdrawn(reason="不办了"),
    ]
    batches = [said(bench, *((number, data) for number in numbers)) for data in kinds]
    taken = []
    for facts in (*batches, [warned(bench, "HC") for _ in numbers]):
        with asked(bench.service.store.engine) as statements:
            await receive(bench, facts)
        taken.append(len(statements))
    return taken


async def test_a_batch_asks_as_often_for_thirty_tickets_as_for_two(dispatcher: Bench) -> None:
    await dispatcher.run("take_up_catalogue")  # what a start does, whoever comes then
    assert await _asked_for(dispatcher, 2, 2) == await _asked_for(dispatcher, 3, 30)
    assert len(await dispatcher.told("assignment.cancelled")) == 32
