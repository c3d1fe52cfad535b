"""Never lost, never doubled: outbox, inbox, retry and idempotent requests on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from shared import clock
from shared.errors import TooEarly
from shared.events import Fact, TicketClosed, TicketUrged
from shared.messaging.bus import BusTrouble, Message
from shared.messaging.inbox import EARLY_FOR, MAX_ATTEMPTS, Inbox
from shared.messaging.local_bus import LocalBus
from shared.messaging.outbox import Relay, backlog
from shared.storage.act import Act
from shared.storage.group_commit import GroupCommit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, registered


def told(intake: Bench, subject: str, times: int = 1, seq: int | None = None) -> Fact:
    """A small fact about a subject."""
    return intake.fact(TicketUrged(note="x", times=times), subject=subject, seq=seq)


def parcel(fact: Fact) -> Message:
    return Message(fact.key, str(fact.id), fact.encode())


class Recorder:
    """A handler that writes a row per fact, and fails for subjects it is told to."""

    def __init__(self, intake: Bench) -> None:
        self.failing: dict[str, Exception] = {}
        self.inbox = Inbox(intake.service.store, {"ticket.urged": self.handle})
        intake.service.inbox = self.inbox

    async def handle(self, act: Act[Any], fact: Fact) -> None:
        row = text("INSERT INTO seen VALUES (:subject, :times, now())")
        connection = await act.session.connection()
        await connection.execute(row, {"subject": fact.subject, "times": fact.data.times})
        if error := self.failing.get(fact.subject):
            raise error


@pytest.fixture
async def recorder(intake: Bench) -> Recorder:
    async with intake.service.store.engine.begin() as connection:
        await connection.execute(
            text("CREATE TABLE seen (subject text, times int, at timestamptz)")
        )
    return Recorder(intake)


async def seen(intake: Bench) -> list[tuple[str, int]]:
    rows = await intake.rows("SELECT subject, times FROM seen ORDER BY subject, times")
    return [(row["subject"], row["times"]) for row in rows]


# --- inbox -------------------------------------------------------------------------------------


async def test_a_fact_is_handled_once_however_often_it_comes(
    intake: Bench, recorder: Recorder
) -> None:
    fact = told(intake, "A")
    await intake.receive([parcel(fact), parcel(fact)])
    await intake.receive([parcel(fact)])
    assert await seen(intake) == [("A", 1)]


async def test_two_replicas_at_once_handle_it_once(intake: Bench, recorder: Recorder) -> None:
    batch = [parcel(told(intake, subject)) for subject in "ABCDEFGH"]
    await asyncio.gather(*(recorder.inbox.receive(batch) for _ in range(4)))
    assert await seen(intake) == [(subject, 1) for subject in "ABCDEFGH"]


async def test_a_poison_fact_is_parked_and_its_neighbours_pass(
    intake: Bench, recorder: Recorder
) -> None:
    recorder.failing["B"] = ValueError("王小明 13909150001")
    await intake.receive([parcel(told(intake, subject)) for subject in "ABC"])
    assert await seen(intake) == [("A", 1), ("C", 1)]
    [row] = await intake.parked()
    assert (row["subject"], row["state"], row["attempts"]) == ("B", "failed", 1)
    assert row["reason"].startswith("ValueError at ")
    assert "王小明" not in row["reason"]


async def test_later_facts_of_its_subject_wait_behind_it(intake: Bench, recorder: Recorder) -> None:
    recorder.failing["B"] = ValueError()
    await intake.receive([parcel(told(intake, "B", times=1))])
    await intake.receive([parcel(told(intake, "B", times=2)), parcel(told(intake, "A"))])
    assert await seen(intake) == [("A", 1)]
    assert [row["state"] for row in await intake.parked()] == ["failed", "behind"]
    del recorder.failing["B"]
    assert await recorder.inbox.retry_once(now=clock.real() + timedelta(minutes=1)) == 2
    rows = await intake.rows("SELECT times FROM seen WHERE subject = 'B' ORDER BY at")
    assert [row["times"] for row in rows] == [1, 2]
    assert await intake.parked() == []


async def test_a_fact_that_keeps_failing_is_dead_in_the_end(
    intake: Bench, recorder: Recorder
) -> None:
    recorder.failing["B"] = ValueError()
    await intake.receive([parcel(told(intake, "B"))])
    later = clock.real()
    for _ in range(MAX_ATTEMPTS + 3):
        later += timedelta(hours=2)
        assert await recorder.inbox.retry_once(now=later) == 0
    [row] = await intake.parked()
    assert (row["state"], row["attempts"]) == ("dead", MAX_ATTEMPTS)


async def test_a_failing_fact_waits_longer_each_time_and_34_minutes_in_all(
    intake: Bench, recorder: Recorder
) -> None:
    recorder.failing["B"] = ValueError()
    await intake.receive([parcel(told(intake, "B"))])
    [row] = await intake.rows("SELECT * FROM retry")
    waits, before = [], row["since"]
    while row["state"] == "failed":
        waits.append(row["due"] - before)
        before = row["due"]
        await recorder.inbox.retry_once(now=before, limit=1)
        [row] = await intake.rows("SELECT * FROM retry")
    assert waits == [timedelta(seconds=2**tried) for tried in range(MAX_ATTEMPTS - 1)]
    assert sum(waits, timedelta()) == timedelta(minutes=34, seconds=7)


async def test_an_early_fact_waits_and_holds_nobody(intake: Bench, recorder: Recorder) -> None:
    recorder.failing["B"] = TooEarly("no ticket B here")
    await intake.receive([parcel(told(intake, "B", times=2, seq=2))])
    del recorder.failing["B"]
    await intake.receive([parcel(told(intake, "B", times=1, seq=1))])
    assert await seen(intake) == [("B", 1)]
    assert await recorder.inbox.retry_once(now=clock.real() + timedelta(seconds=2)) == 1
    assert await seen(intake) == [("B", 1), ("B", 2)]


async def test_facts_that_stay_early_do_not_keep_another_from_its_turn(
    intake: Bench, recorder: Recorder
) -> None:
    for subject in "ABC":
        recorder.failing[subject] = TooEarly(f"no ticket {subject} here")
    recorder.failing["D"] = ValueError()
    await intake.receive([parcel(told(intake, subject)) for subject in "ABCD"])
    del recorder.failing["D"]
    now = clock.real()
    for _ in range(4):  # one at a time, as a pass over a hundred of them would get to
        now += timedelta(seconds=2)
        await recorder.inbox.retry_once(now=now, limit=1)
    assert await seen(intake) == [("D", 1)]


async def test_an_early_fact_is_dead_only_after_a_day(intake: Bench, recorder: Recorder) -> None:
    recorder.failing["B"] = TooEarly("no ticket B here")
    await intake.receive([parcel(told(intake, "B"))])
    almost = clock.real() + EARLY_FOR - timedelta(minutes=1)
    for second in range(0, 40, 2):
        await recorder.inbox.retry_once(now=almost + timedelta(seconds=second), limit=1)
    assert [row["state"] for row in await intake.parked()] == ["early"]
    await recorder.inbox.retry_once(now=almost + timedelta(minutes=2), limit=1)
    assert [row["state"] for row in await intake.parked()] == ["dead"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"not json", "not JSON"),
        (b"{}", "id: Field required"),
        (b"\xff\x00", "not JSON"),
        (b'{"subject": "\\u0000"}', "subject"),
    ],
)
async def test_what_fits_no_contract_is_dead_at_once_with_its_reason(
    intake: Bench, recorder: Recorder, body: bytes, why: str
) -> None:
    await intake.receive([Message("ticket.urged", "", body), parcel(told(intake, "A"))])
    assert await seen(intake) == [("A", 1)]
    [row] = await intake.parked()
    assert row["state"] == "dead"
    assert why in row["reason"]
    await intake.receive([Message("ticket.urged", "", body)])
    assert len(await intake.parked()) == 1


async def test_an_unknown_fact_is_kept_for_the_next_release(
    intake: Bench, recorder: Recorder
) -> None:
    body = parcel(told(intake, "A")).body.replace(b"ticket.urged.v1", b"ticket.praised.v1")
    await intake.receive([Message("ticket.urged", "", body)])
    [row] = await intake.parked()
    assert (row["state"], "unknown type" in row["reason"]) == ("dead", True)


async def test_a_newer_version_beside_the_known_one_is_ignored(
    intake: Bench, recorder: Recorder
) -> None:
    known = parcel(told(intake, "A"))
    newer = Message(known.key, "", known.body.replace(b"ticket.urged.v1", b"ticket.urged.v2"))
    await intake.receive([newer, known])
    assert await seen(intake) == [("A", 1)]
    assert await intake.parked() == []


async def test_trouble_of_the_database_is_no_failure_of_the_fact(
    intake: Bench, recorder: Recorder
) -> None:
    away = OperationalError("SELECT 1", {}, ConnectionError())
    recorder.failing["B"] = away
    with pytest.raises(OperationalError):
        await intake.receive([parcel(told(intake, subject)) for subject in "AB"])
    assert await seen(intake) == []
    assert await intake.parked() == []
    assert await intake.rows("SELECT * FROM inbox") == []


async def test_a_fact_its_reader_does_not_handle_is_received_and_nothing_more(
    intake: Bench, recorder: Recorder
) -> None:
    await intake.receive([parcel(intake.fact(TicketClosed(kind="satisfied"), subject="A"))])
    assert await seen(intake) == []
    assert await intake.parked() == []


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
    broker.answers = {str(refused): ValueError()}
    assert await relay.run_once() == 2
    assert await relay.run_once() == 0  # not before its time
    rows = await intake.rows("SELECT position, attempts FROM outbox ORDER BY id")
    assert [(r["position"], r["attempts"]) for r in rows] == [(1, 0), (None, 1), (2, 0)]
    broker.answers = {}
    async with intake.service.store.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET try_at = NULL"))
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
    for _ in range(8):
        tried = clock.real()
        await relay.run_once()
        async with intake.service.store.engine.begin() as connection:
            found = await connection.execute(text("SELECT try_at FROM outbox"))
            waits.append(round((found.scalar_one() - tried).total_seconds()))
            await connection.execute(text("UPDATE outbox SET try_at = NULL"))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


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
            act.tell(TicketClosed(kind="satisfied"), subject="A")


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
