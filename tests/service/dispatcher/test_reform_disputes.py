"""A reform while something waits for a ruling: it is ruled on for who follows, or falls with its order (ADR
0056, 0059).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.dispatcher.completion import auditing
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.arbitration import SECOND, assign, disputed, newest, opened, raised
from tests.fixtures.scenes.dispatcher import (
    DONE,
    NUMBER,
    RETURN,
    STREET_LIGHT,
    act,
    ask_back,
    assignments,
    finish,
    post,
    reach,
    register,
    rule,
    sign,
)
from tests.fixtures.scenes.reform import followed, reform, slug, take_up

HELPER, HEIR, STATION = "MZJ", "NYJ", "MZJZ"
END = DONE | {"kind": "terminated", "solved": False, "unsolved_reason": "诉求人不配合"}
BELOW = """
  - {code: MZJZ, name: 试民政站, kind: station, parent: MZJ, delivery: feed, liaison: 站长}
"""


@pytest.fixture
def county(dispatcher: Bench, tmp_path: Path) -> Bench:
    """The street lights' unit is to become another, and who helps part of the one that leads."""
    folder = followed(tmp_path, **{STREET_LIGHT: [HEIR], HELPER: [SECOND]})
    with (folder / "units.yaml").open("a", encoding="utf-8") as file:
        file.write(BELOW)
    take_up(folder, dispatcher)
    return dispatcher


async def open_orders(bench: Bench) -> dict[str, UUID]:
    """The orders in hand, by unit."""
    gone = "('cancelled', 'returned', 'completed')"
    rows = await bench.rows(f"SELECT id, unit FROM assignments WHERE status NOT IN {gone}")
    assert len({row["unit"] for row in rows}) == len(rows), "doubled"
    return {row["unit"]: row["id"] for row in rows}


async def helper_disputes(bench: Bench) -> UUID:
    """A second dispute of the ticket, by who helps: the arbitration."""
    given = (await register(bench))[STREET_LIGHT]
    await ask_back(bench, STREET_LIGHT, given)
    await rule(bench, given, granted=True)
    await assign(bench, SECOND, co_handlers=[HELPER])
    own = (await open_orders(bench))[HELPER]
    await act(bench, HELPER, own, "return-requests", RETURN)
    return (await opened(bench))[-1]


async def test_who_follows_a_party_without_an_order_is_heard_in_its_place(county: Bench) -> None:
    """R-17: it was freed of the ticket, and what it says whose it is counts all the same."""
    arbitration = await disputed(county)
    await reform(county, STREET_LIGHT, into=HEIR)
    said = {"words": "不属我单位职责"}
    await post(county.http("unit", HEIR), f"/v1/arbitrations/{arbitration}/statements", said)
    listed = (await county.http("unit", HEIR).get("/v1/arbitrations")).json()
    assert [each["number"] for each in listed["items"]] == [NUMBER]
    await raised(county, arbitration)
    heard = {fact.unit for fact in await county.told("arbitration.raised")}
    assert HEIR in heard
    assert STREET_LIGHT not in heard


async def test_a_co_handlers_dispute_ends_with_its_order(county: Bench) -> None:
    """R-17: where its unit became part of the lead. By hand the desk frees it by a ruling only."""
    await helper_disputes(county)
    for door, body in (
        (f"/v1/tickets/{NUMBER}/assign", {"lead": SECOND, "reason": "不需协办"}),
        (
            f"/v1/assignments/{(await open_orders(county))[HELPER]}/release",
            {"reason": "不需协办"},
        ),
    ):
        refused = await post(county.http("desk"), door, body, 409)
        assert refused["type"].endswith("in-arbitration")
    await reform(county, HELPER, into=SECOND)
    assert set(await open_orders(county)) == {SECOND}
    [ended, *_] = await county.told("arbitration.ended")
    assert ended.data.reason == "redispatched"
    [row] = await county.rows("SELECT arbitration FROM tickets")
    assert row["arbitration"] is None
    await finish(county, SECOND, (await open_orders(county))[SECOND])


async def test_a_contact_made_before_the_reform_is_on_record_for_who_follows(
    county: Bench,
) -> None:
    """R-21: also under an order that was taken back since."""
    given = (await register(county))[STREET_LIGHT]
    await sign(county, STREET_LIGHT, given)
    await reach(county, STREET_LIGHT, given)
    [made] = await county.rows("SELECT made_at FROM contacts")
    await post(county.http("desk"), f"/v1/tickets/{NUMBER}/recall", {"reason": "核实"})
    await reform(county, STREET_LIGHT, into=HEIR)
    county.at("2026-03-02T15:00+08:00")
    await assign(county, HEIR)
    own = await newest(county)
    await sign(county, HEIR, own)
    await reach(county, HEIR, own)
    form: dict[str, Any] = DONE | {"contacted": True, "contact_time": made["made_at"].isoformat()}
    done = await act(county, HEIR, own, "completion", form)
    assert done["status"] == "completed"


async def handed_down_and_asking(bench: Bench, *, lead: str) -> UUID:
    """Who helps has handed its order down, and asks to end it."""
    await register(bench)
    await assign(bench, lead, co_handlers=[HELPER])
    own = (await open_orders(bench))[HELPER]
    await sign(bench, HELPER, own)
    await act(bench, HELPER, own, "hand-down", {"unit": STATION, "reason": "请上门"})
    await reach(bench, HELPER, own)
    await act(bench, HELPER, own, "completion", END)
    return own


async def test_a_request_to_end_is_ruled_on_for_who_follows_with_what_is_below(
    county: Bench,
) -> None:
    """R-20: one request, and who was handed it down is free with the order."""
    own = await handed_down_and_asking(county, lead="GAJ")
    await reform(county, HELPER, into=SECOND)
    assert set(await open_orders(county)) == {"GAJ", SECOND, STATION}
    ruling = {"granted": True, "ruling": "同意"}
    await post(county.http("desk"), f"/v1/assignments/{own}/completion-ruling", ruling)
    assert set(await open_orders(county)) == {"GAJ"}
    assert (await county.told("assignment.end_granted"))[-1].unit == SECOND


async def test_a_request_falls_with_the_order_and_what_is_below_goes_on(county: Bench) -> None:
    """R-20: its unit became part of the lead, which does not help itself; nothing is left to rule on."""
    own = await handed_down_and_asking(county, lead=SECOND)
    await reform(county, HELPER, into=SECOND)
    assert set(await open_orders(county)) == {SECOND, STATION}
    path, ruling = f"/v1/assignments/{own}/completion-ruling", {"granted": False, "ruling": "否"}
    refused = await post(county.http("desk"), path, ruling, 409)
    assert slug(refused) == "no-request-pending"
    county.at("2026-03-05T10:00+08:00")
    async with county.service.store.act("service:dispatcher") as tick:
        await auditing.decide_undecided(tick, 100)
    [row] = await county.rows("SELECT outcome FROM completion_forms")
    assert row["outcome"] == "overtaken"
    await finish(county, STATION, (await open_orders(county))[STATION])
    await finish(county, SECOND, (await assignments(county))[SECOND])
