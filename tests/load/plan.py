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
    """Sizes of a bench; seconds are the most each part may take."""

    seconds: float = 8.0
    requests: int = 12_000
    lines: int = 64
    plain_requests: int = 4_000
    batch: int = 500
    batches: int = 16
    rate: float = 20.0
    dispatches: int = 400
    tickets: int = 300
    waves: int = 4
    loop_seconds: float = 120.0
    backlog: int = 100_000
    drain_seconds: float = 100.0
    clocks: int = 1_000_000
    ticks: int = 20


SMALL = Plan(
    seconds=1.0,
    requests=60,
    lines=8,
    plain_requests=20,
    batch=10,
    batches=2,
    dispatches=8,
    tickets=4,
    waves=1,
    loop_seconds=600.0,
    backlog=100,
    drain_seconds=600.0,
    clocks=1_000,
    ticks=2,
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
