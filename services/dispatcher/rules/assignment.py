"""The assignment machine: statuses, actions, and the table of allowed moves. Pure.

Who moves it when: docs/how-it-flows.md#the-life-of-a-ticket.

dispatched ── sign ──→ signed ── contact ──→ contacted ── complete ──→ completed
    └──────── request_return ────────┴──→ return_requested ── grant_return ──→ returned
                                               └── refuse_return, withdraw_return ──→ back where it was
any open status ── cancel ──→ cancelled

completed is the end of it, unless the audit of the answer undoes it: rules/audit.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import assert_never

from shared.errors import MoveRefused
from shared.events import ContactOutcome


class AssignmentStatus(StrEnum):
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
    WITHDRAW_RETURN = "withdraw_return"
    COMPLETE = "complete"
    CANCEL = "cancel"


SENTENCES: Mapping[AssignmentStatus, tuple[str, str]] = {
    AssignmentStatus.DISPATCHED: (
        "待签收：由承办单位签收并指定经办人",
        "The unit must sign and name its handler",
    ),
    AssignmentStatus.SIGNED: (
        "已签收：由经办人先行联系诉求人",
        "The handler must contact the citizen",
    ),
    AssignmentStatus.CONTACTED: ("办理中：由承办单位办结", "The unit must complete it"),
    AssignmentStatus.RETURN_REQUESTED: (
        "退单待审：由派单员裁定；承办单位可撤回申请",
        "The desk must rule on the return; the unit may take its request back",
    ),
    AssignmentStatus.RETURNED: ("已退单：无需再办", "The desk took it back; nobody moves it"),
    AssignmentStatus.COMPLETED: ("已办结：等待诉求人评价", "The citizen is asked; nobody moves it"),
    AssignmentStatus.CANCELLED: ("已取消：无需再办", "It was taken away; nobody moves it"),
}

OPEN = (
    AssignmentStatus.DISPATCHED,
    AssignmentStatus.SIGNED,
    AssignmentStatus.CONTACTED,
    AssignmentStatus.RETURN_REQUESTED,
)
GONE = (AssignmentStatus.RETURNED, AssignmentStatus.CANCELLED)
HANDLING = (AssignmentStatus.SIGNED, AssignmentStatus.CONTACTED)  # by the one who signed for it

# None: back to the status in which the return was requested.
MOVES: Mapping[AssignmentStatus, Mapping[Action, AssignmentStatus | None]] = {
    AssignmentStatus.DISPATCHED: {
        Action.SIGN: AssignmentStatus.SIGNED,
        Action.REQUEST_RETURN: AssignmentStatus.RETURN_REQUESTED,
        Action.CANCEL: AssignmentStatus.CANCELLED,
    },
    AssignmentStatus.SIGNED: {
        Action.CONTACT: AssignmentStatus.CONTACTED,
        Action.PROGRESS: AssignmentStatus.SIGNED,
        Action.REQUEST_RETURN: AssignmentStatus.RETURN_REQUESTED,
        Action.COMPLETE: AssignmentStatus.COMPLETED,
        Action.CANCEL: AssignmentStatus.CANCELLED,
    },
    AssignmentStatus.CONTACTED: {
        Action.CONTACT: AssignmentStatus.CONTACTED,
        Action.PROGRESS: AssignmentStatus.CONTACTED,
        Action.REQUEST_RETURN: AssignmentStatus.RETURN_REQUESTED,
        Action.COMPLETE: AssignmentStatus.COMPLETED,
        Action.CANCEL: AssignmentStatus.CANCELLED,
    },
    AssignmentStatus.RETURN_REQUESTED: {
        Action.GRANT_RETURN: AssignmentStatus.RETURNED,
        Action.REFUSE_RETURN: None,
        Action.WITHDRAW_RETURN: None,
        Action.CANCEL: AssignmentStatus.CANCELLED,
    },
    AssignmentStatus.RETURNED: {},
    AssignmentStatus.COMPLETED: {},
    AssignmentStatus.CANCELLED: {},
}


# Who has a door for an action; an order is cancelled by what becomes of its ticket, at no door of its own.
BY_UNIT, BY_DESK = ("unit",), ("desk",)
WHO: Mapping[Action, tuple[str, ...]] = {
    **dict.fromkeys(Action, BY_UNIT),
    **dict.fromkeys((Action.GRANT_RETURN, Action.REFUSE_RETURN), BY_DESK),
    Action.CANCEL: (),
}
# What a unit may go on with while the desk rules on its return: urgent orders do not stand still.
MEANWHILE = frozenset((Action.SIGN, Action.CONTACT, Action.PROGRESS))


def may_move(status: AssignmentStatus, action: Action, was: AssignmentStatus | None = None) -> bool:
    """Whether a status has this move; ``was``: where a return was requested that waits."""
    meanwhile = was is not None and action in MEANWHILE and action in MOVES[was]
    return action in MOVES[status] or meanwhile


def allowed(status: AssignmentStatus, by: tuple[str, ...]) -> list[str]:
    """The actions a status allows those of a role, by name, for who was refused another: never a return,
    for which a unit is pressed that a ruling named (WF-22). What an order's reader may do: rules/acts.py.
    """
    theirs = (action for action in MOVES[status] if WHO[action] and WHO[action] == by)
    return [str(action) for action in theirs if action is not Action.REQUEST_RETURN]


def move(
    status: AssignmentStatus,
    action: Action,
    was: AssignmentStatus = AssignmentStatus.DISPATCHED,
) -> AssignmentStatus:
    """The status after an action; ``was`` is where a return was requested. Raises MoveRefused."""
    if action not in MOVES[status]:
        raise MoveRefused(action, status, allowed(status, WHO[action]))
    return MOVES[status][action] or was


def at_work(status: AssignmentStatus, was: AssignmentStatus | None) -> AssignmentStatus:
    """How far the work is, also where a return waits for its ruling; ``was``: where it was requested."""
    return was if status is AssignmentStatus.RETURN_REQUESTED and was else status


def contact(status: AssignmentStatus, outcome: ContactOutcome) -> AssignmentStatus:
    """The status after one attempt to contact the citizen (R-12): only an answer moves it.

    Raises MoveRefused where no attempt may be recorded at all.
    """
    moved = move(status, Action.CONTACT)
    return moved if is_answer(outcome) else status


def is_answer(outcome: ContactOutcome) -> bool:
    """Whether an attempt reached the citizen, who may also have declined to talk."""
    match outcome:
        case ContactOutcome.REACHED | ContactOutcome.REFUSED:
            return True
        case ContactOutcome.NO_ANSWER | ContactOutcome.WRONG_NUMBER | ContactOutcome.UNKNOWN:
            return False  # what we do not know proves no contact
        case _:
            assert_never(outcome)
