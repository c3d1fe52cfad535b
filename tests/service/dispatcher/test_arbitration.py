"""A dispute goes up the ladder until a body rules, and what it ruled holds (R-16, R-17, R-33)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.dispatcher import stuck
from shared.events import Reported, TicketCorrected
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import (
    PAPER,
    SECOND,
    THIRD,
    assign,
    disputed,
    listed,
    newest,
    opened,
    raised,
    ruled,
    shown,
    stated,
)
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    finish,
    post,
    register,
    rule,
    sign,
    statuses,
    street_light,
)

OFFICE = (
    "JTYS"  # a department: the desk's own step gives a town nothing that is not its duty
)
OPEN = f"/v1/tickets/{NUMBER}/arbitration"


async def by_hand(bench: Bench, status: int = 200, **more: Any) -> Any:
    """The desk puts the ticket before the ladder."""
    body = {"grounds": "职责交叉，单位互相推诿"} | more
    return await post(bench.http("desk"), OPEN, body, status)


async def ended(bench: Bench) -> list[str]:
    """Why arbitrations ended, as it was told to all."""
    told = await bench.told("arbitration.ended")
    return [fact.data.reason for fact in told if fact.unit is None]


# --- opened ------------------------------------------------------------------------------------


async def test_the_second_dispute_of_a_ticket_opens_one(dispatcher: Bench) -> None:
    """R-17 职责裁定: the desk rules on the first return, the ladder on the second."""
    id = await disputed(dispatcher)
    told = await dispatcher.told("arbitration.opened")
    assert {fact.unit for fact in told} == {None, STREET_LIGHT, SECOND, THIRD}
    data = told[0].data
    assert (data.by, data.step, data.limit) == ("dispute", 1, "4wh")
    asked = (await dispatcher.told("assignment.return_requested"))[-1]
    assert (asked.data.review, asked.data.pauses) == (None, True)
    assert data.requests == (asked.data.request,)
    (item,) = (await listed(dispatcher))["items"]
    assert (item["id"], item["step"], item["role"]) == (str(id), 1, "desk")
    assert (await dispatcher.http("desk").get("/v1/returns")).json()["items"] == []


async def test_what_a_unit_took_back_was_no_dispute(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    back = {"reason": "经核实属本单位职责"}
    await act(dispatcher, STREET_LIGHT, given, "return-withdrawal", back)
    await assign(dispatcher, SECOND)
    await act(dispatcher, SECOND, await newest(dispatcher), "return-requests", RETURN)
    assert await opened(dispatcher) == []


async def test_the_desk_opens_one_by_hand_and_takes_along_the_return_that_waits(
    dispatcher: Bench,
) -> None:
    """R-33 提级办理: named units are heard, too."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    answer = await by_hand(dispatcher, parties=["交通运输局"])
    assert answer["parties"] == [STREET_LIGHT, THIRD, "JTYS"]
    assert answer["holder"] == STREET_LIGHT
    refused = await rule(dispatcher, given, granted=True, status=409)
    assert refused["type"].endswith("in-arbitration")
    assert refused["arbitration"] == answer["id"]
    assert (await by_hand(dispatcher, 409))["type"].endswith("in-arbitration")
    dispatcher.at("2026-03-02T16:00+08:00")
    assert await dispatcher.run("rule_unruled") == 0
    await ruled(dispatcher, answer["id"], STREET_LIGHT)
    (refusal,) = await dispatcher.told("assignment.return_refused")
    assert refusal.data.charged


