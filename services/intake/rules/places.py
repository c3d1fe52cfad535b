"""地名: which area a text names, by the names of areas, villages, streets and landmarks (DOMAIN.md section 7:
address → area is half of the problem; ADR 0059). Pure.

It finds *areas*; whom a text names is found by shared/jurisdiction/gazetteer.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, NamedTuple

from ahocorasick_rs import AhoCorasick
from pydantic import Field, StringConstraints

from shared.jurisdiction.codes import AreaCode, Codes, areas_above
from shared.jurisdiction.sections import Section, Where, unknown_code
from shared.jurisdiction.wording import plain

FULL_WIDTH = {letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}
PlaceName = Annotated[str, StringConstraints(pattern=r"^\S{2,40}$")]


class AreaPlaces(Section):
    """What lies in an area, as people call it."""

    area: AreaCode
    names: Annotated[tuple[PlaceName, ...], Field(min_length=1)]


class Places(Section):
    """places.yaml. ``whole``: the area of what names no part of the place; without it every complaint has
    to say its area.
    """

    whole: AreaCode | None = None
    places: tuple[AreaPlaces, ...] = ()


def places_have_areas(places: Places, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: every area named here is one of codes.yaml; the whole is no part."""
    known = [area.code for area in codes.areas]
    if places.whole is not None and places.whole not in known:
        yield "places", ("whole",), unknown_code(places.whole, known)
    for at, row in enumerate(places.places):
        if row.area not in known:
            yield "places", ("places", at, "area"), unknown_code(row.area, known)
        elif row.area == places.whole:
            wrong = "整个辖区没有可区分的地名 what lies in the whole place tells nothing apart"
            yield "places", ("places", at, "area"), wrong


class Named(NamedTuple):
    """The words of a text that name areas, in its order, and the area they agree on; None when they do
    not.
    """

    words: tuple[str, ...]
    area: str | None


class AreaFinder:
    """The names of a place's areas and of what lies in them, compiled once."""

    def __init__(self, places: Places, codes: Codes) -> None:
        self.whole = places.whole
        meanings: dict[str, set[str]] = {}
        for area, names in _named(places, codes):
            for written in (each for name in names for each in _written(name)):
                meanings.setdefault(written, set()).add(area)
        self._meanings: Mapping[str, frozenset[str]] = {
            name: frozenset(areas) for name, areas in meanings.items()
        }
        self._automaton = AhoCorasick(list(meanings))
        self._lineages = {area.code: _lineage(area.code, codes) for area in codes.areas}

    def find(self, text: str) -> Named | None:
        """The area a text names: the smallest that all its words allow. A village lies in the town that
        is named with it; of two villages it is their town, and of two towns nobody can tell.

        None when it names none.
        """
        words = tuple(dict.fromkeys(self._words(_dense(text))))
        if not words:
            return None
        meanings = [self._meanings[word] for word in words]
        certain = frozenset().union(*(areas for areas in meanings if len(areas) == 1))
        named = certain.union(*(_beside(areas, certain) for areas in meanings if len(areas) > 1))
        return Named(words, self._agreed(named))

    def _words(self, dense: str) -> list[str]:
        """The names in a text, in its order; a longer one hides what overlaps it."""
        found = self._automaton.find_matches_as_indexes(dense, overlapping=True)
        taken: list[tuple[int, int]] = []
        for _, start, end in sorted(found, key=lambda match: (match[1] - match[2], match[1])):
            if all(end <= other[0] or other[1] <= start for other in taken):
                taken.append((start, end))
        return [dense[start:end] for start, end in sorted(taken)]

    def _agreed(self, named: Iterable[str]) -> str | None:
        lineages = [self._lineages[area] for area in named]
        larger = {each for lineage in lineages for each in lineage[1:]}
        smallest = [lineage for lineage in lineages if lineage[0] not in larger]
        common = (each for each in smallest[0] if all(each in other for other in smallest))
        return next((each for each in common if each != self.whole), None)

    def within(self, area: str, larger: str) -> bool:
        """Whether an area is another, or lies in it."""
        return larger == self.whole or larger in areas_above(area)

    def town_of(self, area: str) -> str:
        """Of a village or community its town, where the table has it."""
        lineage = self._lineages[area]
        is_village = len(area) == 12 and not area.endswith("000")
        return lineage[1] if is_village and len(lineage) > 1 else area


def _named(places: Places, codes: Codes) -> Iterator[tuple[str, Iterable[str]]]:
    for area in codes.areas:
        if area.code != places.whole:
            yield area.code, (area.name, *area.aliases)
    for row in places.places:
        yield row.area, row.names


def _lineage(area: str, codes: Codes) -> Sequence[str]:
    """An area and those of the table it lies in, the smallest first."""
    return [each for each in areas_above(area) if codes.area(each)]


def _beside(areas: frozenset[str], certain: Iterable[str]) -> frozenset[str]:
    """Which of the areas of one name are meant: those beside areas that are named for certain, in one of
    them or around it; all of them when none is.
    """
    meant = frozenset(
        area
        for area in areas
        for other in certain
        if other in areas_above(area) or area in areas_above(other)
    )
    return meant or areas


def _written(name: str) -> set[str]:
    """A name as texts may write it, with half-width or full-width letters. To bring whole texts to one
    form would cost a registration more than all else done here.
    """
    half = _dense(plain(name))
    return {half, _dense(half.translate(FULL_WIDTH))} - {""}


def _dense(text: str) -> str:
    """Without blanks and capitals, as names are compared."""
    return "".join(text.casefold().split())
