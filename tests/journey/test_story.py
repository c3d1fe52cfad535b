"""The story told once, over RabbitMQ and PostgreSQL, with examples/ as clients.

A story that is told to its end has already kept its promises (examples/stories.py raises
BrokenPromise); here is checked what a story does not say aloud.
"""

from __future__ import annotations

from collections import Counter

import pytest

from examples.stories import REPORTER, ROAD_USER, Told
from operations.runtime.registry import NAMES
from shared.events import Fact
from shared.service import service_of
from tests.fixtures.journey import Journey, rows

IDENTITIES = [value for person in (REPORTER, ROAD_USER) for value in person.values()]


def of(told: Told, facts: list[Fact]) -> list[Fact]:
    """The facts of one story's ticket."""
    return [fact for fact in facts if fact.subject == told.receipt.number]


# --- what became of the tickets ----------------------------------------------------------------


@pytest.mark.parametrize(("story", "round"), [("banquet", 1), ("gone_wrong", 2)])
async def test_a_story_ends_closed_in_its_citizens_eyes(
    journey: Journey, story: str, round: int
) -> None:
    progress = await journey.county.phone.progress(journey.told[story].receipt)
    assert (progress["status"], progress["round"]) == ("closed", round)
    assert progress["answer"]


async def test_every_move_was_said_once_and_in_order(journey: Journey) -> None:
    """R-01 记录成单; R-34 追责可证."""
    for service in NAMES:
        facts = await journey.log_of(service)
        assert len({fact.id for fact in facts}) == len(facts)
        for told in journey.told.values():
            seqs = [fact.seq for fact in of(told, facts)]
            assert seqs == list(range(1, len(seqs) + 1))


async def test_what_went_wrong_left_its_marks_with_true_times(journey: Journey) -> None:
    facts = of(journey.told["gone_wrong"], await journey.log_of("tracker"))
    first = [fact for fact in facts if fact.round == 1 and fact.unit]
    times = {
        (fact.name, fact.data.clock): fact.time.isoformat()
        for fact in first
        if fact.name in ("deadline.warned", "deadline.breached")
    }
    assert times["deadline.warned", "handle"] == "2026-03-13T10:00:00+00:00"
    assert times["deadline.breached", "handle"] == "2026-03-16T10:00:00+00:00"
    rungs = [
        (fact.data.rung, fact.time.isoformat())
        for fact in first
        if fact.name == "supervision.raised"
    ]
    assert rungs == [
        (1, "2026-03-16T10:00:00+00:00"),
        (2, "2026-03-17T10:00:00+00:00"),
        (3, "2026-03-19T10:00:00+00:00"),
    ]
    assert [fact.data.rung for fact in first if fact.name == "supervision.closed"] == [1, 2, 3]


async def test_the_citizen_was_told_at_each_turn(journey: Journey) -> None:
    facts = of(journey.told["gone_wrong"], await journey.log_of("feedback"))
    told = [fact.data.occasion for fact in facts if fact.name == "citizen.told"]
    assert told == [
        "accepted", "dispatched", "completed", "reopened", "dispatched", "completed", "closed",
    ]  # fmt: skip


async def test_nothing_is_left_waiting_or_dead(journey: Journey) -> None:
    assert await journey.waiting() == []


async def test_units_heard_what_the_feed_holds(journey: Journey) -> None:
    """By queue and by feed a unit hears the same facts, also the tracker's."""
    for code in ("HC", "ZJJ"):
        heard = {fact["id"] for fact in journey.county.unit(code).book.facts.values()}
        query = f"SELECT fact FROM feed WHERE unit = '{code}' AND position IS NOT NULL"
        held = await rows(journey.databases["jiesu_dispatcher"], query)
        assert heard == {str(row.fact) for row in held}
        sources = Counter(fact["source"] for fact in journey.county.unit(code).book.facts.values())
        assert sources["tracker"] > 0


# --- nobody is named ---------------------------------------------------------------------------


async def test_no_caller_is_named_outside_the_vault(journey: Journey) -> None:
    """R-36 身份遮蔽."""
    found = await journey.everything()
    assert {"jiesu_intake.vault", "jiesu_tracker.clocks", "jiesu_feedback.attempts"} <= found.keys()
    leaks = [(place, who) for place, words in found.items() for who in IDENTITIES if who in words]
    assert leaks == []


async def test_the_search_would_find_a_leak(journey: Journey) -> None:
    """The same search finds what may be found: numbers of tickets, words of the matter."""
    found = await journey.everything()
    number = journey.told["gone_wrong"].receipt.number
    for place in ("log", "overheard", "jiesu_intake.ticket", "jiesu_intake.outbox"):
        assert number in found[place], place
    for table in ("jiesu_tracker.tickets", "jiesu_feedback.tickets", "jiesu_dispatcher.feed"):
        assert number in found[table], table
    assert "坑洞" in found["jiesu_dispatcher.tickets"]


async def test_the_vault_itself_can_be_opened(journey: Journey) -> None:
    """What was not found elsewhere is not simply gone."""
    sealer = service_of(journey.system.apps["intake"]).store.config.sealer
    number = journey.told["banquet"].receipt.number
    [row] = await rows(
        journey.databases["jiesu_intake"], f"SELECT sealed FROM vault WHERE number = '{number}'"
    )
    assert REPORTER["name"] in sealer.unseal(row.sealed, number).decode()
