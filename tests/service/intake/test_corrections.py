"""更正: what is put right, what is kept of before, and what is never done to a reporter (R-35, JN-32)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from shared.events import TicketClosed
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import (
    CALLER,
    RESOLVED,
    complaint,
    life,
    read_to_call,
    registered,
    rows,
)

REPORT = {"type": "report", "topic": "rural.affairs", "area": "610924110"}


async def correct(
    intake: Bench, number: str, role: str = "agent", key: str | None = None, **body: Any
) -> httpx.Response:
    """Put something right."""
    headers = {"Idempotency-Key": key} if key else {}
    body = {"reason": "听错了"} | body
    path = f"/v1/tickets/{number}/corrections"
    return await intake.http(role).post(path, json=body, headers=headers)


async def contact(intake: Bench, number: str) -> Any:
    """What feedback reads when it calls."""
    return (await read_to_call(intake, number)).json()


# --- who called --------------------------------------------------------------------------------


async def test_a_mistyped_number_is_put_right_where_it_is_read(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    before = await rows(intake, "caller_digest")
    answer = await correct(intake, number, caller={"phone": "139 0915 0002"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"] == ["phone"]
    found = await contact(intake, number)
    assert (found["phone"], found["name"]) == ("13909150002", CALLER["name"])
    assert [row["digest"] for row in await rows(intake, "caller_digest")] != [
        row["digest"] for row in before
    ]
    assert len(before) == 1
    [told] = await intake.told("ticket.corrected")
    assert (told.data.fields, told.data.has_contact, told.data.type) == (("phone",), True, None)


async def test_what_stood_there_before_is_sealed_in_the_record(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    caller = {"name": "李秋月", "phone": "13909150002", "address": None}
    answer = await correct(intake, number, reason="王小明记错，应为李秋月", caller=caller)
    assert answer.json()["fields"] == ["phone", "name", "caller_address"]
    shown = (await intake.http("desk").get(f"/v1/tickets/{number}/corrections")).text
    told = str([fact.data for fact in await intake.told()])
    for secret in ("13909150001", "13909150002", "王小明", "李秋月", "河堤路8号"):
        assert secret not in shown + told
    [note] = await rows(intake, "citizen_note")
    sealed = intake.service.store.config.sealer.unseal(
        bytes(note["sealed"]), f"{number}/{note['id']}"
    )
    said = orjson.loads(sealed)
    assert said["before"]["phone"] == "13909150001"
    assert said["after"] == {"phone": "13909150002", "name": "李秋月", "caller_address": None}


async def test_a_name_put_right_is_masked_where_it_was_said(intake: Bench) -> None:
    content = "我是李秋月，水管爆了。"
    number = (await registered(intake, content=content))["number"]
    await correct(intake, number, caller={"name": "李秋月"})
    shown = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    assert "李秋月" not in shown["content"]


async def test_a_number_taken_away_leaves_no_contact(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await correct(intake, number, caller={"phone": None})
    assert (await intake.http("desk").get(f"/v1/tickets/{number}")).json()["has_contact"] is False
    [told] = await intake.told("ticket.corrected")
    assert told.data.has_contact is False


# --- the matter --------------------------------------------------------------------------------


async def test_what_was_written_down_wrongly_is_put_right_and_told(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    right: dict[str, Any] = {
        "type": "complaint",
        "topic": "road.damage",
        "area": "610924110",
        "urgency": "urgent",
    }
    right |= {"area": "610924110", "reply_declined": True, "reported": {"units": ["CG"]}}
    answer = (await correct(intake, number, "desk", **right)).json()
    assert answer["before"]["topic"] == "water.supply"
    assert answer["after"]["topic"] == "road.damage"
    assert (answer["corrected_by"], answer["after_dispatch"]) == ("desk:test", False)
    ticket = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    assert {name: ticket[name] for name in ("type", "topic", "area", "urgency")} == {
        name: right[name] for name in ("type", "topic", "area", "urgency")
    }
    [told] = await intake.told("ticket.corrected")
    assert set(told.data.fields) == right.keys()
    assert (told.data.topic, told.data.reported.units) == ("road.damage", ("CG",))


async def test_what_was_so_already_is_no_correction(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    answer = await correct(intake, number, topic="water.supply", caller={"phone": CALLER["phone"]})
    assert (answer.status_code, answer.json()["fields"]) == (200, [])
    assert await intake.told("ticket.corrected") == []
    assert await rows(intake, "correction") == []


async def test_a_repeat_under_its_key_corrects_once(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    first = await correct(intake, number, key="k", topic="road.damage")
    again = await correct(intake, number, key="k", topic="road.damage")
    assert again.json() == first.json()
    assert len(await rows(intake, "correction")) == 1


async def test_a_type_changed_after_dispatch_is_marked(intake: Bench) -> None:
    """For the honesty checks (R-22): a unit judged it by what was written before."""
    number = (await registered(intake))["number"]
    await intake.hear(life(intake, number, uuid4())[0])
    assert (await correct(intake, number, type="complaint")).json()["after_dispatch"] is True
    [told] = await intake.told("ticket.corrected")
    assert told.data.after_dispatch is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"topic": "no.such"}, "topic"),
        ({"area": "999"}, "area"),
        ({"flags": ["nonsense"]}, "flags"),
        ({"reported": {"units": ["NOPE"]}}, "reported.units"),
        ({"type": "gossip"}, "type"),
        ({"urgency": "now"}, "urgency"),
        ({}, None),
    ],
)
async def test_a_wrong_code_corrects_nothing(
    intake: Bench, body: dict[str, Any], field: str | None
) -> None:
    number = (await registered(intake))["number"]
    answer = await correct(intake, number, **body)
    assert answer.status_code == 422
    assert field is None or answer.json()["field"] == field
    assert await rows(intake, "correction") == []


async def test_corrections_are_read_by_the_desk_oldest_first(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await correct(intake, number, topic="road.damage")
    await correct(intake, number, topic="lighting.street", reason="是路灯")
    path = f"/v1/tickets/{number}/corrections"
    items = (await intake.http("supervisor").get(path)).json()["items"]
    assert [each["after"]["topic"] for each in items] == ["road.damage", "lighting.street"]
    assert items[1]["reason"] == "是路灯"
    for role in ("agent", "callback", "phone_system"):
        assert (await intake.http(role).get(path)).status_code == 403
    assert (await intake.http("unit", "CG").get(path)).status_code == 403
    for role in ("callback", "supervisor"):
        assert (await correct(intake, number, role, topic="road.damage")).status_code == 403


# --- after the end -----------------------------------------------------------------------------


async def test_after_the_end_the_phone_alone_is_put_right(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    closed = TicketClosed(kind="unreachable")
    await intake.hear(intake.fact(RESOLVED, subject=number), intake.fact(closed, subject=number))
    refused = await correct(intake, number, topic="road.damage")
    assert (refused.status_code, refused.json()["type"]) == (409, "/errors/move-refused")
    assert refused.json()["field"] == "topic"
    assert (await correct(intake, number, caller={"phone": "13909150002"})).status_code == 200


async def test_who_was_erased_is_not_put_right(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await intake.do("DELETE FROM vault")
    answer = await correct(intake, number, caller={"phone": "13909150002"})
    assert answer.status_code == 410
    assert (await correct(intake, number, topic="road.damage")).status_code == 200


# --- the shield --------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"type": "help"}, {"type": "complaint", "topic": "road.damage"}])
async def test_a_report_about_nobody_stated_stays_a_report(
    intake: Bench, body: dict[str, Any]
) -> None:
    """As another type a rule could give it to just whom it is about."""
    number = (await registered(intake, **REPORT))["number"]
    answer = await correct(intake, number, **body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/recused")
    assert answer.json()["field"] == "type"
    assert await intake.told("ticket.corrected") == []


@pytest.mark.parametrize(
    "body", [{"caller": {"phone": "13909150002"}}, {"area": "610924100"}, {"urgency": "urgent"}]
)
async def test_a_report_about_nobody_stated_is_put_right_where_it_stays_one(
    intake: Bench, body: dict[str, Any]
) -> None:
    """Who is to be called under a wrong number is not reached until somebody knows whom it is about."""
    number = (await registered(intake, **REPORT))["number"]
    assert (await correct(intake, number, **body)).status_code == 200


async def test_the_phone_of_a_report_about_nobody_stated_is_put_right_after_the_end(
    intake: Bench,
) -> None:
    number = (await registered(intake, **REPORT))["number"]
    closed = TicketClosed(kind="unreachable")
    await intake.hear(intake.fact(RESOLVED, subject=number), intake.fact(closed, subject=number))
    assert (await correct(intake, number, caller={"phone": "13909150002"})).status_code == 200


async def test_whom_a_report_is_about_is_not_taken_away(intake: Bench) -> None:
    number = (await registered(intake, **REPORT))["number"]
    assert (await correct(intake, number, reported={"units": ["HC"]})).status_code == 200
    answer = await correct(intake, number, reported={})
    assert (answer.status_code, answer.json()["type"]) == (409, "/errors/recused")
    assert answer.json()["field"] == "reported"
    assert (await correct(intake, number, reported={"nobody": True})).status_code == 200


async def test_a_report_keeps_its_secrecy_when_it_becomes_something_else(intake: Bench) -> None:
    number = (await registered(intake, **REPORT, reported_unit="HC"))["number"]
    asked = (await correct(intake, number, type="help")).json()
    assert (await decide(intake, asked["id"])).status_code == 200
    ticket = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    assert (ticket["type"], ticket["confidential"]) == ("help", True)


async def test_what_turns_out_to_be_a_report_is_kept_secret_as_one(intake: Bench) -> None:
    """R-35: as it would have been registered, unless the citizen wants it open."""
    number = (await registered(intake))["number"]
    answer = await correct(intake, number, type="report")
    assert answer.json()["fields"] == ["type", "confidential"]
    [told] = await intake.told("ticket.corrected")
    assert told.data.confidential is True
    assert (await intake.http("desk").get(f"/v1/tickets/{number}")).json()["confidential"] is True
    open_one = (await registered(intake))["number"]
    answer = await correct(intake, open_one, type="report", confidential=False)
    assert answer.json()["fields"] == ["type"]


async def test_secrecy_is_lifted_with_the_citizens_consent_only(intake: Bench) -> None:
    number = (await registered(intake, confidential=True))["number"]
    answer = await correct(intake, number, confidential=False)
    assert (answer.status_code, answer.json()["field"]) == (409, "consent")
    answer = await correct(intake, number, confidential=False, consent="来电人当面同意公开")
    assert (answer.status_code, answer.json()["status"]) == (200, "waiting")
    number = (await registered(intake))["number"]
    assert (await correct(intake, number, confidential=True)).status_code == 200


SECRET = REPORT | {"reported_unit": "HC"}


async def decide(
    intake: Bench, id: str, *, granted: bool = True, role: str = "desk", name: str = "li"
) -> httpx.Response:
    """A person agrees that the shield is taken off, or does not."""
    body = {"granted": granted, "note": "已听录音核实"}
    path = f"/v1/corrections/{id}/decision"
    return await intake.http(role, name=name).post(path, json=body)


async def shield(intake: Bench, number: str) -> tuple[Any, Any, Any]:
    """What keeps who reported from harm."""
    ticket = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    return ticket["type"], ticket["reported"]["units"], ticket["confidential"]


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ({"reported": {"units": ["CG"]}}, ("report", ["CG"], True)),
        ({"reported": {"nobody": True}}, ("report", [], True)),
        ({"confidential": False, "consent": "来电人当面同意公开"}, ("report", ["HC"], False)),
        ({"type": "help", "topic": "road.damage"}, ("help", ["HC"], True)),
    ],
)
async def test_the_shield_stays_until_another_person_agrees(
    intake: Bench, body: dict[str, Any], after: tuple[Any, Any, Any]
) -> None:
    """R-35, ADR 0071: whoever may be bribed or pressed is not alone."""
    number = (await registered(intake, **SECRET))["number"]
    asked = (await correct(intake, number, role="desk", **body)).json()
    assert (asked["status"], asked["corrected_by"]) == ("waiting", "desk:test")
    assert await shield(intake, number) == ("report", ["HC"], True)
    assert await intake.told("ticket.corrected") == []
    (item,) = (await intake.http("supervisor").get("/v1/corrections")).json()["items"]
    assert (item["id"], item["fields"]) == (asked["id"], asked["fields"])
    assert item["consent"] == body.get("consent")
    for role in ("desk", "supervisor"):
        refused = await decide(intake, asked["id"], role=role, name="test")
        assert (refused.status_code, refused.json()["type"]) == (403, "/errors/own-approval")
    assert await shield(intake, number) == ("report", ["HC"], True)
    agreed = (await decide(intake, asked["id"])).json()
    assert (agreed["status"], agreed["decided_by"]) == ("in_force", "desk:li")
    assert await shield(intake, number) == after
    [told] = await intake.told("ticket.corrected")
    assert (told.actor, told.data.fields) == ("desk:li", tuple(asked["fields"]))
    assert (await intake.http("supervisor").get("/v1/corrections")).json()["items"] == []
    assert (await decide(intake, asked["id"], granted=False)).status_code == 409


async def test_who_asked_may_take_it_back_and_the_shield_stays(intake: Bench) -> None:
    number = (await registered(intake, **SECRET))["number"]
    asked = (await correct(intake, number, reported={"nobody": True})).json()
    gone = (await decide(intake, asked["id"], granted=False, name="test")).json()
    assert (gone["status"], await shield(intake, number)) == ("refused", ("report", ["HC"], True))
    assert await intake.told("ticket.corrected") == []
    [kept] = (await intake.http("desk").get(f"/v1/tickets/{number}/corrections")).json()["items"]
    assert kept["status"] == "refused"
    assert (await decide(intake, str(uuid4()))).status_code == 404


async def test_more_shield_takes_nobody_else(intake: Bench) -> None:
    number = await registered(intake, type="report", confidential=False, reported_unit="HC")
    wider = await correct(intake, number["number"], reported={"units": ["HC", "CG"]})
    assert wider.json()["status"] == "in_force"
    secret = await correct(intake, number["number"], confidential=True)
    assert secret.json()["status"] == "in_force"


async def test_who_called_does_not_wait_with_the_shield(intake: Bench) -> None:
    """A wrong number is put right at once."""
    number = (await registered(intake, **SECRET))["number"]
    both: dict[str, Any] = {"caller": {"phone": "13909150002"}, "reported": {"nobody": True}}
    refused = await correct(intake, number, **both)
    assert (refused.status_code, refused.json()["field"]) == (422, "caller")
    assert (await correct(intake, number, caller={"phone": "13909150002"})).status_code == 200


async def test_it_is_judged_by_what_is_known_when_it_is_agreed_to(intake: Bench) -> None:
    """What changed meanwhile is not undone, and after the end nothing is."""
    number = (await registered(intake, **SECRET))["number"]
    asked = (await correct(intake, number, reported={"units": ["CG"]})).json()
    await correct(intake, number, area="610924100")
    assert (await decide(intake, asked["id"])).json()["fields"] == ["reported"]
    again = (await correct(intake, number, reported={"nobody": True})).json()
    closed = TicketClosed(kind="unreachable")
    await intake.hear(intake.fact(RESOLVED, subject=number), intake.fact(closed, subject=number))
    refused = await decide(intake, again["id"])
    assert (refused.status_code, refused.json()["type"]) == (409, "/errors/move-refused")
    assert (await decide(intake, again["id"], granted=False)).status_code == 200


# --- the same upstream number ------------------------------------------------------------------


async def test_an_upstream_number_that_comes_again_after_the_end_is_not_dropped(
    intake: Bench,
) -> None:
    """退回重办: not even word for word is it taken for a repeat, but under its own key it is one."""
    city = {"channel": "city", "source_number": "AK20260302017"}
    client, body = intake.http("phone_system"), complaint(**city)
    first = await client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "up-1"})
    number = first.json()["number"]
    assert (await client.post("/v1/tickets", json=body)).status_code == 200
    await intake.hear(
        intake.fact(RESOLVED, subject=number),
        intake.fact(TicketClosed(kind="satisfied"), subject=number),
    )
    again = await client.post("/v1/tickets", json=body)
    assert (again.status_code, again.json()["type"]) == (409, "/errors/source-number-taken")
    assert (again.json()["number"], again.json()["current_status"]) == (number, "closed")
    assert again.json()["allowed"] == ["supplement_ticket", "reopen_ticket"]
    repeat = await client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "up-1"})
    assert (repeat.status_code, repeat.json()["number"]) == (200, number)
