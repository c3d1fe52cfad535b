"""Every move of an assignment: the table, and the guards of returning and completing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules import completion, returns
from services.dispatcher.rules import ticket as stands
from services.dispatcher.rules.assignment import (
    MOVES,
    OPEN,
    SENTENCES,
    Action,
    State,
    allowed,
    contact,
    move,
)
from services.dispatcher.settings import Config, Settings
from shared.errors import MoveRefused, UnknownCode
from shared.events import AssignmentCompleted, CompletionKind, ContactOutcome, Urgency

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, nine o'clock in Ziyang

# --- every move of an assignment ---------------------------------------------------------------

D, S, C, R = State.DISPATCHED, State.SIGNED, State.CONTACTED, State.RETURN_REQUESTED
TABLE = {
    (D, Action.SIGN): S,
    (S, Action.CONTACT): C,
    (C, Action.CONTACT): C,
    (S, Action.PROGRESS): S,
    (C, Action.PROGRESS): C,
    (D, Action.REQUEST_RETURN): R,
    (S, Action.REQUEST_RETURN): R,
    (C, Action.REQUEST_RETURN): R,
    (R, Action.GRANT_RETURN): State.RETURNED,
    (R, Action.REFUSE_RETURN): S,
    (S, Action.COMPLETE): State.COMPLETED,
    (C, Action.COMPLETE): State.COMPLETED,
    (D, Action.CANCEL): State.CANCELLED,
    (S, Action.CANCEL): State.CANCELLED,
    (C, Action.CANCEL): State.CANCELLED,
    (R, Action.CANCEL): State.CANCELLED,
}


@pytest.mark.parametrize(("state", "action"), list(product(State, Action)))
def test_exactly_the_table_passes(state: State, action: Action) -> None:
    if (state, action) in TABLE:
        assert move(state, action, was=S) == TABLE[state, action]
        return
    with pytest.raises(MoveRefused) as refused:
        move(state, action, was=S)
    assert refused.value.extra == {"current_status": state, "allowed": allowed(state)}


@pytest.mark.parametrize("was", [D, S, C])
def test_a_refused_return_goes_back_where_it_was(was: State) -> None:
    assert move(R, Action.REFUSE_RETURN, was) is was


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sentence_in_both_languages(state: State) -> None:
    assert state in MOVES
    assert any("一" <= letter <= "鿿" for letter in SENTENCES[state])
    assert any(letter.isascii() and letter.isalpha() for letter in SENTENCES[state])


def test_open_is_what_can_still_be_moved() -> None:
    assert {state for state in State if MOVES[state]} == set(OPEN)


@pytest.mark.parametrize("outcome", ContactOutcome)
@pytest.mark.parametrize("state", [S, C])
def test_only_an_answer_moves(state: State, outcome: ContactOutcome) -> None:
    answered = outcome in (ContactOutcome.REACHED, ContactOutcome.REFUSED)
    assert completion.is_answer(outcome) is answered
    assert contact(state, outcome) == (C if answered else state)


@pytest.mark.parametrize("outcome", ContactOutcome)
def test_no_attempt_before_signing(outcome: ContactOutcome) -> None:
    with pytest.raises(MoveRefused):
        contact(D, outcome)


# --- returning ---------------------------------------------------------------------------------

RULES = returns.ReturnRules(window="1wd", window_urgent="30min", reason_codes=("not_our_duty",))


def standing(**given: Any) -> returns.Standing:
    usual: dict[str, Any] = {
        "state": D,
        "redo": False,
        "appointed": False,
        "asked": 0,
        "refused": 0,
        "until": NOW + timedelta(hours=1),
    }
    return returns.Standing(**usual | given)


def asks(reason: str = "not_our_duty", rules: returns.ReturnRules = RULES, **given: Any) -> State:
    return returns.request_return(standing(**given), reason, rules, NOW)


@pytest.mark.parametrize("state", [D, S, C])
def test_a_return_is_requested(state: State) -> None:
    assert asks(state=state) is R


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"state": State.COMPLETED}, MoveRefused),
        ({"state": R}, MoveRefused),
        ({"asked": 1}, returns.ReturnedBefore),
        ({"asked": 1, "refused": 1}, returns.ReturnAfterRuling),
        ({"appointed": True}, returns.ReturnAfterRuling),
        ({"redo": True}, returns.ReturnOnRedo),
        ({"until": NOW - timedelta(seconds=1)}, returns.ReturnTooLate),
        ({"reason": "too_much_work"}, UnknownCode),
    ],
)
def test_a_return_is_barred(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        asks(**given)


def test_the_last_moment_of_the_window_counts() -> None:
    assert asks(until=NOW) is R


def test_a_jurisdiction_may_allow_returns_after_a_ruling() -> None:
    lenient = RULES.model_copy(update={"after_ruling_no_return": False})
    assert asks(rules=lenient, appointed=True) is R


@pytest.fixture(scope="module")
def ziyang() -> Config:
    folder = Path(__file__).parents[2] / "config" / "ziyang"
    return Settings(embedded=True, config_dir=folder).load()


@pytest.mark.parametrize(
    ("urgency", "until"),
    [
        (Urgency.NORMAL, "2026-03-03T18:00+08:00"),
        (Urgency.COMPLEX, "2026-03-03T18:00+08:00"),
        (Urgency.URGENT, "2026-03-02T09:30+08:00"),
        (Urgency.CRITICAL, "2026-03-02T09:30+08:00"),
    ],
)
def test_the_window_by_urgency(ziyang: Config, urgency: Urgency, until: str) -> None:
    assert ziyang.returns.until(NOW, urgency, ziyang.calendar) == datetime.fromisoformat(until)


# --- completing --------------------------------------------------------------------------------


def work(**given: Any) -> completion.Work:
    usual: dict[str, Any] = {
        "state": S,
        "contact_duty": True,
        "attempts": 0,
        "reached": False,
        "co_handlers": {},
    }
    return completion.Work(**usual | given)


def said(**given: Any) -> AssignmentCompleted:
    usual = {
        "role": "lead",
        "kind": "solved",
        "contacted": False,
        "solved": True,
        "result": "已清理",
        "public_answer": "已清理",
        "signed_off_by": "局长",
    }
    return AssignmentCompleted.model_validate(usual | given)


TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    "given",
    [
        {"state": C, "attempts": 1, "reached": True},
        {"attempts": 1},
        {"contact_duty": False},
        {"attempts": 1, "co_handlers": {"A": State.COMPLETED, "B": State.CANCELLED}},
        {"attempts": 1, "co_handlers": {"A": State.RETURNED}},
    ],
)
def test_what_may_be_completed(given: dict[str, Any]) -> None:
    assert completion.complete(work(**given), said(), TODAY) is State.COMPLETED


@pytest.mark.parametrize("state", [state for state in State if state not in (S, C)])
def test_what_may_not_be_completed(state: State) -> None:
    with pytest.raises(MoveRefused):
        completion.complete(work(state=state, attempts=1), said(), TODAY)


def test_the_citizen_is_contacted_first() -> None:
    with pytest.raises(completion.CitizenNotContacted):
        completion.complete(work(), said(), TODAY)


def test_a_contact_is_claimed_only_when_it_is_on_record() -> None:
    with pytest.raises(completion.ContactNotOnRecord):
        completion.complete(work(attempts=3), said(contacted=True), TODAY)
    made = work(state=C, attempts=3, reached=True)
    assert completion.complete(made, said(contacted=True), TODAY) is State.COMPLETED


@pytest.mark.parametrize("state", OPEN)
def test_the_lead_finishes_after_its_co_handlers(state: State) -> None:
    waiting = work(attempts=1, co_handlers={"RSJ": State.COMPLETED, "SWJ": state})
    with pytest.raises(completion.CoHandlersOpen) as refused:
        completion.complete(waiting, said(), TODAY)
    assert refused.value.extra == {"units": ["SWJ"]}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"solved": False}, completion.KindContradicted),
        (
            {"kind": "no_condition_yet_with_date", "promised_date": "2026-09-01"},
            completion.KindContradicted,
        ),
        ({"kind": "explained", "solved": False}, completion.UnsolvedReasonMissing),
        (
            {"kind": "no_condition_yet_with_date", "solved": False, "unsolved_reason": "等资金"},
            completion.PromisedDateMissing,
        ),
        (
            {
                "kind": "no_condition_yet_with_date",
                "solved": False,
                "unsolved_reason": "等资金",
                "promised_date": "2026-03-01",
            },
            completion.PromisedDateMissing,
        ),
    ],
)
def test_a_form_that_says_too_little_or_two_things(
    given: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        completion.complete(work(attempts=1), said(**given), TODAY)


@pytest.mark.parametrize("kind", CompletionKind)
def test_every_kind_can_be_said(kind: CompletionKind) -> None:
    form = said(
        kind=kind,
        solved=kind is CompletionKind.SOLVED,
        unsolved_reason="等资金",
        promised_date="2026-03-02",
    )
    assert completion.complete(work(attempts=1), form, TODAY) is State.COMPLETED


@pytest.mark.parametrize(
    ("minutes", "right"), [(-1, False), (0, True), (30, True), (60, True), (61, False)]
)
def test_an_attempt_lies_between_dispatch_and_now(minutes: int, right: bool) -> None:
    at, now = NOW + timedelta(minutes=minutes), NOW + timedelta(hours=1)
    if right:
        completion.check_attempt(at, NOW, now)
        return
    with pytest.raises(completion.ContactTimeWrong):
        completion.check_attempt(at, NOW, now)


# --- where a ticket stands ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marks", "stand"),
    [
        ({"round": 1}, stands.Stand.ASSIGNED),
        ({"round": 1, "unassigned": True}, stands.Stand.UNASSIGNED),
        ({"round": 1, "resolved": 1}, stands.Stand.RESOLVED),
        ({"round": 1, "resolved": 1, "closed": 1}, stands.Stand.CLOSED),
        ({"round": 2, "resolved": 1}, stands.Stand.ASSIGNED),
        ({"round": 2, "resolved": 1, "closed": 1}, stands.Stand.ASSIGNED),
        ({"round": 2, "resolved": 2, "closed": 2, "withdrawn": True}, stands.Stand.WITHDRAWN),
        ({"round": 1, "unassigned": True, "withdrawn": True}, stands.Stand.WITHDRAWN),
    ],
)
def test_where_a_ticket_stands(marks: dict[str, Any], stand: stands.Stand) -> None:
    known = stands.Marks(**marks)
    assert stands.stand(known) is stand
    assert stands.SENTENCES[stand]
    if stand in (stands.Stand.ASSIGNED, stands.Stand.UNASSIGNED):
        stands.check_assignable(known)
        return
    with pytest.raises(MoveRefused) as refused:
        stands.check_assignable(known)
    assert refused.value.extra == {"current_status": stand, "allowed": []}
