"""Changed rules taken up without a restart: all services of a process together, or none.

``python -m services reload`` checks the folder as every service reads it and then writes into it which
configuration it found (``.checked``). Every process looks there once a second. It takes the folder up
only as it was checked: an edit that began meanwhile is refused. Rules are read in a thread and swapped
between two acts; clocks that run keep their terms (docs/how-it-flows.md#a-clock-keeps-its-terms).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from operations.runtime.registry import NAMES, part
from shared import clock
from shared.errors import ConfigError
from shared.jurisdiction.folder import CHECKED, Folder, refusal
from shared.observability import log
from shared.service import Service
from shared.storage.engine import is_trouble

LOOK = 1.0  # seconds


def check(path: Path) -> Folder:
    """A folder in which no service finds a fault. Raises ConfigError with the faults of all of them."""
    folder = Folder.take(path)
    found = [fault for name in NAMES for fault in folder.faults_of(part(name).settings.files)]
    if found:
        raise refusal(found)
    return folder


def announce(folder: Folder) -> None:
    """Say into the folder that it was checked as it is; running processes take it up."""
    marker = folder.path / CHECKED
    fresh = marker.with_name(f"{CHECKED}.new")
    fresh.write_text(f"{folder.configuration} {clock.real().isoformat()}\n", encoding="utf-8")
    fresh.replace(marker)


def announced(path: Path) -> str:
    """What was announced last: configuration and moment; empty when nothing was."""
    try:
        return (path / CHECKED).read_text(encoding="utf-8", errors="replace")[:200].strip()
    except OSError:
        return ""


async def watch(services: Sequence[Service], stop: asyncio.Event) -> None:
    """Take up what is announced from now on, until the process stops."""
    path = services[0].settings.config_dir
    seen = await asyncio.to_thread(announced, path)
    while not stop.is_set():
        await clock.pause(LOOK, stop)
        said = await asyncio.to_thread(announced, path)
        if said and said != seen:
            await take_up(services, path, said.partition(" ")[0])
        seen = said or seen


async def take_up(services: Sequence[Service], path: Path, configuration: str) -> bool:
    """All services go by the rules of the folder, or, when it has faults, none; whether they do."""
    try:
        loaded = await asyncio.to_thread(_loaded, services, path, configuration)
        for service, config in zip(services, loaded, strict=True):
            await _check(service, config)
    except ConfigError as faults:
        for service in services:
            service.keep_rules(str(faults))
        return False
    for service, config in zip(services, loaded, strict=True):
        service.take_up(config, configuration)
    return True


async def _check(service: Service, config: Any) -> None:
    """Whether rules fit what a service has; while its database is away nobody can say, and its next start
    will. Raises ConfigError.
    """
    try:
        await service.check(config)
    except Exception as error:
        if not is_trouble(error):
            raise
        log.warning("rules taken up unchecked: the database is away", service=service.name)


def _loaded(services: Sequence[Service], path: Path, configuration: str) -> list[Any]:
    folder = Folder.take(path)
    found = [fault for each in services for fault in folder.faults_of(each.settings.files)]
    if found:
        raise refusal(found)
    if folder.configuration != configuration:
        raise ConfigError(
            f"{path}: 检查之后又有改动 changed after it was checked: checked {configuration}, "
            f"now {folder.configuration}; make reload"
        )
    return [service.settings.load(folder) for service in services]
