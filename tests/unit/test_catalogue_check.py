"""Everything that is wrong with a catalogue is said at once, with rule and place, and nothing wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.checking import County, Finding, check, faults
from services.dispatcher.rules.covering import Comparison, changes, never_met
from services.dispatcher.rules.matching import Matcher
from services.dispatcher.rules.reasons import Names
from services.dispatcher.settings import Settings
from shared.events import TicketType
from shared.http.editions import Publication
from shared.jurisdiction.codes import prefixes
from shared.jurisdiction.wording import text_of
from tests.fixtures.catalogues import (
    CALENDAR,
    DANGERS,
    DENIED,
    FIELDS,
    MONDAY,
    catalogues,
    rule,
    some,
    tickets,
)

LEAVES = ["water.supply", "water.leak", "road.damage"]
COUNTY = County(
    known={
        "topic": ["water", "road", *LEAVES],
        "areas": ["1", "2", "9"],
        "channels": ["phone", "web"],
        "flags": ["tourism"],
        "dangers": ["gas"],
    },
    units=["SCJG", "SLJ", "HC", "CG01", "QX"],
    topics=LEAVES,
    towns={"1": "HC", "2": "QX"},
    districts=["QX"],
    villages=["CG01"],
    lineage=prefixes,
    names=Names(),
    telephones=["04421234"],
)


def found(*rules: Rule) -> list[Finding]:
    return check(rules, COUNTY)


def kinds(findings: Sequence[Finding]) -> set[tuple[str, str, str | None]]:
    return {(each.kind, each.level, each.rule) for each in findings}


def to(unit: str, **conditions: Any) -> Rule:
    return rule(**conditions).model_copy(update={"lead": unit})


def test_every_fault_is_said_at_once_with_rule_place_and_both_languages() -> None:
    """R-03: a catalogue that does not check is refused whole."""
    findings = found(
        rule("water", topic="water"),
        rule("supply", topic="water.supply", types=["help"]),
        rule("nowhere", topic="wter", areas=["7"], channels=["fax"], flags=["x"], dangers=["y"]),
        to("XYZ", topic="road.damage").model_copy(update={"id": "nobody"}),
        rule("dead", keywords=["停水", "水压"], no_keywords=["水"]),
        rule("named", topic="road", keywords=["找张三13800001111"]),
    )
    assert kinds(findings) >= {
        ("unreachable", "fault", "supply"),
        *((f"unknown_{what}", "fault", "nowhere") for what in ("topic", "area", "channel")),
        *((f"unknown_{what}", "fault", "nowhere") for what in ("flag", "danger")),
        ("unknown_unit", "fault", "nobody"),
        ("dead", "fault", "dead"),
        ("personal", "fault", "named"),
    }
    for each in findings:
        assert each.zh
        assert each.en.isascii() or any(word in each.en for word in ("水", "“")), each
        assert each.rule is None or each.rule in each.zh
    places = [each.where for each in findings if each.rule]
    assert places == sorted(places, key=lambda where: where[1:2])
    assert ("rules", 3, "lead") in places


def test_what_is_covered_only_under_more_conditions_is_said() -> None:
    by_type = [rule(f"r{at}", topic="road", types=[kind]) for at, kind in enumerate(TicketType)]
    assert {each.kind for each in found(rule(topic="water"), *by_type)} == set()
    findings = found(rule(topic="water"), *by_type[1:])
    assert [(each.kind, each.where) for each in findings] == [
        ("partly_covered", ("topics", "road.damage"))
    ]
    assert faults(findings) == []


def test_what_nobody_covers_is_the_desks_and_no_fault() -> None:
    findings = found(rule(topic="water"))
    assert kinds(findings) == {("uncovered", "warning", None)}
    assert [each.where for each in findings] == [("topics", "road.damage")]
    assert faults(findings) == []


@pytest.mark.parametrize(
    ("unit", "more", "kind"),
    [
        ("HC", {}, "grassroots"),
        ("{town}", {}, "grassroots"),
        ("HC", {"grassroots": True}, None),
        ("{town}", {"grassroots": True}, None),
        ("CG01", {}, "grassroots"),
        ("CG01", {"grassroots": True}, None),
        ("QX", {}, None),
        ("SLJ", {}, None),
        ("{town}", {"grassroots": True, "areas": ["9"]}, "no_town"),
    ],
)
def test_a_departments_matter_is_not_sent_to_a_town(
    unit: str, more: dict[str, Any], kind: str | None
) -> None:
    """R-05, GB66-5: towns and villages lead only what is in the duty list; districts may lead (R-04)."""
    findings = faults(found(to(unit, topic="water", **more)))
    assert [each.kind for each in findings] == ([kind] if kind else [])


def test_where_only_the_order_decides_somebody_must_have_seen_it() -> None:
    first = rule("pipes", keywords=["停水", "爆管"], types=["help"])
    second = to("SLJ", keywords=["停水", "水压"], types=["help"]).model_copy(
        update={"id": "outage"}
    )
    assert ("overlap", "warning", "outage") in kinds(found(first, second))
    apart = second.model_copy(update={"keywords": ("水压",)})
    same = second.model_copy(update={"lead": first.lead})
    for other in (apart, same):
        assert "overlap" not in {each.kind for each in found(first, other)}


def test_the_more_exact_rule_first_is_no_overlap() -> None:
    narrow, wide = rule("narrow", topic="water.supply"), to("SLJ", topic="water")
    assert kinds(found(narrow, wide)) == {("uncovered", "warning", None)}


@pytest.mark.parametrize(
    ("before", "after", "taken"),
    [
        ([{"topic": "water"}], {"topic": "water.leak"}, True),
        ([{"topic": "water.leak"}], {"topic": "water"}, False),
        ([{"topic": "water.leak"}, {"topic": "water.supply"}], {"topic": "water"}, True),
        ([{"types": ["help"]}, {"types": ["report"]}], {"types": ["report", "help"]}, True),
        ([{"types": ["help"]}], {"types": ["report", "help"]}, False),
        ([{"keywords": ["水"]}], {"keywords": ["停水", "水压"]}, True),
        ([{"keywords": ["停水"]}], {"keywords": ["水"]}, False),
        ([{"keywords": ["水"]}], {"all_keywords": ["停水", "三天"]}, True),
        ([{"keywords": ["水"], "unless_denied": True}], {"keywords": ["水"]}, False),
        ([{"keywords": ["停"], "no_keywords": ["电梯"]}], {"keywords": ["停水"]}, False),
        (
            [{"keywords": ["停"], "no_keywords": ["电梯"]}],
            {"keywords": ["停水"], "no_keywords": ["电"]},
            True,
        ),
        ([{"topic": "water", "longer_than": 5}], {"topic": "water", "longer_than": 9}, True),
        ([{"topic": "water", "longer_than": 9}], {"topic": "water"}, False),
        ([{"topic": "water", "on_duty": True}], {"topic": "water"}, False),
        ([{"areas": ["610924100"]}], {"areas": ["610924100001"]}, True),
        ([{"flags": ["tourism"]}], {"topic": "water"}, False),
    ],
)
def test_a_rule_that_nothing_reaches_is_found(
    before: list[dict[str, Any]], after: dict[str, Any], taken: bool
) -> None:
    rules = [*(rule(f"r{at}", **each) for at, each in enumerate(before)), rule("last", **after)]
    assert bool([*Comparison(rules, prefixes, LEAVES).covered()]) is taken


@given(
    catalogues(),
    tickets,
    some(DANGERS),
    st.datetimes(MONDAY, MONDAY.replace(day=8), timezones=st.just(CALENDAR.tz)),
)
def test_no_rule_that_decides_is_called_unreachable(
    rules: list[Rule], asked: Any, dangers: list[str], now: Any
) -> None:
    """Whatever is found of the rules beside one another is true of every ticket."""
    matcher = Matcher(rules, denied=DENIED, calendar=CALENDAR)
    first = matcher.first(asked, text_of(asked.title, asked.content), dangers, now)
    compared = Comparison(rules, prefixes, FIELDS)
    assert first is None or first not in [rules[each.rule] for each in compared.covered()]
    assert first is None or never_met(first) is None


def test_what_is_another_is_counted_by_rule() -> None:
    one, two, three = rule("one", topic="a"), rule("two", topic="b"), rule("three", topic="ab")
    assert changes([one, two], [two, one]) == {
        "added": [],
        "changed": ["two", "one"],
        "removed": [],
    }
    after = [one.model_copy(update={"lead": "SLJ"}), three]
    assert changes([one, two], after) == {
        "added": ["three"],
        "changed": ["one"],
        "removed": ["two"],
    }


def test_the_catalogue_we_ship_has_no_fault() -> None:
    """R-03, R-05; what it leaves to the desk it leaves on purpose."""
    config = Settings(embedded=True).load()
    findings = check(config.catalogue.rules, config.county())
    assert faults(findings) == []
    uncovered = {str(each.where[1]) for each in findings if "covered" in each.kind}
    assert uncovered == {"conduct.banquet", "other.suggestion", "other.unclear"}


def test_a_digest_is_nobodys_number() -> None:
    digest = "dc9d7edf65b34499815de08b4b17027869077fd1d6" + "0" * 22
    assert Publication(digest=digest).masked().digest == digest
