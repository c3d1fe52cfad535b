"""What came of a load: counts, times and what was wrong, as a line while it runs and as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD = ("", "次数 calls", "每秒 /s", "p50 ms", "p95 ms", "p99 ms", "max ms", "不符 wrong")


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below or at which a share of the ordered values lies; 0 of none."""
    return ordered[max(0, -int(-share * len(ordered)) - 1)] if ordered else 0.0


@dataclass(slots=True)
class Tally:
    """Calls by kind: how long each took in seconds, and what was wrong with those that were."""

    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    recent: list[float] = field(default_factory=list)
    limited: int = 0
    sent: int = 0

    def add(self, kind: str, seconds: float, wrong: str = "") -> None:
        """One call came to its end."""
        self.seconds[kind].append(seconds)
        self.recent.append(seconds)
        if wrong:
            self.wrong[kind][wrong] += 1

    @property
    def done(self) -> int:
        """Calls that came to their end."""
        return sum(map(len, self.seconds.values()))

    @property
    def failed(self) -> int:
        """Calls that ended otherwise than owed."""
        return sum(counter.total() for counter in self.wrong.values())

    def line(self, passed: float) -> str:
        """Where it stands; times are of the calls since the last line."""
        times, self.recent = sorted(self.recent), []
        return (
            f"{passed:5.0f} s  已发 sent {self.sent}  已答 answered {self.done}  "
            f"在途 in flight {self.sent - self.done}  不符 wrong {self.failed}  "
            f"p50 {quantile(times, 0.5) * 1000:.0f} ms  p99 {quantile(times, 0.99) * 1000:.0f} ms"
        )

    def table(self, passed: float) -> str:
        """The closing table, a row per kind and their sum, then what was wrong."""
        rows = [(kind, self.seconds[kind]) for kind in sorted(self.seconds)]
        rows.append(("合计 all", [second for _, seconds in rows for second in seconds]))
        cells = [HEAD, *(self._row(kind, sorted(seconds), passed) for kind, seconds in rows)]
        lines = [f"{kind}: {n} × {what}" for kind in self.wrong for what, n in self._worst(kind)]
        if self.limited:
            lines.append(f"被限流 rate limited (429): {self.limited}")
        return "\n".join([columns(cells), *lines])

    def _row(self, kind: str, times: Sequence[float], passed: float) -> tuple[str, ...]:
        shares = [quantile(times, share) for share in (0.5, 0.95, 0.99, 1.0)]
        wrong = self.wrong[kind].total() if kind in self.wrong else 0
        return (
            kind,
            str(len(times)),
            f"{len(times) / max(passed, 0.001):.1f}",
            *(f"{seconds * 1000:.1f}" for seconds in shares),
            str(wrong if kind in self.seconds else self.failed),
        )

    def _worst(self, kind: str) -> Sequence[tuple[str, int]]:
        return self.wrong[kind].most_common(5)


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a table: the first cell to the left, the others to the right."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + pad if at == 0 else pad + cell
            for at, (cell, room) in enumerate(zip(row, widths, strict=True))
            for pad in [" " * (room - width(cell))]
        ).rstrip()
        for row in rows
    )


def width(text: str) -> int:
    """Columns of a text on a terminal: Chinese takes two."""
    return sum(2 if "\u2e80" <= letter <= "\uffef" else 1 for letter in text)
