"""What a model learns from: texts with the unit each was right for, and units each was wrong for."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from shared.errors import ConfigError
from shared.jurisdiction.reader import bytes_of

COLUMNS = {
    "title": ("title", "标题", "主题", "留言主题"),
    "content": ("content", "内容", "诉求内容", "留言详情"),
    "unit": ("unit", "承办单位", "主办单位", "一级标签"),
}
LARGEST = 500_000_000  # bytes of a CSV
LEAST_ORDERS = 5  # of a unit; of fewer nothing is learned


@dataclass(frozen=True, slots=True)
class Sample:
    """A text; ``unit``: who did it, None where that is not known; ``against``: whose returns were granted."""

    title: str
    content: str
    unit: str | None
    against: frozenset[str] = frozenset()


def read_samples(path: Path) -> list[Sample]:
    """The rows of a CSV with a column each for title, content and unit. Raises ConfigError."""
    try:
        text = bytes_of(path, LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: 文件不是 UTF-8 编码 not in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = _columns(path, reader.fieldnames or ())
    rows = [{key: (row[name] or "").strip() for key, name in names.items()} for row in reader]
    return [Sample(row["title"], row["content"], row["unit"]) for row in rows if row["unit"]]


def _columns(path: Path, head: Sequence[str]) -> dict[str, str]:
    found = {}
    for key, called in COLUMNS.items():
        name = next((name for name in head if name.strip().casefold() in called), None)
        if name is None:
            raise ConfigError(f"{path}: 缺少列 no column {' / '.join(called)}")
        found[key] = name
    return found


def units_of(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The units with enough orders to learn from, by their codes. Raises ConfigError for fewer than two."""
    counts = Counter(sample.unit for sample in samples if sample.unit)
    units = tuple(sorted(unit for unit, count in counts.items() if count >= LEAST_ORDERS))
    if len(units) < 2:
        raise ConfigError(
            f"至少两个单位各需 {LEAST_ORDERS} 件已确认的工单 at least two units need {LEAST_ORDERS} "
            f"confirmed orders each; {len(units)} have them"
        )
    return units


def dealt(samples: Sequence[Sample], folds: int, seed: int) -> list[int]:
    """The fold of each sample: those of a unit are shuffled and dealt out evenly."""
    rng = Random(seed)
    by_unit: dict[str, list[int]] = {}
    for at, sample in enumerate(samples):
        by_unit.setdefault(sample.unit or "", []).append(at)
    found, turn = [0] * len(samples), 0
    for unit in sorted(by_unit):
        rng.shuffle(by_unit[unit])
        for at in by_unit[unit]:
            found[at], turn = turn % folds, turn + 1
    return found
