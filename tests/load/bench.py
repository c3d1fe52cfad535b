"""``make bench``: the figures of this machine, in one run, as build/bench.json and as a table.

(A bench to test a service on is something else: tests/fixtures/bench.py.)

All is measured on a durable PostgreSQL and a RabbitMQ started for it, one process per service, and
the load comes from this process on the same cores. Figures of two machines, or of two runs while
something else works, say little; the ratios and shares inside one run are what counts. Another
checkout, or another Python, can be measured by turns in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop

from operations.runtime.embedded import secrets_of
from tests.fixtures.postgres import Postgres, provide_postgres
from tests.fixtures.rabbitmq import Broker, provide_rabbitmq
from tests.load.goals import against, better, in_order, ratios, table
from tests.load.measures import MEASURES, statements
from tests.load.pace import Hello, Pace, Watch, greeting, varied, verdict
from tests.load.plan import QUICK, SMALL, Figures, Plan
from tests.load.plant import Plant, plant
from tests.load.processes import DidNotStart
from tests.load.sides import Servers, Side, Tree, side

Tell = Callable[[str], None]
cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to measure: the trees, this one first; which measures, all if none; how often each."""

    trees: Sequence[Tree] = (Tree(),)
    plan: Plan = field(default_factory=Plan)
    only: frozenset[str] = frozenset()
    passes: int = 1

    @property
    def chosen(self) -> Sequence[Any]:
        """The measures, in their order."""
        return [one for one in MEASURES if not self.only or one.__name__ in self.only]


@dataclass(slots=True)
class Bench:
    """A side while it is measured: its hello world, and the best pass of each measure."""

    side: Side
    hello: Hello
    found: dict[str, Figures] = field(default_factory=dict)

    async def take(self, one: Any, made: Plant, plan: Plan) -> None:
        """Measure once more, between two hello worlds; what is best by the first figure stays."""
        before = await self.hello.measure()
        figures: Figures = await one(made, plan)
        if plan.apart:
            await made.stop_all()
        pace = Pace.between([before, await self.hello.measure()])
        aside = {name: figures.pop(name, {}) for name in ("details", "notes")}
        own = ratios(figures | pace.figures())
        name, kept = next(iter(figures)), self.found.get(one.__name__)
        if kept is None or better(name, figures[name], kept["figures"][name]):
            self.found[one.__name__] = {"figures": figures | own, **aside}

    def result(self) -> dict[str, Any]:
        """Everything found, with hello world's middle pace."""
        found = list(self.found.values())
        figures = {name: value for one in found for name, value in one["figures"].items()}
        figures |= Pace.between(self.hello.paces).figures() if self.hello.paces else {}
        figures = ratios(figures) | figures  # a ratio to the hello world next to it comes first
        return {
            "figures": {name: figures[name] for name in in_order(figures)},
            "notes": {name: note for one in found for name, note in one["notes"].items()},
            "details": {name: one["details"] for name, one in self.found.items()},
            "hello": [asdict(pace) for pace in self.hello.paces],
        }


async def measure(benches: Sequence[Bench], wish: Wish, tell: Tell) -> None:
    """Every measure so many times, by turns: this, other; other, this; …"""
    groups = [[one] for one in wish.chosen] if wish.plan.apart else [wish.chosen]
    for group in groups:
        counting = statements in group
        for number in range(wish.passes):
            for bench in benches if number % 2 == 0 else reversed(benches):
                async with plant(bench.side, counting=counting) as made:
                    for one in group:
                        tell(f"{one.__name__} · {bench.side.tree} · {number + 1}")
                        await bench.take(one, made, wish.plan)


@asynccontextmanager
async def _benches(wish: Wish, servers: Servers, home: Path) -> AsyncIterator[list[Bench]]:
    async with AsyncExitStack() as stack:
        made = []
        for tree in wish.trees:
            one = await stack.enter_async_context(side(tree, servers, home))
            made.append(Bench(one, await stack.enter_async_context(greeting(one, wish.plan))))
        yield made


