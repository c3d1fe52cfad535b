"""The tracker's doors: who may open which, and what does not exist for whom."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import Role
from shared.security.tokens import ROLES
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, HC, TICKET, Story
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule, supervise

DOORS = {
    ("GET", f"/v1/tickets/{TICKET}/clocks"): {
        "unit", "desk", "supervisor", "callback", "service",
    },
    ("GET", "/v1/rates"): {"unit", "desk", "supervisor", "service"},
    ("GET", "/v1/breaches"): {"desk", "supervisor"},
    ("POST", f"/v1/assignments/{HC}/extensions"): {"unit"},
    ("POST", f"/v1/extensions/{HC}/ruling"): {"supervisor", "unit"},
    ("POST", f"/v1/assignments/{HC}/supervisions"): {"supervisor"},
}  # fmt: skip


@pytest.mark.usefixtures("open_ticket")
@pytest.mark.parametrize("role", [None, *ROLES])
async def test_each_door_knows_its_roles(tracker: Bench, role: str | None) -> None:
    client = tracker.http(role, "HC" if role == "unit" else None)
    for (method, path), roles in DOORS.items():
        response = await client.request(method, path, json={} if method == "POST" else None)
        opened = 422 if method == "POST" else 200
        expected = 401 if role is None else opened if role in roles else 403
        assert response.status_code == expected, path


@pytest.mark.usefixtures("open_ticket")
async def test_another_unit_s_thing_does_not_exist(tracker: Bench) -> None:
    other = tracker.http("unit", "GT")
    assert (await other.get(f"/v1/tickets/{TICKET}/clocks")).status_code == 404
    assert (await ask(tracker, "GT")).status_code == 404
    assert (await ask(tracker, "HC", uuid4())).status_code == 404
    assert (await supervise(tracker, uuid4())).status_code == 404
    assert (await rule(tracker, str(uuid4()), GRANT)).status_code == 404
    desk = tracker.http("desk")
    assert (await desk.get("/v1/tickets/20260302-999999/clocks")).status_code == 404


async def test_a_unit_sees_its_own_clocks_only(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.dispatched(id=GT, unit="GT", role=Role.CO))
    await supervise(tracker, HC)
    path = f"/v1/tickets/{TICKET}/clocks"
    seen = (await tracker.http("unit", "GT").get(path)).json()
    assert {clock["unit"] for clock in seen["clocks"]} == {"GT"}
    assert seen["supervisions"] == []
    whole = (await tracker.http("supervisor").get(path)).json()
    assert {clock["unit"] for clock in whole["clocks"]} == {None, "HC", "GT"}
    assert len(whole["supervisions"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": "many"}, "days"),
        ({"reason": "  "}, "reason"),
        ({"reason": "a\x00b"}, "reason"),
        ({"legal_basis": "x" * 201}, "legal_basis"),
        ({"date": "2026-03-12"}, "date"),
    ],
)
@pytest.mark.usefixtures("open_ticket")
async def test_a_malformed_request_is_refused_with_its_field(
    tracker: Bench, body: dict[str, Any], field: str
) -> None:
    response = await ask(tracker, **body)
    assert response.status_code == 422
    assert response.json()["field"] == field


@pytest.mark.parametrize("body", [{"rung": 0}, {"rung": 8}, {"reason": ""}, {"reason": None}])
@pytest.mark.usefixtures("open_ticket")
async def test_a_rung_that_is_none_is_malformed(tracker: Bench, body: dict[str, Any]) -> None:
    assert (await supervise(tracker, **body)).status_code == 422


async def test_a_number_or_a_unit_that_is_none_is_malformed(tracker: Bench) -> None:
    client = tracker.http("supervisor")
    for path in ("/v1/tickets/2026%00/clocks", "/v1/tickets/x/clocks", "/v1/breaches?unit=%00"):
        assert (await client.get(path)).status_code == 422
