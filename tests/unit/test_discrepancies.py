"""诚信疑点: what of a ticket's log does not fit together (R-34, gain 6, ADR 0075)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracker.rules.discrepancies import Found, found
from services.tracker.rules.evidence import Heard, Honesty, Order, Seen, Timed, noted
from services.tracker.rules.honesty import HonestyRules, reason
from services.tracker.settings import Settings
from shared.events import (
    AnswerFoundAlike,
    DiscrepancyKind,
    Fact,
    ReopenCause,
    Role,
    TicketCorrected,
    TicketType,
)
from tests.fixtures.scenes.honesty import (
    LIMIT,
    STORY,
    answered,
    call,
    clock,
    everything,
    fact,
    heard_of,
    order,
    read,
    reopened,
)
from tests.fixtures.scenes.tracker import GT, TICKET, at

ELSEWHERE = UUID(int=9)
CO = order(GT, "GT", role=Role.CO)
RULES = Settings(embedded=True).load().rules.honesty
KINDS = sorted(DiscrepancyKind)


def look_at(
    *facts: Fact,
    orders: tuple[Order, ...] = (order(),),
    clocks: tuple[Timed, ...] = (),
    rules: HonestyRules = RULES,
    withdrawn: bool = False,
) -> list[Found]:
    """What is found of these facts."""
    return found(Seen(TICKET, heard_of(*facts), orders, clocks, withdrawn), rules)


def look(*facts: Fact, **given: Any) -> list[str]:
    """The kinds of it."""
    return [each.kind.value for each in look_at(*facts, **given)]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([call("03-02 11:00")], ["contact_unread"]),
        ([call("03-02 11:00", "message")], ["contact_unread"]),
        ([call("03-02 11:00", "visit")], []),
        ([read("03-02 10:50"), call("03-02 11:00")], []),
        ([call("03-02 11:00"), read("03-02 11:10")], []),  # people's watches
        ([call("03-02 11:00"), read("03-02 11:11")], ["contact_unread"]),
        ([read("03-02 10:50", assignment=GT), call("03-02 11:00")], ["contact_unread"]),
        ([read("03-02 10:50", assignment=ELSEWHERE), call("03-02 11:00")], ["contact_unread"]),
        ([call("03-02 11:00", assignment=ELSEWHERE)], []),  # of an order nobody knows
    ],
)
def test_a_call_needs_a_number_that_was_read(facts: list[Fact], expected: list[str]) -> None:
    """R-12, gain 6: contacted, and nobody of the unit had opened the contact."""
    both = (order(), order(GT, "GT", role=Role.CO))
    assert look(*facts, orders=both) == expected


def test_who_read_it_under_an_earlier_order_knows_the_number() -> None:
    again = order(GT, "HC", "03-09 10:00", round=2)
    facts = [read("03-02 10:50"), call("03-09 11:00", assignment=GT, round=2)]
    assert look(*facts, orders=(order(), again)) == []


def test_a_call_from_below_is_one_call_of_who_made_it() -> None:
    """二次派单: it stands at the town's order, too, and the village read the number."""
    village = order(GT, "CUN", "03-02 10:30")
    calls = [call("03-02 11:00"), call("03-02 11:00", assignment=GT)]
    [unread] = look_at(*calls, orders=(order(), village))
    assert (unread.kind, unread.order) == (DiscrepancyKind.CONTACT_UNREAD, village)
    apart = [
        call("03-02 11:00"),
        read("03-02 11:30", assignment=GT),
        call("03-02 12:00", assignment=GT),
    ]
    [unread] = look_at(*apart, orders=(order(), village))
    assert unread.order == order()
    assert look(*calls, read("03-02 10:40", assignment=GT), orders=(order(), village)) == []


