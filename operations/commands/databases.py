"""Whose databases a command works on: the environment's, or those of the embedded system."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any

import typer

from operations.runtime import embedded, postgres
from operations.runtime.registry import NAMES, environment, settings_of
from operations.runtime.tls import Tls
from shared.errors import ConfigError
from shared.settings import ServiceSettings
from shared.storage.act import Store

LOOKING: dict[str, Any] = {
    "embedded": True,
    "phone_system_url": None,
}  # whoever opens no seal needs no secret
Names = Annotated[list[str] | None, typer.Argument(help="services; all when none is named")]


def known(names: Sequence[str] | None) -> Sequence[str]:
    """Services by name, all when none is named. Raises ConfigError."""
    for name in names or ():
        if name not in NAMES:
            raise ConfigError(f"没有这个服务 unknown service {name!r}; one of {', '.join(NAMES)}")
    return names or NAMES


@contextmanager
def settings_by_name(names: Sequence[str], **given: Any) -> Iterator[dict[str, ServiceSettings]]:
    """Settings of services, on the databases of the environment or on the embedded ones."""
    if os.environ.get("JIESU_DATABASE_URL"):
        Tls().trust()
        yield {name: settings_of(name, **given) for name in names}
        return
    with postgres.use() as server:
        keys = embedded.secrets_of(postgres.default_home() / "keys")
        common = keys | environment(names) | LOOKING
        yield {
            name: settings_of(name, **common, database_url=server.url(f"jiesu_{name}"))
            for name in names
        }


@asynccontextmanager
async def opened(
    settings: Mapping[str, ServiceSettings], *, rules: bool = True
) -> AsyncIterator[dict[str, Store[Any]]]:
    """The databases, by service; without ``rules`` no file of the jurisdiction is read."""
    stores = {
        name: Store(name, its.database_url, its.load() if rules else None, pool_size=1)
        for name, its in settings.items()
    }
    try:
        yield stores
    finally:
        for store in stores.values():
            await store.close()
