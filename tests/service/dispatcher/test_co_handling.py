"""Who works on a ticket is changed, and who stays keeps all that stands (R-13, JN-29; ADR 0049)."""

from __future__ import annotations

from typing import Any

import pytest

from shared.events import Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    LICENSED,
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    banquet,
    company,
    finish,
    let_lead,
    names,
    post,
    reach,
    register,
    sign,
    statuses,
)

FIRST, SECOND, THIRD = COMPANY_CO
EVERYBODY: dict[str, Any] = {
    **{"lead": COMPANY, "co_handlers": list(COMPANY_CO), "reason": "维持"},
}


async def assign(bench: Bench, status: int = 200, **body: Any) -> Any:
    """The desk says who is to work on it."""
    path, said = f"/v1/tickets/{NUMBER}/assign", EVERYBODY | body
    await let_lead(bench, said["lead"])
    return await post(bench.http("desk"), path, said, status)


async def add(bench: Bench, unit: str, status: int = 200) -> Any:
    """The desk lets one more unit help."""
    path, body = f"/v1/tickets/{NUMBER}/co-handlers", {"unit": unit, "reason": "涉及管网"}
    return await post(bench.http("desk"), path, body, status)


async def release(bench: Bench, unit: str, status: int = 200) -> Any:
    """The desk frees a co-handler."""
    path = f"/v1/assignments/{(await assignments(bench))[unit]}/release"
    return await post(bench.http("desk"), path, {"reason": "不涉及"}, status)


async def rows(bench: Bench) -> list[dict[str, Any]]:
    """The orders of the ticket, as they stand."""
    return [dict(row) for row in await bench.rows("SELECT * FROM assignments ORDER BY id")]


def slug(answer: Any) -> str:
    return str(answer["type"]).rpartition("/")[2]


@pytest.fixture
async def at_work(dispatcher: Bench) -> Bench:
    """A company is opened: its lead has signed and reached the citizen, a co-handler has signed."""
    given = await register(dispatcher, company())
    await sign(dispatcher, COMPANY, given[COMPANY])
    await reach(dispatcher, COMPANY, given[COMPANY])
    await sign(dispatcher, FIRST, given[FIRST])
    return dispatcher


# --- re-dispatch -------------------------------------------------------------------------------


async def test_the_same_units_again_changes_nothing(at_work: Bench) -> None:
    before, told = await rows(at_work), await names(at_work)
    await assign(at_work)
    assert (await rows(at_work), await names(at_work)) == (before, told)


async def test_one_more_co_handler_touches_nobody_else(at_work: Bench) -> None:
    before, told = await rows(at_work), len(await names(at_work))
    await assign(at_work, co_handlers=[*COMPANY_CO, "HC"])
    after = await rows(at_work)
    assert after[:-1] == before
    assert (after[-1]["unit"], after[-1]["status"]) == ("HC", "dispatched")
    heard = (await at_work.told())[told:]
    assert {(fact.name, fact.unit) for fact in heard} == {
        ("assignment.dispatched", "HC"),
        *(("assignment.updated", unit) for unit in (COMPANY, *COMPANY_CO)),
    }
    [known] = {(fact.data.lead, fact.data.co_handlers) for fact in heard}
    assert known == (COMPANY, (*COMPANY_CO, "HC"))


async def test_another_lead_takes_its_order_from_the_old_one_only(at_work: Bench) -> None:
    before = {row["unit"]: row for row in await rows(at_work)}
    await assign(at_work, lead="HC")
    after = await rows(at_work)
    assert [row for row in after if row["role"] == "co"] == [before[unit] for unit in COMPANY_CO]
    assert [row["status"] for row in after if row["role"] == "lead"] == ["cancelled", "dispatched"]


async def test_who_changes_its_role_keeps_handler_contacts_and_progress(at_work: Bench) -> None:
    """A new order, for lead and co-handler have other duties; but nobody signs twice for one matter."""
    await assign(at_work, lead=FIRST, co_handlers=[COMPANY, SECOND])
    now = {row["unit"]: row for row in await rows(at_work)}
    assert (now[FIRST]["role"], now[FIRST]["status"], now[FIRST]["handler"]) == (
        "lead",
        "signed",
        "张三",
    )
    assert (now[COMPANY]["role"], now[COMPANY]["status"]) == ("co", "contacted")
    assert (now[COMPANY]["attempts"], now[COMPANY]["reached"]) == (1, True)
    assert (now[SECOND]["status"], now[THIRD]["status"]) == ("dispatched", "cancelled")
    for name, units in (("signed", [FIRST, COMPANY]), ("contacted", [COMPANY])):
        told = {fact.assignment for fact in await at_work.told(f"assignment.{name}")}
        assert {now[unit]["id"] for unit in units} <= told


