"""One bench per service, each on a copy of a database that was migrated once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from services.registry import migrations
from shared.auth import make_key
from shared.db import migrate
from tests.bench import Bench, bench
from tests.infrastructure import Postgres


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key pair for tokens."""
    folder = tmp_path_factory.mktemp("keys")
    make_key(folder, "test")
    return folder


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> Callable[[str], Awaitable[str]]:
    """The migrated template database of a service, made when first asked for."""
    made: set[str] = set()

    async def of(name: str) -> str:
        database = f"template_{name}"
        if name not in made:
            await migrate(await postgres.create(database), migrations(name))
            made.add(name)
        return database

    return of


Template = Callable[[str], Awaitable[str]]


async def _bench(
    name: str, postgres: Postgres, template: Template, keys: Path
) -> AsyncIterator[Bench]:
    async with postgres.fresh_database(await template(name)) as url, bench(name, url, keys) as one:
        yield one


@pytest.fixture
async def intake(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Intake on a fresh database."""
    async for one in _bench("intake", postgres, template, keys):
        yield one


@pytest.fixture
async def dispatcher(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """The dispatcher on a fresh database."""
    async for one in _bench("dispatcher", postgres, template, keys):
        yield one


@pytest.fixture
async def tracker(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """The tracker on a fresh database."""
    async for one in _bench("tracker", postgres, template, keys):
        yield one


@pytest.fixture
async def feedback(postgres: Postgres, template: Template, keys: Path) -> AsyncIterator[Bench]:
    """Feedback on a fresh database."""
    async for one in _bench("feedback", postgres, template, keys):
        yield one
