"""The assignment machine: states, actions, and the table of allowed moves (DESIGN 3). Pure.

dispatched ── sign ──→ signed ── contact ──→ contacted ── complete ──→ completed
    └──────── request_return ────────┴──→ return_requested ── grant_return ──→ returned
                                               └── refuse_return ──→ back where it was
any open state ── cancel ──→ cancelled
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from shared.errors import MoveRefused
from shared.events import ContactOutcome


class State(StrEnum):
    """Where an assignment stands; SENTENCES says who moves it from there."""

    DISPATCHED = "dispatched"
    SIGNED = "signed"
    CONTACTED = "contacted"
    RETURN_REQUESTED = "return_requested"
    RETURNED = "returned"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can be done to an assignment."""

    SIGN = "sign"
    CONTACT = "contact"
    PROGRESS = "progress"
    REQUEST_RETURN = "request_return"
    GRANT_RETURN = "grant_return"
    REFUSE_RETURN = "refuse_return"
    COMPLETE = "complete"
    CANCEL = "cancel"


SENTENCES: Mapping[State, str] = {
    State.DISPATCHED: "待签收：由承办单位签收并指定经办人 The unit must sign and name its handler",
    State.SIGNED: "已签收：由经办人先行联系群众 The handler must contact the citizen",
    State.CONTACTED: "办理中：由承办单位办结 The unit must complete it",
    State.RETURN_REQUESTED: "退单待审：由派单员裁定 The desk must rule on the return",
    State.RETURNED: "已退单：无需再办 The desk took it back; nobody moves it",
    State.COMPLETED: "已办结：等待群众评价 The citizen is asked; nobody moves it",
    State.CANCELLED: "已取消：无需再办 It was taken away; nobody moves it",
}

OPEN = (State.DISPATCHED, State.SIGNED, State.CONTACTED, State.RETURN_REQUESTED)
GONE = (State.RETURNED, State.CANCELLED)
ANSWERED = (ContactOutcome.REACHED, ContactOutcome.REFUSED)

# None: back to the state in which the return was requested.
MOVES: Mapping[State, Mapping[Action, State | None]] = {
    State.DISPATCHED: {
        Action.SIGN: State.SIGNED,
        Action.REQUEST_RETURN: State.RETURN_REQUESTED,
        Action.CANCEL: State.CANCELLED,
    },
    State.SIGNED: {
        Action.CONTACT: State.CONTACTED,
        Action.PROGRESS: State.SIGNED,
        Action.REQUEST_RETURN: State.RETURN_REQUESTED,
        Action.COMPLETE: State.COMPLETED,
        Action.CANCEL: State.CANCELLED,
    },
    State.CONTACTED: {
        Action.CONTACT: State.CONTACTED,
        Action.PROGRESS: State.CONTACTED,
        Action.REQUEST_RETURN: State.RETURN_REQUESTED,
        Action.COMPLETE: State.COMPLETED,
        Action.CANCEL: State.CANCELLED,
    },
    State.RETURN_REQUESTED: {
        Action.GRANT_RETURN: State.RETURNED,
        Action.REFUSE_RETURN: None,
        Action.CANCEL: State.CANCELLED,
    },
    State.RETURNED: {},
    State.COMPLETED: {},
    State.CANCELLED: {},
}


def allowed(state: State) -> list[str]:
    """The actions a state allows, by name."""
    return [str(action) for action in MOVES[state]]


def move(state: State, action: Action, was: State = State.DISPATCHED) -> State:
    """The state after an action; ``was`` is where a return was requested. Raises MoveRefused."""
    if action not in MOVES[state]:
        raise MoveRefused(action, state, allowed(state))
    return MOVES[state][action] or was


def contact(state: State, outcome: ContactOutcome) -> State:
    """The state after one attempt to contact the citizen (R-12): only an answer moves it.

    Raises MoveRefused where no attempt may be recorded at all.
    """
    moved = move(state, Action.CONTACT)
    return moved if outcome in ANSWERED else state
