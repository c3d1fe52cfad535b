"""Configuration: every fault is pointed at, and the files we ship hold together."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from shared.config import Codes, Units, read, refuse
from shared.errors import ConfigError
from shared.events import TicketType, Urgency

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"

# National Bureau of Statistics 2023, Ziyang county (610924).
TOWNS = """
610924100,城关镇 610924101,蒿坪镇 610924102,汉王镇 610924103,焕古镇 610924104,向阳镇 610924105,洞河镇
610924106,洄水镇 610924108,双桥镇 610924109,高桥镇 610924110,红椿镇 610924111,高滩镇 610924112,毛坝镇
610924113,瓦庙镇 610924114,麻柳镇 610924115,双安镇 610924116,东木镇 610924117,界岭镇
"""


# --- a small file of our own to break -----------------------------------------------------------


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dish(Strict):
    name: str
    price: int | None = None
    cooks: tuple[str, ...] = ()


class Menu(Strict):
    house: str
    dishes: tuple[Dish, ...] = ()
    sizes: dict[str, int] = Field(default_factory=dict)
    opened: object = None

    @model_validator(mode="after")
    def _cooks_are_known(self, info: ValidationInfo) -> Self:
        known = (info.context or {}).get("cooks", ())
        refuse(
            (("dishes", at, "cooks", place), f"no such cook: {{{cook}}}")
            for at, dish in enumerate(self.dishes)
            for place, cook in enumerate(dish.cooks)
            if known and cook not in known
        )
        return self


@pytest.fixture
def menu(tmp_path: Path) -> Path:
    return tmp_path / "menu.yaml"


def faults(path: Path, model: type[BaseModel] = Menu, **context: Any) -> list[str]:
    """What reading the file says, without the path every line begins with."""
    with pytest.raises(ConfigError) as broken:
        read(path, model, context)
    return [line.removeprefix(f"{path}:") for line in str(broken.value).splitlines()]


def test_a_good_file_is_its_model(menu: Path) -> None:
    menu.write_text(
        "\ufeffhouse: 紫阳茶馆\ndishes:\n- {name: 蒸盆子, price: 88}\n", encoding="utf-8"
    )
    assert read(menu, Menu) == Menu(house="紫阳茶馆", dishes=(Dish(name="蒸盆子", price=88),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", ["1: 文件为空 the file is empty"], id="empty"),
        pytest.param("# nothing\n", ["1: 文件为空 the file is empty"], id="only comments"),
        pytest.param("- a\n", ["1: 应为键值对 must be a mapping"], id="not a mapping"),
        pytest.param(
            "\nhouse: a\nhuose: b\n", ["3: huose: 未知字段 unknown field"], id="unknown field"
        ),
        pytest.param(
            "house: a\ndishes:\n- name: x\n\n- price: 3\n",
            ["5: dishes.1.name: 缺少必填项 required, but missing"],
            id="missing field, the line of what lacks it",
        ),
        pytest.param(
            "house: a\ndishes:\n- name: x\n  price: dear\n",
            [
                "4: dishes.0.price: Input should be a valid integer, unable to parse string as an "
                "integer, not 'dear'"
            ],
            id="wrong type",
        ),
        pytest.param(
            "house:\n", ["1: house: Input should be a valid string, not None"], id="no value"
        ),
        pytest.param(
            "house: a\ndishes: {name: x}\n",
            ["2: dishes: Input should be a valid tuple"],
            id="a mapping where a list belongs",
        ),
        pytest.param(
            "house: a\nsizes:\n  small: 1\n  large: 2\n  small: 3\n",
            ["5: sizes.small: 重复的键 duplicate key, first in line 3"],
            id="duplicate key",
        ),
        pytest.param(
            "house: a\ndishes:\n- {name: x, name: y}\n",
            ["3: dishes.0.name: 重复的键 duplicate key, first in line 3"],
            id="duplicate key in one line",
        ),
        pytest.param(
            "house: a\nsizes: {s: &one 1, t: *one, t: *one}\n",
            ["2: sizes.t: 重复的键 duplicate key, first in line 2"],
            id="duplicate key beside aliases",
        ),
        pytest.param(
            "house: a\nsizes:\n  1: 1\n",
            ["3: sizes.1.[key]: Input should be a valid string, not 1"],
            id="wrong type of key",
        ),
        pytest.param(
            "house: a\ndishes: [x\nsizes: {}\n",
            ["3: YAML 语法错误 bad YAML: expected ',' or ']', but got ':'"],
            id="bad YAML",
        ),
        pytest.param(
            "house: a\n---\nhouse: b\n",
            ["2: YAML 语法错误 bad YAML: but found another document"],
            id="two documents",
        ),
        pytest.param(
            "house: a\nopened: 2026-13-45\n",
            ["2: YAML 语法错误 bad YAML: '2026-13-45' is not a value of its type"],
            id="no such date",
        ),
        pytest.param(
            "house: a\n\nopened: !!timestamp soon\n",
            ["3: YAML 语法错误 bad YAML: 'soon' is not a value of its type"],
            id="tag that does not fit",
        ),
        pytest.param(
            "house: a\nopened: !python/object:os.system x\n",
            [
                "2: YAML 语法错误 bad YAML: could not determine a constructor for the tag "
                "'!python/object:os.system'"
            ],
            id="tag we do not know",
        ),
        pytest.param(
            "house: a\nsizes:\n  ? [a]\n  : 1\n",
            ["3: YAML 语法错误 bad YAML: found unhashable key"],
            id="a list as a key",
        ),
        pytest.param(
            "house: a\n# b\x00\n",
            ["2: YAML 语法错误 bad YAML: special characters are not allowed"],
            id="control character",
        ),
    ],
)
def test_a_fault_names_line_and_field(menu: Path, text: str, said: list[str]) -> None:
    menu.write_text(text, encoding="utf-8")
    assert faults(menu) == said


def test_all_faults_are_told_at_once_in_the_order_of_the_file(menu: Path) -> None:
    menu.write_text(
        "dishes:\n- {name: x, cost: 1}\n- {name: y}\n- name: z\n  price: 1\n  price: 2\nopen: yes\n"
    )
    assert faults(menu) == [
        "1: house: 缺少必填项 required, but missing",
        "2: dishes.0.cost: 未知字段 unknown field",
        "6: dishes.2.price: 重复的键 duplicate key, first in line 5",
        "7: open: 未知字段 unknown field",
    ]


def test_a_value_too_long_for_a_line_is_cut(menu: Path) -> None:
    menu.write_text(f"house: a\nsizes:\n  small: {'x' * 500}\n")
    assert len(faults(menu)[0]) < 200


def test_what_a_validator_refuses_has_its_own_line(menu: Path) -> None:
    menu.write_text(
        "house: a\ndishes:\n- name: x\n  cooks:\n  - li\n  - mao\n- name: y\n  cooks: [qi]\n"
    )
    assert faults(menu, cooks={"li"}) == [
        "6: dishes.0.cooks.1: no such cook: {mao}",
        "8: dishes.1.cooks.0: no such cook: {qi}",
    ]


def test_merged_keys_are_no_duplicates(menu: Path) -> None:
    menu.write_text("house: a\ndishes:\n- &x {name: x, price: 1}\n- {<<: *x, price: 2}\n")
    assert read(menu, Menu).dishes[1] == Dish(name="x", price=2)


def test_a_file_that_is_not_there(menu: Path) -> None:
    assert faults(menu) == [" 无法读取 cannot be read: No such file or directory"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert faults(tmp_path) == [" 无法读取 cannot be read: Is a directory"]


def test_a_file_that_is_no_text(menu: Path) -> None:
    menu.write_bytes("house: a\n# 茶".encode("gbk"))
    assert faults(menu) == ["2: YAML 语法错误 bad YAML: not UTF-8"]


# --- the code tables ----------------------------------------------------------------------------

CODES = """
schema_version: 1
areas:
- {code: "610924000", name: 全县}
- {code: "610924110", name: 红椿镇, unit: HC}
channels:
- {code: phone, zh: 电话, en: Telephone}
fields:
- {code: water, zh: 供水, en: Water}
topics:
- {code: water.supply, zh: 停水, en: Cut off}
"""
UNITS = """
schema_version: 1
units:
- {code: ZFB, name: 县政府办, kind: office, delivery: feed, liaison: 联络员}
- {code: HC, name: 红椿镇, kind: town, parent: ZFB, area: "610924110", delivery: amqp, liaison: 主任}
"""


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "- {code: power.outage, zh: 停电, en: x}",
            "topics.1.code: power.outage 不属于任何领域 lies in no field",
        ),
        (
            "- {code: water, zh: 供水, en: x}",
            "topics.1.code: water 不属于任何领域 lies in no field",
        ),
        (
            "- {code: water.supply, zh: 断水, en: x}",
            "topics.1.code: water.supply 重复 stands here twice",
        ),
        (
            '- {code: water.pipe, zh: "", en: x}',
            "topics.1.zh: String should have at least 1 character, not ''",
        ),
        ("- {code: Water.Pipe, zh: 管, en: x}", "topics.1.code: String should match pattern"),
    ],
)
def test_a_broken_topic_is_pointed_at(menu: Path, row: str, said: str) -> None:
    menu.write_text(CODES + row, encoding="utf-8")
    [fault] = faults(menu, Codes)
    assert fault.startswith(f"12: {said}")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("code: HC, kind: office", "code: HC 重复 stands here twice"),
        ("code: XX, kind: office, parent: YY", "parent: YY 不是其他单位 is no other unit"),
        ("code: XX, kind: office, parent: XX", "parent: XX 不是其他单位 is no other unit"),
        ("code: XX, kind: town", "area: 镇且仅镇须有区域 a town, and only a town, has one"),
        ('code: XX, kind: office, area: "610924111"', "area: 镇且仅镇须有区域"),
        ("code: x.x, kind: office", "code: String should match pattern"),
        (
            "code: XX, kind: village",
            "kind: Input should be 'town', 'department', 'utility' or 'office'",
        ),
    ],
)
def test_a_broken_unit_is_pointed_at(menu: Path, row: str, said: str) -> None:
    menu.write_text(f"{UNITS}- {{{row}, name: x, delivery: feed, liaison: y}}\n", encoding="utf-8")
    [fault] = faults(menu, Units)
    assert fault.startswith(f"6: units.2.{said}")


@pytest.fixture(scope="module")
def codes() -> Codes:
    return read(ZIYANG / "codes.yaml", Codes)


@pytest.fixture(scope="module")
def units() -> Units:
    return read(ZIYANG / "units.yaml", Units)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("water.suply", "water.supply"),
        ("WATER.SUPPLY", "water.supply"),
        ("停水", "water.supply"),
        ("道路塌方", "road.landslide"),
        ("banquet", "conduct.banquet"),
    ],
)
def test_the_nearest_topic_comes_first(codes: Codes, asked: str, found: str) -> None:
    assert codes.topic(asked) is None
    nearest = codes.nearest_topics(asked)
    assert nearest[0] == found
    assert len(nearest) == 3


def test_the_nearest_area_and_unit_come_first(codes: Codes, units: Units) -> None:
    assert codes.nearest_areas("红椿")[0] == "610924110"
    assert codes.nearest_areas("61092411", n=1)[0].startswith("61092411")
    assert units.nearest_units("市场监管局")[0] == "SCJG"
    assert units.nearest_units("hc")[0] == "HC"
    assert len(units.nearest_units("", n=5)) == 5


def test_known_codes_are_found_and_others_are_not(codes: Codes, units: Units) -> None:
    area, topic = codes.area("610924110"), codes.topic("tourism.ticket")
    channel, unit = codes.channel("phone"), units.unit("SCJG")
    assert (area and area.unit, topic and topic.zh) == ("HC", "景区门票")
    assert (channel and channel.zh, unit and unit.kind) == ("电话", "department")
    assert not any((codes.area("0"), codes.topic("water"), codes.channel("fax"), units.unit("hc")))


# --- the files we ship --------------------------------------------------------------------------


class Rule(Strict):
    """One rule as catalogue.yaml describes it; the dispatcher's own model decides, this one proofreads."""

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    topic: str | None = None
    areas: tuple[str, ...] = ()
    types: tuple[TicketType, ...] = ()
    keywords: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    lead: str
    co_handlers: tuple[str, ...] = ()
    urgency: Urgency | None = None
    reason: str = Field(min_length=8)
    grassroots: bool = False

    def covers(self, topic: str, area: str) -> bool:
        """Whether the topic and the area alone are enough for this rule."""
        more = self.types or self.keywords or self.flags
        return not more and lies_under(topic, self.topic) and area in (self.areas or (area,))


