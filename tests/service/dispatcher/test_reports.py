"""举报: a report that names no reported unit is the desk's (R-35, JN-32), and stands where it is seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.events import Fact, Reported, TicketRegistered, TicketSupplemented
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    names,
    post,
    register,
    street_light,
)

# Invented, as people of the county would say it: who they accuse stands in the words only.
REPORTS: Sequence[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "reports.json").read_text(encoding="utf-8")
)
RANKS = ("critical", "urgent", "normal")


def told(bench: Bench, **given: Any) -> list[Fact]:
    """Every report as intake says it, under a number of its own."""
    return [
        bench.fact(
            TicketRegistered.model_validate({"urgency": "normal", **each, **given}),
            subject=f"20260302-{count:06d}",
        )
        for count, each in enumerate(REPORTS, 1)
    ]


@pytest.mark.parametrize("confidential", [True, False])
async def test_no_rule_dispatches_a_report_that_names_nobody(
    dispatcher: Bench, confidential: bool
) -> None:
    assert len({report["content"] for report in REPORTS}) == 60
    await dispatcher.hear(*told(dispatcher, type="report", confidential=confidential))
    assert await names(dispatcher) == ["ticket.unassigned"] * 60
    page = (await dispatcher.http("desk").get("/v1/unassigned?limit=100")).json()
    assert len(page["items"]) == 60
    for item in page["items"]:
        zh, _, en = item["reason"].partition(" / ")
        assert "举报件未注明被举报单位" in zh
        assert "A report that names no reported unit is never dispatched by rule" in en
        assert item["nearest"] or item["topic"].startswith("other.")


async def test_the_same_words_as_a_complaint_go_by_rule(dispatcher: Bench) -> None:
    """So the test above says something: rules cover nearly all of them."""
    await dispatcher.hear(*told(dispatcher, type="complaint"))
    waiting = await dispatcher.told("ticket.unassigned")
    assert [REPORTS[int(fact.subject[-6:]) - 1]["topic"] for fact in waiting] == [
        "conduct.banquet",
        "conduct.banquet",
    ]


async def test_a_report_on_a_named_unit_goes_by_rule_to_others(dispatcher: Bench) -> None:
    given = await register(dispatcher, street_light(type="report", reported_unit="SCJG"))
    assert list(given) == ["CGZF"]


# --- where the desk sees it --------------------------------------------------------------------


async def test_the_desk_sees_life_and_death_first(dispatcher: Bench) -> None:
    await dispatcher.hear(*told(dispatcher, type="report"))
    got: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 7}
    while query.get("after", "") is not None:
        page = (await dispatcher.http("desk").get("/v1/unassigned", params=query)).json()
        got += page["items"]
        query["after"] = page["next"]
    places = [(RANKS.index(item["urgency"]), item["number"]) for item in got]
    assert len(places) == 60
    assert places == sorted(places)
    assert [rank for rank, _ in places[:8]] == [0, 1, 1, 1, 1, 2, 2, 2]


async def test_a_cursor_of_the_release_before_begins_the_list_anew(dispatcher: Bench) -> None:
    """It was a number alone: nothing is passed over, and what was seen is seen again."""
    await dispatcher.hear(*told(dispatcher, type="report"))
    path = "/v1/unassigned"
    async with dispatcher.service.store.act("desk:test") as act:
        listed = f"GET {path}\n20260302-000059".encode()
        after = f"20260302-000059~{act.store.fingerprint(listed)[:16]}"
    client = dispatcher.http("desk")
    again = (await client.get(path, params={"after": after, "limit": 500})).json()
    assert again == (await client.get(path, params={"limit": 500})).json()


async def test_by_hand_a_report_goes_to_whom_a_person_names(dispatcher: Bench) -> None:
    await register(dispatcher, street_light(type="report"))
    body = {"lead": "ZJJ", "reason": "经核实与该单位无利害关系"}
    answer = await post(dispatcher.http("desk"), "/v1/tickets/20260302-000001/assign", body)
    assert [each["unit"] for each in answer["assignments"]] == ["ZJJ"]


# --- by hand, while nobody has stated whom it is about --------------------------------------------


@pytest.mark.parametrize("later", [False, True])
async def test_by_hand_a_report_does_not_go_to_whom_it_names(
    dispatcher: Bench, later: bool
) -> None:
    """In its text or in what the citizen added; the desk reads why, and what it may do instead."""
    words = "红椿镇政府的人在里面入股"
    given = {} if later else {"content": words}
    await register(dispatcher, street_light(type="report", **given))
    if later:
        said = TicketSupplemented(content=words)
        await dispatcher.hear(dispatcher.fact(said, subject=NUMBER))
    path, desk = f"/v1/tickets/{NUMBER}/assign", dispatcher.http("desk")
    for unit, kin in (("HC", ""), ("ZFB", "，“紫阳县人民政府办公室”系其上下级单位")):
        problem = await post(desk, path, {"lead": unit, "reason": "指定"}, 409)
        assert (problem["type"].rpartition("/")[2], problem["unit"]) == ("recused", unit)
        assert problem["detail"].partition(" / ")[0] == (
            f"举报件未注明被反映对象，文中提到的“红椿镇政府”指“红椿镇”{kin}，须回避："
            "请先更正，注明被反映对象（reported）或不涉及行政机关（nobody），再指定"
        )
    await post(desk, path, {"lead": "SCJG", "reason": "指定"})


async def test_the_desk_reads_who_is_recused_and_why(dispatcher: Bench) -> None:
    report = street_light(type="report", content="供水公司抄表员要红包")
    await register(dispatcher, report)
    stated = report.model_copy(update={"reported": Reported(units=("GAJ",), words=("村主任",))})
    await register(dispatcher, stated, "20260302-000002")
    items = (await dispatcher.http("desk").get("/v1/unassigned")).json()["items"]
    assert items[0]["shield"]["mentioned"] == ["供水公司", "抄表员"]
    assert {"GSGS", "SLJ"} <= set(items[0]["shield"]["recused"])
    path = "/v1/tickets/20260302-000002/assignments"
    shield = (await dispatcher.http("desk").get(path)).json()["shield"]
    assert shield["reported"] == {"units": ["GAJ"], "words": ["村主任"], "nobody": False}
    assert shield["recused"] == ["CG", "GAJ", "JJDD", "ZFB"]
    own = await dispatcher.http("unit", STREET_LIGHT).get(path)
    assert own.json()["shield"] is None


async def test_a_page_of_a_units_list_is_not_short_for_what_it_leaves_out(
    dispatcher: Bench,
) -> None:
    for count in range(1, 8):
        await register(dispatcher, street_light(), f"20260302-{count:06d}")
    await dispatcher.do("""
        UPDATE tickets SET matter = matter || '{"reported": {"words": ["城管局的人"]}}'
        WHERE number BETWEEN '20260302-000002' AND '20260302-000005'""")
    path, client = f"/v1/units/{STREET_LIGHT}/assignments", dispatcher.http("unit", STREET_LIGHT)
    first = (await client.get(path, params={"limit": 2})).json()
    assert [item["number"][-1] for item in first["items"]] == ["1", "6"]
    rest = (await client.get(path, params={"limit": 2, "after": first["next"]})).json()
    assert ([item["number"][-1] for item in rest["items"]], rest["next"]) == (["7"], None)
