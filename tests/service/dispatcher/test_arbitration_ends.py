"""What takes a ticket away ends its arbitration, and who may read of it (R-17, R-35)."""

from __future__ import annotations

from typing import Any

import pytest

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
    ask_back,
    assignments,
    banquet,
    company,
    post,
    register,
    rule,
    sign,
    statuses,
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


async def test_a_merge_leaves_it_its_units_and_its_ruling(dispatcher: Bench) -> None:
    """ADR 0071: who merges it, or had it merged, does not take it from who disputes."""
    other = "20260302-000002"
    await register(dispatcher, number=other)
    id = await disputed(dispatcher)
    merged = TicketMerged(into=other, reason="同一路灯")
    await dispatcher.hear(dispatcher.fact(merged, subject=NUMBER))
    assert await ended(dispatcher) == []
    await ruled(dispatcher, id, lead=SECOND)
    assert (await statuses(dispatcher))[-1] == (SECOND, 1, "dispatched")


async def corrected(bench: Bench) -> None:
    """What it is about was written down wrongly: the rules lead to the water company."""
    data = TicketCorrected(fields=("topic",), topic="water.supply", reason="登记有误")
    await bench.hear(bench.fact(data, subject=NUMBER))


async def doubted(bench: Bench) -> bool:
    """Whether a person has to look at it, and nobody was given it."""
    (item,) = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return bool(item["doubted"]) and "GSGS" not in await assignments(bench)


async def test_no_correction_ends_it_a_person_sees_it(dispatcher: Bench) -> None:
    """ADR 0071: one person, who corrects, gives it to nobody else out of a dispute; whoever rules may."""
    await register(dispatcher)
    id = (await by_hand(dispatcher))["id"]
    await corrected(dispatcher)
    assert (await ended(dispatcher), await doubted(dispatcher)) == ([], True)
    await ruled(dispatcher, id, lead="GSGS")
    assert (await statuses(dispatcher))[-1] == ("GSGS", 1, "dispatched")


@pytest.mark.parametrize("by", ["desk", "ladder"])
async def test_no_correction_gives_it_to_another_than_a_ruling_named(
    dispatcher: Bench, by: str
) -> None:
    """R-16: whom a ruling named is not rid of it by a word of who took the call."""
    given = (await register(dispatcher))[STREET_LIGHT]
    if by == "desk":
        await ask_back(dispatcher, STREET_LIGHT, given)
        await rule(dispatcher, given, granted=False)
    else:
        await ruled(dispatcher, (await by_hand(dispatcher))["id"], lead=STREET_LIGHT)
    await corrected(dispatcher)
    assert (await statuses(dispatcher))[-1] == (STREET_LIGHT, 1, "dispatched")
    assert await doubted(dispatcher)


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
