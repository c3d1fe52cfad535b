"""三个市民一个坑 Three citizens and one pothole: one order, three callbacks, and who is not content is
worked for again while the others stay closed (GB66-5).
"""

from __future__ import annotations

from examples.connection import Json
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import NOT_SATISFIED, SATISFIED, Told, done

HOLE: Json = {
    "type": "help",
    "topic": "road.damage",
    "title": "汽车站门口路面塌了个坑",
    "content": "汽车站出站口路面塌了一个坑，一米多宽，骑车的人绕不开。",
    "area": "610924100",
    "address": "城关镇汽车站出站口",
    "location": {"longitude": 108.5371, "latitude": 32.5224},
    "channel": "phone",
    "caller": {"name": "赵出站", "phone": "13891500011"},
}
SECOND: Json = {
    "title": "车站出站口有大坑",
    "content": "出站口塌了个坑，拖箱子的人都绕不开，昨天有人崴了脚。",
    "location": {"longitude": 108.5374, "latitude": 32.5226},
    "caller": {"name": "钱拖箱", "phone": "13891500012"},
}
THIRD: Json = {
    "title": "汽车站出站口路面塌陷",
    "content": "我开三轮在汽车站出站口拉货，路面塌陷一米多宽，轮子陷进去两回。",
    "location": {"longitude": 108.5369, "latitude": 32.5225},
    "caller": {"name": "孙三轮", "phone": "13891500013"},
}


async def pothole(scene: Scene) -> Told:
    """并单: three tickets, one piece of work; two are satisfied, one is not, and his is done again."""
    await scene.at("2026-04-01T09:00")
    first = await scene.phone.register(HOLE, key="call-2026-04-01-0001")
    await scene.settle()
    order = await scene.unit("ZJJ").order(first.number)
    scene.tell(f"受理 {first.number}：车站口路面塌坑，派住建局。", "Registered and dispatched.")
    second = await _also(scene, first, SECOND, "2026-04-01T09:40")
    third = await _also(scene, first, THIRD, "2026-04-01T10:15")
    for number in (second.number, third.number):
        await scene.hears("ZJJ", "assignment.updated", order, kind="merged", number=number)
    answers = {first: [SATISFIED], second: [SATISFIED], third: [NOT_SATISFIED, SATISFIED]}
    scene.citizens.answers |= {receipt.number: said for receipt, said in answers.items()}
    await scene.unit("ZJJ").sign(order, "市政股股长")
    await scene.unit("ZJJ").contact(order)
    for receipt in (second, third):
        await scene.unit("ZJJ").read_contact(receipt.number, "先行联系 first contact")
    scene.tell(
        "住建局只有一件任务，可逐一联系三位诉求人。", "One order; each of the three is called."
    )
    await scene.at("2026-04-02T17:00")
    await scene.unit("ZJJ").complete(order, **done("汽车站出站口路面的塌坑已回填压实。"))
    await scene.at("2026-04-03T09:00")
    await _closed(scene, first, second)
    scene.tell(
        "三人各自回访：两人满意，各自结案。", "Three callbacks: two are satisfied and closed."
    )
    again = await _again(scene, third, (first, second))
    return Told(third, (order, again))


async def _also(scene: Scene, first: Receipt, said: Json, when: str) -> Receipt:
    """Another citizen rings: the agent is shown the first ticket, registers and merges."""
    await scene.at(when)
    demand = HOLE | said
    found = await scene.office.duplicates(demand)
    alike = next((one for one in found["items"] if one["number"] == first.number), None)
    if alike is None or found["same_person"]:
        raise BrokenPromise(f"{first.number} is no candidate for what is the same matter")
    receipt = await scene.phone.register(demand, key=f"call-{when[:10]}-{when[11:13]}{when[14:]}")
    await scene.office.merge(receipt.number, first.number, "同一处塌坑")
    await scene.settle()
    scene.tell(
        f"又一人反映：疑似重复（相距{alike['distance_m']}米），登记 {receipt.number} 并入 {first.number}。",
        f"Another caller: shown as {alike['distance_m']} m away, registered and merged.",
    )
    return receipt


async def _closed(scene: Scene, *receipts: Receipt) -> None:
    await scene.settle()
    for receipt in receipts:
        if (await scene.phone.progress(receipt))["status"] != "closed":
            raise BrokenPromise(f"{receipt.number} is not closed")


async def _again(scene: Scene, third: Receipt, others: tuple[Receipt, ...]) -> Order:
    order = await scene.unit("ZJJ").order(third.number, round=2)
    if not order.data["redo"]:
        raise BrokenPromise("the second round is a redo")
    scene.tell(
        f"一人不满意：{third.number} 退回重办，仍由住建局主办；另两件保持结案。",
        "One is not: his goes back to the same lead; the other two stay closed.",
    )
    await scene.unit("ZJJ").sign(order, "住建局局长")
    await scene.unit("ZJJ").contact(order)
    await scene.at("2026-04-07T17:00")
    await scene.unit("ZJJ").complete(order, **done("汽车站出站口路面塌坑处路基重做，铺沥青。"))
    await scene.at("2026-04-08T09:00")
    await _closed(scene, third, *others)
    scene.tell("再次回访：满意，结案。", "Called back again: satisfied, closed.")
    return order