async def test_a_co_handler_that_answered_need_not_answer_another_lead_again(
    at_work: Bench,
) -> None:
    await act(at_work, FIRST, (await assignments(at_work))[FIRST], "completion", DONE)
    await assign(at_work, lead="HC")
    assert [status for unit, _, status in await statuses(at_work) if unit == FIRST] == ["completed"]


async def test_more_time_is_told_to_who_stays(at_work: Bench) -> None:
    before = [row["id"] for row in await rows(at_work)]
    await assign(at_work, urgency=Urgency.COMPLEX)
    after = await rows(at_work)
    assert [row["id"] for row in after] == before
    assert {row["urgency"] for row in after} == {"complex"}
    told = await at_work.told("assignment.updated")
    assert {(fact.data.urgency, fact.unit) for fact in told} == {
        ("complex", unit) for unit in (COMPANY, *COMPANY_CO)
    }


async def test_more_urgent_only_the_unsigned_get_a_new_order(at_work: Bench) -> None:
    """As after a correction (ADR 0045): who has signed is told."""
    await assign(at_work, urgency=Urgency.URGENT)
    found = [(row["unit"], row["status"]) for row in await rows(at_work)]
    assert (COMPANY, "cancelled") not in found
    assert (FIRST, "cancelled") not in found
    assert {(unit, "cancelled") for unit in (SECOND, THIRD)} <= set(found)
    assert {row["urgency"] for row in await rows(at_work) if row["status"] != "cancelled"} == {
        "urgent"
    }


async def test_a_recalled_ticket_is_given_to_all_anew(at_work: Bench) -> None:
    await post(at_work.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "核实"})
    await assign(at_work)
    assert [row["status"] for row in await rows(at_work)] == ["cancelled"] * 4 + ["dispatched"] * 4


async def test_the_lead_is_no_co_handler_of_its_own(at_work: Bench) -> None:
    """Bad input: a co-handler that is the lead is refused, and nothing is done."""
    before = await rows(at_work)
    assert slug(await assign(at_work, 422, co_handlers=[FIRST, COMPANY])) == "co-handler-is-lead"
    answer = await add(at_work, COMPANY, 422)
    assert (slug(answer), answer["field"]) == ("co-handler-is-lead", "unit")
    assert await rows(at_work) == before


# --- one co-handler ----------------------------------------------------------------------------


async def test_a_co_handler_is_added_and_released_without_touching_others(at_work: Bench) -> None:
    before = await rows(at_work)
    await add(at_work, "HC")
    await add(at_work, "HC")  # it helps already: nothing more is done
    assert (await rows(at_work))[:-1] == before
    answer = await release(at_work, "HC")
    assert answer["assignments"][-1]["status"] == "cancelled"
    assert (await rows(at_work))[:-1] == before
    assert (await at_work.told("assignment.cancelled"))[-1].unit == "HC"
    last = (await at_work.told("assignment.updated"))[-1]
    assert (last.data.lead, last.data.co_handlers) == (COMPANY, COMPANY_CO)


async def test_only_a_co_handler_at_work_is_released(at_work: Bench) -> None:
    await release(at_work, COMPANY, 409)
    await release(at_work, THIRD)
    await release(at_work, THIRD, 409)


async def test_what_no_lead_has_gets_no_co_handler(dispatcher: Bench) -> None:
    await register(dispatcher, banquet())
    assert slug(await add(dispatcher, "MZJ", 409)) == "move-refused"


async def test_who_must_stand_back_does_not_help(dispatcher: Bench) -> None:
    """R-35 回避."""
    await register(dispatcher, banquet(reported_unit="HC"))
    await assign(dispatcher, lead="MZJ", co_handlers=[])
    answer = await add(dispatcher, "HC", 409)
    assert (slug(answer), answer["field"]) == ("recused", "unit")


# --- who is silent -----------------------------------------------------------------------------


async def press(bench: Bench, who: str = COMPANY, status: int = 200, **body: Any) -> Any:
    """The lead presses a co-handler."""
    given = await assignments(bench)
    said = {"unit": THIRD, "note": "请今日答复"} | body
    return await act(bench, who, given[who], "press", said, status)


