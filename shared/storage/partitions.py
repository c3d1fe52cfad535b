"""Fact log and inbox lie in months: how one is made before it begins, put away when it is old, and taken
back.

What has no month falls into the default partition, so a month that is missing stops nobody. Whoever
writes names ``outbox`` and ``inbox``; whoever reads what was said or received reads ``fact_log`` and
``received``, which hold what was put away too (docs/adr/0079-months.md).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import ConfigError
from shared.observability import log
from shared.storage.act import Store
from shared.storage.engine import is_trouble
from shared.storage.months import Partition, first_id, lacking, month_of, months_after
from shared.storage.trouble import said, sqlstate

TABLES = ("outbox", "inbox")
EVERY = 3600.0  # seconds between two looks at what should be made
LAST = date(9999, 1, 1)  # of what Python calls a date
LOCK = 0x6D6F6E74  # "mont": who makes or puts away months, one at a time
# Who waits for a lock here holds up whoever comes next: so not long, and again later.
BRIEFLY = text("SET LOCAL lock_timeout = '1s'")
IN_TURN = text(f"SELECT pg_advisory_xact_lock({LOCK})")

KNOWN = text("""
    SELECT p.relname AS parent, c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bound,
        pg_total_relation_size(c.oid) AS octets
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
    WHERE p.oid IN (to_regclass(:table), to_regclass(:detached))""")


async def partitions(connection: AsyncConnection, table: str) -> list[Partition]:
    """The parts of a table, the oldest first; those put away among them, and the default one last."""
    names = {"table": table, "detached": f"months.{table}_detached"}
    found = [
        Partition.read(table, row.name, row.bound, row.parent != table, row.octets)
        for row in await connection.execute(KNOWN, names)
    ]
    return sorted(found, key=lambda each: (each.until is None, each.until))


# --- made ahead ----------------------------------------------------------------------------------


async def keep_ahead(store: Store[Any], now: datetime) -> None:
    """What runs by the clock. Whatever is in the way stops nobody: the morning page says what is missing.
    Raises what is_trouble() calls trouble.
    """
    try:
        await make_ahead(store, now)
    except SQLAlchemyError as error:
        if is_trouble(error):
            raise
        log.error("a month could not be made", why=said(error))


async def make_ahead(store: Store[Any], now: datetime, *, move: bool = False) -> list[str]:
    """Make the months that should be there; their names. ``now`` is real time.

    A month of which the default partition holds rows already is left alone, and the log says so;
    ``move`` makes it, and takes its rows there in the same transaction.
    """
    made = []
    for table in TABLES:
        async with store.engine.connect() as connection:
            known = await partitions(connection, table)
            strays = await astray(connection, table) if move else {}
        for month in sorted({*lacking(known, now), *strays}):
            if await _make(store, table, month, move=move):
                made.append(name_of(table, month))
    return made


async def _make(store: Store[Any], table: str, month: date, *, move: bool) -> bool:
    async with store.engine.connect() as connection:
        await _in_turn(connection)
        if any(each.has(month) for each in await partitions(connection, table)):
            return False  # another replica's work
        if not move and await _is_in_default(connection, table, _within(month)):
            log.error("rows of a month lie in the default partition", table=table, month=str(month))
            return False
        for statement in making(table, month, move=move):
            await connection.execute(text(statement))
        await store.finish(connection)
    log.info("a month is made", partition=name_of(table, month), moved=move)
    return True


async def _in_turn(connection: AsyncConnection) -> None:
    await connection.execute(BRIEFLY)
    await connection.execute(IN_TURN)


async def _is_in_default(connection: AsyncConnection, table: str, holds: str) -> bool:
    query = f"SELECT EXISTS (SELECT FROM months.{table}_default WHERE {holds})"
    return bool((await connection.execute(text(query))).scalar())


def _within(month: date) -> str:
    return f"fact >= '{first_id(month)}' AND fact < '{first_id(months_after(month, 1))}'"


def name_of(table: str, month: date) -> str:
    """What the partition of a month is called."""
    return f"{table}_{month:%Y_%m}"


def making(table: str, month: date, *, move: bool = False) -> Iterator[str]:
    """A month made and attached. Attaching locks the default partition and no other: what is written
    into months goes on.
    """
    name, default = f"months.{name_of(table, month)}", f"months.{table}_default"
    since, until = first_id(month), first_id(months_after(month, 1))
    yield f"CREATE TABLE {name} (LIKE {default} INCLUDING DEFAULTS INCLUDING INDEXES)"
    if move:
        yield from _moving(default, _within(month), name)
    yield f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{since}') TO ('{until}')"


def _moving(default: str, holds: str, name: str) -> Iterator[str]:
    yield f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE"
    yield f"""
        WITH moved AS (DELETE FROM {default} WHERE {holds} RETURNING *)
        INSERT INTO {name} SELECT * FROM moved"""


async def astray(
    connection: AsyncConnection, table: str, limit: int | None = None
) -> dict[date, int]:
    """How many rows of which months lie in the default partition though a month could hold them: neither
    those whose ids tell no time, nor those of a month that was put away. Counts no further than ``limit``.
    """
    known = await partitions(connection, table)
    query = text(f"""
        SELECT CAST(date_trunc('month', to_timestamp(CAST(CAST('x' || left(id, 12) AS bit(48)) AS bigint)
            / 1000.0) AT TIME ZONE 'UTC') AS date) AS month, count(*) AS rows
        FROM (SELECT translate(CAST(fact AS text), '-', '') AS id FROM months.{table}_default
            WHERE fact < '{first_id(LAST)}' LIMIT :limit) AS default_rows
        WHERE substr(id, 13, 1) = '7' GROUP BY 1""")
    found = await connection.execute(query, {"limit": limit})
    months = {row.month: row.rows for row in found}
    put_away = [each for each in known if each.detached]
    return {at: n for at, n in months.items() if not any(each.has(at) for each in put_away)}


# --- put away ------------------------------------------------------------------------------------


async def detach_before(store: Store[Any], month: date, now: datetime) -> list[str]:
    """Put away what ended before a month; the names. It stays where it is, and readable.

    Raises ConfigError for a month that has not ended, and for facts that were not sent or hold the last
    position: positions are counted on from what is attached.
    """
    if month > month_of(now):
        raise ConfigError(f"{month:%Y-%m}: 此前的月份尚未全部结束 months before it have not ended")
    put_away = []
    for table in TABLES:
        async with store.engine.connect() as connection:
            known = await partitions(connection, table)
        for each in known:
            if not each.detached and each.until and each.until <= first_id(month):
                await _detach(store, each)
                put_away.append(each.name)
    return put_away


async def _detach(store: Store[Any], each: Partition) -> None:
    async with _changing_places(store, each) as connection:
        await connection.execute(text(f"ALTER TABLE {each.table} DETACH {each.itself}"))
        if each.table == "outbox":
            await _check_sent(connection, each)
        attach = f"ATTACH {each.itself} FOR VALUES {each.bounds}"
        await connection.execute(text(f"ALTER TABLE months.{each.table}_detached {attach}"))
    log.info("a month is put away", partition=each.name)


@asynccontextmanager
async def _changing_places(store: Store[Any], each: Partition) -> AsyncIterator[AsyncConnection]:
    """A transaction in which a month changes its parent. Its bounds first become a constraint that is proved
    beside the traffic: so nobody reads it through while a table is locked.
    """
    drop = f"ALTER TABLE months.{each.name} DROP CONSTRAINT IF EXISTS within"
    await _do(store, f"{drop}, ADD CONSTRAINT within CHECK ({each.holds}) NOT VALID")
    await _do(store, f"ALTER TABLE months.{each.name} VALIDATE CONSTRAINT within")
    async with store.engine.connect() as connection:
        await _in_turn(connection)
        yield connection
        await connection.execute(text(drop))
        await store.finish(connection)


async def _do(store: Store[Any], statement: str) -> None:
    async with store.engine.connect() as connection:
        await _in_turn(connection)
        await connection.execute(text(statement))
        await store.finish(connection)


async def _check_sent(connection: AsyncConnection, each: Partition) -> None:
    """Looked at behind the lock, in the transaction that puts it away: what this raises takes it back."""
    query = text(f"""
        SELECT (SELECT count(*) FROM months.{each.name} WHERE position IS NULL) AS unsent,
            (SELECT coalesce(max(position), 0) FROM months.{each.name}) AS last,
            (SELECT coalesce(max(position), 0) FROM outbox) AS later""")
    unsent, last, later = (await connection.execute(query)).one()
    if unsent:
        raise ConfigError(f"{each.name}: {unsent} 条事实未发出 facts not sent: see stuck")
    if last and later <= last:
        raise ConfigError(
            f"{each.name}: 含最后一个位置，须留下 it holds the last position and stays"
        )


# --- taken back ----------------------------------------------------------------------------------


async def attach_from(store: Store[Any], month: date, *, move: bool = False) -> list[str]:
    """Take back what was put away and holds a month or a later one; the names. ``move``: with what fell
    beside it meanwhile, facts of then that came for the first time.

    Raises ConfigError for what fits no more: rows that fell beside it, a table that has changed since.
    """
    taken_back = []
    for table in TABLES:
        async with store.engine.connect() as connection:
            known = await partitions(connection, table)
        for each in known:
            if each.detached and each.until and each.until > first_id(month):
                await _attach(store, each, move=move)
                taken_back.append(each.name)
    return taken_back


async def _attach(store: Store[Any], each: Partition, *, move: bool) -> None:
    default, name = f"months.{each.table}_default", f"months.{each.name}"
    try:
        async with _changing_places(store, each) as connection:
            for statement in (
                # What everybody locks first: readers and repeats lock the rest in either order.
                f"LOCK TABLE ONLY {each.table} IN ACCESS EXCLUSIVE MODE",
                f"ALTER TABLE months.{each.table}_detached DETACH {each.itself}",
                *(_moving(default, each.holds, name) if move else ()),
            ):
                await connection.execute(text(statement))
            if await _is_in_default(connection, each.table, each.holds):
                raise ConfigError(
                    f"{each.name}: 默认分区中有它的行，加 --move 一并移入 "
                    "rows of it lie in the default partition: --move takes them along"
                )
            attach = f"ATTACH {each.itself} FOR VALUES {each.bounds}"
            await connection.execute(text(f"ALTER TABLE {each.table} {attach}"))
    except DBAPIError as error:
        if is_trouble(error):
            raise
        raise ConfigError(
            f"{each.name}: 与表不符，未装回 it does not fit the table and stays ({sqlstate(error)})"
        ) from error
    log.info("a month is taken back", partition=each.name)
