"""The command line: ``python -m services`` runs everything embedded; with names, those services.

python -m services                      all services in one process, embedded PostgreSQL
python -m services intake               one service, on the addresses in JIESU_…
python -m services migrate [NAME…]      databases and broker topology, before anything starts
python -m services broker-definitions   users, rights and queues, for RabbitMQ to load
python -m services token --role unit --unit HC
python -m services key 2027a            a new key pair for signing tokens
python -m services dead | replay [NAME…]  facts that need a person
python -m services stuck                what has not moved in time; erase, retain, reseal, resend
python -m services call-test URL        a signed test call to a phone system, now
python -m services contracts            writes docs/ from the code
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from operations import commands
from operations.call_test import call_test
from operations.runtime import embedded, runner
from operations.runtime.registry import NAMES, PORTS, migrations, settings_of, topology
from operations.runtime.tls import Tls
from shared.errors import ConfigError, JiesuError
from shared.messaging.bus import BusTrouble
from shared.messaging.connect import connect
from shared.messaging.inbox import dead, replay
from shared.observability import configure_logs, place
from shared.security.tokens import ROLES, issue, make_key
from shared.settings import ServiceSettings
from shared.storage.act import Act, Store
from shared.storage.migrations import migrate

KEYS = embedded.default_home() / "keys"
Keys = Annotated[Path, typer.Option(envvar="JIESU_TOKEN_KEYS", help="folder of the key pairs")]
cli = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)


@cli.command("run")
def run(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Run the named services, or all of them embedded in this process."""
    if not names:
        raise typer.Exit(uvloop.run(_embedded()))
    if len(names) > 1:
        raise ConfigError("name one service per process, or none for all of them embedded")
    name = _known(names[0])
    settings = _settings(name)
    configure_logs(settings.log_level)
    host, port = os.environ.get("JIESU_HOST", runner.HOST), os.environ.get("JIESU_PORT", "")
    port_number = int(port or PORTS[name])
    raise typer.Exit(uvloop.run(runner.run_one(name, settings, host, port_number)))


async def _embedded() -> int:
    configure_logs(os.environ.get("JIESU_LOG_LEVEL", "WARNING"))
    first = _first_port(os.environ.get("JIESU_PORTS", "8001"))
    given: dict[str, Any] = {
        name.lower(): os.environ[f"JIESU_{name}"]
        for name in ("CONFIG_DIR", "PHONE_SYSTEM_URL")
        if _has(name)
    }
    with embedded.start(durable=True) as server:
        async with runner.system(embedded.default_home(), server, first, **given) as system:
            print(_welcome(system), flush=True)
            code = await asyncio.shield(system.ended)
    print("已停止 Stopped.", flush=True)
    return code


def _first_port(said: str) -> int:
    if not said.isdecimal() or not 0 < int(said) < 65_532:
        raise ConfigError(f"JIESU_PORTS: {said!r} 不是端口 is no port that three more follow")
    return int(said)


def _has(name: str) -> bool:
    return bool(os.environ.get(f"JIESU_{name}"))


def _welcome(system: runner.System) -> str:
    tokens = {role: system.token(role) for role in ROLES if role not in ("unit", "service")}
    tokens["unit GSGS 供水"] = system.token("unit", "GSGS")
    rows = [f"  {name:<12}{url}   {url}/docs" for name, url in system.urls.items()]
    keys = [f"  {role}:\n    {token}" for role, token in tokens.items()]
    intake, dispatcher = system.urls["intake"], system.urls["dispatcher"]
    body = (
        '{"type":"help","topic":"water.supply","title":"停水三天","content":"小区停水三天无人处理",'
        '"area":"610924100","channel":"phone","caller":{"name":"王小明","phone":"13909150000"}}'
    )
    return "\n".join(
        [
            "接诉 Jiesu 已启动 is running. Ctrl-C 停止 stops it.",
            *rows,
            "令牌 Tokens, good for a day:",
            *keys,
            "试一试 Try:",
            f"  curl -s {intake}/v1/tickets -H 'Authorization: Bearer {tokens['phone_system']}' "
            f"-H 'Content-Type: application/json' -d '{body}'",
            f"  curl -s {dispatcher}/v1/unassigned -H 'Authorization: Bearer {tokens['desk']}'",
            f"  curl -s {dispatcher}/v1/units/GSGS/feed "
            f"-H 'Authorization: Bearer {tokens['unit GSGS 供水']}'",
        ]
    )


