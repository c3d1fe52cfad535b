"""Never lost, never doubled: what arrives is handled once, put off or laid aside, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from shared import clock
from shared.errors import TooEarly
from shared.events import TicketClosed
from shared.messaging.bus import Message
from shared.messaging.retries import EARLY_FOR, MAX_ATTEMPTS
from tests.fixtures.bench import Bench
from tests.fixtures.recorder import Recorder, parcel, seen, told


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


TRANSACTIONS = "SELECT count(DISTINCT at) AS n FROM seen"  # now() is when a transaction began


async def test_the_neighbours_of_what_fails_stay_together(
    intake: Bench, recorder: Recorder
) -> None:
    """Two that are early are found in one try, and cost the others one more."""
    recorder.failing |= {"B": TooEarly("no B"), "F": TooEarly("no F")}
    batch = [told(intake, subject, times) for times in (1, 2) for subject in "ABCDEFGH"]
    await intake.receive(list(map(parcel, batch)))
    assert await seen(intake) == [(subject, times) for subject in "ACDEGH" for times in (1, 2)]
    assert await intake.rows(TRANSACTIONS) == [{"n": 1}]
    assert [(row["subject"], row["state"]) for row in await intake.parked()] == [
        ("B", "early"),
        ("B", "early"),
        ("F", "early"),
        ("F", "early"),
    ]


class Course(dict[str, Any]):
    """What comes of each fact of a subject, one after the other."""

    def get(self, subject: str, default: Any = None) -> Any:
        left = super().get(subject)
        return left.pop(0) if left else default


async def test_what_fails_only_without_the_others_is_found_one_by_one(
    intake: Bench, recorder: Recorder
) -> None:
    recorder.failing = Course(B=[ValueError(), ValueError()], C=[None, ValueError()])
    await intake.receive([parcel(told(intake, subject)) for subject in "ABC"])
    assert await seen(intake) == [("A", 1), ("C", 1)]
    assert await intake.rows(TRANSACTIONS) == [{"n": 2}]
    assert [row["subject"] for row in await intake.parked()] == ["B"]


class ThereAlready(Exception):
    """What a driver says of a second row under one key."""

    sqlstate = "23505"


async def test_after_an_error_of_the_database_each_is_tried_alone(
    intake: Bench, recorder: Recorder
) -> None:
    """A transaction in which a statement failed finds out nothing about the others."""
    recorder.failing["B"] = IntegrityError("INSERT", {}, ThereAlready())
    await intake.receive([parcel(told(intake, subject)) for subject in "ABC"])
    assert await seen(intake) == [("A", 1), ("C", 1)]
    assert await intake.rows(TRANSACTIONS) == [{"n": 2}]
    assert [row["subject"] for row in await intake.parked()] == ["B"]


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
