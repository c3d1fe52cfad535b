"""派单目录, the dispatch catalogue: which rule covers a ticket (R-03, GB66-5). Pure.

The rules are compiled once. Each condition is an index from a value to the set of rules it
satisfies, held as the bits of an integer; a ticket's rules are the intersection of six such sets,
and the lowest bit is the first rule in file order. All keywords are looked for in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Self

from ahocorasick_rs import AhoCorasick
from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.events import TicketRegistered, TicketType, Urgency
from shared.jurisdiction.codes import areas_above, prefixes
from shared.jurisdiction.sections import Section, Where, refuse, unknown_code
from shared.jurisdiction.urgency import plain

TOWN = "{town}"
NEAREST = 5

NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Rule(Section):
    """One line of the catalogue: every condition that is given must hold, and one must be given.

    ``topic`` covers itself and what lies under it, an area what lies in it. ``keywords`` and
    ``flags``: any of. ``lead`` and ``co_handlers`` are unit codes or ``{town}``, who answers for
    the ticket's area. ``grassroots``: the matter is in the towns' duty list, so a town may lead
    (GB66-5, R-05).
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    topic: NonBlank | None = None
    areas: tuple[NonBlank, ...] = ()
    types: tuple[TicketType, ...] = ()
    keywords: tuple[NonBlank, ...] = ()
    flags: tuple[NonBlank, ...] = ()
    lead: NonBlank
    co_handlers: tuple[NonBlank, ...] = ()
    urgency: Urgency | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    grassroots: bool = False

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not (self.topic or self.areas or self.types or self.keywords or self.flags):
            raise ValueError("a rule without a condition would cover every ticket")
        return self

    @field_validator("urgency")
    @classmethod
    def _not_complex(cls, urgency: Urgency | None) -> Urgency | None:
        if urgency is Urgency.COMPLEX:
            raise ValueError("complex is granted by the desk, never by a rule")
        return urgency


class Catalogue(Section):
    """The whole file; the first rule that covers a ticket decides."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        seen: set[str] = set()
        twins: list[tuple[Where, str]] = []
        for at, rule in enumerate(self.rules):
            if rule.id in seen:
                twins.append((("rules", at, "id"), f"编号重复 rule id {rule.id} is used twice"))
            seen.add(rule.id)
        refuse(twins)
        return self


def unknown_codes(
    catalogue: Catalogue,
    *,
    units: Collection[str],
    topics: Collection[str],
    areas: Collection[str],
    flags: Collection[str],
) -> Iterator[tuple[Where, str]]:
    """Every code that the jurisdiction does not know: where it stands, and what is wrong.

    ``topics`` are the fields, too: a rule may name either.
    """
    for index, rule in enumerate(catalogue.rules):
        yield from _unknown(("rules", index, "topic"), [rule.topic] if rule.topic else [], topics)
        yield from _unknown(("rules", index, "areas"), rule.areas, areas)
        yield from _unknown(("rules", index, "flags"), rule.flags, flags)
        yield from _unknown(("rules", index, "lead"), [rule.lead], {*units, TOWN})
        yield from _unknown(("rules", index, "co_handlers"), rule.co_handlers, {*units, TOWN})


def _unknown(
    where: Where, codes: Iterable[str], known: Collection[str]
) -> Iterator[tuple[Where, str]]:
    for code in codes:
        if code not in known:
            yield where, unknown_code(code, known)


class _Index:
    """The rules that ask for a value, by value; ``free`` are those that ask for none."""

    def __init__(self, asked: Iterable[Collection[str]]) -> None:
        self.free = 0
        self.by_value: dict[str, int] = {}
        for bit, values in enumerate(asked):
            if not values:
                self.free |= 1 << bit
            for value in values:
                self.by_value[value] = self.by_value.get(value, 0) | 1 << bit

    def satisfied(self, values: Iterable[str]) -> int:
        """The rules whose condition holds when the ticket has these values."""
        bits = self.free
        for value in values:
            bits |= self.by_value.get(value, 0)
        return bits


class Matcher:
    """The catalogue compiled: finds the first rule that covers a ticket. ``lineage``: what a topic
    lies under, root first.
    """

    def __init__(
        self, rules: Sequence[Rule], lineage: Callable[[str], Sequence[str]] = prefixes
    ) -> None:
        self.rules = tuple(rules)
        self._lineage = lineage
        self._topics = _Index([rule.topic] if rule.topic else () for rule in rules)
        self._areas = _Index(rule.areas for rule in rules)
        self._types = _Index([str(kind) for kind in rule.types] for rule in rules)
        self._flags = _Index(rule.flags for rule in rules)
        self._keywords = _Index([plain(word) for word in rule.keywords] for rule in rules)
        self._words = list(self._keywords.by_value)
        self._automaton = AhoCorasick(self._words)
        self._fields = _by_field(rules, lineage)

    def first(self, ticket: TicketRegistered, text: str) -> Rule | None:
        """The first rule in file order whose every condition holds; ``text`` is text_of(ticket)."""
        bits = (
            self._topics.satisfied(self._lineage(ticket.topic))
            & self._areas.satisfied(areas_above(ticket.area))
            & self._types.satisfied((ticket.type,))
            & self._flags.satisfied(ticket.flags)
        )
        if bits & ~self._keywords.free:  # only then can the text matter
            bits &= self._keywords.satisfied(self._found(text))
        return self.rules[(bits & -bits).bit_length() - 1] if bits else None

    def nearest(self, topic: str) -> tuple[str, ...]:
        """Ids of the first rules in the same field, for a person to start from."""
        return self._fields.get(self._lineage(topic)[0], ())

    def _found(self, text: str) -> Iterator[str]:
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return (self._words[pattern] for pattern, _, _ in matches)


def _by_field(
    rules: Iterable[Rule], lineage: Callable[[str], Sequence[str]]
) -> Mapping[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.topic:
            field = lineage(rule.topic)[0]
            fields[field] = (*fields.get(field, ()), rule.id)[:NEAREST]
    return fields
