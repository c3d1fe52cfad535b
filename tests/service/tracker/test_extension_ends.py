"""What an extension means after the end, and how it ends with its ground (shared cases T4, T12)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from services.tracker import stuck
from shared.events import Fact
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, clocks, facts_told
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule, slug


async def asked(tracker: Bench) -> str:
    """An extension asked on Monday the 9th, the day the clock is due."""
    tracker.at("2026-03-09T10:00+08:00")
    answer = await ask(tracker)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def waiting(tracker: Bench) -> int:
    """How many extensions a supervisor's list shows."""
    page = await tracker.http("supervisor").get("/v1/extensions")
    total: int = page.json()["counts"]["total"]
    return total


def ends(story: Story) -> dict[str, Fact]:
    """What ends an order an hour after the extension was asked for."""
    return {
        "withdrawn": story.withdrawn("03-09 11:00"),
        "cancelled": story.cancelled("03-09 11:00"),
        "returned": story.returned("03-09 11:00"),
        "completed": story.completed("03-09 11:00"),
    }


@pytest.mark.parametrize("how", ["withdrawn", "cancelled", "returned", "completed"])
async def test_t12_an_extension_ends_with_its_ground(
    tracker: Bench, open_ticket: Story, how: str
) -> None:
    """R-18 延期."""
    extension = await asked(tracker)
    assert await waiting(tracker) == 1
    await tracker.hear(ends(open_ticket)[how])
    assert await facts_told(tracker, "extension.lapsed") == ["extension.lapsed@03-09 11:00"]
    assert await waiting(tracker) == 0
    shown = (await tracker.http("supervisor").get("/v1/tickets/20260302-000001/clocks")).json()
    assert [each["status"] for each in shown["extensions"]] == ["lapsed"]
    refused = await rule(tracker, extension, GRANT)
    assert (refused.status_code, slug(refused)) == (409, "move-refused")
    assert refused.json()["current_status"] == "lapsed"


async def test_t12_it_is_off_the_morning_page(tracker: Bench, open_ticket: Story) -> None:
    await asked(tracker)
    tracker.at("2026-03-12T10:00+08:00")

    async def unruled() -> int:
        async with tracker.service.store.act("test") as act:
            return len(await stuck.unruled(act, tracker.now))

    assert await unruled() == 1
    await tracker.hear(open_ticket.withdrawn("03-12 09:00"))
    assert await unruled() == 0


async def test_t12_one_whose_ground_ended_before_it_was_asked_ends_when_asked(
    tracker: Bench, open_ticket: Story
) -> None:
    await asked(tracker)
    await tracker.hear(open_ticket.withdrawn("03-09 09:59"))
    assert await facts_told(tracker, "extension.lapsed") == ["extension.lapsed@03-09 10:00"]


async def test_t4_an_answer_that_came_late_may_still_be_found_in_time(
    tracker: Bench, open_ticket: Story
) -> None:
    extension = await asked(tracker)
    await tracker.hear(open_ticket.completed("03-10 11:00"))
    assert await waiting(tracker) == 1
    tracker.at("2026-03-10T12:00+08:00")
    await rule(tracker, extension, GRANT)
    [granted] = await tracker.told("extension.granted")
    assert not granted.data.while_open
    assert (await clocks(tracker))["handle HC"] == ("met", "03-12 18:00")
    assert await extended(tracker) == 1


async def test_t4_a_grant_while_the_order_is_open_says_so_in_the_units_words(
    tracker: Bench, open_ticket: Story
) -> None:
    await rule(tracker, await asked(tracker), GRANT)
    [granted] = await tracker.told("extension.granted")
    assert (granted.data.while_open, granted.data.unit_reason) == (True, "需跨部门勘查")


async def extended(tracker: Bench) -> Any:
    """How many handle clocks of the month were in time with an extension."""
    tracker.at("2026-03-25T10:00+08:00")
    rates = await tracker.http("supervisor").get("/v1/rates")
    return rates.json()["handle"]["extended"]


@pytest.mark.parametrize("heard_late", [False, True])
async def test_t4_figures_do_not_count_an_extension_that_came_after_the_answer(
    tracker: Bench, open_ticket: Story, heard_late: bool
) -> None:
    extension = await asked(tracker)
    done = open_ticket.completed("03-09 11:00")
    if not heard_late:  # its audit waits, so it may still be sent back
        await tracker.hear(audited(open_ticket, done))
    tracker.at("2026-03-09T12:00+08:00")
    await rule(tracker, extension, GRANT)
    if heard_late:
        await tracker.hear(done)
    assert (await clocks(tracker))["handle HC"] == ("met", "03-09 18:00")
    assert await extended(tracker) == 0


def audited(story: Story, done: Fact) -> Fact:
    """The same answer, of which an audit waits."""
    data = done.data.model_copy(update={"audit": UUID(int=9), "audit_limit": "1wd"})
    return story.of_unit(data, "03-09 11:00")