class Catalogue(Strict):
    schema_version: int
    version: str
    jurisdiction: str
    rules: tuple[Rule, ...]


class Policy(BaseModel):
    """What of policy.yaml the catalogue leans on."""

    flags: tuple[str, ...]
    urgency_rules: dict[str, Any]


def lies_under(topic: str, prefix: str | None) -> bool:
    return prefix is not None and f"{topic}.".startswith(f"{prefix}.")


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return read(ZIYANG / "catalogue.yaml", Catalogue).rules


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read(ZIYANG / "policy.yaml", Policy)


def handlers(rule: Rule) -> Iterator[str]:
    return (unit for unit in (rule.lead, *rule.co_handlers) if unit != "{town}")


def test_the_areas_are_the_towns_of_the_statistics(codes: Codes) -> None:
    shipped = {(area.code, area.name) for area in codes.areas if area.unit}
    assert shipped == {
        (code, name) for code, name in csv.reader(StringIO("\n".join(TOWNS.split())))
    }


def test_areas_and_towns_name_one_another(codes: Codes, units: Units) -> None:
    assert {area.code: area.unit for area in codes.areas if area.unit} == units.towns()
    assert [area.name for area in codes.areas if not area.unit] == ["全县"]
    named = {area.unit: area.name for area in codes.areas}
    assert all(named[unit.code] == unit.name for unit in units.units if unit.kind == "town")


