"""What comes later: a danger in a supplement, why an order was taken away, what who lost it may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import (
    ClosingKind,
    TicketClosed,
    TicketCorrected,
    TicketMerged,
    TicketReopened,
    TicketSupplemented,
    TicketUnmerged,
    TicketUrged,
    TicketWithdrawn,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    COMPANY,
    COMPANY_CO,
    DONE,
    NUMBER,
    STREET_LIGHT,
    act,
    ask_back,
    banquet,
    company,
    finish_all,
    let_lead,
    post,
    reach,
    register,
    rule,
    sign,
    street_light,
)

CERTAIN, DOUBTFUL = "灯杆漏电，有人触电倒地，被困在水里", "路灯不亮，我想死的心都有了"
OTHER = "20260302-000002"


def later(bench: Bench, content: str, number: str = NUMBER) -> Any:
    return bench.fact(TicketSupplemented(content=content), subject=number)


async def unassigned(bench: Bench) -> list[Any]:
    found: list[Any] = (await bench.http("desk").get("/v1/unassigned")).json()["items"]
    return found


# --- a danger reported later -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["supplement", "urge", "reopened"])
async def test_a_certain_danger_makes_the_order_critical(dispatcher: Bench, how: str) -> None:
    """R-06: the unit at work hears it, its limits follow; whoever has not signed gets it anew."""
    given = (await register(dispatcher))[STREET_LIGHT]
    if how == "reopened":
        await finish_all(dispatcher, STREET_LIGHT)
        data = TicketReopened(reasons=("not_solved",), comment=CERTAIN)
        await dispatcher.hear(dispatcher.fact(data, subject=NUMBER, round=2))
        _, again = await dispatcher.told("assignment.dispatched")  # once, as urgent as it is
        assert (again.round, again.data.urgency) == (2, "critical")
        return
    await sign(dispatcher, STREET_LIGHT, given)
    said = TicketSupplemented(content=CERTAIN) if how == "supplement" else None
    await dispatcher.hear(
        dispatcher.fact(said or TicketUrged(note=CERTAIN, times=1), subject=NUMBER)
    )
    newest = (await dispatcher.told("assignment.updated"))[-1]
    assert (newest.data.kind, newest.data.urgency) == ("urged", "critical")
    assert newest.data.limits.handle == "2h"
    await dispatcher.hear(later(dispatcher, "已经没事了，不急"))
    (row,) = await dispatcher.rows("SELECT urgency FROM tickets")
    assert row["urgency"] == "critical"  # never lowered by a later text


@pytest.mark.parametrize("answer", ["off the point", "passed"])
async def test_a_danger_said_after_the_answer_is_the_desks_at_once(
    dispatcher: Bench, answer: str
) -> None:
    """R-06: nobody is at work who would go, and a call-back may be a day away."""
    given = (await register(dispatcher))[STREET_LIGHT]
    await sign(dispatcher, STREET_LIGHT, given)
    await reach(dispatcher, STREET_LIGHT, given)
    off = {"public_answer": "社保缴费请到服务大厅咨询窗口"} if answer == "off the point" else {}
    await act(dispatcher, STREET_LIGHT, given, "completion", DONE | off)
    assert await unassigned(dispatcher) == []
    await dispatcher.hear(later(dispatcher, CERTAIN))
    (item,) = await unassigned(dispatcher)
    assert (item["urgency"], item["doubted"]) == ("critical", True)
    assert item["reason"].startswith("险情")
    if answer == "passed":
        closed = TicketClosed(kind=ClosingKind.SATISFIED)
        await dispatcher.hear(dispatcher.fact(closed, subject=NUMBER))
        assert await unassigned(dispatcher) == []


async def test_a_certain_danger_moves_the_desks_clock_where_nobody_has_it(
    dispatcher: Bench,
) -> None:
    await register(dispatcher, banquet())
    await dispatcher.hear(later(dispatcher, CERTAIN))
    said = (await dispatcher.told("ticket.unassigned"))[-1]
    assert (said.data.urgency, said.data.anew) == ("critical", False)


async def test_a_doubtful_one_is_first_on_the_desks_list_and_the_units(dispatcher: Bench) -> None:
    given = (await register(dispatcher))[STREET_LIGHT]
    await register(dispatcher, street_light(), "20260302-000003")
    await register(dispatcher, banquet(urgency="urgent"), OTHER)
    await dispatcher.hear(later(dispatcher, DOUBTFUL))
    first, *_ = await unassigned(dispatcher)
    assert (first["number"], first["doubted"], first["urgency"]) == (NUMBER, True, "normal")
    assert first["reason"].startswith("疑似险情（轻生）：诉求人后来所说的“想死”")
    kinds = [fact.data.kind for fact in await dispatcher.told("assignment.updated")]
    assert kinds == ["supplemented", "urged"]
    client = dispatcher.http("unit", STREET_LIGHT)
    orders = (await client.get(f"/v1/units/{STREET_LIGHT}/orders")).json()["items"]
    assert orders[0]["id"] == str(given)
    body = {"lead": STREET_LIGHT, "reason": "已电话核实，无险情"}
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", body)
    assert [item["number"] for item in await unassigned(dispatcher)] == [OTHER]


async def test_one_more_unit_does_not_take_a_doubtful_one_off_the_desk(dispatcher: Bench) -> None:
    """Who adds a co-handler has not said that there is no danger."""
    await register(dispatcher)
    await dispatcher.hear(later(dispatcher, DOUBTFUL))
    [before] = await dispatcher.rows("SELECT alarmed_at, doubted_at FROM tickets")
    path = f"/v1/tickets/{NUMBER}/co-handlers"
    await post(dispatcher.http("desk"), path, {"unit": "MZJ", "reason": "上门看望"})
    assert await dispatcher.rows("SELECT alarmed_at, doubted_at FROM tickets") == [before]
    assert before["alarmed_at"]
    first, *_ = await unassigned(dispatcher)
    assert first["number"] == NUMBER


async def test_a_doubtful_one_where_nobody_has_it_is_read_first(dispatcher: Bench) -> None:
    await register(dispatcher, banquet(), OTHER)
    await register(dispatcher, banquet())
    await dispatcher.hear(later(dispatcher, DOUBTFUL))
    first, _ = await unassigned(dispatcher)
    assert first["number"] == NUMBER
    assert first["reason"].startswith("疑似险情（轻生）")


async def test_a_danger_of_who_waits_with_others_hurries_their_work(dispatcher: Bench) -> None:
    await register(dispatcher)
    await register(dispatcher, number=OTHER)
    merged = TicketMerged(into=NUMBER, reason="同一处")
    await dispatcher.hear(dispatcher.fact(merged, subject=OTHER))
    await dispatcher.hear(later(dispatcher, CERTAIN, OTHER))
    newest = (await dispatcher.told("assignment.dispatched"))[-1]
    assert (newest.subject, newest.data.urgency) == (NUMBER, "critical")


# --- why an order was taken away ---------------------------------------------------------------


async def whys(bench: Bench) -> list[str | None]:
    """What the units that lost an order were told."""
    return [fact.data.why for fact in await bench.told("assignment.cancelled")]


async def test_a_unit_that_loses_an_order_hears_why(dispatcher: Bench) -> None:
    await register(dispatcher, company())
    desk = dispatcher.http("desk")
    await post(desk, f"/v1/tickets/{NUMBER}/assign", {"lead": "SPJ", "reason": "并联审批"})
    assert {why and why.partition(" ")[0] for why in await whys(dispatcher)} == {
        "派单员改派：并联审批"
    }
    await post(desk, f"/v1/tickets/{NUMBER}/recall", {"reason": "派错了"})
    last = (await whys(dispatcher))[-1]
    assert last
    assert last.startswith("派单员收回：派错了")


async def test_co_handlers_hear_that_the_leads_return_was_granted(dispatcher: Bench) -> None:
    given = await register(dispatcher, company())
    await ask_back(dispatcher, COMPANY, given[COMPANY])
    await rule(dispatcher, given[COMPANY], granted=True)
    found = await whys(dispatcher)
    assert len(found) == len(COMPANY_CO)
    assert all(why and "退单获准" in why for why in found)


async def test_a_correction_that_moves_an_order_says_so(dispatcher: Bench) -> None:
    await register(dispatcher)
    data = TicketCorrected(fields=("topic",), reason="记错了", topic="water.supply")
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    (why,) = await whys(dispatcher)
    assert why
    assert "更正" in why


@pytest.mark.parametrize(
    ("said", "reason"), [("城管局不管路灯", "改派"), ("路灯坏了一周", "市民投诉城管局推诿")]
)
async def test_whom_demand_or_desk_name_hears_no_words(
    dispatcher: Bench, said: str, reason: str
) -> None:
    """R-35: nobody has stated yet whom it is about, and the desk writes what it pleases."""
    await register(dispatcher, street_light(content=said))
    order = {"lead": "HC", "reason": reason}
    await let_lead(dispatcher, "HC")
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/assign", order)
    assert await whys(dispatcher) == [None]


async def test_who_must_stand_back_and_who_had_a_secret_hear_no_words(dispatcher: Bench) -> None:
    """R-35: why it lost it would tell a unit that it is complained of."""
    await register(dispatcher)
    reported = {"units": (STREET_LIGHT,), "words": (), "nobody": False}
    data = TicketCorrected.model_validate(
        {"fields": ("reported",), "reason": "核实", "reported": reported}
    )
    await dispatcher.hear(dispatcher.fact(data, subject=NUMBER))
    await register(dispatcher, street_light(confidential=True), OTHER)
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=OTHER))
    assert await whys(dispatcher) == [None, None]


# --- what who lost a report may still read -----------------------------------------------------


@pytest.fixture
async def lost(dispatcher: Bench) -> UUID:
    """A report that was moved from one unit to another: the first one's order."""
    await register(dispatcher, banquet(confidential=False))
    desk = dispatcher.http("desk")
    first = {"lead": "MZJ", "reason": "先查"}
    given = await post(desk, f"/v1/tickets/{NUMBER}/assign", first)
    await dispatcher.hear(later(dispatcher, "今晚还有二十桌"))
    await post(desk, f"/v1/tickets/{NUMBER}/assign", {"lead": "SFJ", "reason": "改派"})
    return UUID(given["assignments"][0]["id"])


