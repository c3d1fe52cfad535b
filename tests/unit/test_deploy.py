"""What the trials on containers count with, how clients meet replicas, how these are replaced."""

from __future__ import annotations

import asyncio
import os
import re
import socket
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
from operations.containers.compose import ComposeTrouble, Project, deployment, trial
from operations.containers.environment import complete
from operations.containers.replicas import Replicas, open_http
from operations.containers.restore import restore
from operations.containers.upgrade import roll
from operations.runtime.registry import NAMES, PORTS
from shared.errors import ConfigError
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


# --- replicas ----------------------------------------------------------------------------------


@asynccontextmanager
async def replica(answer: bytes) -> AsyncIterator[str]:
    """A server that gives every connection one answer; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


WELL = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
UNWELL = b"HTTP/1.1 503 Unwell\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def test_a_refused_connection_goes_to_the_next_address() -> None:
    async with replica(WELL) as address:
        wire = Replicas({"intake": [nobody(), address]})
        async with open_http(wire) as http:
            assert (await http.get("http://intake/healthz")).status_code == 204
    assert (wire.requests, wire.cut, wire.unwell) == (1, 0, 0)


async def test_a_cut_connection_is_the_callers_to_repeat_elsewhere() -> None:
    async with replica(b"") as cut, replica(WELL) as well:
        wire = Replicas({"intake": [cut, well]})
        async with open_http(wire) as http:
            with pytest.raises(httpx.TransportError):
                await http.post("http://intake/v1/tickets")
            assert (await http.post("http://intake/v1/tickets")).status_code == 204
    assert wire.cut == 1


async def test_an_answer_of_trouble_is_counted() -> None:
    async with replica(UNWELL) as address:
        wire = Replicas({"intake": [address]})
        async with open_http(wire) as http:
            assert (await http.get("http://intake/")).status_code == 503
    assert wire.unwell == 1


async def test_when_nobody_answers_it_is_said() -> None:
    async with open_http(Replicas({"intake": [nobody(), nobody()]})) as http:
        with pytest.raises(httpx.ConnectError, match="no replica"):
            await http.get("http://intake/")


# --- an upgrade --------------------------------------------------------------------------------

# Docker, as far as a roll needs it: a container is a file, and one that is stopped ends with .off.
DOCKER = """#!/bin/sh
set -eu
cd "$CONTAINERS"
case "$*" in
  *" ps "*) ls ;;
  *" up "*)
    wanted=${*##*--scale=intake=}; wanted=${wanted%% *}; n=1
    while [ "$(ls | wc -l)" -lt "$wanted" ]; do [ -e "new$n" ] || touch "new$n"; n=$((n + 1)); done
    if [ -e ../unwell ]; then echo 'container new1 is unhealthy' >&2; exit 1; fi ;;
  "stop "*) mv "$2" "$2.off" ;;
  "rm "*) rm "$2.off" ;;
esac
"""


@pytest.fixture
def containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The containers of an engine that runs two replicas."""
    folder, command = tmp_path / "containers", tmp_path / "docker"
    command.write_text(DOCKER)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CONTAINERS", str(folder))
    folder.mkdir()
    for name in ("old1", "old2"):
        (folder / name).touch()
    return folder


def test_new_replicas_take_the_places_of_the_old(containers: Path) -> None:
    roll(Project("a-trial", {}), "intake")
    assert {path.name for path in containers.iterdir()} == {"new1", "new2"}


def test_a_roll_that_fails_leaves_what_there_was(containers: Path) -> None:
    (containers.parent / "unwell").touch()
    for _ in range(2):
        with pytest.raises(ComposeTrouble, match="new1 is unhealthy"):
            roll(Project("a-trial", {}), "intake")
        assert {path.name for path in containers.iterdir()} == {"old1", "old2"}


# --- what commands refuse ----------------------------------------------------------------------


def test_a_backup_is_never_made_over_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no new folder"):
        backup(Project("a-trial", {}), tmp_path)


def test_half_a_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "began").touch()
    with pytest.raises(ConfigError, match=r"no whole backup, base\.tar\.gz, first missing"):
        restore(Project("a-trial", {}), tmp_path)


LOGGED = """#!/bin/sh
echo "$*" | tr '\\n' ' ' >> "$CALLS"; echo >> "$CALLS"
"""


def test_a_restore_gives_no_number_twice_before_its_doors_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker").write_text(LOGGED)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    for name, content in (
        ("base.tar.gz", ""),
        ("began", "2026-03-02T01:00:00+00:00"),
        ("first", "0"),
    ):
        (tmp_path / name).write_text(content)
    restore(Project("a-trial", {}), tmp_path)
    calls = (tmp_path / "calls").read_text().splitlines()
    [passing] = [at for at, call in enumerate(calls) if "day_number" in call]
    assert "'2026-03-01'::date" in calls[passing]
    assert [call.split()[-1] for call in calls[:passing] if " up " in call] == ["postgres"]
    assert calls[passing + 1].split()[-3:] == ["up", "--detach", "--wait"]


# --- who knows the services by name ------------------------------------------------------------

COMPOSE = yaml.safe_load(text(Path("docker-compose.yml")))
BESIDE = {"migrate", "operator", "postgres", "archive", "unpack", "rabbitmq"}
CONSOLE = "console"  # its database stands ready for it


def test_compose_has_exactly_the_services_of_the_registry() -> None:
    assert set(COMPOSE["services"]) - BESIDE == set(NAMES)


@pytest.mark.parametrize(("at", "name"), [*enumerate(NAMES, 1)])
def test_a_container_is_what_the_registry_says(at: int, name: str) -> None:
    container, port = COMPOSE["services"][name], PORTS[name]
    published = f"${{PUBLISHED:-80}}{at}"
    assert container["command"] == [name]
    assert container["ports"] == [f"127.0.0.1:{published}0-{published}9:{port}"]
    assert deployment().ports[name] == int(f"80{at}0")
    assert trial("any").ports[name] == int(f"180{at}0")
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
