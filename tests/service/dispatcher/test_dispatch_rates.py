"""退单率 and 首派准确率: whether the right unit was found at first (DOMAIN.md R-05, R-15; Yulin 回退率)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.dispatcher.settings import Config
from shared.jurisdiction.appraisal import Appraisal
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    company,
    let_lead,
    post,
    register,
    rule,
)

NOTHING = {
    "dispatched": 0,
    "first_dispatches": 0,
    "first_dispatches_held": 0,
    "returns_requested": 0,
    "returns_granted": 0,
    "returns_refused": 0,
    "rulings_overruled": 0,
    "return_rate": None,
    "first_dispatch_accuracy": None,
}


async def rates(
    bench: Bench, role: str = "supervisor", unit: str | None = None, **days: str
) -> Any:
    answer = await bench.http(role, unit).get("/v1/rates", params=days)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_without_any_order_there_is_no_rate(dispatcher: Bench) -> None:
    found = await rates(dispatcher)
    assert (found["total"], found["units"]) == (NOTHING, [])


async def test_a_first_dispatch_holds_until_its_unit_gives_it_back_or_another_leads(
    dispatcher: Bench,
) -> None:
    """R-15, R-42, policy `first_dispatch_accuracy`: of five, one was returned, one re-dispatched by hand."""
    numbers = [f"20260302-{at:06}" for at in range(1, 5)]
    lights = [(await register(dispatcher, number=number))[STREET_LIGHT] for number in numbers]
    await register(dispatcher, company(), "20260302-000005")
    assert (await rates(dispatcher))["total"]["first_dispatch_accuracy"] == 1.0
    await ask_back(dispatcher, STREET_LIGHT, lights[0])
    await rule(dispatcher, lights[0], granted=True)
    await ask_back(dispatcher, STREET_LIGHT, lights[1])
    await rule(dispatcher, lights[1], granted=False)
    for number in (numbers[0], numbers[2]):
        body = {"lead": "CG", "reason": "属地管理"}
        await let_lead(dispatcher, "CG", number)
        await post(dispatcher.http("desk"), f"/v1/tickets/{number}/assign", body)
    found = await rates(dispatcher)
    assert found["total"] == {
        "dispatched": 10,  # four lights, a lead with three co-handlers, two by hand
        "first_dispatches": 5,
        "first_dispatches_held": 3,
        "returns_requested": 2,
        "returns_granted": 1,
        "returns_refused": 1,
        "rulings_overruled": 0,
        "return_rate": 0.1,
        "first_dispatch_accuracy": 0.6,
    }
    units = {each["unit"]: each["figures"] for each in found["units"]}
    held = {unit: figures["first_dispatches_held"] for unit, figures in units.items()}
    assert (units[STREET_LIGHT]["first_dispatches"], held[STREET_LIGHT]) == (4, 2)
    assert (units[COMPANY]["first_dispatches"], held[COMPANY]) == (1, 1)
    assert {units[each]["first_dispatches"] for each in (*COMPANY_CO, "CG")} == {0}


async def test_a_unit_stands_with_its_class_and_band_and_has_no_rate_of_few(
    dispatcher: Bench,
) -> None:
    """R-43: of two orders one was returned."""
    lights = [
        (await register(dispatcher, number=f"20260302-{at:06}"))[STREET_LIGHT] for at in (1, 2)
    ]
    await ask_back(dispatcher, STREET_LIGHT, lights[0])
    await rule(dispatcher, lights[0], granted=True)
    found = await rates(dispatcher)
    [unit] = found["units"]
    stands = {"kind": "department", "band": {"least": 0, "most": 9}, "few": True}
    assert unit.items() >= stands.items()
    rate = ("return_rate", "first_dispatch_accuracy")
    assert [unit["figures"][name] for name in rate] == [None, None]
    assert [found["total"][name] for name in rate] == [0.5, 0.5]
    store: Store[Config] = dispatcher.service.store
    place = store.config.place.model_copy(update={"appraisal": Appraisal(least=2)})
    store.config = replace(store.config, place=place)
    [unit] = (await rates(dispatcher))["units"]
    assert (unit["few"], unit["band"]) == (False, None)
    assert [unit["figures"][name] for name in rate] == [0.5, 0.5]


async def test_what_happened_counts_on_its_day_and_a_unit_sees_its_own(dispatcher: Bench) -> None:
    """R-48 统计周期."""
    light = (await register(dispatcher))[STREET_LIGHT]
    await register(dispatcher, company(), "20260302-000002")
    await act(dispatcher, STREET_LIGHT, light, "return-requests", RETURN)
    dispatcher.at("2026-03-03T08:40+08:00")
    await rule(dispatcher, light, granted=True)
    second = await rates(dispatcher, **{"from": "2026-03-02", "to": "2026-03-02"})
    third = await rates(dispatcher, **{"from": "2026-03-03", "to": "2026-03-03"})
    assert (second["total"]["returns_requested"], second["total"]["returns_granted"]) == (1, 0)
    assert third["total"]["returns_granted"] == 1
    assert (third["total"]["dispatched"], third["total"]["return_rate"]) == (0, None)
    theirs = await rates(dispatcher, "unit", COMPANY)
    assert [each["unit"] for each in theirs["units"]] == [COMPANY]
    assert theirs["total"] == theirs["units"][0]["figures"]
    refused = await dispatcher.http("unit", COMPANY).get(
        "/v1/rates", params={"from": "2026-03-03", "to": "2026-03-02"}
    )
    assert (refused.status_code, refused.json()["field"]) == (422, "to")
