"""Intake's doors: registering, repeating, the citizen's acts, the vault."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from sqlalchemy import text

from services.intake import vault
from shared.events import (
    ExtensionGranted,
    Role,
    TicketClosed,
    TicketType,
)
from shared.security.tokens import issue, make_key
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import (
    CALLER,
    complaint,
    life,
    post,
    read,
    registered,
    rows,
    tables,
)

# --- registering -------------------------------------------------------------------------------


async def test_a_complaint_gets_its_number_and_is_told(intake: Bench) -> None:
    ticket = await registered(intake)
    assert ticket["number"] == "20260302-000001"
    [fact] = await intake.told()
    assert (fact.name, fact.subject, fact.seq) == ("ticket.registered", ticket["number"], 1)
    assert fact.data.ticket_type is TicketType.HELP
    assert fact.data.has_contact
    assert fact.actor == "phone_system:test"


async def test_a_day_has_its_own_numbers_in_local_time(intake: Bench) -> None:
    await registered(intake)
    intake.at("2026-03-03T00:10+08:00")  # still the second of March in UTC
    assert (await registered(intake))["number"] == "20260303-000001"


async def test_nobody_is_named_outside_the_vault(intake: Bench) -> None:
    await registered(
        intake,
        content="我叫王小明，住紫阳县城关镇河堤路8号3单元201，打139 0915 0001找我，停水。",
        address="紫阳县城关镇河堤路8号3单元201",
    )
    known = "".join([str(await rows(intake, table)) for table in await tables(intake)])
    for secret in ("王小明", "13909150001", "139 0915 0001", "河堤路8号3单元201"):
        assert secret not in known
    assert "停水" in known


async def test_a_confidential_ticket_carries_the_area_only(intake: Bench) -> None:
    place = {"longitude": 108.53, "latitude": 32.52}
    await registered(intake, type="report", address="红椿镇街道12号", location=place)
    [fact] = await intake.told()
    assert fact.data.confidential
    assert (fact.data.address, fact.data.location) == (None, None)
    assert fact.data.area == "610924100"


async def test_coordinates_do_not_say_where_the_home_is(intake: Bench) -> None:
    place = {"longitude": 108.53, "latitude": 32.52}
    await registered(intake, address=CALLER["address"], location=place)
    await registered(intake, address="滨江路路口", location=place)
    home, street = await intake.told()
    assert (home.data.address, home.data.location) == ("[住址]", None)
    assert street.data.location.longitude == 108.53


async def test_a_report_may_ask_not_to_be_confidential(intake: Bench) -> None:
    await registered(intake, type="report", confidential=False, address="红椿镇街道12号")
    [fact] = await intake.told()
    assert fact.data.address == "红椿镇街道12号"


async def test_a_complaint_without_a_phone_has_no_contact(intake: Bench) -> None:
    await registered(intake, caller=None)
    assert not (await intake.told())[0].data.has_contact


# --- registered before -------------------------------------------------------------------------


async def test_a_repeated_key_returns_the_first_ticket(intake: Bench) -> None:
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    first = await client.post("/v1/tickets", json=complaint(), headers=key)
    again = await client.post("/v1/tickets", json=complaint(), headers=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(await intake.told()) == 1


async def test_a_key_with_another_complaint_is_refused(intake: Bench) -> None:
    client, key = intake.http("phone_system"), {"Idempotency-Key": "call-1"}
    await client.post("/v1/tickets", json=complaint(), headers=key)
    other = await client.post("/v1/tickets", json=complaint(title="别的事"), headers=key)
    assert other.status_code == 422
    assert other.json()["type"].endswith("idempotency-key-reused")


async def test_a_repeated_source_number_returns_the_first_ticket(intake: Bench) -> None:
    first = await registered(intake, channel="province", source_number="SX-77")
    answer = await post(
        intake, "/v1/tickets", complaint(channel="province", source_number="SX-77", title="同一件")
    )
    assert answer.status_code == 200
    assert answer.json()["number"] == first["number"]
    other = await registered(intake, channel="national", source_number="SX-77")
    assert other["number"] != first["number"]
    assert len(await intake.told()) == 2


async def test_fifty_at_once_under_ten_keys_are_ten_tickets(intake: Bench) -> None:
    client = intake.http("phone_system")

    async def call(n: int) -> Any:
        key = {"Idempotency-Key": f"k{n % 10}"}
        return await client.post("/v1/tickets", json=complaint(title=f"第{n % 10}件"), headers=key)

    answers = await asyncio.gather(*(call(n) for n in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 40 + [201] * 10
    assert len({answer.json()["number"] for answer in answers}) == 10
    assert len(await intake.told("ticket.registered")) == 10
    assert len(await rows(intake, "vault")) == 10


# --- batch -------------------------------------------------------------------------------------


async def test_each_complaint_of_a_batch_has_its_own_answer(intake: Bench) -> None:
    batch = [
        complaint(),
        complaint(topic="water.suply"),
        complaint(content=""),
        complaint(source_number="A1"),
        complaint(source_number="A1"),
        {"nonsense": True},
    ]
    answer = await post(intake, "/v1/tickets/batch", {"tickets": batch})
    assert answer.status_code == 200
    answers = answer.json()["answers"]
    assert [each["status"] for each in answers] == [201, 422, 422, 201, 200, 422]
    assert "water.supply" in str(answers[1]["problem"]["nearest"])
    assert answers[4]["ticket"]["number"] == answers[3]["ticket"]["number"]
    assert len(await intake.told()) == 2


async def test_a_thousand_complaints_fit_a_batch_and_no_more(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets/batch", {"tickets": [complaint()] * 1000})
    assert {each["status"] for each in answer.json()["answers"]} == {201}
    assert len({each["ticket"]["number"] for each in answer.json()["answers"]}) == 1000
    for size in (0, 1001):
        refused = await post(intake, "/v1/tickets/batch", {"tickets": [complaint()] * size})
        assert refused.status_code == 422


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"type": "rumour"}, "type", "help"),
        ({"area": "610924999"}, "area", "nearest"),
        ({"topic": "water.suply"}, "topic", "water.supply"),
        ({"channel": "pigeon"}, "channel", "phone"),
        ({"flags": ["tourist"]}, "flags", "tourism"),
        ({"reported_unit": "SCJ"}, "reported_unit", "SCJG"),
        ({"content": ""}, "content", "at least 1"),
        ({"content": "水" * 33_334}, "content", "at most 5000"),
        ({"title": "停\u0000水"}, "title", "control characters"),
        ({"caller": {"phone": "12345"}}, "caller.phone", "phone"),
        ({"caller": {"phone": "not a number"}}, "caller.phone", "phone"),
        ({"location": {"longitude": 200, "latitude": 1}}, "location.longitude", "180"),
        ({"source_number": "CTI-13909150001-7"}, "source_number", "phone"),
        ({"source_number": "2026030209000013909150001"}, "source_number", "phone"),
        ({"source_number": "王小明-1"}, "source_number", "name"),
        ({"surprise": 1}, "surprise", "xtra"),
        ({"urgency": None}, "urgency", ""),
    ],
)
async def test_bad_input_names_the_field_and_stores_nothing(
    intake: Bench, changes: dict[str, Any], field: str, says: str
) -> None:
    answer = await post(intake, "/v1/tickets", complaint(**changes))
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "field"} <= problem.keys()
    assert problem["field"] == field
    assert says in answer.text
    assert "王小明" not in answer.text
    assert await rows(intake, "ticket") == []
    assert await intake.told() == []


@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"[1", b"nope"])
async def test_what_is_no_json_is_a_400_or_422(intake: Bench, body: bytes) -> None:
    answer = await intake.http("phone_system").post(
        "/v1/tickets", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == (422 if body == b"" else 400)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_larger_than_any_request_is_refused(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets", complaint(content="x" * 9_000_000))
    assert answer.status_code == 413


# --- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["unit", "supervisor", "callback", "ops"])
async def test_only_phone_system_and_desk_register(intake: Bench, role: str) -> None:
    client = intake.http(role, "HC" if role == "unit" else None)
    answer = await client.post("/v1/tickets", json=complaint())
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("forbidden")


@pytest.mark.parametrize("token", [None, "nonsense", "a.b.c"])
async def test_no_token_or_a_false_one_is_401(intake: Bench, token: str | None) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await intake.http(None).post("/v1/tickets", json=complaint(), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_expired_and_revoked_tokens_are_401(intake: Bench, keys: Path) -> None:
    client = intake.http(None)
    expired = issue(keys, "phone_system", "old", days=-1)
    answer = await client.get("/v1/tickets", headers={"Authorization": f"Bearer {expired}"})
    assert (answer.status_code, "expired" in answer.text) == (401, True)
    revoked = issue(keys, "phone_system", "lost")
    jti = jwt.decode(revoked, options={"verify_signature": False})["jti"]
    (keys / "revoked.txt").write_text(f"{jti}\n")
    answer = await client.get("/v1/tickets", headers={"Authorization": f"Bearer {revoked}"})
    assert (answer.status_code, "revoked" in answer.text) == (401, True)


async def test_a_token_signed_by_another_key_is_401(intake: Bench, tmp_path: Path) -> None:
    make_key(tmp_path, "test")  # the same key id, another key
    forged = issue(tmp_path, "ops", "mallory")
    answer = await intake.http(None).get("/v1/facts", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401


# --- the citizen's acts ------------------------------------------------------------------------


async def test_supplement_urge_withdraw(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    words = {"content": "王小明补充：水表也坏了，电话13909150001"}
    assert (await post(intake, f"/v1/tickets/{number}/supplements", words)).status_code == 200
    assert (await post(intake, f"/v1/tickets/{number}/urges", {"note": "急"})).status_code == 200
    answer = await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已来水"})
    assert answer.json()["status"] == "withdrawn"
    told = {fact.name: fact for fact in await intake.told()}
    assert "水表也坏了" in told["ticket.supplemented"].data.content
    assert "王小明" not in told["ticket.supplemented"].data.content
    assert "13909150001" not in told["ticket.supplemented"].data.content
    assert told["ticket.urged"].data.times == 1
    assert "ticket.withdrawn" in told


async def test_what_the_status_does_not_allow_is_a_409_with_what_it_does(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已来水"})
    for path, body in (
        ("supplements", {"content": "x"}),
        ("urges", {"note": "x"}),
        ("withdrawal", {"reason": "x"}),
    ):
        answer = await post(intake, f"/v1/tickets/{number}/{path}", body)
        assert answer.status_code == 409
        assert (answer.json()["state"], answer.json()["allowed"]) == ("withdrawn", [])


async def test_an_unknown_ticket_is_404(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets/20260302-000009/urges", {"note": "x"})
    assert answer.status_code == 404


# --- progress and lists ------------------------------------------------------------------------


async def test_the_citizen_sees_progress_with_number_and_code(intake: Bench) -> None:
    ticket = await registered(intake)
    path = f"/v1/tickets/{ticket['number']}/progress"
    client = intake.http(None)
    answer = await client.get(path, headers={"X-Ticket-Code": ticket["code"]})
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["unit_names"]) == ("received", [])
    wrong = await client.get(path, headers={"X-Ticket-Code": "AAAA2222"})
    unknown = await client.get(
        "/v1/tickets/20260302-000999/progress", headers={"X-Ticket-Code": ticket["code"]}
    )
    assert wrong.status_code == unknown.status_code == 404
    assert wrong.json() == unknown.json()


async def test_lists_are_filtered_and_paged_by_cursor(intake: Bench) -> None:
    for n in range(5):
        await registered(intake, type="complaint" if n % 2 else "help")
    client = intake.http("supervisor")
    first = (await client.get("/v1/tickets", params={"limit": 3})).json()
    rest = (await client.get("/v1/tickets", params={"limit": 3, "after": first["next"]})).json()
    numbers = [item["number"] for item in first["items"] + rest["items"]]
    assert numbers == [f"20260302-{n:06d}" for n in range(1, 6)]
    assert rest["next"] is None
    narrowed = (await client.get("/v1/tickets", params={"type": "complaint"})).json()["items"]
    assert [item["type"] for item in narrowed] == ["complaint", "complaint"]


@pytest.mark.parametrize("cursor", ["20260302-000001", "20260302-000003.0000", "x", "." * 50])
async def test_a_tampered_cursor_is_400(intake: Bench, cursor: str) -> None:
    answer = await intake.http("desk").get("/v1/tickets", params={"after": cursor})
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("bad-cursor")


# --- what the other services say ---------------------------------------------------------------


async def test_the_status_follows_the_facts(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    statuses = []
    for fact in life(intake, number, uuid4()):
        await intake.hear(fact)
        [row] = await intake.rows("SELECT status FROM ticket")
        statuses.append(row["status"])
    assert statuses == [
        "assigned", "in_hand", "in_hand", "resolved", "reopened",
        "assigned", "in_hand", "in_hand", "resolved", "closed",
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
async def test_shuffled_and_doubled_facts_end_in_the_same_rows(intake: Bench, seed: int) -> None:
    number = (await registered(intake))["number"]
    facts = life(intake, number, uuid4())
    for round, reason in ((1, "等配件"), (2, "等天晴")):
        granted = ExtensionGranted(extension=uuid4(), days=3, due=intake.now, reason=reason)
        facts.append(intake.fact(granted, subject=number, unit="GSGS", round=round))
    order = [*facts, *facts]
    random.Random(seed).shuffle(order)
    for fact in order:
        await intake.hear(fact)
    columns = "status, resolved_round, closed_round, answer, extended_reason"
    [ticket] = await intake.rows(f"SELECT {columns} FROM ticket")
    assert ticket == {
        "status": "closed",
        "resolved_round": 2,
        "closed_round": 2,
        "answer": "已彻底恢复",
        "extended_reason": "等天晴",
    }
    assignments = await intake.rows("SELECT round, status FROM assignment ORDER BY round")
    assert assignments == [{"round": n, "status": "completed"} for n in (1, 2)]


async def test_facts_of_an_unknown_ticket_are_early(intake: Bench) -> None:
    await intake.hear(intake.fact(TicketClosed(kind="satisfied"), subject="20260101-000001"))
    assert [row["state"] for row in await intake.parked()] == ["early"]


async def test_the_citizen_reads_the_answer_and_the_extension(intake: Bench) -> None:
    ticket = await registered(intake)
    dispatched, signed, completed, resolved, *_ = life(intake, ticket["number"], uuid4())
    granted = ExtensionGranted(
        extension=uuid4(), days=3, due=intake.now + timedelta(days=5), reason="等待配件到货"
    )
    extended = intake.fact(granted, subject=ticket["number"], assignment=uuid4(), unit="GSGS")
    path = f"/v1/tickets/{ticket['number']}/progress"
    code = {"X-Ticket-Code": ticket["code"]}
    await intake.hear(dispatched, signed, extended)
    seen = (await intake.http(None).get(path, headers=code)).json()
    assert (seen["answer"], seen["extended"]["reason"]) == (None, "等待配件到货")
    await intake.hear(completed, resolved)
    assert (await intake.http(None).get(path, headers=code)).json()["answer"] == "已恢复"


async def test_a_co_handlers_extension_is_not_the_citizens(intake: Bench) -> None:
    ticket = await registered(intake)
    granted = ExtensionGranted(
        extension=uuid4(), days=3, due=intake.now, reason="协办", role=Role.CO
    )
    await intake.hear(intake.fact(granted, subject=ticket["number"], unit="HC"))
    code = {"X-Ticket-Code": ticket["code"]}
    path = f"/v1/tickets/{ticket['number']}/progress"
    assert (await intake.http(None).get(path, headers=code)).json()["extended"] is None


# --- the vault ---------------------------------------------------------------------------------


async def test_a_unit_reads_the_contact_only_while_it_holds_the_ticket(intake: Bench) -> None:
    number, assignment = (await registered(intake))["number"], uuid4()
    dispatched, signed, completed, *_ = life(intake, number, assignment)
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404
    await intake.hear(dispatched, signed)
    answer = await read(intake, number, "unit", "GSGS")
    assert answer.json() == CALLER
    assert (await read(intake, number, "unit", "HC")).status_code == 404
    await intake.hear(completed)
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404
    log = await rows(intake, "contact_read")
    assert [(row["actor"], row["reason"]) for row in log] == [("unit:GSGS:x", "先行联系")]


async def test_the_reported_unit_never_reads_the_contact(intake: Bench) -> None:
    number = (await registered(intake, type="report", reported_unit="GSGS"))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404


async def test_feedback_reads_the_contact_and_no_other_service(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "service", None, "feedback")).json() == CALLER
    assert (await read(intake, number, "service", None, "tracker")).status_code == 404


async def test_callback_staff_read_while_the_verdict_is_awaited(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    assert (await read(intake, number, "callback", None)).status_code == 404
    await intake.hear(*life(intake, number, uuid4())[:4])
    assert (await read(intake, number, "callback", None)).json() == CALLER


async def test_readers_at_once_are_one_chain(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    answers = await asyncio.gather(
        *(read(intake, number, "service", None, "feedback") for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len(await rows(intake, "contact_read")) == 8
    async with intake.service.store.act("ops") as act:
        assert await vault.chain_breaks_at(act) is None


async def test_the_read_log_shows_every_tampering(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    for _ in range(4):
        await read(intake, number, "service", None, "feedback")
    store = intake.service.store
    async with store.act("ops") as act:
        assert await vault.chain_breaks_at(act) is None
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE contact_read SET reason = '别的' WHERE id = 2"))
    async with store.act("ops") as act:
        assert await vault.chain_breaks_at(act) == 2


# --- operations --------------------------------------------------------------------------------


async def test_the_fact_log_is_read_by_position(intake: Bench) -> None:
    for _ in range(3):
        await registered(intake)
    client = intake.http("ops")
    assert (await client.get("/v1/facts")).json()["facts"] == []  # nothing relayed yet
    assert await intake.service.relay.run_once() == 3
    page = (await client.get("/v1/facts", params={"after": 0, "limit": 2})).json()
    rest = (await client.get("/v1/facts", params={"after": page["next"]})).json()
    positions = [each["position"] for each in page["facts"] + rest["facts"]]
    assert positions == [1, 2, 3]
    assert (await intake.http("phone_system").get("/v1/facts")).status_code == 403


async def test_health_metrics_and_the_clock(intake: Bench) -> None:
    client = intake.http(None)
    assert (await client.get("/healthz")).json()["service"] == "intake"
    assert (await client.get("/readyz")).status_code == 503  # no loop runs on a bench
    await registered(intake)
    metrics = (await client.get("/metrics")).text
    assert "jiesu_outbox_unsent 1.0" in metrics
    face = (await client.get("/clock")).json()
    assert (face["stepped"], face["idle"]) == (True, False)
    later = {"now": "2026-03-02T10:00:00+08:00"}
    assert (await intake.http("desk").post("/clock", json=later)).status_code == 403
    assert (await intake.http("ops").post("/clock", json=later)).status_code == 200
    back = {"now": "2026-03-02T08:00:00+08:00"}
    assert (await intake.http("ops").post("/clock", json=back)).status_code == 409
