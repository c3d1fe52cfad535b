"""A database brought to the newest schema of a service's migrations folder, and how that is seen."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.storage.engine import open_engine


async def migrate(url: str, folder: Path) -> None:
    """Bring a database to the newest schema of a service's migrations folder."""
    engine = open_engine(url, 1)
    if not await is_current(engine, folder):
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, folder)
    await engine.dispose()


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
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True)
    with context.begin_transaction():
        context.run_migrations()


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


def drop_system_tables() -> None:
    """Take back create_system_tables()."""
    from alembic import op

    for table in ("answers", "retry", "inbox", "seq", "outbox"):
        op.drop_table(table)
