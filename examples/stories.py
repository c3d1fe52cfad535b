"""四个故事 Four stories, each told once: the demo prints them, the journey test checks them. Two more stand
in rings_first.py and pothole.py.

Times are Asia/Shanghai on the stepped clock; 2026-03-02 is a Monday.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from examples.connection import Json, Refused
from examples.department_system import Order
from examples.phone_system import Receipt
from examples.scene import CHINA, BrokenPromise, Scene

SATISFIED: Json = {
    "outcome": "answered", "contacted": "yes", "solved": "yes", "satisfied": "satisfied",
}  # fmt: skip
NOT_SATISFIED: Json = {
    "outcome": "answered", "contacted": "yes", "solved": "no", "satisfied": "unsatisfied",
    "comment": "只填了一铲土，一下雨又成坑",
}  # fmt: skip

REPORTER = {"name": "吴守信", "phone": "13891500001", "address": "红椿镇侯家坪村三组12号"}
ROAD_USER = {"name": "陈大路", "phone": "13891500004", "address": "城关镇紫府路8号2单元501室"}

BANQUET: Json = {
    "type": "report",
    "topic": "conduct.banquet",
    "title": "村民今日大办无事酒",
    "content": "我是吴守信，电话13891500001，住红椿镇侯家坪村三组12号。"
    "邻组今天中午违反村规民约操办“无事酒”，已摆二十桌，收礼登记簿就在门口。请不要透露我的姓名。",
    "area": "610924110",
    "channel": "phone",
    "reported": {"nobody": True},
    "caller": REPORTER,
}
TEA_COMPANY: Json = {
    "type": "help",
    "topic": "enterprise.opening",
    "title": "开办富硒茶企业，请一次告知并联办理",
    "content": "拟在蒿坪镇开办富硒茶加工企业，需办理登记、税务、社保和食品生产许可，盼早日开工赶上春茶。",
    "area": "610924101",
    "channel": "web",
    "flags": ["enterprise"],
    "caller": {"name": "周春芽", "phone": "13891500002"},
}
TOURIST: Json = {
    "type": "complaint",
    "topic": "price.overcharge",
    "title": "古镇餐馆结账比菜单贵一倍",
    "content": "在焕古古镇用餐，蒸盆子菜单标价128元，结账收256元，店家不肯退差价。我明天离开紫阳。",
    "area": "610924103",
    "channel": "wechat",
    "flags": ["tourism"],
    "caller": {"name": "李远游", "phone": "13891500003"},
}
ROAD: Json = {
    "type": "help",
    "topic": "road.damage",
    "title": "县城路面坑洞无人修补",
    "content": "河堤路口一处坑洞已有三周，夜里多人摔倒，陈大路多次反映无人修补，电话13891500004。",
    "area": "610924100",
    "address": "城关镇河堤路与紫府路交叉口",
    "channel": "phone",
    "caller": ROAD_USER,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a story left behind: its ticket, and the orders of its lead by round."""

    receipt: Receipt
    orders: tuple[Order, ...]


def done(answer: str, **more: object) -> Json:
    """A completion form for a matter that was solved."""
    form: Json = {
        "kind": "solved", "solved": True, "result": answer, "public_answer": answer,
        "signed_off_by": "单位主要负责人",
    }  # fmt: skip
    return form | more


def clock_of(clocks: Json, order: Order, kind: str) -> Json:
    """One clock of an order. Raises BrokenPromise."""
    for clock in clocks["clocks"]:
        if (clock["assignment"], clock["kind"]) == (order.id, kind):
            found: Json = clock
            return found
    raise BrokenPromise(f"no {kind} clock runs for {order.id}")


def hour(moment: str) -> str:
    """A moment as people write it."""
    return datetime.fromisoformat(moment).astimezone(CHINA).strftime("%m-%d %H:%M")


# --- 一 a banquet ------------------------------------------------------------------------------


async def banquet(scene: Scene) -> Told:
    """无事酒: a banquet held against the village rules, reported in confidence, stopped that day."""
    await scene.at("2026-03-02T08:32")
    receipt = await scene.phone.register(BANQUET, key="call-2026-03-02-0001")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    kept = await scene.office.ticket(receipt.number)
    scene.tell(
        f"受理 {receipt.number}：举报无事酒，默认保密。流转的只有工作文本：“{kept['content'][:38]}…”",
        "Registered: a report, confidential by default. Only the working copy travels, masked.",
    )
    order = await _appoint(scene, receipt)
    await _stop_the_banquet(scene, order)
    await _judged(scene, receipt, order)
    return Told(receipt, (order,))


