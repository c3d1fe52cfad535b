"""中文名称: whatever a refusal may name has one, and the check that reads refusals sees one that has not."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import get_args

import pytest

from services.dispatcher.rules import acts, arbitration, assignment, reforming
from services.dispatcher.rules import ticket as dispatch
from services.feedback.rules import machine as callback
from services.feedback.rules import verdict
from services.intake.rules import endings, rights
from services.intake.rules import machine as intake
from services.tracker.rules import extension
from services.tracker.rules import machine as clock
from shared.errors import MoveRefused, UnknownCode
from shared.events import ClosingKind
from shared.labels import ACTS, LABELS, OUTCOMES, ROLES, STATUSES
from shared.security.tokens import Role
from tests.fixtures.bilingual import check, codes_in

MACHINES: tuple[type[StrEnum], ...] = (
    assignment.AssignmentStatus,
    dispatch.DispatchStatus,
    arbitration.ArbitrationStatus,
    reforming.ReformStatus,
    callback.CallbackStatus,
    clock.ClockStatus,
    extension.ExtensionStatus,
    intake.TicketStatus,
    intake.AssignmentStatus,
    rights.RequestStatus,
)
MOVES: tuple[type[StrEnum], ...] = (
    assignment.Action,
    arbitration.Action,
    callback.Action,
    clock.Action,
    extension.Ruling,
    intake.Action,
)


def words(*enums: type[StrEnum]) -> Iterator[str]:
    for each in enums:
        yield from map(str, each)


def test_every_status_act_and_role_has_a_chinese_name() -> None:
    assert [word for word in words(*MACHINES) if word not in STATUSES] == []
    assert [word for word in (*words(*MOVES), *acts.ACTS) if word not in ACTS] == []
    # Of what the hotline ends itself two words are statuses, too.
    assert [word for word in words(endings.EndAction) if word not in LABELS] == []
    assert set(ROLES) == set(get_args(Role))
    named = words(ClosingKind, verdict.Outcome)
    assert [word for word in named if word not in OUTCOMES] == []


@pytest.mark.parametrize("name", LABELS.values())
def test_a_name_is_chinese(name: str) -> None:
    assert not any(letter.isascii() for letter in name)


def test_a_refused_move_says_no_code_in_its_chinese() -> None:
    refused = MoveRefused("complete", "return_requested", ["withdraw_return", "contact"])
    zh, _, en = refused.detail.partition("。")
    assert zh == "当前状态“退单待审”不允许“办结”；可行的操作：撤回退单申请、先行联系"
    assert "complete is not allowed in status return_requested" in en
    assert codes_in(refused.detail) == []


def test_an_unknown_code_says_which_in_which_field_and_no_number_of_a_citizen() -> None:
    unknown = UnknownCode("ABC", field="lead", nearest=["CG"])
    assert unknown.detail.startswith("“主办单位”中没有“ABC”")
    assert unknown.detail.endswith("lead: there is no code 'ABC'")
    assert "13909150001" not in UnknownCode("王13909150001", field="unit").detail
    assert len(UnknownCode("x" * 5_000, field="unit").detail) < 200


def test_the_check_sees_a_code_in_chinese() -> None:
    seen = {"type": "about:blank", "title": "不允许 No", "detail": "当前状态 closed 不允许。closed"}
    with pytest.raises(AssertionError, match="closed"):
        check(seen)
    check(seen | {"detail": "当前状态“已结案”不允许。It is closed: POST /v1/tickets/x/reopening"})
