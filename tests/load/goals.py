"""What the figures should be on a machine with two cores, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from operations.runtime.registry import NAMES
from tests.load.plan import Figures
from tests.load.tally import columns

AT_LEAST = {
    "intake_vs_hello": 0.17,
    "intake_vs_plain": 7.0,
    "batch_vs_hello": 0.35,
    "relay_vs_hello": 0.5,
    "loop_per_s": 30.0,
    "dup_precision": 0.95,
    "dup_recall": 0.9,
    "suggest_accuracy": 0.88,
    "suggest_macro_f1": 0.88,
    "suggest_top3": 0.99,
    "suggest_auto_share_2pct": 0.6,
    "due_vs_apscheduler": 50.0,
}
AT_MOST = {
    "loop_hellos": 310.0,
    "statements_per_ticket": 45.0,
    "commits_per_ticket": 4.0,
    "dispatch_p99_ms": 30.0,
    "tick_per_clock_us": 500.0,
    "due_10k_s": 2.0,
    "tick_empty_ms_1m": 2.0,
    "late_p99_ms_1m": 500.0,
    "critical_behind_100k_s": 2.0,
    "drain_100k_facts_s": 120.0,
    "add_us": 10.0,
    "between_us": 10.0,
    "rule_us_200": 20.0,
    "rule_us_2000": 60.0,
    "mask_left": 0.01,
    "mask_wrong": 0.01,
    "search_p95_ms": 150.0,
    "lookup_p95_ms": 150.0,
    "lists_p95_ms": 150.0,
} | {f"rss_mb.{name}": 110.0 for name in NAMES}

# A ratio → what is divided by what. It is shown first, and what was divided beside it.
RATIOS = {
    "loop_hellos": ("cpu_ms_per_ticket", "hello_cpu_ms"),
    "intake_vs_hello": ("intake_per_s", "hello_per_s"),
    "intake_hellos": ("intake_cpu_ms", "hello_cpu_ms"),
    "intake_vs_plain": ("intake_per_s", "plain_per_s"),
    "batch_vs_hello": ("batch_per_s", "hello_per_s"),
    "relay_vs_hello": ("relay_per_s", "hello_per_s"),
    "relay_alone_vs_hello": ("relay_alone_per_s", "hello_per_s"),
    "due_vs_apscheduler": ("due_per_s", "apscheduler_per_s"),
}
MORE_IS_BETTER = (
    "_per_s", "_vs_hello", "_vs_plain", "_vs_apscheduler", "_precision", "_recall", "_accuracy"
)  # fmt: skip
HEAD = ("指标 figure", "值 value", "绝对值 absolute", "目标 goal", "达到 met", "说明 note")
AGAINST = (
    "指标 figure", "本版 this", "对照 other", "本/对 ratio", "目标 goal", "达到 met", "说明 note"
)  # fmt: skip
MET = {True: "是 yes", False: "否 no", None: ""}
Row = tuple[str, ...]


def ratios(figures: Mapping[str, float | None]) -> Figures:
    """Figures as parts of others, where both sides were measured."""
    found: Figures = {}
    for name, (figure, other) in RATIOS.items():
        if {figure, other} <= figures.keys():
            own, measured = figures[figure], figures[other]
            found[name] = own / measured if own and measured else None
    return found


def better(name: str, value: float | None, other: float | None) -> bool:
    """Whether a value of a figure is better than another."""
    if value is None or other is None:
        return value is not None
    return value > other if name.endswith(MORE_IS_BETTER) else value < other


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


def in_order(figures: Mapping[str, float | None]) -> Sequence[str]:
    """Figures with a goal first, ratios before others."""

    def rank(name: str) -> tuple[bool, bool]:
        return met(name, None) is None, name not in RATIOS

    return sorted(figures, key=rank)


def table(figures: Mapping[str, float | None], notes: Mapping[str, str] | None = None) -> str:
    """The figures with their goals."""
    return columns([HEAD, *_rows(figures, notes or {})])


def _rows(figures: Mapping[str, float | None], notes: Mapping[str, str]) -> Iterator[Row]:
    for name in in_order(figures):
        value, absolute = figures[name], RATIOS.get(name, ("", ""))[0]
        beside = f"{absolute} {shown(figures.get(absolute))}" if absolute else ""
        reached = MET[met(name, value)]
        yield name, shown(value), beside, goal(name), reached, notes.get(name, "")


def against(
    figures: Mapping[str, float | None],
    other: Mapping[str, float | None],
    notes: Mapping[str, str],
) -> str:
    """The figures of two sides beside one another."""
    rows = []
    for name in in_order(figures):
        value, theirs = figures[name], other.get(name)
        ratio = f"{value / theirs:.3f}" if value and theirs else ""
        reached = MET[met(name, value)]
        rows.append(
            (name, shown(value), shown(theirs), ratio, goal(name), reached, notes.get(name, ""))
        )
    return columns([AGAINST, *rows])


def shown(value: float | None) -> str:
    """A figure as the tables of a bench show it."""
    if value is None:
        return "不计 not counted"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
