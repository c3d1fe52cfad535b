"""What was handed down, where the desk audits, units are reformed and towns are spared (ADR 0055-0059)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    act,
    assignments,
    finish,
    let_lead,
    post,
    register,
    sign,
    statuses,
)
from tests.fixtures.scenes.reform import followed, reform, slug, take_up

TOWN, VILLAGE, NEXT, HEIR = "CG", "CGV", "CGW", "HC"
BELOW = """
  - {code: CGV, name: 试一村, kind: village, parent: CG, delivery: feed, liaison: 村委会主任}
  - {code: CGW, name: 试二社区, kind: village, parent: CG, delivery: feed, liaison: 社区主任}
"""
END = {
    **DONE,
    "kind": "terminated",
    "solved": False,
    "unsolved_reason": "诉求人不配合",
}


@pytest.fixture
def rural(dispatcher: Bench, tmp_path: Path) -> Bench:
    """The town has villages, and is to become part of another town."""
    folder = followed(tmp_path, **{TOWN: [HEIR]})
    with (folder / "units.yaml").open("a", encoding="utf-8") as file:
        file.write(BELOW)
    take_up(folder, dispatcher)
    return dispatcher


async def assign(bench: Bench, status: int = 200, **body: Any) -> Any:
    given = {"reason": "属地"} | body
    return await post(bench.http("desk"), f"/v1/tickets/{NUMBER}/assign", given, status)


async def handed_down(
    bench: Bench, *, lead: str = "GAJ", helping: tuple[str, ...] = (TOWN,)
) -> UUID:
    """A town that helps has handed its order down to a village; the order of that one."""
    await register(bench)
    await assign(bench, lead=lead, co_handlers=list(helping))
    order = (await assignments(bench))[TOWN]
    await sign(bench, TOWN, order)
    body = {"unit": VILLAGE, "reason": "请到现场查看"}
    return UUID((await act(bench, TOWN, order, "hand-down", body))["id"])


async def above(bench: Bench) -> dict[str, str | None]:
    """Of each unit with an open order, who handed it down."""
    rows = await bench.rows("SELECT unit, handed_by, status FROM assignments ORDER BY id")
    gone = ("cancelled", "returned", "completed")
    return {row["unit"]: row["handed_by"] for row in rows if row["status"] not in gone}


async def test_whom_a_merged_town_handed_it_down_to_answers_to_its_successor(rural: Bench) -> None:
    """R-13: who follows answers last, and may press, take back and hand down anew."""
    order = await handed_down(rural)
    await reform(rural, TOWN, into=HEIR)
    assert await above(rural) == {"GAJ": None, HEIR: None, VILLAGE: HEIR}
    [row] = await rural.rows("SELECT id FROM assignments WHERE unit = 'HC'")
    own = row["id"]
    refused = await act(rural, HEIR, own, "completion", DONE, 409)
    assert slug(refused) == "co-handlers-open"
    await act(rural, HEIR, own, "hand-down", {"unit": NEXT, "reason": "一并查看"})
    await act(rural, HEIR, own, "take-back", {"unit": NEXT, "reason": "不必了"})
    await finish(rural, VILLAGE, order)
    told = (await rural.told("assignment.transferred"))[-1]
    assert (told.unit, told.data.handed_by, told.data.co_handlers) == (HEIR, None, (HEIR,))


async def test_where_the_successor_works_on_it_already_what_is_below_goes_on(rural: Bench) -> None:
    await handed_down(rural, helping=(TOWN, HEIR))
    await reform(rural, TOWN, into=HEIR)
    assert await above(rural) == {"GAJ": None, HEIR: None, VILLAGE: HEIR}


async def test_who_is_taken_back_and_who_goes_with_its_superior_hears_why(rural: Bench) -> None:
    await handed_down(rural)
    own = (await assignments(rural))[TOWN]
    await act(rural, TOWN, own, "take-back", {"unit": VILLAGE, "reason": "改为自行办理"})
    assert "改为自行办理" in ((await rural.told("assignment.cancelled"))[-1].data.why or "")
    await act(rural, TOWN, own, "hand-down", {"unit": VILLAGE, "reason": "请到现场查看"})
    await post(rural.http("desk"), f"/v1/assignments/{own}/release", {"reason": "已无需协办"})
    last = (await rural.told("assignment.cancelled"))[-1]
    assert last.unit == VILLAGE
    assert "不再承办" in (last.data.why or "")
    assert "已无需协办" in (last.data.why or "")


async def test_the_answer_of_who_has_it_from_a_town_is_not_audited(rural: Bench) -> None:
    """R-22: audited is what the citizen is told, and that is the lead's answer."""
    order = await handed_down(rural)
    await finish(rural, VILLAGE, order)
    assert (VILLAGE, 1, "completed") in await statuses(rural)
    assert not await rural.rows("SELECT * FROM completion_forms")
    assert (await rural.told("assignment.completed"))[-1].data.audit is None


async def test_an_end_is_asked_of_who_handed_it_down(rural: Bench) -> None:
    """R-20: the desk rules on what it gave itself."""
    order = await handed_down(rural)
    await sign(rural, VILLAGE, order)
    refused = await act(rural, VILLAGE, order, "completion", END, 409)
    assert (slug(refused), refused["unit"]) == ("handed-down", TOWN)


async def test_a_danger_the_desk_has_not_seen_stays_on_its_list(rural: Bench) -> None:
    await register(rural)
    await assign(rural, lead="GAJ", co_handlers=[TOWN])
    order = (await assignments(rural))[TOWN]
    await sign(rural, TOWN, order)
    await rural.do("UPDATE tickets SET alarmed_at = now()")
    await act(rural, TOWN, order, "hand-down", {"unit": VILLAGE, "reason": "请到现场查看"})
    [ticket] = await rural.rows("SELECT alarmed_at FROM tickets")
    assert ticket["alarmed_at"] is not None


async def test_a_departments_matter_goes_to_no_village_by_hand(rural: Bench) -> None:
    """R-05: a village is grass roots as its town is; a supervisor's word is needed and counted."""
    await register(rural)
    refused = await assign(rural, 409, lead=VILLAGE)
    assert (slug(refused), refused["unit"]) == ("not-for-towns", VILLAGE)
    await let_lead(rural, VILLAGE)
    await assign(rural, lead=VILLAGE)
    burden = (await rural.http("supervisor").get("/v1/figures/burden")).json()
    assert [row["unit"] for row in burden["towns"]] == [VILLAGE]
    assert (burden["towns"][0]["blocked_by_hand"], burden["towns"][0]["approved"]) == (1, 1)
