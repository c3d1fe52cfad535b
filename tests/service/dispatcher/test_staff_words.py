"""Words of staff: nobody's number leaves in them, the office's own stays, and the unit is told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    DONE,
    RETURN,
    STREET_LIGHT,
    act,
    audit,
    reach,
    register,
    sign,
)

PHONE = "138-0000-1111"
ANSWER = "请拨打抢修电话0915-4421234，或张工13800001111，12345、95598、400-123-4567也可以。"


async def answered(dispatcher: Bench, **changes: Any) -> Any:
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    done = await act(dispatcher, STREET_LIGHT, given, "completion", DONE | changes)
    if done["pending"]:  # whose number it is that was taken out, the desk looks at
        await audit(dispatcher, given)
    return done


async def test_who_completes_is_told_what_was_taken_out_of_the_public_answer(
    dispatcher: Bench,
) -> None:
    """R-21: the citizen reads the answer, and needs the number to call."""
    body = await answered(dispatcher, public_answer=ANSWER)
    [warning] = body["warnings"]
    assert (warning["field"], warning["code"]) == ("public_answer", "number-masked")
    assert "[电话] 2 处" in warning["detail"]
    assert "13800001111" not in str(body)
    told = (await dispatcher.told("ticket.resolved"))[0].data.public_answer
    assert told == ANSWER.replace("0915-4421234", "[电话]").replace("13800001111", "[电话]")


async def test_what_the_unit_confirms_stays(dispatcher: Bench) -> None:
    body = await answered(dispatcher, public_answer=ANSWER, public_numbers=["0915-4421234"])
    assert "[电话] 1 处" in body["warnings"][0]["detail"]
    told = (await dispatcher.told("ticket.resolved"))[0].data.public_answer
    assert told == ANSWER.replace("13800001111", "[电话]")


async def test_an_answer_without_numbers_warns_of_nothing(dispatcher: Bench) -> None:
    assert (await answered(dispatcher))["warnings"] == []


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("sign", {"handler": f"张三{PHONE}"}),
        ("return-requests", RETURN | {"approver": f"李四{PHONE}", "note": PHONE}),
    ],
)
async def test_no_number_leaves_beside_a_name(
    dispatcher: Bench, what: str, body: dict[str, Any]
) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    answer = await act(dispatcher, STREET_LIGHT, given, what, body)
    facts = "".join([fact.data.model_dump_json() for fact in await dispatcher.told()])
    assert PHONE not in facts + str(answer)
    assert "[电话]" in facts


async def test_nor_in_who_signed_it_off(dispatcher: Bench) -> None:
    await answered(dispatcher, signed_off_by=f"王局长{PHONE}")
    [fact] = await dispatcher.told("assignment.completed")
    assert fact.data.signed_off_by == "王局长[电话]"
