"""The callback (回访) and its allowed moves (DOMAIN.md R-23, R-24, R-25).

One callback belongs to one completed round of a ticket; it makes up to so many attempts.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from shared.errors import MoveRefused


class CallbackStatus(StrEnum):
    """Where a callback stands; its sentence says who moves it on."""

    PLANNED = "planned"
    DUE = "due"
    NO_ANSWER = "no_answer"
    ANSWERED = "answered"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What can happen to a callback."""

    PLAN = "plan"
    FALL_DUE = "fall_due"
    ANSWER = "answer"
    MISS = "miss"
    REFUSE = "refuse"
    GIVE_UP = "give_up"
    CANCEL = "cancel"
    HEAR = "hear"
    LAPSE = "lapse"


class Bilingual(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str


_LATE_WORD = {Action.ANSWER: CallbackStatus.ANSWERED, Action.REFUSE: CallbackStatus.GIVEN_UP}
# 诉求人自行来电: the verdict of a citizen who rings before we do, or after we gave up.
_OWN_WORD = {Action.HEAR: CallbackStatus.ANSWERED}

MOVES: Mapping[CallbackStatus, Mapping[Action, CallbackStatus]] = MappingProxyType(
    {
        # A newer completion of the same round plans the first attempt anew.
        CallbackStatus.PLANNED: {
            Action.PLAN: CallbackStatus.PLANNED,
            Action.FALL_DUE: CallbackStatus.DUE,
            Action.CANCEL: CallbackStatus.CANCELLED,
            **_OWN_WORD,
        },
        CallbackStatus.DUE: {
            Action.ANSWER: CallbackStatus.ANSWERED,
            Action.MISS: CallbackStatus.NO_ANSWER,
            Action.REFUSE: CallbackStatus.GIVEN_UP,
            Action.GIVE_UP: CallbackStatus.GIVEN_UP,
            Action.CANCEL: CallbackStatus.CANCELLED,
            **_OWN_WORD,
        },
        # The outcome of an attempt that was counted as missed may still come in late. One that waits
        # for a right number may wait in vain.
        CallbackStatus.NO_ANSWER: {
            Action.FALL_DUE: CallbackStatus.DUE,
            Action.CANCEL: CallbackStatus.CANCELLED,
            Action.LAPSE: CallbackStatus.GIVEN_UP,
            **_LATE_WORD,
            **_OWN_WORD,
        },
        # Nobody calls any more; who rings us is heard within the policy's time.
        CallbackStatus.GIVEN_UP: _OWN_WORD,
        CallbackStatus.CANCELLED: _OWN_WORD,
        CallbackStatus.ANSWERED: {},
    }
)

OPEN = frozenset(status for status, moves in MOVES.items() if Action.CANCEL in moves)

SENTENCES: Mapping[CallbackStatus, Bilingual] = MappingProxyType(
    {
        CallbackStatus.PLANNED: Bilingual(
            "已安排回访，到约定时段由系统转为待回访。",
            "Planned: the clock makes it due when its window opens.",
        ),
        CallbackStatus.DUE: Bilingual(
            "待回访：由电话系统或回访员拨打，并登记结果。",
            "Due: the phone system or call-back staff call and report the outcome.",
        ),
        CallbackStatus.NO_ANSWER: Bilingual(
            "本次未接通，已安排在另一时段再次回访。",
            "No answer: the clock makes it due again in another window.",
        ),
        CallbackStatus.ANSWERED: Bilingual(
            "诉求人已作出评价，回访结束。",
            "Answered: the citizen gave a verdict; nobody moves it any more.",
        ),
        CallbackStatus.GIVEN_UP: Bilingual(
            "拒访或多次无法接通，回访结束，单独统计。",
            "Given up: refused, or unreachable after every attempt; counted apart.",
        ),
        CallbackStatus.CANCELLED: Bilingual(
            "诉求已撤回，或诉求人要求不再回访。",
            "Cancelled: the citizen withdrew the complaint or wants no call; none is made.",
        ),
    }
)

# Of a callback that has no right number to call, in the status no_answer.
AWAITS_NUMBER = Bilingual(
    "号码有误，不再拨打：请更正来电号码，到回访期限仍无法联系则结束。",
    "The number is wrong and is called no more: a person corrects it, or time ends the callback.",
)


def move(status: CallbackStatus, action: Action) -> CallbackStatus:
    """The status after an action. Raises MoveRefused when the table does not allow it."""
    allowed = MOVES[status]
    if action not in allowed:
        raise MoveRefused(action.value, status.value, [known.value for known in allowed])
    return allowed[action]
