"""What a working calendar costs: ``add_us`` and ``between_us``, over fifteen working days.

``python -m tests.load.working_time`` prints the figures as JSON. The calendar is the county's, its years
laid out as they are in a process that runs; nothing is asked twice, so no answer is a remembered one.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from services.tracker.settings import Settings
from tests.load.plan import Figures, Plan
from tests.load.plant import Plant
from tests.load.processes import DidNotStart

ROOT = Path(__file__).parents[2]
FIFTEEN_DAYS = 15 * 7.5 * 3600  # seconds of duty
MOMENTS = 20_000
PASSES = 5
FIRST, MINUTES = datetime(2024, 1, 1, tzinfo=UTC), 2 * 365 * 24 * 60


async def working_time(plant: Plant, _: Plan) -> Figures:
    """Microseconds a call, of the best pass."""
    try:
        said = await plant.side.run(
            "-m", "tests.load.working_time", database_url=plant.url("intake")
        )
    except DidNotStart:  # a tree that has no such measure
        return {"add_us": None, "between_us": None}
    found: Figures = json.loads(said)
    return found


def figures() -> Figures:
    """Measured here and now."""
    dice = random.Random(20261128)
    calendar = Settings(embedded=True, config_dir=ROOT / "config" / "ziyang").load().calendar
    starts = [FIRST + timedelta(minutes=dice.randrange(MINUTES)) for _ in range(MOMENTS)]
    ends = [calendar.add_working_seconds(start, FIFTEEN_DAYS) for start in starts]
    spans = list(zip(starts, ends, strict=True))
    return {
        "add_us": best(lambda pair: calendar.add_working_seconds(pair[0], FIFTEEN_DAYS), spans),
        "between_us": best(lambda pair: calendar.working_seconds_between(*pair), spans),
    }


def best(ask: Callable[[Any], object], asked: Sequence[Any]) -> float:
    """Microseconds a call, of the best of some passes."""
    found = []
    for _ in range(PASSES):
        began = used()
        for each in asked:
            ask(each)
        found.append((used() - began) * 1e6 / len(asked))
    return min(found)


def used() -> float:
    """Seconds of processor time of this process."""
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.stdout.write(json.dumps(figures()))
