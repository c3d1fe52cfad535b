"""The step that divides fact log and inbox by month, while the release before writes into them.

A table that is there becomes the first part as it is, whatever its size: that its ids lie below the
first month to come is proved by a constraint beside the traffic, and the two tables then change places
under a lock of milliseconds. The names stay, so the release before writes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from sqlalchemy import text

from shared import clock
from shared.storage.months import AHEAD, first_id, month_of, months_after
from shared.storage.partitions import TABLES, making

# What holds for all months together; a month has the keys on id and position besides, for itself.
KEYS: Mapping[str, tuple[str, ...]] = {
    "outbox": (
        "ALTER TABLE outbox ADD CONSTRAINT uq_outbox_fact UNIQUE (fact)",
        "CREATE INDEX ix_outbox_subject ON outbox (subject)",
        "CREATE INDEX ix_outbox_unsent ON outbox (id) WHERE position IS NULL",
        "CREATE INDEX ix_outbox_lane ON outbox (lane, id) WHERE position IS NULL",
    ),
    "inbox": ("ALTER TABLE inbox ADD CONSTRAINT pk_inbox PRIMARY KEY (consumer, fact)",),
}
# Everything said and received, wherever it lies: what readers read.
READ: Mapping[str, tuple[str, str]] = {
    "outbox": ("fact_log", "id, fact, subject, key, body, recorded, position"),
    "inbox": ("received", "consumer, fact, received"),
}
# A fact that comes again after its month was put away was received: whichever release asks.
KNOWN_BEFORE = (
    """CREATE FUNCTION months.received_before() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM months.inbox_detached WHERE consumer = NEW.consumer AND fact = NEW.fact)
        THEN RETURN NULL; END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER received_before BEFORE INSERT ON months.inbox_default
    FOR EACH ROW EXECUTE FUNCTION months.received_before()""",
)


def divide_by_month() -> None:
    """Called by one migration of each service. What is cut off is gone on with at another try; within
    AHEAD months, for until the tables change places the first of them takes no later id.
    """
    from alembic import op

    month = months_after(month_of(clock.real()), AHEAD)
    for table in TABLES:
        if _is_divided(table):
            continue
        with op.get_context().autocommit_block():  # ends what the table before changed, too
            for statement in _proving(table, month):
                op.execute(statement)
        for statement in _changing_places(table, month):
            op.execute(statement)
    for statement in KNOWN_BEFORE:
        op.execute(statement)


def _ask(statement: str) -> object:
    from alembic import op

    return op.get_bind().execute(text(statement)).scalar()


def _is_divided(table: str) -> bool:
    return _ask(f"SELECT relkind FROM pg_class WHERE oid = to_regclass('{table}')") in ("p", b"p")


# --- upwards -------------------------------------------------------------------------------------


def _proving(table: str, month: date) -> Iterator[str]:
    """Everything below the month is proved to be so, and what is no UUIDv7 put into the default part."""
    name, default = f"before_{month:%Y_%m}", f"months.{table}_default"
    constraints = f"FROM pg_constraint WHERE conrelid = '{table}'::regclass AND conname"
    if _ask(f"SELECT convalidated {constraints} = '{name}'"):
        return
    yield "CREATE SCHEMA IF NOT EXISTS months"
    yield f"CREATE TABLE IF NOT EXISTS {default} (LIKE {table} INCLUDING DEFAULTS INCLUDING INDEXES)"
    if old := _ask(f"SELECT conname {constraints} LIKE 'before\\_%'"):
        yield f"ALTER TABLE {table} DROP CONSTRAINT {old}"
    yield f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (fact < '{first_id(month)}') NOT VALID"
    yield f"""
        WITH beyond AS (DELETE FROM {table} WHERE fact >= '{first_id(month)}' RETURNING *)
        INSERT INTO {default} SELECT * FROM beyond"""
    yield f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"


def _changing_places(table: str, month: date) -> Iterator[str]:
    first, default = f"months.{table}_first", f"months.{table}_default"
    view, columns = READ[table]
    yield f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
    if table == "outbox":
        follows = _ask("SELECT last_value + CAST(is_called AS int) FROM outbox_id_seq")
        yield "ALTER TABLE outbox ALTER COLUMN id DROP IDENTITY"
    yield f"ALTER TABLE {table} SET SCHEMA months"
    yield f"ALTER TABLE months.{table} RENAME TO {table}_first"
    yield f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE (fact)"
    if table == "outbox":
        yield f"ALTER TABLE outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (START {follows})"
    yield from KEYS[table]
    yield f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{first_id(month)}')"
    yield f"ALTER TABLE {first} DROP CONSTRAINT before_{month:%Y_%m}"
    yield f"ALTER TABLE {table} ATTACH PARTITION {default} DEFAULT"
    yield from making(table, month)
    yield f"CREATE TABLE months.{table}_detached (LIKE {first} INCLUDING DEFAULTS) PARTITION BY RANGE (fact)"
    yield f"""
        CREATE VIEW {view} AS SELECT {columns} FROM {table}
        UNION ALL SELECT {columns} FROM months.{table}_detached"""


# --- and back ------------------------------------------------------------------------------------


def undivide() -> None:
    """Take back divide_by_month(): all months, those put away too, are copied into the first part, which
    is the table again. Nobody may write meanwhile.
    """
    from alembic import op

    for table in TABLES:
        for statement in _whole_again(table):
            op.execute(statement)
    op.execute("DROP SCHEMA months CASCADE")


def _whole_again(table: str) -> Iterator[str]:
    first, (view, _) = f"months.{table}_first", READ[table]
    holder = _ask(
        f"SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = '{first}'::regclass"
    )
    yield f"DROP VIEW {view}"
    yield f"ALTER TABLE {holder} DETACH PARTITION {first}"
    for other in (table, f"months.{table}_detached"):
        yield f"INSERT INTO {first} SELECT * FROM {other}"
        yield f"DROP TABLE {other}"
    yield f"ALTER TABLE {first} RENAME TO {table}"
    yield f"ALTER TABLE months.{table} SET SCHEMA public"
    if table == "outbox":
        yield "ALTER TABLE outbox ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY"
        yield "SELECT setval('outbox_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM outbox), false)"