def test_the_county_is_whole(codes: Codes, units: Units) -> None:
    kinds = Counter(unit.kind for unit in units.units)
    assert (kinds["town"], kinds["office"]) == (17, 2)
    assert kinds["department"] >= 24
    assert kinds["utility"] >= 6
    assert len({unit.name for unit in units.units}) == len(units.units)
    assert len(codes.topics) >= 60
    assert {topic.code.partition(".")[0] for topic in codes.topics} == {
        f.code for f in codes.fields
    }


def test_parents_lead_up_to_the_county_government(units: Units) -> None:
    for unit in units.units:
        above = unit
        for _ in units.units:
            parent = units.unit(above.parent) if above.parent else None
            above = parent or above
        assert above.code == "ZFB", unit.code


def test_ten_units_have_a_queue_of_their_own(units: Units) -> None:
    queues = {unit.code for unit in units.units if unit.delivery == "amqp"}
    assert queues == {"CG", "HC", "GAJ", "RSJ", "ZJJ", "WLJ", "SCJG", "SWJ", "GDJ", "GSGS"}


def test_the_catalogue_is_of_a_real_size_and_its_ids_differ(rules: tuple[Rule, ...]) -> None:
    ids = [rule.id for rule in rules]
    assert len(ids) >= 60
    assert len(set(ids)) == len(ids)