async def _appoint(scene: Scene, receipt: Receipt) -> Order:
    """No rule covers such a report, on purpose: a person decides who goes there."""
    await scene.at("2026-03-02T08:36")
    waiting = {row["number"]: row for row in await scene.office.unassigned()}
    if receipt.number not in waiting:
        raise BrokenPromise("a report of a banquet waits for the desk")
    await scene.office.assign(
        receipt.number,
        "HC",
        "村规民约由镇党委政府组织落实，红椿镇主要领导包抓",
        approved="移风易俗专项整治，县政府同意由属地镇牵头",
    )
    scene.tell(
        "目录无对应规则，也不在镇职责清单内：经督办人员批准，派单员指定红椿镇主办，并抄送县政府办。",
        "No rule and no duty list of the towns covers it: with a supervisor's approval the desk appoints "
        "Hongchun town by hand, and the county government has a copy.",
    )
    await scene.settle()
    order = await scene.unit("HC").order(receipt.number)
    await scene.office.supervise(order.id, 3, "宴席正在进行，请主要负责人带队到场")
    await scene.settle()
    await scene.hears("HC", "supervision.raised", order, rung=3, by="hand")
    scene.tell(
        "督办员直接启动第三级：一把手督办。",
        "A supervisor raises rung 3 by hand: the head of the unit leads in person.",
    )
    return order


async def _stop_the_banquet(scene: Scene, order: Order) -> None:
    await scene.at("2026-03-02T08:45")
    await scene.unit("HC").sign(order, "红椿镇镇长（一把手）")
    scene.tell("红椿镇签收，镇长本人承办。", "Hongchun signs; its head handles it in person.")
    await scene.at("2026-03-02T08:55")
    await _let_in(scene, order)
    await scene.unit("HC").contact(order)
    try:
        await scene.unit("CG").read_contact(order.ticket, "想知道是谁举报 who reported it?")
    except Refused as refused:
        scene.tell(
            f"红椿镇凭事由读取联系方式并联系举报人（留痕）；城关镇也想读取：{refused.status}。",
            f"Hongchun reads the contact with a reason, on record; another town gets "
            f"{refused.status}.",
        )
    else:
        raise BrokenPromise("who has no open assignment may not read a contact")
    await scene.at("2026-03-02T11:40")
    await scene.unit("HC").complete(
        order, **done("经劝导，宴席未开席即取消，礼金当场退还，村规民约已再宣讲。")
    )
    await scene.settle()
    due = clock_of(await scene.office.clocks(order.ticket), order, "handle")["due"]
    scene.tell(
        f"当日办结（时限至 {hour(due)}）：宴席取消，礼金退还，督办解除。",
        f"Completed the same day (due {hour(due)}): no banquet, the gifts went back.",
    )


async def _let_in(scene: Scene, order: Order) -> None:
    """保密: the unit that handles a confidential matter asks, the custodian lets it read for a day."""
    try:
        await scene.unit("HC").read_contact(order.ticket, "先行联系举报人 first contact")
    except Refused as refused:
        if refused.slug != "custodian-needed":
            raise
    else:
        raise BrokenPromise("a confidential contact takes a custodian's leave")
    await scene.unit("HC").request_contact(order.ticket, "先行联系举报人 first contact")
    granted = await scene.office.let_units_read()
    if [one["number"] for one in granted] != [order.ticket]:
        raise BrokenPromise("the custodian finds what was asked in the list")
    scene.tell(
        "保密工单：红椿镇申请查阅举报人联系方式，身份保管员准予一日。",
        "Confidential: Hongchun asks who reported it, the custodian lets it read for a day.",
    )


async def _judged(scene: Scene, receipt: Receipt, order: Order) -> None:
    """The first window of the next working day: the citizen is called and agrees."""
    await scene.at("2026-03-03T09:00")
    await scene.ends(receipt.number, "satisfied")
    await scene.hears("HC", "assignment.closed", order, kind="satisfied")
    scene.tell(
        "次日人工回访举报人：满意，结案。",
        "Next day a person calls the reporter back: satisfied, closed.",
    )


# --- 二 a tea company --------------------------------------------------------------------------


