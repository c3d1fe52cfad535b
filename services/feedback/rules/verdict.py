"""What the citizen's word does to the ticket (DOMAIN.md R-25, R-27; JN-25, JN-27)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeAlias, assert_never, cast

from services.feedback.rules.machine import Action
from shared.events import ClosingKind, OpenEnum, TicketType

# The codes of the answers, as the questions of callbacks.yaml offer them.
Contacted: TypeAlias = Literal["yes", "no"]
Solved: TypeAlias = Literal["yes", "partly", "no"]
Satisfied: TypeAlias = Literal["satisfied", "basically_satisfied", "unsatisfied", "unrated"]
Reason: TypeAlias = Literal["not_contacted", "not_solved", "not_satisfied"]

# How a round can end: the ticket is closed, as one of the closing kinds, or it is reopened.
REOPENED: Final = "reopened"
Ending: TypeAlias = ClosingKind | Literal["reopened"]
WITHOUT_CALLBACK = (ClosingKind.COMMENDATION, ClosingKind.NO_CONTACT, ClosingKind.REPLY_DECLINED)

# What an outcome can do to its callback.
Effect: TypeAlias = Literal[Action.ANSWER, Action.MISS, Action.REFUSE, Action.GIVE_UP]


class Outcome(OpenEnum):
    """What came of one attempt (R-25). Expired: nobody reported an outcome in time."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    NUMBER_OFF = "number_off"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answers:
    """The three answers (R-23). ``contacted``: did the handling unit contact you?"""

    contacted: Contacted
    solved: Solved
    satisfied: Satisfied


def answers_on_record(
    contacted: str | None, solved: str | None, satisfied: str | None
) -> Answers | None:
    """The answers as they stand in a row; None when the citizen gave none.

    A word of a newer release stays what it is: it was an answer, and is counted as no other.
    """
    if contacted is None:
        return None
    return Answers(
        cast("Contacted", contacted), cast("Solved", solved), cast("Satisfied", satisfied)
    )


def ending_on_record(kind: str | None) -> Ending | None:
    """The ending as it stands in a row; None while the round goes on."""
    if kind is None:
        return None
    return REOPENED if kind == REOPENED else ClosingKind(kind)


@dataclass(frozen=True, slots=True)
class Report:
    """What was reported on one attempt."""

    outcome: Outcome
    answers: Answers | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """The ticket ends, as this kind."""

    kind: ClosingKind


@dataclass(frozen=True, slots=True)
class Reopened:
    """The ticket is handled again (重办), for these reasons."""

    reasons: tuple[Reason, ...]
    kind: ClassVar[Literal["reopened"]] = REOPENED


def judge(answers: Answers) -> Closed | Reopened:
    """Close or reopen on the three answers.

    Not contacted, not solved or not satisfied each reopen, whatever the other answers are (R-27).
    Not having been contacted always counts: nobody is called who wanted no contact.
    """
    reasons = _objections(answers)
    if reasons:
        return Reopened(reasons)
    if answers.satisfied == "unrated":
        return Closed(ClosingKind.UNRATED)
    return Closed(ClosingKind(answers.satisfied))


def _objections(answers: Answers) -> tuple[Reason, ...]:
    found: dict[Reason, bool] = {
        "not_contacted": answers.contacted == "no",
        "not_solved": answers.solved == "no",
        "not_satisfied": answers.satisfied == "unsatisfied",
    }
    return tuple(reason for reason, holds in found.items() if holds)


def action_for(outcome: Outcome, attempt: int, max_attempts: int) -> Effect:
    """What an attempt's outcome does to its callback.

    A wrong number and a number that is off are attempts like any other: it may be the dialling.
    """
    match outcome:
        case Outcome.ANSWERED:
            return Action.ANSWER
        case Outcome.REFUSED:
            return Action.REFUSE
        case (
            Outcome.NO_ANSWER
            | Outcome.WRONG_NUMBER
            | Outcome.NUMBER_OFF
            | Outcome.EXPIRED
            | Outcome.UNKNOWN  # no verdict in it: the citizen is called again
        ):
            return Action.GIVE_UP if attempt >= max_attempts else Action.MISS
        case _:
            assert_never(outcome)


def unheard(outcome: Outcome) -> Closed:
    """How a ticket ends whose callback gave no answer, by the outcome of its last attempt (R-25)."""
    refused = outcome is Outcome.REFUSED
    return Closed(ClosingKind.REFUSED_CALLBACK if refused else ClosingKind.UNREACHABLE)


def closes_at_once(
    ticket_type: TicketType, *, has_contact: bool, reply_declined: bool, not_for: Collection[str]
) -> ClosingKind | None:
    """How a ticket that gets no callback (不需回访) ends on completion; None when it gets one.

    ``not_for`` is whom the policy spares; who left no contact cannot be called in any case.
    """
    if ticket_type is TicketType.COMMENDATION and "commendation" in not_for:
        return ClosingKind.COMMENDATION
    if not has_contact:
        return ClosingKind.NO_CONTACT
    if reply_declined and "reply_declined" in not_for:
        return ClosingKind.REPLY_DECLINED
    return None