def test_every_code_in_a_rule_is_known(
    rules: tuple[Rule, ...], codes: Codes, units: Units, policy: Policy
) -> None:
    unknown = [
        *((r.id, u) for r in rules for u in handlers(r) if not units.unit(u)),
        *((r.id, a) for r in rules for a in r.areas if not codes.area(a)),
        *((r.id, f) for r in rules for f in r.flags if f not in policy.flags),
        *(
            (rule.id, rule.topic)
            for rule in rules
            if rule.topic and not any(lies_under(t.code, rule.topic) for t in codes.topics)
        ),
    ]
    assert unknown == []


def test_every_rule_asks_for_something_and_names_each_unit_once(rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        assert any((rule.topic, rule.areas, rule.types, rule.keywords, rule.flags)), rule.id
        assert len({rule.lead, *rule.co_handlers}) == 1 + len(rule.co_handlers), rule.id


def test_a_town_leads_only_what_is_in_its_duty_list(rules: tuple[Rule, ...], units: Units) -> None:
    """GB66-5: a department's matter must not be given to the grass roots."""
    towns = {"{town}", *units.towns().values()}
    assert {r.id for r in rules if r.lead in towns} == {r.id for r in rules if r.grassroots}


def test_every_topic_but_those_left_to_the_desk_has_a_rule(
    rules: tuple[Rule, ...], codes: Codes
) -> None:
    open_topics = {
        topic.code
        for topic in codes.topics
        for area in codes.areas
        if not any(rule.covers(topic.code, area.code) for rule in rules)
    }
    assert open_topics == {"conduct.banquet", "other.suggestion", "other.unclear"}


def test_no_rule_stands_behind_one_that_takes_all_it_could_match(rules: tuple[Rule, ...]) -> None:
    """A rule needs a condition that every more general rule before it lacks."""
    shadowed = [
        (before.id, rule.id)
        for at, rule in enumerate(rules)
        for before in rules[:at]
        if rule.topic and not (before.types or before.keywords or before.flags)
        if lies_under(rule.topic, before.topic)
        and set(rule.areas or "all") <= set(before.areas or rule.areas or "all")
    ]
    assert shadowed == []


def test_a_reported_banquet_is_left_to_the_desk(rules: tuple[Rule, ...]) -> None:
    """SEED: the case of the 无事酒 was led by the head in person, not routed by a table."""
    takers = [rule for rule in rules if lies_under("conduct.banquet", rule.topic)]
    assert takers
    assert all(rule.types and TicketType.REPORT not in rule.types for rule in takers)


def test_opening_a_company_has_one_lead_and_three_co_handlers(rules: tuple[Rule, ...]) -> None:
    """SEED: one ticket, 人社 + 税务 + 市场监管."""
    rule = next(rule for rule in rules if rule.covers("enterprise.opening", "610924100"))
    assert rule.lead == "SCJG"
    assert set(rule.co_handlers) > {"RSJ", "SWJ"}
    assert len(rule.co_handlers) == 3


def test_every_critical_word_of_the_policy_has_a_critical_rule(
    rules: tuple[Rule, ...], policy: Policy
) -> None:
    """Wherever it stands: such a rule comes before every rule that asks for a topic."""
    first_topic = next(at for at, rule in enumerate(rules) if rule.topic and rule.topic != "threat")
    critical = {
        word
        for rule in rules[:first_topic]
        if rule.urgency is Urgency.CRITICAL
        for word in rule.keywords
    }
    assert set(policy.urgency_rules["critical_keywords"]) <= critical


def test_every_urgent_field_of_the_policy_has_topics(codes: Codes, policy: Policy) -> None:
    assert set(policy.urgency_rules["urgent_topics"]) <= {field.code for field in codes.fields}
