"""规则之间: whether an earlier rule leaves a later one anything, and where only their order decides. Pure.

What is said here is certain: a rule is called covered only where every ticket it asks for is another's
before. Of words that is known by one lying in the other (停水 has 水 in it), so a rule may be dead in
practice and not be found here; none that is alive is called dead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.dispatcher.rules.catalogue import Rule
from shared.events import TicketType
from shared.jurisdiction.codes import areas_above
from shared.jurisdiction.wording import plain

Lineage = Callable[[str], Sequence[str]]
LISTS = ("areas", "types", "channels", "asked_urgency", "flags", "dangers", "keywords")
OTHERS = ("all_keywords", "no_keywords", "on_duty", "hours", "longer_than", "shorter_than")


class Covered(NamedTuple):
    """A rule nothing reaches, by its place, and the places of those before it that take all it asks for."""

    rule: int
    by: tuple[int, ...]


class Overlap(NamedTuple):
    """Two rules, neither more exact than the other, that a ticket can meet both; the first decides."""

    first: int
    second: int


class Comparison:
    """The rules of a catalogue beside one another. ``lineage``: what a topic lies under, root first;
    ``leaves``: the topics a ticket can have.
    """

    def __init__(self, rules: Sequence[Rule], lineage: Lineage, leaves: Iterable[str]) -> None:
        self._rules, self._lineage = rules, lineage
        self._by_topic: dict[str | None, list[int]] = defaultdict(list)
        self._leaves: dict[str, list[str]] = defaultdict(list)
        for at, rule in enumerate(rules):
            self._by_topic[rule.topic].append(at)
        for leaf in leaves:
            for branch in lineage(leaf):
                self._leaves[branch].append(leaf)

    def covered(self) -> Iterator[Covered]:
        """Each rule that is reached by nothing, with who takes what it asks for."""
        for at, rule in enumerate(self._rules):
            if by := self._takers(at, rule):
                yield Covered(at, by)

    def whole(self, topic: str) -> bool:
        """Whether every ticket of a topic meets some rule, whatever else it says."""
        ticket = Rule(id="any", topic=topic, types=(*TicketType,), lead="any", reason="any")
        return bool(self._takers(len(self._rules), ticket))

    def _takers(self, at: int, rule: Rule) -> tuple[int, ...]:
        if (one := self._taker(at, rule)) is not None:
            return (one,)
        for parts in self._parted(rule):
            takers = [self._taker(at, part) for part in parts]
            if takers and all(taker is not None for taker in takers):
                return tuple(sorted({taker for taker in takers if taker is not None}))
        return ()

    def _taker(self, at: int, rule: Rule) -> int | None:
        return next(
            (
                each
                for each in self._before(at, rule)
                if covers(self._rules[each], rule, self._lineage)
            ),
            None,
        )

    def _before(self, at: int, rule: Rule) -> Iterator[int]:
        """Those before a rule that ask for its topic, for what it lies under, or for none."""
        for topic in (None, *(self._lineage(rule.topic) if rule.topic else ())):
            for each in self._by_topic.get(topic, ()):
                if each >= at:
                    break
                yield each

    def _parted(self, rule: Rule) -> Iterator[list[Rule]]:
        """The rule as several that together ask for the same, parted by one of its conditions."""
        if rule.topic and (leaves := self._leaves.get(rule.topic, [])) not in ([], [rule.topic]):
            yield [rule.model_copy(update={"topic": leaf}) for leaf in leaves]
        for name in LISTS:
            values = getattr(rule, name)
            if len(values) > 1:
                yield [rule.model_copy(update={name: (value,)}) for value in values]

    def overlaps(self) -> Iterator[Overlap]:
        """Each two rules with different leads that ask for the same kinds of things, share something of
        each, and of which neither asks for more than the other.
        """
        alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, rule in enumerate(self._rules):
            alike[_kinds(rule)].append(at)
        for places in alike.values():
            for nth, first in enumerate(places):
                for second in places[nth + 1 :]:
                    if self._meet(self._rules[first], self._rules[second]):
                        yield Overlap(first, second)

    def _meet(self, first: Rule, second: Rule) -> bool:
        if first.lead == second.lead or not self._same_branch(first.topic, second.topic):
            return False
        if not all(_share(first, second, name) for name in (*LISTS, "all_keywords")):
            return False
        if any(getattr(first, name) != getattr(second, name) for name in OTHERS[1:]):
            return False
        return not (covers(first, second, self._lineage) or covers(second, first, self._lineage))

    def _same_branch(self, one: str | None, other: str | None) -> bool:
        if one is None or other is None:
            return one is other
        return one in self._lineage(other) or other in self._lineage(one)


def _kinds(rule: Rule) -> tuple[str, ...]:
    return tuple(
        name for name in ("topic", *LISTS, *OTHERS) if getattr(rule, name) not in (None, ())
    )


def _share(first: Rule, second: Rule, name: str) -> bool:
    one, other = getattr(first, name), getattr(second, name)
    if name == "areas":
        return (
            not one or any(_lies_in(a, other) for a in one) or any(_lies_in(b, one) for b in other)
        )
    return not one or not set(one).isdisjoint(other)


def _lies_in(area: str, areas: Collection[str]) -> bool:
    return not set(areas).isdisjoint(areas_above(area))


# --- one rule beside another -------------------------------------------------------------------


def covers(earlier: Rule, later: Rule, lineage: Lineage) -> bool:
    """Whether every ticket that meets the later rule certainly meets the earlier one, too."""
    if earlier.topic and not (later.topic and earlier.topic in lineage(later.topic)):
        return False
    for name in ("types", "channels", "asked_urgency", "flags", "dangers"):
        asked, given = getattr(earlier, name), getattr(later, name)
        if asked and not (given and set(given) <= set(asked)):
            return False
    if earlier.areas and not (
        later.areas and all(_lies_in(area, earlier.areas) for area in later.areas)
    ):
        return False
    return (
        _moment_covers(earlier, later)
        and _length_covers(earlier, later)
        and _words_cover(earlier, later)
    )


def _moment_covers(earlier: Rule, later: Rule) -> bool:
    return earlier.on_duty in (None, later.on_duty) and earlier.hours in (None, later.hours)


def _length_covers(earlier: Rule, later: Rule) -> bool:
    longer, shorter = earlier.longer_than, earlier.shorter_than
    return (longer is None or (later.longer_than or 0) >= longer) and (
        shorter is None or (later.shorter_than is not None and later.shorter_than <= shorter)
    )


def _words_cover(earlier: Rule, later: Rule) -> bool:
    """Whether the later rule's words are enough for the earlier one. A denial makes a word another word,
    so where one of the two heeds it, only the same words say anything.
    """
    if not (earlier.keywords or earlier.all_keywords or earlier.no_keywords):
        return True
    strict = earlier.unless_denied or later.unless_denied
    if strict and earlier.unless_denied is not later.unless_denied:
        return False
    holds = _same if strict else _in
    any_of, all_of, none_of = (
        _plain(later.keywords),
        _plain(later.all_keywords),
        _plain(later.no_keywords),
    )

    def said(word: str) -> bool:
        """Whether a text that meets the later rule certainly has the word."""
        return any(holds(word, each) for each in all_of) or (
            bool(any_of) and all(holds(word, each) for each in any_of)
        )

    asked = _plain(earlier.keywords)
    any_said = (
        not asked
        or any(map(said, asked))
        or (bool(any_of) and all(any(holds(word, each) for word in asked) for each in any_of))
    )
    return (
        any_said
        and all(map(said, _plain(earlier.all_keywords)))
        and all(any(holds(each, word) for each in none_of) for word in _plain(earlier.no_keywords))
    )


def never_met(rule: Rule) -> str | None:
    """A word by which a rule rules out whatever it asks for: 水 where it asks for 停水. None when it does
    not.
    """
    if rule.unless_denied:
        return None
    any_of, all_of = _plain(rule.keywords), _plain(rule.all_keywords)
    for word in _plain(rule.no_keywords):
        if any(word in each for each in all_of) or (
            any_of and all(word in each for each in any_of)
        ):
            return word
    return None


def _plain(words: Iterable[str]) -> list[str]:
    return [plain(word) for word in words]


def _same(word: str, text: str) -> bool:
    return word == text


def _in(word: str, text: str) -> bool:
    return word in text


def changes(before: Sequence[Rule], after: Sequence[Rule]) -> Mapping[str, list[str]]:
    """What is another in a catalogue than in the one before, by the ids of its rules: added, changed,
    removed. Who only stands in another place is changed where another rule stands before it now.
    """
    old, new = {rule.id: rule for rule in before}, {rule.id: rule for rule in after}
    kept = [rule.id for rule in before if rule.id in new]
    order = [rule.id for rule in after if rule.id in old]
    moved = {id for id, was in zip(order, kept, strict=True) if id != was}
    return {
        "added": [id for id in new if id not in old],
        "changed": [id for id in new if id in old and (new[id] != old[id] or id in moved)],
        "removed": [id for id in old if id not in new],
    }
