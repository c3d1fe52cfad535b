"""The code tables over HTTP: what a form needs, nothing that is the office's own."""

from __future__ import annotations

import pytest

from services.intake.codes import Table, tags_in
from services.intake.settings import Config
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint


async def rows(intake: Bench, table: str) -> dict[str, dict[str, str | None]]:
    """A table by code, as a phone system reads it."""
    answer = await intake.http("phone_system").get(f"/v1/codes/{table}")
    assert answer.status_code == 200, answer.text
    return {row["code"]: row for row in answer.json()["items"]}


async def test_every_table_has_names(intake: Bench) -> None:
    for table in Table:
        found = await rows(intake, table)
        assert found, table
        assert all(row["zh"] for row in found.values())


async def test_codes_lead_from_one_to_the_other(intake: Bench) -> None:
    fields, units = await rows(intake, "fields"), await rows(intake, "units")
    topics, areas = await rows(intake, "topics"), await rows(intake, "areas")
    assert topics["water.supply"]["parent"] == "water"
    assert {row["parent"] for row in topics.values()} <= set(fields)
    assert {row["parent"] for row in units.values()} <= {*units, None}
    assert {row["unit"] for row in areas.values()} <= {*units, None}
    assert units["HC"]["kind"] == "town"
    assert units["HC"]["area"] in areas


async def test_what_stands_in_the_tables_is_accepted(intake: Bench) -> None:
    for channel in await rows(intake, "channels"):
        said = complaint(channel=channel)
        answer = await intake.http("phone_system").post("/v1/tickets", json=said)
        assert answer.status_code == 201, answer.text


async def test_how_a_unit_is_reached_is_not_shown(intake: Bench) -> None:
    answer = await intake.http("unit", "HC").get("/v1/codes/units")
    config: Config = intake.service.store.config
    assert {key for row in answer.json()["items"] for key in row} == {
        "code", "zh", "en", "parent", "unit", "kind", "area", "aliases", "basis", "instead",
    }  # fmt: skip
    assert [unit.liaison for unit in config.units.units if unit.liaison in answer.text] == []


async def test_who_has_the_table_is_told_that_it_holds(intake: Bench) -> None:
    client = intake.http("desk")
    first = await client.get("/v1/codes/topics")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await client.get("/v1/codes/topics", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for other in ('"other"', (await client.get("/v1/codes/areas")).headers["etag"]):
        again = await client.get("/v1/codes/topics", headers={"If-None-Match": other})
        assert again.status_code == 200


def test_tags_are_read_as_they_come() -> None:
    assert tags_in('W/"a" , "b"') == {'"a"', '"b"'}


@pytest.mark.parametrize("table", ["liaisons", "codes", "TOPICS"])
async def test_a_table_that_is_none_is_refused(intake: Bench, table: str) -> None:
    answer = await intake.http("desk").get(f"/v1/codes/{table}")
    assert answer.status_code == 422
    assert set(answer.json()["allowed"]) == set(Table)


async def test_nobody_reads_them_without_a_token(intake: Bench) -> None:
    assert (await intake.http(None).get("/v1/codes/topics")).status_code == 401
