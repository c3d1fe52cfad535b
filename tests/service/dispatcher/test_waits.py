"""等待诉求人: a lead waits for what only its citizen can give, if the desk grants it (WF-21)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.dispatcher.waits import usecases as waits
from shared.events import (
    TicketAnswered,
    TicketMerged,
    TicketSplit,
    TicketSupplemented,
    TicketUrged,
    TicketWithdrawn,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    company,
    names,
    post,
    reach,
    register,
    said_due,
    sign,
    street_light,
)

OTHER = "20260302-000002"
WAIT = {"awaited": "documents", "reason": "诉求人尚未提供购房合同"}


async def handled(bench: Bench, **matter: Any) -> UUID:
    """A unit handles an order, and has reached the citizen."""
    given = (await register(bench, street_light(**matter)))[STREET_LIGHT]
    await sign(bench, STREET_LIGHT, given)
    await reach(bench, STREET_LIGHT, given)
    return given


async def ask(bench: Bench, given: UUID, status: int = 200, unit: str = STREET_LIGHT) -> Any:
    body = WAIT | {"contact_time": bench.now.isoformat()}
    return await act(bench, unit, given, "wait", body, status)


async def rule(bench: Bench, given: UUID, status: int = 200, *, granted: bool = True) -> Any:
    said = {"granted": granted, "ruling": "情况属实" if granted else "现有材料足以办理"}
    return await post(bench.http("desk"), f"/v1/assignments/{given}/wait-ruling", said, status)


async def come(bench: Bench, given: UUID, status: int = 200) -> Any:
    return await act(bench, STREET_LIGHT, given, "wait-end", {"note": "已送来合同"}, status)


async def listed(bench: Bench) -> Any:
    return (await bench.http("desk").get("/v1/waits")).json()


async def seen_to(bench: Bench, moment: Any) -> None:
    """The policy acts at a moment."""
    bench.at(moment)
    async with bench.service.store.act("service:dispatcher") as tick:
        assert await waits.see_to_due(tick, 100) == 1


async def why(bench: Bench) -> list[str]:
    return [each.data.why for each in await bench.told("assignment.wait_ended")]


async def test_a_lead_asks_and_the_desk_grants(dispatcher: Bench) -> None:
    """With a contact on record; it stands still since the asking, for the longest the policy names."""
    given = await handled(dispatcher)
    asked = await ask(dispatcher, given)
    assert (asked["wait"]["awaited"], asked["wait"]["granted"]) == ("documents", None)
    assert "request_wait" not in asked["allowed"]
    assert "end_wait" in asked["allowed"]
    [item] = (page := await listed(dispatcher))["items"]
    assert (item["number"], item["wait"]["reason"]) == (NUMBER, WAIT["reason"])
    assert (item["due"], page["counts"]["total"]) == ("2026-03-03T10:00:00Z", 1)
    since = dispatcher.now
    dispatcher.at(since + timedelta(hours=2))
    granted = await rule(dispatcher, given)
    assert (granted["wait"]["granted"], (await listed(dispatcher))["items"]) == (True, [])
    [told] = await dispatcher.told("assignment.wait_granted")
    assert (told.unit, told.data.asked_at) == (STREET_LIGHT, since)
    assert told.data.until == datetime.fromisoformat("2026-03-16T18:00+08:00")
    await come(dispatcher, given)
    assert await why(dispatcher) == ["come"]
    late = await come(dispatcher, given, 409)
    assert late["type"].endswith("no-wait")


async def test_what_is_refused_stops_nothing_and_is_not_asked_again(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    assert (await rule(dispatcher, given, granted=False))["wait"]["granted"] is False
    assert (await names(dispatcher))[-1] == "assignment.wait_refused"
    twice = await ask(dispatcher, given, 409)
    assert twice["type"].endswith("waited-before")
    ruled = await rule(dispatcher, given, 409)
    assert ruled["type"].endswith("no-wait")


async def test_silence_grants_nothing(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    [row] = await dispatcher.rows("SELECT wait_due FROM assignments WHERE wait IS NOT NULL")
    await seen_to(dispatcher, row["wait_due"] + waits.MOMENT)
    [told] = await dispatcher.told("assignment.wait_refused")
    assert told.data.silent
    assert (await listed(dispatcher))["items"] == []


async def test_it_ends_at_the_longest(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    until = (await rule(dispatcher, given))["wait"]["until"]
    await seen_to(dispatcher, "2026-03-17T09:00+08:00")
    [told] = await dispatcher.told("assignment.wait_ended")
    assert (told.data.why, told.time) == ("longest", datetime.fromisoformat(until))


@pytest.mark.parametrize(
    "said", [TicketSupplemented(content="合同在此"), TicketUrged(note="催", times=1)]
)
async def test_the_citizen_who_speaks_ends_it(dispatcher: Bench, said: Any) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    await dispatcher.hear(dispatcher.fact(said, subject=NUMBER))
    assert await why(dispatcher) == ["spoken"]


async def test_the_work_that_goes_on_ends_it(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE)
    assert await why(dispatcher) == ["answered"]


async def test_whose_it_is_comes_first(dispatcher: Bench) -> None:
    """A unit that says the matter is not its own waits for no citizen."""
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    assert RETURN
    await ask_back(dispatcher, STREET_LIGHT, given)
    assert await why(dispatcher) == ["returned"]


async def test_what_has_become_urgent_waits_for_nobody(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    body = {"lead": STREET_LIGHT, "reason": "有触电危险", "urgency": "urgent"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert await why(dispatcher) == ["hurried"]


async def take(bench: Bench, what: str, **body: Any) -> None:
    await post(bench.http("desk"), f"/v1/tickets/{NUMBER}/{what}", body)


async def withdrawn(bench: Bench, given: UUID) -> None:
    await bench.hear(bench.fact(TicketWithdrawn(reason="已自行解决"), subject=NUMBER))


async def ended_here(bench: Bench, given: UUID) -> None:
    told = street_light().model_dump(include={"type", "urgency", "topic", "area", "channel"})
    data = TicketAnswered(answer="已直接答复", registered=True, **told)
    await bench.hear(bench.fact(data, subject=NUMBER, round=1))


async def joins_another(bench: Bench, given: UUID) -> None:
    await register(bench, street_light(), OTHER)
    await bench.hear(bench.fact(TicketMerged(into=OTHER, reason="同一处"), subject=NUMBER))


async def recalled(bench: Bench, given: UUID) -> None:
    await take(bench, "recall", reason="核实")


async def led_by_another(bench: Bench, given: UUID) -> None:
    await take(bench, "assign", lead="SWJ", reason="职责所在")


async def helps_another(bench: Bench, given: UUID) -> None:
    await take(bench, "assign", lead="SWJ", co_handlers=[STREET_LIGHT], reason="职责所在")


async def asked_to_end(bench: Bench, given: UUID, kind: str, **ruling: Any) -> None:
    end = DONE | {"kind": kind, "solved": False, "unsolved_reason": "诉求人不配合"}
    await act(bench, STREET_LIGHT, given, "completion", end)
    assert await why(bench) == []  # nobody has decided anything
    body = {"granted": True, "ruling": "同意"} | ruling
    await post(bench.http("desk"), f"/v1/assignments/{given}/completion-ruling", body)


async def terminated(bench: Bench, given: UUID) -> None:
    await asked_to_end(bench, given, "terminated", public_answer="本次终止办理")


async def disowned(bench: Bench, given: UUID) -> None:
    await asked_to_end(bench, given, "not_our_duty_confirmed")


ENDS = [
    *((way, "gone") for way in (withdrawn, ended_here, joins_another)),
    *((way, "gone") for way in (recalled, led_by_another, helps_another)),
    (terminated, "answered"),
    (disowned, "returned"),
]


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize(("way", "word"), ENDS, ids=[way.__name__ for way, _ in ENDS])
async def test_with_its_order_it_ends(
    dispatcher: Bench, way: Any, word: str, granted: bool
) -> None:
    """WF-21, ADR 0087: granted or only asked for; it says why, and no order that is over waits."""
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    if granted:
        await rule(dispatcher, given)
    await way(dispatcher, given)
    assert await why(dispatcher) == [word]
    rows = await dispatcher.rows("SELECT wait, wait_due FROM assignments WHERE wait IS NOT NULL")
    assert [(row["wait"]["why"], row["wait_due"]) for row in rows] == [(word, None)]
    assert (await listed(dispatcher))["items"] == []


async def rings_again(bench: Bench, moment: str, *, repeat: bool) -> None:
    """A ticket of that moment is merged into the one whose citizen is waited for, an hour later."""
    bench.at(moment)
    await register(bench, street_light(), OTHER)
    bench.at(bench.now + timedelta(hours=1))
    data = TicketMerged(into=NUMBER, reason="同一处", repeat=repeat)
    await bench.hear(bench.fact(data, subject=OTHER))


async def test_the_same_citizen_under_another_number_ends_it(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    await rings_again(dispatcher, "2026-03-03T09:00+08:00", repeat=True)
    assert await why(dispatcher) == ["spoken"]


@pytest.mark.parametrize("repeat", [True, False])
async def test_what_was_said_before_or_by_others_does_not(dispatcher: Bench, repeat: bool) -> None:
    """A neighbour has not what the unit waits for; who merges them later is no citizen."""
    given = await handled(dispatcher)
    moment = dispatcher.now.isoformat()
    dispatcher.at(dispatcher.now + timedelta(minutes=5))
    await act(dispatcher, STREET_LIGHT, given, "wait", WAIT | {"contact_time": moment})
    await rule(dispatcher, given)
    await rings_again(dispatcher, moment, repeat=repeat)
    assert await why(dispatcher) == []
    said = TicketSupplemented(content="合同在此")
    await dispatcher.hear(dispatcher.fact(said, subject=OTHER))
    assert await why(dispatcher) == (["spoken"] if repeat else [])


async def test_what_the_hotline_does_with_the_call_ends_nothing(dispatcher: Bench) -> None:
    """A split is told like a supplement, and the citizen has said nothing."""
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    await rule(dispatcher, given)
    split = TicketSplit(title="路灯", content="路灯", matters=(OTHER,), reason="两件事")
    await dispatcher.hear(dispatcher.fact(split, subject=NUMBER))
    assert await why(dispatcher) == []


async def test_a_contact_that_nobody_recorded_does_not_do(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    body = WAIT | {"contact_time": "2026-03-02T08:00:00+08:00"}
    answer = await act(dispatcher, STREET_LIGHT, given, "wait", body, 409)
    assert answer["type"].endswith("contact-not-on-record")


async def test_before_the_citizen_was_reached_nobody_asks(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    assert (await ask(dispatcher, given, 409))["type"].endswith("move-refused")


async def test_what_is_urgent_does_not_wait(dispatcher: Bench) -> None:
    given = await handled(dispatcher, urgency=Urgency.URGENT)
    answer = await ask(dispatcher, given, 409)
    assert (answer["type"][-16:], answer["because"]) == ("wait-not-offered", "urgency")


async def test_a_co_handler_does_not_wait(dispatcher: Bench) -> None:
    """The citizen hears of one unit, the lead."""
    given = await register(dispatcher, company())
    helper = COMPANY_CO[0]
    for unit in (COMPANY, helper):
        await sign(dispatcher, unit, given[unit])
        await reach(dispatcher, unit, given[unit])
    answer = await ask(dispatcher, given[helper], 409, helper)
    assert answer["because"] == "role"


async def test_what_was_missed_is_not_washed(dispatcher: Bench) -> None:
    """Neither asked for nor granted when the time is over."""
    given = await handled(dispatcher)
    called = dispatcher.now.isoformat()
    dispatcher.at("2026-03-09T18:00:01+08:00")
    body = WAIT | {"contact_time": called}
    answer = await act(dispatcher, STREET_LIGHT, given, "wait", body, 409)
    assert answer["type"].endswith("wait-too-late")


async def test_nothing_is_granted_after_the_time_is_over(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    called = dispatcher.now.isoformat()
    dispatcher.at("2026-03-09T17:00+08:00")
    asked = await act(dispatcher, STREET_LIGHT, given, "wait", WAIT | {"contact_time": called})
    assert asked["wait"]["due"] == "2026-03-09T10:00:00Z"
    dispatcher.at("2026-03-09T18:00:01+08:00")
    assert (await rule(dispatcher, given, 409))["type"].endswith("wait-too-late")


async def test_what_the_tracker_says_is_left_is_offered_and_no_more(dispatcher: Bench) -> None:
    """ADR 0078: door and reader go by one rule; a unit that has the order again has less than is printed."""
    given = await handled(dispatcher)
    called = dispatcher.now.isoformat()
    await dispatcher.hear(said_due(dispatcher, NUMBER, STREET_LIGHT, given))
    path = f"/v1/units/{STREET_LIGHT}/orders"
    for minutes, offered in ((30, True), (31, False)):
        dispatcher.at(datetime.fromisoformat(called) + timedelta(minutes=minutes))
        [order] = (await dispatcher.http("unit", STREET_LIGHT).get(path)).json()["items"]
        assert ("request_wait" in order["allowed"]) is offered
    body = WAIT | {"contact_time": called}
    answer = await act(dispatcher, STREET_LIGHT, given, "wait", body, 409)
    assert answer["type"].endswith("wait-too-late")


async def test_a_desk_that_let_it_lie_reads_it_in_its_worklist(dispatcher: Bench) -> None:
    given = await handled(dispatcher)
    await ask(dispatcher, given)
    dispatcher.at("2026-03-03T18:00:01+08:00")
    lines = (await dispatcher.http("desk").get("/v1/worklist")).json()["items"]
    [line] = [each for each in lines if each["list"] == "waits"]
    assert (line["total"], line["overdue"]) == (1, 1)
