"""The bench runs: a few of everything, every figure there. How fast is for `make bench` to say."""

from __future__ import annotations

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.postgres import Postgres
from tests.fixtures.rabbitmq import Broker
from tests.load import bench, goals
from tests.load.plan import SMALL

NONE_IS_BEST = {"mask_left", "mask_wrong"}
PARTS = ("broker", "database", *NAMES)


async def test_every_figure_is_measured(postgres: Postgres, rabbitmq: Broker) -> None:
    steps: list[str] = []
    found = await bench.run(postgres, rabbitmq, bench.Wish(plan=SMALL), steps.append)
    figures, details = found["figures"], found["details"]
    everything = (*goals.AT_LEAST, *goals.AT_MOST, *goals.RATIOS)
    for name in (
        *everything,
        "batch_per_s",
        "dispatch_p50_ms",
        "catchup_1h_s",
        "recompute_100k_s",
        "due_per_s",
        "tick_cpu_per_clock_us",
    ):
        none = figures[name] == 0 and name in NONE_IS_BEST
        assert figures[name] is None or figures[name] > 0 or none, name  # None: too slow to count
    assert all(figures[f"start_s.{name}"] > 0 for name in NAMES)
    assert details["dispatch"] == {"rate": 20.0, "tickets": SMALL.dispatches, "missing": 0}
    assert details["intake"]["refused"] == details["plain"]["refused"] == 0
    assert details["loop"]["tickets"] == SMALL.tickets
    assert details["relay"]["facts"] == SMALL.relayed
    assert details["drain"]["facts"] == SMALL.backlog
    assert details["drain"]["stuck"] == 0
    assert details["critical"]["came"]
    assert details["due"]["clocks"] == SMALL.due
    assert details["catchup"]["marks"] == SMALL.missed
    assert details["recompute"]["moved"] >= SMALL.followed
    assert details["sweep"]["late"]["marks"] == SMALL.late
    assert figures["facts_per_ticket"] > 10
    assert figures["statements_per_ticket"] > figures["commits_per_ticket"] > 0
    if {"cpu_share.broker", "cpu_share.database"} <= figures.keys():  # else in containers
        shares = [figures[f"cpu_share.{part}"] for part in PARTS]
        assert sum(shares) == pytest.approx(1)
        assert figures["cpu_ms_per_ticket"] > 0
        assert figures["loop_hellos"] > 1
    assert found["trust"]["verdict"] in bench.said(found)