async def test_a_silent_co_handler_is_pressed_by_its_lead(at_work: Bench) -> None:
    """R-13: first it alone hears, then the desk sees it in its list until something is done."""
    await press(at_work)
    told = (await at_work.told("assignment.updated"))[-1]
    assert (told.unit, told.data.kind) == (THIRD, "urged")
    assert "请今日答复" in told.data.content
    page = (await at_work.http("desk").get("/v1/unassigned")).json()
    assert page["items"] == []
    await press(at_work, desk=True)
    assert (await at_work.http("desk").get("/v1/unassigned")).json()["items"] == []
    [item] = (await pressed(at_work))["items"]
    assert (item["unit"], item["by"], item["note"]) == (THIRD, COMPANY, "请今日答复")
    assert item["due"] == "2026-03-02T01:30:00Z"  # what the desk has for dispatching it
    await release(at_work, THIRD)
    assert (await pressed(at_work))["items"] == []


async def pressed(bench: Bench) -> Any:
    """The desk's list of presses."""
    return (await bench.http("desk").get("/v1/presses")).json()


async def test_who_is_pressed_twice_is_on_the_list_once_and_due_since_the_first(
    at_work: Bench,
) -> None:
    await press(at_work, desk=True)
    at_work.at("2026-03-02T10:00+08:00")
    await press(at_work, desk=True, note="仍未答复")
    page = await pressed(at_work)
    assert page["counts"] == {"total": 1, "overdue": 1, "urgencies": {"normal": 1}}
    [item] = page["items"]
    assert (item["note"], item["due"]) == ("仍未答复", "2026-03-02T01:30:00Z")


@pytest.mark.parametrize("moves", ["sign", "return", "confirm"])
async def test_a_press_ends_when_its_unit_moves_or_the_desk_says_who_has_it(
    at_work: Bench, moves: str
) -> None:
    await press(at_work, desk=True)
    order = (await assignments(at_work))[THIRD]
    match moves:
        case "sign":
            await sign(at_work, THIRD, order)
        case "return":
            await ask_back(at_work, THIRD, order)
        case "confirm":
            await assign(at_work)
    assert (await pressed(at_work))["items"] == []


async def test_only_a_lead_presses_and_only_its_co_handlers(at_work: Bench) -> None:
    await press(at_work, FIRST, 409)
    assert (await press(at_work, status=422, unit="HC"))["allowed"] == sorted(COMPANY_CO)


async def complete(bench: Bench, status: int = 200, **body: Any) -> Any:
    """The lead completes."""
    given = await assignments(bench)
    return await act(bench, COMPANY, given[COMPANY], "completion", LICENSED | body, status)


async def test_after_its_limit_the_lead_goes_on_without_a_co_handler(at_work: Bench) -> None:
    """R-13: on record, and the return nobody ruled on does not hold up the citizen's answer."""
    given = await assignments(at_work)
    for unit in (FIRST, SECOND):
        await (finish(at_work, unit, given[unit]) if unit == SECOND else _done(at_work, unit))
    await ask_back(at_work, THIRD, given[THIRD])
    assert (await complete(at_work, 409))["units"] == [THIRD]
    early = await complete(at_work, 409, without=[THIRD])
    assert (slug(early), list(early["units"])) == ("co-handler-in-time", [THIRD])
    at_work.at("2026-03-12T10:00+08:00")
    assert slug(await complete(at_work, 422, without=[FIRST])) == "unknown-code"
    assert (await complete(at_work, without=[THIRD]))["status"] == "completed"
    completed = (await at_work.told("assignment.completed"))[-1]
    assert completed.data.without == (THIRD,)
    [resolved] = await at_work.told("ticket.resolved")
    assert set(resolved.data.units) == {COMPANY, FIRST, SECOND}
    assert (THIRD, 1, "cancelled") in await statuses(at_work)


async def _done(bench: Bench, unit: str) -> None:
    await act(bench, unit, (await assignments(bench))[unit], "completion", DONE)


async def test_one_that_leads_alone_has_nobody_to_go_on_without(dispatcher: Bench) -> None:
    given = await register(dispatcher)
    await sign(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    await reach(dispatcher, STREET_LIGHT, given[STREET_LIGHT])
    body = DONE | {"without": ["HC"]}
    answer = await act(dispatcher, STREET_LIGHT, given[STREET_LIGHT], "completion", body, 422)
    assert (answer["field"], answer["allowed"]) == ("without", [])