def test_a_call_as_of_the_moment_of_another_s_is_a_call_of_its_own() -> None:
    """Who read nothing does not hide behind a helper who did."""
    helper = order(GT, "GT", "03-02 10:30", role=Role.CO)
    calls = [call("03-02 11:00", assignment=GT), call("03-02 11:00", recorded="03-02 12:00")]
    facts = [read("03-02 10:40", assignment=GT), *calls]
    assert look(*facts, orders=(order(), helper)) == ["contact_unread"]


@pytest.mark.parametrize(
    ("made", "entered", "expected"),
    [
        ("03-02 10:30", "03-05 10:00", ["contact_dated_back"]),  # T8
        ("03-03 18:00", "03-03 19:01", ["contact_dated_back"]),  # at the moment it was in time
        ("03-03 17:30", "03-03 18:30", []),  # a note typed after the call
        ("03-02 10:30", "03-03 18:00", []),  # within the limit anyway
        ("03-04 09:00", "03-05 10:00", []),  # it was late, and says so
    ],
)
def test_a_contact_dated_back_is_named(made: str, entered: str, expected: list[str]) -> None:
    """T8: as of a moment before the limit, and written down after it."""
    limit = clock("first_contact", "03-03 18:00")
    facts = [read("03-02 10:10"), call(made, recorded=entered)]
    assert look(*facts, clocks=(limit,)) == expected
    assert look(*facts) == [], "no limit, no clock"


def test_what_the_citizen_says_is_held_against_what_the_unit_said() -> None:
    said = [read("03-02 10:10"), call("03-02 11:00"), answered("03-04 10:00")]
    no = reopened("03-05 10:00", "not_contacted", "not_solved")
    denied, unsolved = look_at(*said, no)
    assert (denied.kind, unsolved.kind) == ("contact_denied", "result_denied")
    assert [each.name for each in denied.evidence] == ["ticket.reopened", "assignment.completed"]
    assert (denied.at, denied.order) == (unsolved.at, unsolved.order) == (no.time, order())
    [again, _] = look_at(*said, call("03-05 09:00"), no)
    assert (again.id, again.evidence[1].at) == (denied.id, at("03-05 09:00")), "one, however shown"
    assert look(answered("03-04 10:00", contacted=False, solved=False), no) == []
    assert look(*said, reopened("03-05 10:00", "not_satisfied")) == []
    upstream = reopened("03-05 10:00", "not_solved", cause=ReopenCause.UPSTREAM)
    assert look(*said, upstream) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([call("03-05 10:00")], ["contact_denied"]),  # at that very moment
        ([call("03-05 10:01")], []),  # after it was said
        ([call("03-02 11:00", assignment=GT)], []),  # the citizen hears from the lead
        ([call("03-02 11:00", assignment=ELSEWHERE)], []),
        ([call("03-02 11:00", round=2)], []),  # of a round the citizen was not asked about
        ([answered("03-05 10:00")], ["contact_denied", "result_denied"]),
        ([answered("03-05 10:01")], []),
        ([answered("03-04 10:00").model_copy(update={"round": 2})], []),
    ],
)
def test_only_what_was_claimed_of_that_round_before_is_contradicted(
    facts: list[Fact], expected: list[str]
) -> None:
    read_by_all = [read("03-02 10:10"), read("03-02 10:10", assignment=GT)]
    no = reopened("03-05 10:00", "not_contacted", "not_solved")
    assert look(*read_by_all, *facts, no, orders=(order(), CO)) == expected


def test_a_promise_that_was_kept_says_the_unit_alone() -> None:
    put_off = answered("03-04 10:00", solved=False)
    no = reopened("04-20 10:00", "not_solved", cause=ReopenCause.PROMISE_BROKEN)
    for kept, expected in (("04-20 10:00", ["result_denied"]), ("04-20 10:01", [])):
        assert look(put_off, no, orders=(order(kept_at=at(kept)),)) == expected
    assert look(put_off, no) == []
    assert look(put_off, no, orders=()) == []
    verdict = reopened("04-20 10:00", "not_solved")
    assert look(put_off, verdict, orders=(order(kept_at=at("04-18 10:00")),)) == []


