"""The code tables of a place, and its units: what a ticket's codes are checked against."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar

from pydantic import StringConstraints, model_validator

from shared.jurisdiction.sections import Section, Where, Words, refuse, unknown_code

FlagCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,8}$")]
Telephone = Annotated[
    str,
    StringConstraints(pattern=r"^(0\d{2,3}-[2-8]\d{6,7}|1[3-9]\d{9}|[48]00-?\d{3}-?\d{4}|\d{5})$"),
]
AreaCode = Annotated[str, StringConstraints(pattern=r"^\d{9}$")]


class Area(Section):
    """区域: a part of the place, or the place as a whole. Which town answers for it stands in units.yaml."""

    code: AreaCode
    name: Words


class Term(Section):
    """A channel (来源渠道), a field of topics (领域), a topic (诉求分类): ``field.matter``, or the
    ground of a return (退单理由).
    """

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
    zh: Words
    en: Words


class Unit(Section):
    """承办单位: who can be given a ticket; ``liaison`` is the role that must sign (R-11, JN-13).
    ``telephones`` are the unit's own for the public, which no mask takes out of a text.
    """

    code: UnitCode
    name: Words
    kind: Literal["town", "department", "utility", "office"]
    parent: UnitCode | None = None
    area: AreaCode | None = None
    delivery: Literal["amqp", "feed"]
    liaison: Words
    telephones: tuple[Telephone, ...] = ()


class Codes(Section):
    """codes.yaml: the tables a ticket's codes are checked against."""

    areas: tuple[Area, ...]
    flags: tuple[FlagCode, ...]
    channels: tuple[Term, ...]
    fields: tuple[Term, ...]
    topics: tuple[Term, ...]
    reasons: tuple[Term, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        tables = ("areas", "channels", "fields", "topics", "reasons")
        twins = [twin for table in tables for twin in _twins(table, getattr(self, table))]
        known = {field.code for field in self.fields}
        astray = [
            (("topics", at, "code"), f"{topic.code} 不属于任何领域 lies in no field")
            for at, topic in enumerate(self.topics)
            if topic.code.rpartition(".")[0] not in known
        ]
        refuse((*twins, *astray))
        return self

    @property
    def grounds(self) -> list[str]:
        """The grounds a unit may give for a return."""
        return [reason.code for reason in self.reasons]

    def area(self, code: str) -> Area | None:
        """The area of a code, None when it is unknown."""
        return self._areas.get(code)

    def topic(self, code: str) -> Term | None:
        """The topic of a code, None when it is unknown."""
        return self._topics.get(code)

    def channel(self, code: str) -> Term | None:
        """The channel of a code, None when it is unknown."""
        return self._channels.get(code)

    @cached_property
    def _areas(self) -> Mapping[str, Area]:
        return _by_code(self.areas)

    @cached_property
    def _topics(self) -> Mapping[str, Term]:
        return _by_code(self.topics)

    @cached_property
    def _channels(self) -> Mapping[str, Term]:
        return _by_code(self.channels)

    def nearest_areas(self, text: str, n: int = 3) -> list[str]:
        """Codes of the areas most like a code or a Chinese name, best first."""
        return _nearest(text, {area.code: area.name for area in self.areas}, n)

    def nearest_topics(self, text: str, n: int = 3) -> list[str]:
        """Codes of the topics most like a code or a Chinese name, best first."""
        return _nearest(text, {topic.code: topic.zh for topic in self.topics}, n)


class Units(Section):
    """units.yaml: the handling units. A town, and only a town, answers for an area."""

    units: tuple[Unit, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = {unit.code for unit in self.units}
        astray = [
            (("units", at, field), wrong)
            for at, unit in enumerate(self.units)
            for field, wrong in _ill_placed(unit, known)
        ]
        refuse((*_twins("units", self.units), *astray))
        return self

    def unit(self, code: str) -> Unit | None:
        """The unit of a code, None when it is unknown."""
        return self._units.get(code)

    @cached_property
    def _units(self) -> Mapping[str, Unit]:
        return _by_code(self.units)

    def recused(self, reported: str | None) -> frozenset[str]:
        """回避: who stands back when a unit is complained of: itself, its parent and its children
        (R-35, JN-32). Nobody when none is. Mutual: who stands back for a unit, it stands back for.
        """
        if reported is None:
            return frozenset()
        own = self.unit(reported)
        above = [own.parent] if own and own.parent else []
        below = [unit.code for unit in self.units if unit.parent == reported]
        return frozenset([reported, *above, *below])

    @cached_property
    def telephones(self) -> frozenset[str]:
        """The digits of the units' own telephones; of landlines also without the area code."""
        given = [number for unit in self.units for number in unit.telephones]
        local = [number.partition("-")[2] for number in given if number.startswith("0")]
        return frozenset(number.replace("-", "") for number in (*given, *local))

    def towns(self) -> dict[str, str]:
        """The town of each area: unit code by area code."""
        return {unit.area: unit.code for unit in self.units if unit.area is not None}

    def nearest_units(self, text: str, n: int = 3) -> list[str]:
        """Codes of the units most like a code or a Chinese name, best first."""
        return _nearest(text, {unit.code: unit.name for unit in self.units}, n)


def prefixes(topic: str) -> list[str]:
    """``a.b.c`` lies under ``a``, ``a.b`` and itself."""
    words = topic.split(".")
    return [".".join(words[:count]) for count in range(1, len(words) + 1)]


def towns_have_areas(units: Units, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: the area of a town is one of codes.yaml."""
    known = [area.code for area in codes.areas]
    for at, unit in enumerate(units.units):
        if unit.area is not None and unit.area not in known:
            yield "units", ("units", at, "area"), unknown_code(unit.area, known)


Row = TypeVar("Row", Area, Term, Unit)


def _by_code(rows: Iterable[Row]) -> Mapping[str, Row]:
    return {row.code: row for row in rows}


def _twins(table: str, rows: Iterable[Area | Term | Unit]) -> Iterator[tuple[Where, str]]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.code in seen:
            yield (table, at, "code"), f"{row.code} 重复 stands here twice"
        seen.add(row.code)


def _ill_placed(unit: Unit, known: Collection[str]) -> Iterator[tuple[str, str]]:
    if unit.parent is not None and (unit.parent == unit.code or unit.parent not in known):
        yield "parent", f"{unit.parent} 不是其他单位 is no other unit"
    if (unit.kind == "town") != (unit.area is not None):
        yield "area", "镇且仅镇须有区域 a town, and only a town, has one"


def _nearest(text: str, names: Mapping[str, str], n: int) -> list[str]:
    from rapidfuzz import fuzz  # two megabytes that only a slip needs

    asked = text.casefold()

    def likeness(code: str) -> float:
        return max(fuzz.WRatio(asked, code.casefold()), fuzz.WRatio(asked, names[code]))

    return heapq.nlargest(n, names, key=likeness)
