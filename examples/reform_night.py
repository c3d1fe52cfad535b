"""机构改革之夜 A reform at night: a unit becomes part of another, and no order of it is lost (R-14).

2026-04-30 is the last working day before the holiday; the reform takes effect at midnight.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from examples.connection import Json
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import BrokenPromise, Scene
from examples.stories import SATISFIED, Told, clock_of, done, hour

OLD, NEW, TOWN = "CYJ", "NYJ", "HG"  # who helps in its town
PAPER = "紫编发〔2026〕3号"
SEEDLINGS: Json = {
    "type": "complaint",
    "topic": "farming.tea",
    "title": "茶苗补贴迟迟未发",
    "content": "去年秋天按通知改种了十亩茶苗，补贴说好春节前发，到现在还没有到账。",
    "area": "610924103",
    "channel": "phone",
    "caller": {"name": "汤茶苗", "phone": "13891500011"},
}
MARKET: Json = SEEDLINGS | {
    "title": "茶叶交易市场停电无人管",
    "content": "茶叶交易市场的照明坏了半个月，晚上没法过秤，找管理处说没有经费。",
    "caller": {"name": "秦早市", "phone": "13891500012"},
}


def prepared(config: Path, into: Path) -> Path:
    """A copy of a county's folder in which the unit has its successor, as a reform needs it."""
    folder = shutil.copytree(config, into)
    units = folder / "units.yaml"
    said = units.read_text(encoding="utf-8").replace(
        f"code: {OLD}, ", f"code: {OLD}, successors: [{NEW}], ", 1
    )
    units.write_text(said, encoding="utf-8")
    return folder


async def reform_night(scene: Scene) -> Told:
    """撤并：两人决定、零点生效，在办件连同经办人、联系记录和时限一并移交。"""
    signed, waiting = await _in_hand(scene)
    order = await scene.unit(OLD).order(signed.number)
    before = clock_of(await scene.office.clocks(signed.number), order, "handle")["due"]
    await _decided(scene)
    await scene.at("2026-05-01T08:00")
    orders = [await scene.unit(NEW).order(receipt.number) for receipt in (signed, waiting)]
    await scene.hears(NEW, "assignment.transferred", orders[0], predecessor=OLD)
    after = clock_of(await scene.office.clocks(signed.number), orders[0], "handle")["due"]
    if (orders[0].id, after) != (order.id, before):
        raise BrokenPromise("a reform moves no clock")
    scene.tell(
        f"零点生效：两件在办件都到了农业农村局名下，经办人、联系记录照旧，办结时限仍为 {hour(before)}。",
        f"At midnight both orders are the bureau's, with handler and contacts; still due {hour(before)}.",
    )
    await _done(scene, signed, waiting, *orders)
    return Told(signed, tuple(orders))


async def _in_hand(scene: Scene) -> tuple[Receipt, Receipt]:
    await scene.at("2026-04-29T09:00")
    signed = await scene.phone.register(SEEDLINGS, key="call-2026-04-29-0001")
    waiting = await scene.phone.register(MARKET, key="call-2026-04-29-0002")
    await scene.settle()
    for receipt in (signed, waiting):
        scene.citizens.answers[receipt.number] = [SATISFIED]
    order = await scene.unit(OLD).order(signed.number)
    await scene.at("2026-04-29T10:00")
    await scene.unit(OLD).sign(order, "茶产业股股长")
    await scene.unit(OLD).contact(order)
    scene.tell(
        "两件茶业诉求派茶业发展中心：一件已签收、已联系，一件尚未签收。",
        "Two matters of tea: one is signed for and its citizen called, one is not signed yet.",
    )
    return signed, waiting


async def _decided(scene: Scene) -> None:
    """Two persons decide it: who proposed it may not approve it."""
    await scene.at("2026-04-30T10:00")
    plan: Json = {"kind": "merge", "into": NEW, "effective": "2026-05-01", "reason": PAPER}
    reform = await scene.office.propose_reform(OLD, plan)
    approved = await scene.office.approve_reform(reform["id"])
    moved = sum(each["orders"] for each in approved["left"])
    scene.tell(
        f"依据{PAPER}，茶业发展中心并入农业农村局，五月一日零点生效：督办员拟定、派单员核准，"
        f"涉及在办件 {moved} 件。",
        f"The tea office becomes part of the agriculture bureau on May 1: one person proposes it, another "
        f"approves it, {moved} open orders go along.",
    )


async def _done(
    scene: Scene, signed: Receipt, waiting: Receipt, first: Order, second: Order
) -> None:
    await scene.at("2026-05-06T09:00")
    for receipt in (signed, waiting):
        helping = await scene.unit(TOWN).order(receipt.number)
        await scene.unit(TOWN).sign(helping, "农业综合服务站站长")
        await scene.unit(TOWN).complete(helping, **done("已核实茶农、市场情况，报主办单位。"))
    await scene.unit(NEW).complete(first, **done("茶苗补贴已核实，款项今日拨付到账。"))
    await scene.unit(NEW).sign(second, "产业发展股股长")
    await scene.unit(NEW).contact(second)
    await scene.at("2026-05-06T16:00")
    await scene.unit(NEW).complete(second, **done("茶叶交易市场照明已换新，晚上可以过秤。"))
    await scene.at("2026-05-07T09:00")
    for receipt in (signed, waiting):
        await scene.ends(receipt.number, "satisfied")
    named = (await scene.phone.progress(waiting))["unit_names"]
    scene.tell(
        f"节后办结，回访均满意。诉求人查到的承办单位：{'、'.join(named)}。",
        "Done after the holiday, and both citizens agree; they read the new unit's name.",
    )
