"""How much of what the masks should take they leave, how much they take that they should leave.

``python -m tests.load.masks [TEXTS]`` seeds texts with invented numbers of people and of things
(tests/fixtures/identities.py) and prints figures as JSON. TEXTS is a CSV file, of each row its longest
column; without it those of tests/data/public_texts.csv, written for the purpose, are taken.
"""

from __future__ import annotations

import csv
import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from shared import clock
from shared.security.masking import mask_patterns
from shared.security.reading import FOLD, NUMERALS
from tests.fixtures.identities import HARMLESS, IDENTITIES, Kind
from tests.load.plan import Figures, Plan
from tests.load.plant import Plant
from tests.load.processes import DidNotStart

SAMPLE = Path(__file__).parents[1] / "data" / "public_texts.csv"
BEFORE = ("我的是", "请联系", "对方留的是", "，", "：", "昨天他发来")
AFTER = ("，请核实", "。", "请尽快处理", "\n", "；还没人管")
LEAST, SHOWN = 4, 4  # characters of a number that tell it; at least so many seeds of a kind
PASSES = 3

Mask = Callable[[str], str]


async def masks(plant: Plant, plan: Plan) -> Figures:
    """Shares of seeded numbers that leave, and that are masked for nothing; microseconds a text."""
    try:
        said = await plant.side.run(
            "-m", "tests.load.masks", *plan.texts, database_url=plant.url("intake")
        )
    except DidNotStart:  # a tree that has no such measure
        return {"mask_left": None, "mask_wrong": None, "mask_us": None}
    found: Figures = json.loads(said)
    return found


def texts_of(path: Path) -> list[str]:
    """Of each row the longest column."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [max(row, key=len) for row in csv.reader(lines)][1:]


def rates(texts: Sequence[str], mask: Mask) -> Figures:
    """The figures of one mask on texts."""
    rng = random.Random(20261127)
    left, wrong = Counter[str](), Counter[str]()
    each = max(SHOWN, len(texts) // 10)
    for kind, text, seed in seeded(rng, texts, IDENTITIES, each):
        left[kind] += survives(seed, mask(text))
    for kind, text, seed in seeded(rng, texts, HARMLESS, each):
        wrong[kind] += seed not in mask(text)
    return {
        "mask_left": left.total() / (each * len(IDENTITIES)),
        "mask_wrong": wrong.total() / (each * len(HARMLESS)),
        "mask_us": microseconds(texts, mask),
        "details": {
            "texts": len(texts),
            "seeds_each": each,
            "left": {kind: left[kind] / each for kind in IDENTITIES},
            "wrong": {kind: wrong[kind] / each for kind in HARMLESS},
        },
    }


def seeded(
    rng: random.Random, texts: Sequence[str], kinds: Mapping[str, Kind], each: int
) -> Iterator[tuple[str, str, str]]:
    """The kind of a number, a text with one put between two sentences, and the number."""
    for kind, make in kinds.items():
        for _ in range(each):
            text, seed = rng.choice(texts), make(rng)
            ends = [0, *(at + 1 for at, char in enumerate(text) if char in "。！？")]
            at = rng.choice(ends)
            put = rng.choice(BEFORE) + seed + rng.choice(AFTER)
            yield kind, text[:at] + put + text[at:], seed


def survives(seed: str, masked: str) -> bool:
    """Whether enough of a number to tell it is left, however it is written."""
    known, kept = _dense(seed), _dense(masked)
    parts = {known[at : at + 2 * LEAST] for at in range(max(1, len(known) - 2 * LEAST + 1))}
    return any(part in kept for part in parts)


def _dense(text: str) -> str:
    plain = text.translate(FOLD).translate(NUMERALS).replace("么", "1")
    return "".join(char for char in plain if char.isascii() and char.isalnum())


def microseconds(texts: Sequence[str], mask: Mask) -> float:
    """Of one text as it came, the best of some passes."""
    taken = []
    for _ in range(PASSES):
        began = clock.real()
        for text in texts:
            mask(text)
        taken.append((clock.real() - began).total_seconds() / len(texts) * 1e6)
    return min(taken)


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else SAMPLE
    sys.stdout.write(json.dumps(rates(texts_of(path), mask_patterns)))