async def run(postgres: Postgres, broker: Broker, wish: Wish, tell: Tell) -> dict[str, Any]:
    """Every figure of every tree; ``other`` holds those of the second."""
    servers = await Servers.of(postgres, broker)
    about = {
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(),
        "postgresql": await servers.value("SHOW server_version"),
        "fsync": await servers.value("SHOW fsync"),
    }
    watch = Watch([*servers.seen.values()])
    with tempfile.TemporaryDirectory(prefix="jiesu-bench-") as home:
        secrets_of(Path(home))
        async with _benches(wish, servers, Path(home)) as benches:
            await measure(benches, wish, tell)
            others = watch.others()
    variation = max(varied(bench.hello.paces) for bench in benches)
    trust = {"others": others, "hello_varied": variation, "verdict": verdict(others, variation)}
    asked = {"plan": asdict(wish.plan), "passes": wish.passes, "machine": about, "trust": trust}
    results = [_about(bench.side.tree) | bench.result() for bench in benches]
    return results[0] | asked | ({"other": results[1]} if results[1:] else {})


def _about(tree: Tree) -> dict[str, Any]:
    return {"revision": tree.revision(), "python": tree.version()}


def said(found: dict[str, Any]) -> str:
    """What is printed: the figures with their goals, and whether to believe them."""
    if other := found.get("other"):
        names = (f"{one['revision']} (Python {one['python']})" for one in (found, other))
        shown = against(found["figures"], other["figures"], found["notes"])
        return "\n".join(["{}: 对照 against {}".format(*names), shown, found["trust"]["verdict"]])
    return "\n".join([table(found["figures"], found["notes"]), found["trust"]["verdict"]])


@cli.command()
def main(
    out: Annotated[Path, typer.Option(help="where the figures go")] = Path("build/bench.json"),
    only: Annotated[str, typer.Option(help="measures, such as starts,loop; all if empty")] = "",
    quick: Annotated[bool, typer.Option(help="a look: smaller, and rougher")] = False,
    small: Annotated[bool, typer.Option(help="a few of everything: does it run?")] = False,
    against: Annotated[Path | None, typer.Option(help="another checkout, by turns")] = None,
    python: Annotated[Path | None, typer.Option(help="another Python, for the other side")] = None,
    texts: Annotated[Path | None, typer.Option(help="CSV file of texts for the masks")] = None,
    orders: Annotated[Path | None, typer.Option(help="CSV file of orders to suggest from")] = None,
    passes: Annotated[int, typer.Option(min=1, help="of each measure; the best counts")] = 1,
) -> None:
    """性能测量 Measure everything and print the figures."""
    loop = uvloop.new_event_loop()
    began = loop.time()

    def tell(name: str) -> None:
        typer.echo(f"{loop.time() - began:5.0f} s  {name} …", err=True)

    this, plan = Tree(), SMALL if small else QUICK if quick else Plan()
    plan = replace(plan, texts=_named(texts), orders=_named(orders))
    other = Tree((against or this.path).resolve(), (python or this.python).absolute())
    trees = (this, other) if against or python else (this,)
    wish = Wish(trees, plan, _measures(only), passes)
    tell("postgresql, rabbitmq")
    with (
        provide_postgres(durable=True) as postgres,
        provide_rabbitmq() as broker,
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        try:
            found = runner.run(run(postgres, broker, wish, tell))
        except DidNotStart as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    typer.echo(said(found))
    typer.echo(str(out))


def _named(path: Path | None) -> tuple[str, ...]:
    return (str(path.resolve()),) if path else ()


def _measures(only: str) -> frozenset[str]:
    """The measures named. Raises BadParameter for a name there is none of."""
    chosen, known = frozenset(filter(None, only.split(","))), {one.__name__ for one in MEASURES}
    if unknown := chosen - known:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return chosen


if __name__ == "__main__":
    cli()
