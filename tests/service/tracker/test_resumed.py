"""A ticket that comes to a unit again in its round: clocks go on, and each miss counts once (ADR 0049)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from shared.events import AssignmentUpdated, Limits, Role, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import (
    GT,
    HC,
    NEW,
    TICKET,
    Story,
    at,
    dissolved,
    local,
    transferred,
)
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule, slug

AGAIN = UUID(int=3)


async def clock(tracker: Bench, id: UUID, kind: str = "handle") -> dict[str, Any]:
    """One clock of an order."""
    query = "SELECT * FROM clocks WHERE assignment = :id AND kind = :kind"
    [row] = await tracker.rows(query, id=id, kind=kind)
    return dict(row)


async def sweep(tracker: Bench, moment: str) -> None:
    """Time passes, and the tracker looks."""
    tracker.at(at(moment))
    await tracker.run("sweep")


async def rates(tracker: Bench, months: str = "03-01&to=2026-03-31") -> Any:
    """The figures of a month."""
    return (
        await tracker.http("supervisor").get(f"/v1/rates?basis=judged&from=2026-{months}")
    ).json()


def given_again(story: Story, taken: str, again: str, id: UUID = AGAIN) -> tuple[Any, ...]:
    """Hongchun loses the ticket and gets it again."""
    return story.cancelled(taken), story.dispatched(again, id=id)


async def test_the_same_unit_again_is_due_when_it_was(tracker: Bench, open_ticket: Story) -> None:
    """Ten minutes before the end nobody gets five days more."""
    await tracker.hear(*given_again(open_ticket, "03-09 17:50", "03-09 17:50"))
    again = await clock(tracker, AGAIN)
    assert (local(again["due"]), again["started_at"]) == ("03-09 18:00", at("03-02 10:05"))
    shown = (await tracker.http("desk").get(f"/v1/tickets/{TICKET}/clocks")).json()["clocks"]
    [found] = [each for each in shown if each["id"] == str(again["id"])]
    assert found["resumed_at"] is not None
    told = (await tracker.told("deadline.set"))[-1]
    assert {view.limit for view in told.data.clocks} == {"4wh", "1wd", "5wd"}
    assert await tracker.told("deadline.paused") == []


async def test_a_miss_stands_whoever_gets_it_next(tracker: Bench, open_ticket: Story) -> None:
    """R-42: breached, taken away, given back and done: one duty, missed once."""
    await sweep(tracker, "03-10 10:00")
    gone = open_ticket.cancelled("03-10 10:00")
    await tracker.hear(gone, open_ticket.dispatched("03-10 10:00", id=GT, unit="GT"))
    assert local((await clock(tracker, HC))["breached_at"]) == "03-09 18:00"
    await tracker.hear(open_ticket.cancelled("03-11 10:00", id=GT))
    await tracker.hear(open_ticket.dispatched("03-12 10:00", id=AGAIN))
    assert local((await clock(tracker, AGAIN))["due"]) == "03-12 10:00"
    await sweep(tracker, "03-12 10:01")
    assert local((await clock(tracker, AGAIN))["breached_at"]) == "03-12 10:00"
    found = await rates(tracker)
    hongchun = next(each for each in found["units"] if each["unit"] == "HC")
    assert hongchun["handle"].items() >= {"due": 1, "on_time": 0}.items()
    assert await tracker.told("deadline.annulled") == []


async def test_a_miss_counts_in_the_month_it_happened(tracker: Bench, open_ticket: Story) -> None:
    """R-48: given back in April it is late again, and no second miss."""
    await sweep(tracker, "03-10 10:00")
    await tracker.hear(*given_again(open_ticket, "03-10 10:00", "04-07 10:00"))
    await sweep(tracker, "04-08 10:00")
    assert (await clock(tracker, AGAIN))["breached_at"]
    assert (await rates(tracker))["handle"]["due"] == 1
    assert (await rates(tracker, "04-01&to=2026-04-30"))["handle"]["due"] == 0


async def test_signing_twice_in_one_round_is_one_duty(tracker: Bench, open_ticket: Story) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    await tracker.hear(*given_again(open_ticket, "03-03 10:00", "03-03 10:00"))
    await tracker.hear(open_ticket.signed("03-03 10:30", id=AGAIN))
    assert (await rates(tracker))["sign"] == {
        "due": 1,
        "on_time": 1,
        "extended": 0,
        "revised": 0,
        "rate": 1.0,
    }


async def test_an_earlier_order_heard_of_late_counts_all_the_same(
    tracker: Bench, story: Story
) -> None:
    """The rows are the same in whatever order the facts come in."""
    await tracker.hear(story.registered(), story.dispatched("03-06 10:00", id=AGAIN))
    assert (await clock(tracker, AGAIN))["resumed_at"] is None
    await tracker.hear(story.dispatched(), story.cancelled("03-04 10:05"))
    late = await clock(tracker, AGAIN)
    assert (local(late["due"]), local(late["resumed_at"])) == ("03-11 17:55", "03-06 10:00")


async def test_an_order_of_the_release_before_keeps_its_due_moment(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(*given_again(open_ticket, "03-05 10:00", "03-05 10:00"))
    await tracker.do(
        "UPDATE clocks SET resumed_at = NULL, started_at = :at, base_due = :due, due = :due, "
        "pauses = '[]' WHERE assignment = :id AND kind = 'handle'",
        at=at("03-05 10:00"),
        due=at("03-12 18:00"),
        id=AGAIN,
    )
    await tracker.hear(open_ticket.signed("03-05 11:00", id=AGAIN))
    assert local((await clock(tracker, AGAIN))["due"]) == "03-12 18:00"


async def test_an_extension_goes_with_the_ticket_and_the_next_is_a_second(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-18: what its unit asks for when it has the ticket again is a second, and that once."""
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    extended = (await clock(tracker, HC))["due"]
    await tracker.hear(*given_again(open_ticket, "03-04 10:00", "03-04 10:00"))
    assert (await clock(tracker, AGAIN))["due"] == extended
    second = (await ask(tracker, id=AGAIN)).json()
    assert (second["ordinal"], second["office"]) == (2, "ZFB")
    third = await ask(tracker, id=AGAIN)
    assert (third.status_code, slug(third)) == (409, "extension-asked-before")


