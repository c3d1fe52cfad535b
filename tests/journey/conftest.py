"""The journey, made once for all that is asked about it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from examples.stories import banquet, gone_wrong
from tests.fixtures import journey as journeys
from tests.fixtures.journey import Journey
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker


async def first_and_fourth(journey: Journey) -> None:
    """The first and the fourth story."""
    journey.told["banquet"] = await banquet(journey.scene)
    journey.told["gone_wrong"] = await gone_wrong(journey.scene)


@pytest.fixture(scope="module")
async def journey(
    postgres: Postgres, rabbitmq: Broker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Journey]:
    """The first and the fourth story, told once over real servers."""
    folder = tmp_path_factory.mktemp("journey")
    async with journeys.journey(
        postgres, rabbitmq, folder, first_and_fourth, queues=("HC", "ZJJ")
    ) as told:
        yield told
