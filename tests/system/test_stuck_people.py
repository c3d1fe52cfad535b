"""The morning page: what the desk, a unit, a clock or a caller leaves undone is found."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from services.feedback import calls as feedback_calls
from shared import clock
from shared.messaging.outbox import Relay
from tests.fixtures.bench import bench
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.courier import UNIT, County
from tests.fixtures.scenes.intake import registered

# --- the desk and the units --------------------------------------------------------------------


async def test_a_ticket_the_desk_does_not_assign(county: County) -> None:
    await county.ticket(type="report", topic="conduct.banquet", area="610924110")
    assert await county.page() == []
    county.at("2026-03-03T09:00+08:00")
    assert await county.found() >= {("dispatcher", "unassigned"), ("tracker", "unfired")}
    await county.sweep()
    assert await county.found() == {("dispatcher", "unassigned"), ("tracker", "overdue")}


async def test_a_unit_that_signs_nothing_and_a_sweep_that_does_not_run(county: County) -> None:
    """R-11 联络员."""
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


async def test_an_order_in_the_hands_of_who_must_withdraw(county: County) -> None:
    """A release before gave it away; the unit sees nothing of it any more."""
    number = await county.ticket()
    assert await county.page() == []
    matter = """UPDATE tickets SET matter = matter || '{"reported_unit": "SLJ"}'"""
    await county.dispatcher.do(matter)
    [group] = await county.page()
    assert (group.slug, group.oldest[0].subject, group.oldest[0].note) == ("recused", number, UNIT)
    await county.do(
        "desk",
        county.dispatcher,
        f"/v1/tickets/{number}/assign",
        {"lead": "ZJJ", "reason": "原单位须回避"},
    )
    assert await county.page() == []


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


async def test_a_callback_the_clock_does_not_move(county: County) -> None:
    await county.resolved()
    county.at("2026-03-03T08:59+08:00")
    assert await county.page() == []
    county.at("2026-03-03T09:11+08:00")
    assert await county.found() == {("feedback", "unmoved")}


async def test_a_callback_nobody_makes(county: County) -> None:
    await county.resolved()
    county.at("2026-03-03T09:00+08:00")
    await county.sweep()
    county.at("2026-03-05T10:00+08:00")
    assert await county.found() == {("feedback", "uncalled")}
    county.at("2026-03-16T10:00+08:00")
    assert await county.found() == {("feedback", "uncalled"), ("feedback", "unfinished")}


async def test_a_call_asked_for_by_a_process_that_died(
    county: County, postgres: Postgres, keys: Path
) -> None:
    await county.resolved()
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
