"""The next release after this one, and this after the one before: rows, answers, schemas."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from alembic import command
from alembic.config import Config
from alembic.operations.ops import CreateIndexOp, DowngradeOps, MigrationScript, UpgradeOps
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from operations.migration import rendered
from operations.runtime.registry import NAMES, part
from services.dispatcher.schemas import Assign
from services.intake.claims import canonical_before
from services.intake.schemas import NewTicket
from shared.events import TicketRegistered
from shared.http.idempotency import NEW_FIELDS, sent, sent_before
from shared.storage import migrations
from shared.storage.engine import open_engine
from tests.fixtures.bench import Bench
from tests.fixtures.postgres import Postgres
from tests.fixtures.scenes.dispatcher import let_lead
from tests.fixtures.scenes.intake import complaint

KEY = "Idempotency-Key"
BEFORE_THE_RULE = {"0001_initial", "0002_open", "0002_overdue", "0002_erasure"}  # released without

# --- the fact log --------------------------------------------------------------------------------


async def test_the_fact_log_answers_what_is_stored_whoever_wrote_it(intake: Bench) -> None:
    await intake.http("phone_system").post("/v1/tickets", json=complaint())
    [row] = await intake.rows("SELECT body FROM outbox")
    newer = row["body"].replace(".v1", ".v7").replace('"data":{', '"data": {"mood": "\u2028new", ')
    for at, body in enumerate((newer, "no json", '{"foreign": 1}', "[]"), start=2):
        await intake.do(
            "INSERT INTO outbox (fact, subject, key, body, recorded, position) VALUES "
            "(gen_random_uuid(), 'A', 'x', :body, now(), :at)",
            body=body,
            at=at,
        )
    await intake.do("UPDATE outbox SET position = 1 WHERE position IS NULL")
    answer = await intake.http("ops").get("/v1/facts", params={"limit": 10})
    assert answer.headers["content-type"] == "application/json"
    page = answer.json()
    assert [item["position"] for item in page["items"]] == [1, 2, 4]
    assert (page["next"], page["unreadable"]) == (5, [3, 5])
    assert newer.encode() in answer.content
    page = (await intake.http("ops").get("/v1/facts", params={"after": 2, "limit": 1})).json()
    assert page == {"items": [], "next": 3, "unreadable": [3]}


# --- repeats -------------------------------------------------------------------------------------


async def test_a_repeat_is_answered_byte_for_byte(dispatcher: Bench) -> None:
    path, body = "/v1/tickets/{}/assign", {"lead": "CG", "reason": "改派"}
    number = await _unassigned(dispatcher)
    await let_lead(dispatcher, "CG", number)
    desk = dispatcher.http("desk")
    first = await desk.post(path.format(number), json=body, headers={KEY: "a"})
    [row] = await dispatcher.rows("SELECT body, status FROM answers")
    assert (row["body"].encode(), row["status"]) == (first.content, first.status_code)
    older = row["body"].replace('"round":', '"of_an_older_release": 1 , "round":')
    await dispatcher.do("UPDATE answers SET body = :older", older=older)
    again = await desk.post(path.format(number), json=body, headers={KEY: "a"})
    assert (again.content, again.status_code) == (older.encode(), 200)
    assert again.headers["content-type"] == first.headers["content-type"]


async def _unassigned(dispatcher: Bench) -> str:
    matter = {"type": "help", "urgency": "normal", "topic": "other", "title": "x", "content": "x"}
    data = TicketRegistered.model_validate(matter | {"area": "610902", "channel": "phone"})
    await dispatcher.hear(dispatcher.fact(data))
    return "20260302-000001"


async def test_a_repeat_over_the_upgrade_is_one(dispatcher: Bench) -> None:
    """The row as the release before wrote it: every default in the fingerprint, and no status."""
    number = await _unassigned(dispatcher)
    await let_lead(dispatcher, "CG", number)
    path, body = f"/v1/tickets/{number}/assign", {"lead": "CG", "reason": "改派"}
    desk = dispatcher.http("desk")
    first = await desk.post(path, json=body, headers={KEY: "a"})
    whole = Assign.model_validate(body).model_dump_json()
    mark = dispatcher.service.store.fingerprint(f"POST {path}\n{whole}".encode())
    await dispatcher.do(f"UPDATE answers SET status = NULL, sent = NULL, fingerprint = '{mark}'")
    again = await desk.post(path, json=body, headers={KEY: "a"})
    assert (again.status_code, again.json()) == (200, first.json())
    other = await desk.post(path, json=body | {"reason": "再派"}, headers={KEY: "a"})
    assert other.json()["type"] == "/errors/idempotency-key-reused"


async def test_a_registration_over_the_upgrade_is_one(intake: Bench) -> None:
    client, said = intake.http("phone_system"), complaint()
    first = await client.post("/v1/tickets", json=said, headers={KEY: "a"})
    digest = intake.service.store.config.digester.fingerprint
    mark = digest(canonical_before(NewTicket.model_validate(said)))
    await intake.do(f"UPDATE answers SET status = NULL, sent = NULL, fingerprint = '{mark}'")
    again = await client.post("/v1/tickets", json=said, headers={KEY: "a"})
    assert (again.status_code, again.json()) == (200, first.json())
    other = await client.post("/v1/tickets", json=said | {"title": "别的"}, headers={KEY: "a"})
    assert other.status_code == 422


async def test_the_release_before_knows_a_repeat_of_what_was_asked_here(dispatcher: Bench) -> None:
    """In a roll, and after the way back: it reads the fingerprint with every default, and the body."""
    number = await _unassigned(dispatcher)
    await let_lead(dispatcher, "CG", number)
    path, body = f"/v1/tickets/{number}/assign", {"lead": "CG", "reason": "改派"}
    first = await dispatcher.http("desk").post(path, json=body, headers={KEY: "a"})
    [row] = await dispatcher.rows("SELECT fingerprint, body FROM answers")
    whole = Assign.model_validate(body).model_dump_json()
    mark = dispatcher.service.store.fingerprint(f"POST {path}\n{whole}".encode())
    assert (row["fingerprint"], row["body"]) == (mark, first.text)


async def test_the_release_before_knows_a_repeat_of_what_was_registered_here(intake: Bench) -> None:
    said = complaint()
    answer = await intake.http("phone_system").post("/v1/tickets", json=said, headers={KEY: "a"})
    [row] = await intake.rows("SELECT fingerprint, body FROM answers")
    whole = orjson.dumps(
        NewTicket.model_validate(said).model_dump(mode="json", exclude=set(NEW_FIELDS)),
        option=orjson.OPT_SORT_KEYS,
    )
    digest = intake.service.store.config.digester.fingerprint
    assert (row["fingerprint"], row["body"]) == (digest(whole), answer.json()["number"])


def test_what_a_client_leaves_out_is_no_part_of_its_request() -> None:
    body = NewTicket.model_validate(complaint())
    assert set(orjson.loads(sent(body))) == set(complaint())
    assert set(orjson.loads(sent_before(body))) == set(NewTicket.model_fields) - NEW_FIELDS


# --- schemas -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_an_index_of_a_live_table_is_built_beside_its_traffic(name: str) -> None:
    for path in sorted(part(name).migrations.glob("versions/[0-9]*.py")):
        if path.stem not in BEFORE_THE_RULE:
            source = path.read_text("utf-8")
            new = set(re.findall(r'op\.create_table\(\s*"(\w+)"', source))
            on = re.findall(r'op\.create_index\(\s*(?:op\.f\()?f?"[^"]+"\)?,\s*"(\w+)"', source)
            assert len(on) == source.count("op.create_index("), path
            assert set(on) <= new, f"{path}: create_live_index()"
            assert not re.search(r"CREATE (UNIQUE )?INDEX(?! CONCURRENTLY)", source), path


@pytest.mark.parametrize("name", NAMES)
async def test_the_schema_grows_over_the_rows_of_the_release_before(
    postgres: Postgres, name: str
) -> None:
    folder = part(name).migrations
    stems = sorted(path.stem for path in folder.glob("versions/[0-9]*.py"))
    *_, before = (stem for stem in stems if stem in BEFORE_THE_RULE)
    assert stems[-1] != before
    async with postgres.fresh_database() as url:
        engine = open_engine(url, 1)
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, folder, before.partition("_")[0])
            tables = await connection.run_sync(_fill)
        await migrations.migrate(url, folder)
        assert await migrations.is_current(engine, folder)
        async with engine.connect() as connection:
            for table, columns in tables.items():
                found = (await connection.execute(text(f"SELECT * FROM {table}"))).mappings().all()
                assert len(found) == 1, table
                assert columns <= set(found[0]), table
        await engine.dispose()


def _upgrade(connection: Connection, folder: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


SAMPLES: dict[str, str] = {
    "UUID": "'019cb6dc-bac8-71a7-bbb9-7b1e4db846c3'",
    "TIMESTAMP": "'2026-03-02T09:00+08:00'", "DATE": "'2026-03-02'",
    "BOOLEAN": "false", "JSONB": "'[]'", "BYTEA": "'x'", "DOUBLE_PRECISION": "1", "ARRAY": "'{}'",
}  # fmt: skip


def _fill(connection: Connection) -> dict[str, set[str]]:
    """One row in every table, parents first; whatever the release before could have written."""
    found, filled = inspect(connection), {}
    for table, _ in found.get_sorted_table_and_fkc_names():
        if table is None or table == "alembic_version":
            continue
        values = {
            column["name"]: SAMPLES.get(type(column["type"]).__name__, "'1'")
            for column in found.get_columns(table)
            if not column.get("identity") and not column.get("computed")
        }
        statement = (
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"
        )
        connection.execute(text(statement))
        filled[table] = set(values)
    assert {"outbox", "retry", "answers", "inbox", "seq"} < set(filled)
    return filled


async def test_a_migration_does_not_queue_behind_a_long_transaction(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives up and lets others pass; when the lock can be had it goes on."""
    folder = part("tracker").migrations
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(migrations, "PAUSE", 0.01)
    async with postgres.fresh_database() as url:
        engine, asked = open_engine(url, 2), open_engine(url, 1)
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, folder, "0002")
        monkeypatch.setattr(migrations, "TRIES", 2)
        async with engine.begin() as holder:
            await holder.execute(text("LOCK TABLE retry IN ACCESS SHARE MODE"))
            with pytest.raises(DBAPIError, match="lock timeout"):
                await migrations.migrate(url, folder)
            async with asked.begin() as other:
                await other.execute(text("SELECT * FROM retry"))
        await migrations.migrate(url, folder)
        assert await migrations.is_current(engine, folder)
        await engine.dispose()
        await asked.dispose()


