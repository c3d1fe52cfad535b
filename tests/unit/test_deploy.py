"""What the trials on containers count with, what commands refuse, what lies where."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from examples.connection import Json
from operations.containers.backup import backup
from operations.containers.check import MET, ONCE, count
from operations.containers.compose import ComposeTrouble, Project
from operations.containers.counted import Counted, open_http
from operations.containers.environment import complete
from operations.containers.restore import restore
from operations.runtime.registry import NAMES, PORTS
from shared.errors import ConfigError, JiesuError, named_errors
from shared.http import operations
from tests.fixtures.engine import Engine
from tests.fixtures.source import PROJECT, files, text

SPEAKERS = {"ticket.registered": "intake", "ticket.closed": "feedback"} | dict.fromkeys(
    MET, "tracker"
)
EVERY = (*ONCE, *MET)


def facts(*tickets: str) -> list[Json]:
    """Everything that is said of some complaints."""
    said, seqs = [], dict[tuple[str, str], int]()
    for ticket in tickets:
        for name in EVERY:
            source = SPEAKERS.get(name, "dispatcher")
            seq = seqs[ticket, source] = seqs.get((ticket, source), 0) + 1
            said.append(
                {
                    "id": f"{ticket}/{name}",
                    "type": f"cn.jiesu.{name.partition(' ')[0]}.v1",
                    "data": {"clock": name.partition(" ")[2]},
                    "subject": ticket,
                    "source": source,
                    "seq": seq,
                }
            )
    return said


def test_a_whole_loop_has_no_fault() -> None:
    found = count({"all": facts("A", "B")}, ["A", "B"])
    assert (found.tickets, found.facts, found.lost, found.doubled) == (2, 2 * len(EVERY), 0, 0)
    assert found.faults == ()


@pytest.mark.parametrize("at", range(len(EVERY)))
def test_a_missing_fact_is_lost(at: int) -> None:
    said = facts("A")
    del said[at]
    assert count({"all": said}, ["A"]).lost >= 1


def test_a_ticket_that_vanished_is_lost() -> None:
    assert count({"all": facts("A")}, ["A", "B"]).lost == len(EVERY)


def test_a_fact_said_twice_is_doubled() -> None:
    said = facts("A")
    again = said[0] | {"id": "another", "seq": 2}
    assert count({"all": [*said, again]}, ["A"]).doubled == 1


@pytest.mark.parametrize("change", [{"id": "another"}, {"seq": 7}])
def test_a_seq_or_an_id_given_twice_is_doubled(change: Json) -> None:
    said = facts("A")
    assert count({"all": [*said, said[0] | change]}, ["A"]).doubled >= 1


def test_a_ticket_confirmed_to_nobody_is_doubled() -> None:
    assert count({"all": facts("A", "B")}, ["A"]).doubled == 1


# --- what a client sees ------------------------------------------------------------------------


@asynccontextmanager
async def server(answer: bytes) -> AsyncIterator[str]:
    """A server that gives every connection one answer; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


UNWELL = b"HTTP/1.1 503 Unwell\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def test_a_cut_connection_is_counted_and_the_callers_to_repeat() -> None:
    async with server(b"") as cut:
        wire = Counted()
        async with open_http(wire) as http:
            with pytest.raises(httpx.TransportError):
                await http.post(f"{cut}/intake/v1/tickets")
    assert (wire.requests, wire.cut, wire.unwell) == (1, 1, 0)


async def test_an_answer_of_trouble_is_counted() -> None:
    async with server(UNWELL) as address:
        wire = Counted()
        async with open_http(wire) as http:
            assert (await http.get(address)).status_code == 503
    assert (wire.requests, wire.cut, wire.unwell) == (1, 0, 1)


# --- what commands refuse ----------------------------------------------------------------------


def test_a_backup_is_never_made_over_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no new folder"):
        backup(Project("a-trial"), tmp_path)


def test_a_backup_that_fails_leaves_no_half_one(engine: Engine) -> None:
    engine.install("#!/bin/sh\necho 'the database is away' >&2\nexit 1\n")
    with pytest.raises(ComposeTrouble, match="the database is away"):
        backup(Project("a-trial"), engine.folder / "backup")
    assert not (engine.folder / "backup").exists()


