"""Any sequence of acts, with facts that overtake one another: every number ends in exactly one way, or
somebody can move it and finds it in a list; four services agree; and the figures add up.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.messaging.bus import Message, matches
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import let_lead
from tests.fixtures.scenes.intake import complaint

KEPT: dict[str, Any] = {"direct_answer": {}}
ENDINGS = (
    None,
    {"direct_answer": {"answer": "三楼窗口", "rating": "satisfied"}},
    KEPT,
    {"not_accepted": {"reason": "outside_territory"}},
    {"handed_over": {"line": "119", "taken_by": "0321", "at": "2026-03-02T01:00:00Z"}},
)
# A pipe that the catalogue gives to a unit, and a banquet that it leaves to the desk.
MATTERS: tuple[dict[str, Any], ...] = (
    {},
    {"type": "report", "topic": "conduct.banquet", "area": "610924110"},
)
ACTS: dict[str, dict[str, Any]] = {
    "direct-answer": {"answer": "三楼窗口"},
    "not-accepted": {"reason": "outside_territory"},
    "handed-over": {"line": "110", "taken_by": "0110", "at": "2026-03-02T01:00:00Z"},
    "dispatch": {"reason": "需现场处理"},
    "call-rating": {"rating": "unsatisfied"},
    "supplements": {"content": "窗口不收"},
    "urges": {"note": "急"},
    "withdrawal": {"reason": "不用了"},
}
DONE = {
    "kind": "solved",
    "solved": True,
    "result": "已修",
    "public_answer": "已修",
    "signed_off_by": "经理",
    "contacted": False,
}


class Office:
    """Four services and a bus that delivers in any order, to each listener alone."""

    def __init__(self, benches: list[Bench], dice: random.Random) -> None:
        self.intake, self.dispatcher = benches[:2]
        self.benches, self.dice = benches, dice
        self.seen = dict.fromkeys([bench.name for bench in benches], 0)
        self.waiting: list[tuple[Bench, Message]] = []
        self.numbers: list[str] = []
        self.later = clock.real()

    async def collect(self) -> None:
        """What was said since, for each who listens to it."""
        for speaker in self.benches:
            facts = await speaker.told()
            for fact in facts[self.seen[speaker.name] :]:
                message = Message(fact.key, str(fact.id), fact.encode())
                self.waiting += [
                    (bench, message)
                    for bench in self.benches
                    if any(matches(key, fact.key) for key in bench.service.subscriptions)
                ]
            self.seen[speaker.name] = len(facts)

    async def deliver(self, most: int) -> None:
        await self.collect()
        self.dice.shuffle(self.waiting)
        for bench, message in self.waiting[:most]:
            await bench.receive([message])
        self.waiting = self.waiting[most:]

    async def settle(self) -> None:
        """Deliver everything, and what follows from it, until nothing is said any more."""
        said = -1
        while said != sum(self.seen.values()):
            said = sum(self.seen.values())
            await self.deliver(10_000)
            for bench in self.benches:
                moved = 1
                while moved:  # each look is later than every due moment an earlier one set
                    self.later += timedelta(hours=2)
                    moved = await bench.service.inbox.retry_once(now=self.later)
            await self.collect()

    async def step(self) -> None:
        """Somebody does something; what the status does not allow is refused by name."""
        match self.dice.randrange(6):
            case 0:
                body = complaint(**self.dice.choice(MATTERS))
                if ending := self.dice.choice(ENDINGS):
                    body["ending"] = ending
                answer = await self.intake.http("phone_system").post("/v1/tickets", json=body)
                assert answer.status_code == 201, answer.text
                self.numbers.append(answer.json()["number"])
            case 1 | 2 if self.numbers:
                path = self.dice.choice(list(ACTS))
                role = self.dice.choice(("agent", "desk"))
                target = f"/v1/tickets/{self.dice.choice(self.numbers)}/{path}"
                await self.ask(self.intake, role, None, target, ACTS[path])
            case 3:
                await self.work()
            case _:
                await self.deliver(self.dice.randint(1, 6))

    async def work(self) -> None:
        """A unit goes on with an order, or the desk gives one or takes it back."""
        body: dict[str, Any]
        rows = await self.dispatcher.rows("SELECT id, unit, status FROM assignments ORDER BY id")
        if rows and self.dice.random() < 0.7:
            row = self.dice.choice(rows)
            path = self.dice.choice(("sign", "completion"))
            body = DONE if path == "completion" else {"handler": "李工"}
            target = f"/v1/assignments/{row['id']}/{path}"
            await self.ask(self.dispatcher, "unit", row["unit"], target, body)
        elif self.numbers:
            assign: dict[str, Any] = {"lead": "CG", "reason": "属地管理"}
            path = self.dice.choice(("assign", "recall"))
            body = assign if path == "assign" else {"reason": "可答复"}
            number = self.dice.choice(self.numbers)
            if path == "assign":
                await let_lead(self.dispatcher, "CG", number)
            target = f"/v1/tickets/{number}/{path}"
            await self.ask(self.dispatcher, "desk", None, target, body)

    async def ask(
        self, bench: Bench, role: str, unit: str | None, path: str, body: dict[str, Any]
    ) -> None:
        answer = await bench.http(role, unit).post(path, json=body)
        assert answer.status_code in (200, 403, 404, 409, 422), answer.text


@pytest.mark.parametrize("seed", range(20))
async def test_every_call_has_an_end_or_somebody_who_finds_it(
    intake: Bench, dispatcher: Bench, tracker: Bench, feedback: Bench, seed: int
) -> None:
    office = Office([intake, dispatcher, tracker, feedback], random.Random(seed))
    for _ in range(20):
        await office.step()
    await office.settle()
    for bench in office.benches:
        assert (bench.name, await bench.parked()) == (bench.name, [])
    for row in await intake.rows("SELECT * FROM ticket ORDER BY number"):
        await _check(office, row)
    await _check_figures(intake)


async def _check(office: Office, row: dict[str, Any]) -> None:
    """One ticket, as everybody knows it."""
    number = row["number"]
    shown = (await office.intake.http("desk").get(f"/v1/tickets/{number}")).json()["status"]
    said = [f for f in await office.intake.told() if f.subject == number]
    registered = [f for f in said if f.name == "ticket.registered"]
    assert len(registered) == row["forwarded"]
    for fact in said:
        if "registered" in type(fact.data).model_fields:
            assert fact.data.registered == any(f.seq < fact.seq for f in registered)
    there = await office.dispatcher.rows("SELECT * FROM tickets WHERE number = :n", n=number)
    assert len(there) == row["forwarded"]
    running = await office.benches[2].rows(
        "SELECT kind FROM clocks WHERE ticket = :n AND status IN ('running', 'paused')", n=number
    )
    calls = await office.benches[3].rows(
        "SELECT id FROM callbacks WHERE number = :n AND status IN ('planned', 'due', 'no_answer')",
        n=number,
    )
    orders = await office.dispatcher.rows(
        "SELECT id FROM assignments WHERE ticket = :n"
        " AND status IN ('dispatched', 'signed', 'contacted', 'return_requested')",
        n=number,
    )
    if shown in ("answered", "not_accepted", "handed_over", "withdrawn", "closed"):
        assert (running, calls, orders) == ([], [], [])
        assert row["ended_at"] is not None
        assert not there or there[0]["unassigned_at"] is None
    elif shown == "answering":
        assert row["answer_due"] is not None
        assert (running, there) == ([], [])
    else:  # the desk has it in its list, a unit has it, or the citizen is to be called
        assert orders or calls or there[0]["unassigned_at"] is not None
        assert running or calls


async def _check_figures(intake: Bench) -> None:
    found = (await intake.http("supervisor").get("/v1/figures")).json()
    ways = ("dispatched", "answered", "answering", "not_accepted", "handed_over", "withdrawn")
    [row] = await intake.rows("SELECT count(*) AS times FROM ticket")
    assert sum(found[way] for way in ways) == found["registered"] == row["times"]
    assert sum(found["not_accepted_by_reason"].values()) == found["not_accepted"]
    assert sum(found["handed_over_by_line"].values()) == found["handed_over"]
