"""热线办 The people of the hotline office: desk (派单员), supervisor (督办员), custodian (身份保管员),
operations.

They have no system of their own here, they use Jiesu's HTTP directly, each with their own token.
Each act has a key of its own, under which it is sent again when no answer came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

import httpx

from examples.connection import Connection, Json, Query, Refused

Token = Callable[[str], str]  # role → token
PAGE = 1000


class Office:
    """What the desk, the supervisors and operations do and look at."""

    def __init__(self, http: httpx.AsyncClient, urls: dict[str, str], token: Token) -> None:
        self._desk = {
            name: Connection(http, urls[name], token("desk")) for name in ("intake", "dispatcher")
        }
        self._supervisor = {
            name: Connection(http, urls[name], token("supervisor"))
            for name in ("dispatcher", "tracker", "feedback")
        }
        self._custodian = Connection(http, urls["intake"], token("custodian"))
        self._ops = {name: Connection(http, url, token("ops")) for name, url in urls.items()}

    # --- desk ----------------------------------------------------------------------------------

    async def ticket(self, number: str) -> Json:
        """One ticket in its working copy: nobody is named in it."""
        found: Json = await self._desk["intake"].get(f"/v1/tickets/{number}")
        return found

    async def tickets(self) -> list[Json]:
        """Every ticket there is."""
        found: list[Json] = []
        query: Query = {"limit": 500}
        while True:
            page = await self._desk["intake"].get("/v1/tickets", query)
            found += page["items"]
            if page["next"] is None:
                return found
            query["after"] = page["next"]

    async def duplicates(self, demand: Json) -> Json:
        """疑似重复: what may be the same matter as a demand that is not registered yet (R-09)."""
        known = ("topic", "area", "title", "content", "address", "location")
        draft = {key: demand[key] for key in known if key in demand}
        draft["phone"] = demand.get("caller", {}).get("phone")
        found: Json = await self._desk["intake"].post("/v1/tickets/duplicates", draft)
        return found

    async def merge(self, number: str, into: str, reason: str) -> Json:
        """并单: one piece of work for two citizens; each keeps a ticket of their own."""
        body = {"into": into, "reason": reason}
        path = f"/v1/tickets/{number}/merge"
        merged: Json = await self._desk["intake"].post(path, body, f"merge-{number}")
        return merged

    async def unassigned(self) -> list[Json]:
        """待派: what no rule of the catalogue covers, and what came back."""
        page = await self._desk["dispatcher"].get("/v1/unassigned", {"limit": 500})
        return list(page["items"])

    async def assign(
        self,
        number: str,
        lead: str,
        reason: str,
        co_handlers: Sequence[str] = (),
        approved: str | None = None,
    ) -> Json:
        """指定承办单位 by hand. ``approved``: on what ground a supervisor lets a town lead it, where
        that takes one (R-05).
        """
        body: Json = {"lead": lead, "co_handlers": list(co_handlers), "reason": reason}
        path = f"/v1/tickets/{number}/assign"
        try:
            done: Json = await self._desk["dispatcher"].post(path, body, key=str(uuid4()))
        except Refused as refused:
            if approved is None or refused.slug != "not-for-towns":
                raise
            await self._let_lead(number, lead, approved)
            done = await self._desk["dispatcher"].post(path, body, key=str(uuid4()))
        return done

    async def _let_lead(self, number: str, town: str, ground: str) -> None:
        """双人复核: the desk asks, and a supervisor grants with a token of their own."""
        asked: Json = await self._desk["dispatcher"].post(
            f"/v1/tickets/{number}/approvals", {"lead": town, "ground": ground}, key=str(uuid4())
        )
        path, said = f"/v1/approvals/{asked['id']}/decision", {"granted": True, "note": ground}
        await self._supervisor["dispatcher"].post(path, said, key=str(uuid4()))

    async def assignments(self, number: str) -> list[Json]:
        """A ticket's assignments, oldest first."""
        found = await self._desk["dispatcher"].get(f"/v1/tickets/{number}/assignments")
        return list(found["assignments"])

    async def rule_on_return(self, assignment: str, *, granted: bool, ruling: str) -> Json:
        """退单裁定."""
        body = {"granted": granted, "ruling": ruling}
        path = f"/v1/assignments/{assignment}/ruling"
        done: Json = await self._desk["dispatcher"].post(path, body, key=str(uuid4()))
        return done

    async def returns(self) -> list[Json]:
        """退单待裁定: what units ask the desk to take back."""
        page = await self._desk["dispatcher"].get("/v1/returns", {"limit": 500})
        return list(page["items"])

    async def arbitrations(self) -> list[Json]:
        """争议裁决: what is argued about, by when who has it now must rule."""
        page = await self._desk["dispatcher"].get("/v1/arbitrations", {"limit": 500})
        return list(page["items"])

    async def raise_arbitration(self, arbitration: str, grounds: str) -> Json:
        """提交上一级."""
        path = f"/v1/arbitrations/{arbitration}/raise"
        body = {"grounds": grounds}
        raised: Json = await self._desk["dispatcher"].post(path, body, key=str(uuid4()))
        return raised

    async def precedents(self, number: str) -> list[Json]:
        """相似先例: what was ruled in matters like this ticket's."""
        found = await self._desk["dispatcher"].get(f"/v1/tickets/{number}/precedents")
        return list(found["items"])

    # --- supervisor ----------------------------------------------------------------------------

    async def clocks(self, number: str) -> Json:
        """时限: the clocks of a ticket explained, its extensions and supervisions."""
        found: Json = await self._supervisor["tracker"].get(f"/v1/tickets/{number}/clocks")
        return found

    async def supervise(self, assignment: str, rung: int, reason: str) -> Json:
        """督办 by hand."""
        body = {"rung": rung, "reason": reason}
        path = f"/v1/assignments/{assignment}/supervisions"
        done: Json = await self._supervisor["tracker"].post(path, body, key=str(uuid4()))
        return done

    async def rule_on_arbitration(self, arbitration: str, **ruling: object) -> Json:
        """裁决: put on record what a higher body ruled: lead, co_handlers, ruling, body, paper."""
        path = f"/v1/arbitrations/{arbitration}/ruling"
        done: Json = await self._supervisor["dispatcher"].post(path, ruling, key=str(uuid4()))
        return done

    async def propose_reform(self, unit: str, plan: Json) -> Json:
        """机构改革方案: what is to become of a unit, and from which day on."""
        path = f"/v1/units/{unit}/reforms"
        made: Json = await self._supervisor["dispatcher"].post(path, plan, key=str(uuid4()))
        return made

    async def approve_reform(self, reform: str) -> Json:
        """批准方案, by another person than who proposed it."""
        path = f"/v1/reforms/{reform}/approval"
        done: Json = await self._desk["dispatcher"].post(path, {}, key=str(uuid4()))
        return done

    async def rule_on_extension(self, extension: str, *, granted: bool, reason: str) -> Json:
        """延期审批."""
        body = {"granted": granted, "reason": reason}
        path = f"/v1/extensions/{extension}/ruling"
        done: Json = await self._supervisor["tracker"].post(path, body, key=str(uuid4()))
        return done

    async def rates(self, first: str, last: str, basis: str | None = None) -> tuple[Json, Json]:
        """On-time rates and satisfaction of a period; both days included. ``basis``: of what was ``due``, or
        ``judged``; as the policy says unless told otherwise.
        """
        period: Query = {"from": first, "to": last}
        of_basis: Query = {"basis": basis} if basis else {}
        on_time = await self._supervisor["tracker"].get("/v1/rates", {**period, **of_basis})
        satisfaction = await self._supervisor["feedback"].get("/v1/rates", period)
        return on_time, satisfaction

    # --- custodian -----------------------------------------------------------------------------

    async def let_units_read(self) -> list[Json]:
        """查阅裁定: let every unit that has asked read for a day. A real custodian weighs the reasons."""
        page = await self._custodian.get("/v1/contact-requests", {"status": "asked", "limit": 500})
        ruling: Json = {"granted": True, "hours": 24, "reason": "承办所需，准予查阅"}
        return [
            await self._custodian.post(
                f"/v1/contact-requests/{asked['id']}/ruling", ruling, key=f"{asked['id']}/ruling"
            )
            for asked in page["items"]
        ]

    # --- operations ----------------------------------------------------------------------------

    async def facts(self, service: str, after: int) -> tuple[list[Json], int]:
        """What a service said since a position of its fact log, and the position reached."""
        facts: list[Json] = []
        while True:
            page = await self._ops[service].get("/v1/facts", {"after": after, "limit": PAGE})
            facts += [row["fact"] for row in page["items"]]
            if page["next"] == after:
                return facts, after
            after = page["next"]

    async def configurations(self) -> set[str]:
        """Under which rules the services go."""
        return {(await one.get("/healthz"))["configuration"] for one in self._ops.values()}

    async def metrics(self) -> dict[str, dict[str, float]]:
        """The plain counters and gauges of each service, by name."""
        return {name: _numbers(await one.text("/metrics")) for name, one in self._ops.items()}


def _numbers(exposition: str) -> dict[str, float]:
    rows = [line.split(" ") for line in exposition.splitlines() if not line.startswith("#")]
    return {row[0]: float(row[1]) for row in rows if "{" not in row[0]}
