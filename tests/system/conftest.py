"""What tests of several modules stand on: an inbox that records, four services and a courier."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from shared.security.tokens import issue
from tests.fixtures.bench import Bench, bench
from tests.fixtures.copies import Copies
from tests.fixtures.recorder import Recorder
from tests.fixtures.scenes.courier import County, Courier


@pytest.fixture
async def recorder(intake: Bench) -> Recorder:
    """Intake's inbox, recording into a table of its own."""
    await intake.do("CREATE TABLE seen (subject text, times int, at timestamptz)")
    return Recorder(intake)


@pytest.fixture
async def county(copies: Copies, keys: Path) -> AsyncIterator[County]:
    """Four services on empty databases."""
    courier = Courier()
    async with AsyncExitStack() as stack:
        for name in NAMES:
            url = await stack.enter_async_context(copies.one(name))
            courier.benches[name] = await stack.enter_async_context(
                bench(name, url, keys, **addresses(name, keys))
            )
        yield County(courier)


def addresses(name: str, keys: Path) -> dict[str, str]:
    """How a service reaches the neighbours it asks, and with which token."""
    asked = {"intake": ("dispatcher", "feedback"), "feedback": ("intake",)}.get(name)
    if asked is None:
        return {}
    token = {"service_token": issue(keys, "service", name, days=1)}
    return token | {f"{other}_url": f"http://{other}" for other in asked}
