"""Tickets found by their words and by what else a list is narrowed to."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from services.intake.models import TicketText
from shared.storage.rows import table_of
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import complaint, life, post, registered, rows


async def found(intake: Bench, status: int = 200, **asked: Any) -> Any:
    answer = await intake.http("desk").get("/v1/tickets", params=asked)
    assert answer.status_code == status, answer.text
    if status != 200:
        return answer.json()
    return [item["number"] for item in answer.json()["items"]]


async def followed(intake: Bench) -> None:
    """Relay what was said, and let the search read it to the end."""
    while await intake.service.relay.run_once():
        pass
    while await intake.rows(
        "SELECT 1 FROM outbox, search_place p WHERE outbox.position > p.position LIMIT 1"
    ):
        await intake.service.jobs["index_texts"].run(intake.service.store, 2)


async def told_of(intake: Bench, content: str, title: str = "反映问题", **changes: Any) -> str:
    number: str = (await registered(intake, title=title, content=content, **changes))["number"]
    return number


async def test_a_ticket_is_found_by_words_of_title_content_and_supplements(intake: Bench) -> None:
    water = await told_of(intake, "环城路的自来水停了三天", "小区停水")
    light = await told_of(intake, "广场路灯 WiFi 都不亮，请修理")
    await post(intake, f"/v1/tickets/{light}/supplements", {"content": "井盖也丢了"})
    await followed(intake)
    for words, numbers in {
        "停水": [water],
        "自来水停": [water],
        "水停了三天": [water],
        "环城路 停水": [water],
        "ｗｉｆｉ": [light],
        "井盖": [light],
        "不亮，请修理": [light],
        "路": None,
        "停三": [],  # both characters, not side by side
        "水停了四天": [],
        "反映": [light],
        "的自 灯": [],
    }.items():
        if numbers is None:
            problem = await found(intake, 422, text=words)
            assert (problem["field"], "两个字" in problem["detail"]) == ("text", True)
        else:
            assert await found(intake, text=words) == numbers, words


async def test_no_letter_is_a_wildcard(intake: Bench) -> None:
    await told_of(intake, "停水三天")
    await followed(intake)
    for words in ("停水%天", "停水_天", "停水\\", "'; --停电"):
        answer = await intake.http("desk").get("/v1/tickets", params={"text": words})
        assert answer.status_code == 200
    assert await found(intake, text="停水%三天") != []  # two words, both there
    assert await found(intake, text="停水_天") == await found(intake, text="停水 天")


async def test_pages_of_a_search_hold_each_ticket_once(intake: Bench) -> None:
    batch = {"tickets": [complaint(content=f"第{n}盏路灯不亮") for n in range(7)]}
    await post(intake, "/v1/tickets/batch", batch)
    await told_of(intake, "停电")
    await followed(intake)
    pages, after = [], None
    while True:
        params = {"text": "路灯", "limit": "3"} | ({"after": after} if after else {})
        page = (await intake.http("desk").get("/v1/tickets", params=params)).json()
        pages += [item["number"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert pages == [f"20260302-{n:06d}" for n in range(1, 8)]


async def test_filters_narrow_alone_and_together(intake: Bench) -> None:
    batch = [
        complaint(flags=["enterprise"], urgency="urgent", source_number="AK-1"),
        complaint(flags=["enterprise", "environment"], type="report", reported_unit="GSGS"),
        complaint(source_number="王小明-13909150001"),
    ]
    first, second, third = [(await registered(intake, **each))["number"] for each in batch]
    await intake.hear(*life(intake, third, uuid4())[:1])
    await followed(intake)
    assert await found(intake, flags="enterprise") == [first, second]
    assert await found(intake, flags=["enterprise", "environment"]) == [second]
    assert await found(intake, urgency="urgent") == [first]
    assert await found(intake, reported="GSGS") == [second]
    assert await found(intake, unit="GSGS") == [third]
    assert await found(intake, unit="HC") == []
    assert await found(intake, source_number="AK-1") == [first]
    assert await found(intake, source_number="王小明-13909150001") == [third]
    assert await found(intake, flags="enterprise", text="停水", type="report") == [second]


async def test_a_ticket_is_found_by_each_unit_it_is_about(intake: Bench) -> None:
    about = {"units": ["GSGS", "HC"]}
    number = (await registered(intake, type="report", reported=about))["number"]
    for unit, numbers in {"GSGS": [number], "HC": [number], "SLJ": []}.items():
        assert await found(intake, reported=unit) == numbers


async def test_the_text_a_search_reads_names_nobody(intake: Bench) -> None:
    await registered(intake)
    await followed(intake)
    [row] = await rows(intake, "ticket_text")
    assert "王小明" not in row["words"]
    assert "13909150001" not in row["words"]
    assert await found(intake, text="王小明") == []


async def test_what_the_release_before_registered_is_found_too(intake: Bench) -> None:
    """A replica of it knows no search; what it says stands in the log all the same."""
    numbers = [await told_of(intake, f"停水{n}天") for n in (3, 4)]
    await followed(intake)
    await intake.do(
        f"DELETE FROM {table_of(TicketText).name}", "UPDATE search_place SET position = 0"
    )
    assert await found(intake, text="停水") == []
    await followed(intake)
    assert await found(intake, text="停水") == numbers


async def test_reading_the_log_twice_and_by_two_changes_nothing(intake: Bench) -> None:
    await told_of(intake, "停水")
    await followed(intake)
    before = await rows(intake, "ticket_text")
    await intake.do("UPDATE search_place SET position = 0")
    async with intake.service.store.engine.begin() as other:
        await other.exec_driver_sql("SELECT 1 FROM search_place FOR UPDATE")
        run = intake.service.jobs["index_texts"].run
        assert await run(intake.service.store, 100) == 0  # the other has it
    await followed(intake)
    assert await rows(intake, "ticket_text") == before


@pytest.mark.parametrize("name", ["flags", "unit", "reported", "source_number", "urgency"])
async def test_an_empty_filter_is_refused_by_name(intake: Bench, name: str) -> None:
    assert (await found(intake, 422, **{name: ""}))["field"].startswith(name)


async def test_what_the_hotline_keeps_is_found_too(intake: Bench) -> None:
    """R-02: nobody else has heard of it, and just the agent who is to answer it looks for it."""
    kept = await told_of(intake, "问小区物业费怎么交", ending={"direct_answer": {}})
    assert await found(intake, text="物业费") == [kept]
    for words in ("还问停车费", "再问水费"):
        await post(intake, f"/v1/tickets/{kept}/supplements", {"content": words})
    for words in ("物业费", "停车费", "问水费"):
        assert await found(intake, text=words) == [kept]
    body = {"reason": "名字记错", "caller": {"name": "物业费"}}
    assert (await post(intake, f"/v1/tickets/{kept}/corrections", body)).status_code == 200
    assert await found(intake, text="停车费") == [kept]
    await post(intake, f"/v1/tickets/{kept}/dispatch", {"reason": "须现场处置"}, "agent")
    await followed(intake)
    assert await found(intake, text="停车费 小区") == [kept]
