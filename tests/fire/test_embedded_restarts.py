"""A story told on the embedded system, which is killed and started again at every step."""

from __future__ import annotations

from datetime import datetime

from examples.county import Access, County
from examples.demo import answering
from examples.scene import Citizens, Scene
from examples.stories import banquet, gone_wrong, tea_company, tourist
from tests.fixtures.fire.embedded_town import EmbeddedTown
from tests.fixtures.fire.ledger import reckon
from tests.fixtures.fire.town import START, Town

STORIES = (banquet, tea_company, tourist, gone_wrong)


class Interrupted(Scene):
    """A scene in which the system is killed whenever time is about to pass."""

    town: EmbeddedTown

    async def _until(self, moment: datetime) -> None:
        self.town.kill()
        await self.town.start(max(self.county.stepper.now, START))
        await super()._until(moment)


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
