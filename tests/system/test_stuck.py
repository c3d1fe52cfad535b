"""The morning page: every way of being stuck is made by real acts and found; a healthy county has none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from operations import stuck
from operations.runtime.registry import NAMES, part
from operations.stuck import Group
from services.feedback import calls as feedback_calls
from shared import clock
from shared.errors import TooEarly
from shared.messaging.bus import Bus, BusTrouble, Message, Receive, matches
from shared.messaging.inbox import EARLY_FOR, MAX_ATTEMPTS
from shared.messaging.outbox import Relay
from shared.stuck import COUNTED, EVERYWHERE
from tests.fixtures.bench import Bench, bench
from tests.fixtures.infrastructure import Postgres
from tests.fixtures.scenes.feedback import SATISFIED, callback_of, report
from tests.fixtures.scenes.intake import CALLER, complaint, registered

UNIT = "GSGS"
DONE = {
    "kind": "solved",
    "solved": True,
    "result": "已抢修",
    "public_answer": "已恢复供水",
    "signed_off_by": "经理",
}
HOUR = timedelta(hours=1)
Act = Callable[..., Any]
Template = Callable[[str], Any]


class Courier(Bus):
    """A bus that hands each fact to whoever subscribes; ``deaf`` lose theirs, ``cut`` takes none."""

    def __init__(self) -> None:
        self.benches: dict[str, Bench] = {}
        self.deaf: set[tuple[str, str]] = set()
        self.cut = False

    async def publish(self, messages: Sequence[Message]) -> list[Exception | None]:
        if self.cut:
            raise BusTrouble("cut")
        for name, one in self.benches.items():
            heard = [
                message
                for message in messages
                if any(matches(pattern, message.key) for pattern in one.service.subscriptions)
                and (name, message.key) not in self.deaf
            ]
            await one.receive(heard)
        return [None] * len(messages)

    async def declare(self, topology: Any) -> None:
        return

    async def consume(self, queue: str, receive: Receive, stop: asyncio.Event) -> None:
        return

    async def waiting(self, queue: str) -> int:
        return 0

    async def close(self) -> None:
        return


class County:
    """Four services, each on a database of its own, and the courier between them."""

    def __init__(self, courier: Courier) -> None:
        self.courier = courier
        self.benches = courier.benches
        self.intake, self.dispatcher, self.tracker, self.feedback = self.benches.values()

    async def carry(self) -> None:
        """Relay whatever was told until nobody tells anything, and number the feed."""
        relays = [Relay(one.service.store, self.courier) for one in self.benches.values()]
        while sum([await relay.run_once() for relay in relays]):
            pass
        await self.dispatcher.run("number_feed")

    async def page(self, later: timedelta = HOUR) -> list[Group]:
        """The morning page, read an hour of wall clock later."""
        stores = {name: one.service.store for name, one in self.benches.items()}
        return await stuck.gather(stores, clock.now(), clock.real() + later)

    async def found(self, later: timedelta = HOUR) -> set[tuple[str, str]]:
        """What is stuck: service and kind."""
        return {(one.service, one.slug) for one in await self.page(later)}

    def at(self, moment: str) -> None:
        """Set the trade's time."""
        self.intake.at(moment)

    async def ticket(self, **changes: Any) -> str:
        """A registered ticket, carried."""
        number: str = (await registered(self.intake, **changes))["number"]
        await self.carry()
        return number

    async def assignment(self, number: str) -> UUID:
        """The newest assignment of a ticket."""
        facts = await self.dispatcher.told("assignment.dispatched")
        [*_, found] = [fact.assignment for fact in facts if fact.subject == number]
        assert found
        return found

    async def do(
        self, role: str, service: Bench, path: str, body: Any, unit: str | None = None
    ) -> Any:
        """A person acts, and it is carried."""
        answer = await service.http(role, unit).post(path, json=body)
        assert answer.is_success, answer.text
        await self.carry()
        return answer.json()

    async def act(self, number: str, what: str, body: dict[str, Any]) -> Any:
        """The water company acts on its assignment."""
        path = f"/v1/assignments/{await self.assignment(number)}/{what}"
        return await self.do("unit", self.dispatcher, path, body, UNIT)

    async def resolve(self, number: str) -> None:
        """The unit signs, contacts and completes."""
        await self.act(number, "sign", {"handler": "李工"})
        await self.act(number, "contacts", {"how": "phone", "outcome": "reached", "note": "已了解"})
        await self.act(number, "completion", DONE)

    async def sweep(self) -> None:
        """Time does what is due."""
        for one in self.benches.values():
            for job in one.service.jobs:
                await one.run(job)
        await self.carry()


