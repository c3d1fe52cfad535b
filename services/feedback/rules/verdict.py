"""What the citizen's word does to the ticket (DOMAIN.md R-25, R-27; JN-25, JN-27)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal, TypeAlias, assert_never, cast

from services.feedback.rules.machine import Action
from shared.events import CallbackAbout, ClosingKind, OpenEnum, ReopenCause, TicketType

# The codes of the answers, as the questions of callbacks.yaml offer them.
Contacted: TypeAlias = Literal["yes", "no"]
Solved: TypeAlias = Literal["yes", "partly", "no"]
Satisfied: TypeAlias = Literal["satisfied", "basically_satisfied", "unsatisfied", "unrated"]
QUESTIONS = ("contacted", "solved", "satisfied")
Reason: TypeAlias = Literal["not_contacted", "not_solved", "not_satisfied"]

# Which of them decide. A promise that was kept is kept, whether or not its unit rang once more.
ASKED: Mapping[CallbackAbout, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(CallbackAbout, QUESTIONS) | {CallbackAbout.PROMISE: QUESTIONS[1:]}
)
# After these a promise is settled, and a "no" breaks it.
OF_PROMISE = (CallbackAbout.BOTH, CallbackAbout.PROMISE)

# How a round can end: the ticket is closed, as one of the closing kinds, or it is reopened.
REOPENED: Final = "reopened"
Ending: TypeAlias = ClosingKind | Literal["reopened"]
WITHOUT_CALLBACK = (ClosingKind.COMMENDATION, ClosingKind.NO_CONTACT, ClosingKind.REPLY_DECLINED)

# What an outcome can do to its callback.
Effect: TypeAlias = Literal[Action.ANSWER, Action.MISS, Action.REFUSE, Action.GIVE_UP]


class Outcome(OpenEnum):
    """What came of one attempt (R-25). Expired: nobody reported an outcome in time. ``no_answer`` is how
    rows and answers call what the policy calls unreachable (无法接通).
    """

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    WRONG_NUMBER = "wrong_number"
    NUMBER_OFF = "number_off"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answers:
    """The three answers (R-23). ``contacted``: did the handling unit contact you?

    None: not said. Who hangs up after the first answer has still given that.
    """

    contacted: Contacted | None = None
    solved: Solved | None = None
    satisfied: Satisfied | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The questions that are still to be asked, of the three."""
        said = {"contacted": self.contacted, "solved": self.solved, "satisfied": self.satisfied}
        return tuple(question for question, answer in said.items() if answer is None)

    def missing_about(self, about: CallbackAbout) -> tuple[str, ...]:
        """Those that are still to be asked where a call is about this."""
        asked = ASKED.get(about, QUESTIONS)
        return tuple(question for question in self.missing if question in asked)

    def after(self, earlier: Answers | None) -> Answers:
        """These, and where nothing was said now, what was said before."""
        if earlier is None:
            return self
        return Answers(
            self.contacted or earlier.contacted,
            self.solved or earlier.solved,
            self.satisfied or earlier.satisfied,
        )


def answers_on_record(
    contacted: str | None, solved: str | None, satisfied: str | None
) -> Answers | None:
    """The answers as they stand in a row; None when the citizen gave none.

    A word of a newer release stays what it is: it was an answer, and is counted as no other.
    """
    if contacted is solved is satisfied is None:
        return None
    return Answers(
        cast("Contacted | None", contacted),
        cast("Solved | None", solved),
        cast("Satisfied | None", satisfied),
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
    """The ticket is handled again (重办), for these reasons; ``cause``: how we came to know them."""

    reasons: tuple[Reason, ...]
    cause: ReopenCause = ReopenCause.VERDICT
    kind: ClassVar[Literal["reopened"]] = REOPENED


def about_now(*, promise: bool, promised: bool, ended: bool) -> CallbackAbout:
    """What a call that is made now asks of: of a second callback the ``promise``; of a first one whether the
    citizen accepts the ``promised`` day, or, when that promise has ``ended`` before the call, both at once.
    """
    if promise:
        return CallbackAbout.PROMISE
    if ended:
        return CallbackAbout.BOTH
    return CallbackAbout.PUT_OFF if promised else CallbackAbout.ANSWER


def judge(answers: Answers, about: CallbackAbout = CallbackAbout.ANSWER) -> Closed | Reopened:
    """Close or reopen on what was answered.

    Not contacted, not solved or not satisfied each reopen, whatever the other answers are (R-27), and
    also when they were never given: who says "not repaired" and hangs up need not be called again.
    Not having been contacted always counts: nobody is called who wanted no contact. Without an
    objection and without a word on satisfaction it is 无法评价 (R-25). Who does not accept the promised day
    reopens, and so does who says of a promise that came to its end that it was not kept (R-19).
    """
    reasons = objections(answers, about)
    if reasons:
        broken = about in OF_PROMISE and "not_solved" in reasons
        return Reopened(reasons, ReopenCause.PROMISE_BROKEN if broken else ReopenCause.VERDICT)
    if answers.satisfied is None or answers.satisfied == "unrated":
        return Closed(ClosingKind.UNRATED)
    return Closed(ClosingKind(answers.satisfied))


def is_decided(answers: Answers, about: CallbackAbout = CallbackAbout.ANSWER) -> bool:
    """Whether nothing need be asked any more: all was answered, or one answer reopens (R-23, R-27)."""
    return not answers.missing_about(about) or bool(objections(answers, about))


def is_confirmed(answers: Answers, about: CallbackAbout) -> bool:
    """Whether the citizen says that a promise was kept, at least in part."""
    kept = answers.solved in ("yes", "partly")
    return about in OF_PROMISE and kept and not objections(answers, about)


def objections(answers: Answers, about: CallbackAbout = CallbackAbout.ANSWER) -> tuple[Reason, ...]:
    """Why the matter is to be done again."""
    heard = "contacted" in ASKED.get(about, QUESTIONS)
    found: dict[Reason, bool] = {
        "not_contacted": heard and answers.contacted == "no",
        "not_solved": answers.solved == "no",
        "not_satisfied": answers.satisfied == "unsatisfied",
    }
    return tuple(reason for reason, holds in found.items() if holds)


def action_for(outcome: Outcome, attempt: int, max_attempts: int) -> Effect:
    """What an attempt's outcome does to its callback.

    A number that is off is an attempt like any other: it may be on tomorrow. A wrong number is not
    called again, so it never was the last attempt: the callback waits for the right one.
    """
    match outcome:
        case Outcome.ANSWERED:
            return Action.ANSWER
        case Outcome.REFUSED:
            return Action.REFUSE
        case Outcome.WRONG_NUMBER:
            return Action.MISS
        case (
            Outcome.NO_ANSWER
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
