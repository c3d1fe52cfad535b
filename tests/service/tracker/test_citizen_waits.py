"""等待诉求人: what a wait for the citizen is to clocks (WF-21, DOMAIN.md 5.3 rows 2, 3 and 11)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from uuid import UUID

import pytest

from services.tracker.rules.pauses import Pause, WaitTimeline, apart
from services.tracker.rules.timelines import AssignmentTimeline
from shared.events import (
    AssignmentWaitEnded,
    AssignmentWaitGranted,
    AssignmentWaitRefused,
    AssignmentWaitRequested,
    ClockKind,
    Fact,
    Role,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story, at, clocks, facts_told, local

WAIT = UUID(int=401)


def asked_for(story: Story, moment: str = "03-03 10:00") -> Fact:
    data = AssignmentWaitRequested(
        wait=WAIT,
        awaited="documents",
        reason="缺购房合同",
        contact_time=at("03-03 09:30"),
        review="1wd",
    )
    return story.of_unit(data, moment)


def refused(story: Story, moment: str, *, silent: bool = False) -> Fact:
    data = AssignmentWaitRefused(wait=WAIT, ruling="不予等待", silent=silent)
    return story.of_unit(data, moment)


def granted(story: Story, moment: str, asked: str = "03-03 10:00") -> Fact:
    data = AssignmentWaitGranted(
        wait=WAIT,
        awaited="documents",
        asked_at=at(asked),
        until=at("03-17 18:00"),
        ruling="情况属实",
    )
    return story.of_unit(data, moment)


def ended(story: Story, moment: str) -> Fact:
    return story.of_unit(AssignmentWaitEnded(wait=WAIT, why="come"), moment)


async def test_the_handle_clock_alone_stands_still(tracker: Bench, open_ticket: Story) -> None:
    """The citizen's clock never stops; nor do those of signing and calling."""
    before = await clocks(tracker)
    await tracker.hear(granted(open_ticket, "03-03 11:00"))
    now = await clocks(tracker)
    assert now["handle HC"][0] == "paused"
    assert {name: now[name] for name in now if name != "handle HC"} == {
        name: before[name] for name in before if name != "handle HC"
    }


