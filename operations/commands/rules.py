"""The county's rules: checked, taken up, and which of them run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Annotated

import typer

from operations.commands.databases import LOOKING, opened, settings_by_name
from operations.commands.drafts import Dir, drafts
from operations.commands.signing import CONFIG
from operations.notices import doubts
from operations.runtime import reload as rules
from operations.runtime.registry import NAMES
from shared import clock
from shared.jurisdiction.folder import CalendarRules, Folder, PlaceFile
from shared.processes import Running, running
from shared.settings import ServiceSettings

PATIENCE = 45  # seconds: a killed process counts as running for thirty
Found = Mapping[str, list[Running]]


def check_config(directory: Dir = CONFIG) -> None:
    """Check a folder as every service would read it; exit code 2 with every fault, one a line. Rules that
    name a unit which is or will be no more are named: their matters go to who follows it; and what of a
    holiday notice cannot be meant, which `calendar import` would refuse.
    """
    folder = rules.check(directory)
    for note in (*of_dissolved(folder), *doubts(folder.read(CalendarRules).calendar.notices)):
        typer.echo(note, err=True)
    typer.echo(in_order(folder))


def reload(
    directory: Dir = CONFIG,
    wait: Annotated[bool, typer.Option(help="until every process says that it goes by it")] = True,
) -> None:
    """Check a folder and have every running service go by it, without a restart."""
    folder = rules.check(directory)
    rules.announce(folder)
    typer.echo(in_order(folder))
    if wait:
        try:
            processes(folder.configuration)
        finally:
            drafts(folder.path)


def processes(
    expect: Annotated[
        str | None, typer.Option(help="wait until all go by this configuration")
    ] = None,
) -> None:
    """Which processes run, on which code and under which rules; exit code 1 when two differ."""
    with settings_by_name(NAMES, **LOOKING) as settings:
        found = asyncio.run(_processes(settings, expect))
    for name in NAMES:
        for process in found[name]:
            typer.echo(f"{name:<12}{process.release:<24}{process.configuration}")
    if not any(found.values()):
        typer.echo("没有运行中的进程，下次启动时生效 nothing runs: the next start takes it up")
    elif not _as_one(found, expect):
        raise typer.Exit(1)


def of_dissolved(folder: Folder) -> Iterator[str]:
    """One line for each rule of the catalogue that leads to a unit with successors."""
    from services.dispatcher.settings import Rules  # no other command pays for it

    read = folder.read(Rules)
    follow = {unit.code: unit.successors for unit in read.units.units if unit.successors}
    for rule in read.catalogue.rules:
        for unit in (rule.lead, *rule.co_handlers):
            if unit in follow:
                now = ", ".join(follow[unit])
                yield f"catalogue.yaml: {rule.id}: {unit} 由 {now} 承接 will be no more, {now} follow it"


def in_order(folder: Folder) -> str:
    """One line on a folder without a fault."""
    name = folder.read(PlaceFile).place.name
    return f"{name} {folder.path}: 规则无误 the rules are in order: {folder.configuration}"


def _as_one(found: Found, expect: str | None) -> bool:
    """Whether every service runs, and all its processes go by the same rules and the same code."""
    for name, rows in found.items():
        if not rows:
            typer.echo(f"{name}: 未运行 does not run", err=True)
    every = [process for rows in found.values() for process in rows]
    late = [process for process in every if expect not in (None, process.configuration)]
    if late:
        typer.echo(
            f"仍用旧规则 still under other rules: {len(late)}，见其日志 see their log", err=True
        )
    kinds = {(process.release, process.configuration) for process in every}
    return not late and all(found.values()) and len(kinds) == 1


async def _processes(settings: Mapping[str, ServiceSettings], expect: str | None) -> Found:
    """What runs; waits, within its patience, until all of it is as expected."""
    until = clock.real().timestamp() + (PATIENCE if expect else 0)
    async with opened(settings, rules=False) as stores:
        while True:
            found: dict[str, list[Running]] = {}
            for name, store in stores.items():
                async with store.act("ops") as act:
                    found[name] = list(await running(act, clock.real()))
            every = [process for rows in found.values() for process in rows]
            late = any(expect not in (None, process.configuration) for process in every)
            if not late or clock.real().timestamp() >= until:
                return found
            await clock.pause(0.5)
