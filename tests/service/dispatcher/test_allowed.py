"""可行的操作: what is said to be allowed is, for who reads it, and what is not said is refused (ADR 0070)."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from services.dispatcher import routes
from services.dispatcher.rules.acts import ACTS, ON_TICKET
from services.dispatcher.settings import Settings
from shared.events import TicketMerged
from shared.http.auth import CallerOf
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG
from tests.fixtures.scenes.dispatcher import (
    DONE,
    RETURN,
    act,
    assignments,
    let_lead,
    post,
    register,
    said_due,
    street_light,
)

TOWN, HELPER, VILLAGE = "CG", "GAJ", "CGV"
START = "2026-03-02T10:00+08:00"
BELOW = """
  - {code: CGV, name: 试一村, kind: village, parent: CG, delivery: feed, liaison: 村委会主任}
"""
END = DONE | {"kind": "terminated", "solved": False, "unsolved_reason": "诉求人不配合"}
OFF = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}  # a person has to audit it
SAID: dict[str, dict[str, Any]] = {
    "sign": {"handler": "张三"},
    "contact": {"how": "phone", "outcome": "reached"},
    "progress": {"note": "已到现场"},
    "request_return": RETURN | {"suggested_unit": "GSGS"},
    "withdraw_return": {"reason": "属本单位职责"},
    "complete": DONE,
    "request_end": END,
    "disown": END | {"kind": "not_our_duty_confirmed"},
    "withdraw_end": {"reason": "继续办理"},
    "request_wait": {"awaited": "documents", "reason": "缺合同", "contact_time": START},
    "end_wait": {"note": "已送来合同"},
    "press": {"unit": HELPER, "note": "请答复"},
    "hand_down": {"unit": VILLAGE, "reason": "请到现场"},
    "take_back": {"unit": VILLAGE, "reason": "自行办理"},
    "change_handler": {"handler": "李四", "reason": "轮班"},
    "whistle": {"units": ["SCJG"], "need": "请到现场", "ground": "镇无处罚权"},
    "attend": {"person": "王五"},
    "attendance": {"unit": "SWJ", "attendance": "present"},
    "call_off": {"unit": "SWJ", "reason": "误吹"},
    "grant_return": {"granted": True, "ruling": "确属其他单位"},
    "refuse_return": {"granted": False, "ruling": "职责清楚"},
    "grant_end": {"granted": True, "ruling": "同意", "public_answer": "本次终止办理"},
    "refuse_end": {"granted": False, "ruling": "应继续办理"},
    "grant_wait": {"granted": True, "ruling": "属实"},
    "refuse_wait": {"granted": False, "ruling": "材料已足"},
    "audit": {"outcome": "passed"},
    "release": {"reason": "已无需协办"},
}
ON_TICKET_SAID: dict[str, dict[str, Any]] = {
    "assign": {"lead": "SWJ", "reason": "职责所在"},
    "recall": {"reason": "核实"},
    "add_co_handler": {"unit": "SWJ", "reason": "协办"},
    "open_arbitration": {"grounds": "推诿"},
    "name_law": {"law": "《条例》", "article": "第三条", "limit": "60wd", "reason": "须审批"},
    "withdraw_law": {"reason": "不属该条例"},
    "ask_town_lead": {"lead": "HC", "ground": "需属地镇牵头"},
}

Numbered = tuple[Bench, str]


@pytest.fixture
def rural(dispatcher: Bench, tmp_path: Path) -> Bench:
    """A dispatcher in a county whose town has a village."""
    folder = shutil.copytree(CONFIG, tmp_path / "county")
    with (folder / "units.yaml").open("a", encoding="utf-8") as file:
        file.write(BELOW)
    dispatcher.service.store.config = Settings(embedded=True, config_dir=folder).load()
    return dispatcher


async def does(at: Numbered, unit: str, *names: str, **other: Any) -> None:
    """A unit does these acts, one after the other."""
    bench, number = at
    for name in names:
        order = (await assignments(bench, number))[unit]
        await act(bench, unit, order, ACTS[name].door, other or SAID[name])


async def dispatched(at: Numbered, **more: Any) -> None:
    bench, number = at
    await register(bench, street_light(content=f"{number[-3:]}号路灯不亮", **more), number)
    given = {"lead": TOWN, "co_handlers": [HELPER], "reason": "属地"}
    await let_lead(bench, TOWN, number)
    await post(bench.http("desk"), f"/v1/tickets/{number}/assign", given)


async def signed(at: Numbered) -> None:
    await dispatched(at)
    await does(at, TOWN, "sign")


async def contacted(at: Numbered) -> None:
    await signed(at)
    await does(at, TOWN, "contact")


async def asked_back(at: Numbered) -> None:
    await signed(at)
    await does(at, TOWN, "request_return")


async def asked_back_in_a_hurry(at: Numbered) -> None:
    await dispatched(at, urgency="urgent")
    await does(at, TOWN, "request_return")


async def ruled(at: Numbered) -> None:
    await asked_back(at)
    bench, number = at
    order = (await assignments(bench, number))[TOWN]
    await post(bench.http("desk"), f"/v1/assignments/{order}/ruling", SAID["refuse_return"])


async def end_asked_for(at: Numbered) -> None:
    await contacted(at)
    await does(at, TOWN, "complete", **END)


async def wait_asked_for(at: Numbered) -> None:
    await contacted(at)
    await does(at, TOWN, "request_wait")


async def waits(at: Numbered) -> None:
    await wait_asked_for(at)
    bench, number = at
    order = (await assignments(bench, number))[TOWN]
    await post(bench.http("desk"), f"/v1/assignments/{order}/wait-ruling", SAID["grant_wait"])


async def waited(at: Numbered) -> None:
    await waits(at)
    await does(at, TOWN, "end_wait")


async def wait_asked_for_in_vain(at: Numbered) -> None:
    """The tracker says that less is left of the time than is printed, and then that is over."""
    await wait_asked_for(at)
    bench, number = at
    await bench.hear(said_due(bench, number, TOWN, (await assignments(bench, number))[TOWN]))
    await later(at, "2026-03-02T11:00+08:00")


async def handed_down(at: Numbered) -> None:
    await signed(at)
    await does(at, TOWN, "hand_down")


async def whistled(at: Numbered) -> None:
    await signed(at)
    await does(at, TOWN, "whistle", **SAID["whistle"] | {"units": ["SWJ"]})


async def attended(at: Numbered) -> None:
    await whistled(at)
    await does(at, "SWJ", "attend")


async def audited(at: Numbered) -> None:
    await contacted(at)
    await does(at, HELPER, "sign", "contact", "complete")
    await does(at, TOWN, "complete", **OFF)


async def refused_an_end(at: Numbered) -> None:
    await end_asked_for(at)
    bench, number = at
    order = (await assignments(bench, number))[TOWN]
    ruling = f"/v1/assignments/{order}/completion-ruling"
    await post(bench.http("desk"), ruling, SAID["refuse_end"])


async def asked_for_both(at: Numbered) -> None:
    await end_asked_for(at)
    await does(at, TOWN, "request_return")


async def took_back(at: Numbered) -> None:
    await asked_back(at)
    await does(at, TOWN, "withdraw_return")


async def ruled_for_the_desk(at: Numbered) -> None:
    """By the policy: silence is no ruling, and the unit has asked once all the same."""
    await asked_back(at)
    await later(at, "2026-03-03T17:00+08:00")
    await at[0].run("rule_unruled")


async def named_by_the_ladder(at: Numbered) -> None:
    await disputed(at)
    bench, number = at
    opened = (await bench.http("desk").get(f"/v1/tickets/{number}/assignments")).json()
    body = {"lead": TOWN, "co_handlers": [HELPER], "ruling": "由城关镇承办"}
    await post(bench.http("desk"), f"/v1/arbitrations/{opened['arbitration']}/ruling", body)


async def out_of_time(at: Numbered) -> None:
    """Every window and limit of the order is over; its helper has not answered."""
    await contacted(at)
    await later(at, "2026-03-20T10:00+08:00")


async def secret(at: Numbered) -> None:
    await dispatched(at, confidential=True)
    await does(at, TOWN, "sign")


async def later(at: Numbered, moment: str) -> None:
    bench, _ = at
    bench.at(moment)


async def over(at: Numbered) -> None:
    await signed(at)
    bench, number = at
    await post(bench.http("desk"), f"/v1/tickets/{number}/recall", {"reason": "核实"})


async def helper_disputes(at: Numbered) -> None:
    await ruled(at)
    await does(at, HELPER, "request_return")


async def undecided(at: Numbered) -> None:
    bench, number = at
    await register(bench, street_light(topic="other"), number)


async def under_a_law(at: Numbered) -> None:
    await signed(at)
    bench, number = at
    law = ON_TICKET_SAID["name_law"] | {"limit": "30wd"}
    asked = await post(bench.http("desk"), f"/v1/tickets/{number}/legal-limit", law)
    path, said = f"/v1/approvals/{asked['approval']}/decision", {"granted": True, "note": "属实"}
    await post(bench.http("desk", name="li"), path, said)


async def disputed(at: Numbered) -> None:
    await signed(at)
    bench, number = at
    await post(
        bench.http("desk"), f"/v1/tickets/{number}/arbitration", ON_TICKET_SAID["open_arbitration"]
    )


async def waiting_with_another(at: Numbered) -> None:
    bench, number = at
    other = f"{number}000001"
    await signed((bench, other))
    await signed(at)
    data = TicketMerged(into=other, reason="同一处")
    await bench.hear(bench.fact(data, subject=number))


SCENES: list[tuple[Callable[[Numbered], Awaitable[None]], str]] = [
    *((scene, TOWN) for scene in (dispatched, signed, contacted, asked_back, ruled, end_asked_for)),
    *((scene, TOWN) for scene in (asked_back_in_a_hurry, handed_down, whistled, attended)),
    *((scene, TOWN) for scene in (audited, over, refused_an_end, asked_for_both, took_back)),
    *((scene, TOWN) for scene in (ruled_for_the_desk, named_by_the_ladder, out_of_time, secret)),
    *((scene, TOWN) for scene in (disputed, waiting_with_another, wait_asked_for, waits, waited)),
    (wait_asked_for_in_vain, TOWN),
    (dispatched, HELPER),
    (helper_disputes, HELPER),
    (named_by_the_ladder, HELPER),
    (handed_down, VILLAGE),
    (whistled, "SWJ"),
    (attended, "SWJ"),
]


@pytest.mark.parametrize(
    ("scene", "unit"), SCENES, ids=[f"{scene.__name__}-{unit}" for scene, unit in SCENES]
)
async def test_what_is_allowed_is_and_nothing_else(
    rural: Bench, scene: Callable[[Numbered], Awaitable[None]], unit: str
) -> None:
    """Each act as its unit and as the desk; a supervisor may do none. What was done begins anew, what was
    refused has changed nothing.
    """
    numbers = (f"20260302-{count:06}" for count in itertools.count(1))
    number = ""
    for role, own in (("unit", unit), ("desk", None)):
        for name, each in ACTS.items():
            if role not in each.by:  # its door lets nobody else in
                continue
            if not number:
                rural.at(START)
                await scene((rural, number := next(numbers)))
            client = rural.http(role, own)
            order = (await assignments(rural, number))[unit]
            said = await _allowed(client, f"/v1/tickets/{number}/assignments", order)
            body = SAID[name]
            if (name, scene) == ("complete", out_of_time):  # whom it need not wait for any more
                body = body | {"without": [HELPER]}
            answer = await client.post(f"/v1/assignments/{order}/{each.door}", json=body)
            assert answer.is_success is (name in said), (role, name, said, answer.text)
            assert all(role in ACTS[other].by for other in said)
            reader = rural.http("supervisor")
            assert await _allowed(reader, f"/v1/tickets/{number}/assignments", order) == []
            number = "" if answer.is_success else number


async def _allowed(client: Any, path: str, order: Any) -> list[str]:
    page = (await client.get(path)).json()
    items = page.get("assignments", page.get("items"))
    [shown] = [each for each in items if each["id"] == str(order)]
    allowed: list[str] = shown["allowed"]
    return allowed


async def test_lists_say_the_same_and_another_unit_s_order_allows_nothing(rural: Bench) -> None:
    number = "20260302-000001"
    await whistled((rural, number))
    order = (await assignments(rural, number))[TOWN]
    client = rural.http("unit", TOWN)
    said = await _allowed(client, f"/v1/tickets/{number}/assignments", order)
    assert {"attendance", "call_off", "press", "contact"} <= set(said)
    for path in (f"/v1/units/{TOWN}/orders", f"/v1/units/{TOWN}/assignments"):
        assert await _allowed(client, path, order) == said
    helping = (await assignments(rural, number))[HELPER]
    assert await _allowed(client, f"/v1/tickets/{number}/assignments", helping) == []


@pytest.mark.parametrize(
    "scene",
    [
        *(undecided, signed, under_a_law, asked_back_in_a_hurry, disputed, audited, over),
        waiting_with_another,
    ],
)
async def test_what_is_allowed_on_a_ticket_is_and_nothing_else(
    rural: Bench, scene: Callable[[Numbered], Awaitable[None]]
) -> None:
    count = 0
    for role in ("desk", "supervisor"):
        for name, each in ON_TICKET.items():
            if role not in each.by:
                continue
            count += 1
            number = f"20260302-{count:06}"
            await scene((rural, number))
            client, path = rural.http(role), f"/v1/tickets/{number}"
            said = (await client.get(f"{path}/assignments")).json()["allowed"]
            body = ON_TICKET_SAID[name]
            if (name, scene) == ("assign", disputed):  # nobody else leads before the ruling
                body = body | {"lead": TOWN, "co_handlers": [HELPER]}
            answer = await client.post(f"{path}/{each.door}", json=body)
            assert answer.is_success is (name in said), (role, name, said, answer.text)
            assert all(role in ON_TICKET[other].by for other in said)


async def test_no_unit_acts_on_a_ticket_as_such(rural: Bench) -> None:
    number = "20260302-000001"
    await signed((rural, number))
    seen = await rural.http("unit", TOWN).get(f"/v1/tickets/{number}/assignments")
    assert seen.json()["allowed"] == []


@pytest.mark.parametrize(
    ("table", "at"), [(ACTS, "assignments/{assignment}/"), (ON_TICKET, "tickets/{number}/")]
)
def test_the_doors_let_in_whom_the_table_names(table: Mapping[str, Any], at: str) -> None:
    """One source: an act's roles are those of its door, and every act stands in the table."""
    found = {}
    for route in routes.router.routes:
        assert isinstance(route, APIRoute)
        path = route.path.removeprefix(f"/v1/{at}")
        if path == route.path or "POST" not in (route.methods or ()):
            continue
        asked = [each.call for one in route.dependant.dependencies for each in one.dependencies]
        [caller] = [each for each in asked if isinstance(each, CallerOf)]
        found[path] = caller._roles
    assert found == {act.door: act.by for act in table.values()}
