"""``make bench``: the figures of this machine, in one run, as build/bench.json and as a table.

(A bench to test a service on is something else: tests/fixtures/bench.py.)

All is measured on a durable PostgreSQL and a RabbitMQ started for it, one process per service, and
the load comes from this process on the same cores. Figures of two machines, or of two runs while
something else works, say little; the ratios and shares inside one run are what counts.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from operations.runtime.embedded import secrets_of
from operations.runtime.registry import NAMES
from tests.fixtures.postgres import Postgres, provide_postgres
from tests.fixtures.rabbitmq import Broker, provide_rabbitmq
from tests.load.measures import MEASURES
from tests.load.plan import SMALL, Figures, Plan
from tests.load.plant import PROJECT, Plant, plant
from tests.load.tally import columns

# The goals for a machine with two cores: at least, or at most.
AT_LEAST = {"intake_vs_hello": 0.25, "intake_vs_plain": 4.0, "loop_per_s": 30.0}
AT_MOST = {"dispatch_p99_ms": 60.0, "drain_100k_facts_s": 600.0} | {
    f"rss_mb.{name}": 120.0 for name in NAMES
}
HEAD = ("指标 figure", "值 value", "目标 goal", "达到 met")
cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


async def measure(
    made: Plant, plan: Plan, only: frozenset[str], tell: Callable[[str], None]
) -> dict[str, Any]:
    """Every figure, or those of the measures named; ``details`` by measure."""
    figures: Figures = {}
    details: dict[str, Any] = {}
    for one in MEASURES:
        if only and one.__name__ not in only:
            continue
        tell(one.__name__)
        found = await one(made, plan)
        details[one.__name__] = found.pop("details", {})
        figures |= found
    return {"figures": figures | ratios(figures), "details": details}


def ratios(figures: Mapping[str, float | None]) -> Figures:
    """Intake against hello world and against the plain way, where both sides were measured."""
    found: Figures = {}
    for other in ("hello", "plain"):
        if {"intake_per_s", f"{other}_per_s"} <= figures.keys():
            own, measured = figures["intake_per_s"], figures[f"{other}_per_s"]
            found[f"intake_vs_{other}"] = own / measured if own and measured else None
    return found


def met(name: str, value: float | None) -> bool | None:
    """Whether a figure reaches its goal; None when it has none."""
    if name not in AT_LEAST and name not in AT_MOST:
        return None
    if value is None:
        return False
    return value >= AT_LEAST[name] if name in AT_LEAST else value <= AT_MOST[name]


def goal(name: str) -> str:
    """The goal of a figure in words; empty when it has none."""
    if name in AT_LEAST:
        return f"≥ {AT_LEAST[name]:g}"
    return f"≤ {AT_MOST[name]:g}" if name in AT_MOST else ""


def table(figures: Mapping[str, float | None]) -> str:
    """The figures with their goals."""
    words = {True: "是 yes", False: "否 no", None: ""}
    rows = [
        (name, _shown(value), goal(name), words[met(name, value)])
        for name, value in figures.items()
    ]
    return columns([HEAD, *rows])


def _shown(value: float | None) -> str:
    if value is None:
        return "不计 not counted"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    revision = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.platform(),
        "revision": revision.stdout.strip(),
    }


async def run(
    postgres: Postgres,
    broker: Broker,
    plan: Plan,
    only: frozenset[str],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """A plant of its own, measured."""
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as home:
        secrets_of(Path(home))
        async with plant(postgres, broker, Path(home)) as made:
            about = machine() | {
                "postgresql": await made.value("intake", "SHOW server_version"),
                "fsync": await made.value("intake", "SHOW fsync"),
            }
            measured = await measure(made, plan, only, tell)
    return {"machine": about, "plan": asdict(plan), **measured}


@cli.command()
def main(
    out: Annotated[Path, typer.Option(help="where the figures go")] = Path("build/bench.json"),
    only: Annotated[str, typer.Option(help="measures, such as starts,loop; all if empty")] = "",
    small: Annotated[bool, typer.Option(help="a few of everything: does it run?")] = False,
) -> None:
    """性能测量 Measure everything and print the figures."""
    loop = uvloop.new_event_loop()
    began = loop.time()

    def tell(name: str) -> None:
        typer.echo(f"{loop.time() - began:5.0f} s  {name} …", err=True)

    tell("postgresql, rabbitmq")
    with provide_postgres(durable=True) as postgres, provide_rabbitmq() as broker:
        chosen = frozenset(filter(None, only.split(",")))
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            found = runner.run(run(postgres, broker, SMALL if small else Plan(), chosen, tell))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    typer.echo(table(found["figures"]))
    typer.echo(str(out))


if __name__ == "__main__":
    cli()
