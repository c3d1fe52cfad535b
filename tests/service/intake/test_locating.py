"""Where a complaint is, when its caller does not say: found in its words, and said so (ADR 0059)."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from services.intake.rules.places import AreaFinder, Places
from tests.fixtures.bench import Bench

WHOLE, CG, MB = "610924000", "610924100", "610924112"
SAID: dict[str, Any] = {
    "type": "complaint",
    "topic": "lighting.street",
    "title": "路灯不亮",
    "content": "路灯坏了一周",
    "channel": "phone",
    "caller": {"name": "王小明", "phone": "13909150001"},
}


async def register(bench: Bench, *, status: int = 201, **said: Any) -> Any:
    answer = await bench.http("phone_system").post("/v1/tickets", json=SAID | said)
    assert answer.status_code == status, answer.text
    return answer.json()


async def told_area(bench: Bench) -> str:
    return str((await bench.told("ticket.registered"))[-1].data.area)


def codes_of(answer: Any) -> list[str]:
    return [each["code"] for each in answer["warnings"]]


@pytest.mark.parametrize("area", [{}, {"area": WHOLE}, {"area": "全县"}])
@pytest.mark.parametrize(
    ("said", "words", "found"),
    [
        ({"address": "毛坝镇街道12号"}, ["毛坝镇"], MB),
        ({"address": "紫府路18号"}, ["紫府路"], CG),
        ({"title": "瓦庙镇路灯不亮"}, ["瓦庙镇"], "610924113"),
        ({"content": "我在毛坝镇街上，路灯坏了"}, ["毛坝镇"], MB),
        ({"address": "紫府路18号", "content": "去毛坝镇的车"}, ["紫府路"], CG),
    ],
)
async def test_the_area_is_found_by_address_then_by_title_and_content(
    intake: Bench, area: dict[str, Any], said: dict[str, Any], words: list[str], found: str
) -> None:
    """DOMAIN.md 7: half of the question who does it is where it is."""
    answer = await register(intake, **said, **area)
    assert (answer["area_found"]["area"], answer["area_found"]["words"]) == (found, words)
    assert codes_of(answer) == ["area-found"]
    assert f"“{words[0]}”" in answer["warnings"][0]["detail"]
    assert await told_area(intake) == found


async def test_what_names_no_place_is_the_whole_places(intake: Bench) -> None:
    answer = await register(intake)
    assert (answer["area_found"], codes_of(answer)) == (None, ["area-not-found"])
    assert await told_area(intake) == WHOLE


async def test_two_towns_are_not_certain(intake: Bench) -> None:
    answer = await register(intake, address="毛坝镇往城关镇方向", content="在瓦庙镇")
    assert (answer["area_found"], codes_of(answer)) == (None, ["area-uncertain"])
    assert await told_area(intake) == WHOLE


async def test_an_area_that_was_said_is_kept_and_what_contradicts_it_said(intake: Bench) -> None:
    answer = await register(intake, area=CG, address="毛坝镇街道12号")
    assert (answer["area_found"], codes_of(answer)) == (None, ["area-contradicted"])
    assert await told_area(intake) == CG
    kept: list[dict[str, Any]] = [
        {"address": "城关镇紫府路"},
        {"content": "在毛坝镇"},
        {"address": "某小区"},
    ]
    for said in kept:
        assert (await register(intake, area="城关镇", **said))["warnings"] == []


async def test_a_batch_answers_each(intake: Bench) -> None:
    tickets = [SAID | {"address": "毛坝镇"}, SAID, SAID | {"area": "610924999"}]
    sent = {"tickets": tickets}
    answer = (await intake.http("phone_system").post("/v1/tickets/batch", json=sent)).json()
    first, second, third = answer["answers"]
    assert first["ticket"]["area_found"]["area"] == MB
    assert codes_of(second["ticket"]) == ["area-not-found"]
    assert third["problem"]["field"] == "area"


async def test_a_repeat_under_its_key_answers_the_same(intake: Bench) -> None:
    body, headers = SAID | {"address": "毛坝镇街道"}, {"Idempotency-Key": "a"}
    client = intake.http("phone_system")
    first = await client.post("/v1/tickets", json=body, headers=headers)
    again = await client.post("/v1/tickets", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


async def test_a_place_without_a_whole_asks_for_the_area(intake: Bench) -> None:
    store = intake.service.store
    finder = AreaFinder(Places(), store.config.codes)
    store.config = dataclasses.replace(store.config, areas=finder)
    refused = await register(intake, status=422)
    assert (refused["type"].rpartition("/")[2], refused["field"]) == ("area-missing", "area")
    assert await intake.told() == []
    assert (await register(intake, address="毛坝镇"))["area_found"]["area"] == MB


async def test_of_a_confidential_complaint_no_village_is_read_out_of_its_words(
    intake: Bench,
) -> None:
    """R-36: what every service hears is the town; who says the village says it himself."""
    store = intake.service.store
    codes = store.config.codes.model_dump(mode="json")
    codes["areas"].append({"code": "610924112201", "name": "试一村"})
    known = type(store.config.codes).model_validate(codes)
    finder = AreaFinder(Places(whole=WHOLE), known)
    store.config = dataclasses.replace(store.config, codes=known, areas=finder)
    open_one = await register(intake, address="试一村二组")
    assert open_one["area_found"]["area"] == "610924112201"
    kept = await register(intake, address="试一村二组", confidential=True)
    assert kept["area_found"]["area"] == MB
    assert await told_area(intake) == MB
