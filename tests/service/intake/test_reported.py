"""被反映对象: whom a demand is about, as it is stated at the front (R-35, JN-32)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import Reported
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import CALLER, complaint, life, read_on_duty, registered, rows

NOBODY = {"units": [], "words": [], "nobody": False}


async def refused(intake: Bench, **given: Any) -> dict[str, Any]:
    answer = await intake.http("phone_system").post("/v1/tickets", json=complaint(**given))
    assert answer.status_code == 422, answer.text
    assert await rows(intake, "ticket") == []
    problem: dict[str, Any] = answer.json()
    return problem


async def answered(intake: Bench, number: str) -> tuple[str | None, dict[str, Any]]:
    ticket = (await intake.http("desk").get(f"/v1/tickets/{number}")).json()
    return ticket["reported_unit"], ticket["reported"]


@pytest.mark.parametrize(
    ("given", "first", "whole"),
    [
        ({}, None, {}),
        ({"reported_unit": "HC"}, "HC", {"units": ["HC"]}),
        ({"reported": {"units": ["红椿镇", "公安局"]}}, "HC", {"units": ["HC", "GAJ"]}),
        ({"reported": {"units": ["HC", "GAJ", "HC"]}}, "HC", {"units": ["HC", "GAJ"]}),
        ({"reported": {"words": ["尚坝村村主任"]}}, None, {"words": ["尚坝村村主任"]}),
        ({"reported": {"nobody": True}}, None, {"nobody": True}),
        (
            {"reported_unit": "GAJ", "reported": {"units": ["HC", "GAJ"]}},
            "HC",
            {"units": ["HC", "GAJ"]},
        ),
        (
            {"reported_unit": "HC", "reported": {"words": ["尚坝村"]}},
            "HC",
            {"units": ["HC"], "words": ["尚坝村"]},
        ),
    ],
)
async def test_what_is_stated_is_told_and_answered(
    intake: Bench, given: dict[str, Any], first: str | None, whole: dict[str, Any]
) -> None:
    """A single unit is still taken, and answered, as the release before does."""
    number = (await registered(intake, type="report", **given))["number"]
    assert await answered(intake, number) == (first, NOBODY | whole)
    (fact,) = await intake.told()
    assert fact.data.reported_unit == first
    assert fact.data.about == Reported.model_validate(NOBODY | whole)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reported": {"nobody": True, "units": ["HC"]}}, "reported.nobody"),
        ({"reported": {"nobody": True, "words": ["村主任"]}}, "reported.nobody"),
        ({"reported": {"nobody": True}, "reported_unit": "HC"}, "reported.nobody"),
        ({"reported": {"units": ["GAJ"]}, "reported_unit": "HC"}, "reported_unit"),
        ({"reported": {"words": ["村" * 201]}}, "reported.words.0"),
        ({"reported": {"words": [""]}}, "reported.words.0"),
        ({"reported": {"words": ["村"] * 21}}, "reported.words"),
        ({"reported": {"persons": ["张三"]}}, "reported.persons"),
    ],
)
async def test_what_contradicts_itself_is_refused(
    intake: Bench, given: dict[str, Any], field: str
) -> None:
    assert (await refused(intake, **given))["field"] == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reported": {"units": ["GAJ", "HCC"]}}, "reported.units"),
        ({"reported_unit": "HCC"}, "reported_unit"),
    ],
)
async def test_an_unknown_unit_is_refused_with_the_nearest(
    intake: Bench, given: dict[str, Any], field: str
) -> None:
    problem = await refused(intake, **given)
    assert (problem["field"], problem["type"].rpartition("/")[2]) == (field, "unknown-code")
    assert "HC" in problem["nearest"]


async def test_the_caller_is_not_named_by_whom_they_report(intake: Bench) -> None:
    words = ["王小明的邻居村主任13909150001", "村主任"]
    number = (await registered(intake, type="report", reported={"words": words}))["number"]
    _, whole = await answered(intake, number)
    assert whole["words"] == ["[姓名]的邻居村主任[电话]", "村主任"]
    (fact,) = await intake.told()
    assert list(fact.data.reported.words) == whole["words"]
    assert CALLER["name"] not in str(await rows(intake, "ticket"))


async def test_in_a_batch_each_is_judged_alone(intake: Bench) -> None:
    given: list[dict[str, Any]] = [
        {"reported": {"units": ["HCC"]}},
        {"reported": {"units": ["HC"]}},
        {"reported": 1},
    ]
    batch = {"tickets": [complaint(**each) for each in given]}
    answers = (await intake.http("phone_system").post("/v1/tickets/batch", json=batch)).json()[
        "answers"
    ]
    assert [answer["status"] for answer in answers] == [422, 201, 422]


@pytest.mark.parametrize(
    ("reported", "reads"),
    [
        ({"units": ["HC", "SLJ"]}, False),
        ({"units": ["HC"], "words": ["供水公司抄表员张某"]}, False),
        ({"words": ["水利局局长"]}, False),
        ({"words": ["尚坝村村主任", "民警"]}, True),
        ({"nobody": True}, True),
    ],
)
async def test_no_unit_reads_the_contact_whose_kin_is_among_several(
    intake: Bench, reported: dict[str, Any], reads: bool
) -> None:
    said = {"type": "report", "reported": reported, "confidential": False}
    number = (await registered(intake, **said))["number"]
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read_on_duty(intake, number)).status_code == (200 if reads else 404)


async def test_a_ticket_of_the_release_before_is_about_its_reported_unit(intake: Bench) -> None:
    number = (await registered(intake, type="report", reported_unit="SLJ"))["number"]
    await intake.do("UPDATE ticket SET reported = NULL")
    assert await answered(intake, number) == ("SLJ", NOBODY | {"units": ["SLJ"]})
    await intake.hear(*life(intake, number, uuid4())[:2])
    assert (await read_on_duty(intake, number)).status_code == 404
