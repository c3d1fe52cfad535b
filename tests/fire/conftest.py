"""The servers that are going to be killed, and the length of the proofs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.fixtures.fire import servers
from tests.fixtures.fire.servers import Servers


@pytest.fixture(scope="session")
def burning() -> Iterator[Servers]:
    """A PostgreSQL and a RabbitMQ of this tier's own."""
    with servers.provide() as both:
        yield both


@pytest.fixture(scope="session")
def long() -> bool:
    """Whether the long form is wanted (``make prove``)."""
    return os.environ.get("JIESU_PROOFS") == "long"
