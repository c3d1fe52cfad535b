"""吹哨报到: a town whistles, units come, and each side says what it saw (R-47, BJ-16, BJ-33; ADR 0061)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.events import TicketCorrected, TicketMerged, TicketWithdrawn
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    act,
    ask_back,
    assignments,
    closed,
    finish,
    let_lead,
    post,
    reach,
    register,
    rule,
    sign,
    statuses,
    street_light,
)
from tests.fixtures.scenes.reform import followed, reform, take_up

TOWN, BUREAU, OTHER = "CG", "GAJ", "SWJ"
NEEDED = {"need": "请到现场联合处置占道经营", "ground": "镇无行政处罚权"}


@pytest.fixture
async def led(dispatcher: Bench) -> Bench:
    """The town leads and has signed; another bureau helps by the desk's word."""
    await register(dispatcher)
    given = {"lead": TOWN, "co_handlers": [OTHER], "reason": "属地"}
    await assign(dispatcher, **given)
    await sign(dispatcher, TOWN, (await assignments(dispatcher))[TOWN])
    return dispatcher


async def assign(bench: Bench, **body: Any) -> Any:
    await let_lead(bench, body["lead"])
    return await post(bench.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)


async def blow(bench: Bench, *units: str, by: str = TOWN, status: int = 200, **said: Any) -> Any:
    order = (await assignments(bench))[by]
    body = {"units": list(units or (BUREAU,))} | NEEDED | said
    return await act(bench, by, order, "whistle", body, status)


async def attend(bench: Bench, unit: str = BUREAU, status: int = 200, **said: Any) -> Any:
    order = (await assignments(bench))[unit]
    return await act(bench, unit, order, "attend", {"person": "民警王五"} | said, status)


async def say(bench: Bench, attendance: str, by: str = TOWN, status: int = 200) -> Any:
    body = {"unit": BUREAU, "attendance": attendance, "note": "等到十二点"}
    return await act(bench, by, (await assignments(bench))[by], "attendance", body, status)


async def call_off(bench: Bench, status: int = 200) -> Any:
    body = {"unit": BUREAU, "reason": "误吹"}
    return await act(bench, TOWN, (await assignments(bench))[TOWN], "call-off", body, status)


async def listed(bench: Bench, query: str = "") -> list[tuple[str, str]]:
    found = (await bench.http("desk").get(f"/v1/whistles?{query}")).json()
    return [(each["number"], each["unit"]) for each in found["items"]]


async def counted(bench: Bench) -> dict[str, Any]:
    found = (await bench.http("supervisor").get("/v1/figures/whistles")).json()
    return {each["unit"]: each for each in found["units"]}


def slug(answer: Any) -> str:
    return str(answer["type"]).rpartition("/")[2]


# --- 吹哨 --------------------------------------------------------------------------------------


async def test_who_is_whistled_for_gets_a_co_handlers_order_with_a_limit_to_come(
    led: Bench,
) -> None:
    """R-47."""
    [given] = (await blow(led))["orders"]
    assert (given["unit"], given["role"], given["status"]) == (BUREAU, "co", "dispatched")
    assert given["limits"]["attend"] == "1wd"
    assert given["whistle"]["by"] == TOWN
    told = (await led.told("assignment.dispatched"))[-1]
    assert (told.unit, told.data.lead, told.data.whistle.need) == (BUREAU, TOWN, NEEDED["need"])
    others = [each for each in await led.told("assignment.updated") if each.unit == OTHER]
    assert others[-1].data.co_handlers == (OTHER, BUREAU)


async def test_all_are_whistled_for_or_none(led: Bench) -> None:
    before = await statuses(led)
    assert slug(await blow(led, BUREAU, OTHER, status=409)) == "works-already"
    assert await statuses(led) == before


@pytest.mark.parametrize(
    ("unit", "status", "why"),
    [
        (TOWN, 422, "co-handler-is-lead"),
        (OTHER, 409, "works-already"),
        ("没有这个单位", 422, "unknown-code"),
        ("HC", 422, "not-whistled-for"),
        ("RXB", 422, "not-whistled-for"),
    ],
)
async def test_for_whom_nobody_whistles(led: Bench, unit: str, status: int, why: str) -> None:
    assert slug(await blow(led, unit, status=status)) == why


async def test_a_bureau_does_not_whistle_nor_who_helps_nor_who_has_not_signed(
    dispatcher: Bench,
) -> None:
    await register(dispatcher)
    await assign(dispatcher, lead=OTHER, co_handlers=[TOWN], reason="涉税")
    assert slug(await blow(dispatcher, by=OTHER, status=409)) == "move-refused"
    for unit in (OTHER, TOWN):
        await sign(dispatcher, unit, (await assignments(dispatcher))[unit])
    assert slug(await blow(dispatcher, by=OTHER, status=409)) == "may-not-whistle"
    assert slug(await blow(dispatcher, by=TOWN, status=409)) == "move-refused"


