"""派单目录校核: everything that is wrong with a catalogue, at once, each with its rule and place. Pure.

A fault keeps a draft from being published. A warning does not: what no rule covers is the desk's, and
where two rules meet their order decides, but somebody must have seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.dispatcher.rules.catalogue import TOWN, Rule
from services.dispatcher.rules.covering import Comparison, never_met
from services.dispatcher.rules.reasons import Names
from shared.jurisdiction.sections import LIKELY, Where
from shared.security.masking import mask_patterns

FAULT, WARNING = "fault", "warning"
CODES = {  # by key: what it is called
    "topic": ("诉求分类", "topic"),
    "areas": ("区域", "area"),
    "channels": ("来源渠道", "channel"),
    "flags": ("标记", "flag"),
    "dangers": ("险情", "danger"),
}


class Finding(NamedTuple):
    """One thing that is wrong: its kind, ``fault`` or ``warning``, the rule and the place in the file."""

    kind: str
    level: str
    rule: str | None
    where: Where
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class County:
    """What a catalogue is checked against. ``known``: the codes that a rule may name under a key;
    ``topics``: those a ticket can have; ``towns``: who answers for each area; ``districts`` are no grass
    roots, ``villages`` are; ``telephones``: digits that may stand in a text.
    """

    known: Mapping[str, Collection[str]]
    units: Collection[str]
    topics: Sequence[str]
    towns: Mapping[str, str]
    districts: Collection[str]
    villages: Collection[str]
    lineage: Callable[[str], Sequence[str]]
    names: Names
    telephones: Collection[str] = ()

    @property
    def grassroots(self) -> set[str]:
        """The towns and villages that lead only what is in the towns' duty list."""
        return {*self.towns.values(), *self.villages} - {*self.districts}


def check(rules: Sequence[Rule], county: County) -> list[Finding]:
    """Every fault and warning, in the order of the rules; last what is about no rule."""
    compared = Comparison(rules, county.lineage, county.topics)
    by_rule = [finding for at, rule in enumerate(rules) for finding in _of_one(at, rule, county)]
    found = [*by_rule, *_covered(rules, compared), *_overlaps(rules, compared, county)]
    found.sort(key=lambda finding: finding.where[1:2])
    return [*found, *_uncovered(rules, compared, county)]


def faults(found: Iterable[Finding]) -> list[Finding]:
    """Those that keep it from being published."""
    return [finding for finding in found if finding.level == FAULT]


# --- one rule by itself ------------------------------------------------------------------------


def _of_one(at: int, rule: Rule, county: County) -> Iterator[Finding]:
    yield from _unknown_codes(at, rule, county)
    yield from _units(at, rule, county)
    if word := never_met(rule):
        yield Finding(
            "dead",
            FAULT,
            rule.id,
            ("rules", at, "no_keywords"),
            f"规则 {rule.id} 排除“{word}”，而其要求的词都含“{word}”，永不适用",
            f"Rule {rule.id} rules out “{word}”, which stands in every word it asks for: nothing meets it",
        )
    for key in ("reason", "keywords", "all_keywords", "no_keywords"):
        said = getattr(rule, key)
        for text in (said,) if isinstance(said, str) else said:
            if mask_patterns(text, county.telephones) != text:
                yield Finding(
                    "personal",
                    FAULT,
                    rule.id,
                    ("rules", at, key),
                    f"规则 {rule.id} 的文字疑似含有个人号码，不得写入目录",
                    f"Rule {rule.id} has what looks like somebody's number, which may stand in no catalogue",
                )


def _unknown_codes(at: int, rule: Rule, county: County) -> Iterator[Finding]:
    for key, (zh, en) in CODES.items():
        given = getattr(rule, key)
        for code in (given,) if isinstance(given, str) else given or ():
            if code not in county.known[key]:
                yield _unknown(at, rule, key, code, (zh, en), county.known[key])


def _unknown(
    at: int, rule: Rule, key: str, code: str, called: tuple[str, str], known: Collection[str]
) -> Finding:
    from rapidfuzz import process  # two megabytes that only a slip needs

    near = process.extractOne(code, known, score_cutoff=LIKELY) if known else None
    zh, en = (f"，是否指 {near[0]}", f"; did you mean {near[0]}?") if near else ("", "")
    return Finding(
        f"unknown_{called[1]}",
        FAULT,
        rule.id,
        ("rules", at, key),
        f"规则 {rule.id}：没有这个{called[0]}：{code}{zh}",
        f"Rule {rule.id}: there is no {called[1]} {code}{en}",
    )


