"""办结审核: no citizen is called before the answer was audited, and nobody is stuck in it (R-22, JN-27)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.dispatcher import stuck, usecases
from services.dispatcher.completion import auditing
from services.dispatcher.schemas import Completion
from shared import clock
from shared.caller import Caller
from shared.events import TicketMerged, TicketWithdrawn
from shared.http.acts import Ask, acts_of
from shared.storage.act import Asked
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    LICENSED,
    NUMBER,
    STREET_LIGHT,
    act,
    assignments,
    audit,
    company,
    corrected_type,
    finish,
    names,
    reach,
    register,
    sign,
    statuses,
    street_light,
)

OFF = DONE | {"public_answer": "社保缴费请到服务大厅咨询窗口"}
SECOND = "20260302-000002"


async def answered(bench: Bench, body: dict[str, Any] = OFF, number: str = NUMBER) -> UUID:
    """The lead signed, reached the citizen and sent its form in."""
    given = (await assignments(bench, number))[STREET_LIGHT]
    await sign(bench, STREET_LIGHT, given)
    await reach(bench, STREET_LIGHT, given)
    await act(bench, STREET_LIGHT, given, "completion", body)
    return given


async def listed(bench: Bench, role: str = "desk") -> Any:
    answer = await bench.http(role).get("/v1/audits")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ticket(bench: Bench, number: str = NUMBER) -> Any:
    return (await bench.http("desk").get(f"/v1/tickets/{number}/assignments")).json()


async def test_what_no_check_finds_passes_at_once(dispatcher: Bench) -> None:
    """A county of 18 tickets a day is not stuck: its citizens are called as before."""
    await register(dispatcher)
    await answered(dispatcher, DONE)
    assert "ticket.resolved" in await names(dispatcher)
    assert (await listed(dispatcher))["items"] == []
    [row] = await dispatcher.rows("SELECT outcome, decided_by FROM completion_forms")
    assert (row["outcome"], row["decided_by"]) == ("passed", "service:dispatcher")


async def test_an_answer_to_something_else_waits_for_a_person(dispatcher: Bench) -> None:
    """R-22, 答非所问: with why in words, both texts apart, and by when the desk must look."""
    await register(dispatcher)
    given = await answered(dispatcher, OFF | {"internal_result": "内部情况", "result": "内部情况"})
    assert "ticket.resolved" not in await names(dispatcher)
    [item] = (page := await listed(dispatcher))["items"]
    assert (item["number"], item["unit"], page["counts"]["total"]) == (NUMBER, STREET_LIGHT, 1)
    [finding] = item["findings"]
    assert (finding["check"], "答非所问" in finding["sentence"]["zh"]) == ("off_topic", True)
    assert item["form"]["internal_result"] == "内部情况"
    assert item["form"]["public_answer"] == OFF["public_answer"]
    assert [each["outcome"] for each in item["contacts"]] == ["reached"]
    assert item["due"].startswith("2026-03-03T")  # 1wd
    shown = await ticket(dispatcher)
    assert shown["status"] == "in_audit"
    [order] = shown["assignments"]
    assert (order["status"], order["pending"]["what"]) == ("completed", "audit")
    told = (await dispatcher.told("assignment.completed"))[-1].data
    assert (told.audit, told.audit_limit) == (UUID(item["id"]), "1wd")
    assert order["pending"]["id"] == item["id"]
    assert given == UUID(item["assignment"])


async def test_who_speaks_with_the_citizen_reads_no_answer_before_it_passed(
    dispatcher: Bench,
) -> None:
    await register(dispatcher)
    given = await answered(dispatcher)
    handling = f"/v1/tickets/{NUMBER}/handling"
    before = (await dispatcher.http("callback").get(handling)).json()
    assert (before["status"], before["answer"]) == ("in_audit", None)
    await audit(dispatcher, given)
    after = (await dispatcher.http("callback").get(handling)).json()
    assert after["answer"]["public_answer"] == OFF["public_answer"]
    assert "result" not in str(after)


async def test_what_passes_goes_on_to_the_callback(dispatcher: Bench) -> None:
    await register(dispatcher)
    given = await answered(dispatcher)
    answer = await audit(dispatcher, given, grounds="已电话核实")
    assert (answer["status"], answer["pending"]) == ("completed", None)
    assert (await names(dispatcher))[-2:] == ["assignment.audit_passed", "ticket.resolved"]
    assert (await listed(dispatcher))["items"] == []
    again = await audit(dispatcher, given, status=409)
    assert again["type"].endswith("not-under-audit")


async def test_what_is_sent_back_is_undone_in_the_same_round(dispatcher: Bench) -> None:
    """R-22: the unit hears why, goes on and answers again; its co-handlers stay as they answered."""
    given = await register(dispatcher, company())
    for unit in COMPANY_CO:
        await finish(dispatcher, unit, given[unit])
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reach(dispatcher, COMPANY, given[COMPANY])
    await act(dispatcher, COMPANY, given[COMPANY], "completion", OFF)
    answer = await audit(dispatcher, given[COMPANY], "sent_back", grounds="未答复执照事项")
    assert (answer["status"], answer["round"], answer["completion"]) == ("contacted", 1, None)
    assert answer["sent_back"]["grounds"] == "未答复执照事项"
    assert answer["sentence"]["zh"].startswith("退回补正")
    [told] = await dispatcher.told("assignment.sent_back")
    assert (told.unit, told.data.grounds, told.data.pauses) == (COMPANY, "未答复执照事项", True)
    assert {(unit, 1, "completed") for unit in COMPANY_CO} < set(await statuses(dispatcher))
    done = await act(dispatcher, COMPANY, given[COMPANY], "completion", LICENSED)
    assert (done["status"], done["pending"], done["sent_back"]) == ("completed", None, None)
    last = (await dispatcher.told("assignment.completed"))[-1].data
    assert [each.audit for each in last.sent_back] == [told.data.audit]
    assert "ticket.resolved" in await names(dispatcher)


async def test_the_desk_ends_the_matter_with_words_for_the_citizen(dispatcher: Bench) -> None:
    """R-20: explained, or not at all."""
    await register(dispatcher)
    given = await answered(dispatcher)
    await audit(dispatcher, given, "terminated", 422, grounds="诉求人不配合")
    await audit(dispatcher, given, "sent_back", 422)
    words = "因您未提供具体位置，路灯事项终止办理"
    await audit(dispatcher, given, "terminated", grounds="诉求人不配合", public_answer=words)
    [told] = await dispatcher.told("ticket.resolved")
    assert (told.data.kind, told.data.public_answer, told.data.solved) == (
        "terminated",
        words,
        False,
    )
    [passed] = await dispatcher.told("assignment.audit_passed")
    assert passed.data.terminated


async def test_nobodys_citizen_waits_for_the_desk(dispatcher: Bench) -> None:
    """Silence lets it pass a moment after the limit, and says that it was silence."""
    await register(dispatcher)
    await answered(dispatcher)
    [row] = await dispatcher.rows("SELECT due FROM completion_forms")
    dispatcher.at(row["due"].isoformat())
    async with dispatcher.service.store.act("service:dispatcher") as tick:
        assert await auditing.decide_undecided(tick, 100) == 0
    dispatcher.at((row["due"] + auditing.MOMENT).isoformat())
    async with dispatcher.service.store.act("service:dispatcher") as tick:
        assert await auditing.decide_undecided(tick, 100) == 1
    [passed] = await dispatcher.told("assignment.audit_passed")
    assert passed.data.silent
    assert "ticket.resolved" in await names(dispatcher)


async def test_what_nobody_decided_in_time_is_on_the_morning_page(dispatcher: Bench) -> None:
    """Where the policy waits, or the job that decides in the desk's place does not run."""
    await register(dispatcher)
    await answered(dispatcher)
    [row] = await dispatcher.rows("SELECT due FROM completion_forms")
    found = []
    for minutes in (4, 6):
        dispatcher.at((row["due"] + timedelta(minutes=minutes)).isoformat())
        async with dispatcher.service.store.act("test") as look:
            found.append(await stuck.undecided_forms(look, look.now))
    assert found == [[], [(NUMBER, row["due"], f"{STREET_LIGHT} 答复 answer")]]


