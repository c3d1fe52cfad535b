"""What the citizen's answers decide: closed, reopened, tried again, or no call at all."""

from __future__ import annotations

import pytest

from services.feedback.rules import verdict
from services.feedback.rules.machine import Action
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened
from shared.events import CallbackAbout, ClosingKind, ReopenCause, TicketType


def closed(kind: str) -> Closed:
    return Closed(ClosingKind(kind))


@pytest.mark.parametrize(
    ("contacted", "solved", "satisfied", "expected"),
    [
        ("yes", "yes", "satisfied", closed("satisfied")),
        ("yes", "partly", "satisfied", closed("satisfied")),
        ("yes", "no", "satisfied", Reopened(("not_solved",))),
        ("yes", "yes", "basically_satisfied", closed("basically_satisfied")),
        ("yes", "partly", "basically_satisfied", closed("basically_satisfied")),
        ("yes", "no", "basically_satisfied", Reopened(("not_solved",))),
        ("yes", "yes", "unrated", closed("unrated")),
        ("yes", "partly", "unrated", closed("unrated")),
        ("yes", "no", "unrated", Reopened(("not_solved",))),
        ("yes", "yes", "unsatisfied", Reopened(("not_satisfied",))),
        ("yes", "partly", "unsatisfied", Reopened(("not_satisfied",))),
        ("yes", "no", "unsatisfied", Reopened(("not_solved", "not_satisfied"))),
        ("no", "yes", "satisfied", Reopened(("not_contacted",))),
        ("no", "partly", "satisfied", Reopened(("not_contacted",))),
        ("no", "no", "satisfied", Reopened(("not_contacted", "not_solved"))),
        ("no", "yes", "basically_satisfied", Reopened(("not_contacted",))),
        ("no", "partly", "basically_satisfied", Reopened(("not_contacted",))),
        ("no", "no", "basically_satisfied", Reopened(("not_contacted", "not_solved"))),
        ("no", "yes", "unrated", Reopened(("not_contacted",))),
        ("no", "partly", "unrated", Reopened(("not_contacted",))),
        ("no", "no", "unrated", Reopened(("not_contacted", "not_solved"))),
        ("no", "yes", "unsatisfied", Reopened(("not_contacted", "not_satisfied"))),
        ("no", "partly", "unsatisfied", Reopened(("not_contacted", "not_satisfied"))),
        ("no", "no", "unsatisfied", Reopened(("not_contacted", "not_solved", "not_satisfied"))),
    ],
)
def test_the_citizens_word_closes_or_reopens(
    contacted: verdict.Contacted,
    solved: verdict.Solved,
    satisfied: verdict.Satisfied,
    expected: Closed | Reopened,
) -> None:
    """R-25 回访结果."""
    assert verdict.judge(Answers(contacted, solved, satisfied)) == expected


@pytest.mark.parametrize(
    ("outcome", "first", "last"),
    [
        (Outcome.ANSWERED, Action.ANSWER, Action.ANSWER),
        (Outcome.REFUSED, Action.REFUSE, Action.REFUSE),
        (Outcome.NO_ANSWER, Action.MISS, Action.GIVE_UP),
        (
            Outcome.WRONG_NUMBER,
            Action.MISS,
            Action.MISS,
        ),  # never the last: it waits for the right one
        (Outcome.NUMBER_OFF, Action.MISS, Action.GIVE_UP),
        (Outcome.EXPIRED, Action.MISS, Action.GIVE_UP),
    ],
)
def test_every_outcome_moves_the_callback(outcome: Outcome, first: Action, last: Action) -> None:
    assert verdict.action_for(outcome, 1, 3) is first
    assert verdict.action_for(outcome, 2, 3) is first
    assert verdict.action_for(outcome, 3, 3) is last


SPARED = ("commendation", "reply_declined", "anonymous_without_contact")


