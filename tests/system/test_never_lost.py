"""Never lost, never doubled: outbox, idempotent requests and shared commits on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import text

from shared import clock
from shared.events import TicketClosed
from shared.messaging import outbox
from shared.messaging.bus import BusTrouble, Message, Refused
from shared.messaging.local_bus import LocalBus
from shared.messaging.outbox import Relay, backlog
from shared.storage.group_commit import GroupCommit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, registered

# --- outbox ------------------------------------------------------------------------------------


class Broker(LocalBus):
    """A bus that says what a test tells it to."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Message] = []
        self.answers: dict[str, Exception] = {}
        self.away = False

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        if self.away:
            raise BusTrouble("away")
        self.published += [m for m in messages if m.id not in self.answers]
        return [self.answers.get(m.id) for m in messages]


async def test_the_relay_sends_in_order_and_positions_have_no_gap(intake: Bench) -> None:
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    for _ in range(3):
        await registered(intake)
    assert await relay.run_once(limit=2) == 2
    assert await relay.run_once() == 1
    assert await relay.run_once() == 0
    rows = await intake.rows("SELECT fact, position FROM outbox ORDER BY id")
    assert [row["position"] for row in rows] == [1, 2, 3]
    assert [m.id for m in broker.published] == [str(row["fact"]) for row in rows]


async def test_a_fact_the_broker_refuses_is_put_off_and_the_others_pass(intake: Bench) -> None:
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    for _ in range(3):
        await registered(intake)
    refused = (await intake.rows("SELECT fact FROM outbox ORDER BY id"))[1]["fact"]
    broker.answers = {str(refused): Refused("406 too large")}
    with time_machine.travel(clock.real(), tick=False):
        assert await relay.run_once() == 2
        assert await relay.run_once() == 0  # not before its time
    rows = await intake.rows("SELECT position, attempts, reason FROM outbox ORDER BY id")
    assert [tuple(r.values()) for r in rows] == [
        (1, 0, None),
        (None, 1, "406 too large"),
        (2, 0, None),
    ]
    broker.answers = {}
    await intake.do("UPDATE outbox SET try_at = NULL")
    assert await relay.run_once() == 1
    assert (await backlog(intake.service.store))[0] == 0


async def test_a_fact_the_link_lost_is_no_refused_one_and_goes_with_the_next_pass(
    intake: Bench,
) -> None:
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    for _ in range(2):
        await registered(intake)
    lost = (await intake.rows("SELECT fact FROM outbox ORDER BY id"))[0]["fact"]
    broker.answers = {str(lost): BusTrouble("cut")}
    assert await relay.run_once() == 1
    broker.answers = {}
    assert await relay.run_once() == 1
    rows = await intake.rows("SELECT attempts, try_at FROM outbox")
    assert [(r["attempts"], r["try_at"]) for r in rows] == [(0, None)] * 2


async def test_a_refused_fact_waits_longer_each_time_and_a_minute_at_most(intake: Bench) -> None:
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    await registered(intake)
    [row] = await intake.rows("SELECT fact FROM outbox")
    broker.answers = {str(row["fact"]): ValueError()}
    waits = []
    with time_machine.travel(clock.real(), tick=False):
        for _ in range(8):
            await relay.run_once()
            [row] = await intake.rows("SELECT try_at FROM outbox")
            waits.append((row["try_at"] - clock.real()).total_seconds())
            await intake.do("UPDATE outbox SET try_at = NULL")
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_however_many_were_refused_before_new_facts_pass(intake: Bench) -> None:
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    for _ in range(6):
        await registered(intake)
    facts = [str(row["fact"]) for row in await intake.rows("SELECT fact FROM outbox ORDER BY id")]
    broker.answers = dict.fromkeys(facts[:5], Refused("406"))
    await intake.do(
        "UPDATE outbox SET try_at = now(), attempts = 9 WHERE id <= (SELECT min(id) + 4 FROM outbox)"
    )
    assert await relay.run_once(limit=1) == 1
    assert [m.id for m in broker.published] == facts[5:]


async def test_a_batch_is_bounded_by_size_and_the_largest_goes_alone(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LARGEST_BATCH", 1)
    broker = Broker()
    relay = Relay(intake.service.store, broker)
    for _ in range(3):
        await registered(intake)
    assert [await relay.run_once() for _ in range(4)] == [1, 1, 1, 0]


async def test_a_fact_without_a_bound_is_a_fault_of_ours_and_nothing_is_stored(
    intake: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "LARGEST_FACT", 500)
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint())
    assert answer.status_code == 500
    assert await intake.rows("SELECT 1 FROM ticket") == []


