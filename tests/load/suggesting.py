"""How good suggestions are: ``suggest_accuracy`` and its like, five folds of confirmed orders.

``python -m tests.load.suggesting [ORDERS]`` prints figures as JSON. ORDERS is a CSV with a column each for
title, content and unit; without it those of tests/data/confirmed_orders.csv, invented for the purpose, are
taken. It takes the extra ``suggest``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.load.plan import Figures, Plan
from tests.load.plant import Plant
from tests.load.processes import DidNotStart

INVENTED = Path(__file__).parents[1] / "data" / "confirmed_orders.csv"
FIGURES = ("suggest_accuracy", "suggest_macro_f1", "suggest_top3", "suggest_auto_share_2pct")
FOLDS, SEED = 5, 0


async def suggestions(plant: Plant, plan: Plan) -> Figures:
    """Of orders the model has not seen, how many it suggests rightly, and how many it might dispatch."""
    try:
        said = await plant.side.run(
            "-m", "tests.load.suggesting", *plan.orders, database_url=plant.url("dispatcher")
        )
    except DidNotStart:  # without the extra, or a tree that has no such measure
        return dict.fromkeys(FIGURES) | {"notes": {FIGURES[0]: "没有 no extra `suggest`"}}
    found: Figures = json.loads(said)
    return found


def figures_of(path: Path) -> Figures:
    """The figures of a file of orders."""
    from operations.suggest import measuring
    from operations.suggest.samples import read_samples

    samples = read_samples(path)
    figures = measuring.measured([*measuring.folded(samples, FOLDS, SEED)])
    error = figures["suggest_auto_error"]
    notes = {
        "suggest_accuracy": f"{path.name}: {len(samples)}",
        "suggest_auto_share_2pct": f"其中有误 wrong of these {error:.3f}",
    }
    return {name: figures[name] for name in FIGURES} | {"details": figures, "notes": notes}


if __name__ == "__main__":
    path = Path(sys.argv[1]) if sys.argv[1:] else INVENTED
    sys.stdout.write(json.dumps(figures_of(path)))
