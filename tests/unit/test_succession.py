"""机构改革: who follows whom, what a unit is called then, and who has to stand back (R-35, JN-32)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatcher.rules import reforming
from services.dispatcher.rules.reforming import MOVES, SENTENCES, Plan, ReformStatus
from shared.errors import JiesuError
from shared.events import ReformPart, UnitReformed
from shared.jurisdiction.codes import Unit, Units
from shared.jurisdiction.reader import read
from shared.jurisdiction.succession import Dissolved, acts_as, called, circles, successor

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"
UNITS = read(ZIYANG / "units.yaml", Units)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
CODES = "ABCDEF"


def gone(*successors: str, **split: Any) -> Dissolved:
    """A unit that is no more, and who follows it."""
    kind = "split" if split else "merge"
    return Dissolved(
        NOW,
        UnitReformed(
            kind=kind, reform=UUID(int=1), successors=successors, reason="紫编发3号", **split
        ),
    )


def county(**successors: list[str]) -> Units:
    """Departments A to F, each with who follows it; B stands under A, and D under C."""
    parents = {"B": "A", "D": "C"}
    return Units.model_validate(
        {
            "units": [
                {
                    "code": f"{code}1",
                    "name": code,
                    "kind": "department",
                    "delivery": "feed",
                    "liaison": "主任",
                    "parent": parents.get(code) and f"{parents[code]}1",
                    "successors": [f"{each}1" for each in successors.get(code, [])],
                }
                for code in CODES
            ]
        }
    )


# --- who acts, and as whom ---------------------------------------------------------------------


def test_a_unit_acts_as_who_follows_it_however_many_reforms_later() -> None:
    dissolved = {"A": gone("B"), "B": gone("C")}
    assert (acts_as("A", dissolved), acts_as("C", dissolved)) == (["C"], ["C"])


def test_as_whom_a_split_unit_acts_nobody_can_say() -> None:
    split = gone("B", "C", parts=(ReformPart(unit="B", topics=("water",)),), remainder="C")
    assert acts_as("A", {"A": split}) == ("B", "C")


@pytest.mark.parametrize(
    ("topics", "areas", "to"),
    [
        (["water", "water.supply"], ["610924"], "B"),
        (["road"], ["610924", "610924101"], "C"),
        (["road"], ["610924"], "D"),
        (["water"], ["610924101"], None),  # two claim it: a person must say
    ],
)
def test_a_split_goes_by_topic_and_area_and_the_remainder_is_somebodys(
    topics: list[str], areas: list[str], to: str | None
) -> None:
    parts = (ReformPart(unit="B", topics=("water",)), ReformPart(unit="C", areas=("610924101",)))
    assert successor(gone("B", "C", "D", parts=parts, remainder="D"), topics, areas) == to


def test_nobody_is_told_a_unit_by_its_code() -> None:
    names = {"A1": "甲局", "B1": "乙局"}
    assert called("A1", names, {}) == "甲局"
    assert called("A1", names, {"A1": gone("B1")}) == "甲局（现乙局）"
    assert called("X1", names, {}) == "承办单位"
    assert "C1" not in called("A1", names, {"A1": gone("C1")})


# --- who stands back ---------------------------------------------------------------------------


def test_who_follows_inherits_the_shield_and_so_do_its_kin() -> None:
    units = county(B=["D"])
    assert units.recused("B1") >= {"B1", "A1", "D1", "C1"}
    assert units.recused("D1") >= {"D1", "C1", "B1", "A1"}
    assert "E1" not in units.recused("B1")
    assert county().recused("B1") == {"B1", "A1"}


def chains() -> st.SearchStrategy[dict[str, list[str]]]:
    """Who follows whom, without a circle: only later letters follow earlier ones."""
    return st.fixed_dictionaries(
        {
            code: st.lists(st.sampled_from(CODES[at + 1 :]), unique=True, max_size=2)
            for at, code in enumerate(CODES[:-1])
        }
    )


@given(chains(), st.sampled_from(CODES), st.sampled_from(CODES))
def test_who_stands_back_for_a_unit_it_stands_back_for(
    follow: dict[str, list[str]], one: str, other: str
) -> None:
    units = county(**follow)
    mutual = f"{other}1" in units.recused(f"{one}1"), f"{one}1" in units.recused(f"{other}1")
    assert mutual[0] is mutual[1]
    for each in follow.get(one, []):  # no reform takes a shield away
        assert units.recused(f"{one}1") >= {f"{one}1", f"{each}1"}
        assert county().recused(f"{one}1") <= units.recused(f"{one}1")


# --- what may be proposed ----------------------------------------------------------------------


@given(
    st.dictionaries(
        st.sampled_from(CODES), st.lists(st.sampled_from(CODES), max_size=2), max_size=6
    )
)
def test_a_circle_is_found_wherever_it_closes(follow: dict[str, list[str]]) -> None:
    found = {list(follow)[at] for at, _ in circles(list(follow.items()))}
    for code in follow:
        reached, left = set[str](), list(follow[code])
        while left:
            if (each := left.pop()) not in reached:
                reached.add(each)
                left += follow.get(each, [])
        assert (code in reached) is (code in found)


def test_units_yaml_lets_nobody_follow_itself_or_whom_nobody_knows() -> None:
    for wrong in ({"A": ["A"]}, {"A": ["B"], "B": ["A"]}):
        with pytest.raises(ValueError, match="follows itself"):
            county(**wrong)
    [first, *others] = UNITS.units
    known = [first.model_copy(update={"successors": ("NOBODY",)}), *others]
    with pytest.raises(ValueError, match="is no other unit"):
        Units.model_validate({"units": [unit.model_dump() for unit in known]})


def test_units_without_reforms_are_as_they_were() -> None:
    assert all(isinstance(unit, Unit) and not unit.successors for unit in UNITS.units)


@pytest.mark.parametrize("first", CODES[:3])
def test_two_reforms_never_make_a_circle(first: str) -> None:
    units = county(A=["B"], B=["C"])
    followed = {"A1": ["B1"], "B1": ["C1"]}
    plan = Plan("merge", "C1", into=f"{first}1")
    with pytest.raises(JiesuError) as refused:
        reforming.check(plan, units, followed, gone=[])
    assert refused.value.slug == "reform-circle"


def test_every_status_says_who_moves_it_on() -> None:
    assert SENTENCES.keys() == MOVES.keys() == set(ReformStatus)


def test_one_person_in_two_roles_is_one_person() -> None:
    with pytest.raises(JiesuError):
        reforming.check_other_person("desk:li", "supervisor:li")
    reforming.check_other_person("desk:li", "desk:wang")
