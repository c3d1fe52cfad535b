"""Callers who know names and no codes: what they send is understood, told and counted as the code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.intake.codes import Table, tables_of
from services.intake.naming import in_codes
from services.intake.schemas import NewTicket
from services.intake.settings import Config
from shared.errors import AmbiguousCode
from shared.events import TicketType
from shared.jurisdiction.codes import Topic
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, post

NAMED = {"type": "求助", "topic": "停水缺水", "area": "城关镇", "channel": "电话"}


async def test_names_are_taken_for_codes(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets", complaint(**NAMED, reported_unit="水利局"))
    assert answer.status_code == 201, answer.text
    [fact] = await intake.told()
    data = fact.data
    assert (data.type, data.topic, data.area, data.channel) == (
        TicketType.HELP, "water.supply", "610924100", "phone",
    )  # fmt: skip
    assert data.reported_unit == "SLJ"


async def test_lists_are_narrowed_by_names_too(intake: Bench) -> None:
    number = (await post(intake, "/v1/tickets", complaint())).json()["number"]
    desk = intake.http("desk")
    for query in (
        "topic=停水缺水&area=城关镇&channel=电话&type=求助",
        "topic=water.supply&type=help",
    ):
        items = (await desk.get(f"/v1/tickets?{query}")).json()["items"]
        assert [item["number"] for item in items] == [number]
    assert (await desk.get("/v1/tickets?topic=路灯不亮")).json()["items"] == []


async def test_the_same_complaint_by_name_and_by_code_is_one_upstream_number(intake: Bench) -> None:
    first = await post(intake, "/v1/tickets", complaint(source_number="A1"))
    again = await post(intake, "/v1/tickets", complaint(**NAMED, source_number="A1"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["number"] == first.json()["number"]


async def test_a_name_nobody_has_is_refused_with_what_comes_near(intake: Bench) -> None:
    answer = await post(intake, "/v1/tickets", complaint(topic="停水缺"))
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["type"], problem["field"]) == ("/errors/unknown-code", "topic")
    assert "water.supply" in problem["nearest"]


async def test_a_name_that_several_topics_have_is_refused_with_their_codes(intake: Bench) -> None:
    config: Config = intake.service.store.config
    other = Topic(code="river.supply", zh="停水缺水")
    two = config.codes.model_copy(update={"topics": (*config.codes.topics, other)})
    asked = NewTicket.model_validate(complaint(topic="停水缺水"))
    with pytest.raises(AmbiguousCode) as refused:
        in_codes(asked, replace(config, codes=two))
    assert refused.value.extra == {"field": "topic", "allowed": ["water.supply", "river.supply"]}


async def test_forms_read_what_else_is_understood(intake: Bench) -> None:
    config: Config = intake.service.store.config
    named = config.codes.topics[0].model_copy(update={"aliases": ("没水",)})
    changed = config.codes.model_copy(update={"topics": (named,)})
    tables = tables_of(changed, config.units, config.endings)
    assert [row.aliases for row in tables[Table.TOPICS]] == [("没水",)]
