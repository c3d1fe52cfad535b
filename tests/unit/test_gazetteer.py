"""回避: what people call the units, and whom words stand for (R-35, JN-32)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events import Reported
from shared.jurisdiction.codes import Codes, Units
from shared.jurisdiction.gazetteer import Gazetteer, Mention
from shared.jurisdiction.reader import read

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"
UNITS = read(ZIYANG / "units.yaml", Units)
GAZETTEER = Gazetteer(UNITS, read(ZIYANG / "codes.yaml", Codes), "紫阳县")
HERE, COUNTY = "610924110", "610924000"  # 红椿镇, and the county as a whole
CODES = [unit.code for unit in UNITS.units]


def named(text: str, area: str = HERE) -> dict[str, set[str]]:
    return {mention.words: set(mention.units) for mention in GAZETTEER.find(text, area)}


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        ("公安局", "GAJ"),
        ("紫阳县公安局", "GAJ"),
        ("县公安局", "GAJ"),
        ("派出所", "GAJ"),
        ("民警", "GAJ"),
        ("辅警", "GAJ"),
        ("交警大队", "JJDD"),
        ("公安局交通警察大队", "JJDD"),
        ("交警", "JJDD"),
        ("供水公司", "GSGS"),
        ("紫阳县供水有限公司", "GSGS"),
        ("水务公司", "GSGS"),
        ("供电公司", "GDJ"),
        ("税务局", "SWJ"),
        ("县医院", "WJJ"),
        ("卫生院", "WJJ"),
        ("校长", "JTJ"),
        ("城管", "CGZF"),
        ("县政府", "ZFB"),
        ("县长", "ZFB"),
        ("红椿镇", "HC"),
        ("红椿镇政府", "HC"),
        ("红椿镇人民政府", "HC"),
        ("红椿政府", "HC"),
        ("红椿镇党委书记", "HC"),
        ("毛坝镇政府", "MB"),
        ("镇政府", "HC"),
        ("乡政府", "HC"),
        ("镇里", "HC"),
        ("镇长", "HC"),
        ("村委会", "HC"),
        ("村支书", "HC"),
        ("村主任", "HC"),
        ("村干部", "HC"),
        ("组长", "HC"),
        ("社区书记", "HC"),
        ("居委会", "HC"),
        ("驻村干部", "HC"),
        ("第一书记", "HC"),
    ],
)
def test_a_name_means_its_unit(words: str, unit: str) -> None:
    """The longest name that stands there, and nothing within it."""
    assert named(f"我要举报，{words}，请查") == {words: {unit}}


@pytest.mark.parametrize("words", ["镇政府", "村主任", "局长", "科长", "队长", "执法队", "干部"])
def test_what_could_be_anybody_names_somebody(words: str) -> None:
    assert named(f"举报{words}", COUNTY) == {words: set()}


@pytest.mark.parametrize(
    "text",
    ["红椿镇街上有家黑作坊", "向阳路口的烧烤摊", "高桥下面有人电鱼", "我们村民都知道", "农村"],
)
def test_a_place_is_nobody(text: str) -> None:
    assert named(text) == {}


@pytest.mark.parametrize("text", ["红 椿 镇 政 府", "“红椿镇”政府", "红椿·镇政府", "红椿\n镇政府"])
def test_what_stands_between_the_letters_hides_nothing(text: str) -> None:
    assert named(text) == {"红椿镇政府": {"HC"}}


def test_a_village_is_a_place_of_the_town() -> None:
    (village,) = GAZETTEER.find("尚坝村有黑作坊", HERE)
    assert village == Mention("尚坝村", frozenset(["HC"]), place=True)


def test_a_village_with_a_code_of_its_own_lies_in_its_town() -> None:
    assert GAZETTEER.town_of("610924110203") == "HC"
    assert GAZETTEER.town_of(COUNTY) is None


@pytest.mark.parametrize(
    ("words", "units"),
    [
        ("供水公司抄表员张某", {"GSGS"}),
        ("抄表员", {"GSGS", "GDJ", "RQGS"}),
        ("尚坝村", {"HC"}),
        ("尚坝村村委会主任", {"HC"}),
        ("三组的组长", {"HC"}),
        ("毛坝镇村主任", {"MB"}),
        ("红椿派出所所长", {"HC", "GAJ"}),
        ("尚坝村卫生室", {"WJJ", "HC"}),
        ("老王", set()),
        ("队长", set()),
    ],
)
def test_reported_words_belong_to_units(words: str, units: set[str]) -> None:
    assert GAZETTEER.meant(words, HERE) == units
    unclear = GAZETTEER.unclear(Reported(words=(words,)), HERE)
    assert unclear == (() if units else (words,))


def test_a_code_that_stands_in_no_table_is_unclear() -> None:
    assert GAZETTEER.unclear(Reported(units=("XYZ", "HC")), HERE) == ("XYZ",)


@given(
    st.lists(st.sampled_from(CODES), max_size=4),
    st.lists(st.sampled_from(["镇政府", "供水公司抄表员", "民警", "老王"]), max_size=3),
)
def test_several_reported_are_the_union_of_their_kin(units: list[str], words: list[str]) -> None:
    """Each unit with its parent and its children, and no two steps (ADR 0033)."""
    reported = Reported(units=tuple(units), words=tuple(words))
    meant = {"镇政府": {"HC"}, "供水公司抄表员": {"GSGS"}, "民警": {"GAJ"}, "老王": set[str]()}
    accused = set(units).union(*(meant[word] for word in words))
    kin = {unit.code for unit in UNITS.units if unit.code in accused or unit.parent in accused} | {
        unit.parent for unit in UNITS.units if unit.code in accused and unit.parent
    }
    assert GAZETTEER.accused(reported, HERE)[: len(set(units))] == tuple(dict.fromkeys(units))
    assert GAZETTEER.recused(reported, HERE) == kin


@given(st.text(alphabet="红椿镇政府村主任公安局派出所的，。 ", max_size=40), st.sampled_from(CODES))
def test_whoever_is_named_is_found_wherever_they_stand(text: str, code: str) -> None:
    unit = UNITS.unit(code)
    assert unit
    found = GAZETTEER.find(f"{text}，{unit.name}，{text}", HERE)
    assert code in {each for mention in found for each in mention.units}
