"""The clock (时限) and its allowed moves: running ⇄ paused → met | cancelled.

Breached is no status: it is a fact about a clock, and it is taken back when the clock turns out to
have been met in time (docs/how-it-flows.md#the-life-of-a-ticket).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from shared.errors import MoveRefused


class ClockStatus(StrEnum):
    """Where a clock stands; SENTENCES says who moves it on."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can happen to a clock."""

    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    MEET = "meet"
    CANCEL = "cancel"


class Sentence(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


MOVES: Mapping[ClockStatus, Mapping[Action, ClockStatus]] = MappingProxyType(
    {
        ClockStatus.RUNNING: {
            Action.PAUSE: ClockStatus.PAUSED,
            Action.EXTEND: ClockStatus.RUNNING,
            Action.MEET: ClockStatus.MET,
            Action.CANCEL: ClockStatus.CANCELLED,
        },
        # The duty may be done while the desk still rules on a return.
        ClockStatus.PAUSED: {
            Action.RESUME: ClockStatus.RUNNING,
            Action.MEET: ClockStatus.MET,
            Action.CANCEL: ClockStatus.CANCELLED,
        },
        ClockStatus.MET: {},
        ClockStatus.CANCELLED: {},
    }
)

OPEN = frozenset(status for status, moves in MOVES.items() if moves)

SENTENCES: Mapping[ClockStatus, Sentence] = MappingProxyType(
    {
        ClockStatus.RUNNING: Sentence(
            "正在计时，由承办单位（派单、申请审核时限由派单员，裁决时限由裁决机构）在到期前完成；到期由系统亮红牌。",
            "Running: whose duty it is must do it before the due moment; time itself breaches it.",
        ),
        ClockStatus.PAUSED: Sentence(
            "暂停计时：等待派单员裁定申请、审核答复，或等待诉求人配合。",
            "Paused: the desk rules on a request or audits an answer, or the citizen is waited for.",
        ),
        ClockStatus.MET: Sentence(
            "已完成，停止计时；是否逾期以完成时间为准。",
            "Met: the duty was done; whether late is judged by when it was done.",
        ),
        ClockStatus.CANCELLED: Sentence(
            "诉求撤回、退单或改派，时限取消。",
            "Cancelled: the ticket was withdrawn, or the assignment returned or given to another.",
        ),
    }
)


def move(status: ClockStatus, action: Action) -> ClockStatus:
    """The status after an action. Raises MoveRefused when the table does not allow it."""
    allowed = MOVES[status]
    if action not in allowed:
        raise MoveRefused(action.value, status.value, [known.value for known in allowed])
    return allowed[action]
