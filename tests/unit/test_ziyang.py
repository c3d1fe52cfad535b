"""The jurisdiction we ship, config/ziyang: its files hold together and say what the trade asks."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import ConfigError
from shared.events import TicketType, Urgency
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.place import Place
from shared.jurisdiction.reader import read
from shared.jurisdiction.urgency import UrgencyRules

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"

# National Bureau of Statistics 2023, Ziyang county (610924).
TOWNS = """
610924100,城关镇 610924101,蒿坪镇 610924102,汉王镇 610924103,焕古镇 610924104,向阳镇
610924105,洞河镇 610924106,洄水镇 610924108,双桥镇 610924109,高桥镇 610924110,红椿镇
610924111,高滩镇 610924112,毛坝镇 610924113,瓦庙镇 610924114,麻柳镇 610924115,双安镇
610924116,东木镇 610924117,界岭镇
"""


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
    assert units.nearest_units("市场监管局")[0] == "SCJG"
    assert units.nearest_units("hc")[0] == "HC"
    assert len(units.nearest_units("", n=5)) == 5


def test_known_codes_are_found_and_others_are_not(codes: Codes, units: Units) -> None:
    area, topic = codes.area("610924110"), codes.topic("tourism.ticket")
    channel, unit = codes.channel("phone"), units.unit("SCJG")
    assert (area and area.name, topic and topic.zh) == ("红椿镇", "景区门票")
    assert (channel and channel.zh, unit and unit.kind) == ("电话", "department")
    assert not any((codes.area("0"), codes.topic("water"), codes.channel("fax"), units.unit("hc")))


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(Strict):
    """One rule as catalogue.yaml describes it: what the dispatcher reads, proofread here."""

    id: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    topic: str | None = None
    areas: tuple[str, ...] = ()
    types: tuple[TicketType, ...] = ()
    keywords: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()
    lead: str
    co_handlers: tuple[str, ...] = ()
    urgency: Urgency | None = None
    reason: str = Field(min_length=8)
    grassroots: bool = False

    def covers(self, topic: str, area: str) -> bool:
        """Whether the topic and the area alone are enough for this rule."""
        more = self.types or self.keywords or self.flags or self.dangers
        return not more and lies_under(topic, self.topic) and area in (self.areas or (area,))


class Catalogue(Strict):
    rules: tuple[Rule, ...]


def lies_under(topic: str, prefix: str | None) -> bool:
    return prefix is not None and f"{topic}.".startswith(f"{prefix}.")


@pytest.fixture(scope="module")
def rules() -> tuple[Rule, ...]:
    return read(ZIYANG / "catalogue.yaml", Catalogue).rules


@pytest.fixture(scope="module")
def urgent() -> UrgencyRules:
    return read(ZIYANG / "urgency.yaml", UrgencyRules)


def handlers(rule: Rule) -> Iterator[str]:
    return (unit for unit in (rule.lead, *rule.co_handlers) if unit != "{town}")


def test_the_areas_are_the_towns_of_the_statistics(codes: Codes, units: Units) -> None:
    shipped = {(area.code, area.name) for area in codes.areas if area.code in units.towns()}
    assert shipped == {
        (code, name) for code, name in csv.reader(StringIO("\n".join(TOWNS.split())))
    }


def test_areas_and_towns_name_one_another(codes: Codes, units: Units) -> None:
    towns = units.towns()
    assert [area.name for area in codes.areas if area.code not in towns] == ["全县"]
    named = {towns.get(area.code): area.name for area in codes.areas}
    assert all(named[unit.code] == unit.name for unit in units.units if unit.kind == "town")


def test_the_county_is_whole(codes: Codes, units: Units) -> None:
    kinds = Counter(unit.kind for unit in units.units)
    assert (kinds["town"], kinds["office"]) == (17, 3)
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
        # 纪委监委 answers to no government.
        assert above.code == "ZFB" or unit.code == "JWJ", unit.code


def test_who_stands_back_is_the_reported_unit_its_parent_and_its_children(units: Units) -> None:
    """R-35, JN-32. One step up and one down: else the county government would never be asked."""
    assert units.recused("GAJ") == {"GAJ", "ZFB", "JJDD"}
    assert units.recused("JJDD") == {"JJDD", "GAJ"}
    assert units.recused("HC") == {"HC", "ZFB"}
    assert units.recused("ZFB") == {u.code for u in units.units if "ZFB" in (u.code, u.parent)}
    assert units.recused("XYZ") == {"XYZ"}
    assert not units.recused(None)


def test_who_stands_back_for_a_unit_is_who_it_stands_back_for(units: Units) -> None:
    codes = [unit.code for unit in units.units]
    recused = {code: units.recused(code) for code in codes}
    assert all((a in recused[b]) == (b in recused[a]) for a in codes for b in codes)


def test_ten_units_have_a_queue_of_their_own(units: Units) -> None:
    queues = {unit.code for unit in units.units if unit.delivery == "amqp"}
    assert queues == {"CG", "HC", "GAJ", "RSJ", "ZJJ", "WLJ", "SCJG", "SWJ", "GDJ", "GSGS"}


def test_the_catalogue_is_of_a_real_size_and_its_ids_differ(rules: tuple[Rule, ...]) -> None:
    ids = [rule.id for rule in rules]
    assert len(ids) >= 60
    assert len(set(ids)) == len(ids)


def test_every_code_in_a_rule_is_known(rules: tuple[Rule, ...], codes: Codes, units: Units) -> None:
    unknown = [
        *((r.id, u) for r in rules for u in handlers(r) if not units.unit(u)),
        *((r.id, a) for r in rules for a in r.areas if not codes.area(a)),
        *((r.id, f) for r in rules for f in r.flags if f not in codes.flags),
        *(
            (rule.id, rule.topic)
            for rule in rules
            if rule.topic and not any(lies_under(t.code, rule.topic) for t in codes.topics)
        ),
    ]
    assert unknown == []


def test_every_rule_asks_for_something_and_names_each_unit_once(rules: tuple[Rule, ...]) -> None:
    for rule in rules:
        assert any((rule.topic, rule.areas, rule.types, rule.flags, rule.dangers, rule.keywords)), (
            rule.id
        )
        assert len({rule.lead, *rule.co_handlers}) == 1 + len(rule.co_handlers), rule.id


def test_a_town_leads_only_what_is_in_its_duty_list(rules: tuple[Rule, ...], units: Units) -> None:
    """GB66-5: a department's matter must not be given to the grass roots (R-05)."""
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


