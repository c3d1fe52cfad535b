"""Returns are ruled on in time, by the desk or else by the policy, and what was ruled holds (R-15, R-16)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import TicketCorrected
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    company,
    let_lead,
    names,
    post,
    reach,
    register,
    rule,
    sign,
    statuses,
    street_light,
)

ASSIGN = f"/v1/tickets/{NUMBER}/assign"


async def assign(bench: Bench, unit: str, status: int = 200, **more: Any) -> Any:
    """The desk assigns by hand."""
    body = {"lead": unit, "reason": "属地管理"} | more
    await let_lead(bench, unit)
    return await post(bench.http("desk"), ASSIGN, body, status)


async def ruled(bench: Bench, given: UUID, status: int = 200, **what: Any) -> Any:
    """The desk rules in some words."""
    body = {"granted": True, "ruling": "确属其他单位"} | what
    return await post(bench.http("desk"), f"/v1/assignments/{given}/ruling", body, status)


async def newest(bench: Bench) -> UUID:
    """The assignment dispatched last."""
    found = (await bench.told("assignment.dispatched"))[-1].assignment
    assert found
    return found


async def freed(bench: Bench, **ruling: Any) -> None:
    """A street light whose unit returned it."""
    given = (await register(bench))[STREET_LIGHT]
    await ask_back(bench, STREET_LIGHT, given)
    await ruled(bench, given, **ruling)


async def listed(bench: Bench) -> Any:
    """The one ticket the desk has."""
    (item,) = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return item


# --- what a request says -----------------------------------------------------------------------


async def test_a_request_says_how_long_the_desk_has_and_its_ruling_names_it(
    dispatcher: Bench,
) -> None:
    """GB66-5 派单异议审核."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    (asked,) = await dispatcher.told("assignment.return_requested")
    assert (asked.data.review, asked.data.pauses) == ("4wh", True)
    await rule(dispatcher, given, granted=False)
    (refused,) = await dispatcher.told("assignment.return_refused")
    assert (refused.data.request, refused.data.silent) == (asked.data.request, False)


@pytest.mark.parametrize("urgency", ["urgent", "critical"])
async def test_the_clocks_of_what_is_urgent_run_on(dispatcher: Bench, urgency: str) -> None:
    given = (await register(dispatcher, street_light(urgency=urgency)))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    (asked,) = await dispatcher.told("assignment.return_requested")
    assert not asked.data.pauses


async def test_who_waits_for_a_ruling_may_go_on_meanwhile(dispatcher: Bench) -> None:
    """R-15: the clocks of what is urgent do not stand still, so its unit must be able to meet them."""
    given = (await register(dispatcher, street_light(urgency="urgent")))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    signed = await sign(dispatcher, STREET_LIGHT, given)
    assert (signed["status"], signed["handler"]) == ("return_requested", "张三")
    assert "sign" not in signed["allowed"]
    assert {"contact", "withdraw_return"} <= set(signed["allowed"])
    reached = await reach(dispatcher, STREET_LIGHT, given)
    assert reached["status"] == "return_requested"
    again = await post(
        dispatcher.http("unit", STREET_LIGHT),
        f"/v1/assignments/{given}/sign",
        {"handler": "李四"},
        409,
    )
    assert again["type"].endswith("move-refused")
    await rule(dispatcher, given, granted=False)
    assert (STREET_LIGHT, 1, "contacted") in await statuses(dispatcher)


