"""What takes a ticket away ends its arbitration, and who may read of it (R-17, R-35)."""

from __future__ import annotations

from typing import Any

from shared.events import Reported, TicketCorrected, TicketMerged, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import (
    SECOND,
    THIRD,
    assign,
    disputed,
    listed,
    newest,
    raised,
    ruled,
    shown,
    stated,
)
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    assignments,
    banquet,
    company,
    post,
    register,
    sign,
)

OPEN = f"/v1/tickets/{NUMBER}/arbitration"


async def by_hand(bench: Bench, status: int = 200, **more: Any) -> Any:
    """The desk puts the ticket before the ladder."""
    body = {"grounds": "职责交叉，单位互相推诿"} | more
    return await post(bench.http("desk"), OPEN, body, status)


async def ended(bench: Bench) -> list[str]:
    """Why arbitrations ended, as it was told to all."""
    told = await bench.told("arbitration.ended")
    return [fact.data.reason for fact in told if fact.unit is None]


# --- ended -------------------------------------------------------------------------------------


async def test_what_takes_the_ticket_away_ends_it_with_its_reason(dispatcher: Bench) -> None:
    id = await disputed(dispatcher)
    withdrawal = TicketWithdrawn(reason="已自行解决")
    await dispatcher.hear(dispatcher.fact(withdrawal, subject=NUMBER))
    assert await ended(dispatcher) == ["withdrawn"]
    found = await shown(dispatcher, id)
    assert (found["status"], found["ended_reason"]) == ("ended", "withdrawn")
    assert (await raised(dispatcher, id, 409))["current_status"] == "ended"
    assert {f.unit for f in await dispatcher.told("arbitration.ended")} >= {SECOND, STREET_LIGHT}


async def test_no_recall_ends_it(dispatcher: Bench) -> None:
    """R-17: only a ruling takes the ticket from who disputes; the desk may rule at its own step."""
    id = await disputed(dispatcher)
    path, recall = f"/v1/tickets/{NUMBER}/recall", {"reason": "核实"}
    refused = await post(dispatcher.http("desk"), path, recall, 409)
    assert (refused["type"].rpartition("/")[2], refused["arbitration"]) == (
        "in-arbitration",
        str(id),
    )
    assert refused["allowed"] == ["statements", "raise", "ruling"]
    assert await ended(dispatcher) == []
    await ruled(dispatcher, id, lead=SECOND)
    await post(dispatcher.http("desk"), path, recall)


async def test_a_merge_ends_it(dispatcher: Bench) -> None:
    other = "20260302-000002"
    await register(dispatcher, number=other)
    await disputed(dispatcher)
    merged = TicketMerged(into=other, reason="同一路灯")
    await dispatcher.hear(dispatcher.fact(merged, subject=NUMBER))
    assert await ended(dispatcher) == ["merged"]


