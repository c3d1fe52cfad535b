"""The desk's clock on a return, and what its ruling, or silence, is to the unit's clocks (R-15)."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import pytest

from shared.events import (
    AssignmentReturned,
    AssignmentReturnRefused,
    AssignmentReturnRequested,
    AssignmentReturnWithdrawn,
    AssignmentUpdated,
    Fact,
    Limits,
    Reported,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story, at, clocks, facts_told, local

REVIEW = "hotline_review #1"


def asked(story: Story, moment: str, n: int = 1, *, pauses: bool = True) -> Fact:
    """A request of this release: asked on Monday at 10:05 or later."""
    data = AssignmentReturnRequested(
        reason_code="not_our_duty",
        legal_basis="权责清单",
        approver="李四",
        request=UUID(int=100 + n),
        review="4wh",
        pauses=pauses,
    )
    return story.of_unit(data, moment)


def refused(story: Story, moment: str, n: int = 1, *, silent: bool = False) -> Fact:
    """The desk, or the policy, says no."""
    data = AssignmentReturnRefused(ruling="属你单位职责", request=UUID(int=100 + n), silent=silent)
    return story.of_unit(data, moment)


def granted(story: Story, moment: str, n: int = 1) -> Fact:
    """The desk says yes."""
    return story.of_unit(AssignmentReturned(ruling="同意", request=UUID(int=100 + n)), moment)


async def swept(tracker: Bench, moment: str) -> None:
    """The sweep runs at a moment."""
    tracker.at(at(moment))
    await tracker.run("sweep")


async def rates(tracker: Bench, role: str = "supervisor", unit: str | None = None) -> Any:
    """The figures of March."""
    path = "/v1/rates?basis=judged&from=2026-03-01&to=2026-03-31"
    return (await tracker.http(role, unit).get(path)).json()


async def test_the_desk_has_a_clock_from_the_request_to_the_ruling(
    tracker: Bench, open_ticket: Story
) -> None:
    """GB66-5 派单异议审核."""
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    now = await clocks(tracker)
    assert now[REVIEW] == ("running", "03-02 17:00")
    assert now["handle HC"][0] == "paused"
    told = [f for f in await tracker.told("deadline.set") if f.data.clocks[0].clock == REVIEW[:14]]
    assert [(f.key, f.assignment, f.data.clocks[0].limit) for f in told] == [
        ("deadline.set", HC, "4wh")
    ]
    await tracker.hear(refused(open_ticket, "03-02 15:00"))
    assert (await clocks(tracker))[REVIEW][0] == "met"
    assert (await rates(tracker))["hotline_review"] == {
        "due": 1,
        "on_time": 1,
        "extended": 0,
        "revised": 0,
        "rate": 1.0,
    }


async def test_it_warns_is_breached_and_supervised_as_the_desks(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-31 黄牌红牌, R-32: before the hotline's office, in no unit's figures."""
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    await swept(tracker, "03-03 09:00")
    of_desk = [f for f in await tracker.told() if f.name.startswith("deadline.") and not f.unit]
    assert [f"{f.name}@{local(f.time)}" for f in of_desk if f.assignment == HC] == [
        "deadline.set@03-02 11:00",
        "deadline.warned@03-02 16:00",
        "deadline.breached@03-02 17:00",
    ]
    (raised,) = await tracker.told("supervision.raised")
    assert (raised.unit, raised.assignment, raised.data.rung) == ("RXB", HC, 1)
    await tracker.hear(refused(open_ticket, "03-03 10:00"))
    (closed,) = await tracker.told("supervision.closed")
    assert (closed.unit, closed.data.supervision) == ("RXB", raised.data.supervision)
    found = await rates(tracker)
    assert (found["hotline_review"]["due"], found["hotline_review"]["on_time"]) == (1, 0)
    assert "hotline_review" not in str(found["units"])
    mine = await rates(tracker, "unit", "HC")
    assert mine["hotline_review"]["due"] == 0


