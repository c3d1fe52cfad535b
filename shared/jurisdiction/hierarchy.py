"""上下级: under what each kind of unit lies in units.yaml, and whom it may name. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

# Under what a unit of these kinds lies, and how that is said.
UNDER: Mapping[str, tuple[Collection[str], str]] = {
    "village": (
        ("town", "district"),
        "村（社区）须有上级，且为镇或区县 a village lies under a town or a district",
    ),
    "station": (
        ("department", "utility"),
        "站所须有上级，且为部门或公用企业 a station lies under a department or a utility",
    ),
}


class Placed(Protocol):
    """A unit as units.yaml places it."""

    @property
    def code(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def parent(self) -> str | None: ...
    @property
    def area(self) -> str | None: ...
    @property
    def successors(self) -> Sequence[str]: ...


def ill_placed(unit: Placed, kinds: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with where a unit lies, by its field; ``kinds``: of every unit, by code."""
    for follows in unit.successors:
        if follows not in kinds:
            yield "successors", f"{follows} 不是其他单位 is no other unit"
    above = kinds.get(unit.parent) if unit.parent else None
    if unit.parent is not None and (unit.parent == unit.code or above is None):
        yield "parent", f"{unit.parent} 不是其他单位 is no other unit"
    elif unit.kind in UNDER and above not in UNDER[unit.kind][0]:
        yield "parent", UNDER[unit.kind][1]
    elif above in UNDER:
        yield "parent", f"{unit.parent} 无下级单位 has no units under it"
    if (unit.kind in ("town", "district")) != (unit.area is not None):
        yield "area", "镇和区县须有区域，其他单位不得有 towns and districts have one, and only they"
