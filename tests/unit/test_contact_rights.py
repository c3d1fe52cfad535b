"""Who may read a contact, and how a custodian's leave comes and goes (R-35, R-36)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.rules.machine import TicketStatus, ended
from services.intake.rules.rights import (
    MOVES,
    GrantOutOfBounds,
    Refusal,
    RequestStatus,
    Standing,
    granted_until,
    is_live,
    meaningful,
    refusal,
    rule,
)
from shared.caller import Caller
from shared.errors import JiesuError, MoveRefused
from shared.security.tokens import ROLES

NOW = datetime.fromisoformat("2026-03-02T09:00+08:00")
ORDER = UUID(int=1)
ON_DUTY = Standing(assignment=ORDER)
HC = Caller("unit", "liaison", "HC")
STAFF, FEEDBACK = Caller("callback", "li"), Caller("service", "feedback")


def why_not(
    caller: Caller,
    standing: Standing,
    *,
    recused: tuple[str, ...] = (),
    status: TicketStatus = TicketStatus.IN_HAND,
    confidential: bool = False,
    granted: bool = False,
) -> Refusal | None:
    return refusal(
        caller,
        standing,
        recused=recused,
        status=status,
        confidential=confidential,
        granted=granted,
    )


def test_a_unit_reads_while_it_is_on_duty() -> None:
    assert why_not(HC, ON_DUTY) is None
    assert why_not(HC, Standing()) is Refusal.NOT_ON_DUTY
    assert why_not(HC, Standing(due=True, staff=True)) is Refusal.NOT_ON_DUTY


@pytest.mark.parametrize("status", TicketStatus)
def test_nobody_reads_after_the_end(status: TicketStatus) -> None:
    """Not even one who still has it elsewhere: its end may be on the way. But who asks after a promised day
    calls who was called before, on a closed ticket (R-19).
    """
    called = Standing(assignment=ORDER, due=True, staff=True)
    for caller in (HC, STAFF, FEEDBACK):
        asks_again = caller is not HC and status is TicketStatus.CLOSED
        refused = why_not(caller, called, status=status)
        assert refused is (Refusal.ENDED if ended(status) and not asks_again else None)
    if ended(status):
        for caller in (HC, STAFF, FEEDBACK):
            assert why_not(caller, Standing(), status=status) is not None


@pytest.mark.parametrize("recused", [("HC",), ("ZFB", "HC"), ("RSJ",), ()])
def test_a_unit_that_has_to_stand_back_never_reads(recused: tuple[str, ...]) -> None:
    """R-35, JN-32: nor does it learn anything of whether it can be checked."""
    for standing in (ON_DUTY, Standing(), Standing(unknown=JiesuError())):
        refused = why_not(HC, standing, recused=recused, confidential=True, granted=True)
        assert (refused is Refusal.RECUSED) is ("HC" in recused)


def test_a_confidential_contact_takes_a_custodians_leave() -> None:
    """R-35, R-36: and the leave is no duty."""
    assert why_not(HC, ON_DUTY, confidential=True) is Refusal.NEEDS_GRANT
    assert why_not(HC, ON_DUTY, confidential=True, granted=True) is None
    assert why_not(HC, Standing(), confidential=True, granted=True) is Refusal.NOT_ON_DUTY


@pytest.mark.parametrize("role", ROLES)
def test_no_other_role_reads(role: str) -> None:
    everything = Standing(assignment=ORDER, due=True, staff=True)
    may = why_not(Caller(role, "tracker", "HC" if role == "unit" else None), everything) is None
    assert may is (role in ("unit", "callback"))


@pytest.mark.parametrize("confidential", [True, False])
def test_who_calls_reads_when_a_call_is_due(confidential: bool) -> None:
    """Of a confidential matter staff only when no system calls."""
    by_system, by_staff = Standing(due=True), Standing(due=True, staff=True)
    for caller in (STAFF, FEEDBACK):
        assert why_not(caller, Standing(), confidential=confidential) is Refusal.NO_CALL_DUE
        assert why_not(caller, by_staff, confidential=confidential) is None
    assert why_not(FEEDBACK, by_system, confidential=confidential) is None
    assert (why_not(STAFF, by_system, confidential=confidential) is None) is not confidential


def test_what_cannot_be_checked_opens_nothing() -> None:
    away = Standing(assignment=ORDER, due=True, staff=True, unknown=JiesuError())
    for caller in (HC, STAFF, FEEDBACK):
        assert why_not(caller, away, granted=True) is Refusal.UNKNOWN


@pytest.mark.parametrize("reason", [".", "11", "  . 。", "abc", "想", "想想", "⚡⚡⚡⚡"])
def test_a_reason_that_says_nothing_is_none(reason: str) -> None:
    with pytest.raises(ValueError, match="say why"):
        meaningful(reason)


@pytest.mark.parametrize("reason", ["核实", "约上门", "call him", "回访 callback 1"])
def test_a_reason_in_words_is_one(reason: str) -> None:
    assert meaningful(reason) == reason


# --- the custodian's leave -----------------------------------------------------------------------


@pytest.mark.parametrize(("status", "granted"), [*product(RequestStatus, [True, False])])
def test_exactly_the_table_passes(status: RequestStatus, granted: bool) -> None:
    action = "grant" if granted else "refuse"
    if action in MOVES[status]:
        assert rule(status, granted=granted) is MOVES[status][action]
    else:
        with pytest.raises(MoveRefused):
            rule(status, granted=granted)


@given(st.sampled_from(RequestStatus), st.timedeltas(), st.booleans())
def test_only_a_leave_that_lasts_is_live(
    status: RequestStatus, left: timedelta, timed: bool
) -> None:
    try:
        until = NOW + left if timed else None
    except OverflowError:
        return
    lives = is_live(status, until, NOW)
    assert lives is (status is RequestStatus.GRANTED and timed and left > timedelta())


@pytest.mark.parametrize(
    ("until", "hours"),
    [(None, None), (NOW, 1.0), (NOW, None), (NOW + timedelta(days=6), None), (None, 200.0)],
)
def test_a_leave_ends_after_now_and_within_what_the_place_allows(
    until: datetime | None, hours: float | None
) -> None:
    latest = NOW + timedelta(days=5)
    with pytest.raises(GrantOutOfBounds) as refused:
        granted_until(until, hours, NOW, latest)
    assert refused.value.extra["latest"] == latest
    assert granted_until(None, 24, NOW, latest) == NOW + timedelta(days=1)
    assert granted_until(latest, None, NOW, latest) == latest
