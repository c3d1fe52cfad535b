"""双人复核: what the desk asks for and another person decides; until then all stays as it is (ADR 0071)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import TicketCorrected, TicketMerged, TicketUnmerged, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    APPROVED,
    NUMBER,
    STREET_LIGHT,
    ask_back,
    company,
    post,
    register,
    rule,
    sign,
    street_light,
)

ASSIGN, ASK = f"/v1/tickets/{NUMBER}/assign", f"/v1/tickets/{NUMBER}/approvals"
OTHER = "li"  # benches' own tokens are of one person under every role


@pytest.fixture
async def urgent(dispatcher: Bench) -> Bench:
    """A street light that is urgent, and signed for."""
    given = await register(dispatcher, street_light(urgency="urgent"))
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    return dispatcher


async def lower(bench: Bench, urgency: str = "normal", status: int = 200) -> Any:
    """The desk wants it less urgent."""
    body = {"lead": STREET_LIGHT, "reason": "实为一般事项", "urgency": urgency}
    return await post(bench.http("desk"), ASSIGN, body, status)


async def decide(
    bench: Bench,
    id: Any,
    status: int = 200,
    *,
    granted: bool = True,
    role: str = "desk",
    name: str = OTHER,
) -> Any:
    """A person decides it."""
    client, said = bench.http(role, name=name), {"granted": granted, "note": APPROVED}
    return await post(client, f"/v1/approvals/{id}/decision", said, status)


async def waiting(bench: Bench) -> list[Any]:
    """What waits for a second person."""
    items: list[Any] = (await bench.http("supervisor").get("/v1/approvals")).json()["items"]
    return items


async def held(bench: Bench) -> tuple[Any, Any]:
    """How urgent ticket and order are."""
    seen = (await bench.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")).json()
    return seen["urgency"], seen["assignments"][-1]["urgency"]


def slug(refused: Any) -> str:
    return str(refused["type"].rpartition("/")[2])


# --- less urgent -------------------------------------------------------------------------------


async def test_what_is_urgent_is_less_so_on_a_second_persons_word_only(urgent: Bench) -> None:
    """R-11, R-42: the limit is not lengthened by who is late."""
    asked = await lower(urgent)
    assert (asked["urgency"], await held(urgent)) == ("urgent", ("urgent", "urgent"))
    (item,) = await waiting(urgent)
    assert (item["id"], item["urgency"], item["was"]) == (asked["approval"], "normal", "urgent")
    assert (item["asked_by"], item["ground"]) == ("desk:test", "实为一般事项")
    assert await urgent.told("assignment.updated") == []
    answer = await decide(urgent, asked["approval"])
    assert (answer["status"], answer["decided_by"]) == ("granted", "desk:li")
    assert (await held(urgent), await waiting(urgent)) == (("normal", "normal"), [])
    (told,) = await urgent.told("assignment.updated")
    assert (told.unit, told.data.urgency) == (STREET_LIGHT, "normal")
    requested, granted = [f for f in await urgent.told() if f.name.startswith("approval.")]
    assert (requested.data.urgency, requested.data.asked_by) == ("normal", "desk:test")
    assert (granted.name, granted.actor, granted.data.note) == (
        "approval.granted",
        "desk:li",
        APPROVED,
    )


@pytest.mark.parametrize("role", ["desk", "supervisor"])
async def test_nobody_approves_what_they_asked_for_under_whatever_role(
    urgent: Bench, role: str
) -> None:
    asked = await lower(urgent)
    refused = await decide(urgent, asked["approval"], 403, role=role, name="test")
    assert (slug(refused), refused["asked_by"]) == ("own-approval", "desk:test")
    assert await held(urgent) == ("urgent", "urgent")


async def test_who_asked_may_take_it_back_and_ask_for_another(urgent: Bench) -> None:
    """So nobody is stuck with what they asked."""
    asked = await lower(urgent)
    refused = await lower(urgent, "complex", 409)
    assert (slug(refused), refused["approval"]) == ("approval-pending", asked["approval"])
    await decide(urgent, asked["approval"], granted=False, name="test")
    (told,) = await urgent.told("approval.refused")
    assert (told.data.urgency, await held(urgent)) == ("normal", ("urgent", "urgent"))
    assert (await lower(urgent, "complex"))["approval"] != asked["approval"]


async def test_the_same_asked_again_is_one(urgent: Bench) -> None:
    first, second = await lower(urgent), await lower(urgent)
    assert first["approval"] == second["approval"]
    assert len(await urgent.told("approval.requested")) == 1


async def test_more_urgent_takes_nobody_else(urgent: Bench) -> None:
    assert (await lower(urgent, "critical"))["approval"] is None
    assert (await held(urgent), await waiting(urgent)) == (("critical", "critical"), [])


async def test_what_was_asked_of_another_urgency_is_not_granted(urgent: Bench) -> None:
    """Who asked to lower what was urgent has not asked to lower what is critical now."""
    asked = await lower(urgent)
    await lower(urgent, "critical")
    refused = await decide(urgent, asked["approval"], 409)
    assert (slug(refused), refused["allowed"]) == ("move-refused", ["refuse"])
    assert await held(urgent) == ("critical", "critical")
    assert (await lower(urgent))["approval"] != asked["approval"]


async def test_granted_while_the_desk_has_it_again_the_desks_clock_follows(urgent: Bench) -> None:
    asked = await lower(urgent)
    await post(urgent.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "另行核实"})
    await decide(urgent, asked["approval"], role="supervisor")
    told = [fact.data.urgency for fact in await urgent.told("ticket.unassigned")]
    assert told == ["urgent", "normal"]


async def test_it_is_decided_once_and_not_after_the_end(urgent: Bench) -> None:
    asked = await lower(urgent)
    await decide(urgent, asked["approval"], granted=False)
    assert slug(await decide(urgent, asked["approval"], 409)) == "move-refused"
    again = await lower(urgent)
    await urgent.hear(urgent.fact(TicketWithdrawn(reason="不再反映"), subject=NUMBER))
    assert await waiting(urgent) == []
    refused = await decide(urgent, again["approval"], 409)
    assert refused["current_status"] == "over"
    await decide(urgent, uuid4(), 404)


async def test_a_correction_lengthens_no_urgent_limit_either(urgent: Bench) -> None:
    """ADR 0071: who corrects what was asked for is not who grants it."""
    data = TicketCorrected(fields=("urgency",), urgency="normal", reason="登记有误")
    fact = urgent.fact(data, subject=NUMBER)
    await urgent.hear(fact)
    assert await held(urgent) == ("urgent", "urgent")
    (item,) = await waiting(urgent)
    assert (item["asked_by"], item["ground"]) == (fact.actor, "登记有误")
    await decide(urgent, item["id"])
    assert await held(urgent) == ("normal", "normal")


async def test_the_story_of_a_ticket_has_what_was_asked_and_decided(urgent: Bench) -> None:
    asked = await lower(urgent)
    await decide(urgent, asked["approval"], granted=False)
    path = f"/v1/tickets/{NUMBER}/explain"
    (told,) = (await urgent.http("desk").get(path)).json()["approvals"]
    assert (told["id"], told["status"]) == (asked["approval"], "refused")
    own = await urgent.http("unit", STREET_LIGHT).get(path)
    assert own.json()["approvals"] == []


# --- what its reader may decide ----------------------------------------------------------------

READERS = [(role, name) for role in ("desk", "supervisor") for name in ("test", OTHER)]


@pytest.mark.parametrize("what", ["urgency", "town_lead", "more urgent since", "over"])
@pytest.mark.parametrize(("role", "name"), READERS)
async def test_what_may_be_decided_is_and_nothing_else(
    dispatcher: Bench, what: str, role: str, name: str
) -> None:
    """ADR 0078: who asked may take it back only, a town's lead takes a supervisor; and nobody grants of a
    critical ticket what was asked of an urgent one.
    """
    if what == "town_lead":
        await register(dispatcher, company())
        asked = {"lead": "红椿镇", "ground": "需属地镇牵头"}
        id = (await post(dispatcher.http("desk"), ASK, asked, 201))["id"]
    else:
        await register(dispatcher, street_light(urgency="urgent"))
        id = (await lower(dispatcher))["approval"]
    if what == "more urgent since":
        await lower(dispatcher, "critical")
    if what == "over":
        withdrawn = TicketWithdrawn(reason="不办了")
        await dispatcher.hear(dispatcher.fact(withdrawn, subject=NUMBER))
    client = dispatcher.http(role, name=name)
    (shown,) = (await client.get(f"/v1/tickets/{NUMBER}/explain")).json()["approvals"]
    for act, granted in (("grant", True), ("refuse", False)):
        body = {"granted": granted, "note": APPROVED}
        answer = await client.post(f"/v1/approvals/{id}/decision", json=body)
        assert answer.is_success is (act in shown["allowed"]), (shown, answer.text)
        if answer.is_success:
            return


# --- a town leads ------------------------------------------------------------------------------


async def test_a_supervisor_lets_a_town_lead_and_no_colleague_of_the_desk(
    dispatcher: Bench,
) -> None:
    """R-05: whose approval it takes, the policy says."""
    await register(dispatcher, company())
    ask = {"lead": "红椿镇", "ground": "需属地镇牵头"}
    asked = await post(dispatcher.http("desk"), ASK, ask, 201)
    assert (asked["lead"], asked["status"], asked["allowed"]) == (
        "HC",
        "waiting",
        ["refuse"],
    )
    assert (await post(dispatcher.http("desk"), ASK, ask, 201))["id"] == asked["id"]
    assert slug(await decide(dispatcher, asked["id"], 403)) == "forbidden"
    own = await decide(dispatcher, asked["id"], 403, role="supervisor", name="test")
    assert slug(own) == "own-approval"
    await decide(dispatcher, asked["id"], role="supervisor", granted=False)
    town = {"lead": "HC", "reason": "属地管理"}
    assert slug(await post(dispatcher.http("desk"), ASSIGN, town, 409)) == "not-for-towns"
    again = await post(dispatcher.http("desk"), ASK, ask, 201)
    await decide(dispatcher, again["id"], role="supervisor")
    answer = await post(dispatcher.http("desk"), ASSIGN, town)
    assert answer["assignments"][-1]["approved"] == {"by": "supervisor:li", "ground": APPROVED}


async def test_what_takes_no_approval_or_must_stand_back_is_not_asked_for(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, street_light(area="610924110"))
    own = {"lead": "HP", "ground": "属地"}
    assert slug(await post(dispatcher.http("desk"), ASK, own, 409)) == "move-refused"
    await register(dispatcher, company(type="report", reported_unit="HC"), "20260302-000002")
    path = "/v1/tickets/20260302-000002/approvals"
    accused = {"lead": "HC", "ground": "属地"}
    assert slug(await post(dispatcher.http("desk"), path, accused, 409)) == "recused"
    await post(dispatcher.http("desk"), "/v1/tickets/20260302-000009/approvals", own, 404)


# --- what a ruling named -----------------------------------------------------------------------


async def test_another_lead_than_the_ruling_named_takes_a_reason_that_is_counted(
    dispatcher: Bench,
) -> None:
    """R-15, R-17: of the desk's own ruling on a return."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=False)
    other = {"lead": "ZJJ", "reason": "改派"}
    refused = await post(dispatcher.http("desk"), ASSIGN, other, 409)
    assert (slug(refused), refused["unit"], refused["field"]) == (
        "ruling-names",
        STREET_LIGHT,
        "lead",
    )
    assert refused["allowed"] == ["overrules"]
    await post(dispatcher.http("desk"), ASSIGN, {"lead": STREET_LIGHT, "reason": "维持"})
    await post(dispatcher.http("desk"), ASSIGN, other | {"overrules": "编办另有函复"})
    (kept,) = (await dispatcher.http("desk").get("/v1/precedents")).json()["items"]
    assert (kept["unit"], kept["overruled_by"], kept["overruled_reason"]) == (
        STREET_LIGHT,
        "desk:test",
        "编办另有函复",
    )
    rates = (await dispatcher.http("supervisor").get("/v1/rates")).json()
    counted = {row["unit"]: row["figures"]["rulings_overruled"] for row in rates["units"]}
    assert counted == {STREET_LIGHT: 1, "ZJJ": 0}
    await post(dispatcher.http("desk"), ASSIGN, other | {"reason": "仍由其办"})
    await post(dispatcher.http("desk"), ASSIGN, {"lead": STREET_LIGHT, "reason": "回到原处"})