async def test_who_must_stand_back_is_not_whistled_for(dispatcher: Bench) -> None:
    """R-35."""
    await register(dispatcher, street_light(type="report", reported_unit=BUREAU))
    await assign(dispatcher, lead=TOWN, reason="属地")
    await sign(dispatcher, TOWN, (await assignments(dispatcher))[TOWN])
    assert slug(await blow(dispatcher, status=409)) == "recused"
    assert [each["unit"] for each in (await blow(dispatcher, OTHER))["orders"]] == [OTHER]


async def test_of_a_confidential_matter_the_desk_decides_who_learns(dispatcher: Bench) -> None:
    """JN-32."""
    await register(dispatcher, street_light(confidential=True))
    await assign(dispatcher, lead=TOWN, reason="属地")
    await sign(dispatcher, TOWN, (await assignments(dispatcher))[TOWN])
    assert slug(await blow(dispatcher, status=409)) == "not-handed-down"


async def test_after_the_leads_answer_nobody_whistles(led: Bench) -> None:
    given = await assignments(led)
    await finish(led, OTHER, given[OTHER])
    await reach(led, TOWN, given[TOWN])
    await act(led, TOWN, given[TOWN], "completion", DONE)
    assert slug(await blow(led, status=409)) == "move-refused"


# --- 报到 --------------------------------------------------------------------------------------


async def test_the_unit_says_who_came_and_its_lead_hears_it(led: Bench) -> None:
    await blow(led)
    at = led.now + timedelta(hours=1)
    led.at(at)
    got = await attend(led, came_at=(at - timedelta(minutes=20)).isoformat())
    assert got["whistle"]["attended"]["person"] == "民警王五"
    [told] = await led.told("assignment.attended")
    assert (told.unit, told.data.person) == (BUREAU, "民警王五")
    assert told.time == at - timedelta(minutes=20)
    heard = [each for each in await led.told("assignment.updated") if each.unit == TOWN]
    assert "已报到：民警王五" in heard[-1].data.content
    assert slug(await attend(led, status=409)) == "move-refused"


async def test_nobody_comes_before_the_whistle_or_in_the_future(led: Bench) -> None:
    await blow(led)
    for off in (-1, 1):
        at = (led.now + timedelta(hours=off)).isoformat()
        assert slug(await attend(led, came_at=at, status=422)) == "attend-time-wrong"


async def test_who_was_not_whistled_for_does_not_attend(led: Bench) -> None:
    assert slug(await attend(led, OTHER, status=409)) == "move-refused"


async def test_who_was_whistled_for_comes_before_it_answers(led: Bench) -> None:
    await blow(led)
    order = (await assignments(led))[BUREAU]
    await sign(led, BUREAU, order)
    refused = await act(led, BUREAU, order, "completion", DONE | {"contacted": False}, 409)
    assert slug(refused) == "not-attended"
    await attend(led)
    await act(led, BUREAU, order, "completion", DONE | {"contacted": False})


async def test_a_word_that_contradicts_is_on_record_and_no_verdict(led: Bench) -> None:
    """R-47."""
    await blow(led)
    await attend(led)
    shown = await say(led, "nobody_came")
    assert shown["whistle"]["said"]["attendance"] == "nobody_came"
    assert shown["whistle"]["attended"]["person"] == "民警王五"
    heard = [each for each in await led.told("assignment.updated") if each.unit == BUREAU]
    assert (heard[-1].data.attendance, heard[-1].data.kind) == ("nobody_came", "supplemented")
    assert "无人到场" in heard[-1].data.content
    assert dict(await _heard(led))["attended"] == 1


async def _heard(bench: Bench) -> Any:
    return (await counted(bench))[BUREAU]["heard"].items()


async def test_a_return_is_asked_and_ruled_on_as_any(led: Bench) -> None:
    """R-15."""
    await blow(led)
    order = (await assignments(led))[BUREAU]
    await ask_back(led, BUREAU, order)
    await rule(led, order, granted=True)
    assert (BUREAU, 1, "returned") in await statuses(led)
    assert slug(await blow(led, status=409)) == "return-granted"
    heard = (await counted(led))[BUREAU]["heard"]
    assert (heard["heard"], heard["returned"], heard["attended"]) == (1, 1, 0)


async def test_a_whistle_blown_by_mistake_is_called_off_until_somebody_came(led: Bench) -> None:
    await blow(led)
    await call_off(led)
    assert (BUREAU, 1, "cancelled") in await statuses(led)
    gone = (await led.told("assignment.cancelled"))[-1]
    assert (gone.unit, "误吹" in (gone.data.why or "")) == (BUREAU, True)
    assert await listed(led) == []
    assert slug(await call_off(led, status=409)) == "move-refused"
    await blow(led)
    await attend(led)
    assert slug(await call_off(led, status=409)) == "move-refused"


# --- it stands ---------------------------------------------------------------------------------


async def test_it_stands_under_another_lead(led: Bench) -> None:
    """R-47."""
    await blow(led)
    order = (await assignments(led))[BUREAU]
    await assign(led, lead="CGZF", reason="改由城管牵头")
    now = {unit: status for unit, _, status in await statuses(led) if status != "cancelled"}
    assert now == {"CGZF": "dispatched", BUREAU: "dispatched"}
    assert (await assignments(led))[BUREAU] == order
    assert (await say(led, "present", by="CGZF"))["id"] == str(order)


