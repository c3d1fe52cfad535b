"""How fast the machine is, and whether it was ours: hello world, and what others took.

Hello world is measured before and after everything else, so that a figure is compared with what
the machine could do at that time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

import psutil

from tests.load.plan import Figures, Plan, now
from tests.load.processes import Process, family, seconds_of
from tests.load.sides import UVICORN, Side
from tests.load.storms import storm

MOST = 1_000_000  # requests
OTHERS, VARIED = 0.10, 0.15  # the most to believe: of the machine, of hello world


@dataclass(frozen=True, slots=True)
class Pace:
    """Hello world at one moment: answers a second, and milliseconds of processor for each."""

    per_s: float
    cpu_ms: float

    @classmethod
    def between(cls, paces: Sequence[Pace]) -> Pace:
        """The middle of several."""
        return cls(median(pace.per_s for pace in paces), median(pace.cpu_ms for pace in paces))

    def figures(self) -> Figures:
        """As figures of a bench."""
        return {"hello_per_s": self.per_s, "hello_cpu_ms": self.cpu_ms}


@dataclass(slots=True)
class Hello:
    """Hello world of a side while it runs, and every pace it went at."""

    process: Process
    plan: Plan
    paces: list[Pace] = field(default_factory=list)

    async def measure(self) -> Pace:
        """What FastAPI under the same server can at most, now."""
        wire, seconds = self.process.wire, self.plan.hello_seconds
        requests = [wire.encode("GET", "/")] * MOST
        await storm(wire, requests, self.plan.lines, seconds / 5, 200)
        used = self.process.cpu
        came = await storm(wire, requests, self.plan.lines, seconds, 200)
        cost = (self.process.cpu - used) * 1000 / max(came.answered, 1)
        self.paces.append(Pace(came.per_s, cost))
        return self.paces[-1]


@asynccontextmanager
async def greeting(side: Side, plan: Plan) -> AsyncIterator[Hello]:
    """Hello world of a side; it costs next to nothing while nobody asks."""
    url = side.servers.postgres.url(side.template("intake"))  # it connects to none
    process = await side.serve("hello", (*UVICORN, "tests.load.hello:app"), url, "/")
    try:
        yield Hello(process, plan)
    finally:
        await process.stop()


# --- whether to believe it ---------------------------------------------------------------------


class Watch:
    """What the processors did since it was made, by us and by others."""

    def __init__(self, servers: Sequence[psutil.Process]) -> None:
        self._servers = servers
        self._from = now(), _busy(), self._ours()

    def _ours(self) -> float:
        """Seconds of this process, of all it ever started, and of the servers."""
        roots = (psutil.Process(), *self._servers)
        return seconds_of(set().union(*map(family, roots)))

    def others(self) -> float:
        """Which share of the machine somebody else used."""
        began, busy, ours = self._from
        theirs = (_busy() - busy) - (self._ours() - ours)
        return float(max(0.0, theirs / ((now() - began) * (psutil.cpu_count() or 1))))


def _busy() -> float:
    """Seconds in which a processor did something, or was taken from this machine."""
    times = psutil.cpu_times()._asdict()
    rests = ("idle", "iowait", "guest", "guest_nice")  # guests are counted as users already
    return float(sum(value for name, value in times.items() if name not in rests))


def varied(paces: Sequence[Pace]) -> float:
    """How far hello world's cost went apart, as a part of its middle."""
    costs = [pace.cpu_ms for pace in paces]
    return (max(costs) - min(costs)) / median(costs) if costs else 0.0


def verdict(others: float, variation: float) -> str:
    """In one line, whether the machine was quiet enough to believe the figures."""
    said = (
        f"其他进程 others used {others:.0%} of the machine; "
        f"hello world varied by {variation:.0%} (≤ {OTHERS:.0%}, ≤ {VARIED:.0%})"
    )
    if others <= OTHERS and variation <= VARIED:
        return f"可信 quiet enough: {said}"
    return f"机器太忙，不可信 too busy to believe it: {said}"
