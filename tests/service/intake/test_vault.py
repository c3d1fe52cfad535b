"""Erasure, retention, rotation and loss of the vault's keys; and what they do to a callback."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from operations import vault as custody
from services.intake import readlog, vault
from services.intake.models import Vaults
from services.intake.rules.identity import WITHHELD, KeepFor, TicketOpen
from services.intake.settings import Privacy
from services.intake.vault import Resealed
from shared.errors import ConfigError, NotFound
from shared.storage.act import Store
from tests.fixtures.bench import Bench, bench
from tests.fixtures.neighbours import Said
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.feedback import Outside, calling, due, names, outside, status_of, url
from tests.fixtures.scenes.intake import (
    CALLED,
    CALLER,
    life,
    post,
    read,
    read_on_duty,
    read_to_call,
    registered,
    rows,
    tables,
)

__all__ = ["calling", "outside", "url"]  # fixtures

OLD, NEW, LOST = (b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
BOTH = {"old": OLD, "new": NEW}
Template = Callable[[str], Awaitable[str]]
Open = Callable[..., Awaitable[Bench]]


async def ended(intake: Bench) -> str:
    """A ticket with a supplement that the citizen took back."""
    number: str = (await registered(intake))["number"]
    await post(intake, f"/v1/tickets/{number}/supplements", {"content": "王小明还没水"})
    await post(intake, f"/v1/tickets/{number}/withdrawal", {"reason": "已恢复"})
    return number


async def erase(intake: Bench, number: str, *, forced: bool = False) -> bool:
    reason = "王小明本人申请，电话13909150001"
    return await custody.erase(intake.service.store, "li", number, reason, forced=forced)


async def everything(intake: Bench) -> str:
    """All that stands in the database, seals opened."""
    found = {table: await rows(intake, table) for table in await tables(intake)}
    sealer = intake.service.store.config.sealer
    opened = [sealer.unseal(row["sealed"], row["number"]).decode() for row in found["vault"]]
    words = [
        sealer.unseal(row["sealed"], vault.bound_note(row["number"], row["id"])).decode()
        for row in found["citizen_note"]
        if row["sealed"]
    ]
    return f"{found}{opened}{words}"


async def whole(store: Store[Any]) -> bool:
    """Whether the log's chain of hashes is unbroken."""
    async with store.act("ops") as act:
        return (await readlog.verify(act)).broken is None


# --- erasing -----------------------------------------------------------------------------------


async def test_an_erasure_leaves_no_identity_and_a_record_of_itself(intake: Bench) -> None:
    number = await ended(intake)
    assert "王小明" in await everything(intake)
    await read(intake, number, "service", None, "feedback")  # refused: nobody calls any more
    assert await erase(intake, number)
    left = await everything(intake)
    assert not any(secret in left for secret in CALLER.values())
    [row] = await rows(intake, "ticket")
    assert (row["phone_index"], row["has_contact"]) == (None, False)
    assert row["content"]  # the working copy carries no identity and stays
    before, record = await rows(intake, "contact_read")
    assert (record["deed"], record["actor"], record["number"]) == ("erased", "ops:li", number)
    assert record["reason"] == "[姓名]本人申请，电话[电话]"
    assert before["deed"] == "refused"
    assert await whole(intake.service.store)


async def test_a_record_cannot_be_turned_into_another_unseen(intake: Bench) -> None:
    await erase(intake, await ended(intake))
    async with intake.service.store.engine.begin() as connection:
        await connection.execute(text("UPDATE contact_read SET deed = 'read'"))
    assert not await whole(intake.service.store)


