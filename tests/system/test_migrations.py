"""Each service's migrations lead to exactly the tables its models declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from operations.runtime.registry import NAMES, part
from shared.storage.engine import open_engine
from shared.storage.migrations import is_current, migrate
from tests.fixtures.postgres import Postgres


@pytest.mark.parametrize("name", NAMES)
async def test_migrations_and_models_agree(postgres: Postgres, name: str) -> None:
    async with postgres.fresh_database() as url:
        engine = open_engine(url, 1)
        assert not await is_current(engine, part(name).migrations)
        await migrate(url, part(name).migrations)
        await migrate(url, part(name).migrations)  # a second run changes nothing
        assert await is_current(engine, part(name).migrations)
        async with engine.connect() as connection:
            assert await connection.run_sync(differences, part(name).base.metadata) == []
        await engine.dispose()


def differences(connection: Connection, metadata: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_a_newer_schema_is_served_and_none_is_not(postgres: Postgres) -> None:
    async with postgres.fresh_database() as url:
        await migrate(url, part("intake").migrations)
        engine = open_engine(url, 1)
        for version, served in (("0002_of_the_next_release", True), (None, False)):
            async with engine.begin() as connection:
                await connection.execute(text("DELETE FROM alembic_version"))
                if version:
                    row = text("INSERT INTO alembic_version VALUES (:version)")
                    await connection.execute(row, {"version": version})
            assert await is_current(engine, part("intake").migrations) is served
        await engine.dispose()


@pytest.mark.parametrize("name", NAMES)
def test_a_revision_is_the_first_word_of_its_file(name: str) -> None:
    """is_current() goes by the names; alembic goes by what stands in the files."""
    scripts = ScriptDirectory(str(part(name).migrations))
    for script in scripts.walk_revisions():
        assert Path(script.path).stem.partition("_")[0] == script.revision
    names = sorted(script.revision for script in scripts.walk_revisions())
    assert names[-1] == scripts.get_current_head()


def test_no_two_services_share_a_table() -> None:
    bases = [part(name).base.metadata for name in NAMES]
    assert len({id(metadata) for metadata in bases}) == len(NAMES)