def test_a_type_or_topic_that_was_changed_after_the_dispatch() -> None:
    changed = TicketCorrected(
        fields=("type",), reason="核实", type=TicketType.CONSULTATION, after_dispatch=True
    )
    moved = fact(changed, "03-03 10:00", assignment=None)
    had, later = order(given="03-03 10:00"), order(GT, "GT", "03-03 10:01")
    helps = order(ELSEWHERE, "ZJJ", "03-03 09:00", role=Role.CO)
    for orders, whose in (
        ((order(given="03-02 10:00", id=GT), had, later, helps), had),
        ((later, helps), None),
    ):
        [one] = look_at(moved, orders=orders)
        assert (one.kind, one.order) == (DiscrepancyKind.RECATEGORISED, whose)
    early = changed.model_copy(update={"after_dispatch": False})
    assert look(fact(early, "03-03 10:00", assignment=None)) == []
    untied = changed.model_copy(update={"fields": ("flags",)})  # 涉旅 has a limit of its own
    assert look(fact(untied, "03-03 10:00", assignment=None)) == ["recategorised"]
    other = changed.model_copy(update={"fields": ("area",)})
    assert look(fact(other, "03-03 10:00", assignment=None)) == []


def test_an_order_that_went_elsewhere_shortly_before_it_was_due() -> None:
    limit = clock("handle", "03-09 18:00")
    lost = order(redispatched_at=at("03-09 15:00"))
    taken = order(GT, "GT", "03-09 15:00")
    assert look(orders=(lost, taken), clocks=(limit,)) == ["redispatched_late"]
    assert look(orders=(lost,), clocks=(limit,)) == []
    assert look(orders=(lost, taken), clocks=(limit,), withdrawn=True) == []
    itself = order(GT, "HC", "03-09 15:00")
    assert look(orders=(lost, itself), clocks=(limit,)) == []  # T9: it keeps its clock
    back = order(GT, "HC", "03-12 09:00")  # three days at the desk, in which nothing was due
    assert look(orders=(lost, back), clocks=(limit,)) == ["redispatched_late"]
    early = lost._replace(redispatched_at=at("03-09 13:59"))
    assert look(orders=(early, taken), clocks=(limit,)) == []
    assert look(orders=(lost, taken)) == [], "it had no limit"
    for other in ({"role": Role.CO}, {"round": 2}, {"dispatched_at": at("03-09 14:59")}):
        assert look(orders=(lost, taken._replace(**other)), clocks=(limit,)) == []


def test_occasions_of_habits() -> None:
    clocks = (
        clock("handle", "03-09 18:00", "03-09 17:30"),
        clock("sign", "03-02 15:00", "03-02 15:01"),
    )
    last, late = look_at(clocks=clocks)
    assert (last.kind, late.kind) == ("last_minute", "signed_late")
    assert [each.name for each in last.evidence] == ["assignment.completed", "due"]
    assert [each.name for each in late.evidence] == ["assignment.signed", "due"]
    assert look(clocks=(clock("handle", "03-09 18:00", "03-09 18:00"),)) == ["last_minute"]
    given_up = [each._replace(status="cancelled") for each in clocks]
    for none in (
        clock("handle", "03-09 18:00", "03-09 17:29"),
        clock("sign", "03-02 15:00", "03-02 15:00"),
        clock("handle", "03-09 18:00", "03-09 17:45", GT),  # of who helps
        clock("handle", "03-09 18:00", "03-09 17:45", ELSEWHERE),
        *given_up,
    ):
        assert look(clocks=(none,), orders=(order(), CO)) == []


def test_the_same_answer_as_others() -> None:
    alike = fact(AnswerFoundAlike(tickets=("20260301-000009",)), "03-04 10:00")
    [one] = found(Seen(TICKET, heard_of(alike), [order()], []), RULES)
    assert (one.kind, one.tickets) == (DiscrepancyKind.ANSWERS_ALIKE, ("20260301-000009",))