@pytest.mark.parametrize(
    ("ticket_type", "has_contact", "declined", "not_for", "expected"),
    [
        ("help", True, False, SPARED, None),
        ("help", False, False, SPARED, "no_contact"),
        ("help", True, True, SPARED, "reply_declined"),
        ("help", False, True, SPARED, "no_contact"),
        ("commendation", True, False, SPARED, "commendation"),
        ("commendation", False, True, SPARED, "commendation"),
        ("commendation", True, False, (), None),
        ("commendation", False, False, (), "no_contact"),
        ("help", True, True, (), None),
        ("help", False, False, (), "no_contact"),
    ],
)
def test_who_gets_no_call_is_closed_at_once_each_as_its_own_kind(
    ticket_type: str,
    has_contact: bool,
    declined: bool,
    not_for: tuple[str, ...],
    expected: str | None,
) -> None:
    kind = verdict.closes_at_once(
        TicketType(ticket_type),
        has_contact=has_contact,
        reply_declined=declined,
        not_for=not_for,
    )
    assert kind == expected


@pytest.mark.parametrize(
    ("about", "answers", "expected"),
    [
        ("put_off", Answers("yes", "partly", "satisfied"), closed("satisfied")),
        ("put_off", Answers("yes", "no", "satisfied"), Reopened(("not_solved",))),
        ("promise", Answers(None, "yes", "satisfied"), closed("satisfied")),
        ("promise", Answers("no", "yes", "satisfied"), closed("satisfied")),
        ("promise", Answers(None, "no"), Reopened(("not_solved",), ReopenCause.PROMISE_BROKEN)),
        ("promise", Answers(None, "yes", "unsatisfied"), Reopened(("not_satisfied",))),
        ("both", Answers("no", "yes", "satisfied"), Reopened(("not_contacted",))),
        ("both", Answers("yes", "no"), Reopened(("not_solved",), ReopenCause.PROMISE_BROKEN)),
    ],
)
def test_what_was_asked_decides_what_an_answer_means(
    about: str, answers: Answers, expected: Closed | Reopened
) -> None:
    """R-19: a promise that was kept is kept, whether or not its unit rang once more."""
    assert verdict.judge(answers, CallbackAbout(about)) == expected


@pytest.mark.parametrize(
    ("about", "answers", "confirmed"),
    [
        ("promise", Answers(None, "yes", "satisfied"), True),
        ("promise", Answers(None, "partly"), True),
        ("both", Answers("yes", "yes", "unrated"), True),
        ("promise", Answers(None, None, "satisfied"), False),
        ("promise", Answers(None, "yes", "unsatisfied"), False),
        ("promise", Answers(None, "no", "satisfied"), False),
        ("put_off", Answers("yes", "yes", "satisfied"), False),
        ("answer", Answers("yes", "yes", "satisfied"), False),
        ("of_a_newer_release", Answers("yes", "yes", "satisfied"), False),
    ],
)
def test_a_promise_is_confirmed_only_by_who_was_asked_of_it(
    about: str, answers: Answers, confirmed: bool
) -> None:
    assert verdict.is_confirmed(answers, CallbackAbout(about)) is confirmed


def test_a_call_about_a_promise_asks_two_of_the_three() -> None:
    kept = Answers(solved="yes", satisfied="satisfied")
    assert verdict.is_decided(kept, CallbackAbout.PROMISE)
    assert not verdict.is_decided(kept, CallbackAbout.PUT_OFF)
    assert Answers().missing_about(CallbackAbout.PROMISE) == ("solved", "satisfied")


@pytest.mark.parametrize(
    ("promise", "promised", "ended", "about"),
    [
        (False, False, False, CallbackAbout.ANSWER),
        (False, True, False, CallbackAbout.PUT_OFF),
        (False, True, True, CallbackAbout.BOTH),
        (True, True, True, CallbackAbout.PROMISE),
    ],
)
def test_what_a_call_of_now_is_about(
    promise: bool, promised: bool, ended: bool, about: CallbackAbout
) -> None:
    assert verdict.about_now(promise=promise, promised=promised, ended=ended) is about