def test_every_danger_of_the_policy_has_a_critical_rule(
    rules: tuple[Rule, ...], urgent: UrgencyRules
) -> None:
    """Wherever it stands: such a rule comes before every rule that asks for a topic."""
    first_topic = next(at for at, rule in enumerate(rules) if rule.topic and rule.topic != "threat")
    critical = {
        danger
        for rule in rules[:first_topic]
        if rule.urgency is Urgency.CRITICAL
        for danger in rule.dangers
    }
    assert {danger.id for danger in urgent.dangers} == critical
    assert not urgent.critical_keywords


def test_what_a_rule_makes_critical_overtakes_at_the_door(
    rules: tuple[Rule, ...], urgent: UrgencyRules
) -> None:
    """The door does not know the catalogue: it goes by urgency.yaml."""
    dangers = {danger.id for danger in urgent.dangers}
    for rule in rules:
        if rule.urgency is Urgency.CRITICAL:
            topics = (lies_under(rule.topic or "", matter) for matter in urgent.urgent_topics)
            assert any(topics) or (rule.dangers and dangers.issuperset(rule.dangers)), rule.id


def test_every_urgent_matter_is_a_field_or_a_topic(codes: Codes, urgent: UrgencyRules) -> None:
    known = {term.code for term in (*codes.fields, *codes.topics)}
    assert set(urgent.urgent_topics) <= known


@pytest.mark.parametrize("code", ["915", "0915-", "00915", "0000", "86915"])
def test_an_area_code_is_one_with_its_zero(code: str, tmp_path: Path) -> None:
    text = (ZIYANG / "place.yaml").read_text("utf-8")
    assert read(ZIYANG / "place.yaml", Place).area_code == "0915"
    (tmp_path / "place.yaml").write_text(text.replace('"0915"', f'"{code}"'), "utf-8")
    with pytest.raises(ConfigError, match="area_code"):
        read(tmp_path / "place.yaml", Place)
    (tmp_path / "place.yaml").write_text(text.replace("area_code:", "# area_code:"), "utf-8")
    assert read(tmp_path / "place.yaml", Place).area_code is None
