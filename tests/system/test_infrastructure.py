"""The servers the other tests stand on are there, separate, and leave nothing behind."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import aio_pika
import psutil
import pytest
from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from operations.runtime import postgres
from tests.fixtures.patience import WITHIN
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker


async def ask(url: str, *statements: str) -> object:
    """Run statements in a database and answer the first value of the last."""
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            result = await connection.execute(text(statement))
        return result.scalar() if result.returns_rows else None


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder root's own PostgreSQL user can reach, which pytest's own is not."""
    with TemporaryDirectory(prefix="jiesu-home-") as folder:
        yield Path(folder)


async def test_postgres_takes_many_connections(postgres: Postgres) -> None:
    assert await ask(postgres.url("postgres"), "SHOW max_connections") == "300"


async def test_a_fresh_database_is_a_copy_of_its_template(postgres: Postgres) -> None:
    async with postgres.fresh_database() as template_url:
        await ask(template_url, "CREATE TABLE kept AS SELECT 7 AS number")
        template = template_url.rsplit("/", 1)[1].split("?")[0]
        async with postgres.fresh_database(template) as copy:
            await ask(copy, "UPDATE kept SET number = 8")
            assert await ask(copy, "SELECT number FROM kept") == 8
        assert await ask(template_url, "SELECT number FROM kept") == 7


async def test_a_fresh_database_is_dropped_after_use(postgres: Postgres) -> None:
    async with postgres.fresh_database() as url:
        assert await ask(url, "SELECT 1") == 1
    with pytest.raises(DBAPIError, match="does not exist"):
        await ask(url, "SELECT 1")


async def test_rabbitmq_delivers_a_message(rabbitmq: Broker) -> None:
    async with await aio_pika.connect(rabbitmq.url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(
            "one", arguments={"x-queue-type": "quorum"}, durable=True
        )
        await channel.default_exchange.publish(
            aio_pika.Message("接诉".encode()), "one", timeout=WITHIN
        )
        async with (
            queue.iterator(timeout=WITHIN) as messages,
            (await anext(messages)).process() as one,
        ):
            assert one.body.decode() == "接诉"
        await queue.delete(if_unused=False, if_empty=False)  # 3.10 refuses both on quorum queues


async def test_embedded_postgres_finds_its_data_again(home: Path) -> None:
    with postgres.start(home, durable=True) as server:
        await ask(await server.ensure("intake"), "CREATE TABLE kept AS SELECT 7 AS number")
    with postgres.start(home, durable=True) as server:
        assert await ask(await server.ensure("intake"), "SELECT number FROM kept") == 7


def test_embedded_postgres_leaves_no_process(home: Path) -> None:
    with postgres.start(home, durable=False):
        process = psutil.Process(_process_of(home))
        assert process.name() == "postgres"
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_embedded_postgres_runs_once_on_the_same_data(home: Path) -> None:
    with postgres.start(home, durable=False) as server:
        with pytest.raises(postgres.AlreadyRunning), postgres.start(home, durable=False):
            pytest.fail("two servers on the same data")
        with postgres.use(home) as same:
            assert same == server


def test_who_only_looks_makes_no_embedded_data(home: Path) -> None:
    with pytest.raises(postgres.EmbeddedTrouble, match="no embedded data"), postgres.use(home):
        pytest.fail("there is nothing to look at")
    assert not (home / "cluster").exists()


def test_embedded_postgres_recovers_after_a_crash(home: Path) -> None:
    with postgres.start(home, durable=True):
        psutil.Process(_process_of(home)).kill()
    assert _lock_of(home).exists()
    with postgres.start(home, durable=True):
        assert psutil.pid_exists(_process_of(home))


def test_a_lock_nobody_stands_behind_is_dropped(home: Path) -> None:
    with postgres.start(home, durable=False):
        dead = _process_of(home)
    for process in (os.getpid(), dead):  # a number is used again after a reboot
        _lock_of(home).write_text(f"{process}\n{home / 'cluster'}\n0\n5432\n/none\n\n0 0\nready\n")
        with postgres.start(home, durable=False):
            assert _process_of(home) not in (os.getpid(), dead)


@pytest.mark.parametrize("left", ["", "\0\0\0\0"], ids=["empty", "zeros"])
def test_a_server_that_outlived_its_guard_is_stopped_whatever_its_lock_says(
    home: Path, left: str
) -> None:
    with postgres.start(home, durable=False):
        outlived = psutil.Process(_process_of(home))
        _guard_of(home).kill()
    assert outlived.is_running()
    _lock_of(home).write_text(left)  # as a loss of power leaves it
    with postgres.start(home, durable=False):
        assert not outlived.is_running() or outlived.status() == psutil.STATUS_ZOMBIE
        assert _process_of(home) != outlived.pid


@pytest.mark.parametrize(
    ("written", "trouble"),
    [
        (
            "16\n",
            "数据由 PostgreSQL 16 写成.* written by PostgreSQL 16, this release reads 18; nothing",
        ),
        (
            None,
            "不是完整的 PostgreSQL 数据目录.* no whole data folder of PostgreSQL; nothing was touched",
        ),
    ],
    ids=["another version", "no version"],
)
def test_data_that_cannot_be_read_are_refused_in_a_line_and_left_alone(
    home: Path, written: str | None, trouble: str
) -> None:
    with postgres.start(home, durable=False):
        pass
    version = home / "cluster" / "PG_VERSION"
    version.unlink()
    if written:
        version.write_text(written)
    _lock_of(home).write_text("4194305\n")
    before = _contents(home / "cluster")
    with (
        pytest.raises(postgres.EmbeddedTrouble, match=f"^{home}/cluster: {trouble}") as refused,
        postgres.start(home, durable=False),
    ):
        pytest.fail("what these programs cannot read was started")
    assert "\n" not in str(refused.value)
    assert _contents(home / "cluster") == before


async def test_embedded_postgres_listens_on_no_network(home: Path) -> None:
    with postgres.start(home, durable=False) as server:
        assert await ask(server.url("postgres"), "SHOW listen_addresses") == ""


def test_embedded_postgres_opens_nobodys_folders(home: Path) -> None:
    wheel = Path(postgres.__file__).resolve()
    folders = {*home.parents, *wheel.parents, *Path(psutil.__file__).resolve().parents}
    before = {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}
    with postgres.start(home, durable=False) as server:
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders} == before
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def _lock_of(home: Path) -> Path:
    return home / "cluster" / "postmaster.pid"


def _process_of(home: Path) -> int:
    return int(_lock_of(home).read_text().split("\n", 1)[0])


def _guard_of(home: Path) -> psutil.Process:
    """The shell we started beside the server on this home."""
    [guard] = [one for one in psutil.Process().children() if str(home / "cluster") in one.cmdline()]
    return guard


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
