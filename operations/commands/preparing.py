"""Preparing: schemas, the broker, and what is written from the code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from operations.commands.databases import LOOKING, Names, known
from operations.commands.signing import CONFIG, Config
from operations.runtime import postgres, runner
from operations.runtime.registry import part, settings_of
from operations.runtime.tls import Tls
from shared.storage import migrations


def migrate(names: Names = None) -> None:
    """Bring databases to this version's schema and declare the broker's topology."""
    asyncio.run(_migrate(known(names)))


async def _migrate(names: Sequence[str]) -> None:
    Tls().trust()
    for name in names:
        await migrations.migrate(settings_of(name, **LOOKING).database_url, part(name).migrations)
        typer.echo(f"{name}: schema is current")
    settings = part(names[0]).settings(**LOOKING)
    if not settings.bus_url.startswith("local:"):
        await runner.lay_out(settings.bus_url, settings.config_dir)
        typer.echo("broker: queues and bindings stand")


def check_config(folder: Path) -> None:
    """Read a folder of rules as every service will. Raises ConfigError."""
    for name in known(None):
        settings_of(name, **LOOKING, config_dir=folder).load()


def migration(
    service: Annotated[str, typer.Argument(help="whose models changed")],
    name: Annotated[str, typer.Argument(help="what it does, such as add_language")],
) -> None:
    """Write the next migration of a service from what its models say and its schema does not."""
    from operations.migration import make  # alembic: half a second no other command need pay

    [service] = known([service])
    with TemporaryDirectory() as home, postgres.start(Path(home), durable=False) as server:

        async def made() -> tuple[Path, bool]:
            return await make(part(service), await server.ensure(f"jiesu_{service}"), name)

        path, differs = asyncio.run(made())
    typer.echo(path)
    if not differs:
        typer.echo("模型与库结构一致，已写空迁移 models and schema agree: it is empty, write it")


def broker_definitions(
    passwords: Annotated[
        Path, typer.Option(help="private file of NAME_BROKER_PASSWORD=…; what is missing is added")
    ] = Path(".env"),
    config: Config = CONFIG,
    vhost: str = "jiesu",
) -> None:
    """Print RabbitMQ's definitions: a user per service and unit, rights, queues; hashes only."""
    from operations import broker  # imports every service: no other command pays for it

    password_of = broker.passwords(passwords, broker.users(config))
    typer.echo(json.dumps(broker.definitions(config, password_of, vhost), indent=1))


def contracts() -> None:
    """Write docs/events.md, docs/asyncapi.yaml, docs/openapi …; print which of them changed."""
    from operations import contracts as published  # imports every service, too

    for path in published.write(Path("docs")):
        typer.echo(path)
