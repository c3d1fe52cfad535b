"""The code tables of a place, and its units: what a ticket's codes are checked against.

A place takes its codes as its callers know them: numbers, Chinese words, letters. Wherever a code is
asked for, a row's name or one of its ``aliases`` is understood too.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar

from pydantic import PrivateAttr, StringConstraints, model_validator

from shared.jurisdiction.duty import Hours
from shared.jurisdiction.hierarchy import ill_placed
from shared.jurisdiction.naming import Names, idle_aliases, paths
from shared.jurisdiction.sections import Section, Where, Words, refuse, unknown_code
from shared.jurisdiction.succession import Dissolved, called, circles, same_people

FlagCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
# The last word of routing keys and queues, so no dot and none of the broker's wildcards.
UNIT_CODE = r"^[A-Z][A-Z0-9]{1,15}$"
UnitCode = Annotated[str, StringConstraints(pattern=UNIT_CODE)]
# 6 digits are a district or county, 9 a town or street, 12 a village or community (NBS).
AreaCode = Annotated[str, StringConstraints(pattern=r"^\d{6}(\d{3}){0,2}$")]
TermCode = Annotated[str, StringConstraints(pattern=r"^[^\s./]+([./][^\s./]+)*$", max_length=64)]
Aliases = tuple[Words, ...]
Telephone = Annotated[
    str,
    StringConstraints(pattern=r"^(0\d{2,3}-[2-8]\d{6,7}|1[3-9]\d{9}|[48]00-?\d{3}-?\d{4}|\d{5})$"),
]


class Area(Section):
    """区域: a part of the place, or the place as a whole. Which unit answers for it stands in units.yaml."""

    code: AreaCode
    name: Words
    aliases: Aliases = ()


class Term(Section):
    """A code and what it is called: the ground of a return (退单理由)."""

    code: TermCode
    zh: Words
    en: Words | None = None


class Channel(Term):
    """来源渠道: the way a demand comes in."""

    aliases: Aliases = ()


class Branch(Term):
    """领域: what topics, or further fields, lie under. ``parent`` is the field it lies under itself;
    left out, it is what stands before the last dot or stroke of its code.
    """

    parent: TermCode | None = None

    @property
    def above(self) -> str:
        """The code of the field it lies under; empty at the root."""
        return self.parent or "".join(prefixes(self.code)[-2:-1])


class Topic(Branch):
    """诉求分类: what a demand is about. Every topic lies in a field."""

    aliases: Aliases = ()


UnitKind = Literal["town", "district", "department", "utility", "office", "village", "station"]


class Unit(Hours):
    """承办单位: who can be given a ticket; ``liaison`` is the role that must sign (R-11, JN-13), ``deputy``
    and ``head`` the posts that hear of what is late, where it names them.

    ``aliases`` are understood where its code is asked for. ``known_by``: what a text besides calls it,
    its branches and its people's posts; one word may stand at several units (gazetteer.py).
    ``telephones`` are the unit's own for the public, which no mask takes out of a text. ``successors``:
    who follows it when it is dissolved, or has done so; when is the dispatcher's reform (机构改革).
    ``duty_hours``: its own, where they are not the place's; its clocks go by them.
    """

    code: UnitCode
    name: Words
    kind: UnitKind
    parent: UnitCode | None = None
    area: AreaCode | None = None
    delivery: Literal["amqp", "feed"]
    liaison: Words
    deputy: Words | None = None
    head: Words | None = None
    telephones: tuple[Telephone, ...] = ()
    aliases: Aliases = ()
    known_by: tuple[Words, ...] = ()
    successors: tuple[UnitCode, ...] = ()


class Codes(Section):
    """codes.yaml: the tables a ticket's codes are checked against."""

    areas: tuple[Area, ...]
    flags: tuple[FlagCode, ...]
    channels: tuple[Channel, ...]
    fields: tuple[Branch, ...]
    topics: tuple[Topic, ...]
    reasons: tuple[Term, ...]
    unsolved_reasons: tuple[Term, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        tables = ("areas", "channels", "fields", "topics", "reasons", "unsolved_reasons")
        twins = [twin for table in tables for twin in _twins(table, getattr(self, table))]
        refuse((*twins, *_without_field(self.fields, self.topics), *_idle(self)))
        return self

    @property
    def grounds(self) -> list[str]:
        """The grounds a unit may give for a return."""
        return [reason.code for reason in self.reasons]

    @property
    def unsolved(self) -> list[str]:
        """The codes of why a matter was not solved."""
        return [reason.code for reason in self.unsolved_reasons]

    def area(self, code: str) -> Area | None:
        """The area of a code, None when it is unknown."""
        return self._areas.get(code)

    def topic(self, code: str) -> Topic | None:
        """The topic of a code, None when it is unknown."""
        return self._topics.get(code)

    def channel(self, code: str) -> Channel | None:
        """The channel of a code, None when it is unknown."""
        return self._channels.get(code)

    def lineage(self, topic: str) -> Sequence[str]:
        """A topic or a field with all it lies under, root first. Of a code that stands in no table
        any more, such as an old ticket's, what it is made of.
        """
        return self._lineages.get(topic) or prefixes(topic)

    def area_above(self, code: str) -> str | None:
        """The next larger area of the table that an area lies in, None when there is none."""
        return next((above for above in areas_above(code)[1:] if above in self._areas), None)

    @property
    def branches(self) -> Collection[str]:
        """Every field and topic: what a rule may name to mean what lies under it."""
        return self._lineages.keys()

    @cached_property
    def _areas(self) -> Mapping[str, Area]:
        return _by_code(self.areas)

    @cached_property
    def _topics(self) -> Mapping[str, Topic]:
        return _by_code(self.topics)

    @cached_property
    def _channels(self) -> Mapping[str, Channel]:
        return _by_code(self.channels)

    @cached_property
    def _lineages(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, Sequence[str]] = {}
        for row in (*self.fields, *self.topics):  # what it lies under stands before it
            found.setdefault(row.code, (*found.get(row.above, ()), row.code))
        return found

    # --- what people call them -----------------------------------------------------------------

    @cached_property
    def area_names(self) -> Names:
        """Areas by name, also with the larger ones' names before it."""
        return Names({area.code: (*area.aliases, *self._area_paths(area)) for area in self.areas})

    @cached_property
    def topic_names(self) -> Names:
        """Topics by name in both languages, also with the names of their fields before it."""
        zh = {row.code: row.zh for row in (*self.fields, *self.topics)}
        return Names(
            {
                topic.code: (
                    *_called(topic, topic.aliases),
                    *paths([zh[code] for code in self.lineage(topic.code)]),
                )
                for topic in self.topics
            }
        )

    @cached_property
    def channel_names(self) -> Names:
        """Channels by name in both languages."""
        return Names({row.code: _called(row, row.aliases) for row in self.channels})

    def _area_paths(self, area: Area) -> Iterator[str]:
        above = [self._areas[code].name for code in areas_above(area.code) if code in self._areas]
        return paths(above[::-1])

    def nearest_areas(self, text: str, n: int = 3) -> list[str]:
        """Codes of the areas most like a code or a Chinese name, best first."""
        return _nearest(text, {area.code: area.name for area in self.areas}, n)

    def nearest_topics(self, text: str, n: int = 3) -> list[str]:
        """Codes of the topics most like a code or a Chinese name, best first."""
        return _nearest(text, {topic.code: topic.zh for topic in self.topics}, n)


class Units(Section):
    """units.yaml: the handling units. Towns and districts, and only these, answer for an area."""

    units: tuple[Unit, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kinds = {unit.code: unit.kind for unit in self.units}
        astray = [
            (("units", at, field), wrong)
            for at, unit in enumerate(self.units)
            for field, wrong in ill_placed(unit, kinds)
        ]
        idle = idle_aliases("units", [(unit.code, unit.aliases) for unit in self.units])
        refuse((*_twins("units", self.units), *astray, *idle, *_circles(self.units)))
        return self

    def unit(self, code: str) -> Unit | None:
        """The unit of a code, None when it is unknown."""
        return self._units.get(code)

    @cached_property
    def _units(self) -> Mapping[str, Unit]:
        return _by_code(self.units)

    @cached_property
    def names(self) -> Names:
        """Units by name."""
        return Names({unit.code: (unit.name, *unit.aliases) for unit in self.units})

    def called(self, codes: Iterable[str], dissolved: Mapping[str, Dissolved]) -> list[str]:
        """What a person is told of units: their names, of those that are no more with who follows them."""
        names = {unit.code: unit.name for unit in self.units}
        return [called(code, names, dissolved) for code in codes if code in names]

    def recused(self, reported: str | None) -> frozenset[str]:
        """回避: who stands back when a unit is complained of: itself, its parent and its children
        (R-35, JN-32), and those of who follows it in a reform and of whom it follows: they are, or will
        be, the same people. Nobody when none is. Mutual: who stands back for a unit, it stands back for.
        """
        if reported is None:
            return frozenset()
        kin = {each for meant in self._same_people(reported) for each in self._kin(meant)}
        return frozenset().union(*map(self._same_people, kin))

    def _kin(self, code: str) -> Iterator[str]:
        own = self.unit(code)
        yield from (code, own.parent) if own and own.parent else (code,)
        yield from (unit.code for unit in self.units if unit.parent == code)

    @cached_property
    def _same_people(self) -> Callable[[str], frozenset[str]]:
        return same_people([(unit.code, unit.successors) for unit in self.units])

    @cached_property
    def telephones(self) -> frozenset[str]:
        """The digits of the units' own telephones; of landlines also without the area code."""
        given = [number for unit in self.units for number in unit.telephones]
        local = [number.partition("-")[2] for number in given if number.startswith("0")]
        return frozenset(number.replace("-", "") for number in (*given, *local))

    def towns(self) -> dict[str, str]:
        """The town or district of each area that has one of its own: unit code by area code."""
        return {unit.area: unit.code for unit in self.units if unit.area is not None}

    def districts(self) -> frozenset[str]:
        """The districts: what is no grass-roots duty may be led by one (R-04)."""
        return frozenset(unit.code for unit in self.units if unit.kind == "district")

    def villages(self) -> frozenset[str]:
        """The villages and communities: grass roots as towns are (R-05)."""
        return frozenset(unit.code for unit in self.units if unit.kind == "village")

    def answering(self, codes: Codes) -> dict[str, str]:
        """Who answers for each area of the tables: of a village its town, of what has no town its
        district. Unit code by area code; an area nobody answers for is left out.
        """
        own = self.towns()
        found = {
            area.code: next((own[above] for above in areas_above(area.code) if above in own), "")
            for area in codes.areas
        }
        return {area: unit for area, unit in found.items() if unit}

    def nearest_units(self, text: str, n: int = 3) -> list[str]:
        """Codes of the units most like a code or a Chinese name, best first."""
        return _nearest(text, {unit.code: unit.name for unit in self.units}, n)


def prefixes(topic: str) -> list[str]:
    """What a code says by itself: ``a.b.c`` lies under ``a``, ``a.b`` and itself; so does ``a/b/c``."""
    ends = [at for at, letter in enumerate(topic) if letter in "./"]
    return [topic[:end] for end in (*ends, len(topic))]


def areas_above(code: str) -> list[str]:
    """An area and the larger ones it lies in, the smallest first: a village, its town, its county.
    Where a table writes all its codes in 12 digits, the larger ones end in noughts.
    """
    larger = [code[:digits] for digits in (9, 6) if digits < len(code)]
    spelt = [[stem, stem.ljust(12, "0")] if len(code) == 12 else [stem] for stem in larger]
    return list(dict.fromkeys([code, *(form for forms in spelt for form in forms)]))


class OfTopics(Section):
    """A part of the rules that names topics, or fields to mean what lies under them."""

    # By a factory: of a function as the default itself, pydantic would make a method.
    _lineage: Callable[[str], Sequence[str]] = PrivateAttr(default_factory=lambda: prefixes)

    def among(self, codes: Codes) -> Self:
        """These rules, told the tree of topics of their place: only its table knows what lies under
        what, where the codes are numbers.
        """
        self._lineage = codes.lineage
        return self


def towns_have_areas(units: Units, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: the area of a town or district is one of codes.yaml."""
    known = [area.code for area in codes.areas]
    for at, unit in enumerate(units.units):
        if unit.area is not None and unit.area not in known:
            yield "units", ("units", at, "area"), unknown_code(unit.area, known)


Row = TypeVar("Row", Area, Channel, Topic, Unit)


def _by_code(rows: Iterable[Row]) -> Mapping[str, Row]:
    return {row.code: row for row in rows}


def _called(row: Term, aliases: Aliases) -> Iterator[str]:
    yield from filter(None, (row.zh, row.en, *aliases))


def _twins(table: str, rows: Iterable[Area | Term | Unit]) -> Iterator[tuple[Where, str]]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.code in seen:
            yield (table, at, "code"), f"{row.code} 重复 stands here twice"
        seen.add(row.code)


def _without_field(
    fields: Iterable[Branch], topics: Iterable[Branch]
) -> Iterator[tuple[Where, str]]:
    """A field lies under one that stands before it, so none lies under itself; a topic in any."""
    known: set[str] = set()
    for at, field in enumerate(fields):
        if field.above and field.above not in known:
            yield (
                ("fields", at, "code"),
                f"{field.code} 的上级须写在前面 its parent must stand before it",
            )
        known.add(field.code)
    for at, topic in enumerate(topics):
        if topic.above not in known:
            yield ("topics", at, "code"), f"{topic.code} 不属于任何领域 lies in no field"


def _idle(codes: Codes) -> Iterator[tuple[Where, str]]:
    yield from idle_aliases("areas", [(row.code, row.aliases) for row in codes.areas])
    yield from idle_aliases("channels", [(row.code, row.aliases) for row in codes.channels])
    yield from idle_aliases("topics", [(row.code, row.aliases) for row in codes.topics])


def _circles(units: Iterable[Unit]) -> Iterator[tuple[Where, str]]:
    found = circles([(unit.code, unit.successors) for unit in units])
    yield from ((("units", at, "successors"), wrong) for at, wrong in found)


def _nearest(text: str, names: Mapping[str, str], n: int) -> list[str]:
    from rapidfuzz import fuzz  # two megabytes that only a slip needs

    asked = text.casefold()

    def likeness(code: str) -> float:
        return max(fuzz.WRatio(asked, code.casefold()), fuzz.WRatio(asked, names[code]))

    return heapq.nlargest(n, names, key=likeness)