async def test_while_it_is_audited_the_ticket_goes_nowhere_else(dispatcher: Bench) -> None:
    await register(dispatcher)
    await answered(dispatcher)
    desk = dispatcher.http("desk")
    for path, body in (
        ("assign", {"lead": "HC", "reason": "改派"}),
        ("recall", {"reason": "收回"}),
    ):
        refused = await desk.post(f"/v1/tickets/{NUMBER}/{path}", json=body)
        assert (refused.status_code, refused.json()["current_status"]) == (409, "in_audit")


async def test_who_withdraws_is_audited_no_more(dispatcher: Bench) -> None:
    await register(dispatcher)
    given = await answered(dispatcher)
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不用了"), subject=NUMBER))
    assert (await listed(dispatcher))["items"] == []
    await audit(dispatcher, given, status=409)
    dispatcher.at("2026-03-20T10:00+08:00")
    async with dispatcher.service.store.act("service:dispatcher") as tick:
        await auditing.decide_undecided(tick, 100)
    assert "ticket.resolved" not in await names(dispatcher)
    [row] = await dispatcher.rows("SELECT outcome FROM completion_forms")
    assert row["outcome"] == "overtaken"


async def test_an_answer_pasted_from_another_ticket_is_found(dispatcher: Bench) -> None:
    """雷同, also of other units: with the ticket it stands in; one matter may have one answer."""
    words = "经现场核查，路灯线路老化，已安排施工队更换电缆并恢复照明，请您监督。"
    await register(dispatcher)
    await answered(dispatcher, DONE | {"public_answer": words})
    other = street_light(title="广场路灯频闪", content="文化广场东侧三盏路灯一直闪，晚上没法散步")
    await register(dispatcher, other, SECOND)
    await answered(dispatcher, DONE | {"public_answer": words.replace("核查", "查看")}, SECOND)
    [item] = (await listed(dispatcher))["items"]
    [finding] = item["findings"]
    assert (finding["check"], finding["tickets"]) == ("copied", [NUMBER])
    [alike] = await dispatcher.told("answer.found_alike")  # gain 6: to nobody, once
    assert (alike.subject, alike.unit, alike.data.tickets) == (SECOND, None, (NUMBER,))
    same = "20260302-000003"
    await register(dispatcher, street_light(), same)
    await answered(dispatcher, DONE | {"public_answer": words}, same)
    assert [each["number"] for each in (await listed(dispatcher))["items"]] == [SECOND]


