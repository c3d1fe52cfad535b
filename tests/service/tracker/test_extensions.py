"""Extensions 延期: asked by a unit, ruled on by a supervisor, refused by name."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from shared.events import Limits, TicketType, Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import HC, Story, at, clocks, facts_told
from tests.fixtures.scenes.tracker_doors import ASK, GRANT, REFUSE, ask, rule, slug


@pytest.mark.usefixtures("open_ticket")
async def test_an_extension_is_asked_granted_and_moves_the_handle_clock(tracker: Bench) -> None:
    asked = await ask(tracker)
    assert asked.status_code == 200
    assert (asked.json()["status"], asked.json()["due"]) == ("asked", "2026-03-09T10:00:00Z")
    granted = await rule(tracker, asked.json()["id"], GRANT)
    assert (granted.json()["status"], granted.json()["due"]) == ("granted", "2026-03-12T10:00:00Z")
    assert (await clocks(tracker))["citizen #1"] == ("running", "03-09 18:00")
    told = [fact for fact in await tracker.told() if fact.actor != "service:tracker"]
    assert [fact.key for fact in told] == [
        "extension.requested.HC",
        "staff.told",
        "deadline.moved.HC",
        "extension.granted.HC",
    ]
    assert told[-1].data.due == at("03-12 18:00")
    assert told[0].actor == "unit:HC:test"


@pytest.mark.usefixtures("open_ticket")
async def test_a_refused_extension_moves_nothing_and_is_not_asked_twice(tracker: Bench) -> None:
    asked = (await ask(tracker)).json()
    refused = await rule(tracker, asked["id"], REFUSE)
    assert (refused.json()["status"], refused.json()["ruling"]) == ("refused", "理由不充分")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    assert [f.key for f in await tracker.told("extension.refused")] == ["extension.refused.HC"]
    again = await ask(tracker)
    assert (again.status_code, slug(again)) == (409, "extension-asked-before")
    twice = await rule(tracker, asked["id"], GRANT)
    assert (twice.status_code, twice.json()["current_status"]) == (409, "refused")


async def test_an_extension_asked_in_time_and_ruled_late_takes_the_breach_back(
    tracker: Bench, open_ticket: Story
) -> None:
    await tracker.hear(open_ticket.signed("03-02 11:00"))
    tracker.at("2026-03-09T13:59+08:00")
    asked = (await ask(tracker)).json()
    tracker.at("2026-03-10T11:00+08:00")
    await tracker.run("sweep")
    assert (await clocks(tracker))["handle HC"] == ("running", "03-09 18:00")
    await rule(tracker, asked["id"], GRANT)
    told = await facts_told(tracker, "deadline.annulled", "supervision.closed", "extension.granted")
    assert told == [
        "deadline.annulled@03-10 11:00",
        "supervision.closed@03-10 11:00",
        "extension.granted@03-10 11:00",
    ]
    assert await tracker.rows("SELECT 1 FROM supervisions") == []


async def test_an_extension_is_refused_by_name(tracker: Bench, open_ticket: Story) -> None:
    urgent, praise, redo = (Story(tracker, f"20260302-00000{n}") for n in (2, 3, 4))
    ids = [uuid4() for _ in range(3)]
    await tracker.hear(
        urgent.registered(),
        urgent.dispatched(id=ids[0], urgency=Urgency.URGENT, limits=Limits(handle="24h")),
        praise.registered(type=TicketType.COMMENDATION),
        praise.dispatched(id=ids[1], limits=Limits(sign="1wd")),
        redo.registered(),
        redo.dispatched(id=ids[2], round=2, redo=True),
    )
    slugs = [slug(await ask(tracker, id=id)) for id in ids]
    assert slugs == ["extension-not-for-urgency", "nothing-to-extend", "extension-not-on-redo"]
    assert slug(await ask(tracker, days=8)) == "extension-too-long"
    tracker.at("2026-03-09T15:00+08:00")
    late = await ask(tracker)
    assert (late.status_code, slug(late)) == (409, "extension-too-late")
    await tracker.hear(open_ticket.completed("03-09 16:00"))
    done = await ask(tracker)
    assert (done.json()["current_status"], done.json()["allowed"]) == ("met", [])
    assert await tracker.told("extension.requested") == []


@pytest.mark.usefixtures("open_ticket")
async def test_the_same_request_twice_is_answered_as_the_first_time(tracker: Bench) -> None:
    client, key = tracker.http("unit", "HC"), {"Idempotency-Key": "k-1"}
    path = f"/v1/assignments/{HC}/extensions"
    first = await client.post(path, json=ASK, headers=key)
    second = await client.post(path, json=ASK, headers=key)
    assert (second.status_code, second.json()) == (200, first.json())
    assert len(await tracker.told("extension.requested")) == 1
    other = await client.post(path, json=ASK | {"days": 4}, headers=key)
    assert (other.status_code, slug(other)) == (422, "idempotency-key-reused")


@pytest.mark.usefixtures("open_ticket")
async def test_two_who_ask_at_once_ask_once(tracker: Bench) -> None:
    answers = await asyncio.gather(*(ask(tracker) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
