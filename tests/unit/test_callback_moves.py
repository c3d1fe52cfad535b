"""The table of a callback's moves: exactly these pass."""

from __future__ import annotations

import pytest

from services.feedback.rules import machine
from services.feedback.rules.machine import Action, CallbackStatus
from shared.errors import MoveRefused

ALLOWED = {
    ("planned", "plan"): "planned",
    ("planned", "fall_due"): "due",
    ("planned", "cancel"): "cancelled",
    ("due", "answer"): "answered",
    ("due", "miss"): "no_answer",
    ("due", "refuse"): "given_up",
    ("due", "give_up"): "given_up",
    ("due", "cancel"): "cancelled",
    ("no_answer", "fall_due"): "due",
    ("no_answer", "answer"): "answered",
    ("no_answer", "refuse"): "given_up",
    ("no_answer", "cancel"): "cancelled",
    ("no_answer", "lapse"): "given_up",
    ("planned", "hear"): "answered",
    ("due", "hear"): "answered",
    ("no_answer", "hear"): "answered",
    ("given_up", "hear"): "answered",
    ("cancelled", "hear"): "answered",
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", CallbackStatus)
def test_exactly_the_table_passes(status: CallbackStatus, action: Action) -> None:
    expected = ALLOWED.get((status.value, action.value))
    if expected is None:
        with pytest.raises(MoveRefused) as refused:
            machine.move(status, action)
        allowed = [known for at, known in ALLOWED if at == status.value]
        assert sorted(refused.value.extra["allowed"]) == sorted(allowed)
        assert refused.value.extra["current_status"] == status.value
    else:
        assert machine.move(status, action) == expected


@pytest.mark.parametrize("status", CallbackStatus)
def test_each_status_has_a_sentence_in_both_languages(status: CallbackStatus) -> None:
    words = machine.SENTENCES[status]
    assert words.zh.endswith("。")
    assert words.en.endswith(".")


def test_a_callback_is_open_until_it_was_answered_given_up_or_cancelled() -> None:
    assert {CallbackStatus.PLANNED, CallbackStatus.DUE, CallbackStatus.NO_ANSWER} == machine.OPEN
