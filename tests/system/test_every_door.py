"""People with bad intent at every door, by the dice: whatever they do, no door breaks, what was missed stays
missed, and no open ticket is in nobody's hands (ADR 0049, 0052, 0071).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from shared import clock
from tests.fixtures.scenes.courier import DONE, County

UNITS = ["GSGS", "HC", "MZJ", "CGZF"]
STEPS = 40
OFF = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}
WAIT = {"awaited": "documents", "reason": "诉求人尚未提供合同"}
END = DONE | {"solved": False, "unsolved_reason": "诉求人不配合"}
LATER = DONE | {"kind": "no_condition_yet_with_date", "solved": False, "unsolved_reason": "待立项"}
ASKED = {"reason_code": "not_our_duty", "legal_basis": "权责清单", "approver": "李局长"}
ASKED |= {"suggested_unit": "ZJJ", "note": ""}
EXTENSION = {"reason": "管网复杂", "basis": "条例第十条"}
REFUSED = (400, 403, 404, 409, 410, 422)
UNHAPPY = {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied", "comment": "还是没水"}
HAPPY = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}


@dataclass
class Path:
    """What people do to some tickets; ``tried``: each act and what it was answered."""

    county: County
    dice: Random
    numbers: list[str] = field(default_factory=list)
    tried: list[Any] = field(default_factory=list)

    async def ask(
        self, service: str, role: str, path: str, body: Any, unit: str | None = None
    ) -> None:
        """A second later somebody tries something, which may be refused."""
        self.county.intake.at(clock.now() + timedelta(seconds=1))
        bench = self.county.benches[service]
        name = self.dice.choice(["li", "wang"])
        answer = await bench.http(role, unit, name).post(path, json=body)
        self.tried.append((path, role, unit, body, answer.status_code))
        assert answer.is_success or answer.status_code in REFUSED, (self.tried, answer.text)
        await self.county.carry()

    async def front(self) -> None:
        """Who takes calls writes something down, puts it right, joins it, parts it or ends it."""
        number, other = self.dice.choice(self.numbers), self.dice.choice(self.numbers)
        right: dict[str, Any] = self.dice.choice(
            [
                {"topic": self.dice.choice(["water.supply", "lighting.street", "road.damage"])},
                {"type": self.dice.choice(["help", "complaint", "report"])},
                {"area": self.dice.choice(["610924100", "610924110"])},
                {"urgency": self.dice.choice(["normal", "urgent"])},
                {"reported": self.dice.choice([{"units": ["HC"]}, {"nobody": True}])},
            ]
        )
        said = self.dice.choice(["还没来人", "有人触电倒地，被困在水里", "我想死的心都有了"])
        correction: dict[str, Any] = {"reason": "听错了"} | right
        what, body = self.dice.choice(
            [
                ("corrections", correction),
                ("corrections", correction),
                ("supplements", {"content": said}),
                ("urges", {"note": "快一点"}),
                ("merge", {"into": other, "reason": "同一处", "consent": True}),
                ("unmerge", {"reason": "不是同一处"}),
                ("direct-answer", {"answer": "今晚恢复供水"}),
                ("dispatch", {"reason": "须单位办理"}),
            ]
        )
        await self.ask("intake", "desk", f"/v1/tickets/{number}/{what}", body)

    async def second(self) -> None:
        """A second person decides what waits for one."""
        desk, intake = self.county.dispatcher, self.county.intake
        said = {"granted": self.dice.random() < 0.6, "note": "已核实"}
        waiting = (await desk.http("supervisor").get("/v1/approvals")).json()["items"]
        for item in waiting:
            path = f"/v1/approvals/{item['id']}/decision"
            await self.ask("dispatcher", "supervisor", path, said)
        waiting = (await intake.http("supervisor").get("/v1/corrections")).json()["items"]
        for item in waiting:
            path = f"/v1/corrections/{item['id']}/decision"
            await self.ask("intake", "supervisor", path, said)

    async def desk(self) -> None:
        number = self.dice.choice(self.numbers)
        lead, *others = self.dice.sample(UNITS, 3)
        assign: dict[str, Any] = {
            "lead": lead,
            "co_handlers": others[: self.dice.randrange(3)],
            "reason": "改派",
            "urgency": self.dice.choice([None, None, "complex", "urgent", "normal"]),
            "overrules": self.dice.choice([None, "经领导研究"]),
        }
        what, body = self.dice.choice(
            [
                ("assign", assign),
                ("assign", assign),
                ("recall", {"reason": "核实"}),
                ("co-handlers", {"unit": lead, "reason": "协办"}),
                ("arbitration", {"grounds": "单位互相推诿"}),
            ]
        )
        await self.ask("dispatcher", "desk", f"/v1/tickets/{number}/{what}", body)

    async def order(self) -> None:
        """Something is done to an order, by its unit or by the desk."""
        query = "SELECT id, unit FROM assignments ORDER BY id DESC LIMIT 6"
        row = self.dice.choice(await self.county.dispatcher.rows(query))
        earlier = (clock.now() - timedelta(hours=2)).isoformat()
        day = (clock.now() + timedelta(days=20)).date().isoformat()
        role, what, body = self.dice.choice(
            [
                ("unit", "sign", {"handler": "李工"}),
                ("unit", "sign", {"handler": "李工"}),
                ("unit", "contacts", {"how": "phone", "outcome": "reached", "made_at": earlier}),
                ("unit", "contacts", {"how": "phone", "outcome": "wrong_number"}),
                ("unit", "return-requests", ASKED),
                ("unit", "return-withdrawal", {"reason": "继续办理"}),
                ("unit", "completion", DONE),
                ("unit", "completion", OFF),
                ("unit", "completion", LATER | {"promised_date": day}),
                ("unit", "completion", END | {"kind": "terminated"}),
                ("unit", "completion", END | {"kind": "not_our_duty_confirmed"}),
                ("unit", "completion-withdrawal", {"reason": "继续办理"}),
                ("unit", "wait", WAIT | {"contact_time": earlier}),
                ("unit", "wait-end", {"note": "诉求人已提供"}),
                ("desk", "wait-ruling", {"granted": True, "ruling": "同意"}),
                ("desk", "ruling", {"granted": self.dice.random() < 0.5, "ruling": "裁定"}),
                ("desk", "completion-ruling", {"granted": True, "ruling": "同意"}),
                ("desk", "audit", {"outcome": "sent_back", "grounds": "答非所问"}),
                ("desk", "audit", {"outcome": "passed"}),
                ("desk", "release", {"reason": "不涉及"}),
            ]
        )
        unit = row["unit"] if role == "unit" else None
        await self.ask("dispatcher", role, f"/v1/assignments/{row['id']}/{what}", body, unit)

    async def time(self) -> None:
        """A unit wants more time, and somebody has a word on it."""
        query = "SELECT id, unit FROM assignments ORDER BY id DESC LIMIT 4"
        row = self.dice.choice(await self.county.dispatcher.rows(query))
        until = {"new_due": (clock.now() + timedelta(days=4)).isoformat()}
        path = f"/v1/assignments/{row['id']}/extensions"
        await self.ask("tracker", "unit", path, EXTENSION | until, row["unit"])
        for item in (await self.county.tracker.http("supervisor").get("/v1/extensions")).json()[
            "items"
        ]:
            said = {"granted": self.dice.random() < 0.5, "reason": "核准"}
            await self.ask("tracker", "supervisor", f"/v1/extensions/{item['id']}/ruling", said)

    async def citizen(self) -> None:
        """The citizen is called, or rings and says what came of it."""
        number = self.dice.choice(self.numbers)
        said = self.dice.choice([UNHAPPY, UNHAPPY, HAPPY])
        calls = (await self.county.feedback.http("callback").get("/v1/callbacks/due")).json()
        if calls["items"] and self.dice.random() < 0.7:
            call = calls["items"][0]
            body = {"attempt": call["attempt"], "outcome": "answered"} | said
            await self.ask("feedback", "callback", f"/v1/callbacks/{call['id']}/outcome", body)
            return
        await self.ask("feedback", "agent", f"/v1/tickets/{number}/verdict", said)

    async def dispute(self) -> None:
        """Something is done to a dispute before the ladder, if there is one."""
        query = "SELECT id, step FROM arbitrations WHERE ended_at IS NULL AND ruled_at IS NULL"
        for row in await self.county.dispatcher.rows(query):
            role = "desk" if row["step"] == 1 else "supervisor"
            lead = self.dice.choice(UNITS)
            ruled = {"lead": lead, "ruling": "由其承办", "body": "联席会议", "paper": "3号"}
            what, body = self.dice.choice([("ruling", ruled), ("raise", {"grounds": "无法认定"})])
            await self.ask("dispatcher", role, f"/v1/arbitrations/{row['id']}/{what}", body)

    async def wait(self) -> None:
        hours = self.dice.choice([1, 4, 20, 44])
        later = timedelta(hours=hours, seconds=self.dice.randrange(1, 50))
        self.county.intake.at(clock.now() + later)
        await self.county.sweep()
        await self.county.sweep()

    # --- what must be so ---------------------------------------------------------------------

    async def breaches(self) -> dict[Any, Any]:
        """When each clock was breached that was."""
        query = "SELECT id, breached_at FROM clocks WHERE breached_at IS NOT NULL"
        return {row["id"]: row["breached_at"] for row in await self.county.tracker.rows(query)}

    async def missed(self) -> dict[tuple[str, str], int]:
        """How many duties each unit missed, by the figures of two months."""
        path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-06-30"
        figures = (await self.county.tracker.http("supervisor").get(path)).json()
        return {
            (unit["unit"], kind): unit[kind]["due"] - unit[kind]["on_time"]
            for unit in figures["units"]
            for kind in ("handle", "sign")
        }

    async def listed(self) -> set[str]:
        """The tickets that stand in a list of the desk or of a unit."""
        desk, found = self.county.dispatcher.http("desk"), set[str]()
        units = {row["unit"] for row in await self.county.dispatcher.rows(UNITS_AT_WORK)}
        paths = ["unassigned", "audits", "returns", *(f"units/{unit}/orders" for unit in units)]
        for path in paths:
            page = (await desk.get(f"/v1/{path}?limit=100")).json()
            found |= {item["number"] for item in page["items"]}
        return found

    async def nobody_is_lost(self) -> None:
        """Each ticket that waits is in a list, its own or that of the one it is worked on with, and somebody
        besides the citizen's has a clock that runs.
        """
        listed = await self.listed()
        running = {row["ticket"] for row in await self.county.tracker.rows(RUNNING)}
        for row in await self.county.dispatcher.rows(WAITING):
            work = {row["number"], *row["with"]}
            assert work & listed, (row, self.tried)
            assert work & running, (row, self.tried)
        for row in await self.county.dispatcher.rows(ANSWERED):
            query = "SELECT status FROM callbacks WHERE number = :number AND round = :round"
            calls = await self.county.feedback.rows(query, **row)
            assert any(call["status"] in ("planned", "due", "no_answer") for call in calls), (
                row,
                self.tried,
            )


UNITS_AT_WORK = "SELECT DISTINCT unit FROM assignments"
WAITING = """SELECT number, array(
    SELECT other.number FROM tickets AS other WHERE other.work = tickets.work) AS "with"
    FROM tickets WHERE withdrawn_at IS NULL AND greatest(resolved, closed) < round"""
ANSWERED = """SELECT number, round FROM tickets
    WHERE withdrawn_at IS NULL AND resolved = round AND closed < round"""
RUNNING = "SELECT ticket FROM clocks WHERE status = 'running' AND kind <> 'citizen'"


@pytest.mark.parametrize("seed", range(2))
async def test_no_door_breaks_and_nobody_is_lost(county: County, seed: int) -> None:
    dice = Random(seed)
    path = Path(county, dice)
    for _ in range(3):
        path.numbers.append(await county.ticket())
    stood: dict[Any, Any] = {}
    missed: dict[tuple[str, str], int] = {}
    order = [path.order] * 4
    acts = [path.front, path.front, path.desk, path.second, path.time, path.citizen, path.dispute]
    for _ in range(STEPS):
        await dice.choice([*acts, *order, path.wait])()
        now, figures = await path.breaches(), await path.missed()
        annulled = {f.data.clock for f in await county.tracker.told("deadline.annulled")}
        assert now.items() >= stood.items() or annulled, path.tried
        assert all(figures.get(duty, 0) >= count for duty, count in missed.items()), path.tried
        await path.nobody_is_lost()
        stood, missed = now, figures
    for bench in county.benches.values():
        assert await bench.rows("SELECT * FROM retry WHERE state = 'dead'") == []
