"""A policy that was published is in force from its moment on, whenever the system is killed."""

from __future__ import annotations

from datetime import datetime

from examples.connection import Connection
from examples.county import Access, County
from examples.scene import Citizens
from tests.fixtures.fire.embedded_town import EmbeddedTown
from tests.fixtures.fire.town import Town
from tests.fixtures.scenes.intake import complaint
from tests.fixtures.scenes.policies import DRAFTS, MONDAY, with_handle

FRIDAY = "2026-03-06T17:00:00+08:00"
ROAD = {"topic": "road.damage", "title": "道路破损", "content": "路面破损"}


async def test_it_survives_a_kill_behind_its_publication_and_one_before_its_moment(
    place: tuple[EmbeddedTown, Town],
) -> None:
    """BJ-13: over HTTP, by two persons; who is dispatched on Friday has five days, on Monday three."""
    embedded, books = place
    urls, token = embedded.place.urls, embedded.place.token
    county = County(books.http, Access(urls, token, embedded.place.secret), Citizens())
    tracker = Connection(books.http, urls["tracker"], token("desk"))
    supervisor = Connection(books.http, urls["tracker"], token("supervisor"))
    phone_system = Connection(books.http, urls["intake"], token("phone_system"))
    draft = await tracker.post(DRAFTS, {"note": "提速", "limits": with_handle("3wd")})
    said = {"digest": draft["digest"], "effective_at": MONDAY}
    await supervisor.post(f"{DRAFTS}/{draft['id']}/publication", said)
    found = []
    for moment in (FRIDAY, MONDAY):
        embedded.kill()
        await embedded.start(datetime.fromisoformat(moment))
        await county.stepper.settle()
        number = (await phone_system.post("/v1/tickets", complaint(**ROAD)))["number"]
        await county.stepper.settle()
        clocks = (await tracker.get(f"/v1/tickets/{number}/clocks"))["clocks"]
        found.append(
            {
                (each["limit"], each["policy_version"])
                for each in clocks
                if each["kind"] in ("handle", "citizen")
            }
        )
    assert found == [{("5wd", 1)}, {("3wd", 2)}]