async def test_a_correction_that_leads_elsewhere_ends_it(dispatcher: Bench) -> None:
    """The dispute was about another matter."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await by_hand(dispatcher)
    data = TicketCorrected(fields=("topic",), topic="water.supply", reason="登记有误")
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    assert (await assignments(dispatcher)).keys() - {STREET_LIGHT}, given
    assert await ended(dispatcher) == ["redispatched"]


async def test_who_gives_in_ends_the_dispute_it_opened(dispatcher: Bench) -> None:
    await disputed(dispatcher)
    order = await newest(dispatcher)
    why = {"reason": "经核实属本单位职责"}
    await act(dispatcher, SECOND, order, "return-withdrawal", why)
    assert await ended(dispatcher) == ["return_withdrawn"]
    (back,) = await dispatcher.told("assignment.return_withdrawn")
    assert back.data.charged
    await sign(dispatcher, SECOND, order)


async def test_who_works_on_may_give_in_too(dispatcher: Bench) -> None:
    await disputed(dispatcher, urgency="urgent")
    order = await newest(dispatcher)
    await sign(dispatcher, SECOND, order)
    why = {"reason": "经核实属本单位职责"}
    answer = await act(dispatcher, SECOND, order, "return-withdrawal", why)
    assert answer["status"] == "signed"
    assert await ended(dispatcher) == ["return_withdrawn"]


async def test_what_a_release_before_ended_is_found_by_time(dispatcher: Bench) -> None:
    """It knows of no arbitration, and ends the ticket all the same."""
    await disputed(dispatcher)
    await dispatcher.do("UPDATE tickets SET withdrawn_at = now()")
    dispatcher.at("2026-03-05T09:00+08:00")
    await dispatcher.run("raise_unruled")
    assert await ended(dispatcher) == ["withdrawn"]


# --- who reads it ------------------------------------------------------------------------------


async def test_units_see_those_in_which_they_are_heard(dispatcher: Bench) -> None:
    id = await disputed(dispatcher)
    for unit in (STREET_LIGHT, SECOND, THIRD):
        page = await listed(dispatcher, role="unit", unit=unit)
        assert ([item["id"] for item in page["items"]], page["counts"]["total"]) == ([str(id)], 1)
        assert (await shown(dispatcher, id, "unit", unit))["number"] == NUMBER
    for unit in ("HC", "SFJ"):
        assert (await listed(dispatcher, role="unit", unit=unit))["counts"]["total"] == 0
        assert await shown(dispatcher, id, "unit", unit) == 404


async def test_who_becomes_recused_hears_and_sees_no_more(dispatcher: Bench) -> None:
    """R-35: a correction says whom it is about."""
    id = await disputed(dispatcher)
    data = TicketCorrected(
        fields=("reported",), reported=Reported(units=(THIRD,)), reason="补记被反映单位"
    )
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    assert await shown(dispatcher, id, "unit", THIRD) == 404
    assert (await listed(dispatcher, role="unit", unit=THIRD))["counts"]["total"] == 0
    await stated(dispatcher, id, THIRD, 404)
    await raised(dispatcher, id)
    assert THIRD not in {fact.unit for fact in await dispatcher.told("arbitration.raised")}


async def test_of_a_confidential_matter_nobody_new_hears(dispatcher: Bench) -> None:
    """R-35: whom a unit suggests does not learn of a report that way, nor whom a step invites."""
    await register(dispatcher, banquet())
    await assign(dispatcher, "HC")
    await act(dispatcher, "HC", await newest(dispatcher), "return-requests", RETURN)
    answer = await by_hand(dispatcher)
    assert (answer["parties"], answer["content"]) == (["HC"], None)
    heard = await dispatcher.http("unit", "HC").get(f"/v1/arbitrations/{answer['id']}")
    assert heard.json()["matter"] is None
    await raised(dispatcher, answer["id"])
    told = await dispatcher.told("arbitration.raised")
    assert {fact.unit for fact in told} == {None, "HC"}
    withdrawn = dispatcher.fact(TicketWithdrawn(reason="不再反映"), subject=NUMBER)
    await dispatcher.hear(withdrawn)
    assert await ended(dispatcher) == ["redispatched"]


async def test_a_correction_of_what_nobody_has_leaves_the_dispute_where_it_is(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, banquet())
    await by_hand(dispatcher, parties=["MZJ"])
    data = TicketCorrected(fields=("urgency",), urgency="urgent", reason="就在今晚")
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    assert await ended(dispatcher) == []


async def test_the_list_is_narrowed_and_paged(dispatcher: Bench) -> None:
    await disputed(dispatcher)
    other = "20260302-000002"
    await register(dispatcher, company(), other)
    body = {"grounds": "推诿", "parties": ["MZJ"]}
    await post(dispatcher.http("desk"), f"/v1/tickets/{other}/arbitration", body)
    first = await listed(dispatcher, "?limit=1")
    second = await listed(dispatcher, f"?limit=1&after={first['next']}")
    numbers = [page["items"][0]["number"] for page in (first, second)]
    assert sorted(numbers) == [NUMBER, other]
    assert (second["next"], first["counts"]["total"]) == (None, 2)
    for query in ("?unit=MZJ", "?topic=enterprise.opening", "?text=茶企"):
        assert [item["number"] for item in (await listed(dispatcher, query))["items"]] == [other]
