"""Small inputs that failed, over HTTP and through four services, as they were tried: T8, T9, T11, T14.

The others stand beside what they are about: T1-T3 in test_calendar_changes.py, T4 and T12 in
test_extension_ends.py, T5 and T6 in test_margins.py, T7 in test_lengthening.py, T10 in test_returns.py,
T13 in test_worklists.py, and the whole list of T14 in test_warnings.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.scenes.courier import DONE, County
from tests.fixtures.scenes.tracker import local

OWN = ("sign", "first_contact", "handle")
RETURN = {
    "reason_code": "wrong_area",
    "legal_basis": "权责清单",
    "suggested_unit": "",
    "approver": "李局长",
}
DETAILS = {"topic": "road.damage", "type": "complaint", "area": "610924100"}
LICENSED = DONE | {"result": "已发照", "public_answer": "茶企执照已办好"}


async def clocks(county: County, number: str) -> dict[str, tuple[str, str, bool]]:
    """Each clock of a ticket's orders by unit and kind: status, due moment, whether it is breached."""
    query = "SELECT * FROM clocks WHERE ticket = :number AND assignment IS NOT NULL ORDER BY id"
    return {
        f"{row['unit']} {row['kind']}": (
            row["status"],
            local(row["due"]),
            row["breached_at"] is not None,
        )
        for row in await county.tracker.rows(query, number=number)
    }


async def orders(county: County, number: str) -> dict[str, dict[str, Any]]:
    """The orders of a ticket by unit."""
    query = "SELECT * FROM assignments WHERE ticket = :number ORDER BY dispatched_at, id"
    return {row["unit"]: row for row in await county.dispatcher.rows(query, number=number)}


async def does(county: County, number: str, unit: str, what: str, body: dict[str, Any]) -> Any:
    """A unit acts on its order."""
    path = f"/v1/assignments/{(await orders(county, number))[unit]['id']}/{what}"
    return await county.do("unit", county.dispatcher, path, body, unit)


async def later(county: County, moment: str) -> None:
    """Time passes, and does what is due."""
    county.at(f"2026-{moment}+08:00")
    await county.sweep()
    await county.sweep()


async def rates(county: County, basis: str) -> Any:
    """What is printed of the month."""
    path = f"/v1/rates?from=2026-03-01&to=2026-03-31&basis={basis}"
    return (await county.tracker.http("supervisor").get(path)).json()


async def test_t8_a_back_dated_contact_takes_no_red_card_back(county: County) -> None:
    """R-12, R-31: red on Tuesday evening; entered on Thursday as of Monday, the contact never opened."""
    number = await county.ticket(**DETAILS)
    [unit] = await orders(county, number)
    await later(county, "03-05T10:00")
    assert (await clocks(county, number))[f"{unit} first_contact"][2]
    body = {"how": "phone", "outcome": "reached", "made_at": "2026-03-02T10:00:00+08:00"}
    await does(county, number, unit, "sign", {"handler": "李工"})
    await does(county, number, unit, "contacts", body)
    assert (await clocks(county, number))[f"{unit} first_contact"] == ("met", "03-03 18:00", True)
    assert await county.tracker.told("deadline.annulled") == []
    met = [f for f in await county.tracker.told("deadline.met") if f.data.clock == "first_contact"]
    assert [fact.data.late for fact in met] == [True]
    for basis in ("judged", "due"):
        assert (await rates(county, basis))["contact"]["rate"] == 0.0
    found, _ = await county.replayed()
    assert found == []


@pytest.mark.parametrize("what", ["the same again", "with one more", "one more beside it"])
async def test_t9_who_stays_keeps_everything(county: County, what: str) -> None:
    """R-42: ten minutes before its end nobody gets five days more, nor loses handler, contact or clock."""
    number = await county.ticket(**DETAILS)
    [unit] = await orders(county, number)
    await does(county, number, unit, "sign", {"handler": "李工"})
    await does(county, number, unit, "contacts", {"how": "phone", "outcome": "reached"})
    await later(county, "03-09T17:50")
    before, order = await clocks(county, number), (await orders(county, number))[unit]
    assert before[f"{unit} handle"] == ("running", "03-09 18:00", False)
    if what == "one more beside it":
        path, body = "co-handlers", dict[str, Any](unit="GSGS", reason="涉及管网")
    else:
        others: dict[str, Any] = {"co_handlers": ["GSGS"]} if what == "with one more" else {}
        path, body = "assign", {"lead": unit, "reason": "维持", **others}
    await county.do("desk", county.dispatcher, f"/v1/tickets/{number}/{path}", body)
    after = await clocks(county, number)
    assert {name: after[name] for name in before} == before
    kept = (await orders(county, number))[unit]
    assert [kept[name] for name in ("id", "handler", "status", "dispatched_at")] == [
        order[name] for name in ("id", "handler", "status", "dispatched_at")
    ]
    assert await county.tracker.told("deadline.cancelled") == []
    await later(county, "03-10T09:00")
    assert (await clocks(county, number))[f"{unit} handle"] == ("running", "03-09 18:00", True)
    assert (await rates(county, "due"))["handle"]["rate"] == 0.0


