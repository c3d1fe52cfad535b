"""Between releases: what a newer one says is kept, in order, and handled by whoever can read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import pytest

from shared import clock
from shared.errors import ContractError, NewerFact, TooEarly
from shared.events import (
    FACTS,
    Data,
    Fact,
    SupervisionRaised,
    TicketClosed,
    TicketRegistered,
    TicketUrged,
)
from shared.messaging.bus import Message
from shared.messaging.inbox import Inbox
from shared.messaging.retries import EARLY_FOR, MAX_ATTEMPTS
from shared.storage.act import Act
from tests.fixtures.bench import Bench
from tests.fixtures.recorder import parcel, told
from tests.fixtures.samples import sample

# As the release before looks for what is due: it shares our table, and what it cannot read is dead.
DUE_BEFORE = """
    SELECT id FROM retry
    WHERE consumer = 'intake' AND state <> 'dead' AND due <= now() + interval '9 years'"""


class Listener:
    """Writes down what it handles of three names, and is early for whom it is told to be."""

    def __init__(self, intake: Bench) -> None:
        self.early: set[str] = set()
        self.taken: list[str] = []
        names = ("ticket.urged", "ticket.closed", "ticket.photographed")
        self.inbox = Inbox(intake.service.store, dict.fromkeys(names, self.handle))
        intake.service.inbox = self.inbox

    async def handle(self, act: Act[Any], fact: Fact) -> None:
        if fact.subject in self.early:
            raise TooEarly(f"no ticket {fact.subject} here")
        self.taken.append(f"{fact.subject} {fact.name} {fact.seq}")

    async def later(self, **passed: float) -> int:
        return await self.inbox.retry_once(now=clock.real() + timedelta(**passed))


@pytest.fixture
def listener(intake: Bench) -> Listener:
    return Listener(intake)


@contextmanager
def released(name: str, version: int = 1, **fields: Any) -> Iterator[None]:
    """The next release, while the block lasts: it reads one fact more, or another form of one."""
    before = dict(FACTS)
    annotations = {field: kind for field, (kind, _) in fields.items()}
    speaker = "feedback" if name == "ticket.closed" else "intake"
    type("Next", (Data,), {"__annotations__": annotations}, name=name, by=speaker, version=version)
    try:
        yield
    finally:
        FACTS.clear()
        FACTS.update(before)


def as_said(fact: Fact, *changes: tuple[str, str]) -> Message:
    body = fact.encode()
    for old, new in changes:
        assert old.encode() in body
        body = body.replace(old.encode(), new.encode())
    key = Fact.envelope(body).key
    return Message(key, str(fact.id), body)


def closed(intake: Bench, subject: str, kind: str = "delighted") -> Message:
    """A verdict in a word of the next release."""
    fact = intake.fact(TicketClosed(kind="satisfied"), subject=subject)
    return as_said(fact, ('"kind":"satisfied"', f'"kind":"{kind}"'))


def photographed(intake: Bench, subject: str) -> Message:
    """A fact whose name only the next release knows."""
    return as_said(told(intake, subject), ("ticket.urged.v1", "ticket.photographed.v1"))


def second_form(intake: Bench, subject: str) -> Message:
    return as_said(told(intake, subject), ("ticket.urged.v1", "ticket.urged.v2"))


async def states(intake: Bench) -> list[tuple[str, str]]:
    return [(row["key"], row["state"]) for row in await intake.parked()]


@pytest.mark.parametrize("say", [closed, photographed, second_form])
async def test_it_is_kept_and_never_dead(intake: Bench, listener: Listener, say: Any) -> None:
    await intake.receive([say(intake, "A"), parcel(told(intake, "B"))])
    assert listener.taken == ["B ticket.urged 1"]
    for tried in range(2 * MAX_ATTEMPTS):
        await listener.later(days=20 * (tried + 1))
    [row] = await intake.parked()
    assert row["state"] == "newer"
    assert await intake.rows(DUE_BEFORE) == []


async def test_what_is_wrong_besides_a_word_is_dead_at_once(
    intake: Bench, listener: Listener
) -> None:
    said = intake.fact(TicketClosed(kind="satisfied"))
    for spoiled in ('"kind":5', '"kind":null', '"kinds":"satisfied"'):
        again = said.model_copy(update={"id": uuid4()})
        await intake.receive([as_said(again, ('"kind":"satisfied"', spoiled))])
    assert [state for _, state in await states(intake)] == ["dead"] * 3


@pytest.mark.parametrize(
    ("rung", "refusal"), [(8, NewerFact), (0, ContractError), ("top", ContractError)]
)
def test_a_rung_above_the_last_is_a_newer_release_s(rung: Any, refusal: type[Exception]) -> None:
    """R-30: its ladder has more steps; what is no step at all is a fault."""
    said = sample(SupervisionRaised)
    with pytest.raises(ContractError) as refused:
        Fact.decode(json.dumps(said | {"data": said["data"] | {"rung": rung}}))
    assert refused.type is refusal


def test_a_place_outside_the_world_is_a_fault() -> None:
    said = sample(TicketRegistered)
    nowhere = {"location": {"longitude": 200, "latitude": 32.5}}
    with pytest.raises(ContractError) as refused:
        Fact.decode(json.dumps(said | {"data": said["data"] | nowhere}))
    assert refused.type is ContractError


async def test_a_known_name_holds_its_subject_and_all_go_in_order_after_the_upgrade(
    intake: Bench, listener: Listener
) -> None:
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    await intake.receive([parcel(told(intake, "B"))])
    assert await states(intake) == [
        ("ticket.urged", state) for state in ("newer", "behind", "newer", "behind")
    ]
    assert await listener.later(days=40) == 0
    assert listener.taken == ["B ticket.urged 1"]
    with released("ticket.urged", 2):
        await listener.later(seconds=10)
    assert listener.taken[1:] == [f"A ticket.urged {seq}" for seq in (1, 2, 3, 4)]
    assert await states(intake) == []


async def test_an_unknown_name_holds_nobody(intake: Bench, listener: Listener) -> None:
    await intake.receive([photographed(intake, "A"), parcel(told(intake, "A"))])
    assert listener.taken == ["A ticket.urged 2"]
    with released("ticket.photographed"):
        assert await listener.later(seconds=0) == 1
    assert listener.taken[1:] == ["A ticket.photographed 1"]


async def test_what_came_while_others_still_stand_behind_does_not_pass_them(
    intake: Bench, listener: Listener
) -> None:
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    with released("ticket.urged", 2):
        await listener.inbox.retry_once(limit=1)
        await intake.receive([parcel(told(intake, "A"))])
        await listener.later(seconds=10)
    assert listener.taken == [f"A ticket.urged {seq}" for seq in (1, 2, 3)]


async def test_a_replica_that_can_read_it_need_not_wait_an_hour(
    intake: Bench, listener: Listener
) -> None:
    await intake.receive([closed(intake, "A")])
    assert await listener.later(minutes=30) == 0  # ours has tried: not again before the hour
    with released("ticket.closed", 1, kind=(Literal["satisfied", "delighted"], ...)):
        assert await listener.inbox.retry_once() == 1
    assert listener.taken == ["A ticket.closed 1"]


async def test_a_release_that_starts_tries_it_at_once(intake: Bench, listener: Listener) -> None:
    await intake.receive([closed(intake, "A")])
    await listener.inbox.expect_newer()
    await listener.inbox.retry_once()
    [row] = await intake.rows("SELECT attempts, cardinality(tried) AS tried FROM retry")
    assert row == {"attempts": 1, "tried": 2}


async def test_what_is_early_does_not_die_while_a_newer_fact_waits(
    intake: Bench, listener: Listener
) -> None:
    listener.early.add("A")
    await intake.receive([parcel(told(intake, "A"))])
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    await listener.later(days=3)
    await listener.later(days=6)
    assert [state for _, state in await states(intake)] == ["early", "newer", "behind"]
    with released("ticket.urged", 2):
        listener.early.clear()
        await intake.do("UPDATE retry SET due = now() WHERE state = 'early'")
        await listener.later(seconds=10)
    assert sorted(listener.taken) == [f"A ticket.urged {seq}" for seq in (1, 2, 3)]


async def test_one_that_stood_behind_has_its_own_day(intake: Bench, listener: Listener) -> None:
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    await intake.do("UPDATE retry SET since = now() - interval '9 days' WHERE state = 'behind'")
    with released("ticket.urged", 2):
        await listener.inbox.retry_once(limit=1)
        listener.early.add("A")
        await listener.later(seconds=10)
        assert [state for _, state in await states(intake)] == ["early"]
        await listener.later(seconds=EARLY_FOR.total_seconds() + 20)
    assert [state for _, state in await states(intake)] == ["dead"]


async def test_nothing_waits_for_time_while_only_newer_facts_do(
    intake: Bench, listener: Listener
) -> None:
    await intake.receive([second_form(intake, "A"), parcel(told(intake, "A"))])
    busy, _ = await intake.service.look()
    assert not busy


async def test_it_is_counted_and_asked_about(intake: Bench, listener: Listener) -> None:
    await intake.receive([photographed(intake, "A")])
    metrics = (await intake.http("ops").get("/metrics")).text
    assert "jiesu_retry_newer 1.0" in metrics
    assert "jiesu_retry_waiting 0.0" in metrics
    assert "jiesu_retry_dead 0.0" in metrics


async def test_the_unit_gets_it_at_once_as_it_was_said_and_once(dispatcher: Bench) -> None:
    said = sample(FACTS["cn.jiesu.supervision.raised.v1"])
    fact = Fact.model_validate(said | {"id": str(uuid4()), "unit": "HC"})
    newer = as_said(fact, ('"data":{', '"data": {"mood":"new", '), (fact.data["by"], "star"))
    await dispatcher.receive([newer])
    await dispatcher.receive([newer])
    rows = await dispatcher.rows("SELECT unit, body FROM feed")
    assert rows == [{"unit": "HC", "body": newer.body.decode()}]


async def test_a_held_ticket_does_not_keep_its_unit_from_what_it_is_told(dispatcher: Bench) -> None:
    registered = sample(FACTS["cn.jiesu.ticket.registered.v1"]) | {"id": str(uuid4())}
    fact = Fact.model_validate(registered)
    kind = fact.data["type"]
    held = as_said(fact, (f'"type":"{kind}"', '"type":"petition"'))
    unknown = sample(FACTS["cn.jiesu.deadline.warned.v1"]) | {"id": str(uuid4()), "unit": "HC"}
    addressed = as_said(Fact.model_validate(unknown), ("deadline.warned.v1", "deadline.hinted.v1"))
    known = parcel(Fact.model_validate(unknown | {"id": str(uuid4())}))
    await dispatcher.receive([held, addressed, known])
    bodies = {row["body"] for row in await dispatcher.rows("SELECT body FROM feed")}
    assert bodies == {addressed.body.decode(), known.body.decode()}
    assert await states(dispatcher) == [
        ("ticket.registered", "newer"),
        ("deadline.hinted.HC", "newer"),
    ]
    with released("deadline.hinted"):
        await dispatcher.do("DELETE FROM retry WHERE key = 'ticket.registered'")
        assert await dispatcher.service.inbox.retry_once() == 1
    assert len(await dispatcher.rows("SELECT * FROM feed")) == 2


# --- whatever lies in a body -------------------------------------------------------------------


def forged(**changes: Any) -> dict[str, Any]:
    return changes


@pytest.mark.parametrize(
    ("key", "changes", "why"),
    [
        ("ticket.closed", {}, "routing key"),
        ("deadline.set.MB", {"unit": "HC"}, "routing key"),
        ("ticket.urged", {"source": "tracker"}, "source and type"),
        ("ticket.urged.HC", {"unit": "HC"}, "type and unit"),
        ("assignment.signed", {"type": "cn.jiesu.assignment.signed.v1", "source": "dispatcher",
                               "actor": "unit:HC:x", "data": {"handler": "x"}}, "type and unit"),
        ("ticket.urged", {"actor": "service:tracker"}, "actor and source"),
        ("assignment.signed.HC", {"type": "cn.jiesu.assignment.signed.v1", "source": "dispatcher",
                                  "unit": "HC", "assignment": str(uuid4()),
                                  "actor": "unit:MB:x", "data": {"handler": "x"}}, "actor and unit"),
        ("ticket.urged", {"time": "9998-01-01T00:00:00Z"}, "time and the clock"),
        ("ticket.urged", {"recorded": "1970-01-01T00:00:00Z"}, "recorded and the clock"),
    ],
)  # fmt: skip
async def test_what_disagrees_is_refused_by_name_and_holds_nobody(
    dispatcher: Bench, key: str, changes: dict[str, Any], why: str
) -> None:
    fact = dispatcher.fact(TicketUrged(note="x", times=1), subject="A")
    body = Fact.model_validate(fact.model_dump() | changes).encode()
    await dispatcher.receive([Message(key, "", body)])
    [row] = await dispatcher.parked()
    assert (row["state"], row["subject"]) == ("dead", "")
    assert why in row["reason"]
    assert await dispatcher.rows("SELECT * FROM feed") == []
    await dispatcher.receive([parcel(fact)])  # the id it claimed is not used up
    assert [row["state"] for row in await dispatcher.parked()] == ["dead", "early"]


async def test_on_a_real_clock_a_fact_may_be_a_day_ahead_and_no_more(
    intake: Bench, listener: Listener
) -> None:
    clock.simulate(None)
    for days, taken in ((0.9, 1), (2, 1)):
        ahead = clock.real() + timedelta(days=days)
        said = intake.fact(TicketUrged(note="x", times=1), subject="A", time=ahead)
        await intake.receive([parcel(said)])
        assert len(listener.taken) == taken
