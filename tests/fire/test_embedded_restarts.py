"""A story told on the embedded system, which is killed and started again at every step."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest

from examples.connection import open_http
from examples.county import Access, County
from examples.demo import answering
from examples.scene import Citizens, Scene
from examples.stories import banquet, gone_wrong, tea_company, tourist
from operations.runtime.registry import NAMES
from tests.fixtures.fire.embedded_town import EmbeddedTown, Place
from tests.fixtures.fire.ledger import reckon
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import START, Town
from tests.fixtures.ports import free_ports

STORIES = (banquet, tea_company, tourist, gone_wrong)


class Interrupted(Scene):
    """A scene in which the system is killed whenever time is about to pass."""

    town: EmbeddedTown

    async def _until(self, moment: datetime) -> None:
        self.town.kill()
        await self.town.start(max(self.county.stepper.now, START))
        await super()._until(moment)


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


async def test_a_story_survives_a_kill_at_every_step(
    place: tuple[EmbeddedTown, Town], long: bool
) -> None:
    embedded, books = place
    citizens = Citizens()
    access = Access(embedded.place.urls, embedded.place.token, embedded.place.secret)
    county = County(books.http, access, citizens)
    scene = Interrupted(county, citizens, lambda *_: None)
    scene.town = embedded
    async with answering(county.phone.receiver(), embedded.place.phone_port):
        for story in STORIES if long else STORIES[:1]:
            await story(scene)
    ledger = await reckon(books)
    assert (ledger.lost, ledger.doubled, ledger.open) == ([], [], [])
    assert ledger.tickets == (len(STORIES) if long else 1)
    assert embedded.kills >= (30 if long else 8)
