"""更正 at the tracker: open clocks go by what is right, and nothing is late before it was put right."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from shared.events import (
    AssignmentUpdated,
    Fact,
    Limits,
    Reported,
    TicketCorrected,
    TicketType,
    Urgency,
)
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, TICKET, Story, at, clocks


def corrected(tracker: Bench, moment: str, seq: int | None = None, **right: Any) -> Fact:
    """What intake says of a correction."""
    fields = right.pop("fields", tuple(right))
    data = TicketCorrected(fields=fields, reason="听错了", **right)
    return tracker.fact(data, subject=TICKET, time=at(moment), seq=seq)


async def due_of(tracker: Bench, kind: str) -> Any:
    """When the clock of a kind is due."""
    query = "SELECT due FROM clocks WHERE kind = :kind ORDER BY started_at DESC LIMIT 1"
    return (await tracker.rows(query, kind=kind))[0]["due"]


async def test_an_open_clock_goes_by_the_urgency_that_is_right(
    tracker: Bench, story: Story
) -> None:
    await tracker.hear(story.registered())
    before = await due_of(tracker, "citizen")
    await tracker.hear(corrected(tracker, "03-02 10:10", urgency=Urgency.URGENT))
    after = await due_of(tracker, "citizen")
    assert at("03-02 10:10") <= after < before


async def test_nothing_is_late_before_it_was_put_right(tracker: Bench, story: Story) -> None:
    """A limit of a day that had passed by then is due when the correction was made, not before."""
    await tracker.hear(story.registered())
    await tracker.hear(corrected(tracker, "03-05 10:00", urgency=Urgency.URGENT))
    assert await due_of(tracker, "citizen") == at("03-05 10:00")
    tracker.at(at("03-05 10:01"))
    await tracker.run("sweep")
    breached = await tracker.told("deadline.breached")
    assert {fact.time for fact in breached if fact.data.clock == "citizen"} == {at("03-05 10:00")}


async def test_a_clock_that_ended_is_judged_as_it_was(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.completed("03-03 10:00"), open_ticket.resolved("03-03 10:00"))
    before = await clocks(tracker)
    await tracker.hear(corrected(tracker, "03-04 10:00", urgency=Urgency.URGENT))
    assert await clocks(tracker) == before


async def test_a_unit_at_work_gets_the_limits_its_dispatcher_printed_anew(
    tracker: Bench, open_ticket: Story
) -> None:
    limits = Limits(sign="30min", first_contact="1h", handle="24h")
    update = AssignmentUpdated(
        kind="urged", content="改为紧急", urgency=Urgency.URGENT, limits=limits
    )
    heard = open_ticket.of_unit(update, "03-02 16:00")
    await tracker.hear(open_ticket.signed("03-02 10:30"), heard)
    await tracker.hear(heard)
    assert await due_of(tracker, "handle") == at("03-03 10:05")
    assert await due_of(tracker, "first_contact") == at("03-02 16:00")
    told = await tracker.told("deadline.moved")
    assert {fact.data.clock for fact in told} >= {"handle", "first_contact"}
    assert all(fact.assignment in (HC, None) for fact in told)


async def test_a_unit_that_is_reported_reads_no_clock(tracker: Bench, open_ticket: Story) -> None:
    unit = tracker.http("unit", "HC")
    assert (await unit.get(f"/v1/tickets/{TICKET}/clocks")).status_code == 200
    await tracker.hear(corrected(tracker, "03-02 11:00", reported=Reported(units=("HC",))))
    assert (await unit.get(f"/v1/tickets/{TICKET}/clocks")).status_code == 404


async def test_the_later_said_counts_whichever_is_heard_first(tracker: Bench, story: Story) -> None:
    await tracker.hear(story.registered())
    late = corrected(tracker, "03-02 10:20", seq=9, urgency=Urgency.NORMAL)
    before = await due_of(tracker, "citizen")
    await tracker.hear(late, corrected(tracker, "03-02 10:10", seq=8, urgency=Urgency.URGENT), late)
    assert await due_of(tracker, "citizen") == before


async def test_a_correction_before_the_registration_waits_for_it(tracker: Bench) -> None:
    await tracker.hear(corrected(tracker, "03-02 11:00", urgency=Urgency.URGENT))
    assert [row["state"] for row in await tracker.parked()] == ["early"]


async def late(tracker: Bench) -> list[str]:
    """Which clocks stand as breached."""
    found = await tracker.rows(
        "SELECT kind FROM clocks WHERE breached_at IS NOT NULL ORDER BY kind"
    )
    return [row["kind"] for row in found]


@pytest.mark.parametrize("swept", [True, False])
@pytest.mark.parametrize(
    "right", [{"urgency": Urgency.NORMAL}, {"type": TicketType.COMPLAINT, "urgency": "normal"}]
)
async def test_what_was_late_when_it_was_put_right_stays_late(
    tracker: Bench, story: Story, right: dict[str, Any], swept: bool
) -> None:
    """Nobody corrects a breach away, whether time itself has said it by then or not."""
    await tracker.hear(story.registered(urgency="urgent"))
    tracker.at(at("03-05 10:00"))
    if swept:
        await tracker.run("sweep")
    before = await due_of(tracker, "citizen")
    await tracker.hear(corrected(tracker, "03-05 10:00", **right))
    tracker.at(at("03-05 10:01"))
    await tracker.run("sweep")
    assert await late(tracker) == ["citizen", "dispatch"]
    assert await due_of(tracker, "citizen") == before < at("03-05 10:00")
    await tracker.hear(corrected(tracker, "03-02 11:00", flags=()))  # comes late, was said before
    assert "citizen" in await late(tracker)
    assert await tracker.told("deadline.annulled") == []


async def test_what_was_in_time_when_it_was_put_right_is_judged_by_what_is_right(
    tracker: Bench, story: Story
) -> None:
    """Also where it is heard of late: then a breach that was said meanwhile is taken back."""
    await tracker.hear(story.registered(urgency="urgent"))
    tracker.at(at("03-04 10:00"))
    await tracker.run("sweep")
    assert "citizen" in await late(tracker)
    await tracker.hear(corrected(tracker, "03-02 10:10", urgency=Urgency.NORMAL))
    assert "citizen" not in await late(tracker)


async def test_what_was_late_when_it_was_given_to_others_stays_late(
    tracker: Bench, open_ticket: Story
) -> None:
    """The desk takes it back and gives it out as 疑难, which has a longer limit: the citizen waited all
    the same (R-31).
    """
    tracker.at(at("03-20 10:00"))
    await tracker.run("sweep")
    assert {"citizen", "handle", "sign"} <= set(await late(tracker))
    before = await late(tracker)
    await tracker.hear(
        open_ticket.cancelled("03-20 10:00"),
        open_ticket.dispatched("03-20 10:05", id=uuid4(), urgency=Urgency.COMPLEX),
        open_ticket.signed("03-20 10:06"),
    )
    assert await late(tracker) == before
    assert await tracker.told("deadline.annulled") == []
