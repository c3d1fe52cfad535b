"""How large a bench is, and how its figures are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figures = dict[str, Any]
LOOK = 0.02  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a bench; seconds are the most each part may take. ``apart``: each measure has
    databases of its own, so that two trees can be measured by turns; else one set serves them all.
    """

    apart: bool = True
    hello_seconds: float = 1.5
    seconds: float = 8.0
    requests: int = 12_000
    lines: int = 64
    plain_requests: int = 4_000
    batch: int = 500
    batches: int = 16
    rate: float = 20.0
    dispatches: int = 400
    warm: int = 30  # tickets before those that count
    tickets: int = 400
    waves: int = 3
    loop_seconds: float = 180.0
    counted: int = 150  # tickets whose statements are counted
    rest_seconds: float = 5.0  # of services that only look whether there is work
    relayed: int = 10_000
    backlog: int = 100_000
    drain_seconds: float = 100.0
    behind: int = 100_000  # ordinary facts before the critical ticket
    critical_seconds: float = 60.0
    clocks: int = 1_000_000
    ticks: int = 20
    due: int = 10_000
    due_seconds: float = 60.0
    late: int = 300  # marks, one after the other
    late_rate: float = 20.0
    missed: int = 50_000  # marks in an hour: two each of a million clocks of five working days
    followed: int = 100_000
    outage_seconds: float = 180.0
    texts: tuple[str, ...] = ()  # a CSV file whose texts are masked, else those of tests/data
    orders: tuple[str, ...] = ()  # a CSV file of confirmed orders, else those of tests/data
    known: int = 2_000  # tickets whose callers and words are looked for
    kept: int = 100_000  # tickets among which they are
    looks: int = 300


QUICK = Plan(
    hello_seconds=0.7,
    seconds=2.0,
    requests=2_000,
    plain_requests=600,
    batches=4,
    dispatches=60,
    warm=10,
    tickets=100,
    waves=1,
    counted=40,
    rest_seconds=2.0,
    relayed=2_000,
    backlog=5_000,
    drain_seconds=10.0,
    behind=5_000,
    critical_seconds=6.0,
    clocks=10_000,
    ticks=4,
    due=1_000,
    due_seconds=6.0,
    late=60,
    missed=2_000,
    followed=4_000,
    outage_seconds=20.0,
    known=500,
    kept=10_000,
    looks=60,
)

SMALL = Plan(
    apart=False,
    hello_seconds=0.1,
    seconds=1.0,
    requests=60,
    lines=8,
    plain_requests=20,
    batch=10,
    batches=2,
    dispatches=8,
    warm=1,
    tickets=4,
    waves=1,
    loop_seconds=600.0,
    counted=3,
    rest_seconds=0.2,
    relayed=100,
    backlog=100,
    drain_seconds=600.0,
    behind=100,
    critical_seconds=600.0,
    clocks=1_000,
    ticks=2,
    due=20,
    due_seconds=600.0,
    late=5,
    missed=20,
    followed=20,
    outage_seconds=600.0,
    known=20,
    kept=100,
    looks=6,
)


def now() -> float:
    """Seconds on the loop's clock."""
    return asyncio.get_running_loop().time()


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """How much each has grown."""
    return {name: after[name] - before[name] for name in after.keys() & before.keys()}


def cost_each(used: dict[str, float], count: int) -> dict[str, float]:
    """Milliseconds of processor each part used for one of so many."""
    return {name: value * 1000 / max(count, 1) for name, value in sorted(used.items())}
