"""A database brought to the newest schema of a service's migrations folder, and how that is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared import clock
from shared.observability import log
from shared.storage.engine import open_engine
from shared.storage.trouble import sqlstate

# How long one statement of a migration may wait for a lock: while it waits for a long transaction,
# every request to that table waits behind it. So it gives up, lets them pass, and tries again.
LOCK_TIMEOUT = "3s"
# No lock in time; or two transactions met, for a request that has read a table wants to write into it.
MET = ("55P03", "40P01")
TRIES = 40
PAUSE = 2.0


async def migrate(url: str, folder: Path) -> None:
    """Bring a database to the newest schema of a service's migrations folder, while it is in use.

    Each migration is a transaction of its own, up to its first index of a live table; what stands before
    one finds it there at another try (``if_not_exists``). Raises the database's error when a lock cannot
    be had in some minutes: what was done until then stands, and the next run goes on from there.
    """
    engine = open_engine(url, 1)
    try:
        for left in reversed(range(TRIES)):
            if await is_current(engine, folder) or await _upgraded(engine, folder, left):
                break
            await clock.pause(PAUSE)
    finally:
        await engine.dispose()


async def _upgraded(engine: AsyncEngine, folder: Path, left: int) -> bool:
    """False: a lock could not be had, and there are tries left."""
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
            await connection.run_sync(_end_transaction)
            await connection.run_sync(_upgrade, folder)
        return True
    except DBAPIError as error:
        if sqlstate(error) not in MET or not left:
            raise
        log.warning("a migration waits for a lock", left=left, seconds=PAUSE)
        return False


def _end_transaction(connection: Connection) -> None:
    connection.commit()  # alembic opens its own: an index on a live table is built outside of one


def _upgrade(connection: Connection, folder: Path) -> None:
    from alembic import command  # half a second that a start on a current schema need not pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_migrations(metadata: MetaData) -> None:
    """What every service's migrations/env.py does: run on the connection migrate() opened."""
    from alembic import context

    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def create_live_index(name: str, table: str, columns: list[str], **options: Any) -> None:
    """What a migration builds an index of a table with that is in use: CONCURRENTLY, for nobody may
    be kept from writing meanwhile. One that was cut off half-way is built anew.
    """
    from alembic import op

    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for those who write, and nobody for it
        op.drop_index(name, table_name=table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")


async def is_current(engine: AsyncEngine, folder: Path) -> bool:
    """Whether the database has at least the schema of a service's migrations folder.

    A revision is the first word of its file's name (0001_initial.py). One we do not know is a
    newer release's: it only expanded the schema, and both releases run side by side.
    """
    revisions = sorted(path.stem.partition("_")[0] for path in folder.glob("versions/[0-9]*.py"))
    async with engine.connect() as connection:
        known = await connection.execute(text("SELECT to_regclass('alembic_version')"))
        if known.scalar() is None:
            return False
        version = (
            await connection.execute(text("SELECT version_num FROM alembic_version"))
        ).scalar()
    return version is not None and version not in revisions[:-1]


# The system tables as the first release made them. A later change is a step of its own here, which
# one new migration of each service calls; a test compares the sum with storage/system_tables.py.
INITIAL = (
    """CREATE TABLE outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
        fact UUID NOT NULL CONSTRAINT uq_outbox_fact UNIQUE,
        subject TEXT NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        recorded TIMESTAMPTZ NOT NULL,
        position BIGINT CONSTRAINT uq_outbox_position UNIQUE,
        attempts INTEGER NOT NULL DEFAULT 0,
        try_at TIMESTAMPTZ)""",
    "CREATE INDEX ix_outbox_subject ON outbox (subject)",
    "CREATE INDEX ix_outbox_unsent ON outbox (id) WHERE position IS NULL",
    """CREATE TABLE seq (
        subject TEXT CONSTRAINT pk_seq PRIMARY KEY,
        last INTEGER NOT NULL)""",
    """CREATE TABLE inbox (
        consumer TEXT,
        fact UUID,
        received TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_inbox PRIMARY KEY (consumer, fact))""",
    """CREATE TABLE retry (
        id BIGINT GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_retry PRIMARY KEY,
        consumer TEXT NOT NULL,
        fact UUID NOT NULL,
        subject TEXT NOT NULL,
        seq INTEGER NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        due TIMESTAMPTZ NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        reason TEXT NOT NULL,
        since TIMESTAMPTZ NOT NULL)""",
    "CREATE INDEX ix_retry_subject ON retry (subject)",
    "CREATE INDEX ix_retry_due ON retry (due)",
    """CREATE TABLE answers (
        caller TEXT,
        key TEXT,
        fingerprint TEXT NOT NULL,
        body TEXT,
        recorded TIMESTAMPTZ NOT NULL,
        CONSTRAINT pk_answers PRIMARY KEY (caller, key))""",
)


def create_system_tables() -> None:
    """Called by each service's first migration."""
    from alembic import op

    for statement in INITIAL:
        op.execute(statement)


def keep_reasons_of_refusals() -> None:
    """Why the broker refused a fact, beside the fact: called by one migration of each service."""
    from alembic import op

    op.execute("ALTER TABLE outbox ADD COLUMN reason TEXT")


PROCESSES = """CREATE TABLE processes (
    id UUID CONSTRAINT pk_processes PRIMARY KEY,
    release TEXT NOT NULL,
    configuration TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL)"""


def create_processes() -> None:
    """Called by one migration of each service: which processes run, and under which rules."""
    from alembic import op

    op.execute(PROCESSES)


def drop_processes() -> None:
    """Take back create_processes()."""
    from alembic import op

    op.drop_table("processes")


DISSOLVED = """
    CREATE TABLE IF NOT EXISTS dissolved (
        unit TEXT CONSTRAINT pk_dissolved PRIMARY KEY,
        since TIMESTAMPTZ NOT NULL,
        reform JSONB NOT NULL)"""


def create_dissolved() -> None:
    """Called by one migration of each service: units that are no more, and who follows them."""
    from alembic import op

    op.execute(DISSOLVED)


def drop_dissolved() -> None:
    """Take back create_dissolved()."""
    from alembic import op

    op.drop_table("dissolved")


POLICIES = """
    CREATE TABLE IF NOT EXISTS policies (
        version INTEGER CONSTRAINT pk_policies PRIMARY KEY,
        effective_at TIMESTAMPTZ NOT NULL,
        limits TEXT NOT NULL,
        supervision TEXT NOT NULL,
        withdrawn BOOLEAN NOT NULL DEFAULT false)"""


def create_policies() -> None:
    """Called by one migration of each service that goes by limits: their published versions."""
    from alembic import op

    op.execute(POLICIES)


def drop_policies() -> None:
    """Take back create_policies()."""
    from alembic import op

    op.drop_table("policies")


# What facts of a newer release and stored answers need; nullable, or with a default, for the release
# before writes these tables too. IF NOT EXISTS: an index that could not be built ends its migration
# after these are committed.
BETWEEN_RELEASES = (
    "ALTER TABLE retry ADD COLUMN IF NOT EXISTS again TIMESTAMPTZ",
    "ALTER TABLE retry ADD COLUMN IF NOT EXISTS holds BOOLEAN NOT NULL DEFAULT false",
    "ALTER TABLE retry ADD COLUMN IF NOT EXISTS tried TEXT[]",
    "ALTER TABLE answers ADD COLUMN IF NOT EXISTS status SMALLINT",
    "ALTER TABLE answers ADD COLUMN IF NOT EXISTS sent TEXT",
)


def expand_between_releases() -> None:
    """Called by one migration of each service."""
    from alembic import op

    for statement in BETWEEN_RELEASES:
        op.execute(statement)


def contract_between_releases() -> None:
    """Take back expand_between_releases()."""
    from alembic import op

    for column in ("sent", "status"):
        op.drop_column("answers", column)
    for column in ("tried", "holds", "again"):
        op.drop_column("retry", column)


def expand_lanes() -> None:
    """Called by one migration of each service: what is urgent is relayed first."""
    from alembic import op

    for table in ("outbox", "seq"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS lane SMALLINT NOT NULL DEFAULT 1")
    unsent = text("position IS NULL")
    create_live_index("ix_outbox_lane", "outbox", ["lane", "id"], postgresql_where=unsent)


def contract_lanes() -> None:
    """Take back expand_lanes()."""
    from alembic import op

    op.drop_index("ix_outbox_lane", table_name="outbox")
    for table in ("seq", "outbox"):
        op.drop_column(table, "lane")


def drop_system_tables() -> None:
    """Take back create_system_tables()."""
    from alembic import op

    for table in ("answers", "retry", "inbox", "seq", "outbox"):
        op.drop_table(table)
