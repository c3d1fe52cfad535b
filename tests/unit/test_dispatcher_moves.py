"""Every move of an assignment: the table, and the guards of returning and completing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from services.dispatcher.rules import completion, returns
from services.dispatcher.rules import ticket as tickets
from services.dispatcher.rules.assignment import (
    MOVES,
    OPEN,
    SENTENCES,
    WHO,
    Action,
    AssignmentStatus,
    allowed,
    contact,
    is_answer,
    move,
)
from services.dispatcher.rules.ticket import DispatchStatus
from services.dispatcher.settings import Config, Settings
from shared.errors import Malformed, MoveRefused, UnknownCode
from shared.events import AssignmentCompleted, CompletionKind, ContactOutcome, Urgency

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, nine o'clock in Ziyang

# --- every move of an assignment ---------------------------------------------------------------

D, S = AssignmentStatus.DISPATCHED, AssignmentStatus.SIGNED
C, R = AssignmentStatus.CONTACTED, AssignmentStatus.RETURN_REQUESTED

TABLE = {
    (D, Action.SIGN): S,
    (S, Action.CONTACT): C,
    (C, Action.CONTACT): C,
    (S, Action.PROGRESS): S,
    (C, Action.PROGRESS): C,
    (D, Action.REQUEST_RETURN): R,
    (S, Action.REQUEST_RETURN): R,
    (C, Action.REQUEST_RETURN): R,
    (R, Action.GRANT_RETURN): AssignmentStatus.RETURNED,
    (R, Action.REFUSE_RETURN): S,
    (R, Action.WITHDRAW_RETURN): S,
    (S, Action.COMPLETE): AssignmentStatus.COMPLETED,
    (C, Action.COMPLETE): AssignmentStatus.COMPLETED,
    (D, Action.CANCEL): AssignmentStatus.CANCELLED,
    (S, Action.CANCEL): AssignmentStatus.CANCELLED,
    (C, Action.CANCEL): AssignmentStatus.CANCELLED,
    (R, Action.CANCEL): AssignmentStatus.CANCELLED,
}


@pytest.mark.parametrize(("status", "action"), list(product(AssignmentStatus, Action)))
def test_exactly_the_table_passes(status: AssignmentStatus, action: Action) -> None:
    if (status, action) in TABLE:
        assert move(status, action, was=S) == TABLE[status, action]
        return
    with pytest.raises(MoveRefused) as refused:
        move(status, action, was=S)
    assert refused.value.extra == {
        "current_status": status,
        "allowed": allowed(status, WHO[action]),
    }


@pytest.mark.parametrize("was", [D, S, C])
def test_a_refused_return_goes_back_where_it_was(was: AssignmentStatus) -> None:
    assert move(R, Action.REFUSE_RETURN, was) is was


@pytest.mark.parametrize("status", AssignmentStatus)
def test_every_state_has_a_sentence_in_both_languages(status: AssignmentStatus) -> None:
    assert status in MOVES
    zh, en = SENTENCES[status]
    assert any("一" <= letter <= "鿿" for letter in zh)
    assert en.isascii()


def test_open_is_what_can_still_be_moved() -> None:
    assert {status for status in AssignmentStatus if MOVES[status]} == set(OPEN)


@pytest.mark.parametrize("outcome", ContactOutcome)
@pytest.mark.parametrize("status", [S, C])
def test_only_an_answer_moves(status: AssignmentStatus, outcome: ContactOutcome) -> None:
    answered = outcome in (ContactOutcome.REACHED, ContactOutcome.REFUSED)
    assert is_answer(outcome) is answered
    assert contact(status, outcome) == (C if answered else status)


@pytest.mark.parametrize("outcome", ContactOutcome)
def test_no_attempt_before_signing(outcome: ContactOutcome) -> None:
    with pytest.raises(MoveRefused):
        contact(D, outcome)


# --- returning ---------------------------------------------------------------------------------

RULES = returns.ReturnRules.model_validate(
    {"window": "1wd", "window_urgent": "30min", "max_per_unit_and_ticket": 1, "after_ruling": False}
)


def context(**given: Any) -> returns.ReturnContext:
    usual: dict[str, Any] = {
        "status": D,
        "unit": "CGZF",
        "urgency": Urgency.NORMAL,
        "redo": False,
        "earlier": [],
        "until": NOW + timedelta(hours=1),
    }
    return returns.ReturnContext(**usual | given)


def earlier(unit: str = "CGZF", **given: Any) -> returns.Earlier:
    return returns.Earlier(unit, "not_our_duty", "条例第四条", **given)


def asks(
    reason: str = "not_our_duty",
    suggested: str | None = "CG",
    rules: returns.ReturnRules = RULES,
    **given: Any,
) -> AssignmentStatus:
    asked = returns.Asked(reason, "条例第四条", suggested)
    return returns.request_return(context(**given), asked, rules, ["not_our_duty"], NOW)


@pytest.mark.parametrize("status", [D, S, C])
def test_a_return_is_requested(status: AssignmentStatus) -> None:
    """R-15 退单."""
    assert asks(status=status) is R


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"status": AssignmentStatus.COMPLETED}, MoveRefused),
        ({"status": R}, MoveRefused),
        ({"earlier": [earlier(withdrawn=True)]}, returns.ReturnedBefore),
        ({"earlier": [earlier(granted=True)]}, returns.ReturnedBefore),
        ({"earlier": [earlier(granted=False, silent=True)]}, returns.ReturnedBefore),
        ({"earlier": [earlier(granted=False)]}, returns.ReturnAfterRuling),
        ({"earlier": [earlier("ZJJ", granted=True, named="CGZF")]}, returns.ReturnAfterRuling),
        ({"earlier": [earlier(granted=True, overruled=True)]}, returns.ReturnAfterRuling),
        ({"redo": True}, returns.ReturnOnRedo),
        ({"until": NOW - timedelta(seconds=1)}, returns.ReturnTooLate),
        ({"reason": "too_much_work"}, UnknownCode),
        ({"suggested": "CGZF"}, Malformed),
    ],
)
def test_a_return_is_barred(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        asks(**given)


def test_on_some_grounds_a_unit_must_say_whose_it_is() -> None:
    """R-15 退单."""
    assert asks(suggested=None) is R
    strict = RULES.model_copy(update={"suggested_unit_for": ("not_our_duty",)})
    with pytest.raises(returns.SuggestedUnitMissing):
        asks(suggested=None, rules=strict)


def test_the_last_moment_of_the_window_counts() -> None:
    assert asks(until=NOW) is R


def test_a_jurisdiction_may_allow_returns_after_a_ruling() -> None:
    lenient = RULES.model_copy(update={"after_ruling": True, "max_per_unit_and_ticket": 2})
    assert asks(rules=lenient, earlier=[earlier(granted=False)]) is R


def test_a_return_that_nobody_ruled_on_before_the_order_went_bars_nobody() -> None:
    assert asks(earlier=[earlier()]) is R


def test_another_units_return_bars_nobody() -> None:
    assert asks(earlier=[earlier("ZJJ", granted=False), earlier("SWJ", granted=True)]) is R


@pytest.mark.parametrize(
    ("asked", "stands"),
    [
        (("not_our_duty", "条例第四条"), False),
        (("not_our_duty", "另一依据"), False),
        (("wrong_area", "条例第四条"), False),
        (("wrong_area", "另一依据"), True),
    ],
)
def test_the_same_question_pauses_once(asked: tuple[str, str], *, stands: bool) -> None:
    """DOMAIN.md 5.3: who asks again gains no time."""
    before = context(earlier=[earlier(granted=False)])
    assert returns.pauses(before, returns.Asked(*asked), RULES) is stands


@pytest.mark.parametrize("urgency", [*Urgency, Urgency.UNKNOWN])
def test_what_is_urgent_does_not_pause(urgency: Urgency) -> None:
    asked = returns.Asked("not_our_duty", "条例第四条")
    stands = returns.pauses(context(urgency=urgency), asked, RULES)
    assert stands is (urgency in (Urgency.NORMAL, Urgency.COMPLEX))


def test_who_was_freed_is_so_until_a_ruling_names_it() -> None:
    mine = earlier(granted=True)
    assert returns.freed([earlier(), earlier(granted=False)]) == []
    assert returns.freed([mine, earlier("ZJJ", granted=True)]) == ["CGZF", "ZJJ"]
    assert returns.freed([mine, earlier("ZJJ", granted=True, named="CGZF")]) == ["ZJJ"]
    assert returns.freed([earlier(granted=True, overruled=True)]) == []


def test_rules_to_start_from_lead_to_the_unit_suggested_first_and_to_nobody_freed() -> None:
    leads = {"a": "CGZF", "b": "ZJJ", "c": "CG", "d": "ZJJ"}
    assert returns.rules_to_start_from(leads, "CG", ["CGZF"]) == ["c", "b", "d"]
    assert returns.rules_to_start_from(leads, None, ["ZJJ"]) == ["a", "c"]


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
        "status": S,
        "contact_duty": True,
        "attempts": 0,
        "reached": False,
        "co_handlers": {},
    }
    return completion.Work(**usual | given)


def completed(**given: Any) -> AssignmentCompleted:
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
        {"status": C, "attempts": 1, "reached": True},
        {"attempts": 1},
        {"contact_duty": False},
        {
            "attempts": 1,
            "co_handlers": {"A": AssignmentStatus.COMPLETED, "B": AssignmentStatus.CANCELLED},
        },
        {"attempts": 1, "co_handlers": {"A": AssignmentStatus.RETURNED}},
    ],
)
def test_what_may_be_completed(given: dict[str, Any]) -> None:
    assert completion.complete(work(**given), completed(), TODAY) is AssignmentStatus.COMPLETED


@pytest.mark.parametrize("status", [status for status in AssignmentStatus if status not in (S, C)])
def test_what_may_not_be_completed(status: AssignmentStatus) -> None:
    with pytest.raises(MoveRefused):
        completion.complete(work(status=status, attempts=1), completed(), TODAY)


def test_the_citizen_is_contacted_first() -> None:
    """R-12 先行联系."""
    with pytest.raises(completion.CitizenNotContacted):
        completion.complete(work(), completed(), TODAY)


def test_a_contact_is_claimed_only_when_it_is_on_record() -> None:
    with pytest.raises(completion.ContactNotOnRecord):
        completion.complete(work(attempts=3), completed(contacted=True), TODAY)
    made = work(status=C, attempts=3, reached=True)
    assert completion.complete(made, completed(contacted=True), TODAY) is AssignmentStatus.COMPLETED


@pytest.mark.parametrize("status", OPEN)
def test_the_lead_finishes_after_its_co_handlers(status: AssignmentStatus) -> None:
    waiting = work(attempts=1, co_handlers={"RSJ": AssignmentStatus.COMPLETED, "SWJ": status})
    with pytest.raises(completion.CoHandlersOpen) as refused:
        completion.complete(waiting, completed(), TODAY)
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
    """R-21 办结答复."""
    with pytest.raises(error):
        completion.complete(work(attempts=1), completed(**given), TODAY)


@pytest.mark.parametrize("kind", CompletionKind)
def test_every_kind_can_be_said(kind: CompletionKind) -> None:
    answer = completed(
        kind=kind,
        solved=kind is CompletionKind.SOLVED,
        unsolved_reason="等资金",
        promised_date="2026-03-02",
    )
    assert completion.complete(work(attempts=1), answer, TODAY) is AssignmentStatus.COMPLETED


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
    ("known", "status"),
    [
        ({"round": 1}, DispatchStatus.ASSIGNED),
        ({"round": 1, "unassigned": True}, DispatchStatus.UNASSIGNED),
        ({"round": 1, "resolved": 1}, DispatchStatus.RESOLVED),
        ({"round": 1, "resolved": 1, "closed": 1}, DispatchStatus.CLOSED),
        ({"round": 2, "resolved": 1}, DispatchStatus.ASSIGNED),
        ({"round": 2, "resolved": 1, "closed": 1}, DispatchStatus.ASSIGNED),
        ({"round": 2, "resolved": 2, "closed": 2, "withdrawn": True}, DispatchStatus.WITHDRAWN),
        ({"round": 1, "unassigned": True, "withdrawn": True}, DispatchStatus.WITHDRAWN),
        ({"round": 1, "closed": 1, "ended": 1}, DispatchStatus.ENDED),
        ({"round": 2, "closed": 1, "ended": 1, "unassigned": True}, DispatchStatus.UNASSIGNED),
    ],
)
def test_where_a_ticket_stands(known: dict[str, Any], status: DispatchStatus) -> None:
    milestones = tickets.Milestones(**known)
    assert tickets.dispatch_status(milestones) is status
    assert all(tickets.SENTENCES[status])
    if status in (DispatchStatus.ASSIGNED, DispatchStatus.UNASSIGNED):
        tickets.check_assignable(milestones)
        return
    with pytest.raises(MoveRefused) as refused:
        tickets.check_assignable(milestones)
    assert refused.value.extra == {"current_status": status, "allowed": []}
