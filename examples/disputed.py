"""推诿的下水沟 A drain two units push to one another: a story beside those in stories.py.

2026-04-09 is a Thursday. The first return is the desk's to rule on; the second goes up the ladder (R-17).
"""

from __future__ import annotations

from examples.connection import Json, Refused
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import SATISFIED, Told, clock_of, done, hour

DRAIN: Json = {
    "type": "complaint",
    "topic": "road.highway",
    "title": "国道边沟堵塞，雨水倒灌进院",
    "content": "国道与村道路口的边沟堵了半年，一下雨水就灌进院子，公路段说归交通局，交通局说归公路段。",
    "area": "610924101",
    "channel": "phone",
    "caller": {"name": "何沟畔", "phone": "13891500009"},
}
LIKE: Json = DRAIN | {
    "title": "国道涵洞口淤堵",
    "content": "国道与村道路口的涵洞被泥沙堵住，雨水漫上路面，请派人清理。",
    "caller": {"name": "方涵口", "phone": "13891500010"},
}
FIRST, SECOND = "GLD", "JTYS"
NOT_OURS: Json = {
    "reason_code": "not_our_duty",
    "legal_basis": "《公路法》第八条",
    "suggested_unit": SECOND,
    "approver": "公路管理段段长",
}
NOR_OURS = NOT_OURS | {"suggested_unit": FIRST, "approver": "交通运输局局长"}
RULING = "边沟在国道公路用地范围内，由公路管理段主办；村道一侧由交通运输局协办清淤。"


async def disputed(scene: Scene) -> Told:
    """退单、再退单、逐级裁决、办结: units argue on paper, in time, and the citizen waits for none of it."""
    await scene.at("2026-04-09T09:00")
    receipt = await scene.phone.register(DRAIN, key="call-2026-04-09-0001")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    first = await _returned(scene, receipt)
    second, arbitration = await _pushed_back(scene, receipt)
    await _ruled(scene, arbitration)
    lead = await scene.unit(FIRST).order(receipt.number, but=first)
    helper = await scene.unit(SECOND).order(receipt.number, but=second)
    await _not_again(scene, lead)
    await _put_right(scene, receipt, lead, helper)
    await _found_again(scene)
    return Told(receipt, (lead,))


async def _returned(scene: Scene, receipt: Receipt) -> Order:
    order = await scene.unit(FIRST).order(receipt.number)
    await scene.at("2026-04-09T10:00")
    await scene.unit(FIRST).ask_return(order, **NOT_OURS)
    due = (await scene.office.returns())[0]["due"]
    scene.tell(
        f"受理 {receipt.number}：国道边沟堵塞，派公路管理段；该段申请退单，附依据与建议单位。"
        f"派单员须在 {hour(due)} 前裁定。",
        f"A blocked drain: the highway section asks to return it. The desk has until {hour(due)}.",
    )
    await scene.at("2026-04-09T10:30")
    await scene.office.rule_on_return(order.id, granted=True, ruling="所附依据属实，改派交通运输局")
    await scene.settle()
    await scene.office.assign(receipt.number, SECOND, "公路管理段建议，村道养护由其负责")
    await scene.settle()
    scene.tell("同意退单，改派交通运输局。", "Granted, and given to the transport bureau.")
    return order


async def _pushed_back(scene: Scene, receipt: Receipt) -> tuple[Order, str]:
    """The second dispute of a ticket is no longer the desk's word against a unit's."""
    order = await scene.unit(SECOND).order(receipt.number)
    await scene.at("2026-04-09T11:00")
    await scene.unit(SECOND).ask_return(order, **NOR_OURS)
    await scene.settle()
    found = [one for one in await scene.office.arbitrations() if one["number"] == receipt.number]
    if len(found) != 1:
        raise BrokenPromise("the second dispute of a ticket opens an arbitration")
    scene.tell(
        "交通运输局也申请退单：第二次争议，自动转入争议裁决，双方陈述。",
        "The bureau returns it too: a second dispute goes before the ladder, and both are heard.",
    )
    for unit, words in ((FIRST, "边沟由村道开口造成"), (SECOND, "边沟属于国道附属设施")):
        await scene.unit(unit).state(found[0]["id"], words)
    return order, found[0]["id"]


async def _ruled(scene: Scene, arbitration: str) -> None:
    await scene.at("2026-04-09T15:00")
    await scene.office.raise_arbitration(arbitration, "养护分界不清，请机构编制部门界定")
    scene.tell(
        "派单员提交职责界定联席会议：编办、司法局参加。",
        "The desk hands it to the joint meeting on duties.",
    )
    await scene.at("2026-04-10T11:00")
    await scene.office.rule_on_arbitration(
        arbitration,
        lead=FIRST,
        co_handlers=[SECOND],
        ruling=RULING,
        body="职责界定联席会议",
        paper="紫编办纪〔2026〕4号",
    )
    await scene.settle()
    scene.tell(f"联席会议裁定：{RULING}", "The meeting rules: the highway section leads.")


async def _not_again(scene: Scene, lead: Order) -> None:
    """Who was named by a ruling may not return it (R-16)."""
    try:
        await scene.unit(FIRST).ask_return(lead, **NOT_OURS)
    except Refused as refused:
        scene.tell(
            f"公路管理段再次申请退单：{refused.status}，裁定后不得退单。",
            f"It asks to return it once more: {refused.status}, not after a ruling.",
        )
    else:
        raise BrokenPromise("after a ruling there is no return")


async def _put_right(scene: Scene, receipt: Receipt, lead: Order, helper: Order) -> None:
    await scene.at("2026-04-10T14:30")
    await scene.unit(FIRST).sign(lead, "养护股股长")
    await scene.unit(SECOND).sign(helper, "农村公路站站长")
    await scene.unit(FIRST).contact(lead)
    await scene.at("2026-04-13T11:00")
    await scene.unit(SECOND).complete(helper, **done("村道一侧清淤二十米。"))
    await scene.at("2026-04-13T17:00")
    await scene.unit(FIRST).complete(lead, **done("边沟已疏通，路口加设盖板，雨水不再倒灌。"))
    await scene.settle()
    due = clock_of(await scene.office.clocks(receipt.number), lead, "handle")["due"]
    scene.tell(
        f"两家各清一段，周一办结（时限至 {hour(due)}）。",
        f"Both clear their side; done on Monday (due {hour(due)}).",
    )
    await scene.at("2026-04-14T09:00")
    await scene.ends(receipt.number, "satisfied")
    scene.tell("次日回访：满意，结案。", "Called back next day: satisfied, closed.")


async def _found_again(scene: Scene) -> None:
    """先例: what was ruled once is found when the like comes in."""
    await scene.at("2026-04-15T09:00")
    receipt = await scene.phone.register(LIKE, key="call-2026-04-15-0001")
    await scene.settle()
    precedents = await scene.office.precedents(receipt.number)
    if not precedents or precedents[0]["unit"] != FIRST:
        raise BrokenPromise("a ruling is found again when the like comes in")
    scene.tell(
        "又一件国道涵洞淤堵：系统列出先例，不再争。",
        "The like comes in again: the ruling is shown beside it, and nobody argues.",
    )
    scene.citizens.answers[receipt.number] = [SATISFIED]
    order = await scene.unit(FIRST).order(receipt.number)
    await scene.unit(FIRST).sign(order, "养护股股长")
    await scene.unit(FIRST).contact(order)
    await scene.at("2026-04-15T16:00")
    await scene.unit(FIRST).complete(order, **done("涵洞已清淤，路面排水正常。"))
    await scene.at("2026-04-16T09:00")
    await scene.ends(receipt.number, "satisfied")
