"""Months that were put away are taken back: as they were, or not at all (ADR 0079)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import uuid6
from sqlalchemy.exc import DBAPIError

from shared import clock
from shared.errors import ConfigError
from shared.messaging.outbox import Relay
from shared.storage import partitions
from shared.storage.months import AHEAD, month_of, months_after
from shared.storage.partitions import TABLES, attach_from, detach_before, make_ahead, name_of
from shared.storage.trouble import sqlstate
from tests.fixtures.bench import Bench
from tests.fixtures.exchange import Exchange
from tests.fixtures.months import fresh, ids, names, put_away, tell
from tests.fixtures.scenes.intake import registered


@pytest.fixture(autouse=True)
def _ids_go_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is never of an earlier time than the one before, whatever a test did to the clock."""
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", None)


EVER = date(1970, 1, 1)
INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename LIKE '%_first' ORDER BY indexname"


async def attached(bench: Bench, table: str = "outbox") -> list[str]:
    async with bench.service.store.engine.connect() as connection:
        found = await partitions.partitions(connection, table)
        return [each.name for each in found if not each.detached]


async def test_a_month_that_was_put_away_is_taken_back_as_it_was(intake: Bench) -> None:
    """The log says the same, positions go on, and who receives a fact of it again has received it."""
    await registered(intake)
    await Relay(intake.service.store, Exchange()).run_once()
    known, new = ids(2)
    assert await fresh(intake, known) == {known}
    before, indexed = await names(intake), await intake.rows(INDEXES)
    put = await put_away(intake)
    assert {"outbox_first", "inbox_first"} <= set(put)
    assert "outbox_first" not in await attached(intake)
    log = await intake.rows("SELECT * FROM fact_log ORDER BY id")
    assert await attach_from(intake.service.store, EVER) == put
    assert set(before) < set(await attached(intake))
    assert await intake.rows("SELECT 1 FROM months.outbox_detached") == []
    assert await intake.rows(INDEXES) == indexed, "none is built anew"
    assert await intake.rows("SELECT * FROM fact_log ORDER BY id") == log
    assert await fresh(intake, known, new) == {new}
    await registered(intake)
    await Relay(intake.service.store, Exchange()).run_once()
    rows = await intake.rows("SELECT position FROM outbox ORDER BY position")
    assert [row["position"] for row in rows] == [1, 2, 3]
    assert await attach_from(intake.service.store, EVER) == []


async def test_months_before_the_one_that_is_named_stay_away(intake: Bench) -> None:
    store, now = intake.service.store, clock.real()
    for count in range(AHEAD + 3):
        await make_ahead(store, now + timedelta(days=31 * count))
    last = months_after(month_of(now), AHEAD + 3)
    later = datetime(last.year, last.month, 9, tzinfo=UTC)
    await tell(intake, later)
    await Relay(store, Exchange()).run_once()
    put = await detach_before(store, last, later)
    since = months_after(last, -1)
    assert await attach_from(store, since) == [name_of(table, since) for table in TABLES]
    assert len(put) > 4
    assert await attach_from(store, months_after(last, -2)) == [
        name_of(table, months_after(last, -2)) for table in TABLES
    ]


async def test_what_fell_beside_a_month_meanwhile_is_taken_along_only_when_that_is_said(
    intake: Bench,
) -> None:
    """A fact of then that came for the first time, and one that a late clock gave an old id."""
    store, [late] = intake.service.store, ids(1)
    put = await put_away(intake)
    assert await fresh(intake, late) == {late}
    await tell(intake, clock.real())
    with pytest.raises(
        ConfigError, match=r"^outbox_first: 默认分区.* default partition"
    ) as refused:
        await attach_from(store, EVER)
    assert "\n" not in str(refused.value)
    assert "outbox_first" not in await attached(intake)
    assert await attach_from(store, EVER, move=True) == put
    assert await intake.rows("SELECT 1 FROM months.outbox_default") == []
    assert len(await intake.rows("SELECT 1 FROM months.outbox_first")) == 1
    assert await fresh(intake, late) == set()
    assert await Relay(store, Exchange()).run_once() == 1


async def run_again(do: Callable[[], Awaitable[Any]]) -> None:
    """As the page says of a lock that was not had in a second."""
    for _ in range(10):
        try:
            await do()
        except DBAPIError as error:
            if sqlstate(error) != "55P03":
                raise
        else:
            return


async def test_months_change_places_under_traffic_and_nobody_fails(intake: Bench) -> None:
    """What was received comes again, facts are told, relayed and read, and two transactions never meet."""
    store, old, over = intake.service.store, ids(5), asyncio.Event()
    later = clock.real() + timedelta(days=31 * (AHEAD + 1))
    assert await fresh(intake, *old) == {*old}
    await put_away(intake)

    async def go_on() -> None:
        while not over.is_set():
            assert await fresh(intake, *old) == set()
            await tell(intake, later)
            await Relay(store, Exchange()).run_once()
            await intake.rows("SELECT count(*) FROM fact_log")

    async def change() -> None:
        for _ in range(8):
            await run_again(lambda: attach_from(store, EVER))
            await run_again(lambda: detach_before(store, month_of(later), later))
        over.set()

    async with asyncio.TaskGroup() as tasks:
        for work in (go_on, go_on, change):
            tasks.create_task(work())
    told = [row["position"] for row in await intake.rows("SELECT position FROM outbox")]
    known = [each for each in told if each]
    assert len({*known}) == len(known) > 0


async def test_a_table_that_fits_no_more_stays_away_whole(intake: Bench) -> None:
    """A migration changed what is written to, and left out what was put away."""
    await put_away(intake)
    await intake.do("ALTER TABLE inbox ADD COLUMN note text")
    with pytest.raises(ConfigError, match=r"^inbox_first: 与表不符.* does not fit .*42804"):
        await attach_from(intake.service.store, EVER)
    assert "outbox_first" in await attached(intake)
    assert "inbox_first" in await names(intake, "inbox")
    assert "inbox_first" not in await attached(intake, "inbox")
