"""The tables of docs/scale.md, from build/bench.json: what was measured, and the sums made of it.

    python -m tests.load.scale [build/bench.json]

The document keeps its words; what stands between its marks is written anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from operations.runtime.registry import NAMES
from tests.load.goals import goal, met
from tests.load.sides import PROJECT

DOCUMENT = PROJECT / "docs" / "scale.md"
PEAK_HOUR, BURST = 0.15, 3.0  # DOMAIN.md 8: of a day in its busiest hour; and three times that
BUSY = 0.6  # of a core, planned for
YEAR = 365
YES = {True: "yes", False: "no", None: ""}


@dataclass(frozen=True, slots=True)
class Place:
    """A jurisdiction: tickets a day and clocks that run at once (DOMAIN.md 8)."""

    name: str
    tickets: int
    clocks: int

    @property
    def burst(self) -> float:
        """Tickets a second at the worst moment of a day."""
        return self.tickets * PEAK_HOUR * BURST / 3600


PLACES = (
    Place("county 县 (Ziyang: 18)", 500, 10_000),
    Place("prefecture 地级市", 3_000, 60_000),
    Place("Beijing 北京", 110_000, 2_000_000),
    Place("nation 全国", 1_400_000, 25_000_000),
)


def measured(found: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    """Every figure of the bench with its goal, and how it came about where it was worked out."""
    notes = found.get("notes", {})
    rows = [
        (
            f"`{name}`",
            number(value) + (f" ({notes[name]})" if name in notes else ""),
            goal(name),
            YES[met(name, value)],
        )
        for name, value in found["figures"].items()
    ]
    return [("figure", "measured", "goal", "met"), *rows]


def sums(found: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    """What each place needs if every ticket costs what one cost here."""
    names = ("", *(place.name for place in PLACES))
    return [names, *([words, *map(number, values)] for words, values in _sums(found["figures"]))]


def _sums(figures: Mapping[str, float]) -> Iterator[tuple[str, Sequence[float]]]:
    """Rows of words and one value per place."""
    cost = figures["cpu_ms_per_ticket"] / 1000
    bursts = [place.burst for place in PLACES]
    yield "tickets a day", [place.tickets for place in PLACES]
    yield "tickets/s at the worst moment", bursts
    yield "facts a day", [place.tickets * figures["facts_per_ticket"] for place in PLACES]
    yield "cores busy at the worst moment", [burst * cost for burst in bursts]
    yield f"cores to buy at {BUSY:.0%} busy", [ceil(burst * cost / BUSY) for burst in bursts]
    for name in NAMES:
        own = cost * figures[f"cpu_share.{name}"]
        yield f"processes of {name}", [ceil(burst * own / BUSY) for burst in bursts]
    own = cost * figures["cpu_share.database"]
    yield "cores of PostgreSQL among them", [burst * own for burst in bursts]
    own = cost * figures["cpu_share.broker"]
    yield "cores of RabbitMQ among them", [burst * own for burst in bursts]
    stored = figures["stored_kb_per_ticket"] / 2**20
    yield "GB stored a year", [place.tickets * YEAR * stored for place in PLACES]
    yield "clocks that run at once", [place.clocks for place in PLACES]


def number(value: float | None) -> str:
    """A figure as the document prints it."""
    if value is None:
        return "not counted"
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table, the first as its head."""
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *rest])


def written(document: str, found: Mapping[str, Any]) -> str:
    """The document with both tables written anew. Raises ValueError when a mark is missing."""
    for mark, rows in (("measured", measured(found)), ("sums", sums(found))):
        start, end = f"<!-- {mark} -->\n", f"<!-- end of {mark} -->"
        before, _, rest = document.partition(start)
        _, _, after = rest.partition(end)
        if start not in document or end not in rest:
            raise ValueError(f"{DOCUMENT}: no {start.strip()} … {end}")
        document = f"{before}{start}{markdown(rows)}\n{end}{after}"
    return document


def main(path: Path) -> None:
    """Write the tables anew. Raises SystemExit with a word where there are no figures to read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as unread:
        wanted = "没有可读的测量结果，请先 make bench no figures to read, run make bench first"
        sys.exit(f"{path}: {wanted} ({unread})")
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench.json"))
