"""派单说明: each condition of a rule beside what the ticket had, and why a rule did not decide. Pure.

Of a ticket's text only the rules' own words are repeated, and the word that reported a danger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.matching import Denied, Matcher, mentions
from services.dispatcher.rules.reasons import URGENCIES, Names, Reason
from shared.events import TYPE_NAMES, TicketRegistered
from shared.jurisdiction.codes import areas_above
from shared.jurisdiction.wording import Alarm, plain

SHOWN = 20  # rules beside the one that decided, at most


class Condition(NamedTuple):
    """One condition of a rule: what it asks for, what the ticket had, and whether it held."""

    condition: str
    asked: tuple[str, ...]
    saw: tuple[str, ...]
    held: bool
    why: Reason


class Seen(NamedTuple):
    """A ticket as the rules saw it: ``text`` is text_of() it, ``alarms`` what it reports, ``moment`` when
    it was registered.
    """

    ticket: TicketRegistered
    text: str
    alarms: tuple[Alarm, ...]
    moment: datetime


class Beside(NamedTuple):
    """A rule that did not decide, with its place in the catalogue, from 1, and why not."""

    rule: Rule
    place: int
    conditions: tuple[Condition, ...]
    why: Reason


class Explainer:
    """Explains what the rules of a matcher make of tickets."""

    def __init__(self, matcher: Matcher, names: Names) -> None:
        self._matcher, self._names = matcher, names

    def winner(self, seen: Seen) -> Rule | None:
        """The rule that covers it first."""
        certain = [alarm.danger.id for alarm in seen.alarms if alarm.certain]
        return self._matcher.first(seen.ticket, seen.text, certain, seen.moment)

    def place(self, rule: Rule) -> int:
        """Where a rule stands in the catalogue, from 1."""
        return self._matcher.rules.index(rule) + 1

    def conditions(self, rule: Rule, seen: Seen) -> tuple[Condition, ...]:
        """Every condition of a rule, in the order the file explains them."""
        return (
            *self._of_matter(rule, seen),
            *self._of_text(rule, seen),
            *self._of_moment(rule, seen),
        )

    def others(self, winner: Rule | None, seen: Seen, most: int) -> list[Beside]:
        """The rules nearest to deciding, and why none of them did: with the fewest conditions unmet, of
        these the first of the file.
        """
        won = self.place(winner) if winner else 0
        judged = [
            (place, rule, self.conditions(rule, seen))
            for place, rule in enumerate(self._matcher.rules, 1)
            if rule is not winner
        ]
        judged.sort(key=lambda each: (sum(not met.held for met in each[2]), each[0]))
        return [
            Beside(rule, place, met, self._why_not(rule, met, winner, won))
            for place, rule, met in judged[: min(most, SHOWN)]
        ]

    def _why_not(
        self, rule: Rule, met: Iterable[Condition], winner: Rule | None, won: int
    ) -> Reason:
        unmet = [each for each in met if not each.held]
        if unmet:
            zh, en = zip(*(each.why for each in unmet), strict=True)
            return Reason("；".join(zh), "; ".join(en))
        if winner is None:
            return Reason("条件均满足", "Every condition is met")
        return Reason(
            f"条件均满足，但规则 {winner.id} 列在其前（第{won}条）",
            f"Every condition is met, but rule {winner.id} stands before it (place {won})",
        )

    # --- what each kind of condition asks ------------------------------------------------------

    def _of_matter(self, rule: Rule, seen: Seen) -> Iterator[Condition]:
        ticket, names = seen.ticket, self._names
        if rule.topic:
            held = rule.topic in self._matcher.lineage(ticket.topic)
            asked, saw = names.topic(rule.topic), names.topic(ticket.topic)
            of = ("topic", "诉求分类", "topic")
            yield _one(of, (rule.topic,), (ticket.topic,), held, (asked, saw))
        if rule.areas:
            held = not set(rule.areas).isdisjoint(areas_above(ticket.area))
            yield _named("areas", "区域", "area", rule.areas, (ticket.area,), names.area, held)
        certain = [alarm.danger for alarm in seen.alarms if alarm.certain]
        dangers = {danger.id: danger.zh for danger in certain}
        lists: tuple[tuple[str, str, str, Sequence[str], Callable[[str], str]], ...] = (
            ("types", "性质", "type", [ticket.type], _type),
            ("channels", "来源渠道", "channel", [ticket.channel], self._channel),
            ("asked_urgency", "登记的紧急程度", "urgency asked for", [ticket.urgency], _urgency),
            ("flags", "标记", "flags", ticket.flags, lambda flag: names.topic(flag).zh),
            ("dangers", "险情", "dangers", [*dangers], lambda id: dangers.get(id, id)),
        )
        for key, zh, en, has, called in lists:
            wanted = [str(each) for each in getattr(rule, key)]
            if wanted:
                held = not set(wanted).isdisjoint(map(str, has))
                yield _named(key, zh, en, wanted, [str(each) for each in has], called, held)

    def _channel(self, code: str) -> str:
        return self._names.channels.get(code, Reason(code, code)).zh

    def _of_text(self, rule: Rule, seen: Seen) -> Iterator[Condition]:
        """Only words the rule names itself are said to stand in the text."""
        denied: Denied | None = self._matcher.denied if rule.unless_denied else None
        for key, zh, en in (
            ("keywords", "内容提到其一", "any of the words"),
            ("all_keywords", "内容全部提到", "all of the words"),
            ("no_keywords", "内容未提到", "none of the words"),
        ):
            words: tuple[str, ...] = getattr(rule, key)
            found = tuple(word for word in words if mentions(seen.text, plain(word), denied))
            held = {"keywords": bool(found), "all_keywords": found == words}.get(key, not found)
            if words:
                yield _condition((key, zh, en), words, found, held)
        length = len(seen.ticket.content)
        if rule.longer_than:
            of, asked = ("longer_than", "内容字数多于", "characters, more than"), rule.longer_than
            yield _condition(of, (str(asked),), (str(length),), length > asked)
        if rule.shorter_than:
            of, asked = (
                ("shorter_than", "内容字数少于", "characters, fewer than"),
                rule.shorter_than,
            )
            yield _condition(of, (str(asked),), (str(length),), length < asked)

    def _of_moment(self, rule: Rule, seen: Seen) -> Iterator[Condition]:
        """When it was registered, on the clocks of the place."""
        if rule.on_duty is not None:
            was = self._matcher.is_on_duty(seen.moment)
            of = ("on_duty", "登记于", "registered")
            yield _condition(of, (_duty(rule.on_duty),), (_duty(was),), was is rule.on_duty)
        if rule.hours:
            wall = self._matcher.wall(seen.moment) or ""
            asked = f"{rule.hours.opens}–{rule.hours.closes}"
            of, held = ("hours", "登记时刻", "time of day"), bool(wall) and rule.hours.hold(wall)
            yield _condition(of, (asked,), (wall,), held)


Of = tuple[str, str, str]  # a condition: its key, and what it is called in Chinese and English


def _duty(on_duty: bool | None) -> str:
    return "工作时间 working time" if on_duty else "非工作时间 outside working time"


def _type(code: str) -> str:
    return next((name for kind, name in TYPE_NAMES.items() if kind == code), code)


def _urgency(code: str) -> str:
    return next((name for level, name in URGENCIES.items() if level == code), code)


def _named(
    key: str,
    zh: str,
    en: str,
    asked: Sequence[str],
    saw: Sequence[str],
    called: Callable[[str], str],
    held: bool,
) -> Condition:
    names = Reason("、".join(map(called, asked)), ", ".join(asked))
    seen = Reason("、".join(map(called, saw)) or "无", ", ".join(saw) or "none")
    return _one((key, zh, en), tuple(asked), tuple(saw), held, (names, seen))


def _condition(of: Of, asked: tuple[str, ...], saw: tuple[str, ...], held: bool) -> Condition:
    names = Reason("、".join(asked), ", ".join(asked))
    seen = Reason("、".join(saw) or "无", ", ".join(saw) or "none")
    return _one(of, asked, saw, held, (names, seen))


def _one(
    of: Of,
    asked: tuple[str, ...],
    saw: tuple[str, ...],
    held: bool,
    named: tuple[Reason, Reason],
) -> Condition:
    (key, zh, en), (wanted, seen) = of, named
    mark, sign = ("满足", "met") if held else ("不满足", "not met")
    why = Reason(
        f"{zh}：要求“{wanted.zh}”，实为“{seen.zh}”，{mark}",
        f"{en}: asked {wanted.en}; saw {seen.en}: {sign}",
    )
    return Condition(key, asked, saw, held, why)
