"""A month by the dice: the rates equal an independent recount of the log, by either basis, in any period."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from services.tracker.settings import Config, Settings
from shared.events import Fact
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.recount import Counted, Log
from tests.fixtures.scenes.tracker import TZ, Story, at
from tests.fixtures.scenes.tracker_doors import GRANT, ask, rule

TICKETS = 36
UNITS = ["HC", "GT"]
NOON = timedelta(hours=12)
LEAST = 10  # cases that a rate of a unit takes (place.yaml)
# Days as they are asked for; by calendar months, and from the 19th to the 18th.
PERIODS = [
    ("02-19", "03-18"), ("03-01", "03-31"), ("03-19", "04-18"), ("03-09", "03-09"), ("03-10", "03-12"),
]  # fmt: skip


class Deed(NamedTuple):
    """What happens to an order at a moment."""

    at: datetime
    what: str
    ticket: int
    order: int


def deeds(dice: Random) -> Iterator[Deed]:
    """The life of each ticket: some are late, given to another and back, withdrawn, extended."""
    for ticket in range(TICKETS):
        came = at("02-26 08:30") + timedelta(minutes=dice.randrange(22 * 24 * 60))
        yield Deed(came, "registered", ticket, 0)
        moment = came + timedelta(minutes=dice.randrange(5, 60))
        orders = dice.choice([1, 1, 1, 2, 3])
        for order in range(orders):
            yield Deed(moment, "dispatched", ticket, order)
            # An extension that goes on with another order stands in the log of the first alone.
            third = "extended" if orders == 1 else "contacted"
            steps = dice.choice([(), ("signed",), ("signed", "contacted"), ("signed", third)])
            for what in steps:
                moment += timedelta(hours=dice.choice([1, 4, 20, 70]))
                yield Deed(moment, what, ticket, order)
            days = 0 if "extended" in steps else dice.choice([0, 1, 4, 7, 10])
            longer = dice.choice([4, 7, 9]) if "extended" in steps else 0
            moment += timedelta(days=days + longer, hours=2)
            last = dice.choice(["completed", "completed", "withdrawn", "left open"])
            yield Deed(moment, "cancelled" if order < orders - 1 else last, ticket, order)
            moment += timedelta(minutes=1)


class Month:
    """What the tracker hears and what its units ask, at each moment in its order."""

    def __init__(self, tracker: Bench, dice: Random) -> None:
        self.tracker, self.dice = tracker, dice
        self.stories = [Story(tracker, f"20260301-{n:06}") for n in range(TICKETS)]
        self.units = [dice.choices(UNITS, k=3) for _ in range(TICKETS)]
        self.heard: list[Fact] = []

    async def live(self) -> None:
        """All that happens, with the sweep in between."""
        for deed in sorted(deeds(self.dice)):
            self.tracker.at(deed.at)
            await self.tracker.run("sweep")
            await self._do(deed)

    async def _do(self, deed: Deed) -> None:
        story, id = self.stories[deed.ticket], UUID(int=100 + 10 * deed.ticket + deed.order)
        unit, moment = self.units[deed.ticket][deed.order], f"{deed.at.astimezone(TZ):%m-%d %H:%M}"
        if deed.what == "extended":
            asked = await ask(self.tracker, unit, id)
            if asked.status_code == 200:
                await rule(self.tracker, asked.json()["id"], GRANT)
            return
        if deed.what == "left open":
            return
        if deed.what == "dispatched":
            fact = story.dispatched(moment, id=id, unit=unit)
        elif deed.what in ("registered", "withdrawn"):
            fact = getattr(story, deed.what)(moment)
        else:
            fact = getattr(story, deed.what)(moment, id=id).model_copy(update={"unit": unit})
        facts = [fact] + [story.resolved(moment)] * (deed.what == "completed")
        self.heard += facts
        await self.tracker.hear(*facts)

    async def log(self) -> Log:
        """What the log of all that says."""
        return Log.of(self.heard, await self.tracker.told())


async def figures(tracker: Bench, basis: str, first: str, last: str) -> dict[Any, Counted]:
    """What the tracker answers, as the recount counts."""
    query = {"basis": basis, "from": f"2026-{first}", "to": f"2026-{last}"}
    answer = (await tracker.http("supervisor").get("/v1/rates", params=query)).json()
    found = {}
    for row in answer["units"]:
        assert row["few"] == (row["handle"]["due"] < LEAST)
    for whose, shares in [(None, answer), *((row["unit"], row) for row in answer["units"])]:
        for name in ("sign", "contact", "handle", "citizen"):
            share = shares.get(name)
            if share and share["due"]:
                counted = Counted(share["due"], share["on_time"], share.get("by_extension", 0))
                said = whose is None or counted.due >= LEAST
                assert share["rate"] == (counted.rate if said else None)
                found[name, whose] = counted
    return found


def moments(first: str, last: str, lead: timedelta) -> tuple[datetime, datetime]:
    """From when to when a period of days lasts, each beginning so long before its midnight."""
    begins, ends = (
        datetime.fromisoformat(f"2026-{day}").replace(tzinfo=TZ) for day in (first, last)
    )
    return begins - lead, ends + timedelta(days=1) - lead


@pytest.fixture(params=[3, 14])
async def month(tracker: Bench, request: pytest.FixtureRequest) -> Month:
    """A month that was lived."""
    lived = Month(tracker, Random(request.param))
    await lived.live()
    return lived


async def agrees(month: Month, lead: timedelta) -> int:
    """Compare every period by both bases; how many figures were alike and not nothing."""
    log, tracker, compared = await month.log(), month.tracker, 0
    for moment in (at("03-12 11:00"), at("04-20 10:00")):
        tracker.at(moment)
        for first, last in PERIODS:
            start, end = moments(first, last, lead)
            for basis in ("judged", "due"):
                counted = log.shares(basis, start, end, moment)
                assert await figures(tracker, basis, first, last) == counted, (basis, first, last)
                compared += len(counted)
    return compared


async def test_the_rates_equal_a_recount_of_the_log(month: Month) -> None:
    """R-42, R-48: sign, contact, handle and the citizen's, of all and of each unit, to the digit."""
    assert await agrees(month, timedelta()) > 100


async def test_they_do_so_where_a_day_begins_at_noon(month: Month, tmp_path: Path) -> None:
    """R-48 统计周期: from noon of the day before to noon (HR)."""
    county = shutil.copytree(CONFIG, tmp_path / "county")
    edit(county / "place.yaml", "timezone: Asia", 'period: {day_start: "12:00"}\ntimezone: Asia')
    store: Store[Config] = month.tracker.service.store
    store.config = Settings(embedded=True, config_dir=county).load()
    assert await agrees(month, NOON) > 100
