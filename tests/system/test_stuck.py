"""The morning page: a healthy county has none; facts that were lost, refused or failed are found."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from operations import stuck
from shared import clock
from shared.errors import TooEarly
from shared.messaging.bus import BusTrouble, Message
from shared.messaging.retries import EARLY_FOR, MAX_ATTEMPTS
from tests.fixtures.scenes.courier import DONE, HOUR, UNIT, County
from tests.fixtures.scenes.feedback import SATISFIED, callback_of, report
from tests.fixtures.scenes.intake import registered

# --- a healthy county --------------------------------------------------------------------------


async def test_nothing_is_stuck_where_everything_moves(county: County) -> None:
    assert await county.page() == []
    number = await county.ticket()
    assert await county.page() == []
    await county.act(number, "sign", {"handler": "李工"})
    county.at("2026-03-02T09:10+08:00")
    await county.sweep()
    assert await county.page() == []
    await county.act(number, "contacts", {"how": "phone", "outcome": "reached", "note": "x"})
    await county.act(number, "completion", DONE)
    assert await county.page() == []
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    assert await county.page() == []
    await report(
        county.feedback, await callback_of(county.feedback, number), "answered", **SATISFIED
    )
    await county.carry()
    county.at("2026-06-01T10:00+08:00")
    await county.sweep()
    assert await county.page() == []


async def test_what_is_in_flight_is_not_stuck(county: County) -> None:
    await registered(county.intake)
    county.courier.deaf = {("tracker", "ticket.registered")}
    await county.carry()
    assert await county.page(later=timedelta(seconds=30)) == []
    assert await county.found() == {("tracker", "unheard"), ("tracker", "early")}


# --- facts -------------------------------------------------------------------------------------


async def test_facts_a_broker_does_not_take(county: County) -> None:
    county.courier.cut = True
    number = (await registered(county.intake))["number"]
    with pytest.raises(BusTrouble):
        await county.carry()
    [group] = await county.page()
    assert (group.service, group.slug, group.count) == ("intake", "unsent", 1)
    assert group.oldest[0].subject == number
    assert group.oldest[0].note.startswith("ticket.registered")


@pytest.mark.parametrize(
    ("error", "tries", "states"),
    [
        pytest.param(ValueError(), 1, {"failed", "behind"}, id="it raises"),
        # What waited behind it is let go, comes too early, and is dead after a day.
        pytest.param(ValueError(), MAX_ATTEMPTS + 1, {"dead"}, id="too often"),
        pytest.param(TooEarly("no ground"), 1, {"early"}, id="too early"),
    ],
)
async def test_facts_a_handler_cannot_handle(
    county: County, error: Exception, tries: int, states: set[str]
) -> None:
    async def fails(*_: Any) -> None:
        raise error

    inbox = county.tracker.service.inbox
    handlers = dict(county.tracker.service.subscriptions)
    inbox._subscriptions = handlers | {"ticket.registered": fails}
    await county.ticket()
    later = clock.real()
    for _ in range(tries - 1):
        later += 2 * HOUR
        await inbox.retry_once(now=later)
    assert await county.found(later=EARLY_FOR) == {("tracker", state) for state in states}


@pytest.mark.parametrize("listener", ["dispatcher", "tracker", "feedback"])
async def test_a_registration_that_was_lost_on_the_way(county: County, listener: str) -> None:
    county.courier.deaf = {(listener, "ticket.registered")}
    number = await county.ticket()
    found = {(one.service, one.slug): one for one in await county.page()}
    group = found[listener, "unheard"]
    assert [one.subject for one in group.oldest] == [number]
    assert group.oldest[0].note == "ticket.registered ← intake"
    assert {service for service, _ in found} == {listener}


@pytest.mark.parametrize("listener", ["intake", "dispatcher"])
async def test_a_closing_that_was_lost_on_the_way(county: County, listener: str) -> None:
    number = await county.ticket()
    await county.resolve(number)
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    county.courier.deaf = {(listener, "ticket.closed")}
    await report(
        county.feedback, await callback_of(county.feedback, number), "answered", **SATISFIED
    )
    await county.carry()
    assert await county.found() == {(listener, "unheard")}


@pytest.mark.parametrize("listener", ["intake", "tracker", "feedback"])
async def test_a_resolution_that_was_lost_on_the_way(county: County, listener: str) -> None:
    """For feedback this is the resolved ticket without a callback."""
    county.courier.deaf = {(listener, "ticket.resolved")}
    number = await county.ticket()
    await county.resolve(number)
    assert await county.found() == {(listener, "unheard")}
    county.courier.deaf = set()
    lost = await county.dispatcher.told("ticket.resolved")
    await county.courier.publish(
        [Message(fact.key, str(fact.id), fact.encode()) for fact in lost]  # what resend does
    )
    await county.carry()
    assert await county.page() == []


async def test_a_withdrawal_and_a_reopening_that_were_lost_on_the_way(county: County) -> None:
    county.courier.deaf = {("dispatcher", "ticket.withdrawn"), ("tracker", "ticket.reopened")}
    number = await county.ticket()
    path = f"/v1/tickets/{number}/withdrawal"
    await county.do("phone_system", county.intake, path, {"reason": "已恢复"})
    assert await county.found() == {("dispatcher", "unheard")}
    again = await county.ticket()
    await county.resolve(again)
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    no: dict[str, Any] = {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied"}
    await report(county.feedback, await callback_of(county.feedback, again), "answered", **no)
    await county.carry()
    assert ("tracker", "unheard") in await county.found()


async def test_a_dispatch_that_was_lost_on_the_way_to_the_clocks(county: County) -> None:
    """No clock of the unit's exists: nothing would ever warn, and nothing be overdue."""
    lost = f"assignment.dispatched.{UNIT}"
    heard = await county.ticket()
    county.courier.deaf = {("tracker", lost)}
    number = await county.ticket()
    assert await county.page(later=timedelta(seconds=30)) == []
    [group] = await county.page()
    assert (group.service, group.slug, group.count) == ("tracker", "unheard", 1)
    assert [(one.subject, one.note) for one in group.oldest] == [(number, f"{lost} ← dispatcher")]
    county.courier.deaf = set()
    said = [fact for fact in await county.dispatcher.told() if fact.key == lost]
    assert {fact.subject for fact in said} == {heard, number}
    await county.courier.publish(
        [Message(fact.key, str(fact.id), fact.encode()) for fact in said]  # what resend does
    )
    await county.carry()
    assert await county.page() == []