def test_half_a_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "began").touch()
    with pytest.raises(ConfigError, match=r"no whole backup, base\.tar\.gz, first missing"):
        restore(Project("a-trial"), tmp_path)


LOGGED = """#!/bin/sh
echo "$*" | tr '\\n' ' ' >> "$CALLS"; echo >> "$CALLS"
"""


def test_a_restore_gives_no_number_twice_before_its_doors_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    engine.install(LOGGED)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    for name, content in (
        ("base.tar.gz", ""),
        ("began", "2026-03-02T01:00:00+00:00"),
        ("first", "0"),
    ):
        (tmp_path / name).write_text(content)
    restore(Project("a-trial"), tmp_path)
    calls = (tmp_path / "calls").read_text().splitlines()
    [passing] = [at for at, call in enumerate(calls) if "day_number" in call]
    assert "'2026-03-01'::date" in calls[passing]
    assert [call.split()[-1] for call in calls[:passing] if " up " in call] == ["postgres"]
    assert calls[passing + 1].split()[-3:] == ["up", "--detach", "--wait"]


# --- who knows the services by name ------------------------------------------------------------

COMPOSE = yaml.safe_load(text(Path("docker-compose.yml")))
BESIDE = {"gateway", "migrate", "operator", "postgres", "archive", "unpack", "rabbitmq"}
CONSOLE = "console"  # its database stands ready for it
GATEWAY = text(Path("operations/containers/gateway/haproxy.cfg"))


def test_compose_has_exactly_the_services_of_the_registry() -> None:
    assert set(COMPOSE["services"]) - BESIDE == set(NAMES)


def test_the_gateway_has_exactly_the_services_of_the_registry() -> None:
    templates = re.findall(
        r"backend (\w+) from replicas\n    server-template (\w+) 20 (\S+)", GATEWAY
    )
    assert templates == [(name, name, f"{name}:{port}") for name, port in PORTS.items()]
    [fails] = re.findall(r"monitor fail if (.*)", GATEWAY)
    assert re.findall(r"nbsrv\((\w+)\)", fails) == list(NAMES)


def test_every_answer_of_the_gateways_own_is_a_problem_of_ours() -> None:
    named: dict[str, type[JiesuError]] = {operations.NotReady.slug: operations.NotReady}
    named |= {error.slug: error for error in named_errors()}
    for file in (PROJECT / "operations/containers/gateway").glob("*.json"):
        problem = json.loads(file.read_text("utf-8"))
        error = named[problem["type"].removeprefix("/errors/")]
        assert problem["title"] == error.title
        assert problem["status"] == int(file.stem)
    assert set(re.findall(r"haproxy/(\d+)\.json", GATEWAY)) == {
        file.stem for file in (PROJECT / "operations/containers/gateway").glob("*.json")
    }


def test_nobody_but_the_gateway_is_published() -> None:
    published = {name for name, its in COMPOSE["services"].items() if "ports" in its}
    assert published == {"gateway"}


def test_every_container_bounds_its_log() -> None:
    for name, its in COMPOSE["services"].items():
        assert its["logging"]["options"].keys() == {"max-size", "max-file"}, name


def test_the_countys_configuration_is_mounted_and_in_no_image() -> None:
    for name in (*NAMES, "migrate", "operator"):
        [mounted] = [v for v in COMPOSE["services"][name]["volumes"] if isinstance(v, dict)]
        assert (mounted["target"], mounted["read_only"]) == ("/config", True)
    assert "config" not in re.findall(r"^COPY (\S+)", text(Path("Dockerfile")), re.MULTILINE)
    assert "!config" not in text(Path(".dockerignore")).split()


def test_who_migrates_has_no_key() -> None:
    given = " ".join(COMPOSE["services"]["migrate"]["environment"])
    assert not re.search("KEYS|INDEX|VAULT|SECRET|SERVICE_TOKEN", given.replace("TOKEN_KEYS", ""))


