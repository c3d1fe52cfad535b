"""派单目录 The catalogue as it stands in the dispatcher's database, written out again as a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from services.dispatcher.catalogue import catalogues
from shared.errors import ConfigError

EXPORT = "export"


def catalogue(
    action: Annotated[str, typer.Argument(help=EXPORT)],
    version: Annotated[
        int | None, typer.Option(min=1, help="which; the one in force when left out")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="the file; else it is printed")] = None,
) -> None:
    """Write a version of the dispatch catalogue as it was written: the same YAML, comments too."""
    if action != EXPORT:
        raise ConfigError(f"没有此操作 no such action: {action}; {EXPORT}")
    text = asyncio.run(_text(version))
    if out is None:
        typer.echo(text, nl=False)
        return
    new = out.with_name(f".{out.name}")
    new.write_text(text, encoding="utf-8")
    new.replace(out)


async def _text(version: int | None) -> str:
    with settings_by_name(("dispatcher",), **LOOKING) as settings:
        async with opened(settings, rules=False) as stores, stores["dispatcher"].act("ops") as act:
            text = await catalogues.stored(act, version)
    if text is None:
        which = (
            "尚无版本 there is none yet" if version is None else f"没有此版本 no such: {version}"
        )
        raise ConfigError(f"派单目录 catalogue: {which}")
    return text
