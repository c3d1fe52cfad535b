"""派单建议: what the desk is shown, what is dispatched without it, and what is learned from.

DOMAIN.md 7: rules and catalogue first; a model may suggest, ranked and with reasons, and a person confirms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.dispatcher import suggestions
from services.dispatcher.rules.suggesting import Model, Suggestions
from shared.events import TicketRegistered
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    RETURN,
    act,
    ask_back,
    assignments,
    closed,
    finish,
    names,
    post,
    register,
    rule,
    settle,
    street_light,
)
from tests.fixtures.suggesting import model_of

SURE = {"sureness": (9.0, 0.0, 0.0, 0.0)}
UNCOVERED = "other.unclear"


def power_cut(**given: Any) -> TicketRegistered:
    """What no rule of the catalogue covers, and a model knows all the same."""
    cut: dict[str, Any] = {
        "topic": UNCOVERED,
        "title": "停电",
        "content": "村里停电两天",
        "flags": (),
    }
    return street_light(**cut | given)


def configure(
    bench: Bench, model: Model | None, *, automatic: bool = False, confidence: float = 0.95
) -> None:
    rules = Suggestions(automatic=automatic, min_confidence=confidence)
    store = bench.service.store
    store.config = replace(store.config, model=model, suggestions=rules)


async def suggested(bench: Bench, number: str = NUMBER, role: str = "desk") -> Any:
    answer = await bench.http(role).get(f"/v1/tickets/{number}/suggestions")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_desk_reads_three_units_with_the_words_that_speak_for_them(
    dispatcher: Bench,
) -> None:
    """DOMAIN.md 7: a model may suggest, ranked and with reasons."""
    configure(dispatcher, model_of())
    await register(dispatcher, power_cut())
    found = await suggested(dispatcher)
    assert [item["unit"] for item in found["items"]] == ["GDJ", "GSGS", "SCJG"]
    assert found["items"][0]["words"] == ["停电"]
    assert found["items"][0]["name"] == "国网紫阳县供电公司"
    assert (found["orders"], found["made_at"][:10]) == (300, "2026-03-01")
    assert await names(dispatcher) == ["ticket.unassigned"]  # nothing more than shown


async def test_without_a_model_all_is_as_before_and_one_sentence_says_so(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, power_cut())
    found = await suggested(dispatcher, role="supervisor")
    assert (found["items"], found["made_at"], found["orders"]) == ([], None, None)
    assert "No model" in found["sentence"]["en"]
    assert await names(dispatcher) == ["ticket.unassigned"]


async def test_what_is_not_registered_has_no_suggestions(dispatcher: Bench) -> None:
    configure(dispatcher, model_of())
    answer = await dispatcher.http("desk").get(f"/v1/tickets/{NUMBER}/suggestions")
    assert answer.status_code == 404


async def test_who_must_stand_back_is_never_suggested(dispatcher: Bench) -> None:
    """R-35, JN-32."""
    configure(dispatcher, model_of())
    await register(dispatcher, power_cut(type="report", reported={"units": ("GDJ",)}))
    assert "GDJ" not in [item["unit"] for item in (await suggested(dispatcher))["items"]]


async def test_whose_return_was_granted_is_not_suggested_again(dispatcher: Bench) -> None:
    """R-15: the desk has ruled on that."""
    configure(dispatcher, model_of())
    await register(dispatcher, power_cut())
    body = {"lead": "GDJ", "reason": "试派"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    await dispatcher.do("UPDATE assignments SET appointed = false")
    given = await assignments(dispatcher)
    await ask_back(dispatcher, "GDJ", given["GDJ"])
    assert (await suggested(dispatcher))["items"][0]["unit"] == "GDJ"  # only asked for so far
    await rule(dispatcher, given["GDJ"], granted=True)
    assert "GDJ" not in [item["unit"] for item in (await suggested(dispatcher))["items"]]


async def test_a_unit_that_is_no_more_is_not_suggested(dispatcher: Bench) -> None:
    configure(dispatcher, model_of(units=("GONE", "GSGS", "SCJG")))
    await register(dispatcher, power_cut())
    assert [item["unit"] for item in (await suggested(dispatcher))["items"]] == ["GSGS", "SCJG"]


# --- dispatched by itself ----------------------------------------------------------------------


async def test_a_county_that_wants_it_has_dispatched_what_the_model_is_sure_of(
    dispatcher: Bench,
) -> None:
    configure(dispatcher, model_of(**SURE), automatic=True)
    assert list(await register(dispatcher, power_cut())) == ["GDJ"]
    [order] = await dispatcher.told("assignment.dispatched")
    assert order.data.rule is None
    for words in (
        "按建议模型自动派单",
        "as the model suggests",
        "停电",
        "No rule of the catalogue",
    ):
        assert words in order.data.reason


@pytest.mark.parametrize(
    "given",
    [
        {"automatic": False, "confidence": 0.5},  # the county does not want it
        {"automatic": True, "confidence": 1.0},  # not sure enough
    ],
)
async def test_below_the_confidence_or_unasked_nothing_is_dispatched(
    dispatcher: Bench, given: dict[str, Any]
) -> None:
    configure(dispatcher, model_of(**SURE), **given)
    assert await register(dispatcher, power_cut()) == {}


@pytest.mark.parametrize(
    "matter",
    [
        power_cut(type="report", reported={"nobody": True}),  # whom it accuses is a person's to see
        power_cut(confidential=True),
        power_cut(urgency="critical"),
        power_cut(reported={"units": ("GDJ",)}),  # the unit stands back, and no other becomes surer
        power_cut(topic="conduct.banquet", type="report", area="610924110"),  # a guard stopped it
    ],
)
async def test_what_a_person_must_see_is_never_dispatched_by_the_model(
    dispatcher: Bench, matter: TicketRegistered
) -> None:
    """DOMAIN.md 7: and a person confirms."""
    configure(dispatcher, model_of(**SURE), automatic=True, confidence=0.5)
    assert await register(dispatcher, matter) == {}


async def test_no_town_gets_a_ticket_from_the_model(dispatcher: Bench) -> None:
    """R-04, GB66-5: a town answers for what its duty list names, and a model knows no list."""
    configure(dispatcher, model_of(units=("HC", "GSGS", "SCJG"), **SURE), automatic=True)
    assert await register(dispatcher, power_cut()) == {}
    assert (await suggested(dispatcher))["items"][0]["unit"] == "HC"  # a person may


async def test_a_rule_comes_before_the_model(dispatcher: Bench) -> None:
    configure(dispatcher, model_of(**SURE), automatic=True)
    assert list(await register(dispatcher, street_light(content="停电"))) == ["CGZF"]


# --- learned from ------------------------------------------------------------------------------


async def learned(bench: Bench) -> list[suggestions.Confirmed]:
    async with bench.service.store.act("test") as one:
        return await suggestions.confirmed(one)


async def test_what_is_done_and_closed_is_learned_from(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    assert await learned(dispatcher) == []
    await finish(dispatcher, "CGZF", given["CGZF"])
    assert await learned(dispatcher) == []
    await dispatcher.hear(closed(dispatcher))
    assert await learned(dispatcher) == [("路灯不亮", "滨江路路灯坏了一周", "CGZF", frozenset())]


async def test_a_granted_return_speaks_against_that_unit_before_anybody_has_done_it(
    dispatcher: Bench,
) -> None:
    """DOMAIN.md 7: what a model learns from includes what the desk ruled (R-15)."""
    given = await register(dispatcher)
    await act(dispatcher, "CGZF", given["CGZF"], "return-requests", RETURN)
    assert await learned(dispatcher) == []
    await rule(dispatcher, given["CGZF"], granted=True)
    await settle(dispatcher)
    [(_, _, unit, against)] = await learned(dispatcher)
    assert (unit, against) == (None, frozenset({"CGZF"}))
    body = {"lead": "GDJ", "reason": "属供电"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    again = await assignments(dispatcher)
    await finish(dispatcher, "GDJ", again["GDJ"])
    await dispatcher.hear(closed(dispatcher))
    [(_, _, unit, against)] = await learned(dispatcher)
    assert (unit, against) == ("GDJ", frozenset({"CGZF"}))


async def test_nothing_is_learned_from_what_is_confidential(dispatcher: Bench) -> None:
    """JN-32: what a reporter said is nobody's to find in a model."""
    given = await register(dispatcher, street_light(confidential=True))
    await finish(dispatcher, "CGZF", given["CGZF"])
    await dispatcher.hear(closed(dispatcher))
    assert await learned(dispatcher) == []