async def test_a_dispatch_of_a_later_round_that_was_lost_on_the_way(county: County) -> None:
    """The first round's the tracker has: only a comparison one by one finds the second's."""
    number = await county.ticket()
    await county.resolve(number)
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    lost = f"assignment.dispatched.{UNIT}"
    county.courier.deaf = {("tracker", lost)}
    no: dict[str, Any] = {"contacted": "yes", "solved": "no", "satisfied": "unsatisfied"}
    await report(county.feedback, await callback_of(county.feedback, number), "answered", **no)
    await county.carry()
    [group] = [one for one in await county.page() if one.slug == "unheard"]
    assert [(one.subject, one.note) for one in group.oldest] == [(number, f"{lost} ← dispatcher")]


async def test_a_ticket_that_intake_lost(county: County) -> None:
    number = await county.ticket()
    async with county.intake.service.store.engine.begin() as connection:  # an older backup
        for table in ("assignment", "vault", "ticket"):
            await connection.execute(text(f"DELETE FROM {table}"))
    [group] = await county.page()
    assert (group.service, group.slug) == ("intake", "unknown")
    assert [one.subject for one in group.oldest] == [number]


async def test_more_open_tickets_than_a_batch_are_all_compared(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stuck, "BATCH", 2)
    county.courier.deaf = {("feedback", "ticket.registered")}
    numbers = [await county.ticket() for _ in range(7)]
    group = next(one for one in await county.page() if one.slug == "unheard")
    assert (group.count, [one.subject for one in group.oldest]) == (7, numbers[:5])