@pytest.fixture
async def county(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[County]:
    """Four services on fresh databases."""
    courier = Courier()
    async with AsyncExitStack() as stack:
        for name in NAMES:
            fresh = postgres.fresh_database(await template(name))
            url = await stack.enter_async_context(fresh)
            courier.benches[name] = await stack.enter_async_context(bench(name, url, keys))
        yield County(courier)


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


# --- the desk and the units --------------------------------------------------------------------


async def test_a_ticket_the_desk_does_not_assign(county: County) -> None:
    await county.ticket(type="report", topic="conduct.banquet", area="610924110")
    assert await county.page() == []
    county.at("2026-03-03T09:00+08:00")
    assert await county.found() >= {("dispatcher", "unassigned"), ("tracker", "unfired")}
    await county.sweep()
    assert await county.found() == {("dispatcher", "unassigned"), ("tracker", "overdue")}


async def test_a_unit_that_signs_nothing_and_a_sweep_that_does_not_run(county: County) -> None:
    number = await county.ticket()
    county.at("2026-03-04T10:00+08:00")
    assert await county.found() == {("dispatcher", "silent"), ("tracker", "unfired")}
    await county.sweep()
    found = {one.slug: one for one in await county.page()}
    assert found.keys() == {"silent", "overdue", "unanswered"} & found.keys() | {
        "silent",
        "overdue",
    }
    assert found["silent"].oldest[0].subject == UNIT
    assert found["overdue"].oldest[0].subject == number
    assert UNIT in found["overdue"].oldest[0].note


async def test_a_return_nobody_rules_on(county: County) -> None:
    number = await county.ticket()
    body = {
        "reason_code": "not_our_duty",
        "legal_basis": "条例第四条",
        "suggested_unit": "CG",
        "approver": "经理",
    }
    await county.act(number, "return-requests", body)
    county.at("2026-03-04T10:00+08:00")
    assert ("dispatcher", "unruled") in await county.found()


async def test_an_extension_nobody_rules_on(county: County) -> None:
    number = await county.ticket(topic="road.damage", title="路坏了", content="路面坏了")
    facts = await county.dispatcher.told("assignment.dispatched")
    [held] = [fact for fact in facts if fact.data.role == "lead"]
    path = f"/v1/assignments/{held.assignment}/extensions"
    body = {"reason": "需采购材料", "legal_basis": "办法第十八条", "days": 2}
    await county.do("unit", county.tracker, path, body, held.unit)
    county.at("2026-03-05T10:00+08:00")
    found = {one.slug: one for one in await county.page()}
    assert found["unruled"].service == "tracker"
    assert found["unruled"].oldest[0].subject == number


async def test_an_open_ticket_that_nobody_has(county: County) -> None:
    """No act of ours leads there; what if one did?"""
    number = await county.ticket()
    async with county.dispatcher.service.store.engine.begin() as connection:
        await connection.execute(text("UPDATE assignments SET status = 'cancelled'"))
    [group] = await county.page()
    assert (group.slug, group.oldest[0].subject) == ("unowned", number)


async def test_a_feed_that_is_not_numbered(county: County) -> None:
    await registered(county.intake)
    await Relay(county.intake.service.store, county.courier).run_once()
    await Relay(county.dispatcher.service.store, county.courier).run_once()
    county.at("2026-03-02T09:10+08:00")
    assert ("dispatcher", "unnumbered") in await county.found()


async def test_due_moments_in_a_year_without_holidays(county: County) -> None:
    county.at("2027-12-30T10:00+08:00")
    await county.ticket(topic="road.damage", title="路坏了", content="路面坏了")
    assert ("tracker", "provisional") in await county.found()


# --- callbacks ---------------------------------------------------------------------------------


async def called(county: County) -> str:
    """A resolved ticket whose callback waits for its window on Tuesday at nine."""
    number = await county.ticket()
    await county.resolve(number)
    return number


async def test_a_callback_the_clock_does_not_move(county: County) -> None:
    await called(county)
    county.at("2026-03-03T08:59+08:00")
    assert await county.page() == []
    county.at("2026-03-03T09:11+08:00")
    assert await county.found() == {("feedback", "unmoved")}


async def test_a_callback_nobody_makes(county: County) -> None:
    await called(county)
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    county.at("2026-03-05T10:00+08:00")
    assert await county.found() == {("feedback", "uncalled")}
    county.at("2026-03-16T10:00+08:00")
    assert await county.found() == {("feedback", "uncalled"), ("feedback", "unfinished")}


async def test_a_call_asked_for_by_a_process_that_died(
    county: County, postgres: Postgres, keys: Path
) -> None:
    await called(county)
    url = county.feedback.service.settings.database_url
    phone = {
        "phone_system_url": "http://127.0.0.1:9/ask",
        "service_token": "x",
        "allow_private_webhooks": True,
    }
    async with bench("feedback", url, keys, **phone) as calling:
        county.at("2026-03-03T09:00+08:00")
        async with calling.service.store.act("service:feedback") as act:
            await feedback_calls.claim_calls(act, 10, clock.real())
        assert await county.page(timedelta(seconds=10)) == []
        assert await county.found() == {("feedback", "lease")}
        await calling.run("ring")
        async with calling.service.store.engine.begin() as connection:
            await connection.execute(text("UPDATE callbacks SET lease_ends_at = NULL"))
        for minute in ("09:00", "09:02", "09:05"):
            county.at(f"2026-03-03T{minute}+08:00")
            await calling.run("ring")
        assert await county.found() == {("feedback", "unasked")}
        county.at("2026-03-03T11:29+08:00")
        await calling.run("ring")
        county.at("2026-03-03T13:30+08:00")  # nobody is rung up at noon
        assert await county.found() == {("feedback", "unasked")}
        county.at("2026-03-03T14:45+08:00")
        assert await county.found() == {("feedback", "unasked"), ("feedback", "unmoved")}


# --- the page itself ---------------------------------------------------------------------------


async def test_a_database_that_is_away_is_on_the_page(county: County) -> None:
    store = county.tracker.service.store
    url = store.engine.url
    stores = {name: one.service.store for name, one in county.benches.items()}
    gone: Any = type(store)("tracker", str(url.set(query={"host": "/nowhere"})), store.config)
    await county.ticket()
    groups = await stuck.gather(stores | {"tracker": gone}, clock.now(), clock.real() + HOUR)
    assert [(one.service, one.slug) for one in groups] == [("tracker", "away")]
    await gone.close()


async def test_nobody_is_named_on_the_page(county: County) -> None:
    county.courier.deaf = {("dispatcher", "ticket.registered")}
    await county.ticket()
    await county.do("desk", county.intake, "/v1/tickets", complaint())
    county.at("2026-03-20T10:00+08:00")
    await county.sweep()
    page = str(await county.page())
    assert "ticket.registered" in page
    assert not any(secret in page for secret in CALLER.values())


async def test_every_question_counts_to_a_limit(county: County) -> None:
    async with county.intake.service.store.engine.begin() as connection:
        await connection.execute(
            text("""
            INSERT INTO outbox (fact, subject, key, body, recorded)
            SELECT gen_random_uuid(), n::text, 'k', '', timestamptz '2026-01-01' + n * interval '1 s'
            FROM generate_series(1, 1500) AS n""")
        )
    [group] = await county.page()
    assert (group.count, group.counted_out, len(group.oldest)) == (COUNTED, True, stuck.SHOWN)
    assert group.oldest[0].since == datetime.fromisoformat("2026-01-01T00:00:01+00:00")


async def test_what_is_late_is_found_behind_more_than_the_limit_that_is_not(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.dispatcher.stuck.COUNTED", 2)
    desk = {"type": "report", "topic": "conduct.banquet", "area": "610924110"}
    numbers = [await county.ticket(**desk) for _ in range(7)]
    start = "UPDATE tickets SET unassigned_at = :since WHERE number = :number"
    async with county.dispatcher.service.store.engine.begin() as connection:
        for number in numbers[:4]:  # reopened later than the rest
            values = {"since": clock.now() + timedelta(days=1), "number": number}
            await connection.execute(text(start), values)
    county.at("2026-03-03T09:00+08:00")
    [group] = [one for one in await county.page() if one.slug == "unassigned"]
    assert [one.subject for one in group.oldest] == numbers[4:6]


async def test_a_callback_is_found_behind_more_than_the_limit_that_fell_due_later(
    county: County, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.feedback.stuck.COUNTED", 2)
    numbers = [await called(county) for _ in range(3)]
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    county.at("2026-03-05T10:00+08:00")
    later = """
        UPDATE attempts a SET due = :now FROM callbacks c
        WHERE c.id = a.callback AND c.number = ANY(:numbers)"""
    async with county.feedback.service.store.engine.begin() as connection:
        await connection.execute(text(later), {"now": clock.now(), "numbers": numbers[:2]})
    [group] = [one for one in await county.page() if one.slug == "uncalled"]
    assert [one.subject for one in group.oldest] == numbers[2:]


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_a_name_of_its_own_and_words_in_both_languages(name: str) -> None:
    questions = part(name).stuck.questions
    slugs = [question.slug for question in questions]
    assert len(set(slugs)) == len(slugs)
    assert questions[: len(EVERYWHERE)] == EVERYWHERE
    for question in questions:
        for words in (question.title, question.why, question.do):
            assert any(char > "一" for char in words)
            assert any(char.isascii() and char.isalpha() for char in words)
