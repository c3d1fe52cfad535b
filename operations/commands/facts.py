"""Facts that need a person: those that failed for good, and those a broker lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from operations import resend as log
from operations.commands.databases import LOOKING, Names, known, opened, settings_by_name
from shared.errors import ConfigError
from shared.messaging import retries
from shared.messaging.connect import connect
from shared.messaging.local_bus import LocalBus
from shared.settings import ServiceSettings
from shared.storage.act import Act


def dead(names: Names = None) -> None:
    """List facts that failed for good: where, which, how often, since when, why."""
    found = _in_each(names, retries.dead)
    for name, rows in found.items():
        for row in rows:
            typer.echo(f"{name}  #{row.id}  {row.subject}  {row.key}  attempts {row.attempts}")
            typer.echo(f"    since {row.since:%F %T}  {row.reason}")
    if not any(found.values()):
        typer.echo(f"没有失败的事实 No fact has failed for good: {', '.join(found)}")


def replay(
    names: Names = None,
    number: Annotated[int | None, typer.Option("--id", help="the #id of one; else all")] = None,
) -> None:
    """Give dead facts another life; the running service picks them up within a second."""
    if number is not None and len(names or ()) != 1:
        raise ConfigError("--id needs the one service whose #id it is: replay tracker --id 17")
    for name, count in _in_each(names, lambda act: retries.replay(act, number)).items():
        typer.echo(f"{name}: {count} 条将再试 to be tried again")


def _in_each(names: list[str] | None, do: Callable[[Act[Any]], Awaitable[Any]]) -> dict[str, Any]:
    """Do something in the databases of some services."""

    async def done(settings: Mapping[str, ServiceSettings]) -> dict[str, Any]:
        found = {}
        async with opened(settings, rules=False) as stores:
            for name, store in stores.items():
                async with store.act("ops") as act:
                    found[name] = await do(act)
        return found

    with settings_by_name(known(names), **LOOKING) as settings:
        return asyncio.run(done(settings))


def resend(
    names: Annotated[
        list[str] | None, typer.Argument(help="whose facts; all when none is named")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=datetime.fromisoformat, help="such as 2026-03-02T08:00+08:00"),
    ] = None,
    ticket: Annotated[str | None, typer.Option(help="those of one ticket")] = None,
) -> None:
    """Publish facts of the log once more, for a broker that lost them; who has them ignores them."""
    chosen = known(names)
    if (ticket is None) == (since is None):
        raise ConfigError("say either --since MOMENT or --ticket NUMBER")
    if since and since.tzinfo is None:
        raise ConfigError("--since needs its offset: 2026-03-02T08:00+08:00")
    with settings_by_name(chosen) as settings:
        for name, count in asyncio.run(_resend(settings, since, ticket)).items():
            typer.echo(f"{name}: {count} 条已重发 sent again")


async def _resend(
    settings: Mapping[str, ServiceSettings], since: datetime | None, ticket: str | None
) -> dict[str, int]:
    counts = {}
    async with opened(settings) as stores:
        for name, store in stores.items():
            bus = connect(settings[name].bus_url)
            if isinstance(bus, LocalBus):
                raise ConfigError("a local bus loses nothing: it marks sent only what was received")
            try:
                counts[name] = await log.resend(store, bus, since, ticket)
            finally:
                await bus.close()
    return counts
