"""另号已承办: since when units have had a matter under other numbers (ADR 0087)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.dispatcher.rules import had
from tests.fixtures.scenes.tracker import at

EARLY, LATE = at("03-02 09:00"), at("03-03 09:00")


def since(kept: Any, round: int, *units: str) -> datetime | None:
    return had.since(kept, round, lambda unit: unit in units)


def test_the_first_moment_counts_in_whatever_order_it_is_heard() -> None:
    one = had.noted(had.noted(None, 1, {"A": LATE}), 1, {"A": EARLY, "B": LATE})
    other = had.noted(had.noted(None, 1, {"A": EARLY, "B": LATE}), 1, {"A": LATE})
    assert one == other
    assert (since(one, 1, "A"), since(one, 1, "B"), since(one, 1, "C")) == (EARLY, LATE, None)
    assert since(one, 1, "A", "B") == EARLY  # who follows both


def test_another_round_begins_anew_and_an_older_one_changes_nothing() -> None:
    kept = had.noted(had.noted(None, 1, {"A": EARLY}, waited=True), 2, {"B": LATE})
    assert (since(kept, 1, "A"), since(kept, 2, "A"), since(kept, 2, "B")) == (None, None, LATE)
    assert had.noted(kept, 1, {"A": EARLY}) == kept
    assert not had.has_waited(kept, 2)


def test_that_its_citizen_was_waited_for_stays() -> None:
    kept = had.noted(had.noted(None, 1, {"A": EARLY}, waited=True), 1, {"B": LATE})
    assert had.has_waited(kept, 1)
    assert had.noted(None, 1, {}) is None