async def test_more_urgent_it_is_sooner_and_who_came_need_not_come_again(led: Bench) -> None:
    """BJ4."""
    await blow(led, BUREAU, "ZJJ")
    await attend(led)
    await assign(led, lead=TOWN, co_handlers=[OTHER], reason="属地", urgency="urgent")
    told = {each.unit: each for each in await led.told("assignment.dispatched")}
    limits = {unit: told[unit].data.limits.attend for unit in (BUREAU, "ZJJ")}
    assert limits == {BUREAU: None, "ZJJ": "2h"}
    blown = (await counted(led))[TOWN]["blew"]
    assert (blown["blown"], blown["attended"]) == (2, 1)
    assert await listed(led, "awaited=true") == [(NUMBER, "ZJJ")]


async def test_an_order_nobody_signed_before_it_was_more_urgent_has_the_whistle_still(
    led: Bench,
) -> None:
    """BJ4, ADR 0045: a correction gives who has not signed a new order."""
    await blow(led)
    data = TicketCorrected.model_validate(
        {"fields": ["urgency"], "reason": "核实", "urgency": "urgent", "after_dispatch": True}
    )
    await led.hear(led.fact(data, subject=NUMBER, seq=9))
    told = [each for each in await led.told("assignment.dispatched") if each.unit == BUREAU]
    assert [each.data.limits.attend for each in told] == ["1wd", "2h"]
    assert told[-1].data.whistle == told[0].data.whistle
    assert (await counted(led))[TOWN]["blew"]["blown"] == 1


async def test_it_goes_on_under_the_number_under_which_the_work_goes_on(led: Bench) -> None:
    """GB66-5."""
    other = "20260302-000002"
    await register(led, number=other)
    merged = TicketMerged(into=NUMBER, reason="同一处")
    await led.hear(led.fact(merged, subject=other, seq=9))
    await blow(led)
    await led.hear(led.fact(TicketWithdrawn(reason="已解决"), subject=NUMBER))
    assert await listed(led) == [(other, BUREAU)]
    assert (await counted(led))[TOWN]["blew"]["blown"] == 1


async def test_who_follows_a_unit_that_is_no_more_goes_on_with_it(
    led: Bench, tmp_path: Path
) -> None:
    """R-14, ADR 0056."""
    take_up(followed(tmp_path, ZJJ=["CGZF"]), led)
    [given] = (await blow(led, "ZJJ"))["orders"]
    await reform(led, "ZJJ", into="CGZF")
    [told] = await led.told("assignment.transferred")
    assert (str(told.assignment), told.unit) == (given["id"], "CGZF")
    assert told.data.whistle.by == TOWN
    assert told.data.limits.attend == "1wd"
    await act(led, "CGZF", UUID(given["id"]), "attend", {"person": "王五"})
    heard = (await counted(led))["ZJJ"]["heard"]
    assert (heard["heard"], heard["attended"]) == (1, 1)


async def test_it_goes_with_a_ticket_that_is_withdrawn(led: Bench) -> None:
    await blow(led)
    await led.hear(led.fact(TicketWithdrawn(reason="已解决"), subject=NUMBER))
    assert await listed(led) == []


# --- read --------------------------------------------------------------------------------------


async def test_desk_and_supervisor_find_who_is_awaited(led: Bench) -> None:
    await blow(led, BUREAU, "ZJJ")
    await attend(led)
    assert await listed(led) == [(NUMBER, BUREAU), (NUMBER, "ZJJ")]
    assert await listed(led, "awaited=true") == [(NUMBER, "ZJJ")]
    assert await listed(led, f"unit={BUREAU}") == [(NUMBER, BUREAU)]
    first = (await led.http("supervisor").get("/v1/whistles?limit=1")).json()
    assert await listed(led, f"after={first['next']}") == [(NUMBER, "ZJJ")]


async def test_both_are_appraised_by_the_same_verdict(led: Bench) -> None:
    """R-47, BJ-33 双考核."""
    await blow(led, BUREAU, "ZJJ")
    given = await assignments(led)
    for unit in (BUREAU, "ZJJ"):
        await attend(led, unit)
        await sign(led, unit, given[unit])
        await act(led, unit, given[unit], "completion", DONE | {"contacted": False})
    await finish(led, OTHER, given[OTHER])
    await reach(led, TOWN, given[TOWN])
    await act(led, TOWN, given[TOWN], "completion", DONE)
    await led.hear(closed(led))
    found = await counted(led)
    assert found[TOWN]["blew"]["verdicts"] == {"satisfied": 2}
    assert found[BUREAU]["heard"]["verdicts"] == {"satisfied": 1}
    assert found[TOWN]["heard"]["heard"] == found[BUREAU]["blew"]["blown"] == 0


async def test_a_unit_sees_its_own_figures(led: Bench) -> None:
    await blow(led)
    found = (await led.http("unit", BUREAU).get("/v1/figures/whistles")).json()
    assert [each["unit"] for each in found["units"]] == [BUREAU]
