"""What a growing system needs: a new service is a folder and one line, a new table one command.

Each test works in a copy of the project, and types what a developer would.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy import make_url

from operations.runtime.registry import NAMES, PORTS
from tests.fixtures import empty_service
from tests.fixtures.commands import command
from tests.fixtures.patience import WITHIN
from tests.fixtures.ports import free_ports
from tests.fixtures.postgres import Postgres
from tests.fixtures.source import PROJECT

FOLDERS = ("shared", "services", "operations", "config")

RUN = """
import asyncio
import json
import sys
from pathlib import Path

from operations.runtime.embedded import system
from shared.service import service_of
from shared.observability import configure_logs

URLS, PORT = json.loads(sys.argv[1]), int(sys.argv[2])


class Given:
    async def ensure(self, database):
        return URLS[database]


async def main():
    configure_logs("WARNING")
    async with system(Path("var"), Given(), PORT) as running:
        service = service_of(running.apps["lookup"])
        print(service.queue, await service.bus.waiting(service.queue), flush=True)
        await running.ended


asyncio.run(main())
"""

NOTES = """

class Note(Base, table=True):
    __tablename__ = "notes"

    id: int = Field(primary_key=True)
    words: str | None = None
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what runs, with what Python has compiled of it."""
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


async def typed(project: Path, *words: str, **environment: str) -> str:
    """What a command prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        cwd=project,
        env={"PATH": os.defpath, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    return out.decode()


def add_lookup(project: Path) -> None:
    """The folder of the fifth service, and its line in the registry."""
    empty_service.write("lookup", project)
    registry = project / "operations/runtime/registry.py"
    last = f'"{NAMES[-1]}": {PORTS[NAMES[-1]]},\n'
    text = registry.read_text()
    assert text.count(last) == 1
    registry.write_text(text.replace(last, f'{last}    "lookup": 8005,\n'))


@pytest.fixture
async def databases(postgres: Postgres) -> AsyncIterator[dict[str, str]]:
    """An empty database for each service and the fifth."""
    prefix = f"growing_{secrets.token_hex(4)}"
    names = [f"jiesu_{name}" for name in (*NAMES, "lookup")]
    yield {name: await postgres.create(f"{prefix}_{name}") for name in names}
    for name in names:
        await postgres.drop(f"{prefix}_{name}")


async def test_a_fifth_service_is_a_folder_and_one_line(
    project: Path, databases: dict[str, str]
) -> None:
    add_lookup(project)
    module = ("-m", "services")
    assert await typed(project, *module, "names") == "\n".join((*NAMES, "lookup", ""))
    made = await typed(project, *module, "migration", "lookup", "initial")
    assert made.endswith("services/lookup/migrations/versions/0001_initial.py\n")
    printed = json.loads(await typed(project, *module, "broker-definitions"))
    assert "lookup" in {user["name"] for user in printed["users"]}
    assert "svc.lookup" in {queue["name"] for queue in printed["queues"]}
    [port, *_] = free_ports(len(NAMES) + 1)
    (project / "run.py").write_text(RUN)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "run.py", json.dumps(databases), str(port)),
        cwd=project,
        env={"PATH": os.defpath},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WITHIN):
            assert await process.stdout.readline() == b"svc.lookup 0\n"
            async with httpx.AsyncClient(trust_env=False) as http:
                answer = await http.get(f"http://127.0.0.1:{port + len(NAMES)}/readyz")
        assert answer.json().items() >= {"service": "lookup", "ready": True}.items()
        assert await revision(databases["jiesu_lookup"]) == "0001"
        pattern = databases["jiesu_lookup"].replace("jiesu_lookup", "jiesu_{service}")
        page = await typed(project, *module, "stuck", JIESU_DATABASE_URL=pattern)
        assert page.endswith("Nothing is stuck.\n")
    finally:
        process.terminate()
        await process.wait()
    assert process.returncode == 0


async def revision(url: str) -> str:
    """Which migration a database stands at."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(address)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()


async def test_a_process_of_one_service_imports_no_other(project: Path) -> None:
    one, *others = NAMES
    program = f"""
import sys
from operations.cli import main
from operations.runtime.registry import part
part({one!r})
print(*(name for name in sys.modules if name.startswith("services.")))"""
    loaded = (await typed(project, "-c", program)).split()
    assert f"services.{one}.main" in loaded
    assert not [name for name in loaded if name.split(".")[1] in others]


async def test_a_process_of_one_service_holds_no_command_line(project: Path) -> None:
    program = f"""
import sys
import services.__main__
from operations.runtime.registry import part
for name in {NAMES!r}:
    part(name)
print(*(name for name, module in sys.modules.items() if module))"""
    loaded = set((await typed(project, "-c", program)).split())
    assert "services.feedback.main" in loaded
    assert not {"typer", "rich", "rapidfuzz", "alembic", "numpy", "scipy", "sklearn"} & loaded


async def test_a_new_table_is_one_command(project: Path) -> None:
    with (project / "services/tracker/models.py").open("a") as models:
        models.write(NOTES)
    versions = project / "services/tracker/migrations/versions"
    before = sorted(versions.glob("[0-9]*.py"))
    words = ("-m", "services", "migration", "tracker")
    path = Path((await typed(project, *words, "add_notes")).strip())
    assert path == versions / f"{len(before) + 1:04}_add_notes.py"
    text = path.read_text()
    assert f'revision = "{path.stem[:4]}"' in text
    assert f'down_revision = "{before[-1].stem[:4]}"' in text
    assert '"""Add notes."""' in text
    assert "import sqlmodel\n" in text  # the text column is sqlmodel's own
    assert text.count("create_table") == text.count("drop_table") == 1
    again = await typed(project, *words, "again")  # the first is run before it looks
    assert "models and schema agree" in again
    assert "pass" in Path(again.split("\n", 1)[0]).read_text()


@pytest.mark.parametrize("words", [("tracker", "Add notes"), ("nobody", "add_notes"), ("", "")])
async def test_a_migration_needs_a_service_and_a_name(words: tuple[str, str]) -> None:
    refused = await command("migration", *words)
    assert refused.code == 2
    assert len(refused.err.splitlines()) == 1
