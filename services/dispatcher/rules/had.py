"""另号已承办: since when units have had a ticket's matter under other numbers (并单, 拆分): another number is
no new start, nor does it bring them under a policy that gives more time (ADR 0049, 0072, 0087). Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any


def noted(
    kept: dict[str, Any] | None,
    round: int,
    units: Mapping[str, datetime],
    *,
    waited: bool = False,
) -> dict[str, Any] | None:
    """What a ticket keeps of a round, with more units; of each the first moment counts. ``waited``: there its
    citizen was waited for.
    """
    if kept and kept["round"] > round:
        return kept
    known = of_round(kept, round)
    for unit, at in units.items():
        known[unit] = min(known.get(unit, at), at)
    if not known:
        return kept
    return {
        "round": round,
        "since": {unit: at.isoformat() for unit, at in known.items()},
        "waited": waited or has_waited(kept, round),
    }


def since(
    kept: dict[str, Any] | None, round: int, follows: Callable[[str], bool]
) -> datetime | None:
    """Since when a unit, or one that it ``follows``, has had the matter of a round."""
    return min((at for unit, at in of_round(kept, round).items() if follows(unit)), default=None)


def has_waited(kept: dict[str, Any] | None, round: int) -> bool:
    """Whether the citizen of a round was waited for under another number."""
    return bool(kept and kept["round"] == round and kept["waited"])


def of_round(kept: dict[str, Any] | None, round: int) -> dict[str, datetime]:
    """The units that are kept of a round, with since when."""
    if not kept or kept["round"] != round:
        return {}
    return {unit: datetime.fromisoformat(at) for unit, at in kept["since"].items()}
