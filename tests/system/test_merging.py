"""并单 over all four services: whatever befalls merged tickets, nobody is lost and nobody called twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared import clock
from shared.events import Fact
from shared.messaging.bus import Message
from shared.messaging.outbox import Relay
from tests.fixtures.scenes.courier import DONE, UNIT, County, Courier

SATISFIED = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}
NOT_SOLVED = {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied"}
CITIZENS = 5
STEPS = 22
ROUNDS = 4  # so often somebody may disagree in a story
OPEN = "status NOT IN ('completed', 'cancelled', 'returned')"


@dataclass
class Wild:
    """Citizens, a desk and a unit that do whatever they may; facts come in any order, some twice."""

    county: County
    dice: Random
    numbers: list[str] = field(default_factory=list)
    later: timedelta = timedelta()

    async def carry(self) -> None:
        """Relay what was told in any order, some of it twice, until nothing moves."""
        benches = list(self.county.benches.values())
        relays = [Relay(one.service.store, self.county.courier) for one in benches]
        moved = 1
        while moved:
            moved = sum([await relay.run_once() for relay in relays])
            self.later += timedelta(hours=2)
            due = clock.real() + self.later
            for one in self.dice.sample(benches, len(benches)):
                moved += await one.service.inbox.retry_once(now=due)

    async def ask(self, role: str, bench: Any, path: str, body: Any) -> bool:
        """Somebody tries something, which may be refused; whether it was done."""
        unit = UNIT if role == "unit" else None
        answer = await bench.http(role, unit).post(path, json=body)
        assert answer.status_code in (200, 201, 404, 409), answer.text
        return bool(answer.is_success)

    # --- what may happen -----------------------------------------------------------------------

    async def merge(self) -> None:
        number, into = self.dice.sample(self.numbers, 2)
        body = {"into": into, "reason": "同一件事"}
        await self.ask("desk", self.county.intake, f"/v1/tickets/{number}/merge", body)

    async def unmerge(self) -> None:
        path = f"/v1/tickets/{self.dice.choice(self.numbers)}/unmerge"
        await self.ask("desk", self.county.intake, path, {"reason": "不是一件事"})

    async def withdraw(self) -> None:
        if self.dice.random() < 0.4:
            path = f"/v1/tickets/{self.dice.choice(self.numbers)}/withdrawal"
            await self.ask("agent", self.county.intake, path, {"reason": "不用了"})

    async def reassign(self) -> None:
        path = f"/v1/tickets/{self.dice.choice(self.numbers)}/assign"
        body = {"lead": UNIT, "reason": "改派"}
        await self.ask("desk", self.county.dispatcher, path, body)

    async def complete(self) -> None:
        query = f"SELECT id FROM assignments WHERE {OPEN} ORDER BY id"
        rows = await self.county.dispatcher.rows(query)
        for row in self.dice.sample(rows, min(1, len(rows))):
            await self.finish(row["id"])

    async def finish(self, assignment: Any) -> None:
        for what, body in (
            ("sign", {"handler": "李工"}),
            ("contacts", {"how": "phone", "outcome": "reached", "note": "已了解"}),
            ("completion", DONE),
        ):
            path = f"/v1/assignments/{assignment}/{what}"
            await self.ask("unit", self.county.dispatcher, path, body)

    async def audit(self, *, content: float = 0.5) -> None:
        """The desk looks at answers that wait for it: neighbours have one answer, which looks copied."""
        query = "SELECT assignment FROM completion_forms WHERE outcome IS NULL ORDER BY id"
        for row in await self.county.dispatcher.rows(query):
            if self.dice.random() < 0.7 or content == 1:
                passes = self.dice.random() < content
                body = {"outcome": "passed" if passes else "sent_back", "grounds": "已核对"}
                path = f"/v1/assignments/{row['assignment']}/audit"
                await self.ask("desk", self.county.dispatcher, path, body)

    async def judge(self, *, content: float = 0.5) -> None:
        """Citizens who are called say what they think."""
        self.county.intake.at(clock.now() + timedelta(days=1))
        await self.county.feedback.run("ring")
        query = "SELECT id, attempt, round FROM callbacks WHERE status = 'due' ORDER BY id"
        for row in await self.county.feedback.rows(query):
            if self.dice.random() < 0.7 or content == 1:
                agrees = self.dice.random() < content or row["round"] >= ROUNDS
                said = SATISFIED if agrees else NOT_SOLVED
                body = {"attempt": row["attempt"], "outcome": "answered"} | said
                path = f"/v1/callbacks/{row['id']}/outcome"
                await self.ask("phone_system", self.county.feedback, path, body)


class Shuffled(Courier):
    """A courier who hands facts over in any order, and some twice."""

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.dice = dice

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        again = self.dice.sample(messages, len(messages) // 3)
        handed = [*messages, *again]
        self.dice.shuffle(handed)
        half = len(handed) // 2
        for some in (handed[:half], handed[half:]):
            await super().publish(some)
        return [None] * len(messages)


async def facts(county: County, name: str) -> list[Fact]:
    """All facts of a name."""
    speaker = "feedback" if name.startswith(("callback", "ticket.closed")) else "dispatcher"
    return await county.benches[speaker].told(name)


@pytest.mark.parametrize("seed", range(8))
async def test_nobody_is_lost_and_nobody_is_called_twice(county: County, seed: int) -> None:
    """R-09: one piece of work, and each citizen has an answer of their own."""
    dice = Random(seed)
    courier = Shuffled(dice)
    courier.benches, county.courier = county.benches, courier
    wild = Wild(county, dice)
    for place in range(CITIZENS):
        body = {"caller": {"phone": f"1390915000{place}"}, "content": f"{place}号楼没水"}
        wild.numbers.append(await county.ticket(**body))
    for number in wild.numbers[1:3]:  # so that most stories have several who disagree
        path, body = f"/v1/tickets/{number}/merge", {"into": wild.numbers[0], "reason": "同一件事"}
        await wild.ask("desk", county.intake, path, body)
    acts = [wild.merge, wild.merge, wild.unmerge, wild.withdraw, wild.complete, wild.complete]
    for _ in range(STEPS):
        await dice.choice([*acts, wild.reassign, wild.audit, wild.judge])()
        if dice.random() < 0.7:
            await wild.carry()
            await one_piece_of_work(county)
    await to_the_end(wild)
    await everybody_has_an_end(wild)
    assert (await county.replayed())[0] == []


async def one_piece_of_work(county: County) -> None:
    """However many wait, at most one ticket of a work has orders or lies at the desk."""
    query = f"""
        SELECT work, count(DISTINCT number) AS busy FROM tickets LEFT JOIN assignments ON ticket = number
            AND {OPEN}
        WHERE work IS NOT NULL AND (id IS NOT NULL OR unassigned_at IS NOT NULL) GROUP BY work"""
    for row in await county.dispatcher.rows(query):
        assert row["busy"] == 1, row


async def to_the_end(wild: Wild) -> None:
    """Units complete what they have, the desk lets it pass, and every citizen who is called agrees."""
    for _ in range(8):
        await wild.carry()
        query = f"SELECT id FROM assignments WHERE {OPEN} ORDER BY id"
        for row in await wild.county.dispatcher.rows(query):
            await wild.finish(row["id"])
        for row in await wild.county.dispatcher.rows(
            "SELECT number FROM tickets WHERE unassigned_at IS NOT NULL"
        ):
            body = {"lead": UNIT, "reason": "指派"}
            path = f"/v1/tickets/{row['number']}/assign"
            await wild.ask("desk", wild.county.dispatcher, path, body)
        await wild.audit(content=1)
        await wild.carry()
        await wild.judge(content=1)
        await wild.carry()


async def everybody_has_an_end(wild: Wild) -> None:
    """Each citizen was answered once a round, called once a round, and closed or took it back."""
    county, desk = wild.county, wild.county.intake.http("desk")
    for number in wild.numbers:
        shown = (await desk.get(f"/v1/tickets/{number}")).json()
        assert shown["status"] in ("closed", "withdrawn"), shown
    answers = Counter((f.subject, f.round) for f in await facts(county, "ticket.resolved"))
    assert set(answers.values()) <= {1}, answers
    calls = Counter((f.subject, f.round) for f in await facts(county, "callback.answered"))
    assert set(calls.values()) <= {1}, calls
    closed = {f.subject for f in await facts(county, "ticket.closed")}
    withdrawn = {f.subject for f in await county.intake.told("ticket.withdrawn")}
    assert closed | withdrawn == set(wild.numbers)
    assert await county.feedback.parked() == await county.dispatcher.parked() == []
    assert await county.intake.parked() == await county.tracker.parked() == []
    running = "SELECT ticket, kind FROM clocks WHERE ended_at IS NULL"
    assert await county.tracker.rows(running) == []
