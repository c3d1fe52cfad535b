"""The clock (时限) and its allowed moves (DESIGN §3: running ⇄ paused → met | cancelled).

Breached is no state: it is a fact about a clock, and it is taken back when the clock turns out to
have been met in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from shared.errors import MoveRefused


class State(StrEnum):
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


class Words(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


MOVES: Mapping[State, Mapping[Action, State]] = MappingProxyType(
    {
        State.RUNNING: {
            Action.PAUSE: State.PAUSED,
            Action.EXTEND: State.RUNNING,
            Action.MEET: State.MET,
            Action.CANCEL: State.CANCELLED,
        },
        # The duty may be done while the desk still rules on a return.
        State.PAUSED: {
            Action.RESUME: State.RUNNING,
            Action.MEET: State.MET,
            Action.CANCEL: State.CANCELLED,
        },
        State.MET: {},
        State.CANCELLED: {},
    }
)

OPEN = frozenset(state for state, moves in MOVES.items() if moves)

SENTENCES: Mapping[State, Words] = MappingProxyType(
    {
        State.RUNNING: Words(
            "正在计时，由承办单位（派单时限由派单员）在到期前完成；到期由系统亮红牌。",
            "Running: whose duty it is must do it before the due moment; time itself breaches it.",
        ),
        State.PAUSED: Words(
            "承办单位申请退单，等待派单员裁定，暂停计时。",
            "Paused: the desk rules on the unit's return; refusing it lets the clock run again.",
        ),
        State.MET: Words(
            "已完成，停止计时；是否逾期以完成时间为准。",
            "Met: the duty was done; whether late is judged by when it was done.",
        ),
        State.CANCELLED: Words(
            "诉求撤回、退单或改派，时限取消。",
            "Cancelled: the ticket was withdrawn, or the assignment returned or given to another.",
        ),
    }
)


def move(state: State, action: Action) -> State:
    """The state after an action. Raises MoveRefused when the table does not allow it."""
    allowed = MOVES[state]
    if action not in allowed:
        raise MoveRefused(action.value, state.value, [known.value for known in allowed])
    return allowed[action]
