"""The catalogue finds what a decision table of somebody else's engine finds (zen-engine, first hit).

The plain loop of tests/fixtures/catalogues.py was written by whoever wrote the catalogue; how conditions
meet, and which rule is first, somebody else has decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import zen
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatcher.rules.catalogue import Hours, Rule
from services.dispatcher.rules.matching import Matcher
from shared.events import TicketRegistered
from shared.jurisdiction.codes import areas_above, prefixes
from shared.jurisdiction.wording import plain, text_of
from tests.fixtures.catalogues import CALENDAR, DANGERS, DENIED, MONDAY, catalogues, some, tickets

UNDENIED = "(?:^|[^有]|(?:^|[^没])有)"  # what stands before a word that 没有 does not deny
TYPES = {"in": "inputNode", "table": "decisionTableNode", "out": "outputNode"}


def table(rules: Sequence[Rule]) -> zen.ZenDecision:
    """The rules as a decision table: a row each, the first that holds wins."""
    rows = [{"_id": each.id, "asks": together(each), "rule": f"'{each.id}'"} for each in rules]
    content = {
        "hitPolicy": "first",
        "inputs": [{"id": "asks", "name": "asks"}],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nodes: list[dict[str, Any]] = [
        {"id": name, "name": name, "type": kind, "position": {"x": 0, "y": 0}}
        for name, kind in TYPES.items()
    ]
    nodes[1]["content"] = content
    edges = [
        {"id": f"{one}-{other}", "type": "edge", "sourceId": one, "targetId": other}
        for one, other in (("in", "table"), ("table", "out"))
    ]
    return zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))


def together(rule: Rule) -> str:
    return " and ".join(f"({each})" for each in asks(rule))


def asks(rule: Rule) -> Iterator[str]:
    """The conditions of a rule in the language of that engine."""
    lists = {
        "lineage": [rule.topic] if rule.topic else [],
        "areas": rule.areas,
        "types": rule.types,
        "channels": rule.channels,
        "urgencies": rule.asked_urgency,
        "flags": rule.flags,
        "dangers": rule.dangers,
    }
    yield from (f"some({name}, # in {listed(of)})" for name, of in lists.items() if of)
    words = {id: [says(rule, word) for word in of] for id, of in keywords(rule).items()}
    if words["any"]:
        yield " or ".join(words["any"])
    yield from words["all"]
    yield from (f"not ({each})" for each in words["none"])
    if rule.longer_than is not None:
        yield f"length > {rule.longer_than}"
    if rule.shorter_than is not None:
        yield f"length < {rule.shorter_than}"
    if rule.on_duty is not None:
        yield f"on_duty == {str(rule.on_duty).lower()}"
    if rule.hours:
        yield between(rule.hours)


def keywords(rule: Rule) -> dict[str, Sequence[str]]:
    return {"any": rule.keywords, "all": rule.all_keywords, "none": rule.no_keywords}


def says(rule: Rule, word: str) -> str:
    pattern = (UNDENIED if rule.unless_denied else "") + plain(word)
    return f"matches(text, '{pattern}')"


def between(hours: Hours) -> str:
    opens, closes = (int(each[:2]) * 60 + int(each[3:]) for each in (hours.opens, hours.closes))
    return f"minute >= {opens} {'and' if opens < closes else 'or'} minute < {closes}"


def listed(codes: Iterable[str]) -> str:
    quoted = ", ".join(f"'{code}'" for code in codes)
    return f"[{quoted}]"


def context(asked: TicketRegistered, dangers: Sequence[str], local: datetime) -> dict[str, Any]:
    minute = local.hour * 60 + local.minute
    return {
        "lineage": prefixes(asked.topic),
        "areas": areas_above(asked.area),
        "types": [str(asked.type)],
        "channels": [asked.channel],
        "urgencies": [str(asked.urgency)],
        "flags": list(asked.flags),
        "dangers": list(dangers),
        "text": text_of(asked.title, asked.content),
        "length": len(asked.content),
        "minute": minute,
        "on_duty": 8 * 60 + 30 <= minute < 12 * 60,
    }


@settings(deadline=None, max_examples=150)
@given(catalogues(), tickets, some(DANGERS), st.datetimes(MONDAY, MONDAY + timedelta(hours=23)))
def test_the_catalogue_agrees_with_another_engine(
    rules: list[Rule], asked: TicketRegistered, dangers: list[str], local: datetime
) -> None:
    """R-03."""
    matcher = Matcher(rules, denied=DENIED, calendar=CALENDAR)
    now = local.replace(tzinfo=CALENDAR.tz)
    first = matcher.first(asked, text_of(asked.title, asked.content), dangers, now)
    answer = table(rules).evaluate(context(asked, dangers, local))["result"]
    assert (first.id if first else None) == answer.get("rule")
