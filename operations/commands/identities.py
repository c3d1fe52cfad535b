"""What happens to citizens' identities by hand: erasure, retention, new seals, and the read log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from shared import clock
from shared.storage.act import Store

By = Annotated[str, typer.Option(help="who does it, as the log will name them")]
Reason = Annotated[str, typer.Option(help="why; it stays in the log, without any name in it")]


@asynccontextmanager
async def _intake() -> AsyncIterator[Store[Any]]:
    with settings_by_name(("intake",)) as settings:
        async with opened(settings) as stores:
            yield stores["intake"]


def erase(
    number: Annotated[str, typer.Argument(help="the ticket's number")],
    reason: Reason,
    by: By,
    force: Annotated[bool, typer.Option(help="also while the ticket is open")] = False,
) -> None:
    """Destroy the identity and the raw words of a ticket's citizen; its facts carry none and stay."""
    from operations import vault  # imports intake: no other command pays for it

    async def done() -> bool:
        async with _intake() as store:
            return await vault.erase(store, by, number, reason, forced=force)

    typer.echo("已删除 erased" if asyncio.run(done()) else "此前已删除 it was erased before")


def retain(
    older_than: Annotated[str | None, typer.Option(help="3y or 90d; else privacy.yaml's")] = None,
    apply: Annotated[bool, typer.Option(help="erase; without it only count")] = False,
    by: By = "retention",
) -> None:
    """Erase the identities of tickets that ended longer ago than privacy.yaml keeps them."""
    from operations import vault

    async def count() -> int:
        async with _intake() as store:
            before = vault.kept_since(store, older_than, clock.now())
            return await (vault.retain if apply else vault.outdated)(store, by, before)

    done = "条已删除 erased" if apply else "条已到期，加 --apply 删除 outdated; --apply erases them"
    typer.echo(f"{asyncio.run(count())} {done}")


def verify_reads(
    against: Annotated[
        str | None,
        typer.Option(help="address of the tracker's database; else as JIESU_DATABASE_URL names it"),
    ] = None,
) -> None:
    """Check the log of who read which contact, row by row and against the heads the tracker keeps;
    exit code 1 at the first row that does not fit.
    """
    found, kept = asyncio.run(_verify_reads(against))
    compared = (
        f"{found.rows} 行、{found.anchors} 个存证（督办库 {kept} 个） "
        f"rows {found.rows}, anchors {found.anchors}, of them {kept} kept by the tracker"
    )
    if not kept:
        typer.echo(
            "督办库没有存证：末尾被截去的当日记录无从发现 the tracker keeps no anchor: what was cut off "
            "since is not seen"
        )
    if found.broken is None:
        typer.echo(f"完整 whole: {compared}")
        return
    typer.echo(f"断于第 {found.broken} 行 broken at row {found.broken}: {found.why}; {compared}")
    raise typer.Exit(1)


async def _verify_reads(against: str | None) -> tuple[Any, int]:
    from operations import reads

    keeper = reads.KEEPER
    with settings_by_name(("intake", keeper), **LOOKING) as settings:
        alone = settings["intake"].database_url == settings[keeper].database_url
        if against:
            update = {"database_url": against}
            settings[keeper] = settings[keeper].model_copy(update=update)
        elif alone:  # the environment names the one database
            del settings[keeper]
        async with opened(settings, rules=False) as stores:
            return await reads.verify(stores["intake"], stores.get(keeper))


def reseal() -> None:
    """Seal everything in the vault anew under its current key, so that older keys can go."""
    from operations import vault

    async def done() -> tuple[Any, str]:
        async with _intake() as store:
            sealer = store.config.sealer
            return await vault.reseal(store), sealer.key_of(sealer.head)

    found, current = asyncio.run(done())
    typer.echo(
        f"{found.count} 条已用密钥 {current} 重新密封，{found.opened} 条本已如此且能打开 "
        f"sealed anew under the key {current}; {found.opened} were already, and open"
    )
    for key, number in found.unreadable.items():
        typer.echo(f"{number} 条无法打开，密钥 cannot be opened, key {key!r}")
    raise typer.Exit(1 if found.unreadable else 0)
