"""The traps of the proxy: a connection dies where it was meant to, or the trap has not sprung."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.storage.engine import open_engine
from tests.fixtures.fire.fires import WORK
from tests.fixtures.fire.proxy import Proxy
from tests.fixtures.fire.servers import Servers
from tests.fixtures.ports import free_ports


@pytest.fixture
async def line(burning: Servers) -> AsyncIterator[Proxy]:
    """A line to the database that can misbehave."""
    async with Proxy(burning.database.target, free_ports(1)[0]).listening() as proxy:
        yield proxy


@pytest.fixture
async def engine(burning: Servers, line: Proxy) -> AsyncIterator[AsyncEngine]:
    """One connection through the line; it has prepared all that the test says."""
    made = open_engine(f"postgresql+asyncpg://postgres@127.0.0.1:{line.port}/postgres", 1)
    async with made.begin() as connection:
        await connection.execute(text("CREATE TABLE inbox (n int)"))
    await look(made)
    await work(made)
    yield made
    line.resume()
    async with made.begin() as connection:
        await connection.execute(text("DROP TABLE inbox"))
    await made.dispose()


async def look(engine: AsyncEngine) -> int | None:
    """A transaction that changes nothing; how often work was done."""
    async with engine.begin() as connection:
        return (await connection.execute(text("SELECT count(*) FROM inbox"))).scalar()


async def work(engine: AsyncEngine, *, commit: bool = True) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO inbox VALUES (1)"))
        await (connection.commit() if commit else connection.rollback())


@pytest.mark.parametrize(("heard", "stands"), [(False, 1), (True, 2)])
async def test_a_trap_springs_at_the_commit_of_work_and_at_no_other(
    engine: AsyncEngine, line: Proxy, heard: bool, stands: int
) -> None:
    trap = line.trap(b"COMMIT", "cut", heard=heard, within=WORK)
    await look(engine)
    await work(engine, commit=False)
    await look(engine)
    assert not trap.sprung.is_set()
    with pytest.raises(DBAPIError):
        await work(engine)
    assert trap.sprung.is_set()
    assert await look(engine) == stands
