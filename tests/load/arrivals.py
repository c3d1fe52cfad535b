"""When calls come: at random around a rate, or as they came to a real hotline, faster.

Arrivals are seconds from the start, in order. Nothing here waits.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random

AMERICAN = "%m/%d/%Y %I:%M:%S %p"


class NoArrivals(Exception):
    """A file that holds no times of arrival; the message says what is wrong with it."""


def at_random(rate: float, seed: int = 12345) -> Iterator[float]:
    """Endless arrivals, ``rate`` a second on average: callers do not know of one another."""
    throw, now = Random(seed), 0.0
    for _ in count():
        now += throw.expovariate(rate)
        yield now


def replayed(path: Path, speed: float) -> list[float]:
    """The arrivals of a CSV, ``speed`` times as fast. Raises NoArrivals.

    The column is the first whose name holds ``created``; times are ISO 8601 or
    ``12/31/2015 11:59:45 PM``, and rows without one are left out.
    """
    moments = sorted(_moments(path))
    if not moments:
        raise NoArrivals(f"{path}: 没有时间 no row has a time")
    return [(moment - moments[0]).total_seconds() / speed for moment in moments]


def _moments(path: Path) -> Iterator[datetime]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            column = _column(path, rows.fieldnames or ())
            for row in rows:
                if row[column]:
                    yield _moment(path, rows.line_num, row[column])
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise NoArrivals(f"{path}: 不能读取 cannot be read: {error}") from None


def _column(path: Path, names: object) -> str:
    for name in names if isinstance(names, list) else ():
        if "created" in name.lower():
            return str(name)
    raise NoArrivals(f"{path}: 没有名称含 created 的列 no column's name holds `created`")


def _moment(path: Path, line: int, words: str) -> datetime:
    for read in (datetime.fromisoformat, lambda text: datetime.strptime(text, AMERICAN)):  # noqa: DTZ007 - only differences count
        try:
            return read(words).replace(tzinfo=None)
        except ValueError:
            continue
    raise NoArrivals(f"{path}:{line}: 不是时间 not a time: {words[:40]!r}")
