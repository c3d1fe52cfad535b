"""Learning suggestions and measuring them; the extra ``suggest`` is among what tests install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operations.suggest import learning, samples
from operations.suggest.samples import Sample, read_samples
from services.dispatcher.rules.suggesting import Model
from tests.load.suggesting import INVENTED, figures_of

ORDERS = read_samples(INVENTED)


def test_a_file_is_read_as_it_was_learned() -> None:
    """What a service works out from the file is what the library works out, but for the rounding."""
    lesson = learning.learn(ORDERS, made_at="2026-03-01")
    model = Model.read(lesson.file.model_dump_json().encode(), "model.json")
    for voter, way in zip(model.voters, learning.WAYS, strict=True):
        fitted = learning._fit(way, ORDERS, lesson.file.units)
        for sample, expected in zip(ORDERS, fitted.votes(ORDERS), strict=True):
            said = voter.vote(voter.values(sample.title, sample.content))
            assert said == pytest.approx(list(expected), abs=0.01)


def test_suggestions_on_invented_orders_are_mostly_right() -> None:
    figures = figures_of(INVENTED)
    assert figures["suggest_accuracy"] > 0.7
    assert figures["suggest_top3"] > 0.9
    assert json.dumps(figures)


def test_a_granted_return_speaks_against_its_unit() -> None:
    again = [Sample("停水", "自来水停水", None, frozenset({"GSGS"}))] * 30
    asked = ("停水", "自来水停水")

    def chance(samples: list[Sample]) -> float:
        found = learning.learn(samples, made_at="").file
        suggested = Model.read(found.model_dump_json().encode(), "").suggest(*asked)
        return {each.unit: each.confidence for each in suggested}.get("GSGS", 0.0)

    assert chance([*ORDERS, *again]) < chance(ORDERS)


def test_a_confidence_is_chosen_by_what_was_not_seen() -> None:
    sure = [(0.9, True), (0.9, True), (0.8, True), (0.7, False), (0.6, True)]
    assert learning.threshold(sure, 0.0) == 0.8
    assert learning.threshold(sure, 0.2) == 0.6
    assert learning.threshold([(0.9, False)], 0.02) == learning.NEVER
    assert learning.threshold([(0.9, True), (0.9, False)], 0.02) == learning.NEVER
    assert learning.share_at(sure, 0.0) == 0.6


def test_folds_deal_each_unit_out_evenly() -> None:
    folds = samples.dealt(ORDERS, 5, seed=0)
    assert max(map(folds.count, range(5))) - min(map(folds.count, range(5))) <= 1
    assert folds == samples.dealt(ORDERS, 5, seed=0)


def test_the_model_of_a_place_holds_no_digit(tmp_path: Path) -> None:
    text = learning.learn(ORDERS, made_at="").file
    assert not any(
        char in gram for voter in text.voters for gram in voter.grams for char in "123456789"
    )
