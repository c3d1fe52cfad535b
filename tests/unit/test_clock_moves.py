"""The table of a clock's moves: exactly these pass."""

from __future__ import annotations

import pytest

from services.tracker.rules import machine
from services.tracker.rules.machine import MOVES, SENTENCES, Action, ClockStatus
from shared.errors import MoveRefused

ALLOWED = {
    (ClockStatus.RUNNING, Action.PAUSE): ClockStatus.PAUSED,
    (ClockStatus.RUNNING, Action.EXTEND): ClockStatus.RUNNING,
    (ClockStatus.RUNNING, Action.MEET): ClockStatus.MET,
    (ClockStatus.RUNNING, Action.CANCEL): ClockStatus.CANCELLED,
    (ClockStatus.PAUSED, Action.RESUME): ClockStatus.RUNNING,
    (ClockStatus.PAUSED, Action.MEET): ClockStatus.MET,
    (ClockStatus.PAUSED, Action.CANCEL): ClockStatus.CANCELLED,
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", ClockStatus)
def test_exactly_the_moves_of_the_table_pass(status: ClockStatus, action: Action) -> None:
    if (status, action) in ALLOWED:
        assert machine.move(status, action) is ALLOWED[status, action]
        return
    with pytest.raises(MoveRefused) as refused:
        machine.move(status, action)
    assert refused.value.extra == {
        "current_status": status.value,
        "allowed": [known.value for known in MOVES[status]],
    }


def test_each_status_says_who_moves_it() -> None:
    assert set(SENTENCES) == set(ClockStatus)
    assert all(sentence.zh and sentence.en for sentence in SENTENCES.values())