# --- of one work -------------------------------------------------------------------------------

MERGED = "20260302-000002"


async def joined(bench: Bench, urgency: str) -> None:
    """Another citizen's ticket, so urgent, waits for the same units."""
    await register(bench, street_light(urgency=urgency), MERGED)
    data = TicketMerged(into=NUMBER, reason="同一处路灯")
    await bench.hear(bench.fact(data, subject=MERGED))


async def test_nobodys_ticket_is_eased_with_anothers(urgent: Bench) -> None:
    """One work is as urgent as the most urgent ticket that waits for it (R-11)."""
    asked = await lower(urgent)
    await joined(urgent, "urgent")
    refused = await decide(urgent, asked["approval"], 409)
    assert (slug(refused), refused["number"]) == ("more-urgent-waits", MERGED)
    assert slug(await lower(urgent, status=409)) == "more-urgent-waits"
    assert await held(urgent) == ("urgent", "urgent")
    parted = TicketUnmerged(parted_from=NUMBER, reason="不是同一盏灯")
    await urgent.hear(urgent.fact(parted, subject=MERGED))
    await decide(urgent, asked["approval"])
    assert await held(urgent) == ("normal", "normal")


async def test_what_is_no_more_urgent_stands_in_nobodys_way(urgent: Bench) -> None:
    await joined(urgent, "normal")
    await decide(urgent, (await lower(urgent))["approval"])
    assert await held(urgent) == ("normal", "normal")
