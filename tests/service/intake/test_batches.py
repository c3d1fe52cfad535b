"""Facts end in the same rows whichever way they come, and a batch asks as often as one fact."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import ExtensionGranted, Fact
from shared.messaging.bus import Message
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, life, post, registered
from tests.fixtures.statements import asked

# --- the same rows -----------------------------------------------------------------------------

MATTER = (
    "SELECT to_jsonb(t) - '{number,id,code_nonce}'::text[] AS row FROM ticket t WHERE number = :n"
)
ASSIGNED = """
    SELECT to_jsonb(a) - '{number,id}'::text[] AS row FROM assignment a
    WHERE number = :n ORDER BY round, unit"""


async def known(intake: Bench, number: str) -> list[Any]:
    """What intake keeps of a ticket, without what no two tickets share."""
    rows = await intake.rows(MATTER, n=number) + await intake.rows(ASSIGNED, n=number)
    return [row["row"] for row in rows]


async def begun(intake: Bench) -> str:
    """A ticket that was urged once."""
    number: str = (await registered(intake))["number"]
    await post(intake, f"/v1/tickets/{number}/urges", {"note": "快"})
    return number


def whole_life(intake: Bench, number: str) -> list[Fact]:
    """A ticket done twice, with more time in both rounds and a unit that was taken off it."""
    facts = life(intake, number, uuid4())
    for round, reason in ((1, "等配件"), (2, "等天晴")):
        granted = ExtensionGranted(extension=uuid4(), days=3, due=intake.now, reason=reason)
        facts.append(intake.fact(granted, subject=number, unit="GSGS", round=round))
    return facts


def of_bus(facts: Sequence[Fact]) -> list[Message]:
    return [Message(fact.key, str(fact.id), fact.encode()) for fact in facts]


async def straight(intake: Bench) -> list[Any]:
    """What is known of a ticket whose facts came in their order, one by one."""
    number = await begun(intake)
    for fact in whole_life(intake, number):
        await intake.hear(fact)
    return await known(intake, number)


def pieces(facts: Sequence[Fact], order: random.Random) -> list[list[Fact]]:
    """Batches of one to six."""
    rest, cut = list(facts), []
    while rest:
        size = order.randint(1, 6)
        cut.append(rest[:size])
        rest = rest[size:]
    return cut


async def test_a_batch_ends_in_the_rows_of_one_by_one(intake: Bench) -> None:
    expected = await straight(intake)
    numbers = [await begun(intake) for _ in range(3)]
    await intake.hear(*(fact for n in numbers for fact in whole_life(intake, n)))
    for number in numbers:
        assert await known(intake, number) == expected
    assert expected[0]["status"] == "closed"
    assert [row["status"] for row in expected[1:]] == ["completed", "completed"]


@pytest.mark.parametrize("seed", range(6))
async def test_shuffled_and_doubled_batches_end_in_them_too(intake: Bench, seed: int) -> None:
    """Of several tickets in one batch; doubles keep their ids or come under others."""
    order = random.Random(seed)
    expected = await straight(intake)
    numbers = [await begun(intake) for _ in range(3)]
    facts = [fact for number in numbers for fact in whole_life(intake, number)]
    mixed = facts + order.sample(facts, 9)
    mixed += [fact.model_copy(update={"id": uuid4()}) for fact in order.sample(facts, 9)]
    order.shuffle(mixed)
    for batch in pieces(mixed, order):
        await intake.hear(*batch)
    for number in numbers:
        assert await known(intake, number) == expected
    assert await intake.parked() == []


async def test_an_early_fact_spoils_no_neighbour(intake: Bench) -> None:
    expected = await straight(intake)
    number = await begun(intake)
    early = whole_life(intake, "20260302-000999")
    await intake.receive(of_bus([*early[:2], *whole_life(intake, number)]))
    assert await known(intake, number) == expected
    assert {row["state"] for row in await intake.parked()} == {"early"}


# --- the same number of statements -------------------------------------------------------------


async def heard(intake: Bench, count: int) -> list[str]:
    """What it takes to hear in one batch that so many tickets were dispatched, signed and closed."""
    items = {"tickets": [complaint() for _ in range(count)]}
    answer = await post(intake, "/v1/tickets/batch", items)
    numbers = [each["ticket"]["number"] for each in answer.json()["answers"]]
    lives = [life(intake, number, uuid4()) for number in numbers]
    with asked(intake.service.store.engine) as statements:
        await intake.receive(of_bus([fact for whole in lives for fact in whole]))
    return statements


async def test_a_batch_asks_as_often_for_thirty_tickets_as_for_one(intake: Bench) -> None:
    one, thirty = await heard(intake, 1), await heard(intake, 30)
    assert thirty == one
    touched = [statement.split()[0] for statement in one]
    assert touched == ["WITH", "SELECT", "SELECT", "INSERT", "UPDATE"]
    assert {row["status"] for row in await intake.rows("SELECT status FROM ticket")} == {"closed"}


async def test_a_batch_of_strangers_asks_for_tickets_only(intake: Bench) -> None:
    unknown = of_bus(life(intake, "20260302-000999", UUID(int=1))[:1])
    with asked(intake.service.store.engine) as statements:
        await intake.receive(unknown)
    assert not any("FROM assignment" in statement for statement in statements)
