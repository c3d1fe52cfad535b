"""How well duplicates are found is measured on messages of the tests where there are no others."""

from __future__ import annotations

from random import Random

from services.intake.settings import Settings
from tests.load.goals import AT_LEAST
from tests.load.likeness import INVENTED, ROOT, found, reports, second_caller


def test_near_copies_are_found_and_other_matters_of_one_area_and_topic_are_not() -> None:
    """DOMAIN.md 7: how well, as measured."""
    config = Settings(embedded=True, config_dir=ROOT / "config" / "ziyang").load()
    figures = found(reports(INVENTED), config.duplicates.likeness, Random(1))
    assert figures["details"]["copies"] >= 20
    assert figures["details"]["other_matters"] >= 20
    assert figures["dup_precision"] >= AT_LEAST["dup_precision"]
    assert figures["dup_recall"] >= AT_LEAST["dup_recall"]


def test_a_second_caller_says_less_and_in_other_words() -> None:
    [first, *_] = reports(INVENTED)
    again = second_caller(first.text, Random(2))
    assert again != first.text
    assert not set(first.text.split("，")) <= set(again.split("，"))