FAULTS = {
    "20260302-000001": ("路灯不亮", "滨江路中段路灯坏了一周"),
    "20260302-000002": ("广场路灯频闪", "文化广场东侧三盏路灯一直闪，晚上没法散步"),
    "20260302-000003": ("路灯灯杆倾斜", "老街巷口灯杆被车撞歪，担心倒下伤人"),
}
PASTED = DONE | {"public_answer": "经现场查看，路灯设施已安排施工队修复，请您监督。"}


async def ready(bench: Bench) -> list[UUID]:
    """Three matters that are not alike, whose lead has only to answer."""
    given = []
    for number, (title, content) in FAULTS.items():
        await register(bench, street_light(title=title, content=content), number)
        given.append((await assignments(bench, number))[STREET_LIGHT])
        await sign(bench, STREET_LIGHT, given[-1])
        await reach(bench, STREET_LIGHT, given[-1])
    return given


async def test_one_answer_pasted_under_many_tickets_at_once_is_found(dispatcher: Bench) -> None:
    """雷同: a unit's system sends them in the same instant; the first may be true, the others are held."""
    given, acts = await ready(dispatcher), acts_of(dispatcher.app)
    body, unit = Completion(**PASTED), Caller("unit", "test", STREET_LIGHT)
    asks = (Ask(usecases.complete, id, body, unit, Asked(f"POST {id}", None), None) for id in given)
    await asyncio.gather(*(acts.submit("assignment", ask) for ask in asks))
    items = (await listed(dispatcher))["items"]
    assert [each["findings"][0]["check"] for each in items] == ["copied", "copied"]