async def test_a_migration_that_met_another_transaction_is_tried_again(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that has read a table and writes into it, while a migration changes it: one of the two
    is given up by the database.
    """
    folder, upgrade = part("tracker").migrations, migrations._upgrade
    met = "DO $$ BEGIN RAISE EXCEPTION 'met' USING ERRCODE = 'deadlock_detected'; END $$"
    tries: list[int] = []

    def meeting(connection: Connection, of: Path) -> None:
        tries.append(1)
        if len(tries) == 1:
            connection.execute(text(met))
        upgrade(connection, of)

    monkeypatch.setattr(migrations, "_upgrade", meeting)
    monkeypatch.setattr(migrations, "PAUSE", 0.01)
    async with postgres.fresh_database() as url:
        await migrations.migrate(url, folder)
        engine = open_engine(url, 1)
        assert await migrations.is_current(engine, folder)
        await engine.dispose()
    assert len(tries) == 2


def test_a_made_migration_builds_its_indexes_beside_the_traffic(tmp_path: Path) -> None:
    ops: Any = UpgradeOps([CreateIndexOp("ix_x", "retry", ["subject"])])
    script = MigrationScript("0009", ops, DowngradeOps([]))
    code = rendered(script, tmp_path / "0009_x.py", "0008")
    assert "create_live_index('ix_x', 'retry', ['subject']" in code
    assert "from shared.storage.migrations import create_live_index" in code
