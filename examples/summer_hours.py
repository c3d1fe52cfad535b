"""夏令作息 Summer hours begin in the middle of a week, and nothing that happened changes (R-20; ADR 0062).

2026-06-10 is a Wednesday; the paper of that morning has the new hours from Thursday on.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from examples.connection import Json, rest
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import SATISFIED, Told, clock_of, done, hour

UNIT = "ZJJ"
PAPER = "紫政办函〔2026〕21号"
HOURS = """
seasons:
  - from: "2026-06-11"
    to: "2026-09-30"
    duty_hours: [{from: "08:00", to: "12:00"}, {from: "15:00", to: "18:30"}]
"""
TILES: Json = {
    "type": "complaint",
    "topic": "road.damage",
    "title": "滨河路人行道地砖松动",
    "content": "滨河路人行道地砖松动，雨天一踩一身泥水，老人容易绊倒，请尽快修。",
    "area": "610924100",
    "channel": "phone",
    "caller": {"name": "石滨河", "phone": "13891500021"},
}
KERB: Json = TILES | {
    "title": "紫府路路沿石缺口",
    "content": "紫府路公交站旁路沿石缺了两米，电动车夜里容易冲上人行道。",
    "caller": {"name": "白紫府", "phone": "13891500022"},
}
LAID = "滨河路人行道松动的地砖已全部重铺找平。"
SET = "紫府路公交站旁缺口处的路沿石已补装。"


class Shown(NamedTuple):
    """A clock as it is explained: until when, late since when, and why."""

    due: str
    breached_at: str | None
    zh: str
    en: str


async def summer_hours(scene: Scene) -> Told:
    """周三发文、周四起改作息：已亮的红牌不动，还在走的时限顺延，说明前后都在。"""
    missed, first = await _given(scene, "2026-06-02T09:00", TILES)
    ahead, second = await _given(scene, "2026-06-08T09:00", KERB)
    await scene.at("2026-06-10T09:00")
    await scene.hears(UNIT, "deadline.breached", first, clock="handle")
    before = [await _shown(scene, missed, first), await _shown(scene, ahead, second)]
    scene.tell(f"改作息前，地砖一件：{before[0].zh}", f"Before, the tiles: {before[0].en}")
    scene.tell(f"改作息前，路沿石一件：{before[1].zh}", f"Before, the kerb: {before[1].en}")
    await _taken_up(scene)
    moved = await scene.hears(UNIT, "deadline.moved", second, clock="handle")
    after = [await _shown(scene, missed, first), await _shown(scene, ahead, second)]
    if after[0] != before[0]:
        raise BrokenPromise("what had fired changes with no calendar")
    scene.tell(
        f"地砖一件：{hour(before[0].due)} 的红牌不动，说明一字未改。",
        "The tiles: the red card stays, and so does every word of its explanation.",
    )
    scene.tell(
        f"路沿石一件：{moved['data']['reason'].partition(' ')[0]}。{after[1].zh}", after[1].en
    )
    await _done(scene, missed, first, LAID, "2026-06-10T16:00", "2026-06-11T09:00")
    await _done(scene, ahead, second, SET, "2026-06-15T18:20", "2026-06-16T09:00")
    kept = await _shown(scene, ahead, second)
    if kept.breached_at:
        raise BrokenPromise("what is done within the new hours is done in time")
    scene.tell(
        "路沿石周一 18:20 办结，按新作息未超时限；地砖逾期照记。两件回访均满意。",
        "The kerb was done on Monday at 18:20, in time by the new hours; the tiles stay late. Both agree.",
    )
    return Told(ahead, (second,))


async def _given(scene: Scene, moment: str, demand: Json) -> tuple[Receipt, Order]:
    await scene.at(moment)
    receipt = await scene.phone.register(demand, key=f"call-{moment}")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    order = await scene.unit(UNIT).order(receipt.number)
    await scene.unit(UNIT).sign(order, "市政股股长")
    await scene.unit(UNIT).contact(order)
    return receipt, order


async def _shown(scene: Scene, receipt: Receipt, order: Order) -> Shown:
    clock = clock_of(await scene.office.clocks(receipt.number), order, "handle")
    why = clock["explanation"]
    return Shown(clock["due"], clock["breached_at"], why["zh"], why["en"])


async def _taken_up(scene: Scene) -> None:
    """The folder is changed, checked, and taken up by all services while they run."""
    change = scene.county.access.change
    if change is None:
        raise BrokenPromise("this story is told where the county's folder can be changed")
    configuration = await asyncio.to_thread(change, "place.yaml", HOURS)
    while await scene.office.configurations() != {configuration}:
        await rest(0.1)
    scene.tell(
        f"{PAPER}：6月11日起实行夏令作息，上午八点至十二点，下午三点至六点半。改一个文件，不停机换用。",
        "From Thursday on summer hours: 8 to 12 and 15 to 18:30. One file changed, taken up without a stop.",
    )
    await scene.at("2026-06-10T09:30")


async def _done(
    scene: Scene, receipt: Receipt, order: Order, answer: str, moment: str, called: str
) -> None:
    await scene.at(moment)
    await scene.unit(UNIT).complete(order, **done(answer))
    await scene.at(called)
    await scene.ends(receipt.number, "satisfied")