async def test_an_answer_waits_for_one_that_is_being_written(dispatcher: Bench) -> None:
    """雷同: two replicas answer at once, and one of them is the later."""
    one, other, _ = await ready(dispatcher)
    store, unit = dispatcher.service.store, Caller("unit", "test", STREET_LIGHT)

    async def complete(id: UUID) -> None:
        async with store.act(unit.actor, caller=unit) as act:
            await usecases.complete(act, id, Completion(**PASTED))
            await clock.pause(0.2)

    await asyncio.gather(complete(one), complete(other))
    assert len((await listed(dispatcher))["items"]) == 1


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ("路灯已修复，已回复来电人王建国", "identity"),
        ("路灯已修复，请拨打13800001111", "identity"),
        ("社保缴费请到服务大厅", "off_topic"),
    ],
)
async def test_what_is_found_is_said(dispatcher: Bench, answer: str, check: str) -> None:
    await register(dispatcher)
    await answered(dispatcher, DONE | {"public_answer": answer})
    [item] = (await listed(dispatcher, "supervisor"))["items"]
    assert check in {each["check"] for each in item["findings"]}


async def test_a_type_changed_after_the_dispatch_is_seen(dispatcher: Bench) -> None:
    """性质变更: a complaint that became a consultation has a shorter limit, and other figures."""
    await register(dispatcher)
    await dispatcher.hear(corrected_type(dispatcher, "consultation"))
    await answered(dispatcher, DONE)
    [item] = (await listed(dispatcher))["items"]
    assert [each["check"] for each in item["findings"]] == ["type_changed"]


async def test_who_never_reached_the_citizen_is_looked_at(dispatcher: Bench) -> None:
    """R-12: attempts are on record, and none was answered."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    missed = {"how": "phone", "outcome": "no_answer"}
    await act(dispatcher, STREET_LIGHT, given, "contacts", missed)
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    [item] = (await listed(dispatcher))["items"]
    assert [each["check"] for each in item["findings"]] == ["contact_unproved"]


async def test_merged_tickets_wait_with_the_answer_and_hear_it(dispatcher: Bench) -> None:
    """并单: nobody begins their work anew while the answer is audited."""
    await register(dispatcher)
    await register(dispatcher, street_light(content="滨江路路灯坏了，黑"), SECOND)
    merged = TicketMerged(into=NUMBER, reason="同一事项", repeat=False)
    await dispatcher.hear(dispatcher.fact(merged, subject=SECOND))
    given = await answered(dispatcher)
    async with dispatcher.service.store.act("service:dispatcher") as tick:
        from services.dispatcher import merging

        assert await merging.take_up_left(tick, 100) == 0
    await audit(dispatcher, given)
    assert {fact.subject for fact in await dispatcher.told("ticket.resolved")} == {NUMBER, SECOND}


async def test_only_the_desk_audits(dispatcher: Bench) -> None:
    await register(dispatcher)
    given = await answered(dispatcher)
    for role in ("unit", "callback", "agent"):
        client = dispatcher.http(role, STREET_LIGHT if role == "unit" else None)
        said = await client.post(f"/v1/assignments/{given}/audit", json={"outcome": "passed"})
        assert said.status_code == 403
        assert (await client.get("/v1/audits")).status_code == 403
