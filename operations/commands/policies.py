"""时限规则 The policy as it stands in the tracker's database, written out again as its two files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from services.tracker.policies import versions
from services.tracker.policies.versions import FILES, Texts
from shared.errors import ConfigError

EXPORT = "export"


def policies(
    action: Annotated[str, typer.Argument(help=EXPORT)],
    folder: Annotated[
        Path | None, typer.Argument(file_okay=False, exists=True, help="where to write both files")
    ] = None,
    version: Annotated[
        int | None, typer.Option(min=1, help="which; the one in force when left out")
    ] = None,
    only: Annotated[
        str | None, typer.Option("--print", help=f"one of {', '.join(FILES)}, and no folder")
    ] = None,
) -> None:
    """Write the two files of a version of the policy into a folder as they were written, comments too."""
    if action != EXPORT:
        raise ConfigError(f"没有此操作 no such action: {action}; {EXPORT}")
    if (folder is None) != (only in FILES):
        raise ConfigError(
            f"须给出目录，或者 --print 文件名 a folder, or --print and one of {FILES}"
        )
    found = dict(zip(FILES, asyncio.run(_texts(version)), strict=True))
    if folder is None:
        typer.echo(found[only or FILES[0]], nl=False)
        return
    for name, text in found.items():
        new = folder / f".{name}"
        new.write_text(text, encoding="utf-8")
        new.replace(folder / name)


async def _texts(version: int | None) -> Texts:
    with settings_by_name(("tracker",), **LOOKING) as settings:
        async with opened(settings, rules=False) as stores, stores["tracker"].act("ops") as act:
            texts = await versions.stored(act, version)
    if texts is None:
        which = (
            "尚未发布，以规则目录为准 nobody has published: the folder decides"
            if version is None
            else f"没有此版本 no such: {version}"
        )
        raise ConfigError(f"时限规则 policy: {which}")
    return texts
