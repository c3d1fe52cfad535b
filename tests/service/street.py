"""A whole system with a ticket of every kind in it, told through its doors: what attackers look at.

All four services run in this process on ports of their own; tests ask them over HTTP.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from examples.connection import open_http
from examples.stepper import Stepper
from services import runner
from services.registry import NAMES
from shared.auth import issue
from tests.infrastructure import Postgres, free_ports
from tests.service.dispatcher_scenes import DONE
from tests.service.test_intake import complaint

MONDAY = datetime.fromisoformat("2026-03-02T09:00+08:00")
HOLDER, STRANGER = "GSGS", "HC"
REPORTED = (
    STRANGER  # the report against a unit is against the one that is a stranger to all of them
)
EXTENSION = {"reason": "需跨部门勘查", "legal_basis": "《信访工作条例》第三十四条", "days": 3}
KINDS: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "confidential": {"type": "report"},
    "against": {"type": "report", "reported_unit": REPORTED},
    "withdrawn": {},
    "resolved": {},
    "closed": {},
}


@dataclass(slots=True)
class Matter:
    """One ticket and the names of what hangs on it, as paths name them."""

    number: str
    code: str
    assignment: str = ""
    extension: str = ""
    callback: str = ""


@dataclass(slots=True)
class Street:
    """The running system and its tickets by kind."""

    system: runner.System
    http: httpx.AsyncClient
    stepper: Stepper
    matters: dict[str, Matter] = field(default_factory=dict)
    tokens: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def token(self, role: str, unit: str | None) -> str:
        """A token, made once: a signature costs more than a request."""
        if (role, unit) not in self.tokens:
            self.tokens[role, unit] = (
                issue(self.system.keys, "service", "feedback", days=1)
                if role == "feedback"  # the one service that may read a contact
                else self.system.token(role, unit)
            )
        return self.tokens[role, unit]

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        role: str | None = None,
        unit: str | None = None,
        **request: Any,
    ) -> httpx.Response:
        """Ask one service, with a token of the role."""
        headers = request.pop("headers", {})
        if role:
            headers = headers | {"Authorization": f"Bearer {self.token(role, unit)}"}
        url = self.system.urls[service] + path
        return await self.http.request(method, url, headers=headers, **request)

    async def do(self, service: str, path: str, body: Any, role: str, unit: str = "") -> Any:
        """An act that succeeds."""
        answer = await self.ask(service, "POST", path, role, unit or None, json=body)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    # --- how each ticket gets where it is ------------------------------------------------------

    async def tell(self) -> None:
        """Register a ticket of each kind, and bring each to its state."""
        for kind, changes in KINDS.items():
            said = complaint(topic="road.damage", title="道路破损", content="路面破损", **changes)
            given = await self.do("intake", "/v1/tickets", said, "phone_system")
            self.matters[kind] = Matter(given["number"], given["code"])
        await self.stepper.settle()
        for matter in self.matters.values():
            await self._hand_over(matter)
        await self.stepper.settle()
        for kind in ("resolved", "closed"):
            await self._complete(self.matters[kind])
        why = {"reason": "已自行解决"}
        path = f"/v1/tickets/{self.matters['withdrawn'].number}/withdrawal"
        await self.do("intake", path, why, "phone_system")
        await self.stepper.settle()
        await self._close(self.matters["closed"])

    async def _hand_over(self, matter: Matter) -> None:
        """To the holder, who signs and asks for more time."""
        order = {"lead": HOLDER, "reason": "供水"}
        path = f"/v1/tickets/{matter.number}/assign"
        given = await self.do("dispatcher", path, order, "desk")
        [matter.assignment] = [
            one["id"] for one in given["assignments"] if one["state"] == "dispatched"
        ]
        path, who = f"/v1/assignments/{matter.assignment}", {"handler": "张三"}
        await self.do("dispatcher", f"{path}/sign", who, "unit", HOLDER)
        await self.stepper.settle()
        asked = await self.do("tracker", f"{path}/extensions", EXTENSION, "unit", HOLDER)
        matter.extension = asked["id"]

    async def _complete(self, matter: Matter) -> None:
        path = f"/v1/assignments/{matter.assignment}"
        call = {"how": "phone", "outcome": "reached"}
        await self.do("dispatcher", f"{path}/contacts", call, "unit", HOLDER)
        await self.do("dispatcher", f"{path}/completion", DONE, "unit", HOLDER)

    async def _close(self, matter: Matter) -> None:
        """The next morning the citizen is called and is satisfied."""
        await self.stepper.step(MONDAY + timedelta(days=1))
        await self.stepper.settle()
        found = (await self.ask("feedback", "GET", "/v1/callbacks", "callback")).json()["items"]
        callbacks = {one["ticket"]: one["id"] for one in found}
        for other in self.matters.values():  # nobody is called about what is not completed
            other.callback = callbacks.get(other.number, callbacks[matter.number])
        verdict = {"contacted": True, "solved": "yes", "satisfied": "satisfied"}
        body = {"attempt": 1, "outcome": "answered"} | verdict
        await self.do("feedback", f"/v1/callbacks/{matter.callback}/outcome", body, "callback")
        await self.stepper.settle()


@dataclass(frozen=True, slots=True)
class Databases:
    """Where the system makes its databases."""

    postgres: Postgres
    prefix: str

    async def ensure(self, database: str) -> str:
        """Create one; its address."""
        return await self.postgres.create(f"{self.prefix}_{database}")

    async def drop(self) -> None:
        """Drop them all."""
        for name in NAMES:
            await self.postgres.drop(f"{self.prefix}_jiesu_{name}")


@asynccontextmanager
async def street(postgres: Postgres, var: Path, **settings: Any) -> AsyncIterator[Street]:
    """The system with its tickets, while the block lasts; it lets strangers ask as often as they
    like.
    """
    settings = {"strangers_per_minute": 1_000_000, "wrong_codes_per_address": 1_000_000} | settings
    databases = Databases(postgres, f"street_{secrets.token_hex(4)}")
    port, *_ = free_ports(4)
    async with (
        runner.system(var, databases, port, MONDAY, **settings) as system,
        open_http() as http,
    ):
        one = Street(system, http, Stepper(http, system.urls, system.token("ops")))
        await one.tell()
        yield one
    await databases.drop()
