"""Who may end what at the hotline, and what endings.yaml may say."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from pydantic import ValidationError

from services.intake.rules import endings, machine
from services.intake.rules.endings import EndAction, EndingRules
from services.intake.rules.machine import TicketStatus
from shared.errors import Forbidden, Malformed, MoveRefused
from tests.fixtures.scenes.tracker import at

REASON: dict[str, Any] = {
    "code": "outside",
    "zh": "不属本县管辖",
    "en": "It lies elsewhere",
    "basis": "SL",
    "instead": {"zh": "请拨打当地热线", "en": "Ring the hotline there", "phone": "0915-12345"},
}
LINE = {"code": "119", "zh": "消防救援119", "en": "fire 119"}


def rules(**changes: Any) -> EndingRules:
    given = {"not_accepted": (REASON,), "lines": (LINE,), "resume_within": "15wd"}
    return EndingRules.model_validate(given | changes)


@pytest.mark.parametrize(("status", "action"), list(product(TicketStatus, EndAction)))
def test_exactly_the_table_passes(status: TicketStatus, action: EndAction) -> None:
    """R-02, R-06, R-07: and what a unit has is refused by another name."""
    if (status, action) in endings.MOVES:
        endings.check(action, status, [])
        return
    refusal = endings.UnitHoldsTicket if status in endings.WITH_A_UNIT else MoveRefused
    with pytest.raises(refusal):
        endings.check(action, status, ["HC"])


@pytest.mark.parametrize("action", EndAction)
def test_what_the_dispatcher_has_is_the_desks_but_for_a_hand_over(action: EndAction) -> None:
    """R-06 waits for nobody's role."""
    endings.check_role(action, "desk", registered=True)
    endings.check_role(action, "agent", registered=False)
    if action is EndAction.HANDED_OVER:
        endings.check_role(action, "agent", registered=True)
    else:
        with pytest.raises(Forbidden):
            endings.check_role(action, "agent", registered=True)


@pytest.mark.parametrize("status", TicketStatus)
def test_a_status_is_shown_as_it_was_stored(status: TicketStatus) -> None:
    own = status.value if status in machine.STORED else None
    assert machine.shown(machine.stored(status), own) is status
    assert machine.ended(machine.stored(status)) is machine.ended(status)


@pytest.mark.parametrize(
    "changes",
    [
        {"not_accepted": (REASON, REASON)},
        {"lines": (LINE, LINE)},
        {"lines": ()},
        {"not_accepted": (REASON | {"basis": ""},)},
        {"resume_within": "soon"},
        {"resumed_within": "1wd"},
    ],
)
def test_a_fault_of_the_file_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rules(**changes)


def test_the_citizen_is_told_the_reason_and_where_to_turn() -> None:
    """R-07: in words, with the telephone of the channel to use instead."""
    end = endings.not_accepted(rules(), "outside", "在汉阴县")
    assert "不属本县管辖" in end.zh
    assert "0915-12345" in end.zh
    assert "0915-12345" in end.en
    assert end.told
    assert end.told.endswith("在汉阴县")


def test_nothing_is_handed_over_tomorrow() -> None:
    now = at("03-02 10:00")
    endings.handed_over(rules(), "119", "0321", now + timedelta(minutes=2), now)
    with pytest.raises(Malformed):
        endings.handed_over(rules(), "119", "0321", now + timedelta(minutes=10), now)
