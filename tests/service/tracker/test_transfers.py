"""承接 at the tracker: no clock begins anew, and each month's figures count for who had it (ADR 0056)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from shared import succession
from shared.events import (
    AssignmentCompleted,
    CompletionKind,
    Fact,
    Role,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import (
    HC,
    NEW,
    TICKET,
    Story,
    clocks,
    dissolved,
    facts_told,
    transferred,
)


def completed(story: Story, moment: str) -> Fact:
    data = AssignmentCompleted(
        role=Role.LEAD,
        kind=CompletionKind.SOLVED,
        contacted=True,
        solved=True,
        result="已修复",
        public_answer="道路已修复",
        signed_off_by="王五",
    )
    return story._fact(data, moment, assignment=HC, unit=NEW)


async def rates(tracker: Bench, month: str) -> dict[str, tuple[int, int, int, int]]:
    """Handle clocks and sign clocks of a month by unit: due and on time."""
    last = {"02": "28", "03": "31", "04": "30"}[month]
    query = f"from=2026-{month}-01&to=2026-{month}-{last}"
    answer = (await tracker.http("supervisor").get(f"/v1/rates?basis=judged&{query}")).json()
    return {
        row["unit"]: (
            row["handle"]["due"],
            row["handle"]["on_time"],
            row["sign"]["due"],
            row["sign"]["on_time"],
        )
        for row in answer["units"]
    }


async def test_the_clocks_run_on_as_they_ran(open_ticket: Story) -> None:
    """R-14: not one second more or less, and nobody is told that a clock began."""
    tracker, story = open_ticket.tracker, open_ticket
    before, told = await clocks(tracker), await facts_told(tracker)
    await tracker.hear(transferred(story, "03-04 00:00"))
    after = await clocks(tracker)
    assert after == {name.replace("HC", NEW): stands for name, stands in before.items()}
    assert await facts_told(tracker) == told


async def test_what_is_missed_later_is_said_to_the_new_unit_and_is_its_own(
    open_ticket: Story,
) -> None:
    """R-31: signed in time by the old unit, not done in time by the new one: each has its own."""
    tracker, story = open_ticket.tracker, open_ticket
    await tracker.hear(story.signed("03-02 10:30"), transferred(story, "03-04 00:00"))
    tracker.at("2026-03-20T09:00+08:00")
    await tracker.run("sweep")
    breached = {fact.unit for fact in await tracker.told("deadline.breached") if fact.unit}
    assert breached == {NEW}
    assert await rates(tracker, "03") == {"HC": (0, 0, 1, 1), NEW: (1, 0, 0, 0)}


async def test_what_the_old_unit_missed_stays_the_old_units(open_ticket: Story) -> None:
    """R-31, R-33: breached in March before the reform, done in April after it."""
    tracker, story = open_ticket.tracker, open_ticket
    tracker.at("2026-03-20T09:00+08:00")
    await tracker.run("sweep")
    march = await rates(tracker, "03")
    assert march["HC"][:2] == (1, 0)
    await tracker.hear(transferred(story, "03-25 00:00"), dissolved(story, "03-25 00:00"))
    await tracker.hear(completed(story, "04-02 10:00"))
    assert await rates(tracker, "03") == march
    assert await rates(tracker, "04") == {NEW: (0, 0, 0, 0)}  # who answered missed nothing
    listed = (await tracker.http("supervisor").get(f"/v1/breaches?unit={NEW}")).json()["items"]
    assert {(row["unit"], row["missed_by"]) for row in listed} == {(NEW, "HC")}


async def test_the_figures_say_what_became_of_whom(open_ticket: Story) -> None:
    tracker, story = open_ticket.tracker, open_ticket
    await tracker.hear(story.signed("03-02 10:30"), transferred(story, "03-04 00:00"))
    await tracker.hear(completed(story, "03-05 10:00"), dissolved(story, "03-04 00:00"))
    answer = await tracker.http("supervisor").get(
        "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    )
    old, new = sorted(answer.json()["units"], key=lambda row: str(row["unit"]))
    assert (old["unit"], old["name"], old["successors"]) == ("HC", "红椿镇（现毛坝镇）", [NEW])
    assert old["until"] == new["follows"][0]["since"] == "2026-03-03T16:00:00Z"
    assert (new["name"], new["follows"][0]["unit"], new["until"]) == ("毛坝镇", "HC", None)


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_in_whatever_order_it_is_heard(tracker: Bench, story: Story, order: Any) -> None:
    await tracker.hear(story.registered(), story.dispatched())
    said = [
        story.signed("03-02 10:30", ),
        transferred(story, "03-04 00:00", seq=50),
        transferred(story, "03-06 00:00", to="GT", before=NEW, seq=60),
    ]  # fmt: skip
    await tracker.hear(*(said[place] for place in order))
    [assignment] = await tracker.rows("SELECT unit, transfers FROM assignments")
    assert assignment["unit"] == "GT"
    assert [unit for _, _, unit, _ in assignment["transfers"]] == ["HC", NEW]
    rows = await tracker.rows("SELECT unit, former FROM clocks WHERE assignment IS NOT NULL")
    assert {row["unit"] for row in rows} == {"GT"}
    assert {tuple(whose for _, whose in row["former"]) for row in rows} == {("HC", NEW)}
    assert await rates(tracker, "03") == {"HC": (0, 0, 1, 1)}


async def test_a_supervision_presses_who_has_it_now(open_ticket: Story) -> None:
    tracker, story = open_ticket.tracker, open_ticket
    await tracker.hear(story.signed("03-02 11:00"))
    body = {"rung": 2, "reason": "逾期"}
    path = f"/v1/assignments/{HC}/supervisions"
    raised = await tracker.http("supervisor").post(path, json=body)
    assert raised.is_success, raised.text
    await tracker.hear(transferred(story, "03-04 00:00"), completed(story, "03-05 10:00"))
    [closed] = await tracker.told("supervision.closed")
    assert closed.unit == NEW


async def test_an_old_token_reads_and_asks_as_the_new_unit(open_ticket: Story) -> None:
    tracker, story = open_ticket.tracker, open_ticket
    await tracker.hear(transferred(story, "03-04 00:00"), dissolved(story, "03-04 00:00"))
    for unit in ("HC", NEW):
        answer = await tracker.http("unit", unit).get(f"/v1/tickets/{TICKET}/clocks")
        assert {row["unit"] for row in answer.json()["clocks"]} == {NEW}
    tracker.service.store.dissolved = {}
    await succession.take_up(tracker.service.store)  # as every process does with its heartbeat
    assert [*tracker.service.store.dissolved] == ["HC"]