async def test_t11_whoever_blocks_is_the_one_whose_clock_runs(county: County) -> None:
    """R-13, GB66-5: two of three co-handlers answered; the third's return waits for the desk."""
    number = await county.ticket(topic="enterprise.opening", title="茶企开办", content="办执照")
    [lead] = [unit for unit, row in (await orders(county, number)).items() if row["role"] == "lead"]
    first, second, third = sorted(set(await orders(county, number)) - {lead})
    for unit in (lead, first, second):
        await does(county, number, unit, "sign", {"handler": "李工"})
    await does(county, number, lead, "contacts", {"how": "phone", "outcome": "reached"})
    for unit in (first, second):
        await does(county, number, unit, "completion", LICENSED)
    await does(county, number, third, "return-requests", RETURN | {"suggested_unit": lead})
    stands = await clocks(county, number)
    assert stands[f"{third} handle"][0] == "paused"
    assert stands["None hotline_review"][:2] == ("running", "03-02 15:00")
    await later(county, "03-02T15:01")  # silence of the desk: refused, and late on its own record
    assert (await clocks(county, number))["None hotline_review"][2]
    assert {fact.unit for fact in await county.tracker.told("supervision.raised")} == {"RXB"}
    await later(county, "03-09T10:00")
    stands = await clocks(county, number)
    assert stands[f"{third} handle"][2]  # it could go on, and its own clock ran
    assert not stands[f"{lead} handle"][2]
    done = await does(county, number, lead, "completion", LICENSED | {"without": [third]})
    assert done["status"] == "completed"
    await later(county, "03-20T10:00")
    stands = await clocks(county, number)
    assert stands[f"{lead} handle"][::2] == ("met", False)
    assert stands[f"{third} handle"][2]
    assert (await rates(county, "due"))["handle"]["rate"] == 1.0


async def test_t11_who_handed_it_down_is_late_and_the_lead_is_not(county: County) -> None:
    """R-13: a co-handler's own team does nothing; who answers for it is late, and the lead goes on."""
    number = await county.ticket(**DETAILS)
    [lead] = await orders(county, number)
    path, body = f"/v1/tickets/{number}/co-handlers", {"unit": "GAJ", "reason": "占道"}
    await county.do("desk", county.dispatcher, path, body)
    for unit in (lead, "GAJ"):
        await does(county, number, unit, "sign", {"handler": "李工"})
    await does(county, number, lead, "contacts", {"how": "phone", "outcome": "reached"})
    await does(county, number, "GAJ", "hand-down", {"unit": "JJDD", "reason": "请办"})
    await later(county, "03-09T10:00")
    stands = await clocks(county, number)
    late = {name for name, (_, _, breached) in stands.items() if breached}
    assert late == {"GAJ handle", "JJDD handle", "JJDD sign"}
    done = await does(county, number, lead, "completion", DONE | {"without": ["GAJ"]})
    assert done["status"] == "completed"
    after = await clocks(county, number)
    assert after[f"{lead} handle"][::2] == ("met", False)
    assert {name for name, (_, _, breached) in after.items() if breached} == late


async def test_t14_a_missed_sign_clock_shows_a_yellow_card_to_whom_the_policy_says(
    county: County,
) -> None:
    """R-31: in the log, and where the unit itself hears of it."""
    number = await county.ticket(**DETAILS)
    [unit] = await orders(county, number)
    await later(county, "03-02T15:30")
    warned = [f for f in await county.tracker.told("deadline.warned") if f.data.clock == "sign"]
    card = warned[-1]
    assert (card.data.point, card.data.color) == ("sign_due_missed", "yellow")
    assert (local(card.time), card.data.to) == ("03-02 15:00", ("liaison", "unit_deputy"))
    feed = await county.dispatcher.http("unit", unit).get(f"/v1/units/{unit}/feed")
    heard = [row["fact"] for row in feed.json()["items"]]
    assert str(card.id) in {fact["id"] for fact in heard}
