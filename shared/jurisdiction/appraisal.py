"""分类分档评价 How the figures of units stand beside one another: by class, by band of volume, and without a
rate where too few cases lie behind it (R-43). Nothing is ranked. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, Field, model_validator

from shared.jurisdiction.codes import Unit, UnitKind
from shared.jurisdiction.sections import Section, refuse

R = TypeVar("R")


class Band(BaseModel):
    """分档: from ``least`` to ``most`` cases in the period, both included; the uppermost has no ``most``."""

    least: int
    most: int | None


class UnitStanding(BaseModel):
    """What stands beside every unit's figures. ``kind``: its class (分类), as units.yaml has it; null of a
    unit that stands there no more. ``band``: by its volume (分档), null where the place has none. ``few``:
    its volume is below the place's least (place.yaml, ``appraisal``). A rate with fewer cases than that
    behind it is null; its counts are said.
    """

    unit: str
    kind: UnitKind | None
    band: Band | None
    few: bool


class Appraisal(Section):
    """How figures of units are told apart. ``bands``: with how many cases in the period each band but the
    first begins; without any there are none. ``least``: how many a rate of a unit takes.
    """

    bands: tuple[Annotated[int, Field(ge=1)], ...] = ()
    least: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        refuse(
            (
                ("bands", at),
                f"应大于前一档 must be more than {before}, where the band before begins",
            )
            for at, (before, begin) in enumerate(pairwise(self.bands), 1)
            if begin <= before
        )
        return self

    def standing(self, code: str, unit: Unit | None, volume: int) -> UnitStanding:
        """Where a unit with so many cases stands; ``unit`` is None of a code that units.yaml has no more."""
        return UnitStanding(
            unit=code,
            kind=unit.kind if unit else None,
            band=self._band(volume),
            few=volume < self.least,
        )

    def rate(self, rate: R | None, of: int) -> R | None:
        """A unit's rate, with so many cases behind it; None of too few."""
        return rate if of >= self.least else None

    def _band(self, volume: int) -> Band | None:
        if not self.bands:
            return None
        at = bisect_right(self.bands, volume)
        least, most = (0, *self.bands)[at], (*self.bands, None)[at]
        return Band(least=least, most=None if most is None else most - 1)


# Of all units together: they are compared with nobody, and everybody counts, few or not.
WHOLE = Appraisal()
