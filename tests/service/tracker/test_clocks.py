"""Clocks start, stop, pause and start afresh with the facts of a ticket."""

from __future__ import annotations

import pytest

from shared.events import ClockKind, ContactOutcome, Limits, TicketType, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import GT, HC, Story, at, clocks, facts_told, local


async def test_registration_starts_the_desk_s_and_the_citizen_s_clock(
    tracker: Bench, story: Story
) -> None:
    """R-03 即时派单."""
    await tracker.hear(story.registered())
    assert await clocks(tracker) == {
        "dispatch #1": ("running", "03-02 10:30"),
        "citizen #1": ("running", "03-09 18:00"),
    }
    (fact,) = await tracker.told()
    assert (fact.key, fact.time, fact.assignment) == ("deadline.set", at("03-02 10:00"), None)
    assert [(clock.clock, clock.limit) for clock in fact.data.clocks] == [
        (ClockKind.DISPATCH, "30min"),
        (ClockKind.CITIZEN, "5wd"),
    ]


async def test_a_dispatch_starts_the_unit_s_clocks_from_dispatch(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered(), story.dispatched("03-02 10:20"))
    assert await clocks(tracker) == {
        "dispatch #1": ("met", "03-02 10:30"),
        "citizen #1": ("running", "03-09 18:00"),
        "sign HC": ("running", "03-02 16:20"),
        "first_contact HC": ("running", "03-03 18:00"),
        "handle HC": ("running", "03-09 18:00"),
    }
    addressed = [f for f in await tracker.told("deadline.set") if f.unit]
    assert [(f.key, f.assignment, len(f.data.clocks)) for f in addressed] == [
        ("deadline.set.HC", HC, 3)
    ]
    met = await tracker.told("deadline.met")
    assert [(f.key, f.data.clock, f.data.late) for f in met] == [
        ("deadline.met", ClockKind.DISPATCH, False)
    ]


async def test_the_dispatch_s_urgency_moves_the_citizen_s_clock_and_keeps_its_start(
    tracker: Bench, story: Story
) -> None:
    urgent = Limits(sign="30min", first_contact="2h", handle="24h")
    await tracker.hear(story.registered(), story.dispatched(urgency=Urgency.URGENT, limits=urgent))
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-03 10:00")
    (moved,) = await tracker.told("deadline.moved")
    assert moved.data.before == at("03-09 18:00")
    assert moved.time == at("03-02 10:05")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (ContactOutcome.REACHED, "met"),
        (ContactOutcome.REFUSED, "met"),
        (ContactOutcome.NO_ANSWER, "running"),
        (ContactOutcome.WRONG_NUMBER, "running"),
    ],
)
async def test_only_an_answered_contact_counts(
    tracker: Bench, story: Story, outcome: ContactOutcome, status: str
) -> None:
    """R-12 先行联系."""
    await tracker.hear(
        story.registered(), story.dispatched(), story.contacted("03-02 11:00", outcome)
    )
    assert (await clocks(tracker))["first_contact HC"][0] == status


async def test_completion_meets_what_still_runs_and_resolution_the_citizen_s(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.signed("03-02 11:00"),
        story.completed("03-04 11:00"),
        story.resolved("03-04 11:00"),
    )
    assert {status for status, _ in (await clocks(tracker)).values()} == {"met"}
    met = {f.data.clock: local(f.time) for f in await tracker.told("deadline.met")}
    assert met["sign"] == "03-02 11:00"
    assert met["first_contact"] == met["handle"] == met["citizen"] == "03-04 11:00"


async def test_a_ticket_without_a_contact_or_with_praise_has_fewer_clocks(
    tracker: Bench, story: Story
) -> None:
    praise = Story(tracker, "20260302-000002")
    await tracker.hear(
        story.registered(),
        story.dispatched(has_contact=False),
        praise.registered(type=TicketType.COMMENDATION),
        praise.dispatched(limits=Limits(sign="1wd"), id=GT, unit="GT"),
    )
    assert "first_contact HC" not in await clocks(tracker)
    assert set(await clocks(tracker, "20260302-000002")) == {"dispatch #1", "sign GT"}


async def test_withdrawal_cancels_every_clock(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered(), story.dispatched(), story.withdrawn("03-02 15:00"))
    statuses = {name: status for name, (status, _) in (await clocks(tracker)).items()}
    assert statuses.pop("dispatch #1") == "met"
    assert set(statuses.values()) == {"cancelled"}
    assert await facts_told(tracker, "deadline.cancelled") == ["deadline.cancelled@03-02 15:00"] * 4


# --- returns and redo --------------------------------------------------------------------------


async def test_a_refused_return_gives_back_the_working_overlap_only(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.signed("03-02 11:00"),
        story.asked_return("03-03 17:00"),
    )
    assert (await clocks(tracker))["handle HC"] == ("paused", "03-09 18:00")
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-09 18:00")
    await tracker.hear(story.refused_return("03-04 09:30"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 10:30")
    assert (await clocks(tracker))["first_contact HC"] == ("running", "03-04 10:30")
    assert (await clocks(tracker))["sign HC"] == ("met", "03-02 16:05")
    assert await facts_told(tracker, "deadline.paused", "deadline.resumed") == [
        "deadline.paused@03-03 17:00",
        "deadline.paused@03-03 17:00",
        "deadline.resumed@03-04 09:30",
        "deadline.resumed@03-04 09:30",
    ]


async def test_a_granted_return_cancels_and_starts_the_desk_s_clock_afresh(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.asked_return("03-02 11:00"),
        story.returned("03-02 15:00"),
    )
    now = await clocks(tracker)
    assert now["dispatch #1 again"] == ("running", "03-02 15:30")
    assert now["handle HC"][0] == now["sign HC"][0] == "cancelled"
    await tracker.hear(story.dispatched("03-02 15:10", id=GT, unit="GT"))
    now = await clocks(tracker)
    assert now["dispatch #1 again"][0] == "met"
    assert now["handle GT"] == ("running", "03-09 18:00")


async def test_a_redo_has_a_citizen_s_clock_of_its_own(tracker: Bench, story: Story) -> None:
    limits = Limits(sign="4wh", first_contact="1wd", handle="3wd")
    await tracker.hear(
        story.registered(),
        story.dispatched(),
        story.completed("03-04 10:00"),
        story.resolved("03-04 10:00"),
        story.reopened("03-05 10:00", 2),
        story.dispatched("03-05 10:00", id=GT, unit="GT", round=2, redo=True, limits=limits),
    )
    now = await clocks(tracker)
    assert now["citizen #1"][0] == "met"
    assert now["citizen #2"] == ("running", "03-10 18:00")
    assert now["handle GT"] == ("running", "03-10 18:00")
    rounds = {f.round for f in await tracker.told("deadline.set") if f.time == at("03-05 10:00")}
    assert rounds == {2}
