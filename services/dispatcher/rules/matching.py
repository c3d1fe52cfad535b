"""派单: which rule of the catalogue covers a ticket, found in microseconds (R-03). Pure.

The rules are compiled once. Each condition is an index from a value to the set of rules it
satisfies, held as the bits of an integer; a ticket's rules are the intersection of these sets,
and the lowest bit is the first rule in file order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from ahocorasick_rs import AhoCorasick

from services.dispatcher.rules.catalogue import Rule
from shared.events import TicketRegistered
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.codes import areas_above, prefixes
from shared.jurisdiction.wording import plain

NEAREST = 5
FEW = 24  # rules: from so many on it is faster to read the text once for all
UNDENIED = "\0"  # before a word that counts only where it is not denied

Denied = Callable[[str, int, int], bool]  # whether a text denies its word from here to there


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
        return self.free | self.asking(values)

    def asking(self, values: Iterable[str]) -> int:
        """The rules that ask for any of these values."""
        bits, by_value = 0, self.by_value
        for value in values:
            if value in by_value:
                bits |= by_value[value]
        return bits


class _Texts:
    """The keywords of all rules. A word that counts only undenied is another value than the word.

    For a few rules each is asked for its words; for many the text is read once for all.
    """

    def __init__(self, rules: Sequence[Rule], denied: Denied | None, few: int) -> None:
        self._denied, self._few = denied, few
        self._words_of = [_Words.of(rule, denied) for rule in rules]
        self._any = _Index(_asked(rule, rule.keywords) for rule in rules)
        self._all = [frozenset(_asked(rule, rule.all_keywords)) for rule in rules]
        # Of the words a rule asks for together the longest is looked up, the rarest as a rule.
        self._rarest = _Index([max(words, key=len)] if words else () for words in self._all)
        self._none = _Index(_asked(rule, rule.no_keywords) for rule in rules)
        self.free = self._any.free & self._rarest.free & self._none.free
        values = {**self._any.by_value, **self._none.by_value, **dict.fromkeys(_flat(self._all))}
        self._words = list(dict.fromkeys(value.removeprefix(UNDENIED) for value in values))
        self._strict = {value for value in values if value.startswith(UNDENIED)}
        self._automaton = AhoCorasick(self._words)

    def satisfied(self, bits: int, text: str) -> int:
        """Which of some rules have their keywords in a text."""
        asking = bits & ~self.free
        if asking.bit_count() <= self._few:
            return bits & ~sum(
                bit for bit in _bits(asking) if not self._words_of[_rank(bit)].stand(text)
            )
        found = self._found(text)
        bits &= self._any.satisfied(found) & self._rarest.satisfied(found)
        bits &= ~self._none.asking(found)
        together = bits & ~self._rarest.free
        return bits & ~sum(bit for bit in _bits(together) if not self._all[_rank(bit)] <= found)

    def _found(self, text: str) -> set[str]:
        found: set[str] = set()
        for pattern, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            word = self._words[pattern]
            found.add(word)
            if UNDENIED + word in self._strict and not (
                self._denied and self._denied(text, start, end)
            ):
                found.add(UNDENIED + word)
        return found


class _Words(NamedTuple):
    """The keywords of one rule, as texts are compared."""

    any_of: Sequence[str]
    all_of: Sequence[str]
    none_of: Sequence[str]
    denied: Denied | None

    @classmethod
    def of(cls, rule: Rule, denied: Denied | None) -> Self:
        return cls(
            [plain(word) for word in rule.keywords],
            [plain(word) for word in rule.all_keywords],
            [plain(word) for word in rule.no_keywords],
            denied if rule.unless_denied else None,
        )

    def stand(self, text: str) -> bool:
        """Whether a text has what the rule asks for."""

        def said(word: str) -> bool:
            return mentions(text, word, self.denied)

        return (
            (not self.any_of or any(map(said, self.any_of)))
            and all(map(said, self.all_of))
            and not any(map(said, self.none_of))
        )


def _bits(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest


def _rank(bit: int) -> int:
    return bit.bit_length() - 1


def _asked(rule: Rule, words: Iterable[str]) -> list[str]:
    mark = UNDENIED if rule.unless_denied else ""
    return [mark + plain(word) for word in words]


def mentions(text: str, word: str, denied: Denied | None = None) -> bool:
    """Whether a word stands in a text, and once at least undenied."""
    at = text.find(word)
    while at >= 0:
        if denied is None or not denied(text, at, at + len(word)):
            return True
        at = text.find(word, at + 1)
    return False


def _flat(groups: Iterable[Iterable[str]]) -> Iterator[str]:
    return (value for group in groups for value in group)


class Matcher:
    """The catalogue compiled: finds the first rule that covers a ticket. ``lineage``: what a topic
    lies under, root first; ``calendar``: the working time of the place; ``few``: up to how many rules
    are asked for their keywords one by one.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        lineage: Callable[[str], Sequence[str]] = prefixes,
        denied: Denied | None = None,
        calendar: WorkCalendar | None = None,
        few: int = FEW,
    ) -> None:
        self.rules = tuple(rules)
        self.denied = denied
        self.lineage = lineage
        self._calendar = calendar
        self._topics = _Index([rule.topic] if rule.topic else () for rule in rules)
        self._areas = _Index(rule.areas for rule in rules)
        self._types = _Index([str(kind) for kind in rule.types] for rule in rules)
        self._channels = _Index(rule.channels for rule in rules)
        self._urgencies = _Index([str(each) for each in rule.asked_urgency] for rule in rules)
        self._flags = _Index(rule.flags for rule in rules)
        self._dangers = _Index(rule.dangers for rule in rules)
        self._texts = _Texts(rules, denied, few)
        self._sizes = _groups((rule.longer_than, rule.shorter_than) for rule in rules)
        self._times = _groups((rule.on_duty, rule.hours) for rule in rules)
        self._fields = _by_field(rules, lineage)

    def first(
        self,
        ticket: TicketRegistered,
        text: str,
        dangers: Iterable[str] = (),
        now: datetime | None = None,
    ) -> Rule | None:
        """The first rule in file order whose every condition holds; ``text`` is text_of() the ticket,
        ``dangers`` what it reports. Without ``now`` no rule holds that asks for the time.
        """
        bits = (
            self._topics.satisfied(self.lineage(ticket.topic))
            & self._areas.satisfied(areas_above(ticket.area))
            & self._types.satisfied((ticket.type,))
            & self._channels.satisfied((ticket.channel,))
            & self._urgencies.satisfied((ticket.urgency,))
            & self._flags.satisfied(ticket.flags)
            & self._dangers.satisfied(dangers)
        )
        if bits & ~self._texts.free:  # only then can the text matter
            bits = self._texts.satisfied(bits, text)
        for asking, rule in self._sizes:
            if bits & asking and not self.rules[rule].long_enough(len(ticket.content)):
                bits &= ~asking
        for asking, rule in self._times:
            if bits & asking and not self._is_time(self.rules[rule], now):
                bits &= ~asking
        return self.rules[_rank(bits & -bits)] if bits else None

    def nearest(self, topic: str) -> tuple[str, ...]:
        """Ids of the first rules in the same field, for a person to start from."""
        return self._fields.get(self.lineage(topic)[0], ())

    def for_danger(self, danger: str) -> tuple[str, ...]:
        """Ids of the rules that a danger would dispatch by, for a person to start from."""
        return tuple(rule.id for rule in self.rules if danger in rule.dangers)[:NEAREST]

    def _is_time(self, rule: Rule, now: datetime | None) -> bool:
        if now is None or self._calendar is None:
            return False
        if rule.on_duty is not None and self.is_on_duty(now) is not rule.on_duty:
            return False
        return rule.hours is None or rule.hours.hold(self.wall(now) or "")

    def is_on_duty(self, now: datetime) -> bool | None:
        """Whether a moment lies in working time; None where no calendar is known."""
        if self._calendar is None:
            return None
        return self._calendar.next_working_instant(now) == now

    def wall(self, now: datetime) -> str | None:
        """A moment on the clocks of the place, ``HH:MM``; None where no calendar is known."""
        return f"{now.astimezone(self._calendar.tz):%H:%M}" if self._calendar else None


def _groups(asked: Iterable[tuple[object, object]]) -> list[tuple[int, int]]:
    """The rules that ask for the same, as bits, and the first of them; who asks for nothing is in none."""
    groups: dict[tuple[object, object], tuple[int, int]] = {}
    for bit, what in enumerate(asked):
        if what != (None, None):
            bits, first = groups.get(what, (0, bit))
            groups[what] = bits | 1 << bit, first
    return list(groups.values())


def _by_field(
    rules: Iterable[Rule], lineage: Callable[[str], Sequence[str]]
) -> Mapping[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {}
    for rule in rules:
        if rule.topic:
            field = lineage(rule.topic)[0]
            fields[field] = (*fields.get(field, ()), rule.id)[:NEAREST]
    return fields