async def test_while_the_broker_is_away_complaints_are_taken_and_kept(intake: Bench) -> None:
    broker = Broker()
    broker.away = True
    relay = Relay(intake.service.store, broker)
    await registered(intake)
    with pytest.raises(BusTrouble):
        await relay.run_once()
    rows = await intake.rows("SELECT position, attempts FROM outbox")
    assert [(r["position"], r["attempts"]) for r in rows] == [(None, 0)]
    broker.away = False
    assert await relay.run_once() == 1


async def test_one_relay_at_a_time_works_on_a_database(intake: Bench) -> None:
    broker = Broker()
    relays = [Relay(intake.service.store, broker) for _ in range(3)]
    for _ in range(5):
        await registered(intake)
    sent = await asyncio.gather(*(relay.run_once() for relay in relays))
    assert sum(sent) == 5
    assert len(broker.published) == 5


async def test_a_service_says_only_its_own_facts(intake: Bench) -> None:
    with pytest.raises(AssertionError, match="one writer per fact"):
        async with intake.service.store.act("service:intake") as act:
            act.tell(TicketClosed(kind="satisfied"), subject="A", round=1)


async def test_seq_counts_per_subject_without_a_gap(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await registered(intake)
    for _ in range(2):
        await intake.http("phone_system").post(f"/v1/tickets/{number}/urges", json={"note": "急"})
    facts = [fact for fact in await intake.told() if fact.subject == number]
    assert [fact.seq for fact in facts] == [1, 2, 3]


# --- answers after the commit ------------------------------------------------------------------


async def refuse_commits(intake: Bench, table: str) -> None:
    """Make every transaction that touched a table fail at its commit, and not before."""
    async with intake.service.store.engine.begin() as connection:
        await connection.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'refused at commit'; END $$"
            )
        )
        await connection.execute(
            text(
                f"CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON {table} "
                "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )


async def test_a_failing_commit_is_an_error_and_no_201(intake: Bench) -> None:
    await refuse_commits(intake, "ticket")
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint())
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert await intake.told() == []


async def test_a_failing_commit_is_an_error_in_every_act(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await refuse_commits(intake, "ticket")
    answer = await intake.http("phone_system").post(
        f"/v1/tickets/{number}/urges", json={"note": "急"}
    )
    assert answer.status_code == 500
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]


# --- requests ----------------------------------------------------------------------------------


async def urge(intake: Bench, number: str, key: str, note: str = "急") -> Any:
    return await intake.http("phone_system").post(
        f"/v1/tickets/{number}/urges", json={"note": note}, headers={"Idempotency-Key": key}
    )


async def test_a_repeated_act_answers_as_the_first_time(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    key = str(uuid4())
    answers = [await urge(intake, number, key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer.text for answer in answers}) == 1
    assert len(await intake.told("ticket.urged")) == 1


async def test_ten_repeats_at_once_are_one_act(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    answers = await asyncio.gather(*(urge(intake, number, "k") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await intake.told("ticket.urged")) == 1


async def test_the_same_key_with_another_body_is_refused(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await urge(intake, number, "k")
    answer = await urge(intake, number, "k", note="另一件事")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("idempotency-key-reused")


async def test_a_key_is_the_callers_own(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await urge(intake, number, "k")
    other = intake.http("phone_system", name="another gateway")
    await other.post(
        f"/v1/tickets/{number}/urges", json={"note": "又"}, headers={"Idempotency-Key": "k"}
    )
    assert len(await intake.told("ticket.urged")) == 2


# --- group commit ------------------------------------------------------------------------------


async def test_requests_that_wait_at_the_same_moment_share_a_commit() -> None:
    groups: list[Sequence[int]] = []
    gate = asyncio.Event()

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        groups.append(items)
        await gate.wait()
        return [ValueError() if item == 3 else item * 10 for item in items]

    group: GroupCommit[int, int] = GroupCommit(run)
    tasks = [asyncio.create_task(group.submit(n)) for n in range(5)]
    gate.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answers[n] for n in (0, 1, 2, 4)] == [0, 10, 20, 40]
    assert isinstance(answers[3], ValueError)
    assert sum(map(len, groups)) == 5
    assert len(groups) <= 2


async def test_a_group_that_fails_is_tried_one_by_one() -> None:
    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        if 3 in items:
            raise ValueError("poison")
        return [item * 10 for item in items]

    group: GroupCommit[int, int] = GroupCommit(run)
    answers = await asyncio.gather(*(group.submit(n) for n in range(5)), return_exceptions=True)
    assert [answers[n] for n in (0, 1, 2, 4)] == [0, 10, 20, 40]
    assert isinstance(answers[3], ValueError)