async def test_working_overlap_is_given_back_since_the_asking(
    tracker: Bench, open_ticket: Story
) -> None:
    """Of 03-03 10:00 to 03-04 10:00 a working day, and not the night."""
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await tracker.hear(granted(open_ticket, "03-03 15:00"), ended(open_ticket, "03-04 10:00"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")
    assert await facts_told(tracker, "deadline.breached") == []


async def explained(tracker: Bench) -> dict[str, str]:
    """What the handle clock says."""
    shown = await tracker.http("supervisor").get(f"/v1/tickets/{TICKET}/clocks")
    [handle] = [each for each in shown.json()["clocks"] if each["kind"] == "handle"]
    assert {each["awaited"] for each in handle["pauses"]} <= {"documents", None}
    return dict(handle["explanation"])


async def test_the_explanation_says_what_was_awaited(tracker: Bench, open_ticket: Story) -> None:
    """Gain 1: named as a cause, apart from what the desk took, which it meets."""
    await tracker.hear(granted(open_ticket, "03-03 15:00"))
    [paused] = await tracker.told("deadline.paused")
    assert paused.data.reason == "等待诉求人 the citizen is waited for"
    said = await explained(tracker)
    assert "自2026年3月3日10:00起因等待诉求人提供材料暂停计时" in said["zh"]
    assert "Paused since 2026-03-03 10:00 to wait for documents from the citizen" in said["en"]
    await tracker.hear(
        ended(open_ticket, "03-04 10:00"),
        open_ticket.asked_return("03-04 10:00"),
        open_ticket.refused_return("03-04 11:00"),
    )
    said = await explained(tracker)
    waited = "2026年3月3日10:00至2026年3月4日10:00因等待诉求人提供材料暂停计时，期限顺延7.5小时（工作时间）"
    assert f"{waited}。2026年3月4日10:00至11:00暂停计时" in said["zh"]
    assert "to 2026-03-04 10:00 to wait for documents from the citizen, which gives" in said["en"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_in_any_order(tracker: Bench, open_ticket: Story, order: tuple[int, ...]) -> None:
    facts = (
        granted(open_ticket, "03-03 15:00"),
        ended(open_ticket, "03-04 10:00"),
        open_ticket.contacted("03-03 09:30"),
    )
    await tracker.hear(*(facts[each] for each in order))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")


async def test_t10_the_desk_has_a_clock_to_rule_on_a_wait(
    tracker: Bench, open_ticket: Story
) -> None:
    """Whoever blocks is the one whose clock runs: the unit's goes on, and the desk is pressed."""
    before = (await clocks(tracker))["handle HC"]
    await tracker.hear(asked_for(open_ticket))
    now = await clocks(tracker)
    assert (now["hotline_review #1"], now["handle HC"]) == (("running", "03-04 18:00"), before)
    tracker.at("2026-03-04T19:00+08:00")
    await tracker.run("sweep")
    raised = [f for f in await tracker.told("supervision.raised") if f.unit == "RXB"]
    assert [(f.data.rung, local(f.time)) for f in raised] == [(1, "03-04 18:00")]
    await tracker.hear(refused(open_ticket, "03-04 18:00:01", silent=True))
    [late] = [f for f in await tracker.told("deadline.met") if f.data.clock == "hotline_review"]
    assert late.data.late
    assert [f for f in await tracker.told("supervision.closed") if f.unit == "RXB"] == []


@pytest.mark.parametrize(
    ("ends", "status"), [(granted, "met"), (refused, "met"), (ended, "cancelled")]
)
@pytest.mark.parametrize("late", [False, True])
async def test_what_is_ruled_on_or_taken_back_presses_nobody(
    tracker: Bench, open_ticket: Story, ends: Callable[[Story, str], Fact], status: str, late: bool
) -> None:
    facts = [asked_for(open_ticket), ends(open_ticket, "03-03 15:00")]
    await tracker.hear(*(reversed(facts) if late else facts))
    tracker.at("2026-03-05T19:00+08:00")
    await tracker.run("sweep")
    assert (await clocks(tracker))["hotline_review #1"] == (status, "03-04 18:00")
    assert [f for f in await tracker.told("supervision.raised") if f.unit == "RXB"] == []


async def test_what_was_missed_before_stays_missed(tracker: Bench, open_ticket: Story) -> None:
    """DOMAIN.md 5.3 row 3: a wait that begins after the due moment gives nothing back."""
    tracker.at("2026-03-10T09:00+08:00")
    await tracker.run("sweep")
    missed = await facts_told(tracker, "deadline.breached")
    assert "deadline.breached@03-09 18:00" in missed
    await tracker.hear(granted(open_ticket, "03-10 10:00", "03-10 09:30"))
    assert await facts_told(tracker, "deadline.breached", "deadline.annulled") == missed


def test_a_wait_does_not_cut_what_the_desk_took() -> None:
    """The pause of a return and a wait: each stands, and time is given back once."""
    line = AssignmentTimeline(
        id=HC,
        unit="HC",
        role=Role.LEAD,
        round=1,
        urgency=Urgency.NORMAL,
        has_contact=True,
        sign_limit=None,
        first_contact_limit=None,
        handle_limit="5wd",
        dispatched_at=at("03-02 10:00"),
        return_requested_at=at("03-02 11:00"),
        return_refused_at=at("03-02 12:00"),
        waits=({"id": WAIT, "asked_at": at("03-02 11:30"), "ended_at": at("03-02 15:00")},),
    )
    whole = Pause(at("03-02 11:00"), at("03-02 15:00"))
    assert line.pauses_of(ClockKind.HANDLE) == (whole,)
    assert line.pauses_of(ClockKind.SIGN) == (Pause(whole.begins_at, at("03-02 12:00")),)


def test_a_pause_is_told_apart_by_what_it_was_for() -> None:
    """A wait that nobody heard the word of, open and ended, within what the desk took and beyond it."""
    ten, noon, two = at("03-03 10:00"), at("03-03 12:00"), at("03-03 14:00")
    within = WaitTimeline(id=WAIT, awaited="documents", asked_at=ten, ended_at=noon)
    for_ever = WaitTimeline(id=WAIT, asked_at=noon)
    assert list(apart(Pause(ten, two), [within])) == [
        (Pause(ten, noon), "documents"),
        (Pause(noon, two), None),
    ]
    assert list(apart(Pause(ten), [for_ever])) == [
        (Pause(ten, noon), None),
        (Pause(noon), "cooperation"),
    ]
    assert list(apart(Pause(ten, ten), [within])) == [(Pause(ten, ten), None)]
    assert list(apart(Pause(ten, noon), [for_ever])) == [(Pause(ten, noon), None)]