async def test_a_moved_away_report_is_read_in_no_list(dispatcher: Bench, lost: UUID) -> None:
    """R-35, R-36: it sees that it had it, and that it has it no more."""
    client = dispatcher.http("unit", "MZJ")
    page = (await client.get("/v1/units/MZJ/assignments")).json()
    own = (await client.get(f"/v1/tickets/{NUMBER}/assignments")).json()
    (item,), (same,) = page["items"], own["assignments"]
    assert item == same
    assert (item["id"], item["status"]) == (str(lost), "cancelled")
    for answer in (page, own):
        assert "酒" not in str(answer)
        assert "二十桌" not in str(answer)
    assert (await client.get("/v1/units/MZJ/orders")).json()["items"] == []
    assert (await client.get(f"/v1/assignments/{lost}/supplements")).status_code == 404
    shown = (await dispatcher.http("desk").get(f"/v1/tickets/{NUMBER}/assignments")).json()
    assert "大办酒席" in str(shown)


async def test_nor_is_it_in_the_feed_read_again(dispatcher: Bench, lost: UUID) -> None:
    await dispatcher.run("number_feed")
    page = (await dispatcher.http("unit", "MZJ").get("/v1/units/MZJ/feed")).json()
    assert [item["fact"]["type"].split(".")[-2] for item in page["items"]] == ["cancelled"]
    assert page["items"][0]["fact"]["assignment"] == str(lost)
    whole = (await dispatcher.http("desk").get("/v1/units/MZJ/feed")).json()
    assert len(whole["items"]) == 3