async def test_one_is_opened_on_what_nobody_has(dispatcher: Bench) -> None:
    await register(dispatcher)
    recall = {"reason": "核实"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", recall)
    answer = await by_hand(dispatcher, parties=[SECOND, THIRD])
    assert answer["holder"] is None
    await assign(dispatcher, "HC")  # somebody has it meanwhile
    assert (await shown(dispatcher, answer["id"]))["holder"] == "HC"
    await ruled(dispatcher, answer["id"], OFFICE)
    assert [status for _, _, status in await statuses(dispatcher)] == [
        "cancelled",
        "cancelled",
        "dispatched",
    ]


async def test_nobody_who_is_complained_of_is_named(dispatcher: Bench) -> None:
    """R-35 回避."""
    about = Reported(units=(SECOND,))
    await register(dispatcher, street_light(reported=about))
    refused = await by_hand(dispatcher, 409, parties=[SECOND])
    assert (refused["type"].rpartition("/")[2], refused["field"]) == ("recused", "parties")


@pytest.mark.parametrize("urgency", ["urgent", "critical"])
async def test_who_disputes_what_is_urgent_works_on(dispatcher: Bench, urgency: str) -> None:
    """One holder: its clocks run, so it may act, and its answer ends the dispute."""
    await disputed(dispatcher, urgency=urgency)
    given = await newest(dispatcher)
    assert (await statuses(dispatcher))[-1] == (SECOND, 1, "dispatched")
    asked = (await dispatcher.told("assignment.return_requested"))[-1]
    assert not asked.data.pauses
    await finish(dispatcher, SECOND, given)
    assert await ended(dispatcher) == ["resolved"]
    assert (await listed(dispatcher))["counts"]["total"] == 0


async def test_who_waits_works_on_once_it_is_urgent(dispatcher: Bench) -> None:
    await disputed(dispatcher)
    given = await newest(dispatcher)
    assert (await statuses(dispatcher))[-1] == (SECOND, 1, "return_requested")
    data = TicketCorrected(fields=("urgency",), urgency="urgent", reason="有人触电")
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    told = (await dispatcher.told("assignment.updated"))[-1]
    assert (told.assignment, told.data.resumes) == (given, True)
    assert (await statuses(dispatcher))[-1] == (SECOND, 1, "dispatched")
    assert (await listed(dispatcher))["counts"]["total"] == 1
    await sign(dispatcher, SECOND, given)


async def test_an_urgent_return_that_waited_for_the_desk_is_worked_on_before_the_ladder(
    dispatcher: Bench,
) -> None:
    given = (await register(dispatcher, street_light(urgency="urgent")))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await by_hand(dispatcher)
    assert (await sign(dispatcher, STREET_LIGHT, given))["status"] == "signed"


async def test_while_it_is_open_no_other_door_decides_whose_duty_it_is(dispatcher: Bench) -> None:
    id = await disputed(dispatcher)
    path = f"/v1/tickets/{NUMBER}/assignments"
    assert (await dispatcher.http("desk").get(path)).json()["arbitration"] == str(id)
    for lead in ("HC", STREET_LIGHT):
        refused = await assign(dispatcher, lead, 409, overrules="直接指定")
        assert refused["arbitration"] == str(id)
    await assign(dispatcher, SECOND, co_handlers=["HC"])
    helper = (await assignments(dispatcher))["HC"]
    refused = await act(dispatcher, "HC", helper, "return-requests", RETURN, 409)
    assert refused["type"].endswith("in-arbitration")


# --- the ladder --------------------------------------------------------------------------------


async def test_each_unit_is_heard_once_a_step(dispatcher: Bench) -> None:
    """R-17: whoever disputes, is named or invited says its words."""
    id = await disputed(dispatcher)
    await stated(dispatcher, id, SECOND)
    again = await stated(dispatcher, id, SECOND, 409)
    assert (again["type"].rpartition("/")[2], again["step"]) == ("stated-before", 1)
    await stated(dispatcher, id, "HC", 404)
    await stated(dispatcher, id, "SFJ", 404)
    (item,) = (await listed(dispatcher))["items"]
    assert item["heard"] == [SECOND]
    await raised(dispatcher, id)
    await stated(dispatcher, id, SECOND)
    answer = await stated(dispatcher, id, "SFJ", words="依三定方案")
    said = [(each["step"], each["unit"]) for each in answer["statements"]]
    assert said == [(1, SECOND), (2, SECOND), (2, "SFJ")]


async def test_it_goes_up_by_hand_and_the_invited_hear_of_it(dispatcher: Bench) -> None:
    """R-17: 编办 and 司法 at the joint meeting."""
    id = await disputed(dispatcher)
    answer = await raised(dispatcher, id)
    assert (answer["step"], answer["role"], answer["last"]) == (2, "supervisor", False)
    told = await dispatcher.told("arbitration.raised")
    assert {fact.unit for fact in told} == {None, STREET_LIGHT, SECOND, THIRD, "BWB", "SFJ"}
    assert [(each["step"], each["silent"]) for each in answer["steps"]] == [(1, False), (2, False)]
    await raised(dispatcher, id)
    await raised(dispatcher, id)
    assert (await raised(dispatcher, id, 409))["type"].endswith("move-refused")


async def test_silence_takes_it_up_a_step_and_at_the_last_it_stays_overdue(
    dispatcher: Bench,
) -> None:
    """R-17: no body's silence is a dead end."""
    id = await disputed(dispatcher)
    dispatcher.at("2026-03-02T15:00+08:00")
    assert await dispatcher.run("raise_unruled") == 0
    dispatcher.at("2026-03-02T15:06+08:00")
    async with dispatcher.service.store.act("test") as act:
        assert len(await stuck.undecided(act, act.now)) == 1  # until the job comes
    dispatcher.at("2026-03-02T15:00:01+08:00")
    assert await dispatcher.run("raise_unruled") == 1
    (fact, *_) = await dispatcher.told("arbitration.raised")
    assert (fact.data.step, fact.data.silent, fact.data.limit) == (2, True, "2wd")
    for day in (5, 10, 20, 30):
        dispatcher.at(f"2026-03-{day:02}T09:00+08:00")
        await dispatcher.run("raise_unruled")
    assert await dispatcher.run("raise_unruled") == 0
    page = await listed(dispatcher)
    assert [(item["id"], item["step"]) for item in page["items"]] == [(str(id), 4)]
    async with dispatcher.service.store.act("test") as act:
        (lying,) = await stuck.undecided(act, act.now)
    assert lying.subject == NUMBER
    assert (page["counts"]["overdue"], page["counts"]["steps"]) == (1, {"4": 1})
    await ruled(dispatcher, id, THIRD, role="supervisor", **PAPER)


async def test_silence_may_leave_it_where_it_is(dispatcher: Bench) -> None:
    config = dispatcher.service.store.config
    patient = config.arbitration.model_copy(update={"silence": "stay"})
    object.__setattr__(config, "arbitration", patient)
    await disputed(dispatcher)
    dispatcher.at("2026-03-05T09:00+08:00")
    assert await dispatcher.run("raise_unruled") == 1
    assert await dispatcher.run("raise_unruled") == 0
    (item,) = (await listed(dispatcher, "?step=1"))["items"]
    assert item["step"] == 1


# --- ruled -------------------------------------------------------------------------------------


async def test_a_ruling_gives_it_to_whom_it_names_who_may_not_return_it(dispatcher: Bench) -> None:
    """R-16: 经研究确定的承办单位不得退回; and who was freed is freed."""
    id = await disputed(dispatcher)
    answer = await ruled(dispatcher, id, OFFICE, co_handlers=["HC"])
    assert (answer["status"], answer["ruling"]["lead"]) == ("ruled", OFFICE)
    assert (await statuses(dispatcher))[1:] == [
        (SECOND, 1, "returned"),
        (OFFICE, 1, "dispatched"),
        ("HC", 1, "dispatched"),
    ]
    given = await assignments(dispatcher)
    for unit in (OFFICE, "HC"):
        form = RETURN | {"suggested_unit": "MZJ"}
        refused = await act(dispatcher, unit, given[unit], "return-requests", form, 409)
        assert refused["type"].endswith("return-after-ruling")
    refused = await assign(dispatcher, SECOND, 409)
    assert refused["type"].endswith("return-granted")
    told = {fact.unit for fact in await dispatcher.told("arbitration.ruled")}
    assert told >= {None, STREET_LIGHT, SECOND, THIRD}
    late = await ruled(dispatcher, id, "HC", 409)
    assert late["current_status"] == "ruled"


async def test_who_disputed_and_lost_goes_on_where_it_stood_and_bears_the_time(
    dispatcher: Bench,
) -> None:
    """R-16: refused, not dispatched anew. Gain 2: charged to the loser."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=True)
    await assign(dispatcher, SECOND)
    order = await newest(dispatcher)
    await sign(dispatcher, SECOND, order)
    await act(dispatcher, SECOND, order, "return-requests", RETURN)
    (id,) = await opened(dispatcher)
    await ruled(dispatcher, id, SECOND)
    (refused,) = await dispatcher.told("assignment.return_refused")
    assert (refused.assignment, refused.data.charged) == (order, True)
    assert (await statuses(dispatcher))[-1] == (SECOND, 1, "signed")
    assert len(await dispatcher.told("assignment.dispatched")) == 2


async def test_the_time_may_be_charged_to_nobody(dispatcher: Bench) -> None:
    config = dispatcher.service.store.config
    lenient = config.arbitration.model_copy(update={"charged_to": "nobody"})
    object.__setattr__(config, "arbitration", lenient)
    id = await disputed(dispatcher)
    await ruled(dispatcher, id, SECOND)
    (refused,) = await dispatcher.told("assignment.return_refused")
    assert not refused.data.charged


async def test_it_may_go_back_to_whom_the_desk_had_freed(dispatcher: Bench) -> None:
    """R-15: a ruling overrules a granted return, and then it stays there."""
    id = await disputed(dispatcher)
    await ruled(dispatcher, id, STREET_LIGHT)
    again = await ask_back(dispatcher, STREET_LIGHT, await newest(dispatcher), 409)
    assert again["type"].endswith("return-after-ruling")


async def test_the_role_of_the_step_records_its_ruling_with_its_paper(dispatcher: Bench) -> None:
    """R-17: a meeting's ruling names who met, and its paper."""
    id = await disputed(dispatcher)
    await ruled(dispatcher, id, THIRD, 403, role="supervisor")
    await raised(dispatcher, id, role="supervisor")
    await ruled(dispatcher, id, THIRD, 403)
    lacking = await ruled(dispatcher, id, THIRD, 422, role="supervisor")
    assert lacking["field"] == "body"
    lacking = await ruled(dispatcher, id, THIRD, 422, role="supervisor", body="联席会议")
    assert lacking["field"] == "paper"
    answer = await ruled(dispatcher, id, THIRD, role="supervisor", **PAPER)
    assert answer["ruling"]["paper"] == PAPER["paper"]
    (row,) = await dispatcher.rows("SELECT ruled_by, step FROM arbitrations")
    assert row == {"ruled_by": "supervisor:test", "step": 2}


@pytest.mark.parametrize(
    ("what", "status", "slug"),
    [
        ({"lead": "NOBODY"}, 422, "unknown-code"),
        ({"lead": "HC", "co_handlers": ["HC"]}, 422, "co-handler-is-lead"),
    ],
)
async def test_a_ruling_nobody_can_follow_is_refused(
    dispatcher: Bench, what: dict[str, Any], status: int, slug: str
) -> None:
    id = await disputed(dispatcher)
    answer = await ruled(dispatcher, id, status=status, **what)
    assert answer["type"].endswith(slug)
    assert (await listed(dispatcher))["counts"]["total"] == 1


async def test_no_ruling_gives_a_report_to_whom_it_is_about(dispatcher: Bench) -> None:
    """R-35 回避."""
    await register(dispatcher, street_light(reported=Reported(units=("HC",))))
    answer = await by_hand(dispatcher)
    refused = await ruled(dispatcher, answer["id"], "HC", 409)
    assert refused["type"].endswith("recused")


async def test_what_is_not_there_is_not_found(dispatcher: Bench) -> None:
    await raised(dispatcher, uuid4(), 404)
    await ruled(dispatcher, uuid4(), "HC", 404)
    assert await shown(dispatcher, uuid4()) == 404
    await by_hand(dispatcher, 404)