async def test_what_was_erased_is_410_to_whom_it_concerns_and_404_to_others(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    await erase(intake, number, forced=True)
    answer = await read_to_call(intake, number)
    assert answer.status_code == 410
    assert answer.json()["type"].endswith("/identity-erased")
    assert (await read(intake, number, "unit", "GSGS")).status_code == 404


async def test_an_erasure_happens_once(intake: Bench) -> None:
    number = await ended(intake)
    assert await erase(intake, number)
    assert not await erase(intake, number)
    assert len(await rows(intake, "contact_read")) == 1
    with pytest.raises(NotFound):
        await erase(intake, "20260302-000009")


async def test_an_open_ticket_is_erased_by_force_only_and_goes_on(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    with pytest.raises(TicketOpen):
        await erase(intake, number)
    assert len(await rows(intake, "vault")) == 1
    assert await erase(intake, number, forced=True)
    path = f"/v1/tickets/{number}/supplements"
    assert (await post(intake, path, {"content": "仍未来水"})).status_code == 200
    [word] = await rows(intake, "citizen_note")
    assert (word["content"], word["sealed"]) == ("仍未来水", b"")


async def test_nothing_travels_of_a_confidential_ticket_whose_names_are_gone(intake: Bench) -> None:
    number = (await registered(intake, type="report"))["number"]
    await erase(intake, number, forced=True)
    await post(intake, f"/v1/tickets/{number}/supplements", {"content": "我是王小明"})
    [fact] = await intake.told("ticket.supplemented")
    assert fact.data.content == WITHHELD


# --- retention ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "now", "before"),
    [
        ("3y", "2026-03-02T09:00+08:00", "2023-03-02T09:00+08:00"),
        ("1y", "2028-02-29T09:00+08:00", "2027-02-28T09:00+08:00"),
        ("90d", "2026-03-02T09:00+08:00", "2025-12-02T09:00+08:00"),
    ],
)
def test_a_period_is_counted_back(period: str, now: str, before: str) -> None:
    moment = datetime.fromisoformat(now)
    assert KeepFor.parse(period).before(moment) == datetime.fromisoformat(before)


@pytest.mark.parametrize("period", ["", "3", "y", "0y", "-1d", "3 years", "3y1d"])
async def test_what_is_no_period_is_refused(intake: Bench, period: str) -> None:
    with pytest.raises(ValueError, match="3y"):
        KeepFor.parse(period)
    if period:
        with pytest.raises(ConfigError):
            custody.kept_since(intake.service.store, period, intake.now)


def test_privacy_says_how_long_identities_are_kept() -> None:
    assert Privacy.model_validate({"keep_identity": "90d"}).keep_identity == (0, 90)
    with pytest.raises(ValidationError):
        Privacy.model_validate({"keep_identity": "long"})


async def test_retention_erases_what_ended_long_enough_ago(intake: Bench) -> None:
    """R-37 个人信息保护."""
    store = intake.service.store
    withdrawn, again = await ended(intake), await ended(intake)
    closed, still_open = (await registered(intake))["number"], (await registered(intake))["number"]
    await intake.hear(*life(intake, closed, uuid4()))
    intake.at("2027-03-02T09:00+08:00")
    late = await ended(intake)
    intake.at("2029-03-03T09:00+08:00")
    before = custody.kept_since(store, None, intake.now)
    assert before == datetime.fromisoformat("2026-03-03T09:00+08:00")
    assert await custody.outdated(store, "li", before) == 3
    assert len(await rows(intake, "vault")) == 5
    assert await custody.retain(store, "li", before) == 3
    assert {row["number"] for row in await rows(intake, "vault")} == {still_open, late}
    log = await rows(intake, "contact_read")
    assert {row["number"] for row in log} == {withdrawn, again, closed}
    assert await custody.retain(store, "li", before) == 0
    assert await whole(store)


async def test_a_reopened_ticket_has_not_ended(intake: Bench) -> None:
    number = (await registered(intake))["number"]
    dispatched, signed, completed, resolved, reopened, *_, last = life(intake, number, uuid4())
    closed = last.model_copy(update={"round": 1})
    await intake.hear(dispatched, signed, completed, resolved, closed)
    assert (await rows(intake, "ticket"))[0]["ended_at"] == intake.now
    await intake.hear(reopened)
    assert (await rows(intake, "ticket"))[0]["ended_at"] is None


async def test_what_an_older_release_ended_is_kept_from_when_it_is_noticed(intake: Bench) -> None:
    store = intake.service.store
    await ended(intake)
    async with store.engine.begin() as connection:
        await connection.execute(text("UPDATE ticket SET ended_at = NULL"))
    intake.at("2030-03-02T09:00+08:00")
    assert await custody.retain(store, "li", intake.now - timedelta(days=1)) == 0
    intake.at("2033-03-03T09:00+08:00")
    assert await custody.retain(store, "li", intake.now - timedelta(days=1)) == 1


# --- keys --------------------------------------------------------------------------------------


@pytest.fixture
async def opened(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Open]:
    """Opens intake on one database under whatever keys a test says."""
    async with AsyncExitStack() as stack:
        fresh = postgres.fresh_database(await template("intake"))
        address = await stack.enter_async_context(fresh)

        async def under(ring: dict[str, str], current: str) -> Bench:
            given = {"vault_keys": ring, "vault_current": current}
            one = await stack.enter_async_context(bench("intake", address, keys, **given))
            one.app.state.neighbours = Said()
            return one

        yield under


async def test_a_rotation_ends_with_the_old_key_dropped(opened: Open) -> None:
    before = await opened({"old": OLD}, "old")
    await ended(before)
    live = (await registered(before))["number"]
    both = await opened(BOTH, "new")
    for _ in range(4):
        await ended(both)
    store = both.service.store
    # Of each the vault's row and two notes, of the live one the vault's row.
    assert await custody.reseal(store, batch=2) == Resealed(4, 12)
    assert await custody.reseal(store, batch=2) == Resealed(0, 16)
    after = await opened({"new": NEW}, "new")
    assert (await read_on_duty(after, live)).json() == CALLER
    assert "王小明还没水" in await everything(after)


async def test_a_rotation_that_was_cut_goes_on_and_two_at_once_do_no_harm(opened: Open) -> None:
    before = await opened({"old": OLD}, "old")
    for _ in range(5):
        await ended(before)
    store = (await opened(BOTH, "new")).service.store
    async with store.act("ops") as act:
        first = await vault.reseal(act, Vaults, None, 2)
    assert first.count == 2
    both = await asyncio.gather(custody.reseal(store, batch=3), custody.reseal(store, batch=2))
    assert sum(found.count for found in both) == 3 + 10
    assert await custody.reseal(store) == Resealed(0, 15)


async def test_what_was_erased_is_not_sealed_anew(opened: Open) -> None:
    before = await opened({"old": OLD}, "old")
    await erase(before, await ended(before))
    both = await opened(BOTH, "new")
    assert await custody.reseal(both.service.store) == Resealed()


async def test_a_lost_key_has_a_name_and_everything_else_goes_on(opened: Open) -> None:
    before = await opened({"old": OLD}, "old")
    number = (await registered(before))["number"]
    secret = (await registered(before, type="report"))["number"]
    lost = await opened({"new": NEW}, "new")
    answer = await read_to_call(lost, number)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (
        500,
        "seal-key-missing",
    )
    assert await rows(lost, "contact_read") == []
    for path in (number, secret):
        words = {"content": "王小明：仍未来水，13909150001"}
        assert (await post(lost, f"/v1/tickets/{path}/supplements", words)).status_code == 200
        assert (await post(lost, f"/v1/tickets/{path}/urges", {"note": "快"})).status_code == 200
    said = [fact.data.content for fact in await lost.told("ticket.supplemented")]
    assert said == ["王小明：仍未来水，[电话]", WITHHELD]
    assert (await registered(lost))["number"] == "20260302-000003"
    assert (await custody.reseal(lost.service.store)).unreadable == {"old": 2}
    found = await opened({"new": NEW, "old": OLD}, "new")
    assert (await read_to_call(found, number)).json() == CALLED


async def test_other_bytes_under_an_id_in_use_are_refused_at_the_start(opened: Open) -> None:
    """And an operator who seals anew is not told that nothing is left to do."""
    before = await opened({"first": OLD}, "first")
    await registered(before)
    with pytest.raises(ConfigError, match=r"'first'.*lost-secrets"):
        async with (await opened({"first": NEW}, "first")).service.store.act(
            "service:intake"
        ) as act:
            await vault.check_keys(act)
    other = (await opened({"first": NEW}, "first")).service.store
    assert (await custody.reseal(other)).unreadable == {"first": 1}


async def test_one_broken_row_does_not_close_the_hotline(opened: Open) -> None:
    intake = await opened({"first": OLD}, "first")
    await registered(intake)
    last = (await registered(intake))["number"]
    async with intake.service.store.engine.begin() as connection:
        spoil = (
            "UPDATE vault SET sealed = overlay(sealed PLACING 'spoilt' FROM 30) WHERE number = :n"
        )
        await connection.execute(text(spoil), {"n": last})
    async with intake.service.store.act("service:intake") as act:
        await vault.check_keys(act)
    assert (await custody.reseal(intake.service.store)).unreadable == {"first": 1}


async def test_an_erasure_needs_no_key(opened: Open) -> None:
    before = await opened({"old": OLD}, "old")
    number = await ended(before)
    lost = await opened({"new": NEW}, "new")
    assert await custody.erase(lost.service.store, "li", number, "密钥丢失")
    assert await rows(lost, "vault") == []


# --- what becomes of a callback ----------------------------------------------------------------


async def test_a_callback_whose_citizen_was_erased_ends(calling: Bench, outside: Outside) -> None:
    outside.intake_status, outside.contact = 410, {"type": "…/identity-erased"}
    callback = await due(calling)
    assert await status_of(calling, callback) == "given_up"
    assert (await names(calling))[-2:] == ["callback.given_up", "ticket.closed"]
    assert (await calling.told("ticket.closed"))[0].data.kind == "no_contact"
    assert await calling.service.next_due() is None
    assert outside.asks == []
    figures = await calling.http("callback").get("/v1/rates?from=2026-03-01&to=2026-03-31")
    assert figures.json()["not_called"] == {"no_contact": 1}


@pytest.mark.parametrize("slug", ["seal-key-missing", "seal-broken"])
async def test_a_callback_whose_contact_cannot_be_opened_goes_to_staff(
    calling: Bench, outside: Outside, slug: str
) -> None:
    outside.intake_status, outside.contact = 500, {"type": f"/errors/{slug}"}
    callback = await due(calling)
    assert await status_of(calling, callback) == "due"
    assert await calling.service.next_due() is None
    assert len(outside.reads) == 1


@pytest.mark.parametrize("contact", ["x", [], {"type": "…/internal-error"}, {}])
async def test_any_other_trouble_of_intake_is_tried_again(
    calling: Bench, outside: Outside, contact: Any
) -> None:
    outside.intake_status, outside.contact = 500, contact
    await due(calling)
    assert await calling.service.next_due() == calling.now + timedelta(minutes=1)
