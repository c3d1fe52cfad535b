"""Months of the fact logs and inboxes, from a shell: which there are, made now, put away, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from operations.commands.databases import LOOKING, Names, known, opened, settings_by_name
from shared import clock
from shared.settings import ServiceSettings
from shared.storage.act import Store
from shared.storage.months import Partition
from shared.storage.partitions import TABLES, attach_from, detach_before, make_ahead, partitions

cli = typer.Typer(no_args_is_help=True, help="按月分区 Months of the fact logs and inboxes.")


def _month(name: str, means: str) -> Any:
    return typer.Option(
        name,
        parser=lambda word: datetime.strptime(word, "%Y-%m").replace(tzinfo=UTC),
        metavar="YYYY-MM",
        help=means,
    )


Before = Annotated[datetime, _month("--before", "what ended before this month")]
From = Annotated[datetime, _month("--from", "what holds this month or a later one")]


@cli.command("list")
def list_(names: Names = None) -> None:
    """Every partition: of which ids, how large, attached or put away."""
    for name, found in _in_each(names, _partitions).items():
        for each in found:
            where = "已卸下 put away" if each.detached else "在用 attached"
            size = f"{each.octets / 2**20:.1f} MiB"
            typer.echo(f"{name:<10}  {each.name:<16}  {each.span:<19}  {size:>12}  {where}")


@cli.command("make")
def make(
    names: Names = None,
    move: Annotated[
        bool, typer.Option("--move", help="also months whose rows lie in the default partition")
    ] = False,
) -> None:
    """Make the months that are missing, now; the services do so each hour."""

    async def made(store: Store[Any]) -> list[str]:
        return await make_ahead(store, clock.real(), move=move)

    for name, found in _in_each(names, made).items():
        typer.echo(f"{name}: 已建 made {', '.join(found) or '无 nothing'}")


@cli.command("detach")
def detach(before: Before, names: Names = None) -> None:
    """Put old months away: relay and inbox look at them no more, every reader still does."""

    async def put_away(store: Store[Any]) -> list[str]:
        return await detach_before(store, before.date(), clock.real())

    for name, found in _in_each(names, put_away).items():
        typer.echo(f"{name}: 已卸下 put away {', '.join(found) or '无 nothing'}")


@cli.command("attach")
def attach(
    since: From,
    names: Names = None,
    move: Annotated[
        bool, typer.Option("--move", help="with its rows that lie in the default partition")
    ] = False,
) -> None:
    """Take months back that were put away: relay and inbox look at them again."""

    async def taken_back(store: Store[Any]) -> list[str]:
        return await attach_from(store, since.date(), move=move)

    for name, found in _in_each(names, taken_back).items():
        typer.echo(f"{name}: 已装回 taken back {', '.join(found) or '无 nothing'}")


def _in_each(names: list[str] | None, do: Callable[[Store[Any]], Awaitable[Any]]) -> dict[str, Any]:
    async def done(settings: Mapping[str, ServiceSettings]) -> dict[str, Any]:
        async with opened(settings, rules=False) as stores:
            return {name: await do(store) for name, store in stores.items()}

    with settings_by_name(known(names), **LOOKING) as settings:
        return asyncio.run(done(settings))


async def _partitions(store: Store[Any]) -> list[Partition]:
    async with store.engine.connect() as connection:
        return [each for table in TABLES for each in await partitions(connection, table)]
