"""先例: how like one matter is another. Pure."""

from __future__ import annotations

from typing import NamedTuple

from shared.jurisdiction.codes import areas_above


class Matter(NamedTuple):
    """What two matters are compared by."""

    topic: str
    area: str
    type: str
    title: str


Likeness = tuple[bool, bool, bool, float]


def likeness(matter: Matter, other: Matter) -> Likeness:
    """How like one is another, the more the greater: the same topic first, then an area that lies in the
    other's, or about it, then the same type, then what their titles share.
    """
    near = matter.area in areas_above(other.area) or other.area in areas_above(matter.area)
    return (
        matter.topic == other.topic,
        near,
        matter.type == other.type,
        _shared(_pairs(matter.title), _pairs(other.title)),
    )


def _pairs(text: str) -> frozenset[str]:
    """Two letters each: what Chinese has for words."""
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))


def _shared(some: frozenset[str], others: frozenset[str]) -> float:
    """Of all pairs of both texts, the part that stands in either (Jaccard)."""
    together = some | others
    return len(some & others) / len(together) if together else 0.0
