"""GET /v1/rates: figures from raw outcomes, under the formula that is printed beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.feedback.settings import Config
from shared.jurisdiction.appraisal import Appraisal
from shared.storage.act import Store
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import (
    FIRST_CALL,
    callback_of,
    registration,
    report,
    resolution,
    resolved,
)

CONTENT: dict[str, Any] = {"contacted": "yes", "solved": "yes", "satisfied": "satisfied"}
# (lead, outcomes of its attempts in order): two units, every kind of ending.
CALLS: list[tuple[str, list[tuple[str, dict[str, Any]]]]] = [
    ("CG", [("answered", CONTENT)]),
    ("CG", [("answered", CONTENT | {"satisfied": "basically_satisfied", "solved": "partly"})]),
    ("CG", [("no_answer", {}), ("answered", CONTENT | {"satisfied": "unrated"})]),
    ("CG", [("answered", CONTENT | {"solved": "no", "satisfied": "unsatisfied"})]),
    ("CG", [("refused", {})]),
    ("HC", [("answered", CONTENT | {"contacted": "no"})]),
    ("HC", [("no_answer", {}), ("unreachable", {}), ("number_off", {})]),
]
MOMENTS = [FIRST_CALL, "2026-03-03T14:30+08:00", "2026-03-04T18:30+08:00"]


@pytest.fixture
async def month(feedback: Bench) -> Bench:
    """Calls of every kind in March, ended by the 4th; and tickets nobody was to call."""
    numbers = [f"20260302-{at:06}" for at in range(1, len(CALLS) + 1)]
    for number, (lead, _) in zip(numbers, CALLS, strict=True):
        await feedback.hear(registration(feedback, number), resolution(feedback, number, lead=lead))
    await resolved(feedback, "20260302-000101", type="commendation")
    await resolved(feedback, "20260302-000102", has_contact=False)
    await resolved(feedback, "20260302-000103", has_contact=False)
    for attempt, moment in enumerate(MOMENTS, start=1):
        feedback.at(moment)
        await feedback.run("ring")
        for number, (_, outcomes) in zip(numbers, CALLS, strict=True):
            if len(outcomes) >= attempt:
                outcome, answers = outcomes[attempt - 1]
                callback = await callback_of(feedback, number)
                answer = await report(feedback, callback, outcome, attempt, **answers)
                assert answer.status_code == 200, answer.text
    return feedback


async def rates(bench: Bench, **query: str) -> dict[str, Any]:
    answer = await bench.http("supervisor").get("/v1/rates", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_the_counties_formula_is_printed_with_its_counts(month: Bench) -> None:
    found = await rates(month)
    assert found["formula"] == "ziyang-2022"
    assert "(valid - unsatisfied) / valid" in found["text"]
    assert (found["start"], found["end"]) == ("2026-03-01", "2026-03-04")
    assert found["counts"] == {
        "called": 7,
        "refused": 1,
        "unreachable": 1,
        "valid": 5,
        "contacted": 4,
        "solved": 3,
        "partly_solved": 1,
        "satisfied": 2,
        "basically_satisfied": 1,
        "unsatisfied": 1,
        "unrated": 1,
        "partial": 0,
        "by_citizen": 0,
    }
    assert found["rates"] == {"satisfaction": 0.8}
    assert found["not_called"] == {"commendation": 1, "no_contact": 2}


async def test_each_lead_unit_has_its_own_figures(month: Bench) -> None:
    units = {unit["unit"]: unit for unit in (await rates(month))["units"]}
    assert units.keys() == {"CG", "HC"}
    assert units["CG"]["name"] == "城关镇"
    assert (units["CG"]["counts"]["called"], units["CG"]["counts"]["unsatisfied"]) == (5, 1)
    assert (units["HC"]["counts"]["valid"], units["HC"]["counts"]["unsatisfied"]) == (1, 0)


async def test_a_unit_stands_with_its_class_and_band_and_has_no_rate_of_few(month: Bench) -> None:
    """R-43: CG has four valid callbacks, HC one; the county's rate counts all five."""
    stands = {"kind": "town", "band": {"least": 0, "most": 9}, "few": True, "rates": None}
    for unit in (await rates(month))["units"]:
        assert unit.items() >= stands.items()
        assert unit["redo"]["rate"] is None
    store: Store[Config] = month.service.store
    appraisal = Appraisal(bands=(2, 4), least=4)
    place = store.config.place.model_copy(update={"appraisal": appraisal})
    store.config = replace(store.config, place=place)
    found = await rates(month)
    assert found["rates"] == {"satisfaction": 0.8}
    stand = [(each["unit"], each["few"], each["rates"], each["band"]) for each in found["units"]]
    assert stand == [
        ("CG", False, {"satisfaction": 0.75}, {"least": 4, "most": None}),
        ("HC", True, None, {"least": 0, "most": 1}),
    ]


