"""来电人先打来 The caller who rings before we do: a story beside those in stories.py.

2026-03-27 is a Friday; the first callback would be on Monday the 30th.
"""

from __future__ import annotations

from examples.connection import Json
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import SATISFIED, Told, done

STREET_LIGHT: Json = {
    "type": "complaint",
    "topic": "lighting.street",
    "title": "巷口路灯又灭了",
    "content": "河堤路巷口的路灯灭了五天，老人夜里出门摔过一跤，电话13891500005。",
    "area": "610924100",
    "channel": "phone",
    "caller": {"name": "郑晚归", "phone": "13891500005"},
}
NOT_REPAIRED: Json = {"solved": "no", "comment": "灯只亮了一会儿，天一黑又灭了"}
UNIT = "CGZF"


async def rings_first(scene: Scene) -> Told:
    """周五答复、当晚来电“没修好”: the citizen's word is heard when it is said, not on Monday (R-27)."""
    await scene.at("2026-03-27T09:00")
    receipt = await scene.phone.register(STREET_LIGHT, key="call-2026-03-27-0001")
    await scene.settle()
    first = await scene.unit(UNIT).order(receipt.number)
    await _handled(scene, first, "2026-03-27T09:20", "2026-03-27T10:00", "巷口路灯已更换灯泡。")
    scene.tell(
        f"受理 {receipt.number}：路灯不亮；周五上午答复“已更换灯泡”，首次回访排在下周一。",
        "A street light; answered on Friday morning, the first callback planned for Monday.",
    )
    second = await _reopened(scene, receipt)
    scene.citizens.answers[receipt.number] = [NOT_REPAIRED, SATISFIED]
    await _handled(
        scene, second, "2026-03-27T19:10", "2026-03-28T11:00", "巷口路灯的老化线路与灯具已更换。"
    )
    scene.tell("连夜查线，周六修好。", "The wiring is found that night and renewed on Saturday.")
    await scene.at("2026-03-30T09:00")
    await scene.ends(receipt.number, "satisfied")
    scene.tell("周一回访：满意，结案。", "Called back on Monday: satisfied, closed.")
    return Told(receipt, (first, second))


async def _handled(scene: Scene, order: Order, signed: str, completed: str, answer: str) -> None:
    await scene.at(signed)
    await scene.unit(UNIT).sign(order, "路灯班班长")
    await scene.unit(UNIT).contact(order)
    await scene.at(completed)
    await scene.unit(UNIT).complete(order, **done(answer))
    await scene.settle()


async def _reopened(scene: Scene, receipt: Receipt) -> Order:
    await scene.at("2026-03-27T18:30")
    heard = await scene.phone.judge(receipt.number, NOT_REPAIRED, key="call-2026-03-27-0099")
    if (heard["ending"], heard["current_round"]) != ("reopened", 2):
        raise BrokenPromise("who rings before the callback is heard at once")
    await scene.settle()
    order = await scene.unit(UNIT).order(receipt.number, round=2)
    scene.tell(
        "当晚诉求人先打来：“没修好”。不等回访，即时退回重办。",
        "That evening the citizen rings first: not repaired. Reopened at once, no waiting for Monday.",
    )
    return order
