"""并单 at the tracker: the work's clocks run once, each citizen's own goes on, nothing late is washed."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest

from shared.events import AssignmentCancelled, Fact, TicketMerged, TicketUnmerged
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, Story, at, clocks, local

FIRST, SECOND = "20260302-000001", "20260302-000002"
OTHER, THIRD = UUID(int=7), UUID(int=8)


def merged(bench: Bench, number: str, moment: str, seq: int = 2, *, repeat: bool = False) -> Fact:
    """Intake says that a ticket is merged into the first."""
    data = TicketMerged(into=FIRST, reason="同一处塌陷", repeat=repeat)
    return bench.fact(data, subject=number, time=at(moment), seq=seq)


def parted(bench: Bench, number: str, moment: str, seq: int = 3) -> Fact:
    """Intake says that it was another matter."""
    data = TicketUnmerged(parted_from=FIRST, reason="不是一处")
    return bench.fact(data, subject=number, time=at(moment), seq=seq)


def cancelled(bench: Bench, moment: str) -> Fact:
    """The second ticket's order ends for the first's."""
    data = AssignmentCancelled(reason="merged")
    return bench.fact(data, subject=SECOND, time=at(moment), assignment=OTHER, unit="HC")


async def rates(bench: Bench) -> dict[str, int]:
    """What was due and what was on time this month."""
    path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    found = (await bench.http("supervisor").get(path)).json()
    return {key: found["handle"][key] for key in ("due", "on_time")}


async def test_the_desks_clock_ends_and_the_citizens_goes_on(tracker: Bench) -> None:
    second = Story(tracker, SECOND)
    await tracker.hear(
        Story(tracker).registered(), second.registered(), merged(tracker, SECOND, "03-02 11:00")
    )
    found = {name: status for name, (status, _) in (await clocks(tracker, SECOND)).items()}
    assert found == {"dispatch #1": "cancelled", "citizen #1": "running"}
    await tracker.hear(second.resolved("03-04 10:00"))
    assert (await clocks(tracker, SECOND))["citizen #1"][0] == "met"


async def test_work_counts_once_and_what_was_late_stays_late(tracker: Bench) -> None:
    """Gain 8: work once, people apart. What was missed counts where it was, the other where that is."""
    first = await late_and_merged(tracker)
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 11:00")
    assert await rates(tracker) == {"due": 1, "on_time": 0}
    await tracker.hear(first.completed("03-11 10:00"))
    assert await rates(tracker) == {"due": 2, "on_time": 1}


async def test_what_was_late_hides_nothing_of_the_other(tracker: Bench) -> None:
    """Due at once, it still has a due moment of its own to miss: parted or not, in the month of that."""
    first = await late_and_merged(tracker)
    await tracker.hear(parted(tracker, SECOND, "03-10 12:00"))
    tracker.at("2026-03-18T10:00+08:00")
    await tracker.run("sweep")
    assert await rates(tracker) == {"due": 2, "on_time": 0}
    await tracker.hear(first.cancelled("03-18 10:00"), first.dispatched("03-18 10:05", id=THIRD))
    tracker.at("2026-03-27T10:00+08:00")
    await tracker.run("sweep")
    assert await rates(tracker) == {"due": 2, "on_time": 0}


async def test_nor_does_it_when_the_other_is_given_again_before_that(tracker: Bench) -> None:
    first = await late_and_merged(tracker)
    await tracker.hear(
        parted(tracker, SECOND, "03-10 12:00"),
        first.cancelled("03-10 12:30"),
        first.dispatched("03-10 12:30", id=THIRD),
    )
    tracker.at("2026-03-18T10:00+08:00")
    await tracker.run("sweep")
    assert await rates(tracker) == {"due": 2, "on_time": 0}


async def late_and_merged(tracker: Bench) -> Story:
    """The unit missed the second ticket, which is merged into one that it was just given."""
    first, second = Story(tracker), Story(tracker, SECOND)
    await tracker.hear(first.registered("03-02 10:00"), second.registered("03-02 10:00"))
    await tracker.hear(second.dispatched("03-02 10:05", id=OTHER))
    tracker.at("2026-03-10T10:00+08:00")
    await tracker.run("sweep")
    await tracker.hear(
        first.dispatched("03-10 10:00"),
        merged(tracker, SECOND, "03-10 11:00"),
        cancelled(tracker, "03-10 11:00"),
        first.signed("03-10 11:30"),
    )
    return first


async def test_what_was_in_time_when_it_was_merged_is_no_work_of_its_own(tracker: Bench) -> None:
    first, second = Story(tracker), Story(tracker, SECOND)
    await tracker.hear(
        first.registered(),
        second.registered(),
        first.dispatched(),
        second.dispatched(id=OTHER),
        merged(tracker, SECOND, "03-03 10:00"),
        cancelled(tracker, "03-03 10:00"),
        first.completed("03-04 10:00"),
    )
    assert await rates(tracker) == {"due": 1, "on_time": 1}
    lost = [fact for fact in await tracker.told("deadline.cancelled") if fact.unit]
    assert {fact.data.reason for fact in lost} == {"已并单办理 it was merged into other work"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_parted_it_must_be_dispatched_again_in_any_order_of_facts(
    tracker: Bench, order: tuple[int, ...]
) -> None:
    second = Story(tracker, SECOND)
    facts = [
        merged(tracker, SECOND, "03-02 11:00"),
        parted(tracker, SECOND, "03-03 10:00"),
        second.dispatched("03-03 10:01", id=OTHER),
    ]
    await tracker.hear(Story(tracker).registered(), second.registered())
    for place in order:
        await tracker.hear(facts[place])
    found = await clocks(tracker, SECOND)
    assert found["dispatch #1"][0] == "cancelled"
    assert found["dispatch #1 again"][0] == "met"
    assert found["handle HC"][0] == "running"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_merged_into_a_younger_ticket_the_unit_gains_no_time(
    tracker: Bench, order: tuple[int, ...]
) -> None:
    """Nor when they are parted again."""
    first, second = Story(tracker), Story(tracker, SECOND)
    await tracker.hear(second.registered("03-02 10:00"), first.registered("03-06 10:00"))
    facts = [
        second.dispatched("03-02 10:05", id=OTHER),
        first.dispatched("03-06 10:05"),
        merged(tracker, SECOND, "03-06 11:00"),
    ]
    for place in order:
        await tracker.hear(facts[place])
    await tracker.hear(cancelled(tracker, "03-06 11:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await tracker.hear(parted(tracker, SECOND, "03-06 12:00"), first.signed("03-06 12:30"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")


# --- many reporters ----------------------------------------------------------------------------


async def reporters(
    tracker: Bench, days: list[str], *, repeat: bool = False, dispatched: bool = True
) -> list[Fact]:
    """So many citizens report one matter, each on a day of March; the supervisions that are raised."""
    first = Story(tracker)
    await tracker.hear(first.registered(f"{days[0]} 10:00"))
    if dispatched:
        await tracker.hear(first.dispatched(f"{days[0]} 10:05"))
    for place, day in enumerate(days[1:], 2):
        number = f"20260302-00000{place}"
        await tracker.hear(Story(tracker, number).registered(f"{day} 10:00"))
        await tracker.hear(merged(tracker, number, f"{day} 11:00", repeat=repeat))
    return await tracker.told("supervision.raised")


async def test_five_reporters_in_seven_days_raise_a_supervision_order_once(
    tracker: Bench,
) -> None:
    """R-30, JN-28(2)."""
    [raised] = await reporters(tracker, ["03-02", "03-03", "03-04", "03-05", "03-06", "03-07"])
    assert (raised.subject, raised.assignment, raised.unit) == (FIRST, HC, "HC")
    assert (raised.data.rung, raised.data.by) == (2, "trigger")
    assert raised.data.reason.startswith("5名诉求人")
    assert local(raised.time) == "03-06 11:00"


@pytest.mark.parametrize(
    ("days", "repeat"),
    [
        (["03-02", "03-03", "03-04", "03-05"], False),
        (["03-02", "03-03", "03-04", "03-05", "03-10"], False),
        (["03-02", "03-03", "03-04", "03-05", "03-06"], True),
    ],
)
async def test_fewer_or_slower_or_the_same_person_raise_nothing(
    tracker: Bench, days: list[str], repeat: bool
) -> None:
    assert await reporters(tracker, days, repeat=repeat) == []


async def test_it_is_raised_when_a_unit_gets_the_matter(tracker: Bench) -> None:
    days = ["03-02", "03-03", "03-04", "03-05", "03-06"]
    assert await reporters(tracker, days, dispatched=False) == []
    await tracker.hear(Story(tracker).dispatched("03-06 15:00"))
    [raised] = await tracker.told("supervision.raised")
    assert local(raised.time) == "03-06 15:00"