async def test_a_unit_sees_the_clock_but_not_how_the_desk_is_pressed(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    await swept(tracker, "03-03 09:00")
    path = f"/v1/tickets/{TICKET}/clocks"
    seen = (await tracker.http("unit", "HC").get(path)).json()
    assert "hotline_review" in [clock["kind"] for clock in seen["clocks"]]
    assert seen["supervisions"] == []
    whole = (await tracker.http("supervisor").get(path)).json()
    assert [row["unit"] for row in whole["supervisions"]] == ["RXB"]


async def test_who_is_complained_of_is_not_told_of_it(tracker: Bench, story: Story) -> None:
    """R-35 回避: the hotline's own office stands back, the next on the list hears."""
    about = Reported(units=("RXB",))
    await tracker.hear(story.registered(reported=about), story.dispatched())
    await tracker.hear(asked(story, "03-02 11:00"))
    await swept(tracker, "03-03 09:00")
    assert [fact.unit for fact in await tracker.told("supervision.raised")] == ["ZFB"]


async def test_silence_is_late_and_stays_before_the_supervisor(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 10:30"), asked(open_ticket, "03-02 11:00"))
    await tracker.hear(refused(open_ticket, "03-02 17:01", silent=True))
    met = [f for f in await tracker.told("deadline.met") if f.assignment == HC and not f.unit]
    assert [fact.data.late for fact in met] == [True]
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 14:31")
    assert len(await tracker.told("supervision.raised")) == 1
    assert await tracker.told("supervision.closed") == []
    await tracker.hear(open_ticket.completed("03-05 10:00"))
    assert await facts_told(tracker, "supervision.closed") == ["supervision.closed@03-05 10:00"]


async def test_the_clocks_of_an_urgent_order_run_on_and_breach(
    tracker: Bench, story: Story
) -> None:
    limits = Limits(sign="30min", first_contact="2h", handle="24h")
    urgent: dict[str, Any] = {"urgency": Urgency.URGENT, "limits": limits}
    await tracker.hear(story.registered(urgency=Urgency.URGENT), story.dispatched(**urgent))
    await tracker.hear(asked(story, "03-02 10:10", pauses=False))
    await swept(tracker, "03-06 10:00")
    assert await tracker.told("deadline.paused") == []
    breached = {f.data.clock: local(f.time) for f in await tracker.told("deadline.breached")}
    assert breached["handle"] == "03-03 10:05"
    assert breached["hotline_review"] == "03-02 16:10"


async def test_the_same_question_does_not_pause_again_and_the_desk_is_timed_again(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(
        asked(open_ticket, "03-02 11:00"),
        refused(open_ticket, "03-02 12:00"),
        asked(open_ticket, "03-02 14:00", 2, pauses=False),
    )
    now = await clocks(tracker)
    assert now["handle HC"] == ("running", "03-10 09:30")
    reviews = await tracker.rows("SELECT status FROM clocks WHERE kind = 'hotline_review'")
    assert sorted(row["status"] for row in reviews) == ["met", "running"]
    await tracker.hear(refused(open_ticket, "03-02 15:00", 2))
    assert (await rates(tracker))["hotline_review"]["due"] == 2  # each question is one of its own


async def test_what_becomes_urgent_stands_still_no_longer(
    tracker: Bench, open_ticket: Story
) -> None:
    limits = Limits(sign="30min", first_contact="2h", handle="24h")
    data = AssignmentUpdated(
        kind="urged", content="加急", urgency=Urgency.URGENT, limits=limits, resumes=True
    )
    await tracker.hear(asked(open_ticket, "03-02 11:00"), open_ticket.of_unit(data, "03-02 15:00"))
    assert (await clocks(tracker))["handle HC"][0] == "running"


async def test_a_granted_return_meets_it_and_an_ended_order_ends_it(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"), granted(open_ticket, "03-02 15:00"))
    now = await clocks(tracker)
    assert now[REVIEW][0] == "met"
    assert now["handle HC"][0] == "cancelled"


async def test_an_order_that_ends_meanwhile_ends_it(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"), open_ticket.cancelled("03-02 15:00"))
    assert (await clocks(tracker))[REVIEW][0] == "cancelled"


@pytest.mark.parametrize("known", ["this", "before"])
async def test_a_request_taken_back_ends_it_and_the_pause(
    tracker: Bench, open_ticket: Story, known: str
) -> None:
    data = AssignmentReturnWithdrawn(reason="属本单位职责", request=UUID(int=101))
    back = open_ticket.of_unit(data, "03-02 12:00")
    ask = asked if known == "this" else Story.asked_return
    await tracker.hear(ask(open_ticket, "03-02 11:00"), back)
    now = await clocks(tracker)
    assert now["handle HC"] == ("running", "03-10 09:30")
    assert (REVIEW in now) is (known == "this")
    assert now.get(REVIEW, ("cancelled",))[0] == "cancelled"


async def test_who_takes_it_back_has_spent_the_time(tracker: Bench, open_ticket: Story) -> None:
    """ADR 0087: of no clock of the unit's, and it stands in the figures as if nobody had asked."""
    before = await clocks(tracker)
    data = AssignmentReturnWithdrawn(reason="属本单位职责", request=UUID(int=101), spent=True)
    await tracker.hear(asked(open_ticket, "03-02 11:00"))
    assert (await clocks(tracker))["sign HC"][0] == "paused"
    await tracker.hear(open_ticket.of_unit(data, "03-02 14:00"))
    now = await clocks(tracker)
    assert now.pop(REVIEW)[0] == "cancelled"
    assert now == before
    resumed = {fact.data.clock: fact.data.due for fact in await tracker.told("deadline.resumed")}
    assert {kind: local(due) for kind, due in resumed.items()} == {
        clock.partition(" ")[0]: due for clock, (_, due) in now.items() if clock.endswith("HC")
    }
    (row,) = await tracker.rows("SELECT due_uncharged FROM clocks WHERE kind = 'handle'")
    assert row["due_uncharged"] is None


async def test_in_whatever_order_the_facts_come(tracker: Bench, story: Story) -> None:
    """What is known is the same; here the six orders of one request, its ruling and another request."""
    seen = []
    for n, order in enumerate(permutations(range(3))):
        one = Story(tracker, f"20260302-20000{n}")
        id = UUID(int=1000 + n)
        facts = [
            Fact.model_validate(dict(fact) | {"assignment": id})
            for fact in (
                asked(one, "03-02 11:00"),
                refused(one, "03-02 12:00"),
                asked(one, "03-02 14:00", 2, pauses=False),
            )
        ]
        await tracker.hear(one.registered(), one.dispatched(id=id))
        for at_ in order:
            await tracker.hear(facts[at_])
        seen.append(await clocks(tracker, one.subject))
    assert all(each == seen[0] for each in seen)


# --- between releases --------------------------------------------------------------------------


async def test_a_second_request_may_be_heard_before_the_ruling_on_the_first(
    tracker: Bench, open_ticket: Story
) -> None:
    """A clock stands still once: nobody waits for the ruling, and once it is heard each pause is its own."""
    first, second = asked(open_ticket, "03-02 10:30"), asked(open_ticket, "03-03 09:30", 2)
    await tracker.hear(first)
    await tracker.hear(second)
    assert await tracker.parked() == []
    await tracker.hear(refused(open_ticket, "03-03 10:30", 2))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 18:00")
    await tracker.hear(refused(open_ticket, "03-02 11:30"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 10:30")


async def test_a_return_of_the_release_before_pauses_as_it_did(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.asked_return("03-03 17:00"))
    assert REVIEW not in await clocks(tracker)
    await tracker.hear(open_ticket.refused_return("03-04 09:30"))
    assert (await clocks(tracker))["handle HC"] == ("running", "03-10 10:30")


@pytest.mark.parametrize("kind", ["refused", "granted"])
async def test_a_ruling_of_the_release_before_is_of_the_return_that_waits(
    tracker: Bench, open_ticket: Story, kind: str
) -> None:
    ruling = open_ticket.refused_return if kind == "refused" else open_ticket.returned
    await tracker.hear(asked(open_ticket, "03-02 11:00"), ruling("03-02 15:00"))
    now = await clocks(tracker)
    assert now[REVIEW][0] == "met"
    assert now["handle HC"][0] == ("running" if kind == "refused" else "cancelled")


async def test_a_tracker_of_the_release_before_finds_what_it_needs(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(asked(open_ticket, "03-02 11:00"), refused(open_ticket, "03-02 15:00"))
    (row,) = await tracker.rows("SELECT return_requested_at, return_refused_at FROM assignments")
    assert (row["return_requested_at"], row["return_refused_at"]) == (
        at("03-02 11:00"),
        at("03-02 15:00"),
    )