@pytest.mark.parametrize("name", NAMES)
def test_a_container_is_what_the_registry_says(name: str) -> None:
    container, port = COMPOSE["services"][name], PORTS[name]
    assert container["command"] == [name]
    assert f"127.0.0.1:{port}/readyz" in container["healthcheck"]["test"][-1]
    given = container["environment"]
    assert given["JIESU_DATABASE_URL"].startswith(f"postgresql+asyncpg://jiesu_{name}:")
    assert given["JIESU_DATABASE_URL"].endswith(f"@postgres/jiesu_{name}")
    assert f"${{{name.upper()}_DATABASE_PASSWORD:?" in given["JIESU_DATABASE_URL"]
    assert given["JIESU_BUS_URL"].startswith(f"amqp://{name}:${{{name.upper()}_BROKER_PASSWORD:?")


def test_each_service_has_a_role_and_a_database_and_is_migrated_as_that_role() -> None:
    sql = COMPOSE["configs"]["databases"]["content"]
    roles = re.findall(r"CREATE ROLE jiesu_(\w+) LOGIN PASSWORD :'(\w+)'", sql)
    assert roles == [(name, name) for name in (*NAMES, CONSOLE)]
    databases = re.findall(r"CREATE DATABASE jiesu_(\w+) OWNER jiesu_(\w+)", sql)
    assert databases == roles
    closed = sql[sql.index("REVOKE ALL ON DATABASE") :]
    assert re.findall(r"jiesu_(\w+)", closed) == [*NAMES, CONSOLE]
    assert re.findall(r"getenv (\w+) (\w+)", sql) == [(n, n.upper()) for n in (*NAMES, CONSOLE)]
    script = COMPOSE["services"]["migrate"]["entrypoint"][-1]
    migrated = re.findall(r'^migrate (\w+) "\$\$(\w+)"', script, re.MULTILINE)
    assert migrated == [(name, name.upper()) for name in NAMES]
    for container in ("migrate", "postgres"):
        given = COMPOSE["services"][container]["environment"]
        assert {name.upper() for name in NAMES} <= set(given)


def test_every_secret_compose_asks_for_is_made_once(tmp_path: Path) -> None:
    """And one of a new service is added to a file that is there; nothing else in it changes."""
    file, signing, public = tmp_path / ".env", tmp_path / "signing", tmp_path / "keys"
    complete(file, signing, public)
    asked = re.findall(r"\$\{(\w+):\?", text(Path("docker-compose.yml")))
    made = {line.partition("=")[0] for line in file.read_text().splitlines()}
    assert set(asked) <= made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in public.iterdir()] == ["0001.pub.pem"]
    whole = file.read_text()
    assert complete(file, signing, public) == []
    assert file.read_text() == whole
    first, *others = whole.splitlines()
    file.write_text("\n".join(others) + "\n")
    assert complete(file, signing, public) == [first.partition("=")[0]]
    assert file.read_text().splitlines()[:-1] == others


def test_the_layers_are_those_of_every_service() -> None:
    contracts = tomllib.loads(text(Path("pyproject.toml")))
    [layers] = [
        contract["containers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    assert layers == [f"services.{name}" for name in NAMES]


def test_every_folder_of_a_service_is_in_the_registry() -> None:
    folders = {path.parent.name for path in (PROJECT / "services").glob("*/main.py")}
    assert folders == set(NAMES) == set(NAMES)


ONE = rf"\b(?:{'|'.join(NAMES)})\b"
LISTED = re.compile(rf"{ONE}\W{{1,8}}{ONE}\W{{1,8}}{ONE}", re.IGNORECASE)


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile", *map(str, files("operations"))])
def test_nobody_else_lists_the_services(file: str) -> None:
    """A list of names is one that a fifth service would be missing from."""
    assert LISTED.findall(text(Path(file))) == []


@pytest.mark.parametrize(
    "source", ['("intake", "dispatcher", "tracker")', "INTAKE TRACKER FEEDBACK"]
)
def test_the_fence_sees_a_list(source: str) -> None:
    assert LISTED.search(source)