def _units(at: int, rule: Rule, county: County) -> Iterator[Finding]:
    for key, units in (("lead", (rule.lead,)), ("co_handlers", rule.co_handlers)):
        for unit in units:
            if unit != TOWN and unit not in county.units:
                yield _unknown(at, rule, key, unit, ("承办单位", "unit"), county.units)
    yield from _to_towns(at, rule, county)


def _to_towns(at: int, rule: Rule, county: County) -> Iterator[Finding]:
    """R-05: what is not in the towns' duty list is not given to the grass roots (GB66-5, BJ-17)."""
    towns = county.grassroots
    if not rule.grassroots and (rule.lead in towns or (rule.lead == TOWN and towns)):
        called = "属地镇" if rule.lead == TOWN else county.names.unit(rule.lead)
        yield Finding(
            "grassroots",
            FAULT,
            rule.id,
            ("rules", at, "lead"),
            f"规则 {rule.id} 派给“{called}”，但事项未列入镇职责清单（grassroots），"
            "应由职能部门办理的不得派给基层",
            f"Rule {rule.id} leads to {rule.lead}, and the matter is not in the towns' duty list "
            "(grassroots): a department's matter may not be given to the grass roots (GB66-5)",
        )
    without = [area for area in rule.areas if area not in county.towns]
    if rule.lead == TOWN and without:
        listed = "、".join(county.names.area(area) for area in without)
        yield Finding(
            "no_town",
            FAULT if len(without) == len(rule.areas) else WARNING,
            rule.id,
            ("rules", at, "areas"),
            f"规则 {rule.id} 派给属地镇，而“{listed}”没有对应的镇，将转人工",
            f"Rule {rule.id} names the town of the area, and {', '.join(without)} has none: the desk gets it",
        )


# --- rules beside one another, and what none covers --------------------------------------------


def _covered(rules: Sequence[Rule], compared: Comparison) -> Iterator[Finding]:
    for at, by in compared.covered():
        rule, takers = rules[at], [rules[each].id for each in by]
        yield Finding(
            "unreachable",
            FAULT,
            rule.id,
            ("rules", at),
            f"规则 {rule.id} 永不适用：其工单已由在前的规则 {'、'.join(takers)} 派出",
            f"Rule {rule.id} is never reached: {', '.join(takers)} before it takes all it asks for",
        )


def _overlaps(rules: Sequence[Rule], compared: Comparison, county: County) -> Iterator[Finding]:
    for first, second in compared.overlaps():
        one, other = rules[first], rules[second]
        yield Finding(
            "overlap",
            WARNING,
            other.id,
            ("rules", second),
            f"规则 {other.id}（{_called(other, county)}）与在前的 {one.id}（{_called(one, county)}）"
            f"可同时适用，仅凭先后由 {one.id} 决定",
            f"Rules {one.id} ({one.lead}) and {other.id} ({other.lead}) can cover the same ticket; only "
            f"their order lets {one.id} decide",
        )


def _called(rule: Rule, county: County) -> str:
    return "属地镇" if rule.lead == TOWN else county.names.unit(rule.lead)


def _uncovered(rules: Sequence[Rule], compared: Comparison, county: County) -> Iterator[Finding]:
    named = {rule.topic for rule in rules}
    for topic in county.topics:
        called = county.names.topic(topic)
        if named.isdisjoint(county.lineage(topic)):
            kind, zh, en = (
                "uncovered",
                f"没有规则涵盖诉求分类“{called.zh}”（{topic}），将转人工派单",
                f"No rule names topic “{called.en}” ({topic}): the desk assigns it",
            )
        elif not compared.whole(topic):
            kind, zh, en = (
                "partly_covered",
                f"诉求分类“{called.zh}”（{topic}）只在附加条件下有规则，其余将转人工派单",
                f"Rules for topic “{called.en}” ({topic}) ask for more: the desk assigns the rest",
            )
        else:
            continue
        yield Finding(kind, WARNING, None, ("topics", topic), zh, en)