@cli.command("migrate")
def migrate_all(names: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Bring databases to this version's schema and declare the broker's topology."""
    asyncio.run(_migrate([_known(name) for name in names or NAMES]))


async def _migrate(names: list[str]) -> None:
    Tls().trust()
    for name in names:
        await migrate(_settings(name).database_url, migrations(name))
        print(f"{name}: schema is current")
    settings = _settings(names[0])
    if not settings.bus_url.startswith("local:"):
        bus = connect(settings.bus_url)
        await bus.declare(topology(settings.config_dir))
        await bus.close()
        print("broker: queues and bindings stand")


@cli.command("token")
def token(
    role: Annotated[str, typer.Option(help=", ".join(ROLES))],
    unit: Annotated[str | None, typer.Option(help="unit code, for role unit")] = None,
    name: Annotated[str, typer.Option(help="who it is for, as facts will name them")] = "api",
    days: float = 365,
    keys: Keys = KEYS,
) -> None:
    """Issue a signed token."""
    try:
        print(issue(keys, role, name, unit, days))
    except ValueError as error:
        raise ConfigError(str(error)) from None


Names = Annotated[list[str] | None, typer.Argument(help="services; all when none is named")]


@cli.command("key")
def key(
    kid: Annotated[str, typer.Argument(help="id of the new key, such as 2027a")],
    keys: Keys = KEYS,
) -> None:
    """Make a key pair that signs tokens; running services read its public half when first asked."""
    try:
        make_key(keys, kid)
    except FileExistsError:
        raise ConfigError(
            f"{keys / kid}.key.pem 已存在，请另取编号 exists: choose another id"
        ) from None
    print(keys / f"{kid}.pub.pem")


@cli.command("dead")
def list_dead(names: Names = None) -> None:
    """List facts that failed for good: where, which, how often, since when, why."""
    for name, rows in asyncio.run(_in_each(names, dead)).items():
        for row in rows:
            print(f"{name}  #{row.id}  {row.subject}  {row.key}  attempts {row.attempts}")
            print(f"    since {row.since:%F %T}  {row.reason}")


@cli.command("replay")
def replay_dead(
    names: Names = None,
    number: Annotated[int | None, typer.Option("--id", help="the #id of one; else all")] = None,
) -> None:
    """Give dead facts another life; the running service picks them up within a second."""
    if number is not None and len(names or ()) != 1:
        raise ConfigError("--id needs the one service whose #id it is: replay tracker --id 17")
    for name, count in asyncio.run(_in_each(names, lambda act: replay(act, number))).items():
        print(f"{name}: {count} to be tried again")


async def _in_each(
    names: list[str] | None, do: Callable[[Act[Any]], Awaitable[Any]]
) -> dict[str, Any]:
    """Do something in the databases of some services."""
    found = {}
    with _databases() as url_of:
        for name in map(_known, names or NAMES):
            store: Store[None] = Store(name, url_of(name), None, pool_size=1)
            async with store.act("ops") as act:
                found[name] = await do(act)
            await store.close()
    return found


@contextmanager
def _databases() -> Iterator[Callable[[str], str]]:
    """Addresses of the databases: the environment's, or those of the embedded server."""
    if _has("DATABASE_URL"):
        Tls().trust()
        yield lambda name: settings_of(name, **commands.LOOKING).database_url
        return
    with embedded.use() as server:
        yield lambda name: server.url(f"jiesu_{name}")


@cli.command("broker-definitions")
def broker_definitions(
    passwords: Annotated[
        Path, typer.Option(help="private file of NAME_BROKER_PASSWORD=…; what is missing is added")
    ] = Path(".env"),
    config: Annotated[
        Path, typer.Option(envvar="JIESU_CONFIG_DIR", help="folder of units.yaml")
    ] = Path("config/ziyang"),
    vhost: str = "jiesu",
) -> None:
    """Print RabbitMQ's definitions: a user per service and unit, rights, queues; hashes only."""
    from operations import broker  # imports every service: no other command pays for it

    words = broker.passwords(passwords, broker.users(config))
    print(json.dumps(broker.definitions(config, words, vhost), indent=1))


for command in commands.COMMANDS:
    cli.command(command.__name__)(command)
cli.command("call-test")(call_test)


@cli.command("contracts")
def write_contracts() -> None:
    """Write docs/events.md, docs/asyncapi.yaml, docs/openapi and the JSON Schemas."""
    from operations import contracts  # imports every service: no other command pays for it

    for path in contracts.write(Path("docs")):
        print(path)


def _settings(name: str) -> ServiceSettings:
    return settings_of(name)


def _known(name: str) -> str:
    if name not in NAMES:
        raise ConfigError(f"unknown service {name!r}; one of {', '.join(NAMES)}")
    return name


def main() -> None:
    """Run a command; a fault of configuration is one clear message and exit code 2."""
    commands = {command.name for command in cli.registered_commands}
    if not sys.argv[1:] or sys.argv[1] not in {*commands, "--help"}:
        sys.argv.insert(1, "run")
    try:
        cli()
    except (ConfigError, JiesuError, embedded.EmbeddedTrouble) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except (DBAPIError, OSError, BusTrouble) as error:
        print(f"连接失败 cannot be reached: {place(error)}", file=sys.stderr)
        sys.exit(2)
    except ValidationError as error:
        faults = [
            f"JIESU_{str(row['loc'][0]).upper()}: {row['msg']}" if row["loc"] else row["msg"]
            for row in error.errors(include_input=False)
        ]
        print("\n".join(faults), file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
