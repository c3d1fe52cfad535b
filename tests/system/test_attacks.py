"""What somebody tried in order to lose a ticket, or to double one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared import clock
from shared.errors import TooEarly
from shared.events import TicketClosed
from shared.messaging.bus import Message
from shared.storage.act import InDoubt
from shared.storage.group_commit import GroupCommit
from tests.fixtures.bench import Bench
from tests.fixtures.recorder import Recorder, parcel, seen, told
from tests.fixtures.scenes.intake import complaint, registered

HTTP = {"Idempotency-Key": "k"}


# --- one key, two acts -------------------------------------------------------------------------


async def test_a_key_of_another_act_registers_nothing(intake: Bench) -> None:
    client, number = intake.http("phone_system"), (await registered(intake))["number"]
    urges = f"/v1/tickets/{number}/urges"
    first = await client.post(urges, json={"note": "急"}, headers=HTTP)
    for _ in range(2):
        answer = await client.post("/v1/tickets", json=complaint(title="别的"), headers=HTTP)
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("idempotency-key-reused")
    again = await client.post(urges, json={"note": "急"}, headers=HTTP)
    assert (again.status_code, again.text) == (200, first.text)
    assert [fact.name for fact in await intake.told()] == ["ticket.registered", "ticket.urged"]


async def test_a_key_of_a_registration_does_nothing_else(intake: Bench) -> None:
    client = intake.http("phone_system")
    first = await client.post("/v1/tickets", json=complaint(), headers=HTTP)
    urges = f"/v1/tickets/{first.json()['number']}/urges"
    answer = await client.post(urges, json={"note": "急"}, headers=HTTP)
    assert answer.status_code == 422
    again = await client.post("/v1/tickets", json=complaint(), headers=HTTP)
    assert (again.status_code, again.json()) == (200, first.json())
    assert [fact.name for fact in await intake.told()] == ["ticket.registered"]


async def test_a_batch_that_comes_three_times_at_once_is_registered_once(intake: Bench) -> None:
    client = intake.http("phone_system")
    batch = {"tickets": [complaint(title=f"第{n}件") for n in range(120)]}
    posts = [client.post("/v1/tickets/batch", json=batch, headers=HTTP) for _ in range(3)]
    answers = [answer.json()["answers"] for answer in await asyncio.gather(*posts)]
    numbers = [[each["ticket"]["number"] for each in one] for one in answers]
    assert numbers[0] == numbers[1] == numbers[2]
    assert len(await intake.told("ticket.registered")) == 120


# --- one of a group fails ----------------------------------------------------------------------


async def test_one_that_cannot_be_stored_does_not_hide_what_was(intake: Bench) -> None:
    await intake.do(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.title = 'poison' THEN RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$",
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ticket "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    batch = {"tickets": [complaint(title=title) for title in ("a", "poison", "b")]}
    answer = await intake.http("phone_system").post("/v1/tickets/batch", json=batch)
    assert answer.status_code == 200
    assert [each["status"] for each in answer.json()["answers"]] == [201, 500, 201]
    assert len(await intake.told("ticket.registered")) == 2


async def test_what_may_have_been_committed_is_not_done_again() -> None:
    done: list[int] = []

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        done.extend(items)
        raise InDoubt

    group: GroupCommit[int, int] = GroupCommit(run)
    answers = await asyncio.gather(*(group.submit(n) for n in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {InDoubt}
    assert sorted(done) == [0, 1, 2, 3, 4]


async def test_while_the_database_is_away_nobody_waits_for_everybody_else() -> None:
    tries: list[Sequence[int]] = []

    async def run(items: Sequence[int]) -> Sequence[int | Exception]:
        tries.append(items)
        raise ConnectionRefusedError

    group: GroupCommit[int, int] = GroupCommit(run)
    answers = await asyncio.gather(*(group.submit(n) for n in range(50)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ConnectionRefusedError}
    assert len(tries) == 2


async def test_a_connection_lost_at_the_commit_leaves_it_in_doubt(intake: Bench) -> None:
    await intake.do(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$",
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON ticket "
        "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()",
    )
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint())
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("database-away")
    assert answer.headers["retry-after"] == "5"
    assert await intake.told() == []


async def test_connections_cut_while_idle_cost_nobody_a_ticket(intake: Bench) -> None:
    await asyncio.gather(*(registered(intake, title=f"{n}") for n in range(10)))
    await intake.do(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    client = intake.http("phone_system")
    answers = [await client.post("/v1/tickets", json=complaint()) for _ in range(12)]
    assert {answer.status_code for answer in answers} <= {201, 503}
    stored = [answer.json()["number"] for answer in answers if answer.status_code == 201]
    assert len(stored) >= 10
    assert len(await intake.told("ticket.registered")) == 10 + len(stored)


async def test_requests_that_were_cancelled_hold_up_nobody(intake: Bench) -> None:
    client = intake.http("phone_system")
    posts = [
        asyncio.create_task(client.post("/v1/tickets", json=complaint(title=f"{n}")))
        for n in range(40)
    ]
    await registered(intake)
    for post in posts[::2]:
        post.cancel()
    answers = await asyncio.gather(*posts, return_exceptions=True)
    kept = [answer for answer in answers if not isinstance(answer, BaseException)]
    assert {answer.status_code for answer in kept} == {201}
    assert len(kept) >= 20
    assert (await registered(intake))["number"]


# --- poison on the bus -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"seq": 2**31, "subject": "20260101-000001"},
        {"seq": 2**63, "subject": "20260101-000001"},
        {"round": 2**31},
        {"type": "cn.jiesu.\0.v1"},
        {"actor": "\0"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": "9999-12-31T23:59:59-14:00"},
        {"subject": "٣"},
        {"data": {"kind": "\0"}},
        {"data": {"kind": ""}},
        {"data": {"kind": "满意"}},
        {"data": {"kind": "s" * 5000}},
    ],
)
async def test_no_field_of_a_fact_can_hold_the_consumer_up(
    intake: Bench, changes: dict[str, Any]
) -> None:
    number = (await registered(intake))["number"]
    good = intake.fact(TicketClosed(kind="satisfied"), subject=number)
    body = json.loads(good.encode()) | {"id": str(uuid4())} | changes
    await intake.receive([Message("ticket.closed", "", json.dumps(body).encode()), parcel(good)])
    [ticket] = await intake.rows("SELECT status FROM ticket")
    assert ticket["status"] == "closed"


@pytest.mark.parametrize("key", ["", "...", "a\0b", "\ud800", "assignment.signed.HC", "x" * 5000])
async def test_no_routing_key_can_hold_the_consumer_up(
    intake: Bench, recorder: Recorder, key: str
) -> None:
    """One that its fact contradicts is refused; the fact itself may still come under its own."""
    recorder.failing["B"] = ValueError()
    await intake.receive([parcel(told(intake, "B"))])
    behind = parcel(told(intake, "B"))
    await intake.receive([Message(key, behind.id, behind.body), parcel(told(intake, "A"))])
    assert await seen(intake) == [("A", 1)]
    assert [row["state"] for row in await intake.parked()] == ["failed", "dead"]
    await intake.receive([behind])
    assert [row["state"] for row in await intake.parked()] == ["failed", "dead", "behind"]


async def test_a_whole_pass_that_stays_early_does_not_keep_others_from_their_turn(
    intake: Bench, recorder: Recorder
) -> None:
    subjects = [f"A{n:03}" for n in range(12)]
    recorder.failing = dict.fromkeys([*subjects, "Z"], TooEarly("not yet"))
    for subject in (*subjects, "Z"):
        await intake.receive([parcel(told(intake, subject))])
    del recorder.failing["Z"]
    later = clock.real()
    for _ in range(3):
        later += timedelta(seconds=10)
        await recorder.inbox.retry_once(limit=10, now=later)
    assert await seen(intake) == [("Z", 1)]