async def tea_company(scene: Scene) -> Told:
    """企业开办一件事: one lead, three co-handlers, done well before the limit."""
    await scene.at("2026-03-03T10:00")
    receipt = await scene.phone.register(TEA_COMPANY, key="web-2026-03-03-0007")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    lead = await scene.unit("SCJG").order(receipt.number)
    limit = lead.data["limits"]["handle"]
    scene.tell(
        f"受理 {receipt.number}：开办富硒茶企业。即时派单：市场监管局主办（{limit}），人社、税务、审批协办。",
        f"Registered and dispatched at once: one lead ({limit}), three co-handlers.",
    )
    await scene.at("2026-03-03T10:30")
    for code in ("SCJG", "RSJ", "SWJ", "SPJ"):
        await scene.unit(code).sign(await scene.unit(code).order(receipt.number), f"{code} 专班")
    await scene.unit("SCJG").contact(lead)
    scene.tell("四个单位签收，主办单位联系企业。", "All four sign; the lead calls the company.")
    for moment, code, answer in (
        ("2026-03-03T16:00", "RSJ", "社保单位户已开立"),
        ("2026-03-04T10:00", "SWJ", "税务登记、发票核定已完成"),
        ("2026-03-04T11:30", "SPJ", "食品生产许可已一次告知并受理"),
    ):
        await scene.at(moment)
        own = await scene.unit(code).order(receipt.number)
        await scene.unit(code).complete(own, **done(answer))
        scene.tell(f"协办 {code} 答复主办：{answer}。", f"Co-handler {code} answers to the lead.")
    await scene.at("2026-03-04T15:30")
    await scene.unit("SCJG").complete(lead, **done("营业执照已发，税务社保同步办好，可以开工。"))
    await scene.settle()
    _days_saved(scene, clock_of(await scene.office.clocks(receipt.number), lead, "handle"))
    await scene.at("2026-03-05T09:00")
    await scene.ends(receipt.number, "satisfied")
    scene.tell("次日回访：满意，结案。", "Called back next day: satisfied, closed.")
    return Told(receipt, (lead,))


def _days_saved(scene: Scene, handle: Json) -> None:
    today = scene.now.date().isoformat()
    saved = sum(day["counted"] and day["day"] > today for day in handle["days"])
    scene.tell(
        f"主办单位办结：时限 {handle['limit']}，至 {hour(handle['due'])}，提前 {saved} 个工作日。",
        f"The lead completes: limit {handle['limit']}, due {hour(handle['due'])}, "
        f"{saved} working days saved.",
    )


# --- 三 a tourist ------------------------------------------------------------------------------


async def tourist(scene: Scene) -> Told:
    """涉旅投诉“三快三到位”: twenty-four hours, also over a weekend."""
    await scene.at("2026-03-06T15:10")
    receipt = await scene.phone.register(TOURIST, key="wechat-2026-03-06-0003")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [SATISFIED]
    lead = await scene.unit("WLJ").order(receipt.number)
    due = clock_of(await scene.office.clocks(receipt.number), lead, "handle")["due"]
    scene.tell(
        f"受理 {receipt.number}：涉旅投诉，文旅局主办、市场监管局协办，"
        f"限 {lead.data['limits']['handle']}，周末照算，至 {hour(due)}。",
        f"A tourist's complaint: natural time, weekend or not, due {hour(due)}.",
    )
    await scene.at("2026-03-06T15:25")
    helper = await scene.unit("SCJG").order(receipt.number)
    await scene.unit("WLJ").sign(lead, "旅游质监所所长")
    await scene.unit("SCJG").sign(helper, "焕古市场监管所所长")
    await scene.unit("WLJ").contact(lead)
    scene.tell("签收并联系游客。", "Signed; the tourist is called.")
    await scene.at("2026-03-06T17:20")
    await scene.unit("SCJG").complete(helper, **done("店家未按标价结算，责令退差价并立案。"))
    await scene.at("2026-03-06T17:50")
    await scene.unit("WLJ").complete(lead, **done("差价128元已退还游客，店家当面致歉。"))
    await scene.settle()
    scene.tell("两小时四十分办结，差价当场退还。", "Done in 2 h 40 min: the money is back.")
    await scene.at("2026-03-09T09:00")
    await scene.ends(receipt.number, "satisfied")
    scene.tell("周一回访：满意，结案。", "Called back on Monday: satisfied, closed.")
    return Told(receipt, (lead,))


# --- 四 one that goes wrong --------------------------------------------------------------------


