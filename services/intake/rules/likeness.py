"""相似诉求: whether two reports may be about one matter: who, where, when, and in what words. Pure.

Words are compared by the pairs of characters they share. Chinese needs no cutting into words for that,
another order of the same clauses changes little, and what one caller leaves out is forgiven: half of
the measure asks how much of the shorter text is in the longer one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from math import asin, cos, radians, sin, sqrt
from typing import Annotated

from pydantic import Field

from shared.events import Location
from shared.jurisdiction.sections import Section

EARTH_M = 6_371_000
FEW = (
    8  # pairs of characters below which a text says too little to be contained in another by chance
)
# What people say to a hotline whatever their matter is.
STOCK = re.compile(
    "您好|你好|尊敬的|领导|请问|谢谢|感谢|希望|恳请|有关部门|相关部门|尽快|投诉|反映|举报|咨询|关于|问题"
)


class Duplicates(Section):
    """duplicates.yaml: within how many days, how far apart, and how like in words (0 to 1)."""

    window_days: Annotated[int, Field(ge=1, le=365)]
    radius_m: Annotated[int, Field(ge=10, le=50_000)]
    likeness: Annotated[float, Field(gt=0, le=1)]

    @property
    def window(self) -> timedelta:
        """How long before now a report of the same matter may have come."""
        return timedelta(days=self.window_days)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a pair of reports. ``distance_m``: None where one of them has no location."""

    same_person: bool
    same_kind: bool
    distance_m: float | None
    likeness: float


def is_candidate(seen: Seen, rules: Duplicates) -> bool:
    """Whether a person should look: the same caller, or the same topic and area with a place that is
    near or words that are alike. Who is far away by coordinates reports another matter, however
    alike the words.
    """
    return seen.same_person or (seen.same_kind and _is_same_matter(seen, rules))


def repeats(seen: Seen, rules: Duplicates) -> bool:
    """R-09: the same person, the same matter, and nothing new: the progress is told."""
    return seen.same_person and seen.same_kind and _is_same_matter(seen, rules)


def _is_same_matter(seen: Seen, rules: Duplicates) -> bool:
    if seen.distance_m is not None:
        return seen.distance_m <= rules.radius_m
    return seen.likeness >= rules.likeness


def likeness(one: str, other: str) -> float:
    """How much two texts share, 0 to 1."""
    a, b = _pairs(one), _pairs(other)
    if not a or not b:
        return 0.0
    common, fewer = len(a & b), min(len(a), len(b))
    dice = 2 * common / (len(a) + len(b))
    return dice if fewer < FEW else (dice + common / fewer) / 2


@lru_cache(maxsize=512)
def _pairs(text: str) -> frozenset[str]:
    said = STOCK.sub("", unicodedata.normalize("NFKC", text).lower())
    letters = re.sub(r"[\W_]+", "", said)
    return frozenset(letters[at : at + 2] for at in range(len(letters) - 1))


def distance_m(one: Location | None, other: Location | None) -> float | None:
    """Metres between two places over the ground (haversine); None where one is not known."""
    if one is None or other is None:
        return None
    north, south = radians(one.latitude), radians(other.latitude)
    across = sin(radians(other.longitude - one.longitude) / 2) ** 2
    along = sin((south - north) / 2) ** 2
    return 2 * EARTH_M * asin(sqrt(along + cos(north) * cos(south) * across))