async def test_rounds_sent_back_are_counted_beside_those_completed(month: Bench) -> None:
    """重办率 (Yulin; R-42): of ten rounds completed two were sent back."""
    found = await rates(month)
    assert found["redo"] == {"completed": 10, "reopened": 2, "rate": 0.2}
    redo = {unit["unit"]: unit["redo"] for unit in found["units"]}
    assert redo["HC"] == {"completed": 2, "reopened": 1, "rate": None}  # of two
    assert sum(each["completed"] for each in redo.values()) == 10
    third = await rates(month, **{"from": "2026-03-03", "to": "2026-03-03"})
    assert (third["redo"]["completed"], third["redo"]["rate"]) == (0, None)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("ziyang-2020", {"satisfaction": 0.4}),
        (
            "beijing-district",
            {"response": 0.8, "solved": 0.6, "satisfaction": 0.58, "score": 61.2},
        ),
    ],
)
async def test_the_same_calls_under_another_formula(
    month: Bench, formula: str, expected: dict[str, float]
) -> None:
    found = await rates(month, formula=formula)
    assert (found["formula"], found["rates"]) == (formula, expected)


async def test_a_round_counts_on_the_day_it_ended(month: Bench) -> None:
    """R-48 统计周期."""
    third = await rates(month, **{"from": "2026-03-03", "to": "2026-03-03"})
    fourth = await rates(month, **{"from": "2026-03-04", "to": "2026-03-04"})
    assert (third["counts"]["called"], fourth["counts"]["called"]) == (6, 1)
    assert fourth["rates"] is None
    assert fourth["units"][0]["rates"] is None
    assert third["not_called"] == {}


async def test_a_day_begins_at_local_midnight(feedback: Bench) -> None:
    feedback.at("2026-03-05T00:30+08:00")
    await resolved(feedback, type="commendation")
    assert (await rates(feedback, **{"from": "2026-03-05", "to": "2026-03-05"}))["not_called"]
    assert not (await rates(feedback, **{"from": "2026-03-04", "to": "2026-03-04"}))["not_called"]


async def test_without_any_call_there_is_no_rate(feedback: Bench) -> None:
    found = await rates(feedback)
    assert (found["rates"], found["units"], found["counts"]["called"]) == (None, [], 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"formula": "ziyang-1999"}, "formula"),
        ({"from": "2026-03-05", "to": "2026-03-04"}, "to"),
        ({"from": "yesterday"}, "from"),
    ],
)
async def test_a_malformed_question_names_its_field(
    feedback: Bench, query: dict[str, str], field: str
) -> None:
    answer = await feedback.http("supervisor").get("/v1/rates", params=query)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


async def test_an_unknown_formula_is_told_the_known_ones(feedback: Bench) -> None:
    answer = await feedback.http("desk").get("/v1/rates", params={"formula": "ziyang-1999"})
    assert answer.json()["allowed"] == ["ziyang-2022", "ziyang-2020", "beijing-district"]


@pytest.mark.parametrize(
    ("role", "unit", "expected"),
    [(None, None, 401), ("unit", "CG", 403), ("supervisor", None, 200), ("desk", None, 200)],
)
async def test_figures_are_for_the_hotline(
    feedback: Bench, role: str | None, unit: str | None, expected: int
) -> None:
    assert (await feedback.http(role, unit).get("/v1/rates")).status_code == expected