async def gone_wrong(scene: Scene) -> Told:
    """签收迟、黄牌、红牌、逐级督办、不满意、重办、满意: the loop closes only on the citizen's word."""
    await scene.at("2026-03-09T10:00")
    receipt = await scene.phone.register(ROAD, key="call-2026-03-09-0002")
    await scene.settle()
    scene.citizens.answers[receipt.number] = [NOT_SATISFIED, SATISFIED]
    first = await scene.unit("ZJJ").order(receipt.number)
    scene.tell(
        f"受理 {receipt.number}：县城路面坑洞，派住建局，限 {first.data['limits']['sign']} 签收、"
        f"{first.data['limits']['handle']} 办结。",
        "Registered and dispatched: a hole in the road.",
    )
    await _signed_late(scene, first)
    await _overdue(scene, receipt, first)
    await _completed_badly(scene, first)
    second = await _redone(scene, receipt)
    return Told(receipt, (first, second))


async def _signed_late(scene: Scene, order: Order) -> None:
    await scene.at("2026-03-10T09:10")
    breach = await scene.hears("ZJJ", "deadline.breached", order, clock="sign")
    scene.tell("逾期未签收：红牌。", "Not signed in time: a red card.", breach["time"])
    await scene.unit("ZJJ").sign(order, "市政股股长")
    await scene.unit("ZJJ").contact(order)
    scene.tell("次日才签收、联系。", "Signed the day after, and the citizen is called.")


async def _overdue(scene: Scene, receipt: Receipt, order: Order) -> None:
    await scene.at("2026-03-16T09:00")
    warning = await scene.hears("ZJJ", "deadline.warned", order, clock="handle")
    scene.tell("到期前一个工作日：黄牌。", "One working day left: a yellow card.", warning["time"])
    await scene.phone.urge(receipt.number, "又有人摔倒，请尽快修补", key="call-2026-03-16-0001")
    await scene.settle()
    await scene.hears("ZJJ", "assignment.updated", order, kind="urged")
    scene.tell("诉求人来电催单，住建局随即收到。", "The citizen urges; the unit hears it at once.")
    await scene.at("2026-03-20T11:00")
    breach = await scene.hears("ZJJ", "deadline.breached", order, clock="handle")
    scene.tell("到期未办结：红牌。", "Due and not done: a red card.", breach["time"])
    for rung in (1, 2, 3):
        raised = await scene.hears("ZJJ", "supervision.raised", order, rung=rung, by="ladder")
        zh, _, en = raised["data"]["title"].partition(" ")
        scene.tell(
            f"自动升级第{rung}级：{zh}。", f"Up the ladder, rung {rung}: {en}.", raised["time"]
        )


async def _completed_badly(scene: Scene, order: Order) -> None:
    await scene.unit("ZJJ").complete(order, **done("坑洞已填平。"))
    await scene.settle()
    scene.tell("住建局逾期办结。", "The unit completes, late.")
    await scene.at("2026-03-23T09:00")
    scene.tell("回访：不满意，未真正解决。", "Called back: not solved, not satisfied.")


async def _redone(scene: Scene, receipt: Receipt) -> Order:
    order = await scene.unit("ZJJ").order(receipt.number, round=2)
    if not order.data["redo"]:
        raise BrokenPromise("the second round is a redo")
    scene.tell(
        f"退回重办，仍由住建局主办，限 {order.data['limits']['handle']}。",
        f"Reopened: back to the same lead, to be redone within {order.data['limits']['handle']}.",
    )
    await scene.at("2026-03-23T10:00")
    await scene.unit("ZJJ").sign(order, "住建局局长")
    await scene.unit("ZJJ").contact(order)
    await scene.at("2026-03-24T17:00")
    await scene.unit("ZJJ").complete(order, **done("坑洞处路基重做，路面铺沥青，夜间加设警示灯。"))
    scene.tell("重做路基、铺沥青，按期办结。", "Rebuilt properly and in time.")
    await scene.at("2026-03-25T09:00")
    await scene.ends(receipt.number, "satisfied")
    await scene.hears("ZJJ", "assignment.closed", order, kind="satisfied")
    progress = await scene.phone.progress(receipt)
    scene.tell(
        f"再次回访：满意，结案（第{progress['round']}轮）。诉求人凭码可查。",
        "Called back again: satisfied, closed; the citizen can see it with number and code.",
    )
    return order
