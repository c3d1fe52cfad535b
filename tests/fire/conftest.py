"""The servers that are going to be killed, and the length of the proofs."""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from examples.connection import open_http
from operations.runtime.registry import NAMES
from tests.fixtures.fire import servers
from tests.fixtures.fire.embedded_town import EmbeddedTown, Place
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import START, Town
from tests.fixtures.ports import free_ports


@pytest.fixture(scope="session")
def burning() -> Iterator[Servers]:
    """A PostgreSQL and a RabbitMQ of this tier's own."""
    with servers.provide() as both:
        yield both


@pytest.fixture(scope="session")
def long() -> bool:
    """Whether the long form is wanted (``make prove``)."""
    return os.environ.get("JIESU_PROOFS") == "long"


@pytest.fixture
async def place(burning: Servers, tmp_path: Path) -> AsyncIterator[tuple[EmbeddedTown, Town]]:
    """An embedded system, and its databases as a ledger reads them."""
    secret = b64encode(secrets.token_bytes(32)).decode()
    prefix, port = f"embedded_{secrets.token_hex(4)}", free_ports(len(NAMES) + 1)[0]
    at = Place(tmp_path, burning.database.socket, prefix, port, secret)
    async with open_http() as http:
        embedded = EmbeddedTown(at, http)
        await embedded.start(START)
        try:
            yield embedded, Town(burning, prefix, "", tmp_path, secret, at.phone_port, http, {})
        finally:
            embedded.kill()
