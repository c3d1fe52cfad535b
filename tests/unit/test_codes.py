"""A place's own tables: trees of any depth, any code, areas down to a village, and what people say."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.matching import Matcher
from shared.events import TicketRegistered, TicketType, Urgency
from shared.jurisdiction.codes import Codes, Units, areas_above, prefixes
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.reader import read
from shared.jurisdiction.urgency import Found, UrgencyRules
from tests.fixtures.policy import CONFIG, LIMITS

NUMBERED = [  # numbers say nothing of what lies under what
    {"code": "03", "zh": "城乡建设"},
    {"code": "0301", "zh": "供水", "parent": "03"},
]


def codes(**given: Any) -> Codes:
    return Codes.model_validate(
        {
            "areas": [
                {"code": "610902", "name": "汉滨区"},
                {"code": "610902100", "name": "关庙镇"},
                {"code": "610902100201", "name": "新华村"},
                {"code": "610924", "name": "紫阳县"},
                {"code": "610924100", "name": "城关镇"},
                {"code": "610924100201", "name": "新华村"},
            ],
            "flags": [],
            "channels": [{"code": "phone", "zh": "电话", "aliases": ["来电"]}],
            "fields": [
                {"code": "城乡建设", "zh": "城乡建设"},
                {"code": "城乡建设/供水", "zh": "供水"},
                *NUMBERED,
            ],
            "topics": [
                {"code": "城乡建设/供水/停水", "zh": "停水", "aliases": ["停水缺水"]},
                {"code": "030101", "zh": "水质", "parent": "0301", "en": "Water quality"},
            ],
            "reasons": [],
        }
        | given
    )


def units(*rows: dict[str, Any]) -> Units:
    full = [{"name": row["code"], "delivery": "feed", "liaison": "主任"} | row for row in rows]
    return Units.model_validate({"units": full})


def ticket(topic: str, area: str) -> TicketRegistered:
    return TicketRegistered.model_validate(
        {"type": "help", "urgency": "normal", "topic": topic, "title": "x", "content": "y"}
        | {"area": area, "channel": "phone"}
    )


# --- topics -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("water.supply", ["water", "water.supply"]),
        ("A.1.2", ["A", "A.1", "A.1.2"]),
        ("城乡建设/供水/停水", ["城乡建设", "城乡建设/供水", "城乡建设/供水/停水"]),
        ("030101", ["030101"]),
    ],
)
def test_a_code_says_what_it_lies_under(code: str, found: list[str]) -> None:
    assert prefixes(code) == found


def test_numbers_lie_where_the_table_says() -> None:
    assert codes().lineage("030101") == ("03", "0301", "030101")
    assert codes().lineage("a.gone") == ["a", "a.gone"]  # an old ticket's


@pytest.mark.parametrize("topic", ["城乡建设/供水/停水", "030101"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_rules_cover_what_lies_under_their_topic_at_any_depth(topic: str, level: int) -> None:
    place = codes()
    named = place.lineage(topic)[level]
    rule = Rule(id="r", topic=named, lead="SLJ", reason="x")
    assert Matcher([rule], place.lineage).first(ticket(topic, "610924100"), "") == rule
    assert Matcher([rule], place.lineage).nearest(topic) == ("r",)
    urgent = UrgencyRules(urgent_topics=(named,)).among(place)
    assert urgent.found(TicketType.HELP, topic, (), "") == Found(Urgency.URGENT, named)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fields": [{"code": "a.b", "zh": "x"}]}, "a.b 的上级须写在前面"),
        ({"fields": [{"code": "a", "zh": "x", "parent": "a"}]}, "a 的上级须写在前面"),
        ({"topics": [{"code": "0999", "zh": "x"}]}, "0999 不属于任何领域"),
        ({"topics": [{"code": "0999", "zh": "x", "parent": "030101"}]}, "0999 不属于任何领域"),
    ],
)
def test_nothing_hangs_in_the_air(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        codes(**given)


# --- areas --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("610924", ["610924"]),
        ("610924100", ["610924100", "610924"]),
        ("610924000", ["610924000", "610924"]),
        (
            "610924100201",
            ["610924100201", "610924100", "610924100000", "610924", "610924000000"],
        ),
    ],
)
def test_an_area_lies_in_larger_ones(code: str, found: list[str]) -> None:
    assert areas_above(code) == found


def test_a_village_is_answered_for_by_its_town_and_the_rest_by_the_district() -> None:
    """R-04 派单顺序."""
    place = codes()
    who = units(
        {"code": "HBQ", "kind": "district", "area": "610902"},
        {"code": "CG2", "kind": "town", "area": "610924100"},
    )
    assert who.answering(place) == {
        "610902": "HBQ", "610902100": "HBQ", "610902100201": "HBQ",
        "610924100": "CG2", "610924100201": "CG2",
    }  # fmt: skip
    assert who.districts() == {"HBQ"}
    assert place.area_above("610924100201") == "610924100"
    assert place.area_above("610924") is None


def test_a_rule_for_a_town_covers_its_villages() -> None:
    rule = Rule(id="r", areas=("610924100",), lead="SLJ", reason="x")
    matcher = Matcher([rule])
    assert matcher.first(ticket("030101", "610924100201"), "") == rule
    assert matcher.first(ticket("030101", "610902100201"), "") is None


# --- units --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["GAJ2", "A1", "ABCDEFGHIJKLMNO6"])
def test_a_unit_code_may_have_digits(code: str) -> None:
    assert units({"code": code, "kind": "office"}).unit(code)


@pytest.mark.parametrize("code", ["2GAJ", "GAJ.2", "GAJ*", "GAJ#", "gaj", "G", "公安局"])
def test_a_unit_code_is_a_word_of_a_routing_key(code: str) -> None:
    with pytest.raises(ValidationError):
        units({"code": code, "kind": "office"})


TREE: list[dict[str, Any]] = [
    {"code": "CG", "kind": "town", "area": "610924100"},
    {"code": "HBQ", "kind": "district", "area": "610902"},
    {"code": "GAJ", "kind": "department"},
    {"code": "JJDD", "kind": "department", "parent": "GAJ"},
    {"code": "GSGS", "kind": "utility", "parent": "GAJ"},
    {"code": "CG01", "kind": "village", "parent": "CG"},
    {"code": "GAJ01", "kind": "station", "parent": "GAJ"},
    {"code": "ZFB", "kind": "office"},
    {"code": "SPJ", "kind": "department", "parent": "ZFB"},
    {"code": "HC", "kind": "town", "parent": "HBQ", "area": "610902100"},
]


def test_a_village_answers_for_no_area() -> None:
    place = units(*TREE)
    assert place.villages() == {"CG01"}
    assert "CG01" not in place.towns().values()


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"kind": "village"}, "units.10.parent: 村"),
        ({"kind": "village", "parent": "GAJ"}, "units.10.parent: 村"),
        ({"kind": "village", "parent": "CG01"}, "units.10.parent: 村"),
        ({"kind": "village", "parent": "CG", "area": "610924100201"}, "units.10.area: 镇"),
        ({"kind": "station"}, "units.10.parent: 站所"),
        ({"kind": "station", "parent": "CG"}, "units.10.parent: 站所"),
        ({"kind": "department", "parent": "CG01"}, "units.10.parent: CG01 无下级"),
        ({"kind": "utility", "parent": "GAJ01"}, "units.10.parent: GAJ01 无下级"),
    ],
)
def test_a_unit_below_lies_where_it_can(row: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        units(*TREE, {"code": "NEW"} | row)
    assert wrong in str(refused.value).replace("\n ", ":")


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("030101", "030101"),
        ("停水", "城乡建设/供水/停水"),
        ("停水缺水", "城乡建设/供水/停水"),
        ("供水/停水", "城乡建设/供水/停水"),
        ("城乡建设 > 供水 > 停水", "城乡建设/供水/停水"),
        ("WATER ｑｕａｌｉｔｙ", "030101"),
    ],
)
def test_a_topic_is_understood_by_its_names(text: str, code: str) -> None:
    assert list(codes().topic_names.codes(text)) == [code]


def test_a_name_that_several_have_stands_for_all_until_the_larger_one_is_named() -> None:
    names = codes().area_names
    assert names.codes("新华村") == ["610902100201", "610924100201"]
    assert names.codes("城关镇新华村") == ["610924100201"]
    assert names.codes("紫阳县/城关镇") == ["610924100"]
    assert list(names.codes("无此镇")) == []


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ((["水"], ["水"]), "水 已是 a 的别名"),
        ((["b"], []), "b 已是代码"),
    ],
)
def test_an_alias_that_nobody_could_mean_is_refused(
    aliases: tuple[list[str], list[str]], said: str
) -> None:
    rows = [
        {"code": code, "zh": code, "parent": "03", "aliases": own}
        for code, own in zip("ab", aliases, strict=True)
    ]
    with pytest.raises(ValidationError, match=said):
        codes(topics=rows)


def test_a_stream_holds_for_what_lies_under_a_field_of_any_depth() -> None:
    table = LimitTable.model_validate(
        LIMITS | {"streams": [{"matter": "0301", "handle": "24h"}]}
    ).among(codes())
    for topic, limit in (("030101", "24h"), ("城乡建设/供水/停水", "5wd")):
        of = table.kind(TicketType.HELP, Urgency.NORMAL, topic)
        assert table.stages(of).handle == limit


def test_a_copy_with_other_topics_knows_no_lineage_of_the_old_ones() -> None:
    codes = read(CONFIG / "codes.yaml", Codes)
    first, last = codes.topics[0], codes.topics[-1]
    assert len(codes.lineage(last.code)) > 1
    fewer = codes.model_copy(update={"topics": (first,), "fields": ()})
    assert fewer.lineage(last.code) == prefixes(last.code)
