"""Ids and the months they are of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import time_machine
import uuid6

from shared.storage.months import (
    AHEAD,
    Partition,
    first_id,
    lacking,
    month_of,
    months_after,
)

TURN = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _ids_go_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is never of an earlier time than the one before, whatever a test did to the clock."""
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", None)


def id_of(moment: datetime) -> UUID:
    """An id as a fact gets one at a moment."""
    with time_machine.travel(moment, tick=False):
        return UUID(bytes=uuid6.uuid7().bytes)


def part(since: date | None, until: date | None, *, detached: bool = False) -> Partition:
    ids = first_id(since) if since else None, first_id(until) if until else None
    return Partition("outbox", "x", *ids, detached, 0)


def test_an_id_is_of_the_month_it_was_given_in() -> None:
    first = first_id(date(2027, 1, 1))
    ids = [id_of(TURN + timedelta(milliseconds=at)) for at in (-1, 0, 1)]
    assert [id < first for id in ids] == [True, False, False]


def test_months_follow_one_another_over_the_end_of_years() -> None:
    assert month_of(TURN - timedelta(microseconds=1)) == date(2026, 12, 1)
    assert months_after(date(2026, 11, 1), 3) == date(2027, 2, 1)
    assert months_after(date(2026, 12, 1), 0) == date(2026, 12, 1)


def test_a_month_is_counted_in_utc_as_ids_are() -> None:
    assert month_of(datetime.fromisoformat("2027-01-01T07:59+08:00")) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ([], [11, 12, 1, 2]),
        ([part(None, date(2027, 2, 1))], [2]),
        ([part(None, date(2026, 12, 1)), part(date(2027, 1, 1), date(2027, 2, 1))], [12, 2]),
        ([part(None, None)], [11, 12, 1, 2]),
        ([part(None, date(2027, 3, 1), detached=True)], []),
    ],
)
def test_which_months_are_lacking(known: list[Partition], missing: list[int]) -> None:
    now = datetime(2026, 11, 28, tzinfo=UTC)
    assert AHEAD == 3
    assert [month.month for month in lacking(known, now)] == missing


def test_bounds_are_read_as_they_are_written() -> None:
    for whole in (part(None, date(2027, 2, 1)), part(date(2027, 2, 1), date(2027, 3, 1))):
        bound = f"FOR VALUES {whole.bounds}"
        assert Partition.read("outbox", "x", bound, False, 0) == whole
    assert Partition.read("outbox", "x", "DEFAULT", False, 0) == part(None, None)
