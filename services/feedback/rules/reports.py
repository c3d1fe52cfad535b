"""Whether a report on an attempt is taken, and what it does to its callback (R-24, R-25).

A refusal says what is wrong with the report, in the words of ``POST /v1/callbacks/{callback}/outcome``:
``attempt`` is the one reported on, ``allowed`` the operations whoever reports outcomes can do now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from services.feedback.rules import machine, verdict
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.verdict import Answers, Effect, Outcome, Report
from shared.errors import JiesuError
from shared.events import CallbackAbout
from shared.labels import OUTCOMES, label

# Which operation makes a move; the others are made by the clock or by a fact, and by no caller.
OPERATIONS: Mapping[Action, str] = MappingProxyType(
    dict.fromkeys((Action.ANSWER, Action.MISS, Action.REFUSE, Action.GIVE_UP), "report_outcome")
)


class WrongAttempt(JiesuError):
    """The callback is at another attempt; ``expected_attempt`` says at which."""

    status = 409
    slug = "wrong-attempt"
    title = "回访次数不符 The callback is at another attempt"


class CallNotDue(JiesuError):
    """The attempt lies ahead: nobody has called yet, so nothing can have come of it."""

    status = 409
    slug = "call-not-due"
    title = "未到回访时间 The call is not due yet"


class AlreadyReported(JiesuError):
    """The attempt has another outcome already, ``reported_outcome``; the first report stands."""

    status = 409
    slug = "already-reported"
    title = "该次回访已登记 The attempt was reported already"


class CallbackOver(JiesuError):
    """The callback was answered, given up or cancelled; it takes no outcome any more."""

    status = 409
    slug = "callback-over"
    title = "回访已结束 The callback is over"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAttempt:
    """An attempt as a report finds it.

    ``status`` and ``expected`` say where its callback stands and at which attempt; ``known`` is
    what was reported on it before, ``said`` what was answered in earlier ones. ``tries``: how many
    attempts count towards the most there may be, of which a wrong number is none.
    """

    status: CallbackStatus
    expected: int
    attempt: int
    due: datetime | None = None
    known: Report | None = None
    said: Answers | None = None
    tries: int = 0
    about: CallbackAbout = CallbackAbout.ANSWER


def check_attempt(status: CallbackStatus, expected: int, attempt: int) -> None:
    """Raises WrongAttempt for one nobody planned, CallbackOver when none is planned any more."""
    if attempt > expected:
        raise _refusal(ReportedAttempt(status=status, expected=expected, attempt=attempt))


def effect_of(
    report: Report, found: ReportedAttempt, now: datetime, max_attempts: int
) -> Effect | None:
    """The move a report makes; None when an expired attempt, a miss already, gets its true outcome.

    Raises CallNotDue, and WrongAttempt, AlreadyReported or CallbackOver for an attempt that has
    another outcome. Who rings back before the next attempt is heard, but has refused no call.
    """
    action = _action_for(report, found, max_attempts)
    expired = found.known is not None and found.known.outcome is Outcome.EXPIRED
    if expired and action in (Action.MISS, Action.GIVE_UP):
        return None
    early = action is Action.REFUSE and found.due is not None and found.due > now
    if (expired or found.known is None) and action in machine.MOVES[found.status] and not early:
        return action
    raise _refusal(found)


def _action_for(report: Report, found: ReportedAttempt, max_attempts: int) -> Effect:
    """Who hung up halfway is asked again, as long as there are tries; then that was the answer."""
    action = verdict.action_for(report.outcome, found.tries or found.attempt, max_attempts)
    if report.answers is None or verdict.is_decided(report.answers.after(found.said), found.about):
        return action
    last = (found.tries or found.attempt) >= max_attempts
    return Action.ANSWER if last else Action.MISS


def _refusal(found: ReportedAttempt) -> JiesuError:
    if found.status in machine.OPEN:
        return _not_due(found) if found.attempt == found.expected else _wrong_attempt(found)
    if found.known is None or found.known.outcome is Outcome.EXPIRED:
        return CallbackOver(" ".join(machine.SENTENCES[found.status]), **_members(found))
    return AlreadyReported(
        f"第 {found.attempt} 次回访已登记为“{label(found.known.outcome, OUTCOMES)}”，以先登记者为准 "
        f"Attempt {found.attempt} was reported as {found.known.outcome}; the first report stands",
        reported_outcome=found.known.outcome,
        **_members(found),
    )


def _wrong_attempt(found: ReportedAttempt) -> WrongAttempt:
    zh, en = f"登记的是第 {found.attempt} 次", f"Attempt {found.attempt} was reported"
    if found.known:
        zh, en = (
            f"{zh}（已登记为“{label(found.known.outcome, OUTCOMES)}”）",
            f"{en} (it was {found.known.outcome})",
        )
    return WrongAttempt(
        f"{zh}，回访现为第 {found.expected} 次 {en}; the callback is at attempt {found.expected}",
        field="attempt",
        expected_attempt=found.expected,
        **_members(found),
    )


def _not_due(found: ReportedAttempt) -> CallNotDue:
    zh, en = f"第 {found.attempt} 次回访未到时间", f"Attempt {found.attempt} is not due yet"
    if Action.ANSWER in machine.MOVES[found.status]:
        zh += "，此前仅诉求人来电可登记为“已答复”"
        en += "; until then only a citizen who rings back is reported, as answered"
    else:
        zh += "，诉求人来电评价请用 POST /v1/tickets/{number}/verdict"
        en += "; what a citizen who rings us says goes there"
    return CallNotDue(f"{zh} {en}", due=found.due, **_members(found))


def _members(found: ReportedAttempt) -> dict[str, Any]:
    """What every refusal of a report says beside its words."""
    moves = machine.MOVES[found.status]
    return {
        "attempt": found.attempt,
        "current_status": found.status,
        "allowed": sorted({OPERATIONS[action] for action in moves if action in OPERATIONS}),
    }
