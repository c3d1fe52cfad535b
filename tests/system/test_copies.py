"""A database handed on from test to test is as good as new: else it is not handed on."""

from __future__ import annotations

import pytest

from tests.fixtures.copies import Copies, connected
from tests.fixtures.postgres import Postgres

SEARCHED = "SELECT * FROM search_place"  # one row, which a migration wrote
NEXT = "SELECT nextval('outbox_id_seq')"
MORE_THAN_ROWS = (
    "CREATE TABLE seen (subject text)",
    "ALTER TABLE ticket ADD CHECK (content <> '')",
    "ALTER TABLE ticket ALTER COLUMN content SET DEFAULT ''",
    "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 4096', current_database()); END $$",
    "DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
    "ANALYZE search_place",
)


async def test_the_next_test_gets_it_empty_and_counting_from_one(postgres: Postgres) -> None:
    copies = Copies(postgres)
    async with copies.one("intake") as first, connected(first) as connection:
        new = await connection.fetch(SEARCHED)
        assert len(new) == 1
        await connection.execute("DELETE FROM search_place")
        await connection.execute("INSERT INTO seq (subject, last) VALUES ('a', 7)")
        assert await connection.fetchval(NEXT) == 1
    async with copies.one("intake") as second, connected(second) as connection:
        assert second == first
        assert await connection.fetch(SEARCHED) == new
        assert await connection.fetchval("SELECT count(*) FROM seq") == 0
        assert await connection.fetchval(NEXT) == 1
    await copies.drop()


async def test_two_at_once_have_two(postgres: Postgres) -> None:
    copies = Copies(postgres)
    async with copies.one("intake") as one, copies.one("intake") as other:
        assert one != other
    await copies.drop()


@pytest.mark.parametrize("change", MORE_THAN_ROWS)
async def test_who_changed_more_than_rows_is_dropped(postgres: Postgres, change: str) -> None:
    copies = Copies(postgres)
    async with copies.one("intake") as first, connected(first) as connection:
        await connection.execute(change)
    async with copies.one("intake") as second:
        assert second != first
    await copies.drop()


async def test_who_is_still_there_is_sent_away(postgres: Postgres) -> None:
    copies = Copies(postgres)
    async with copies.one("intake") as first:
        left = connected(first)
        stayed = await left.__aenter__()
        await stayed.execute("BEGIN; LOCK TABLE ticket")
    async with copies.one("intake") as second:
        assert second == first
    assert stayed.is_closed()
    await copies.drop()
