"""What operators do by hand: the morning page, erasure and retention, new seals, saying again."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from operations import resend as again
from operations import stuck as page
from operations.runtime import embedded, runner
from operations.runtime.registry import NAMES, settings_of
from operations.runtime.tls import Tls
from shared import clock
from shared.errors import ConfigError
from shared.messaging.connect import connect
from shared.messaging.local_bus import LocalBus
from shared.settings import ServiceSettings
from shared.storage.act import Store

LOCAL = ZoneInfo("Asia/Shanghai")
LOOKING = {"embedded": True, "phone_system_url": None}  # who only looks needs no secret


@contextmanager
def _settings(names: Sequence[str], **given: Any) -> Iterator[dict[str, ServiceSettings]]:
    """Settings by service: of the databases in the environment, or of the embedded ones."""
    if os.environ.get("JIESU_DATABASE_URL"):
        Tls().trust()
        yield {name: settings_of(name, **given) for name in names}
        return
    with embedded.use() as server:
        keys = runner.secrets_of(embedded.default_home() / "keys")
        common = {**keys, **LOOKING}
        yield {
            name: settings_of(name, **common, database_url=server.url(f"jiesu_{name}"))
            for name in names
        }


@asynccontextmanager
async def _opened(settings: Mapping[str, ServiceSettings]) -> AsyncIterator[dict[str, Store[Any]]]:
    stores = {
        name: Store(name, one.database_url, one.load(), pool_size=1)
        for name, one in settings.items()
    }
    try:
        yield stores
    finally:
        for store in stores.values():
            await store.close()


# --- the morning page --------------------------------------------------------------------------


def stuck(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    at: Annotated[
        datetime | None, typer.Option(help="the trade's time here, on a stepped clock")
    ] = None,
) -> None:
    """What has not moved in time, why, and what helps; exit code 1 when there is something."""
    now = at.replace(tzinfo=LOCAL) if at else clock.now()
    with _settings(NAMES, **LOOKING) as settings:
        groups = asyncio.run(_gather(settings, now))
    typer.echo(_as_json(now, groups) if as_json else _as_text(now, groups))
    raise typer.Exit(1 if groups else 0)


async def _gather(settings: Mapping[str, ServiceSettings], now: datetime) -> list[page.Group]:
    async with _opened(settings) as stores:
        groups = await page.gather(stores, now, clock.real())
    api = os.environ.get("JIESU_BROKER_API")
    return groups + (await page.unread(api) if api else [])


def _as_json(now: datetime, groups: Sequence[page.Group]) -> str:
    rows = [
        {
            "service": one.service,
            "slug": one.slug,
            "title": one.title,
            "why": one.why,
            "do": one.do,
            "count": one.count,
            "more": one.counted_out,
            "oldest": [each._asdict() for each in one.oldest],
        }
        for one in groups
    ]
    return orjson.dumps({"at": now, "stuck": rows}, option=orjson.OPT_INDENT_2).decode()


def _as_text(now: datetime, groups: Sequence[page.Group]) -> str:
    head = f"晨检 Stuck, {now.astimezone(LOCAL):%F %R}"
    if not groups:
        return f"{head}\n没有停滞的工单、事实或回访 Nothing is stuck."
    return "\n".join([head, *(line for one in groups for line in _lines(one))])


def _lines(one: page.Group) -> Iterator[str]:
    yield ""
    yield f"[{one.service}] {one.title}: {one.count}{' +' if one.counted_out else ''}"
    for each in one.oldest:
        since = f"{each.since.astimezone(LOCAL):%F %R}" if each.since else "-"
        yield f"    {each.subject:<16}  {since}  {each.note}"
    yield f"  原因 why:  {one.why}"
    yield f"  处置 do:   {one.do}"


# --- the vault ---------------------------------------------------------------------------------

By = Annotated[str, typer.Option(help="who does it, as the log will name them")]
Reason = Annotated[str, typer.Option(help="why; it stays in the log, without any name in it")]


@asynccontextmanager
async def _intake() -> AsyncIterator[Store[Any]]:
    with _settings(("intake",)) as settings:
        async with _opened(settings) as stores:
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
    older_than: Annotated[str | None, typer.Option(help="3y or 90d; else policy.yaml's")] = None,
    apply: Annotated[bool, typer.Option(help="erase; without it only count")] = False,
    by: By = "retention",
) -> None:
    """Erase the identities of tickets that ended longer ago than the policy keeps them."""
    from operations import vault

    async def count() -> int:
        async with _intake() as store:
            before = vault.kept_since(store, older_than, clock.now())
            return await (vault.retain if apply else vault.outdated)(store, by, before)

    words = (
        "条已删除 erased" if apply else "条已到期，加 --apply 删除 outdated; --apply erases them"
    )
    typer.echo(f"{asyncio.run(count())} {words}")


def reseal() -> None:
    """Seal everything in the vault anew under its current key, so that older keys can go."""
    from operations import vault

    async def done() -> tuple[int, Counter[str], str]:
        async with _intake() as store:
            sealer = store.config.sealer
            return *await vault.reseal(store), sealer.key_of(sealer.head)

    count, missing, current = asyncio.run(done())
    typer.echo(f"{count} 条已用密钥 {current} 重新密封 sealed anew under the key {current}")
    for key, number in missing.items():
        typer.echo(f"{number} 条无法打开，密钥 cannot be opened, key {key!r}")
    raise typer.Exit(1 if missing else 0)


# --- saying again ------------------------------------------------------------------------------


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
    if unknown := set(names or ()) - set(NAMES):
        raise ConfigError(f"unknown service {unknown.pop()!r}; one of {', '.join(NAMES)}")
    if (ticket is None) == (since is None):
        raise ConfigError("say either --since MOMENT or --ticket NUMBER")
    if since and since.tzinfo is None:
        raise ConfigError("--since needs its offset: 2026-03-02T08:00+08:00")
    with _settings(names or NAMES) as settings:
        for name, count in asyncio.run(_resend(settings, since, ticket)).items():
            typer.echo(f"{name}: {count} 条已重发 sent again")


async def _resend(
    settings: Mapping[str, ServiceSettings], since: datetime | None, ticket: str | None
) -> dict[str, int]:
    counts = {}
    async with _opened(settings) as stores:
        for name, store in stores.items():
            bus = connect(settings[name].bus_url)
            if isinstance(bus, LocalBus):
                raise ConfigError("a local bus loses nothing: it marks sent only what was received")
            try:
                counts[name] = await again.resend(store, bus, since, ticket)
            finally:
                await bus.close()
    return counts


COMMANDS = (stuck, erase, retain, reseal, resend)
