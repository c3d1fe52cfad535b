"""Over HTTP and the bus: whatever desk and units do, what was missed stays in the figures (ADR 0049)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared import clock
from tests.fixtures.scenes.courier import DONE, County

UNITS = ["GSGS", "HC", "MZJ"]
STEPS = 24
ASKED = {"reason_code": "not_our_duty", "legal_basis": "权责清单", "approver": "李局长"}
ASKED |= {"suggested_unit": "CGZF", "note": ""}


@dataclass
class Path:
    """What desk and units do to one ticket, by the dice."""

    county: County
    number: str
    dice: Random

    async def ask(self, role: str, path: str, body: Any, unit: str | None = None) -> None:
        """Somebody tries something, which may be refused."""
        http = self.county.dispatcher.http(role, unit)
        answer = await http.post(path, json=body)
        assert answer.status_code in (200, 404, 409, 422), answer.text
        await self.county.carry()

    async def desk(self) -> None:
        lead, *others = self.dice.sample(UNITS, 3)
        assign: dict[str, Any] = {
            "lead": lead,
            "co_handlers": others[: self.dice.randrange(3)],
            "reason": "改派",
        }
        assign["urgency"] = self.dice.choice([None, None, "complex", "urgent"])
        what, body = self.dice.choice(
            [
                ("assign", assign),
                ("assign", assign),
                ("recall", {"reason": "核实"}),
                ("co-handlers", {"unit": lead, "reason": "协办"}),
                ("arbitration", {"grounds": "单位互相推诿"}),
            ]
        )
        await self.ask("desk", f"/v1/tickets/{self.number}/{what}", body)

    async def order(self) -> None:
        """Something is done to an order, by its unit or by the desk."""
        query = "SELECT id, unit FROM assignments WHERE ticket = :number ORDER BY id DESC LIMIT 4"
        row = self.dice.choice(await self.county.dispatcher.rows(query, number=self.number))
        earlier = (clock.now() - timedelta(hours=2)).isoformat()
        contact = {"how": "phone", "outcome": "reached", "made_at": earlier}
        role, what, body = self.dice.choice(
            [
                ("unit", "sign", {"handler": "李工"}),
                ("unit", "contacts", contact),
                ("unit", "return-requests", ASKED),
                ("desk", "ruling", {"granted": self.dice.random() < 0.5, "ruling": "裁定"}),
                ("desk", "release", {"reason": "不涉及"}),
                ("unit", "completion", DONE),
            ]
        )
        unit = row["unit"] if role == "unit" else None
        await self.ask(role, f"/v1/assignments/{row['id']}/{what}", body, unit)

    async def dispute(self) -> None:
        """Something is done to a dispute before the ladder, if there is one."""
        query = "SELECT id, step FROM arbitrations WHERE ended_at IS NULL AND ruled_at IS NULL"
        for row in await self.county.dispatcher.rows(query):
            role = "desk" if row["step"] == 1 else "supervisor"
            lead = self.dice.choice(UNITS)
            ruled = {"lead": lead, "ruling": "由其承办", "body": "联席会议", "paper": "3号"}
            role, what, body = self.dice.choice(
                [
                    (role, "ruling", ruled),
                    (role, "raise", {"grounds": "无法认定"}),
                    ("unit", "statements", {"words": "不属我单位"}),
                ]
            )
            unit = lead if role == "unit" else None
            await self.ask(role, f"/v1/arbitrations/{row['id']}/{what}", body, unit)

    async def wait(self) -> None:
        later = timedelta(hours=self.dice.choice([1, 4, 20]), seconds=self.dice.randrange(1, 50))
        self.county.intake.at(clock.now() + later)
        for job in ("rule_unruled", "raise_unruled"):
            await self.county.dispatcher.run(job)
        await self.county.tracker.run("sweep")
        await self.county.carry()

    async def breaches(self) -> dict[Any, Any]:
        """When each clock was breached that was."""
        query = "SELECT id, breached_at FROM clocks WHERE breached_at IS NOT NULL"
        return {row["id"]: row["breached_at"] for row in await self.county.tracker.rows(query)}

    async def missed(self) -> dict[tuple[str, str], int]:
        """How many duties each unit missed, by the figures of the month."""
        path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
        figures = (await self.county.tracker.http("supervisor").get(path)).json()
        return {
            (unit["unit"], kind): unit[kind]["due"] - unit[kind]["on_time"]
            for unit in figures["units"]
            for kind in ("handle", "sign")
        }


@pytest.mark.parametrize("seed", range(2))
async def test_what_was_missed_stays_in_the_figures(county: County, seed: int) -> None:
    """R-42: neither re-dispatch, recall, return nor a late entry takes a miss out of them."""
    dice = Random(seed)
    path = Path(county, await county.ticket(), dice)
    stood: dict[Any, Any] = {}
    missed: dict[tuple[str, str], int] = {}
    for _ in range(STEPS):
        await dice.choice([path.desk, path.order, path.order, path.dispute, path.wait])()
        now, figures = await path.breaches(), await path.missed()
        assert now.items() >= stood.items()
        assert all(figures[duty] >= count for duty, count in missed.items())
        stood, missed = now, figures
    assert all(count <= 1 for count in missed.values()), missed
    assert await county.tracker.told("deadline.annulled") == []
    found, report = await county.replayed()
    assert found == []
    assert report.clocks == len(await county.tracker.rows("SELECT id FROM clocks")) > 0
