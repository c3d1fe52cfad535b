"""The morning page itself: what it counts to, whom it does not name, what it says of who is away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from operations import stuck
from operations.runtime.registry import NAMES, part
from shared import clock
from shared.stuck import COUNTED, EVERYWHERE
from tests.fixtures.scenes.courier import HOUR, County
from tests.fixtures.scenes.intake import CALLER, complaint


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
    numbers = [await county.resolved() for _ in range(3)]
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
