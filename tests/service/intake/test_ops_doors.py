"""The doors every service has for operators, asked of intake: facts, health, metrics, the clock."""

from __future__ import annotations

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import registered


async def test_the_fact_log_is_read_by_position(intake: Bench) -> None:
    for _ in range(3):
        await registered(intake)
    client = intake.http("ops")
    assert (await client.get("/v1/facts")).json()["items"] == []  # nothing relayed yet
    assert await intake.service.relay.run_once() == 3
    page = (await client.get("/v1/facts", params={"after": 0, "limit": 2})).json()
    rest = (await client.get("/v1/facts", params={"after": page["next"]})).json()
    positions = [each["position"] for each in page["items"] + rest["items"]]
    assert positions == [1, 2, 3]
    assert (await intake.http("phone_system").get("/v1/facts")).status_code == 403


async def test_health_metrics_and_the_clock(intake: Bench) -> None:
    client = intake.http(None)
    assert (await client.get("/healthz")).json()["service"] == "intake"
    assert (await client.get("/readyz")).status_code == 503  # no loop runs on a bench
    await registered(intake)
    client = intake.http("ops")
    metrics = (await client.get("/metrics")).text
    assert "jiesu_outbox_unsent 1.0" in metrics
    face = (await client.get("/clock")).json()
    assert (face["stepped"], face["idle"]) == (True, False)
    later = {"now": "2026-03-02T10:00:00+08:00"}
    assert (await intake.http("desk").post("/clock", json=later)).status_code == 403
    assert (await intake.http("ops").post("/clock", json=later)).status_code == 200
    back = {"now": "2026-03-02T08:00:00+08:00"}
    assert (await intake.http("ops").post("/clock", json=back)).status_code == 409
