"""A county's calls, driven through the whole loop while everything dies in turn."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from examples.behaviour import Behaviour
from examples.county import County
from examples.demo import CONFIG, DAYS, FIRST, answering
from examples.month import Duty, cases
from examples.volume import Month
from shared import clock
from shared.jurisdiction.folder import calendar_of
from tests.fixtures.fire import fires
from tests.fixtures.fire.fires import Arson
from tests.fixtures.fire.ledger import Ledger, reckon
from tests.fixtures.fire.servers import Servers
from tests.fixtures.fire.town import PROJECT, Town, town

SEED = 12345
TICKETS, TICKETS_LONG = 20, 300
KILLS_LONG = 50
LOOKS = 0.03  # seconds between two looks at a clock: a fact may be on its way over the broker


def duty() -> Duty:
    """When the county's offices act."""
    return Duty(calendar_of(CONFIG).is_working_day, FIRST, DAYS)


async def work(town: Town, tickets: int, burning: list[Any], every: int) -> tuple[Arson, int]:
    """The first calls of the month, from the citizen and back to the citizen, under fire."""
    hours, known = duty(), dict[str, int]()
    behaviour = Behaviour(hours, known)
    county = County(town.http, town.access, behaviour.citizen, behaviour.plan, pause=LOOKS)
    month = Month(county, behaviour, cases(hours)[:tickets], known, lambda *_: None)
    arson = Arson(town, burning, every, Random(SEED))
    town.now = lambda: max(county.stepper.now, town.started)

    async def people(now: datetime) -> bool:
        await arson.moment()
        return await month.people(now)

    async with answering(county.phone.receiver(), town.phone_port):
        await county.stepper.run(people=people, agenda=month.agenda)
        await arson.out()
        await county.stepper.run(people=month.people, agenda=month.agenda)
    return arson, len(known)


def kills(arson: Arson) -> int:
    """How many processes were killed, wherever they were."""
    return arson.burned[fires.KILL] + arson.burned[fires.KILL_AT_COMMIT]


def record(ledger: Ledger, arson: Arson, seconds: float) -> dict[str, Any]:
    """The figures a report quotes."""
    return {
        "kills": kills(arson),
        "fires": dict(arson.burned),
        "tickets": ledger.tickets,
        "facts": ledger.facts,
        "lost": len(ledger.lost),
        "doubled": len(ledger.doubled),
        "unrouted": ledger.unrouted,
        "counts": ledger.counts,
        "seconds": round(seconds),
    }


async def test_every_ticket_reaches_its_end_once_while_everything_dies(
    burning: Servers, long: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tickets = TICKETS_LONG if long else TICKETS
    wanted = fires.long(KILLS_LONG, Random(SEED)) if long else list(fires.SHORT)
    began = clock.real()
    async with town(burning, tmp_path) as one:
        await one.start()
        arson, registered = await work(one, tickets, wanted, every=2 if long else 3)
        ledger = await reckon(one)
    figures = record(ledger, arson, (clock.real() - began).total_seconds())
    if long:
        (PROJECT / "build").mkdir(exist_ok=True)
        (PROJECT / "build" / "fire.json").write_text(json.dumps(figures, indent=2) + "\n")
    with capsys.disabled():
        os.write(1, f"\nfire: {json.dumps(figures)}\n".encode())
    assert (ledger.lost, ledger.doubled, ledger.open) == ([], [], [])
    assert ledger.tickets == registered == tickets
    assert arson.left == 0
    assert (kills(arson), arson.burned.total()) == (KILLS_LONG if long else 4, len(wanted))
    assert arson.burned.keys() - {fires.MISSED} == fires.KINDS
