"""The servers tests run on: started when the first test asks for one, stopped at the end."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.fixtures import docker
from tests.fixtures.longest import LONGEST
from tests.fixtures.postgres import Postgres, provide_postgres
from tests.fixtures.rabbitmq import Broker, provide_rabbitmq

TESTS = Path(__file__).parent
pytest_plugins = [
    "tests.fixtures.benches",
    "tests.fixtures.engine",
    "tests.fixtures.scenes.reform",
    "tests.fixtures.scenes.tracker",
]

# `make test` looks at a few examples of each property, `make prove` at ten thousand.
settings.register_profile("test", max_examples=25, deadline=None)
settings.register_profile("prove", max_examples=10_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test the mark of its tier, so that ``-m unit`` runs what needs nothing; the longest
    come first.
    """
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        item.add_marker(tier)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    """Where a test's file comes in the run; all that are not long stay in the order they have."""
    file = item.path.relative_to(TESTS).as_posix()
    return LONGEST.index(file) if file in LONGEST else len(LONGEST)


def pytest_collection_finish() -> None:
    """What was imported lives until the end, and every test makes much and drops it: looking for
    cycles in all of it at the usual pace takes a fifth of the time.
    """
    gc.freeze()
    gc.set_threshold(5_000, 10, 10)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that says the end what its worker met."""
    if output := getattr(session.config, "workeroutput", None):
        output["refusals"] = docker.REFUSALS


def pytest_testnodedown(node: Any) -> None:
    """Hear from a worker; one that was killed has nothing to tell."""
    docker.REFUSALS.extend(getattr(node, "workeroutput", {}).get("refusals", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which servers the tests did not run."""
    for line in dict.fromkeys(docker.REFUSALS):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL on which databases may be created."""
    with provide_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Broker]:
    """A RabbitMQ with a virtual host of this run's own."""
    with provide_rabbitmq() as broker:
        yield broker
