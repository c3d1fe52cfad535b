"""二次派单: to whom a unit may hand its order down, also when a unit is no more (ADR 0056, 0059)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from services.dispatcher.rules.handing_down import superior, units_below
from shared.events import UnitReformed
from shared.jurisdiction.codes import Units
from shared.jurisdiction.succession import Dissolved

PLACE = Units.model_validate(
    {
        "units": [
            {"name": row["code"], "delivery": "feed", "liaison": "承办员"} | row
            for row in (
                {"code": "CG", "kind": "town", "area": "610924100"},
                {"code": "HBQ", "kind": "district", "area": "610902"},
                {"code": "GAJ", "kind": "department"},
                {"code": "JJDD", "kind": "department", "parent": "GAJ"},
                {"code": "GSGS", "kind": "utility", "parent": "GAJ"},
                {"code": "CG01", "kind": "village", "parent": "CG"},
                {"code": "CG02", "kind": "village", "parent": "CG"},
                {"code": "GAJ01", "kind": "station", "parent": "GAJ"},
                {"code": "ZFB", "kind": "office"},
                {"code": "SPJ", "kind": "department", "parent": "ZFB"},
                {"code": "HC", "kind": "town", "parent": "HBQ", "area": "610902100"},
                {"code": "HY", "kind": "town", "parent": "HBQ", "area": "610902101"},
            )
        ]
    }
)


def gone(unit: str, *successors: str) -> dict[str, Dissolved]:
    reform = UnitReformed.model_validate(
        {
            "kind": "merge" if len(successors) == 1 else "split",
            "reform": str(UUID(int=1)),
            "successors": successors,
            "reason": "机构改革",
        }
    )
    return {unit: Dissolved(datetime(2026, 7, 1, tzinfo=UTC), reform)}


def test_a_unit_hands_down_to_its_own_and_nobody_to_a_town() -> None:
    """R-05: what is a town's duty the catalogue says."""
    assert units_below(PLACE, "CG", {}) == ["CG01", "CG02"]
    assert units_below(PLACE, "GAJ", {}) == ["JJDD", "GSGS", "GAJ01"]
    nobodys = ("CG01", "ZFB", "HBQ", "NOBODY")
    assert [units_below(PLACE, unit, {}) for unit in nobodys] == [[], [], [], []]
    assert [superior(PLACE, unit, {}) for unit in ("CG01", "GAJ", "NOBODY")] == ["CG", None, None]


def test_the_villages_of_a_town_that_is_merged_are_those_of_who_follows_it() -> None:
    merged = gone("CG", "HC")
    assert superior(PLACE, "CG01", merged) == "HC"
    assert units_below(PLACE, "HC", merged) == ["CG01", "CG02"]
    assert units_below(PLACE, "CG", merged) == []


def test_whose_a_village_is_after_a_split_units_yaml_says() -> None:
    split = gone("CG", "HC", "HY")
    assert superior(PLACE, "CG01", split) is None
    assert [units_below(PLACE, unit, split) for unit in ("HC", "HY")] == [[], []]


def test_nothing_is_handed_down_to_a_village_that_is_no_more() -> None:
    assert units_below(PLACE, "CG", gone("CG01", "CG02")) == ["CG02"]
