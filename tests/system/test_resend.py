"""After a restore what a broker held is gone; sent facts are published once more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from operations.resend import resend
from shared import clock
from shared.messaging.bus import BusTrouble, Message
from shared.messaging.outbox import IN_FLIGHT, Relay
from tests.fixtures.bench import Bench
from tests.fixtures.commands import command
from tests.fixtures.exchange import Exchange
from tests.fixtures.scenes.intake import complaint, registered


async def sent(intake: Bench, count: int) -> list[str]:
    """Ids of so many facts that were told and relayed to a broker that then lost them."""
    tickets = {"tickets": [complaint() for _ in range(count)]}
    await intake.http("phone_system").post("/v1/tickets/batch", json=tickets)
    while await Relay(intake.service.store, Exchange()).run_once():
        pass
    return [str(fact.id) for fact in await intake.told()]


async def test_what_was_sent_is_published_again_in_its_order(intake: Bench) -> None:
    began, facts, bus = clock.real(), await sent(intake, IN_FLIGHT + 3), Exchange()
    assert await resend(intake.service.store, bus, began) == len(facts) == IN_FLIGHT + 3
    assert bus.published == facts


async def test_the_log_and_its_positions_stay_as_they_were(intake: Bench) -> None:
    await sent(intake, 3)
    before = await intake.rows("SELECT * FROM outbox ORDER BY id")
    await resend(intake.service.store, Exchange(), clock.real() - timedelta(hours=1))
    assert await intake.rows("SELECT * FROM outbox ORDER BY id") == before


async def test_what_is_older_or_not_sent_yet_is_left_alone(intake: Bench) -> None:
    await sent(intake, 2)
    later = clock.real()
    await registered(intake)
    bus = Exchange()
    assert await resend(intake.service.store, bus, later) == 0
    assert bus.published == []


async def test_a_broker_that_refuses_is_trouble_to_whoever_asked(intake: Bench) -> None:
    began = clock.real()
    await sent(intake, 1)
    with pytest.raises(BusTrouble):
        await resend(intake.service.store, Exchange(BusTrouble("away")), began)


async def test_an_inbox_takes_only_what_it_missed(intake: Bench, dispatcher: Bench) -> None:
    """The dispatcher heard the first; the broker lost the second."""
    began = clock.real()
    await sent(intake, 2)
    facts = await intake.told()
    parcels = [Message(fact.key, str(fact.id), fact.encode()) for fact in facts]
    await dispatcher.receive(parcels[:1])
    await dispatcher.receive(parcels)
    assert await resend(intake.service.store, Exchange(), began) == 2
    rows = await dispatcher.rows("SELECT number FROM tickets ORDER BY 1")
    assert [row["number"] for row in rows] == sorted(fact.subject for fact in facts)


@pytest.mark.parametrize(
    ("since", "says"),
    [
        ("2026-03-02T08:00", "needs its offset"),
        ("2026-03-02T08:00+08:00", "a local bus loses nothing"),
        ("yesterday", "Invalid value"),
    ],
)
async def test_the_command_says_what_it_cannot_do(since: str, says: str) -> None:
    nowhere = {"JIESU_EMBEDDED": "true", "JIESU_DATABASE_URL": "postgresql+asyncpg://nowhere/jiesu"}
    refused = await command("resend", "--since", since, "tracker", COLUMNS="200", **nowhere)
    assert refused.code == 2
    assert says in refused.err