async def test_a_clock_that_went_on_follows_a_higher_urgency(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(*given_again(open_ticket, "03-03 10:00", "03-03 10:00"))
    limits = Limits(sign="30min", first_contact="2h", handle="24h")
    data = AssignmentUpdated(kind="urged", content="紧急", urgency=Urgency.URGENT, limits=limits)
    await tracker.hear(open_ticket.of_unit(data, "03-03 09:00", id=AGAIN))
    assert local((await clock(tracker, AGAIN))["due"]) == "03-03 10:05"


async def test_a_red_card_that_stands_still_is_not_lengthened_away(
    tracker: Bench, open_ticket: Story
) -> None:
    """A late order waits for a ruling; the desk grants 疑难 time meanwhile: the miss stands."""
    await sweep(tracker, "03-10 10:00")
    await tracker.hear(open_ticket.asked_return("03-10 10:30"))
    limits = Limits(sign="4wh", first_contact="1wd", handle="15wd")
    data = AssignmentUpdated(kind="urged", content="疑难", urgency=Urgency.COMPLEX, limits=limits)
    await tracker.hear(open_ticket.of_unit(data, "03-10 11:00"))
    assert local((await clock(tracker, HC))["breached_at"]) == "03-09 18:00"
    assert await tracker.told("deadline.annulled") == []


@pytest.mark.parametrize(("entered", "stands"), [("03-05 10:00", True), ("03-03 17:00", False)])
async def test_a_contact_entered_after_the_red_card_takes_none_back(
    tracker: Bench, open_ticket: Story, entered: str, stands: bool
) -> None:
    """R-12: a late entry is a record; one that only arrives late is judged by when it was made."""
    await sweep(tracker, "03-05 09:00")
    said = open_ticket.contacted("03-02 11:00").model_copy(update={"recorded": at(entered)})
    await tracker.hear(said)
    found = await clock(tracker, HC, "first_contact")
    assert (found["breached_at"] is not None, found["status"]) == (stands, "met")


# --- what a unit used up, its successor has used up (ADR 0056) -----------------------------------


async def reformed(story: Story, moment: str = "03-06 00:00") -> None:
    """Hongchun becomes part of Maoba."""
    await story.tracker.hear(dissolved(story, moment), transferred(story, moment, id=AGAIN))


async def test_a_clock_that_went_on_goes_on_with_the_successor(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-14: whatever is said next of the order, its clocks stay where they are."""
    await tracker.hear(*given_again(open_ticket, "03-04 10:05", "03-04 10:05"))
    before = await clock(tracker, AGAIN)
    await reformed(open_ticket)
    signed = open_ticket.signed("03-06 09:00", id=AGAIN).model_copy(update={"unit": NEW})
    await tracker.hear(signed)
    after = await clock(tracker, AGAIN)
    assert (after["due"], after["started_at"]) == (before["due"], before["started_at"])


@pytest.mark.parametrize("transferred_first", [True, False])
async def test_the_successor_gets_no_fresh_clock_by_taking_it_away_and_giving_it_again(
    tracker: Bench, open_ticket: Story, transferred_first: bool
) -> None:
    """As the unit itself would not; whichever was heard first, and of what was taken away before, too."""
    moved = transferred(open_ticket, "03-06 00:00")
    gone, given = given_again(open_ticket, "03-06 10:00", "03-06 10:00")
    given = given.model_copy(update={"unit": NEW})
    said = [moved, gone, given] if transferred_first else [gone, given, moved]
    await tracker.hear(*said)
    assert local((await clock(tracker, AGAIN))["due"]) == "03-09 18:00"
    again = open_ticket.cancelled("03-06 11:00", id=AGAIN)
    third = open_ticket.dispatched("03-06 11:00", id=UUID(int=4), unit=NEW)
    await tracker.hear(again, third)
    assert local((await clock(tracker, UUID(int=4)))["due"]) == "03-09 18:00"


async def test_what_was_taken_away_before_the_reform_counts_too(
    tracker: Bench, open_ticket: Story
) -> None:
    """The unit had three days of its five: its successor gets the other two, another unit all of them."""
    await tracker.hear(open_ticket.cancelled("03-05 18:00"), dissolved(open_ticket, "03-06 00:00"))
    await tracker.hear(open_ticket.dispatched("03-06 08:00", id=AGAIN, unit=NEW))
    assert local((await clock(tracker, AGAIN))["due"]) == "03-09 18:00"
    await tracker.hear(open_ticket.dispatched("03-06 08:00", id=GT, unit="GT"))
    assert local((await clock(tracker, GT))["due"]) == "03-13 18:00"


async def test_what_had_no_time_left_counts_against_who_used_it_up(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-42: missed by the old unit, once; the successor never had time for it."""
    await sweep(tracker, "03-10 10:00")
    await tracker.hear(open_ticket.cancelled("03-10 10:00"), dissolved(open_ticket, "03-11 00:00"))
    await tracker.hear(open_ticket.dispatched("03-11 10:00", id=AGAIN, unit=NEW))
    await sweep(tracker, "03-12 10:00")
    assert (await clock(tracker, AGAIN))["breached_at"]
    due = {each["unit"]: each["handle"]["due"] for each in (await rates(tracker))["units"]}
    assert due == {"HC": 1}


async def test_what_the_successor_asks_for_is_a_second_extension(
    tracker: Bench, open_ticket: Story
) -> None:
    """R-18: with what the unit before it was granted."""
    await rule(tracker, (await ask(tracker)).json()["id"], GRANT)
    await tracker.hear(open_ticket.cancelled("03-04 10:05"), dissolved(open_ticket, "03-05 00:00"))
    await tracker.hear(open_ticket.dispatched("03-05 09:00", id=AGAIN, unit=NEW))
    second = (await ask(tracker, id=AGAIN, unit=NEW)).json()
    assert (second["ordinal"], second["office"]) == (2, "ZFB")


async def test_what_runs_out_while_it_helps_counts_when_it_leads_again(
    tracker: Bench, open_ticket: Story
) -> None:
    """A co-handler answers to its lead, not to the citizen: made one for a day, nobody hides a miss."""
    helping = open_ticket.dispatched("03-09 10:00", id=AGAIN, role=Role.CO)
    await tracker.hear(open_ticket.cancelled("03-09 10:00"), helping)
    await sweep(tracker, "03-10 10:00")
    assert (await rates(tracker))["handle"]["due"] == 0
    last = UUID(int=4)
    await tracker.hear(
        open_ticket.cancelled("03-10 10:00", id=AGAIN),
        open_ticket.dispatched("03-10 10:00", id=last),
    )
    await sweep(tracker, "03-11 10:00")
    found = (await rates(tracker))["handle"]
    assert (found["due"], found["on_time"]) == (1, 0)


@pytest.mark.parametrize(("looked", "due"), [("03-11 10:00", 0), ("03-18 10:00", 1)])
async def test_who_leads_for_the_first_time_is_late_in_the_figures_by_its_own_time(
    tracker: Bench, story: Story, looked: str, due: int
) -> None:
    """Its time ran out as a co-handler, so it is due at once; the lead it has had for a day."""
    helping = story.dispatched(role=Role.CO)
    await tracker.hear(story.registered(), helping, story.cancelled("03-10 10:00"))
    await sweep(tracker, "03-10 10:00")
    await tracker.hear(story.dispatched("03-10 10:00", id=AGAIN))
    assert local((await clock(tracker, AGAIN))["due"]) == "03-10 10:00"
    await sweep(tracker, looked)
    found = (await rates(tracker))["handle"]
    assert (found["due"], found["on_time"]) == (due, 0)