async def test_what_becomes_urgent_meanwhile_stands_still_no_longer(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await ask_back(dispatcher, STREET_LIGHT, given)
    data = TicketCorrected(fields=("urgency",), urgency="urgent", reason="有人触电")
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    (told,) = await dispatcher.told("assignment.updated")
    assert (told.data.urgency, told.data.resumes) == ("urgent", True)


@pytest.mark.parametrize(
    ("form", "slug", "field"),
    [
        ({"suggested_unit": None}, "suggested-unit-missing", "suggested_unit"),
        (
            {"suggested_unit": None, "reason_code": "wrong_area"},
            "suggested-unit-missing",
            "suggested_unit",
        ),
        ({"suggested_unit": STREET_LIGHT}, "malformed", "suggested_unit"),
        ({"legal_basis": "  "}, "malformed", "legal_basis"),
        ({"approver": ""}, "malformed", "approver"),
    ],
)
async def test_a_request_without_what_the_policy_asks_is_refused(
    dispatcher: Bench, form: dict[str, Any], slug: str, field: str
) -> None:
    """R-15 退单."""
    given = (await register(dispatcher))[STREET_LIGHT]
    answer = await act(dispatcher, STREET_LIGHT, given, "return-requests", RETURN | form, 422)
    assert answer["type"].endswith(slug)
    assert answer["field"].endswith(field)
    assert await names(dispatcher) == ["assignment.dispatched"]


async def test_on_other_grounds_nobody_need_be_suggested(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    form = RETURN | {"reason_code": "ownership_unclear", "suggested_unit": None}
    await act(dispatcher, STREET_LIGHT, given, "return-requests", form)


# --- silence -----------------------------------------------------------------------------------


async def test_silence_of_the_desk_counts_as_the_policy_says(dispatcher: Bench) -> None:
    """Asked at nine, 4wh: the desk may rule until 15:00, then the unit goes on."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await ask_back(dispatcher, STREET_LIGHT, given)
    dispatcher.at("2026-03-02T15:00+08:00")
    assert await dispatcher.run("rule_unruled") == 0
    dispatcher.at("2026-03-02T15:00:01+08:00")
    assert await dispatcher.run("rule_unruled") == 1
    (refused,) = await dispatcher.told("assignment.return_refused")
    assert (refused.data.silent, refused.unit) == (True, STREET_LIGHT)
    assert [status for _, _, status in await statuses(dispatcher)] == ["signed"]
    (kept,) = await dispatcher.rows("SELECT granted, silent, ruled_by, named_unit FROM returns")
    assert kept == {
        "granted": False,
        "silent": True,
        "ruled_by": "service:dispatcher",
        "named_unit": None,
    }
    again = await ask_back(dispatcher, STREET_LIGHT, given, 409)
    assert again["type"].endswith("returned-before")


async def test_silence_may_count_as_yes(dispatcher: Bench) -> None:
    config = dispatcher.service.store.config
    lenient = config.returns.model_copy(update={"silence": "granted"})
    object.__setattr__(config, "returns", lenient)
    given = (await register(dispatcher, company()))[COMPANY]
    await ask_back(dispatcher, COMPANY, given)
    dispatcher.at("2026-03-03T09:00+08:00")
    assert await dispatcher.run("rule_unruled") == 1
    (granted,) = await dispatcher.told("assignment.returned")
    assert granted.data.silent
    assert (await listed(dispatcher))["suggested_unit"] == "CG"


async def test_what_was_asked_before_the_upgrade_waits_for_the_desk(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await dispatcher.do("UPDATE returns SET review_due = NULL")
    dispatcher.at("2026-03-09T09:00+08:00")
    assert await dispatcher.run("rule_unruled") == 0
    await rule(dispatcher, given, granted=True)


async def test_what_ended_meanwhile_is_not_ruled_on(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await assign(dispatcher, "HC")
    await assign(dispatcher, STREET_LIGHT)
    await ask_back(dispatcher, STREET_LIGHT, await newest(dispatcher))  # the first was not ruled on
    await assign(dispatcher, "HC")
    dispatcher.at("2026-03-09T09:00+08:00")
    assert await dispatcher.run("rule_unruled") == 0


# --- taken back --------------------------------------------------------------------------------


async def test_a_unit_takes_its_request_back_and_goes_on(dispatcher: Bench) -> None:
    """No dead end: while it waits it can do nothing else, and urgent clocks run."""
    given = (await register(dispatcher, street_light(urgency="urgent")))[STREET_LIGHT]
    asked = await ask_back(dispatcher, STREET_LIGHT, given)
    assert "withdraw_return" in asked["allowed"]
    why = {"reason": "经核实属本单位职责"}
    back = await act(dispatcher, STREET_LIGHT, given, "return-withdrawal", why)
    assert back["status"] == "dispatched"
    told = (await dispatcher.told())[-1]
    request = (await dispatcher.told("assignment.return_requested"))[0].data.request
    assert (told.name, told.data.request) == ("assignment.return_withdrawn", request)
    assert (told.data.spent, told.data.charged) == (True, False)
    await sign(dispatcher, STREET_LIGHT, given)
    again = await ask_back(dispatcher, STREET_LIGHT, given, 409)
    assert again["type"].endswith("returned-before")
    dispatcher.at("2026-03-09T09:00+08:00")
    assert await dispatcher.run("rule_unruled") == 0


async def test_who_asks_again_stands_in_the_list_once(dispatcher: Bench) -> None:
    config = dispatcher.service.store.config
    twice = config.returns.model_copy(update={"max_per_unit_and_ticket": 2})
    object.__setattr__(config, "returns", twice)
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    await act(dispatcher, STREET_LIGHT, given, "return-withdrawal", {"reason": "再核实"})
    await ask_back(dispatcher, STREET_LIGHT, given)
    page = (await dispatcher.http("desk").get("/v1/returns")).json()
    assert (len(page["items"]), page["counts"]["total"]) == (1, 1)


async def test_nothing_is_taken_back_that_was_not_asked_or_was_ruled_on(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    why = {"reason": "经核实属本单位职责"}
    await act(dispatcher, STREET_LIGHT, given, "return-withdrawal", why, 409)
    await ask_back(dispatcher, STREET_LIGHT, given)
    await rule(dispatcher, given, granted=False)
    await act(dispatcher, STREET_LIGHT, given, "return-withdrawal", why, 409)


# --- after a ruling ----------------------------------------------------------------------------


async def test_the_desk_sees_whose_it_may_be_after_a_granted_return(dispatcher: Bench) -> None:
    await freed(dispatcher)
    item = await listed(dispatcher)
    assert item["suggested_unit"] == "CG"
    assert item["nearest"]
    rules = {rule.id: rule for rule in dispatcher.service.store.config.dispatching.matcher.rules}
    assert STREET_LIGHT not in {rules[id].lead for id in item["nearest"]}
    await assign(dispatcher, "CG")
    (row,) = await dispatcher.rows("SELECT suggested_unit FROM tickets")
    assert row["suggested_unit"] is None


async def test_whom_a_ruling_names_may_not_return_it(dispatcher: Bench) -> None:
    """R-16 退单时限 (WF-22): 经研究确定的承办单位不得退回."""
    await freed(dispatcher, named_unit="ZJJ")
    assert (await listed(dispatcher))["suggested_unit"] == "ZJJ"
    await assign(dispatcher, "ZJJ")
    refused = await ask_back(dispatcher, "ZJJ", await newest(dispatcher), 409)
    assert refused["type"].endswith("return-after-ruling")


async def test_a_return_after_a_ruling_is_refused_and_on_record(dispatcher: Bench) -> None:
    """R-33 WF-22 推诿: each attempt is a fact, and leaves nothing else; to another unit there is no order."""
    await freed(dispatcher, named_unit="ZJJ")
    await assign(dispatcher, "ZJJ")
    given = await newest(dispatcher)
    for unit, status in (("ZJJ", 409), ("ZJJ", 409), ("HC", 404)):
        await ask_back(dispatcher, unit, given, status)
    told = await dispatcher.told("assignment.return_barred")
    assert [(f.key, f.actor, f.assignment, f.data.way) for f in told] == [
        ("assignment.return_barred.ZJJ", "unit:ZJJ:test", given, "return")
    ] * 2
    (count,) = await dispatcher.rows("SELECT count(*) FROM returns WHERE unit = 'ZJJ'")
    assert count == {"count": 0}


@pytest.mark.parametrize(
    "what",
    [
        {"granted": True, "named_unit": STREET_LIGHT},
        {"granted": False, "named_unit": "ZJJ"},
        {"named_unit": "NOBODY"},
    ],
)
async def test_a_ruling_that_contradicts_itself_is_refused(
    dispatcher: Bench, what: dict[str, Any]
) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await ask_back(dispatcher, STREET_LIGHT, given)
    assert (await ruled(dispatcher, given, 422, **what))["field"] == "named_unit"


async def test_nothing_goes_back_to_whose_return_was_granted(dispatcher: Bench) -> None:
    """R-15 退单: unless the desk says what overrules that; then it may not be returned any more."""
    await freed(dispatcher)
    refused = await assign(dispatcher, STREET_LIGHT, 409)
    assert refused["type"].endswith("return-granted")
    assert (refused["unit"], refused["allowed"]) == (STREET_LIGHT, ["overrules"])
    helping = await assign(dispatcher, "HC", 409, co_handlers=[STREET_LIGHT])
    assert helping["field"] == "co_handlers"
    await assign(dispatcher, "HC")
    door, helper = f"/v1/tickets/{NUMBER}/co-handlers", {"unit": STREET_LIGHT, "reason": "协助"}
    refused = await post(dispatcher.http("desk"), door, helper, 409)
    assert (refused["field"], refused["allowed"]) == ("unit", ["overrules"])
    await assign(dispatcher, STREET_LIGHT, overrules="编办函复：属其职责")
    (kept,) = await dispatcher.rows("SELECT overruled_by, overruled_reason FROM returns")
    assert kept == {"overruled_by": "desk:test", "overruled_reason": "编办函复：属其职责"}
    again = await ask_back(dispatcher, STREET_LIGHT, await newest(dispatcher), 409)
    assert again["type"].endswith("return-after-ruling")


async def test_a_later_ruling_that_names_a_unit_needs_no_other(dispatcher: Bench) -> None:
    config = dispatcher.service.store.config
    patient = config.arbitration.model_copy(update={"max_returns_before": 3})
    object.__setattr__(config, "arbitration", patient)
    await freed(dispatcher)
    await assign(dispatcher, "ZJJ")
    given = await newest(dispatcher)
    await ask_back(dispatcher, "ZJJ", given)
    await ruled(dispatcher, given, named_unit=STREET_LIGHT)
    await assign(dispatcher, STREET_LIGHT)
