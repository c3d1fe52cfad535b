"""经办人: the person of a unit who handles an order, by name and by account (专人负责; ADR 0059)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    finish,
    let_lead,
    post,
    register,
    sign,
)

BY_ACCOUNT = {"handler": "李四", "handler_account": "lisi"}
CHANGED = {"handler": "王五", "handler_account": "wangwu", "reason": "轮班"}


async def order_of(bench: Bench) -> Any:
    return (await assignments(bench))[STREET_LIGHT]


async def listed(bench: Bench, name: str, role: str = "unit", **query: Any) -> Any:
    client = bench.http(role, STREET_LIGHT if role == "unit" else None, name=name)
    return await client.get(f"/v1/units/{STREET_LIGHT}/orders", params=query)


def slug(answer: Any) -> str:
    return str(answer["type"]).rpartition("/")[2]


async def test_who_signs_may_say_the_account_and_need_not(dispatcher: Bench) -> None:
    await register(dispatcher)
    signed = await act(dispatcher, STREET_LIGHT, await order_of(dispatcher), "sign", BY_ACCOUNT)
    assert (signed["handler"], signed["handler_account"]) == ("李四", "lisi")
    [told] = await dispatcher.told("assignment.signed")
    assert (told.data.handler, told.data.handler_account) == ("李四", "lisi")
    await register(dispatcher, number="20260302-000002")
    order = (await assignments(dispatcher, "20260302-000002"))[STREET_LIGHT]
    assert (await sign(dispatcher, STREET_LIGHT, order))["handler_account"] is None


async def test_a_person_lists_what_is_theirs(dispatcher: Bench) -> None:
    for at in (1, 2, 3):
        number = f"20260302-00000{at}"
        await register(dispatcher, number=number)
        order = (await assignments(dispatcher, number))[STREET_LIGHT]
        said = BY_ACCOUNT if at < 3 else {"handler": "lisi"}  # words are no account
        await act(dispatcher, STREET_LIGHT, order, "sign", said)
    answer = (await listed(dispatcher, "lisi", mine=True)).json()
    assert [each["number"][-1] for each in answer["items"]] == ["1", "2"]
    assert answer["counts"]["handlers"] == [{"handler": "李四", "account": "lisi", "orders": 2}]
    assert (await listed(dispatcher, "wangwu", mine=True)).json()["items"] == []
    assert (await listed(dispatcher, "wangwu")).json()["counts"]["total"] == 3


async def test_an_account_of_another_role_is_another_person(dispatcher: Bench) -> None:
    answer = await listed(dispatcher, "lisi", role="desk", mine=True)
    assert (answer.status_code, answer.json()["field"]) == (422, "mine")


@pytest.mark.parametrize("account", ["13909150001", "0915-4421234", "li@example.cn"])
async def test_an_account_that_is_a_persons_number_is_refused(
    dispatcher: Bench, account: str
) -> None:
    """It would stand in facts and lists unmasked (R-36)."""
    await register(dispatcher)
    said = BY_ACCOUNT | {"handler_account": account}
    order = await order_of(dispatcher)
    refused = await act(dispatcher, STREET_LIGHT, order, "sign", said, 422)
    assert "handler_account" in str(refused)


# --- another person goes on ------------------------------------------------------------------------


async def test_another_goes_on_where_it_stands_and_no_clock_hears(dispatcher: Bench) -> None:
    await register(dispatcher)
    order = await order_of(dispatcher)
    await act(dispatcher, STREET_LIGHT, order, "sign", BY_ACCOUNT)
    [before] = await dispatcher.rows("SELECT * FROM assignments")
    shown = await act(dispatcher, STREET_LIGHT, order, "handler", CHANGED)
    assert (shown["handler"], shown["handler_account"]) == ("王五", "wangwu")
    [after] = await dispatcher.rows("SELECT * FROM assignments")
    assert after == before | {"handler": "王五", "handler_account": "wangwu"}
    told = (await dispatcher.told())[-1]
    assert (told.name, told.unit) == ("assignment.updated", STREET_LIGHT)
    assert (told.data.handler, told.data.handler_account) == ("王五", "wangwu")
    assert (told.data.limits, told.data.urgency, told.data.resumes) == (None, None, False)
    assert "李四" in told.data.content
    assert "轮班" in told.data.content


async def test_who_has_it_already_keeps_it(dispatcher: Bench) -> None:
    await register(dispatcher)
    order = await order_of(dispatcher)
    await act(dispatcher, STREET_LIGHT, order, "sign", BY_ACCOUNT)
    told = len(await dispatcher.told())
    await act(dispatcher, STREET_LIGHT, order, "handler", BY_ACCOUNT | {"reason": "轮班"})
    assert len(await dispatcher.told()) == told


async def test_also_while_a_return_waits(dispatcher: Bench) -> None:
    await register(dispatcher)
    order = await order_of(dispatcher)
    await act(dispatcher, STREET_LIGHT, order, "sign", BY_ACCOUNT)
    await ask_back(dispatcher, STREET_LIGHT, order)
    shown = await act(dispatcher, STREET_LIGHT, order, "handler", CHANGED)
    assert (shown["status"], shown["handler"]) == ("return_requested", "王五")


async def test_nobody_handles_what_is_unsigned_or_over(dispatcher: Bench) -> None:
    """Signing names the handler; what is over needs none."""
    await register(dispatcher)
    order = await order_of(dispatcher)
    early = await act(dispatcher, STREET_LIGHT, order, "handler", CHANGED, 409)
    assert (slug(early), early["current_status"]) == ("move-refused", "dispatched")
    await finish(dispatcher, STREET_LIGHT, order)
    late = await act(dispatcher, STREET_LIGHT, order, "handler", CHANGED, 409)
    assert (slug(late), late["current_status"]) == ("move-refused", "completed")


async def test_no_other_unit_names_the_handler(dispatcher: Bench) -> None:
    await register(dispatcher)
    order = await order_of(dispatcher)
    await act(dispatcher, STREET_LIGHT, order, "sign", BY_ACCOUNT)
    await act(dispatcher, "HC", order, "handler", CHANGED, 404)


async def test_in_another_role_the_handler_stays_with_the_account(dispatcher: Bench) -> None:
    await register(dispatcher)
    await act(dispatcher, STREET_LIGHT, await order_of(dispatcher), "sign", BY_ACCOUNT)
    body = {"lead": "HC", "co_handlers": [STREET_LIGHT], "reason": "属地主办"}
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    again = (await dispatcher.told("assignment.signed"))[-1]
    assert (again.data.handler, again.data.handler_account) == ("李四", "lisi")
    assert (await listed(dispatcher, "lisi", mine=True)).json()["counts"]["total"] == 1
