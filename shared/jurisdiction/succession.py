"""机构改革: who follows a unit that is no more, and what it is called today. Pure.

A unit is dissolved at one moment, by a reform two persons decided (docs/adr/0056-reforms-of-units.md).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.events import UnitReformed


class Dissolved(NamedTuple):
    """A unit that is no more: since when, and by what reform."""

    since: datetime
    reform: UnitReformed


def successor(dissolved: Dissolved, topics: Collection[str], areas: Collection[str]) -> str | None:
    """Who has a matter now; None where a person must say, for a split gives it to several.

    ``topics``, ``areas``: the matter's own with all it lies under.
    """
    if not dissolved.reform.parts:
        return dissolved.reform.successors[0]
    claimed = {
        part.unit
        for part in dissolved.reform.parts
        if (not part.topics or not set(part.topics).isdisjoint(topics))
        and (not part.areas or not set(part.areas).isdisjoint(areas))
    }
    if not claimed:
        return dissolved.reform.remainder
    return claimed.pop() if len(claimed) == 1 else None


def acts_as(unit: str, dissolved: Mapping[str, Dissolved]) -> Sequence[str]:
    """As whom a unit acts today: itself, its one successor, or nobody where it was split: then those it
    was split into.
    """
    seen: set[str] = set()
    while (own := dissolved.get(unit)) and unit not in seen:
        seen.add(unit)
        if len(own.reform.successors) > 1:
            return own.reform.successors
        [unit] = own.reform.successors
    return [unit]


def became(unit: str, at: datetime, dissolved: Mapping[str, Dissolved]) -> frozenset[str]:
    """Who a unit had become by a moment: itself, and all that followed it by reforms of until then."""

    def after(code: str) -> Sequence[str]:
        own = dissolved.get(code)
        return own.reform.successors if own and own.since <= at else ()

    return closure(unit, after)


def called(unit: str, names: Mapping[str, str], dissolved: Mapping[str, Dissolved]) -> str:
    """What a person is told of a unit: its name, and of one that is no more the name of who follows it
    beside: 甲局（现乙局）. Never its bare code.
    """
    name = names.get(unit, "承办单位")
    if unit not in dissolved:
        return name
    now = "、".join(names.get(each, "") for each in acts_as(unit, dissolved))
    return f"{name}（现{now}）" if now else name


# --- units.yaml ---------------------------------------------------------------------------------

Followed = Sequence[tuple[str, Sequence[str]]]  # units with who follows each


def same_people(units: Followed) -> Callable[[str], frozenset[str]]:
    """Of a unit, itself with all that follow it and all that it follows, however many reforms ago."""
    after, before = dict(units), dict[str, list[str]]()
    for unit, successors in units:
        for each in successors:
            before.setdefault(each, []).append(unit)
    return lambda unit: (
        closure(unit, lambda each: after.get(each, ()))
        | closure(unit, lambda each: before.get(each, ()))
    )


def circles(units: Followed) -> Iterator[tuple[int, str]]:
    """Who would follow itself, however many reforms later: its orders would have no place to go."""
    follow = dict(units)
    for at, (code, successors) in enumerate(units):
        if any(code in closure(each, lambda one: follow.get(one, ())) for each in successors):
            yield at, f"{code} 不能由自己承接 follows itself, by way of {', '.join(successors)}"


def closure(code: str, next_of: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """A code with all that is reached from it, step by step."""
    found, left = {code}, [code]
    while left:
        new = set(next_of(left.pop())) - found
        found |= new
        left += sorted(new)
    return frozenset(found)
