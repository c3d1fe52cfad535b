"""The morning page, printed for a person or for a machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer

from operations import stuck as page
from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.runtime.registry import NAMES
from shared import clock
from shared.jurisdiction.place import Place
from shared.jurisdiction.reader import read
from shared.settings import ServiceSettings


def zone_of(config_dir: Path) -> ZoneInfo:
    """The clock of the place whose folder it is. Raises ConfigError."""
    return read(config_dir / "place.yaml", Place).timezone


def stuck(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    at: Annotated[
        datetime | None, typer.Option(help="the trade's time here, on a stepped clock")
    ] = None,
) -> None:
    """What has not moved in time, why, and what helps; exit code 1 when there is something."""
    with settings_by_name(NAMES, **LOOKING) as settings:
        zone = zone_of(settings[NAMES[0]].config_dir)
        now = (at.replace(tzinfo=zone) if at else clock.now()).astimezone(zone)
        groups = asyncio.run(_gather(settings, now))
    typer.echo(_as_json(now, groups) if as_json else _as_text(now, groups))
    raise typer.Exit(1 if groups else 0)


async def _gather(settings: Mapping[str, ServiceSettings], now: datetime) -> list[page.Group]:
    async with opened(settings) as stores:
        groups = await page.gather(stores, now, clock.real())
    api = os.environ.get("JIESU_BROKER_API")
    return groups + (await page.unread(api) if api else [])


def _as_json(now: datetime, groups: Sequence[page.Group]) -> str:
    rows = [
        {
            "service": group.service,
            "slug": group.slug,
            "title": group.title,
            "why": group.why,
            "do": group.do,
            "count": group.count,
            "more": group.counted_out,
            "oldest": [stuck._asdict() for stuck in group.oldest],
        }
        for group in groups
    ]
    return orjson.dumps({"at": now, "stuck": rows}, option=orjson.OPT_INDENT_2).decode()


def _as_text(now: datetime, groups: Sequence[page.Group]) -> str:
    head = f"晨检 Stuck, {now:%F %R}"
    if not groups:
        return f"{head}\n没有停滞的工单、事实或回访 Nothing is stuck."
    return "\n".join([head, *(line for group in groups for line in _lines(group, now.tzinfo))])


def _lines(group: page.Group, zone: tzinfo | None) -> Iterator[str]:
    yield ""
    yield f"[{group.service}] {group.title}: {group.count}{' +' if group.counted_out else ''}"
    for stuck in group.oldest:
        since = f"{stuck.since.astimezone(zone):%F %R}" if stuck.since else "-"
        yield f"    {stuck.subject:<16}  {since}  {stuck.note}"
    yield f"  原因 why:  {group.why}"
    yield f"  处置 do:   {group.do}"
