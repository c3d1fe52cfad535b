"""A database role connects to its own database and to nothing else.

The SQL is the one that docker-compose.yml gives to PostgreSQL, run by psql as its image does, on a
server of this test's own: roles belong to a whole server.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import yaml

from operations.runtime import postgres
from operations.runtime.registry import NAMES, part
from shared.storage.migrations import migrate
from tests.fixtures.source import PROJECT

DATABASES = tuple(f"jiesu_{name}" for name in (*NAMES, "console"))
PSQL = ("-v", "ON_ERROR_STOP=1", "--no-psqlrc", "-U", "postgres", "-d", "postgres", "-f", "-")


def given_to_postgres() -> tuple[str, list[str]]:
    """The SQL in docker-compose.yml, and the variables it reads its passwords from."""
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    names = compose["services"]["postgres"]["environment"]
    passwords = [name for name, value in names.items() if "_DATABASE_PASSWORD" in value]
    return compose["configs"]["databases"]["content"].replace("$$", "$"), passwords


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.EmbeddedServer]:
    """A PostgreSQL prepared as Compose prepares its own."""
    sql, passwords = given_to_postgres()
    with (
        tempfile.TemporaryDirectory(prefix="jiesu-fences-") as home,
        postgres.start(Path(home), durable=False) as running,
    ):
        environment = os.environ | {name: name.lower() for name in passwords}
        programs = postgres._programs(postgres._account())
        psql = [str(programs / "psql"), "-h", str(running.socket), *PSQL]
        subprocess.run(psql, input=sql, text=True, check=True, env=environment, capture_output=True)
        yield running


async def connects(server: postgres.EmbeddedServer, role: str, database: str) -> bool:
    """Whether a role may connect; another trouble than a missing right is raised."""
    try:
        connection = await asyncpg.connect(host=str(server.socket), user=role, database=database)
    except asyncpg.InsufficientPrivilegeError:
        return False
    await connection.close()
    return True


@pytest.mark.parametrize("role", DATABASES)
async def test_a_role_connects_to_its_own_database_only(
    server: postgres.EmbeddedServer, role: str
) -> None:
    open_to = {
        name for name in (*DATABASES, "postgres", "template1") if await connects(server, role, name)
    }
    assert open_to == {role}


@pytest.mark.parametrize("role", DATABASES)
async def test_a_role_is_nobody_special(server: postgres.EmbeddedServer, role: str) -> None:
    connection = await asyncpg.connect(host=str(server.socket), user=role, database=role)
    try:
        row = await connection.fetchrow(
            "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls "
            "AS special, pg_has_role(rolname, 'pg_read_all_data', 'member') AS reads_all "
            "FROM pg_roles WHERE rolname = current_user"
        )
        assert dict(row) == {"special": False, "reads_all": False}
        for statement in ("CREATE DATABASE mine", "CREATE ROLE mine", "COPY pg_class TO '/tmp/x'"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_role_makes_its_own_schema(server: postgres.EmbeddedServer, name: str) -> None:
    await migrate(
        f"postgresql+asyncpg://jiesu_{name}@/jiesu_{name}?host={server.socket}",
        part(name).migrations,
    )


def test_every_role_has_a_password_of_its_own() -> None:
    sql, passwords = given_to_postgres()
    assert {f"jiesu_{name.lower()}" for name in passwords} == set(DATABASES)
    for name in passwords:
        assert f"\\getenv {name.lower()} {name}" in sql
        assert f"CREATE ROLE jiesu_{name.lower()} LOGIN PASSWORD :'{name.lower()}';" in sql
