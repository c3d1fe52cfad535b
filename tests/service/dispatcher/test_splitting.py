"""拆分 at the dispatcher: who has it goes on, and each further matter has a lead of its own (R-14)."""

from __future__ import annotations

from typing import Any

from shared.events import TicketRegistered, TicketSplit
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    post,
    reach,
    register,
    sign,
    statuses,
    street_light,
)

MATTER = "20260302-000002"
SPLIT = TicketSplit(
    title="路灯不亮", content="滨江路路灯坏了", matters=(MATTER,), reason="一次来电两件事"
)


def matter(lead: str | None, **given: Any) -> TicketRegistered:
    """A further matter of the call, for whom the desk named."""
    noise = {"topic": "noise.construction", "title": "夜间施工", "content": "工地夜里打桩"}
    return street_light(**noise | {"split_from": NUMBER, "appointed": lead} | given)


async def desk(bench: Bench) -> list[Any]:
    """What the desk has."""
    found: list[Any] = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return found


async def test_who_has_the_ticket_goes_on_with_what_stays(dispatcher: Bench) -> None:
    """Handler, contacts and clocks stay; it is told, in words the release before reads, too."""
    given = (await register(dispatcher, street_light(content="路灯坏了，工地夜里还打桩")))[
        STREET_LIGHT
    ]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    await dispatcher.hear(dispatcher.fact(SPLIT, subject=NUMBER))
    assert await statuses(dispatcher) == [(STREET_LIGHT, 1, "contacted")]
    (told,) = await dispatcher.told("assignment.updated")
    assert (told.data.kind, told.data.limits) == ("supplemented", None)
    assert "滨江路路灯坏了" in told.data.content
    order = (
        await dispatcher.http("unit", STREET_LIGHT).get(f"/v1/units/{STREET_LIGHT}/orders")
    ).json()
    (item,) = order["items"]
    assert (item["content"], item["handler"], item["reached"]) == ("滨江路路灯坏了", "张三", True)


async def test_an_older_split_heard_late_changes_nothing(dispatcher: Bench) -> None:
    await register(dispatcher)
    newer = SPLIT.model_copy(update={"content": "第二次拆分后"})
    await dispatcher.hear(dispatcher.fact(newer, subject=NUMBER, seq=9))
    await dispatcher.hear(dispatcher.fact(SPLIT, subject=NUMBER, seq=8))
    (row,) = await dispatcher.rows("SELECT matter FROM tickets")
    assert row["matter"]["content"] == "第二次拆分后"


async def test_each_matter_goes_to_whom_the_desk_named(dispatcher: Bench) -> None:
    await register(dispatcher, matter("HBJ"), MATTER)
    assert await statuses(dispatcher, MATTER) == [("HBJ", 1, "dispatched")]
    (given,) = await dispatcher.told("assignment.dispatched")
    assert (given.data.rule, given.data.content) == (None, "工地夜里打桩")
    assert NUMBER in given.data.reason


async def test_a_matter_for_which_nobody_is_named_goes_by_the_catalogue(dispatcher: Bench) -> None:
    await register(dispatcher, matter(None), MATTER)
    given = await dispatcher.told("assignment.dispatched")
    assert given
    assert all(fact.data.rule for fact in given)


async def test_no_matter_goes_to_whom_its_text_accuses(dispatcher: Bench) -> None:
    """R-35: the desk has it, and reads why."""
    said = {"type": "report", "content": "红椿镇政府截留补助款", "topic": "rural.affairs"}
    await register(dispatcher, matter("HC", **said), MATTER)
    assert await statuses(dispatcher, MATTER) == []
    (item,) = await desk(dispatcher)
    assert "须回避" in item["reason"]


async def test_no_departments_matter_goes_to_a_town_by_a_split(dispatcher: Bench) -> None:
    """R-05: it is kept from it, and counted as by hand."""
    await register(dispatcher, matter("HC"), MATTER)
    (item,) = await desk(dispatcher)
    assert "不在镇职责清单内" in item["reason"]
    (row,) = await dispatcher.rows("SELECT way, outcome, unit FROM grassroots_checks")
    assert (row["way"], row["outcome"], row["unit"]) == ("hand", "blocked", "HC")


async def test_a_unit_that_is_none_any_more_gets_nothing(dispatcher: Bench) -> None:
    await register(dispatcher, matter("GONE"), MATTER)
    (item,) = await desk(dispatcher)
    assert "GONE" in item["reason"]
    await post(
        dispatcher.http("desk"),
        f"/v1/tickets/{MATTER}/assign",
        {"lead": "HBJ", "reason": "噪声"},
    )


async def test_how_urgent_a_matter_is_its_own_words_say(dispatcher: Bench) -> None:
    await register(dispatcher, matter("YJJ", content="工地塌了，有人被困"), MATTER)
    (given,) = await dispatcher.told("assignment.dispatched")
    assert given.data.urgency == "critical"
