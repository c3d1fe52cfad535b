"""等开春的路 A road that must wait for spring, and comes back on its day (R-19, gain 7).

2026-11-16 is a Monday; the holidays of 2027 are not announced yet, and a promised day needs none of them.
"""

from __future__ import annotations

from examples.connection import Json
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import SATISFIED, Told, clock_of

ROAD: Json = {
    "type": "complaint",
    "topic": "road.damage",
    "title": "汽车站后街路面冻裂",
    "content": "汽车站后街路面冻裂起皮，骑车颠得厉害，请重铺路面。",
    "area": "610924100",
    "channel": "phone",
    "caller": {"name": "冯后街", "phone": "13891500015"},
}
LATER: Json = {
    "kind": "no_condition_yet_with_date",
    "solved": False,
    "unsolved_reason": "气温低于零度，沥青路面不能施工",
    "result": "路面冻裂处已用砂石填平，设警示牌；开春重铺。",
    "public_answer": "气温过低，沥青路面现在不能施工，冻裂处已先用砂石填平，开春后重铺路面。",
    "promised_date": "2027-03-31",
    "signed_off_by": "住建局局长",
}
KEPT: Json = {"outcome": "answered", "solved": "yes", "satisfied": "satisfied"}
UNIT = "ZJJ"


async def spring_road(scene: Scene) -> Told:
    """挂账：结案不等于了结，到日子自己回来，兑现没有由诉求人说。"""
    await scene.at("2026-11-16T09:00")
    receipt = await scene.phone.register(ROAD, key="call-2026-11-16-0001")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    scene.citizens.of_promises[receipt.number] = KEPT
    order = await scene.unit(UNIT).order(receipt.number)
    await scene.unit(UNIT).sign(order, "市政股股长")
    await scene.unit(UNIT).contact(order)
    await scene.at("2026-11-18T10:00")
    await scene.unit(UNIT).complete(order, **LATER)
    scene.tell(
        f"受理 {receipt.number}：路面冻裂。住建局答复：天冷不能铺沥青，承诺 2027 年 3 月 31 日前重铺。",
        "A road cracked by frost: too cold for asphalt; the unit promises the end of March.",
    )
    await scene.at("2026-11-19T09:00")
    await scene.ends(receipt.number, "satisfied")
    scene.tell(
        "回访问的是能不能等到那天：同意，结案；承诺继续计时。",
        "Asked whether that day will do: it will. Closed, and the promise runs on.",
    )
    await _comes_back(scene, receipt, order)
    return Told(receipt, (order,))


async def _comes_back(scene: Scene, receipt: Receipt, order: Order) -> None:
    await scene.at("2027-03-18T09:00")
    await scene.hears(UNIT, "deadline.warned", order, clock="promise")
    scene.tell(
        "开春，离承诺日期还有十个工作日：住建局和热线都被提醒。",
        "Spring: ten working days before, the unit and the hotline hear of it again.",
    )
    await scene.at("2027-03-25T17:00")
    await scene.unit(UNIT).keep_promise(order, "汽车站后街路面已重铺沥青。")
    kept = clock_of(await scene.office.clocks(receipt.number), order, "promise")
    if kept["status"] != "met" or kept["breached_at"]:
        raise BrokenPromise("a promise kept before its day is kept")
    await scene.at("2027-03-26T09:00")
    await scene.hears(UNIT, "promise.confirmed", order)
    await scene.ends(receipt.number, "satisfied")
    scene.tell(
        "路面铺好，再问诉求人：属实。承诺兑现，工单一直是结案。",
        "Paved; the citizen is asked again and agrees. Kept, and the ticket stayed closed.",
    )
