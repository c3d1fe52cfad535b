"""Idempotency-Key: whatever route documents it obeys it, and no other does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from operations import contracts
from operations.runtime.registry import NAMES
from tests.fixtures.postgres import Postgres
from tests.fixtures.repeated_drafts import catalogue, policy
from tests.fixtures.repeated_waits import waited
from tests.fixtures.repeats import KEY, Json, Repeats, Route
from tests.fixtures.scenes.dispatcher import DONE, RETURN
from tests.fixtures.scenes.honesty import looked_into
from tests.fixtures.scenes.intake import complaint
from tests.fixtures.scenes.reform import followed
from tests.fixtures.scenes.revisions import revised
from tests.fixtures.scenes.second_person import approved, lawful, referred, reformed, unshielded
from tests.fixtures.scenes.street import EXTENSION, HOLDER, Matter, Street, street


def posts(documenting: bool) -> set[Route]:
    """The POSTs that document the key, or those that do not."""
    return {
        (service, path)
        for service in NAMES
        for path, methods in contracts.openapi(service)["paths"].items()
        for method, operation in methods.items()
        if method == "post" and documenting == (KEY in names_of(operation))
    }


def names_of(operation: Json) -> set[str]:
    """The parameters an operation documents."""
    return {parameter["name"] for parameter in operation.get("parameters", ())}


def test_only_posts_document_a_key() -> None:
    others = [
        f"{service} {method} {path}"
        for service in NAMES
        for path, methods in contracts.openapi(service)["paths"].items()
        for method, operation in methods.items()
        if method != "post" and KEY in names_of(operation)
    ]
    assert others == []


@pytest.fixture(scope="module")
async def whole(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Street]:
    """A running system."""
    var = tmp_path_factory.mktemp("var")
    async with street(postgres, var, config_dir=followed(var, CL=["MZJ"])) as one:
        yield one


async def test_what_documents_the_key_obeys_it_and_nothing_else_does(whole: Street) -> None:
    repeats = Repeats(whole)
    ordinary, resolved = whole.matters["ordinary"], whole.matters["resolved"]
    await _front(repeats, ordinary)
    await _written_down(repeats, ordinary)
    await _ended_here(whole, repeats)
    await _merged(whole, repeats)
    await _split(whole, repeats)
    await _missed(repeats)
    await _custody(repeats, whole.matters["confidential"])
    await _fresh_order(whole, repeats)
    await _holder(repeats, ordinary)
    await looked_into(whole, repeats)
    await catalogue(whole, repeats)
    await policy(whole, repeats)
    await referred(whole, repeats, ordinary.assignment)
    await _endangered(whole, repeats)
    await reformed(whole, repeats)
    await unshielded(whole, repeats)
    answered = {"attempt": 1, "outcome": "no_answer"}
    path = "/v1/callbacks/{callback}/outcome"
    other = {"outcome": "number_off"}
    await repeats.ask("feedback", path, answered, other, "phone_system", callback=resolved.callback)
    await _citizen_rings(repeats, resolved)
    await revised(whole, repeats)
    now = (await whole.ask("intake", "GET", "/clock", "ops")).json()["now"]
    for service in NAMES:
        await repeats.ask(service, "/clock", {"now": now}, {"now": now}, "ops")
    assert repeats.obeyed == posts(documenting=True), "each POST is asked here, with two bodies"
    assert repeats.ignored == posts(documenting=False), "each POST is asked here, with two bodies"
    await whole.stepper.settle()
    for service in NAMES:  # every door was gone through: what each says, all others take
        metrics = (await whole.ask(service, "GET", "/metrics", "ops")).text
        assert "jiesu_retry_dead 0.0" in metrics, service


async def _front(repeats: Repeats, ordinary: Matter) -> None:
    number = {"number": ordinary.number}
    said, other = complaint(), {"title": "停水四天"}
    new = await repeats.ask("intake", "/v1/tickets", said, other, "phone_system")
    many, others = {"tickets": [said]}, {"tickets": [said | other]}
    await repeats.ask("intake", "/v1/tickets/batch", many, others, "phone_system")
    path = "/v1/tickets/{number}"
    added, urged = {"content": "补充"}, {"note": "急"}
    await repeats.ask("intake", f"{path}/supplements", added, {"content": "又"}, "desk", **number)
    await repeats.ask("intake", f"{path}/urges", urged, {"note": "很急"}, "desk", **number)
    read, why = {"reason": "约上门"}, {"reason": "核实"}
    await repeats.ask("intake", f"{path}/contact-reads", read, why, f"unit:{HOLDER}", **number)
    took, other = {"reason": "已解决"}, {"reason": "不办了"}
    await repeats.ask("intake", f"{path}/withdrawal", took, other, "desk", number=new["number"])


async def _written_down(repeats: Repeats, ordinary: Matter) -> None:
    """What the front puts right, notes and looks up."""
    path, number = "/v1/tickets/{number}", {"number": ordinary.number}
    asks: list[tuple[str, Json, Json, str]] = [
        ("corrections", {"reason": "记错", "urgency": "urgent"}, {"reason": "听错"}, "desk"),
        ("notes/read", {"done": "已答复"}, {"done": "已转告"}, "desk"),
        ("call-rating", {"rating": "satisfied"}, {"rating": "unsatisfied"}, "agent"),
        ("malicious-use", {"evidence": "反复骚扰", "warned": True}, {"warned": False}, "agent"),
        ("malicious-use/undo", {"reason": "标错"}, {"reason": "误标"}, "desk"),
        ("matter-reads", {"reason": "约上门"}, {"reason": "核实情况"}, f"unit:{HOLDER}"),
        ("cleared-words", {"text": "没修好"}, {"text": "又坏了"}, "feedback"),
    ]
    for last, said, other, who in asks:
        await repeats.ask("intake", f"{path}/{last}", said, other, who, **number)
    draft = {"topic": "water.supply", "area": "610924100", "content": "停水三天"}
    other = {"content": "停水四天"}
    await repeats.ask("intake", "/v1/tickets/duplicates", draft, other, "agent")
    phone, other = {"phone": "13909150001"}, {"phone": "13909150002"}
    await repeats.ask("intake", "/v1/callers/lookup", phone, other, "agent")


async def _ended_here(whole: Street, repeats: Repeats) -> None:
    """Tickets the hotline keeps to answer, and how it ends them; one goes to a unit after all."""
    now = (await whole.ask("intake", "GET", "/clock", "ops")).json()["now"]
    over = {"line": "119", "taken_by": "3号接警员", "at": now}
    asks: list[tuple[str, Json, Json]] = [
        ("not-accepted", {"reason": "outside_territory"}, {"note": "外县"}),
        ("handed-over", over, {"line": "120"}),
        ("direct-answer", {"answer": "今晚恢复"}, {"answer": "明早恢复"}),
        ("dispatch", {"reason": "须单位办理"}, {"reason": "群众不满意"}),
    ]
    for last, said, other in asks:
        kept = complaint(ending={"direct_answer": {}})
        given = await whole.do("intake", "/v1/tickets", kept, "agent")
        path, number = f"/v1/tickets/{{number}}/{last}", given["number"]
        await repeats.ask("intake", path, said, other, "agent", number=number)
    await whole.stepper.settle()


async def _merged(whole: Street, repeats: Repeats) -> None:
    """Two citizens and one matter, and two matters after all."""
    one = await whole.do("intake", "/v1/tickets", complaint(), "agent")
    two = await whole.do("intake", "/v1/tickets", complaint(), "agent")
    await whole.stepper.settle()
    path, number = "/v1/tickets/{number}", {"number": two["number"]}
    said, other = {"into": one["number"], "reason": "同一处"}, {"reason": "同小区"}
    await repeats.ask("intake", f"{path}/merge", said, other, "desk", **number)
    said, other = {"reason": "并非同一处"}, {"reason": "不同小区"}
    await repeats.ask("intake", f"{path}/unmerge", said, other, "desk", **number)
    await whole.stepper.settle()


async def _endangered(whole: Street, repeats: Repeats) -> None:
    """A danger is told to the government, and somebody takes it up."""
    given = await whole.do("intake", "/v1/tickets", complaint(urgency="critical"), "phone_system")
    await whole.stepper.settle()
    said, other = {"taken_up_by": "陈主任", "measures": "已派人到场"}, {"measures": "已到场"}
    path = "/v1/risks/{number}/acknowledgement"
    await repeats.ask("tracker", path, said, other, "supervisor", number=given["number"])


async def _missed(repeats: Repeats) -> None:
    over = {"id": "1772413200.1187", "event": "hung_up", "from": "13909150001"}
    heard = await repeats.ask("intake", "/v1/calls", over, {"to": "12345"}, "phone_system")
    path, call = "/v1/missed-calls/{call}", {"call": heard["call"]}
    read, why = {"reason": "回拨"}, {"reason": "再次回拨"}
    await repeats.ask("intake", f"{path}/contact-reads", read, why, "agent", **call)
    tried, other = {"outcome": "no_answer"}, {"outcome": "busy"}
    await repeats.ask("intake", f"{path}/tries", tried, other, "agent", **call)


async def _citizen_rings(repeats: Repeats, resolved: Matter) -> None:
    """Before the callback: content so far, and then not after all."""
    path, number = "/v1/tickets/{number}", {"number": resolved.number}
    said, other = {"satisfied": "satisfied"}, {"comment": "修得快"}
    await repeats.ask("feedback", f"{path}/verdict", said, other, "agent", **number)
    said, other = {"by": "citizen", "reason": "仍未修好"}, {"reason": "又坏了"}
    await repeats.ask("feedback", f"{path}/reopening", said, other, "agent", **number)


async def _custody(repeats: Repeats, confidential: Matter) -> None:
    why, other = {"reason": "约上门"}, {"reason": "核实情况"}
    path, who = "/v1/tickets/{number}/contact-requests", f"unit:{HOLDER}"
    asked = await repeats.ask("intake", path, why, other, who, number=confidential.number)
    granted: Json = {"granted": True, "hours": 2, "reason": "同意"}
    path = "/v1/contact-requests/{request}/ruling"
    await repeats.ask("intake", path, granted, {"hours": 3}, "custodian", request=asked["id"])


async def _fresh_order(whole: Street, repeats: Repeats) -> None:
    """A ticket the catalogue gives to a unit, which signs, is refused a return, and is replaced."""
    said = complaint(topic="road.damage", title="道路破损", content="路面破损")
    given = await whole.do("intake", "/v1/tickets", said, "phone_system")
    await whole.stepper.settle()
    path = f"/v1/tickets/{given['number']}/assignments"
    seen = (await whole.ask("dispatcher", "GET", path, "desk")).json()
    [order] = seen["assignments"]
    unit, about = f"unit:{order['unit']}", {"assignment": order["id"]}
    path, other = "/v1/assignments/{assignment}", {"handler": "李四"}
    await repeats.ask("dispatcher", f"{path}/sign", {"handler": "张三"}, other, unit, **about)
    await whole.stepper.settle()
    other = {"reason": "雨季无法施工"}
    await repeats.ask("tracker", f"{path}/extensions", EXTENSION, other, unit, **about)
    other = {"legal_basis": "《条例》"}
    await repeats.ask("dispatcher", f"{path}/return-requests", RETURN, other, unit, **about)
    ruled, other = {"granted": False, "ruling": "职责清楚"}, {"ruling": "不准"}
    await repeats.ask("dispatcher", f"{path}/ruling", ruled, other, "desk", **about)
    await approved(whole, repeats, given["number"])
    moved, other = {"lead": "CG", "reason": "改派", "overrules": "编办函复"}, {"reason": "再派"}
    path = "/v1/tickets/{number}/assign"
    given_to = await repeats.ask("dispatcher", path, moved, other, "desk", number=given["number"])
    lead = given_to["assignments"][-1]["id"]
    await lawful(whole, repeats, given["number"])
    await _helped(repeats, given["number"], lead)
    await _taken_back(whole, repeats, lead)
    await _whistled(whole, repeats, lead)
    await _handed_down(whole, repeats, given["number"])
    await _arbitrated(whole, repeats, given["number"])
    back, other = {"reason": "由热线答复"}, {"reason": "另行派单"}
    path = "/v1/tickets/{number}/recall"
    await repeats.ask("dispatcher", path, back, other, "desk", number=given["number"])
    await whole.stepper.settle()


async def _split(whole: Street, repeats: Repeats) -> None:
    """A call is split into its matters."""
    given = await whole.do("intake", "/v1/tickets", complaint(), "phone_system")
    said: Json = {"remainder": {"content": "停水"}, "reason": "两件事"}
    said |= {"matters": [{"content": "垃圾无人清运", "topic": "sanitation.refuse"}]}
    path, other = "/v1/tickets/{number}/split", {"reason": "一次来电两件事"}
    await repeats.ask("intake", path, said, other, "desk", number=given["number"])


async def _helped(repeats: Repeats, number: str, lead: str) -> None:
    """A co-handler is added, pressed by the lead and released."""
    path, other = "/v1/tickets/{number}/co-handlers", {"reason": "协助"}
    helps = {"unit": "GT", "reason": "协助勘查"}
    given = await repeats.ask("dispatcher", path, helps, other, "desk", number=number)
    path, pressed = "/v1/assignments/{assignment}", {"unit": "GT", "note": "请尽快答复"}
    other = {"note": "请答复"}
    await repeats.ask("dispatcher", f"{path}/press", pressed, other, "unit:CG", assignment=lead)
    about = {"assignment": given["assignments"][-1]["id"]}
    freed, other = {"reason": "已无需协办"}, {"reason": "不再需要"}
    await repeats.ask("dispatcher", f"{path}/release", freed, other, "desk", **about)


async def _whistled(whole: Street, repeats: Repeats, lead: str) -> None:
    """A town whistles for two: one comes, the other was whistled for by mistake."""
    path, led = "/v1/assignments/{assignment}", {"assignment": lead}
    await whole.do("dispatcher", f"{path}/sign".format(**led), {"handler": "张三"}, "unit", "CG")
    said: Json = {"units": ["SWJ", "SCJG"], "need": "联合处置", "ground": "镇无处罚权"}
    other: Json = {"need": "联合执法"}
    given = await repeats.ask("dispatcher", f"{path}/whistle", said, other, "unit:CG", **led)
    came, order = {"person": "王五"}, {"assignment": given["orders"][0]["id"]}
    other = {"person": "李四"}
    await repeats.ask("dispatcher", f"{path}/attend", came, other, "unit:SWJ", **order)
    seen, other = {"unit": "SWJ", "attendance": "present"}, {"attendance": "nobody_came"}
    await repeats.ask("dispatcher", f"{path}/attendance", seen, other, "unit:CG", **led)
    off, other = {"unit": "SCJG", "reason": "误吹"}, {"reason": "不需要"}
    await repeats.ask("dispatcher", f"{path}/call-off", off, other, "unit:CG", **led)
    await waited(whole, repeats, lead, "CG")


async def _handed_down(whole: Street, repeats: Repeats, number: str) -> None:
    """A bureau that helps hands its order down to its brigade, and takes it back."""
    said = {"unit": "GAJ", "reason": "协助疏导"}
    path = f"/v1/tickets/{number}/co-handlers"
    given = await whole.do("dispatcher", path, said, "desk")
    about = {"assignment": given["assignments"][-1]["id"]}
    path = "/v1/assignments/{assignment}"
    await whole.do("dispatcher", f"{path}/sign".format(**about), {"handler": "张三"}, "unit", "GAJ")
    new, other = {"handler": "李四", "reason": "轮班"}, {"handler": "王五"}
    await repeats.ask("dispatcher", f"{path}/handler", new, other, "unit:GAJ", **about)
    for what in ("hand-down", "take-back"):
        said, other = {"unit": "JJDD", "reason": "请到现场"}, {"reason": "另行安排"}
        await repeats.ask("dispatcher", f"{path}/{what}", said, other, "unit:GAJ", **about)


async def _taken_back(whole: Street, repeats: Repeats, order: str) -> None:
    """Who was assigned by hand objects, and takes that back."""
    path = "/v1/assignments/{assignment}"
    said, asked = RETURN | {"suggested_unit": "ZFB"}, f"/v1/assignments/{order}/return-requests"
    await whole.do("dispatcher", asked, said, "unit", "CG")
    why, other = {"reason": "属本单位职责"}, {"reason": "由本单位办理"}
    about = {"assignment": order}
    await repeats.ask("dispatcher", f"{path}/return-withdrawal", why, other, "unit:CG", **about)


async def _arbitrated(whole: Street, repeats: Repeats, number: str) -> None:
    """Put before the ladder by hand, argued, handed on and ruled on."""
    asked, other = {"grounds": "单位互相推诿"}, {"grounds": "职责不清"}
    path = "/v1/tickets/{number}/arbitration"
    opened = await repeats.ask("dispatcher", path, asked, other, "desk", number=number)
    path, about = "/v1/arbitrations/{arbitration}", {"arbitration": opened["id"]}
    words, other = {"words": "属村级道路"}, {"words": "属县道"}
    await repeats.ask("dispatcher", f"{path}/statements", words, other, "unit:CG", **about)
    up, other = {"grounds": "本级无法认定"}, {"grounds": "依据互相矛盾"}
    await repeats.ask("dispatcher", f"{path}/raise", up, other, "desk", **about)
    ruled: Json = {"lead": "CG", "ruling": "属地办理", "body": "联席会议", "paper": "3号"}
    other = {"ruling": "由其承办"}
    await repeats.ask("dispatcher", f"{path}/ruling", ruled, other, "supervisor", **about)
    seen = await whole.ask("dispatcher", "GET", "/v1/precedents", "desk")
    path, about = "/v1/precedents/{precedent}/rule", {"precedent": seen.json()["items"][0]["id"]}
    await repeats.ask("dispatcher", path, {"note": "会议纪要"}, {"note": "纪要"}, "desk", **about)


async def _holder(repeats: Repeats, ordinary: Matter) -> None:
    unit, about = f"unit:{HOLDER}", {"assignment": ordinary.assignment}
    ruled, other = {"granted": False, "reason": "理由不充分"}, {"reason": "不准"}
    path = "/v1/extensions/{extension}/ruling"
    await repeats.ask("tracker", path, ruled, other, "supervisor", extension=ordinary.extension)
    path = "/v1/assignments/{assignment}"
    raised, other = {"rung": 5, "reason": "约谈"}, {"reason": "再约"}
    by_hand = await repeats.ask(
        "tracker", f"{path}/supervisions", raised, other, "supervisor", **about
    )
    again = {"rung": 6, "reason": "通报"}
    answered = await repeats.ask(
        "tracker", f"{path}/supervisions", again, {"reason": "再督"}, "supervisor", **about
    )
    which, door = {"supervision": answered["id"]}, "/v1/supervisions/{supervision}"
    said, other = {"measures": "增派人手", "result": "已修复"}, {"result": "未修复"}
    await repeats.ask("tracker", f"{door}/answer", said, other, unit, **which)
    accepted, other = {"accepted": True, "reason": "属实"}, {"reason": "认可"}
    await repeats.ask("tracker", f"{door}/ruling", accepted, other, "supervisor", **which)
    withdrawn, other = {"reason": "误发"}, {"reason": "发错单位"}
    path = "/v1/supervisions/{supervision}/withdrawal"
    which = {"supervision": by_hand["id"]}
    await repeats.ask("tracker", path, withdrawn, other, "supervisor", **which)
    path, word = "/v1/tickets/{number}/instructions", {"leader": "李县长", "paper": "3号"}
    said, other = word | {"text": "请限期办结"}, {"text": "请即办结"}
    await repeats.ask("tracker", path, said, other, "supervisor", number=ordinary.number)
    path, said = "/v1/tickets/{number}/stale-knowledge", {"entry": "停水处置", "wrong": "电话已改"}
    other = said | {"entry": "抢修电话"}
    await repeats.ask("tracker", path, said, other, "supervisor", number=ordinary.number)
    path = "/v1/assignments/{assignment}"
    call, other = {"how": "phone", "outcome": "reached"}, {"outcome": "no_answer"}
    await repeats.ask("dispatcher", f"{path}/contacts", call, other, unit, **about)
    note, other = {"note": "已到现场"}, {"note": "已修"}
    await repeats.ask("dispatcher", f"{path}/progress", note, other, unit, **about)
    await _asked_and_audited(repeats, unit, about)
    later = {"solved": False, "unsolved_reason": "待气温回升", "promised_date": "2026-12-01"}
    answer = DONE | later | {"kind": "no_condition_yet_with_date"}
    other = {"result": "已另行修复"}
    await repeats.ask("dispatcher", f"{path}/completion", answer, other, unit, **about)
    await _promised(repeats, unit, about)


async def _promised(repeats: Repeats, unit: str, about: dict[str, Any]) -> None:
    """A day that is looked after, not moved, and kept."""
    audit, passed = "/v1/assignments/{assignment}/audit", {"outcome": "passed", "grounds": "可"}
    await repeats.ask("dispatcher", audit, passed, {"grounds": "可以"}, "desk", **about)
    path = "/v1/promises/{assignment}"
    note, other = {"note": "已备料"}, {"note": "未备料"}
    await repeats.ask("tracker", f"{path}/reviews", note, other, "desk", **about)
    later = {"promised_date": "2026-12-20", "reason": "备料推迟"}
    await repeats.ask("tracker", f"{path}/move", later, {"reason": "雨"}, unit, **about)
    ruled, other = {"granted": True, "reason": "属实"}, {"reason": "情况属实"}
    await repeats.ask("tracker", f"{path}/ruling", ruled, other, "supervisor", **about)
    done = {"result": "已硬化"}
    await repeats.ask("tracker", f"{path}/fulfilment", done, {"result": "补"}, unit, **about)


async def _asked_and_audited(repeats: Repeats, unit: str, about: dict[str, Any]) -> None:
    """Ends that are taken back and refused, and an answer that is sent back."""
    path, why = "/v1/assignments/{assignment}", {"unsolved_reason": "不配合", "solved": False}
    end, other = DONE | why | {"kind": "terminated"}, {"unsolved_reason": "地点不明"}
    await repeats.ask("dispatcher", f"{path}/completion", end, other, unit, **about)
    said, other = {"reason": "继续办理"}, {"reason": "已配合"}
    await repeats.ask("dispatcher", f"{path}/completion-withdrawal", said, other, unit, **about)
    other = {"unsolved_reason": "地点不明"}
    await repeats.ask("dispatcher", f"{path}/completion", end, other, unit, **about)
    ruled, other = {"granted": False, "ruling": "继续办理"}, {"ruling": "不准"}
    await repeats.ask("dispatcher", f"{path}/completion-ruling", ruled, other, "desk", **about)
    off, other = DONE | {"public_answer": "社保缴费到窗口"}, {"result": "另一份"}
    await repeats.ask("dispatcher", f"{path}/completion", off, other, unit, **about)
    back, other = {"outcome": "sent_back", "grounds": "答非所问"}, {"grounds": "未答复"}
    await repeats.ask("dispatcher", f"{path}/audit", back, other, "desk", **about)