# --- in any order ------------------------------------------------------------------------------


def ids(facts: list[Fact]) -> dict[UUID, str]:
    heard: Sequence[Heard] = ()
    for each in facts:
        heard = noted(heard, each)
        kept = Honesty(heard=heard).model_dump(mode="json", exclude_defaults=True)
        heard = Honesty.model_validate(kept).heard  # as rows keep it
    return {each.id: each.kind for each in found(Seen(TICKET, heard, [order()], LIMIT), RULES)}


@given(st.permutations(STORY), st.lists(st.sampled_from(STORY)))
def test_facts_in_any_order_and_however_often_give_the_same(
    facts: list[Fact], again: list[Fact]
) -> None:
    """gain 6: what is found depends on which facts were heard."""
    renamed = [
        each.model_copy(update={"id": uuid4()}) for each in again
    ]  # said again by its speaker
    assert ids([*facts, *renamed]) == ids(STORY)
    assert sorted(ids(STORY).values()) == [
        "answers_alike",
        "contact_dated_back",
        "contact_denied",
        "contact_unread",
        "recategorised",
        "result_denied",
    ]


# --- supervision.yaml --------------------------------------------------------------------------


def test_each_can_be_left_out() -> None:
    assert found(everything(), HonestyRules()) == []
    assert {each.kind for each in found(everything(), RULES)} == set(KINDS)
    assert [kind for kind in KINDS if HonestyRules().looks_for(kind)] == []
    assert [kind for kind in KINDS if not RULES.looks_for(kind)] == []
    habits = {kind for kind in KINDS if RULES.needed(kind)}
    assert habits == {DiscrepancyKind.LAST_MINUTE, DiscrepancyKind.SIGNED_LATE}


@pytest.mark.parametrize(
    ("key", "value", "facts", "clocks"),
    [
        ("contact_unread", {"grace_minutes": 60}, [call("03-02 11:00"), read("03-02 11:30")], ()),
        (
            "contact_dated_back",
            {"entered_after_minutes": 9_000},
            [read("03-02 10:10"), call("03-02 10:30", recorded="03-05 10:00")],
            LIMIT,
        ),
        (
            "last_minute",
            {"within_minutes": 5, "count": 2},
            [],
            (clock("handle", "03-09 18:00", "03-09 17:50"),),
        ),
    ],
)
def test_what_the_file_says_is_obeyed(
    key: str, value: dict[str, int], facts: list[Fact], clocks: tuple[Timed, ...]
) -> None:
    other = HonestyRules.model_validate(RULES.model_dump() | {key: value})
    assert look(*facts, clocks=clocks) == [key]
    assert look(*facts, clocks=clocks, rules=other) == []


def test_a_newer_release_may_have_kept_more() -> None:
    kept = {"rules": {"contact_denied": True, "of_a_newer_release": 3}}
    assert Honesty.model_validate(kept).rules == HonestyRules(contact_denied=True)


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_said_in_both_languages(kind: DiscrepancyKind) -> None:
    assert "疑似" not in reason(kind)
    assert reason(kind).isascii() is False
    assert "5次" in reason(kind, 5)


def test_what_is_said_again_is_kept_once() -> None:
    again = STORY[2].model_copy(update={"id": uuid4()})
    assert heard_of(STORY[2], again) == heard_of(STORY[2])
    assert len(heard_of(read("03-02 11:00"), read("03-02 10:50"), read("03-02 12:00"))) == 1


def test_moments_are_kept_in_one_zone() -> None:
    heard = heard_of(call("03-02 11:00"))
    assert heard[0].at.utcoffset() == timedelta()
    assert heard[0].at == datetime.fromisoformat("2026-03-02T03:00:00+00:00")
