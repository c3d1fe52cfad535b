"""地名: which area a text names, and never one that no word of it names (DOMAIN.md section 7; ADR 0059)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.intake.rules.places import AreaFinder, AreaPlaces, Places, places_have_areas
from shared.jurisdiction.codes import Codes, areas_above
from shared.jurisdiction.wording import plain

TABLES: dict[str, Any] = {"flags": [], "channels": [], "fields": [], "topics": [], "reasons": []}
TOWNS: list[dict[str, Any]] = [
    {"code": "610924000", "name": "全县"},
    {"code": "610924100", "name": "城关镇"},
    {"code": "610924100201", "name": "新华村"},
    {"code": "610924100202", "name": "河堤村"},
    {"code": "610924112", "name": "毛坝镇", "aliases": ["毛坝关"]},
    {"code": "610924112201", "name": "新华村"},
]
ROWS: tuple[AreaPlaces, ...] = (
    AreaPlaces(area="610924100", names=("紫府路", "新华村委会旧址")),
    AreaPlaces(area="610924112", names=("毛坝", "ＡＢ大厦")),
)
PLACES = Places(whole="610924000", places=ROWS)
CODES = Codes.model_validate(TABLES | {"areas": TOWNS})
FINDER = AreaFinder(PLACES, CODES)
CG, MB = "610924100", "610924112"


@pytest.mark.parametrize(
    ("text", "words", "area"),
    [
        ("紫阳县毛坝镇街道", ("毛坝镇",), MB),
        ("毛坝 镇 街道", ("毛坝镇",), MB),
        ("毛坝街道", ("毛坝",), MB),
        ("毛坝关的ab大厦", ("毛坝关", "ab大厦"), MB),
        ("ＡＢ 大厦", ("ａｂ大厦",), MB),
        ("紫府路18号", ("紫府路",), CG),
        ("城关镇新华村三组", ("城关镇", "新华村"), "610924100201"),
        ("毛坝镇新华村三组", ("毛坝镇", "新华村"), "610924112201"),
        ("城关镇新华村委会旧址", ("城关镇", "新华村委会旧址"), CG),
        ("河堤村", ("河堤村",), "610924100202"),
        ("城关镇河堤村和新华村", ("城关镇", "河堤村", "新华村"), CG),
        ("新华村三组", ("新华村",), None),
        ("从毛坝镇到城关镇的路", ("毛坝镇", "城关镇"), None),
        ("毛坝镇紫府路", ("毛坝镇", "紫府路"), None),
    ],
)
def test_a_text_names_an_area(text: str, words: tuple[str, ...], area: str | None) -> None:
    """The smallest that all its words allow; two towns are not certain."""
    found = FINDER.find(text)
    assert found is not None
    assert (found.words, found.area) == (words, area)


@pytest.mark.parametrize("text", ["", "全县停电", "小区停水三天", "毛 主席", "610924112"])
def test_a_text_names_none(text: str) -> None:
    assert FINDER.find(text) is None


NAMES = [name for row in TOWNS for name in (row["name"], *row.get("aliases", ()))]
PIECES = st.sampled_from(
    [*NAMES, *(name for row in ROWS for name in row.names), "的", "路", "，", "村"]
)


@given(st.lists(PIECES | st.text(max_size=4), max_size=8).map("".join))
def test_no_area_is_found_that_no_word_names(text: str) -> None:
    """DOMAIN.md 7: every word stands in the text, and names the area, what lies in it or around it."""
    found = FINDER.find(text)
    if found is None:
        return
    assert found.words
    dense = plain("".join(text.split()))
    meanings: dict[str, set[str]] = {}
    for code, name in [
        *(
            (str(row["code"]), str(name))
            for row in TOWNS
            for name in (row["name"], *row.get("aliases", ()))
        ),
        *((row.area, name) for row in ROWS for name in row.names),
    ]:
        meanings.setdefault(plain(name), set()).add(code)
    words = [plain(word) for word in found.words]
    for word in words:
        assert word in dense
        related = (
            found.area is None or found.area in areas_above(area) or area in areas_above(found.area)
            for area in meanings[word]
        )
        assert any(related)
    named = {area for word in words for area in meanings[word]}
    assert found.area is None or any(found.area in areas_above(area) for area in named)
    assert found.area != PLACES.whole


def test_without_names_nothing_is_found() -> None:
    county = Codes.model_validate(TABLES | {"areas": TOWNS[:1]})
    assert AreaFinder(Places(whole="610924000"), county).find("全县") is None


@pytest.mark.parametrize(("area", "town"), [("610924100201", CG), (CG, CG), ("610924112201", MB)])
def test_a_village_lies_in_its_town(area: str, town: str) -> None:
    assert FINDER.town_of(area) == town
    assert FINDER.within(area, town)
    assert FINDER.within(area, "610924000")


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"whole": "610999"}, ("whole",)),
        ({"places": [{"area": "610924999", "names": ["某路"]}]}, ("places", 0, "area")),
        (
            {"whole": "610924000", "places": [{"area": "610924000", "names": ["某路"]}]},
            ("places", 0, "area"),
        ),
    ],
)
def test_what_lies_nowhere_is_refused(given: dict[str, Any], where: tuple[Any, ...]) -> None:
    [(file, at, _)] = places_have_areas(Places.model_validate(given), CODES)
    assert (file, at) == ("places", where)


@pytest.mark.parametrize("name", ["路", "某 路", ""])
def test_a_name_of_one_letter_names_nothing(name: str) -> None:
    with pytest.raises(ValidationError):
        AreaPlaces.model_validate({"area": CG, "names": [name]})
