"""事项数据: numbers a complaint is about have numbered places, and are read by who handles it (R-36)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.intake import readlog, vault
from tests.fixtures.bench import Bench
from tests.fixtures.neighbours import on_duty
from tests.fixtures.scenes.intake import complaint, life, post, registered, rows

HARASSED = (
    "我是王小明（13909150001），一直被138-0000-1111骚扰，"
    "对方卡号6222021234567890123，还有13800001111。"
)
PLACED = "我是[姓名]（[电话]），一直被[电话1]骚扰，对方卡号[银行卡1]，还有[电话1]。"
PLACE = {"longitude": 108.534, "latitude": 32.52}
HOME = "河堤路8号3单元201"


async def read_matter(intake: Bench, number: str, unit: str = "GSGS") -> Any:
    client = intake.http("unit", unit, "x")
    return await client.post(f"/v1/tickets/{number}/matter-reads", json={"reason": "核实来电"})


async def handled(intake: Bench, **changes: Any) -> str:
    """A ticket that GSGS signed."""
    number: str = (await registered(intake, **changes))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    on_duty(intake, number, "GSGS")
    return number


async def test_the_text_keeps_a_place_for_each_number_and_the_unit_reads_what_it_is(
    intake: Bench,
) -> None:
    """R-36 事项数据."""
    number = await handled(intake, content=HARASSED)
    assert (await intake.told())[0].data.content == PLACED
    found = (await read_matter(intake, number)).json()
    assert found["items"] == [
        {"place": "[电话1]", "value": "138-0000-1111"},
        {"place": "[银行卡1]", "value": "6222021234567890123"},
    ]
    assert (await read_matter(intake, number, "HC")).status_code == 404
    log = await rows(intake, "contact_read")
    assert [
        (entry["deed"], entry["actor"], entry["reason"])
        for entry in sorted(log, key=lambda entry: int(entry["id"]))
    ] == [
        ("matter", "unit:GSGS:x", "核实来电"),
        ("refused", "unit:HC:x", "核实来电"),
    ]
    async with intake.service.store.act("ops") as act:
        assert (await readlog.verify(act)).broken is None


async def test_no_role_but_the_units_reads_it(intake: Bench) -> None:
    number = await handled(intake, content=HARASSED)
    for role in ("desk", "agent", "callback", "service", "phone_system"):
        answer = await post(intake, f"/v1/tickets/{number}/matter-reads", {"reason": "x"}, role)
        assert answer.status_code == 403


async def test_places_go_on_in_what_is_added_later(intake: Bench) -> None:
    number = await handled(intake, content=HARASSED)
    words = {"content": "又换了13800002222，原号13800001111也还在打，我换到13909150001"}
    await post(intake, f"/v1/tickets/{number}/supplements", words)
    assert (await intake.told("ticket.supplemented"))[0].data.content == (
        "又换了[电话2]，原号[电话1]也还在打，我换到[电话]"
    )
    found = (await read_matter(intake, number)).json()["items"]
    assert {"place": "[电话2]", "value": "13800002222"} in found
    stored = "".join(
        [str(await rows(intake, table)) for table in ("ticket", "citizen_note", "outbox")]
    )
    assert "1380000" not in stored


async def test_what_was_erased_is_read_by_nobody(intake: Bench) -> None:
    number = await handled(intake, content=HARASSED)
    async with intake.service.store.act("ops") as act:
        await vault.erase(act, number, "本人申请", forced=True)
    answer = await read_matter(intake, number)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (410, "identity-erased")


@pytest.mark.parametrize(
    "words",
    [
        {"address": f"紫阳县城关镇{HOME}"},
        {"content": f"我家{HOME}漏水"},
        {"title": f"{HOME}漏水"},
        {"content": "河堤路8-3-201漏水"},
    ],
)
async def test_coordinates_of_a_home_go_with_it(intake: Bench, words: dict[str, str]) -> None:
    number = await handled(intake, location=PLACE, **words)
    assert (await intake.told())[0].data.location is None
    client = intake.http("desk")
    assert (await client.get(f"/v1/tickets/{number}")).json()["location"] is None
    [row] = await rows(intake, "ticket")
    assert (row["longitude"], row["latitude"]) == (None, None)
    assert (await read_matter(intake, number)).json()["location"] == PLACE


async def test_a_row_of_an_older_release_shows_no_home_either(intake: Bench) -> None:
    number = (await registered(intake, content=f"我家{HOME}漏水"))["number"]
    async with intake.service.store.act("ops") as act:
        connection = await act.session.connection()
        await connection.exec_driver_sql("UPDATE ticket SET longitude = 108.5, latitude = 32.5")
    answer = await intake.http("desk").get(f"/v1/tickets/{number}")
    assert answer.json()["location"] is None


async def test_other_coordinates_stay(intake: Bench) -> None:
    await post(intake, "/v1/tickets", complaint(location=PLACE, content="路口井盖坏了"))
    assert (await intake.told())[0].data.location is not None
