"""机构改革 between all services: whoever asks finds the new unit, and nothing stands still (ADR 0056)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.scenes.courier import DONE, UNIT, County
from tests.fixtures.scenes.reform import approve, followed, propose, take_up

NEW = "SLJ"  # 水利局, of which the water company becomes part
EXTENSION = {"reason": "管网改造", "legal_basis": "条例第三十四条", "days": 3}


@pytest.fixture
async def merged(county: County, tmp_path: Path) -> tuple[County, dict[str, Any]]:
    """A county whose water company has signed for a ticket and asked for more time, and is no more."""
    take_up(followed(tmp_path, **{UNIT: [NEW]}), *county.benches.values())
    number = await county.ticket(topic="road.damage", title="道路破损", content="路面破损")
    order = {"lead": UNIT, "reason": "管网"}
    await county.do("desk", county.dispatcher, f"/v1/tickets/{number}/assign", order)
    await county.act(number, "sign", {"handler": "李工"})
    path = f"/v1/assignments/{await county.assignment(number)}/extensions"
    asked = await county.do("unit", county.tracker, path, EXTENSION, UNIT)
    reform = await propose(county.dispatcher, UNIT, into=NEW)
    await approve(county.dispatcher, reform["id"])
    await county.sweep()
    await county.sweep()
    return county, {"number": number, "extension": asked["id"]}


@pytest.mark.parametrize("token", [UNIT, NEW])
async def test_every_service_lets_the_new_unit_in_with_either_token(
    merged: tuple[County, dict[str, Any]], token: str
) -> None:
    """R-12, R-36: it reads the clocks, contacts the citizen and answers; one order, one way through."""
    county, ticket = merged
    number = ticket["number"]
    clocks = await county.tracker.http("unit", token).get(f"/v1/tickets/{number}/clocks")
    assert {row["unit"] for row in clocks.json()["clocks"]} == {NEW}
    path, why = f"/v1/tickets/{number}/contact-reads", {"reason": "约上门"}
    read = await county.do("unit", county.intake, path, why, token)
    assert read["phone"]
    assignment = f"/v1/assignments/{await county.assignment(number)}"
    call = {"how": "phone", "outcome": "reached", "note": "已了解"}
    for what, body in (("contacts", call), ("completion", DONE)):
        await county.do("unit", county.dispatcher, f"{assignment}/{what}", body, token)
    [met] = [
        fact for fact in await county.tracker.told("deadline.met") if fact.data.clock == "handle"
    ]
    assert (met.unit, met.data.late) == (NEW, False)


async def test_the_extension_the_old_unit_asked_for_is_granted_to_the_new_one(
    merged: tuple[County, dict[str, Any]],
) -> None:
    """R-18."""
    county, ticket = merged
    path, ruling = (
        f"/v1/extensions/{ticket['extension']}/ruling",
        {"granted": True, "reason": "属实"},
    )
    await county.do("supervisor", county.tracker, path, ruling)
    [granted] = await county.tracker.told("extension.granted")
    assert granted.unit == NEW


async def test_nothing_stands_still_afterwards(merged: tuple[County, dict[str, Any]]) -> None:
    county, _ = merged
    assert await county.found() == set()


async def test_the_citizen_is_told_who_has_it_now(merged: tuple[County, dict[str, Any]]) -> None:
    """R-44: by name, and of a ticket that is dispatched later, too."""
    county, ticket = merged
    shown = await county.intake.http("agent").get(f"/v1/tickets/{ticket['number']}/front-record")
    assert UNIT not in shown.text
    await county.ticket()  # by a rule that names the old unit
    told = [fact.data.zh for fact in await county.feedback.told("citizen.told")]
    assert any("水利局" in text for text in told)
    assert not any(UNIT in text for text in told)