async def test_what_is_no_report_stays_readable(dispatcher: Bench) -> None:
    await register(dispatcher)
    await post(dispatcher.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "派错了"})
    page = (
        await dispatcher.http("unit", STREET_LIGHT).get(f"/v1/units/{STREET_LIGHT}/assignments")
    ).json()
    assert page["items"][0]["title"] == "路灯不亮"


# --- what falls back to the desk has its clock -------------------------------------------------


async def merged(bench: Bench, **second: Any) -> None:
    """Two tickets, one work; the unit of the first has it."""
    await register(bench)
    await register(bench, street_light(**second), OTHER)
    data = TicketMerged(into=NUMBER, reason="同一处")
    await bench.hear(bench.fact(data, subject=OTHER))


async def test_parted_by_a_correction_it_is_clocked_anew(dispatcher: Bench) -> None:
    """No fact of intake parts it, so nothing else lets the desk's clock begin."""
    await merged(dispatcher)
    reported = {"units": (STREET_LIGHT,), "words": (), "nobody": False}
    data = TicketCorrected.model_validate(
        {"fields": ("reported",), "reason": "核实", "reported": reported}
    )
    await dispatcher.hear(dispatcher.fact(data, subject=OTHER))
    (left,) = await dispatcher.told("ticket.unassigned")
    assert (left.subject, left.data.anew) == (OTHER, True)


async def test_unmerged_its_own_fact_lets_the_clock_begin(dispatcher: Bench) -> None:
    await merged(dispatcher, topic="other.unclear")
    data = TicketUnmerged(parted_from=NUMBER, reason="两回事")
    await dispatcher.hear(dispatcher.fact(data, subject=OTHER))
    left = (await dispatcher.told("ticket.unassigned"))[-1]
    assert (left.subject, left.data.anew) == (OTHER, False)


async def test_left_by_who_held_the_work_it_is_clocked_anew(dispatcher: Bench) -> None:
    """The one with the orders is withdrawn, and its units may not have the next."""
    await merged(dispatcher)
    await dispatcher.do(
        "UPDATE tickets SET matter = matter || jsonb_build_object("
        "'type', 'report', 'reported_unit', CAST(:unit AS text)) WHERE number = :number",
        unit=STREET_LIGHT,
        number=OTHER,
    )
    await dispatcher.hear(dispatcher.fact(TicketWithdrawn(reason="不办了"), subject=NUMBER))
    left = (await dispatcher.told("ticket.unassigned"))[-1]
    assert (left.subject, left.data.anew) == (OTHER, True)
