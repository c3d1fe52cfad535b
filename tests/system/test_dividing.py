"""Fact log and inbox are divided by month while the release before writes into them (ADR 0079)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
import uuid6
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from operations.runtime.registry import NAMES, part
from shared import clock
from shared.storage import migrations
from shared.storage.engine import open_engine
from shared.storage.months import AHEAD, first_id, month_of, months_after
from shared.storage.partitions import TABLES
from tests.fixtures.copies import connected
from tests.fixtures.months import ids
from tests.fixtures.postgres import Postgres

STEP = "months"  # the migration that divides
# What the release before says to the tables, word for word.
TOLD_BEFORE = """
    INSERT INTO outbox (fact, subject, key, body, lane, recorded)
    SELECT f, 'S', 'k', '{}', 1, now() FROM unnest($1::uuid[]) AS f"""
SENT_BEFORE = """
    UPDATE outbox o SET position = s.place + (SELECT coalesce(max(position), 0) FROM outbox)
    FROM unnest($1::bigint[]) WITH ORDINALITY AS s (id, place) WHERE o.id = s.id"""
RECEIVED_BEFORE = """
    INSERT INTO inbox (consumer, fact, received)
    SELECT 'tracker', f, now() FROM unnest($1::uuid[]) AS f ON CONFLICT DO NOTHING RETURNING fact"""
UNSENT_BEFORE = "SELECT id FROM outbox WHERE position IS NULL ORDER BY lane, id"


@pytest.fixture(autouse=True)
def _ids_go_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is never of an earlier time than the one before, whatever a test did to the clock."""
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", None)


def revisions(name: str) -> tuple[str, str]:
    """The migration before the one that divides, and that one."""
    stems = sorted(path.stem for path in part(name).migrations.glob("versions/[0-9]*.py"))
    at = next(at for at, stem in enumerate(stems) if stem.partition("_")[2] == STEP)
    return stems[at - 1].partition("_")[0], stems[at].partition("_")[0]


async def to(url: str, name: str, revision: str, *, down: bool = False) -> None:
    def move(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(part(name).migrations))
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)

    engine = open_engine(url, 1)
    async with engine.connect() as connection:
        await connection.run_sync(move)
        await connection.commit()
    await engine.dispose()


@asynccontextmanager
async def release_before(postgres: Postgres, name: str) -> AsyncIterator[tuple[str, Any]]:
    """Its schema with rows in it, and a connection that has its statements prepared."""
    async with postgres.fresh_database() as url:
        await to(url, name, revisions(name)[0])
        async with connected(url) as connection:
            await connection.execute("SET statement_timeout = '20s'")
            yield url, connection


@pytest.mark.parametrize("name", NAMES)
async def test_the_table_that_was_there_is_the_first_part_and_nothing_is_copied(
    postgres: Postgres, name: str
) -> None:
    async with release_before(postgres, name) as (url, before):
        mine, foreign = ids(1_000), UUID("ffffffff-0000-4000-8000-000000000000")
        await before.execute(TOLD_BEFORE, mine)
        await before.execute(RECEIVED_BEFORE, [*mine, foreign])
        files = "SELECT relfilenode FROM pg_class WHERE oid = to_regclass($1)"
        lay = [await before.fetchval(files, table) for table in TABLES]
        await migrations.migrate(url, part(name).migrations)
        assert [await before.fetchval(files, f"months.{table}_first") for table in TABLES] == lay
        assert await before.fetchval("SELECT count(*) FROM fact_log") == 1_000
        assert await before.fetchval("SELECT max(id) FROM outbox") == 1_000
        assert await before.fetchval("SELECT fact FROM months.inbox_default") == foreign
        assert await before.fetch(RECEIVED_BEFORE, [*mine, foreign]) == []
        await before.execute(TOLD_BEFORE, ids(1))
        assert await before.fetchval("SELECT max(id) FROM outbox") == 1_001
        left = "SELECT conname FROM pg_constraint WHERE conname LIKE 'before%'"
        assert await before.fetch(left) == []


