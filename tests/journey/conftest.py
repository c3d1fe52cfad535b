"""The journey, made once for all that is asked about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fixtures import journey as journeys
from tests.fixtures.journey import Journey
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker


@pytest.fixture(scope="module")
async def journey(
    postgres: Postgres, rabbitmq: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Journey]:
    """The first and the fourth story, told once over real servers."""
    folders = tmp_path_factory.mktemp("var"), tmp_path_factory.mktemp("books")
    async with journeys.journey(postgres, rabbitmq, *folders) as told:
        yield told