async def test_the_release_before_writes_and_relays_on_beside_it(postgres: Postgres) -> None:
    async with release_before(postgres, "intake") as (url, before):
        told, sent, received, unsent = [
            await before.prepare(statement)
            for statement in (TOLD_BEFORE, SENT_BEFORE, RECEIVED_BEFORE, UNSENT_BEFORE)
        ]
        for round in range(8):  # its plans are kept by then
            await told.fetch(ids(1))
            await sent.fetch([row["id"] for row in await unsent.fetch()])
            fact = ids(1)
            assert len(await received.fetch(fact)) == 1
            if round == 6:
                await migrations.migrate(url, part("intake").migrations)
            assert await received.fetch(fact) == []
        positions = await before.fetch("SELECT position FROM outbox ORDER BY id")
        assert [row["position"] for row in positions] == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_who_writes_while_it_is_divided_notices_nothing(postgres: Postgres) -> None:
    async with release_before(postgres, "intake") as (url, before):
        told, divided = list[UUID](), asyncio.Event()

        async def write() -> None:
            while not divided.is_set():
                [fact] = ids(1)
                for statement in (TOLD_BEFORE, RECEIVED_BEFORE):
                    await before.execute(statement, [fact])
                told.append(fact)

        writing = asyncio.create_task(write())
        await migrations.migrate(url, part("intake").migrations)
        divided.set()
        await writing
        for view in ("fact_log", "received"):
            rows = await before.fetch(f"SELECT fact FROM {view} ORDER BY fact")
            assert [row["fact"] for row in rows] == sorted(told)


async def test_what_was_cut_off_is_gone_on_with_in_another_month(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with release_before(postgres, "intake") as (url, before):
        await before.execute(TOLD_BEFORE, ids(10))
        with monkeypatch.context() as quick:
            quick.setattr(migrations, "LOCK_TIMEOUT", "50ms")
            quick.setattr(migrations, "TRIES", 1)
            async with connected(url) as reader, reader.transaction():
                await reader.fetch("SELECT 1 FROM inbox")  # outbox is divided, inbox cannot be
                with pytest.raises(DBAPIError, match="lock"):
                    await migrations.migrate(url, part("intake").migrations)
        end = first_id(months_after(month_of(clock.real()), AHEAD))  # it might have come further
        await before.execute(f"ALTER TABLE inbox ADD CONSTRAINT before_x CHECK (fact < '{end}')")
        await before.execute(TOLD_BEFORE, ids(1))
        with time_machine.travel(clock.real() + timedelta(days=40)):
            await migrations.migrate(url, part("intake").migrations)
            await before.execute(TOLD_BEFORE, ids(1))
            assert len(await before.fetch(RECEIVED_BEFORE, [end])) == 1
        assert await before.fetchval("SELECT count(*) FROM outbox") == 12
        assert await before.fetchval("SELECT count(*) FROM months.outbox_default") == 0


@pytest.mark.parametrize("name", NAMES)
async def test_the_way_back_has_every_row(postgres: Postgres, name: str) -> None:
    async with release_before(postgres, name) as (url, before):
        await before.execute(TOLD_BEFORE, ids(5))
        await to(url, name, revisions(name)[1])
        await before.execute(TOLD_BEFORE, [*ids(5), uuid4()])
        await before.execute(RECEIVED_BEFORE, [uuid4(), *ids(1)])
        await to(url, name, revisions(name)[0], down=True)
        assert await before.fetchval("SELECT count(*) FROM outbox") == 11
        assert await before.fetchval("SELECT count(*) FROM inbox") == 2
        await before.execute(TOLD_BEFORE, ids(1))
        assert await before.fetchval("SELECT max(id) FROM outbox") == 12
        await to(url, name, revisions(name)[1])
        assert await before.fetchval("SELECT count(*) FROM fact_log") == 12
