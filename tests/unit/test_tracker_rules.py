"""The tracker's decisions: moves, marks, pauses, extensions, and the facts that follow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracker.rules import extension, machine, timelines
from services.tracker.rules.changes import ClockRef, DatedFact, changes
from services.tracker.rules.clock_history import ClockHistory, clock_histories, effective_urgency
from services.tracker.rules.clock_state import ClockState, Reading, marks, pass_due_marks, replay
from services.tracker.rules.explanation import explain
from services.tracker.rules.extension import RULINGS, Asking, ExtensionStatus, Ruling
from services.tracker.rules.machine import MOVES, SENTENCES, Action, ClockStatus
from services.tracker.rules.policy import Policy, Terms
from services.tracker.rules.rates import Share, Tally, share
from services.tracker.rules.timelines import (
    AssignmentTimeline,
    Ending,
    Matter,
    Pause,
    RoundTimeline,
)
from services.tracker.settings import Settings
from shared.errors import JiesuError, MoveRefused
from shared.events import (
    ClockKind,
    DeadlineAnnulled,
    DeadlineMet,
    DeadlineMoved,
    Role,
    SupervisionClosed,
    SupervisionRaised,
    TicketType,
    Urgency,
)
from shared.jurisdiction.calendar import Segment, SpecialDay, WorkCalendar

ZIYANG = Path(__file__).parents[2] / "config" / "ziyang"
POLICY: Policy = Settings(embedded=True, config_dir=ZIYANG).load()
CALENDAR = POLICY.calendar
TZ = ZoneInfo("Asia/Shanghai")
CLOCK = UUID(int=1)
SPEAKING = ClockRef(CLOCK, ClockKind.HANDLE)


def at(text: str) -> datetime:
    """An instant of 2026 in local time: ``03-02 10:00``."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=TZ).astimezone(UTC)


def local(instant: datetime) -> str:
    """An instant as people there write it."""
    wall = instant.astimezone(TZ)
    return f"{wall:%m-%d %H:%M:%S}".removesuffix(":00")


MATTER = Matter(
    number="20260302-000001",
    type=TicketType.COMPLAINT,
    urgency=Urgency.NORMAL,
    topic="road.damage",
    flags=(),
    registered_at=at("03-02 10:00"),
)


def history(**what: Any) -> ClockHistory:
    """A handle clock of a lead, five working days from Monday ten o'clock."""
    given: dict[str, Any] = {
        "id": CLOCK,
        "kind": ClockKind.HANDLE,
        "round": 1,
        "urgency": Urgency.NORMAL,
        "started_at": at("03-02 10:00"),
        "met_at": None,
        "lost": None,
        "limit": "5wd",
        "role": Role.LEAD,
    }
    return ClockHistory(**given | what)


def terms(befell: ClockHistory, matter: Matter = MATTER) -> Terms:
    """The terms the policy of the county gives a clock."""
    found = POLICY.terms(befell, matter)
    assert found is not None
    return found


def replayed(
    befell: ClockHistory,
    terms: Terms,
    calendar: WorkCalendar = CALENDAR,
    before: ClockState | None = None,
) -> ClockState:
    """How a clock stands after what befell it."""
    return replay(befell, terms, calendar, before).state


def state(before: ClockState | None = None, **what: Any) -> ClockState:
    """How such a clock stands."""
    befell = history(**what)
    return replayed(befell, terms(befell), CALENDAR, before)


def after_sweep(state: ClockState, now: datetime) -> ClockState:
    """How a clock stands once the sweep looked at it."""
    return pass_due_marks(state, CALENDAR, now).state


def read(state: ClockState, calendar: WorkCalendar = CALENDAR) -> Reading:
    """A clock as it is read."""
    return Reading(state, marks(state, calendar))


def said_of(
    before: ClockState | None, after: ClockState, now: str = "03-20 10:00"
) -> list[DatedFact]:
    """The facts of a change."""
    return changes(SPEAKING, before, read(after), at=at(now), now=at(now), lost="lost")


def told(before: ClockState | None, after: ClockState, now: str = "03-20 10:00") -> list[str]:
    """The facts of a change, as ``name@when``."""
    return [f"{fact.data.name}@{local(fact.at)}" for fact in said_of(before, after, now)]


# --- the table of moves ------------------------------------------------------------------------

ALLOWED = {
    (ClockStatus.RUNNING, Action.PAUSE): ClockStatus.PAUSED,
    (ClockStatus.RUNNING, Action.EXTEND): ClockStatus.RUNNING,
    (ClockStatus.RUNNING, Action.MEET): ClockStatus.MET,
    (ClockStatus.RUNNING, Action.CANCEL): ClockStatus.CANCELLED,
    (ClockStatus.PAUSED, Action.RESUME): ClockStatus.RUNNING,
    (ClockStatus.PAUSED, Action.MEET): ClockStatus.MET,
    (ClockStatus.PAUSED, Action.CANCEL): ClockStatus.CANCELLED,
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", ClockStatus)
def test_exactly_the_moves_of_the_table_pass(status: ClockStatus, action: Action) -> None:
    if (status, action) in ALLOWED:
        assert machine.move(status, action) is ALLOWED[status, action]
        return
    with pytest.raises(MoveRefused) as refused:
        machine.move(status, action)
    assert refused.value.extra == {
        "state": status.value,
        "allowed": [known.value for known in MOVES[status]],
    }


@pytest.mark.parametrize("ruling", Ruling)
@pytest.mark.parametrize("status", ExtensionStatus)
def test_an_extension_is_ruled_on_once(status: ExtensionStatus, ruling: Ruling) -> None:
    if status is ExtensionStatus.ASKED:
        assert extension.rule(status, ruling, ClockStatus.RUNNING) is RULINGS[status][ruling]
    else:
        with pytest.raises(MoveRefused):
            extension.rule(status, ruling, ClockStatus.RUNNING)


@pytest.mark.parametrize(
    ("clock", "granted"),
    [
        (ClockStatus.RUNNING, True),
        (ClockStatus.PAUSED, True),
        (ClockStatus.MET, True),
        (ClockStatus.CANCELLED, False),
    ],
)
def test_an_extension_is_granted_on_what_is_not_cancelled(
    clock: ClockStatus, granted: bool
) -> None:
    assert extension.rule(ExtensionStatus.ASKED, Ruling.REFUSE, clock) is ExtensionStatus.REFUSED
    if granted:
        assert extension.rule(ExtensionStatus.ASKED, Ruling.GRANT, clock) is ExtensionStatus.GRANTED
    else:
        with pytest.raises(MoveRefused):
            extension.rule(ExtensionStatus.ASKED, Ruling.GRANT, clock)


def test_each_status_says_who_moves_it() -> None:
    assert set(SENTENCES) == set(ClockStatus)
    assert all(sentence.zh and sentence.en for sentence in SENTENCES.values())


# --- marks -------------------------------------------------------------------------------------

MARKS = {
    "five working days: a day before, due, and the ladder": (
        {},
        [
            "warn 03-06 18:00",
            "due 03-09 18:00",
            "ladder:1 03-09 18:00",
            "ladder:2 03-10 18:00",
            "ladder:3 03-12 18:00",
        ],
    ),
    "over Spring Festival and two make-up Saturdays": (
        {"started_at": at("02-13 10:00")},
        [
            "warn 02-26 18:00",
            "due 02-27 18:00",
            "ladder:1 02-27 18:00",
            "ladder:2 02-28 18:00",
            "ladder:3 03-03 18:00",
        ],
    ),
    "four working hours over lunch: a warning a day before would lie before the start": (
        {"kind": ClockKind.SIGN, "limit": "4wh"},
        ["due 03-02 16:00"],
    ),
    "one working day is warned at the end of the day it starts": (
        {"kind": ClockKind.FIRST_CONTACT, "limit": "1wd"},
        ["warn 03-02 18:00", "due 03-03 18:00"],
    ),
    "natural time is warned at three quarters": (
        {"urgency": Urgency.URGENT, "limit": "24h"},
        [
            "warn 03-03 04:00",
            "due 03-03 10:00",
            "ladder:1 03-03 10:00",
            "ladder:2 03-04 18:00",
            "ladder:3 03-06 18:00",
        ],
    ),
    "natural time of a normal ticket as well": (
        {"kind": ClockKind.DISPATCH, "limit": "30min"},
        ["warn 03-02 10:22:30", "due 03-02 10:30"],
    ),
    "a critical ticket not signed for is the head's matter": (
        {"kind": ClockKind.SIGN, "urgency": Urgency.CRITICAL, "limit": "15min"},
        ["warn 03-02 10:11:15", "due 03-02 10:15", "trigger:3 03-02 10:15"],
    ),
    "the third redo is supervised from its dispatch": (
        {"round": 4, "limit": "3wd"},
        [
            "trigger:2 03-02 10:00",
            "warn 03-04 18:00",
            "due 03-05 18:00",
            "ladder:1 03-05 18:00",
            "ladder:2 03-06 18:00",
            "ladder:3 03-10 18:00",
        ],
    ),
    "the second redo is not": (
        {"round": 3, "kind": ClockKind.HANDLE, "limit": "1wd"},
        [
            "warn 03-02 18:00",
            "due 03-03 18:00",
            "ladder:1 03-03 18:00",
            "ladder:2 03-04 18:00",
            "ladder:3 03-06 18:00",
        ],
    ),
    "nor is a co-handler of the third": (
        {"round": 4, "role": Role.CO, "limit": "4wh"},
        ["due 03-02 16:00", "ladder:1 03-02 16:00", "ladder:2 03-03 18:00", "ladder:3 03-05 18:00"],
    ),
}


@pytest.mark.parametrize(("what", "expected"), MARKS.values(), ids=MARKS)
def test_marks(what: dict[str, Any], expected: list[str]) -> None:
    points = marks(state(**what), CALENDAR)
    assert [f"{mark.key} {local(mark.at)}" for mark in points] == expected


def test_a_supervision_order_is_answered_in_three_working_days() -> None:
    answers = {mark.key: mark.answer_due for mark in marks(state(), CALENDAR)}
    assert answers["ladder:2"] == at("03-13 18:00")
    assert answers["ladder:1"] is None
    assert answers["ladder:3"] is None


def test_the_ticket_s_own_clocks_look_their_limits_up() -> None:
    kinds = [
        (ClockKind.DISPATCH, Urgency.NORMAL, 1),
        (ClockKind.DISPATCH, Urgency.CRITICAL, 1),
        (ClockKind.CITIZEN, Urgency.NORMAL, 1),
        (ClockKind.CITIZEN, Urgency.URGENT, 1),
        (ClockKind.CITIZEN, Urgency.NORMAL, 2),
    ]
    limits = [terms(history(kind=k, urgency=u, round=r, limit=None)).limit for k, u, r in kinds]
    assert limits == ["30min", "5min", "5wd", "24h", "3wd"]


def test_praise_is_passed_on_so_nobody_is_watched_for_handling_it() -> None:
    praise = MATTER.model_copy(update={"type": TicketType.COMMENDATION})
    assert POLICY.terms(history(kind=ClockKind.CITIZEN, limit=None), praise) is None


# --- running, met, cancelled -------------------------------------------------------------------


def test_a_running_clock_passes_marks_by_the_sweep_only() -> None:
    fresh = state()
    assert fresh.passed == {}
    assert fresh.next_at == at("03-06 18:00")
    warned = after_sweep(fresh, at("03-07 10:00"))
    assert list(warned.passed) == ["warn"]
    assert warned.next_at == at("03-09 18:00")
    assert state(warned).passed == warned.passed


def test_a_sweep_that_slept_passes_every_mark_once_at_its_true_time() -> None:
    fresh = state()
    after = after_sweep(fresh, at("03-20 10:00"))
    assert told(fresh, after) == [
        "deadline.warned@03-06 18:00",
        "deadline.breached@03-09 18:00",
        "supervision.raised@03-09 18:00",
        "supervision.raised@03-10 18:00",
        "supervision.raised@03-12 18:00",
    ]
    assert after.next_at is None
    assert told(after, after_sweep(after, at("03-30 10:00"))) == []


def test_meeting_late_passes_first_what_nobody_swept() -> None:
    after = state(met_at=at("03-11 09:00"))
    assert told(state(), after) == [
        "deadline.warned@03-06 18:00",
        "deadline.breached@03-09 18:00",
        "supervision.raised@03-09 18:00",
        "supervision.raised@03-10 18:00",
        "deadline.met@03-11 09:00",
    ]
    met = said_of(state(), after)[-1].data
    assert isinstance(met, DeadlineMet)
    assert met.late
    assert after.judged_at == after.breached_at == at("03-09 18:00")


@pytest.mark.parametrize(
    ("met", "late"),
    [("03-02 10:00", False), ("03-09 18:00", False), ("03-09 18:00:00.000001", True)],
)
def test_the_due_moment_itself_is_in_time(met: str, late: bool) -> None:
    after = state(met_at=at(met))
    assert (after.breached_at is not None) is late
    assert after.judged_at == (at("03-09 18:00") if late else at(met))


def test_an_earlier_completion_that_comes_late_takes_the_breach_back() -> None:
    swept = after_sweep(state(), at("03-13 10:00"))
    after = state(swept, met_at=at("03-09 11:00"))
    assert told(swept, after) == [
        "deadline.annulled@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "deadline.met@03-09 11:00",
    ]
    assert after == state(met_at=at("03-09 11:00"))
    assert after.judged_at == at("03-09 11:00")


def test_what_was_raised_is_what_is_closed() -> None:
    fresh = state()
    swept = after_sweep(fresh, at("03-13 10:00"))
    raised = [fact.data for fact in said_of(fresh, swept)]
    closed = [fact.data for fact in said_of(swept, state(swept, met_at=at("03-09 11:00")))]
    names = {data.supervision for data in raised if isinstance(data, SupervisionRaised)}
    assert {data.supervision for data in closed if isinstance(data, SupervisionClosed)} == names
    assert len(names) == 3


def test_a_cancelled_clock_keeps_the_breach_it_had() -> None:
    lost = Ending(at("03-10 09:00"), timelines.RETURNED)
    after = state(lost=lost)
    assert after.status is ClockStatus.CANCELLED
    assert after.judged_at == at("03-09 18:00")
    assert told(state(), after)[-1] == "deadline.cancelled@03-10 09:00"


def test_a_clock_cancelled_in_time_is_never_judged() -> None:
    after = state(lost=Ending(at("03-09 09:00"), timelines.WITHDRAWN))
    assert (after.judged_at, after.next_at) == (None, None)


def test_the_earliest_end_counts() -> None:
    lost = Ending(at("03-04 10:00"), timelines.WITHDRAWN)
    assert state(met_at=at("03-03 10:00"), lost=lost).status is ClockStatus.MET
    assert state(met_at=at("03-04 10:00"), lost=lost).status is ClockStatus.MET
    assert state(met_at=at("03-05 10:00"), lost=lost).status is ClockStatus.CANCELLED


def test_nothing_new_is_nothing_said() -> None:
    met = state(met_at=at("03-11 09:00"))
    assert told(met, state(met, met_at=at("03-11 09:00"))) == []


# --- pauses ------------------------------------------------------------------------------------

PAUSES = {
    "two working hours": ("5wd", "03-04 10:00", "03-04 12:00", "03-10 10:30"),
    "lunch is not given back": ("5wd", "03-04 11:00", "03-04 15:00", "03-10 10:30"),
    "a night gives nothing": ("5wd", "03-04 18:00", "03-05 08:30", "03-09 18:00"),
    "a weekend gives its working hours only": ("5wd", "03-06 17:00", "03-09 09:30", "03-10 10:30"),
    "asked at the due moment is asked in time": (
        "5wd",
        "03-09 18:00",
        "03-10 10:30",
        "03-10 10:30",
    ),
    "asked after it moves nothing": ("5wd", "03-09 18:30", "03-10 10:30", "03-09 18:00"),
    "working hours": ("4wh", "03-02 11:00", "03-02 15:00", "03-02 18:00"),
    "natural time is given back whole": ("24h", "03-02 18:00", "03-03 08:30", "03-04 00:30"),
}


@pytest.mark.parametrize(("limit", "begins", "ends", "due"), PAUSES.values(), ids=PAUSES)
def test_a_refused_return_gives_back_its_working_time(
    limit: str, begins: str, ends: str, due: str
) -> None:
    after = state(limit=limit, pauses=(Pause(at(begins), at(ends)),))
    assert local(after.due) == due
    assert after.status is ClockStatus.RUNNING


def test_a_paused_clock_passes_nothing() -> None:
    paused = state(pauses=(Pause(at("03-06 17:00")),))
    assert (paused.status, paused.passed, paused.next_at) == (ClockStatus.PAUSED, {}, None)
    assert told(state(), paused) == ["deadline.paused@03-06 17:00"]


def test_a_breach_said_before_the_pause_was_known_is_taken_back() -> None:
    swept = after_sweep(state(), at("03-09 18:00"))
    paused = state(swept, pauses=(Pause(at("03-09 17:00")),))
    assert told(swept, paused) == [
        "deadline.annulled@03-20 10:00",
        "supervision.closed@03-20 10:00",
        "deadline.paused@03-09 17:00",
    ]
    assert list(paused.passed) == ["warn"]


def test_a_resumed_clock_is_not_warned_again_for_a_point_before_the_pause() -> None:
    warned = after_sweep(state(), at("03-09 10:00"))
    paused = state(warned, pauses=(Pause(at("03-09 10:00")),))
    resumed = state(paused, pauses=(Pause(at("03-09 10:00"), at("03-09 11:00")),))
    assert told(paused, resumed) == ["deadline.resumed@03-09 11:00"]
    assert resumed.passed == {"warn": at("03-06 18:00")}
    assert local(resumed.due) == "03-10 09:30"


def test_done_while_the_desk_rules_is_judged_by_the_time_that_ran() -> None:
    pause = Pause(at("03-09 17:00"))
    in_time = state(pauses=(pause,), met_at=at("03-12 10:00"))
    assert in_time.status is ClockStatus.MET
    assert in_time.breached_at is None
    late = state(pauses=(Pause(at("03-09 18:30")),), met_at=at("03-12 10:00"))
    assert late.breached_at == at("03-09 18:00")
    assert told(state(pauses=(pause,)), in_time) == ["deadline.met@03-12 10:00"]


def test_asked_at_the_due_moment_and_done_that_evening_is_in_time() -> None:
    after = state(pauses=(Pause(at("03-09 18:00")),), met_at=at("03-09 20:00"))
    assert after.breached_at is None
    assert after.judged_at == at("03-09 20:00")


def test_a_refusal_after_the_answer_changes_nothing() -> None:
    asked, met = at("03-04 10:00"), at("03-05 10:00")
    unruled = state(pauses=(Pause(asked),), met_at=met)
    refused = state(pauses=(Pause(asked, at("03-06 10:00")),), met_at=met)
    assert unruled == refused
    assert unruled.pauses == (Pause(asked, met),)


def test_a_duty_lost_before_its_dispatch_was_known_ends_as_it_starts() -> None:
    after = state(lost=Ending(at("03-01 10:00"), timelines.WITHDRAWN))
    assert (after.status, after.ended_at) == (ClockStatus.CANCELLED, at("03-02 10:00"))


def test_the_ladder_stands_still_with_its_clock() -> None:
    pause = Pause(at("03-10 10:00"), at("03-11 10:00"))
    points = {mark.key: local(mark.at) for mark in marks(state(pauses=(pause,)), CALENDAR)}
    assert points["ladder:1"] == "03-09 18:00"
    assert points["ladder:2"] == "03-11 18:00"


# --- extensions --------------------------------------------------------------------------------


def test_an_extension_moves_the_due_moment_and_warns_anew() -> None:
    warned = after_sweep(state(), at("03-09 10:00"))
    longer = state(warned, extension=3)
    assert told(warned, longer, "03-09 10:00") == ["deadline.moved@03-09 10:00"]
    assert local(longer.due) == "03-12 18:00"
    assert longer.next_at == at("03-11 18:00")


def test_an_extension_ruled_late_takes_the_breach_back() -> None:
    swept = after_sweep(state(), at("03-10 10:00"))
    longer = state(swept, extension=3)
    facts = said_of(swept, longer, "03-10 10:00")
    annulled, closed, moved = (fact.data for fact in facts)
    assert isinstance(annulled, DeadlineAnnulled)
    assert annulled.due == at("03-09 18:00")
    assert isinstance(closed, SupervisionClosed)
    assert isinstance(moved, DeadlineMoved)
    assert (moved.before, moved.due) == (at("03-09 18:00"), at("03-12 18:00"))
    assert longer.breached_at is None


def test_an_extension_ruled_after_a_late_answer_makes_it_timely() -> None:
    late = state(met_at=at("03-11 09:00"))
    timely = state(late, met_at=at("03-11 09:00"), extension=3)
    met = said_of(late, timely)[-2:]
    assert [type(fact.data) for fact in met] == [DeadlineMet, DeadlineMoved]
    assert isinstance(met[0].data, DeadlineMet)
    assert not met[0].data.late
    assert timely.judged_at == at("03-11 09:00")


def asking(**what: Any) -> Asking:
    """Three days more, asked on Wednesday of a clock due on Monday evening."""
    given: dict[str, Any] = {
        "days": 3,
        "clock": state(),
        "urgency": Urgency.NORMAL,
        "redo": False,
        "asked_before": False,
        "now": at("03-04 10:00"),
    }
    return Asking(**given | what)


REFUSALS = {
    "twice": ({"asked_before": True}, "extension-asked-before"),
    "paused": ({"clock": state(pauses=(Pause(at("03-03 10:00")),))}, "move-refused"),
    "met": ({"clock": state(met_at=at("03-03 10:00"))}, "move-refused"),
    "urgent": ({"urgency": Urgency.URGENT}, "extension-not-for-urgency"),
    "critical": ({"urgency": Urgency.CRITICAL}, "extension-not-for-urgency"),
    "redo": ({"redo": True}, "extension-not-on-redo"),
    "less than four working hours before": ({"now": at("03-09 14:00:01")}, "extension-too-late"),
    "expired": ({"now": at("03-10 10:00")}, "extension-too-late"),
    "eight days": ({"days": 8}, "extension-too-long"),
    "over fifteen days in all": (
        {"days": 6, "clock": state(limit="10wd")},
        "extension-over-cap",
    ),
    "what takes fifteen days already": (
        {"days": 1, "clock": state(limit="15wd"), "urgency": Urgency.COMPLEX},
        "extension-over-cap",
    ),
}


@pytest.mark.parametrize(("what", "slug"), REFUSALS.values(), ids=REFUSALS)
def test_each_extension_refused_has_its_named_error(what: dict[str, Any], slug: str) -> None:
    with pytest.raises(JiesuError) as refused:
        extension.check(asking(**what), MATTER, POLICY)
    assert (refused.value.slug, refused.value.status) == (slug, 409)


@pytest.mark.parametrize(
    "what", [{"days": 7}, {"now": at("03-09 14:00")}, {"days": 5, "clock": state(limit="10wd")}]
)
def test_an_extension_within_the_rules_may_be_asked(what: dict[str, Any]) -> None:
    extension.check(asking(**what), MATTER, POLICY)


@pytest.mark.parametrize(("days", "allowed"), [(10, True), (11, False)])
def test_an_enterprise_complaint_may_have_ten_days_more(days: int, allowed: bool) -> None:
    enterprise = MATTER.model_copy(update={"flags": ("enterprise",)})
    if allowed:
        extension.check(asking(days=days), enterprise, POLICY)
    else:
        with pytest.raises(extension.ExtensionTooLong):
            extension.check(asking(days=days), enterprise, POLICY)


# --- years without a calendar ------------------------------------------------------------------


def calendar_2027(*off: str, work: tuple[str, ...] = ()) -> WorkCalendar:
    """The county's calendar once a notice for 2027 is out."""
    duty = (Segment.parse("08:30", "12:00"), Segment.parse("14:00", "18:00"))
    special = {date.fromisoformat(f"2027-{day}"): SpecialDay((), "元旦") for day in off}
    special |= {date.fromisoformat(f"2027-{day}"): SpecialDay(duty, "元旦") for day in work}
    return WorkCalendar(TZ, dict.fromkeys(range(5), duty), special, known=(2026, 2027))


NEW_YEAR = history(started_at=at("12-30 10:00"))


def test_a_due_moment_in_a_year_without_a_notice_is_provisional() -> None:
    provisional = replayed(NEW_YEAR, terms(NEW_YEAR), CALENDAR, None)
    assert provisional.provisional
    assert f"{provisional.due.astimezone(TZ):%Y-%m-%d}" == "2027-01-06"
    assert "暂定" in explain(provisional, CALENDAR).days[-1].note_zh


def test_a_calendar_that_arrives_moves_it_later() -> None:
    before = replayed(NEW_YEAR, terms(NEW_YEAR), CALENDAR, None)
    known = calendar_2027("01-01")
    after = replayed(NEW_YEAR, before.terms, known, before)
    assert f"{after.due.astimezone(TZ):%Y-%m-%d}" == "2027-01-07"
    assert not after.provisional
    facts = changes(
        SPEAKING, before, read(after, known), at=at("12-31 10:00"), now=at("12-31 10:00")
    )
    assert [fact.data.name for fact in facts] == ["deadline.moved"]


@pytest.mark.parametrize("pauses", [(), (Pause(at("12-30 14:00"), at("12-31 14:00")),)])
def test_a_calendar_that_arrives_never_moves_it_earlier(pauses: tuple[Pause, ...]) -> None:
    befell = history(started_at=at("12-30 10:00"), pauses=pauses)
    before = replayed(befell, terms(befell), CALENDAR, None)
    known = calendar_2027(work=("01-02", "01-03"))
    after = replayed(befell, before.terms, known, before)
    assert after.due == before.due
    assert not after.provisional
    assert explain(after, known).kept


OVER_NEW_YEAR = {
    "an extension": {"started_at": at("12-22 10:00"), "extension": 5},
    "a pause": {
        "started_at": at("12-24 10:00"),
        "pauses": (Pause(at("12-30 08:30"), at("12-30 18:00")),),
    },
}


@pytest.mark.parametrize("what", OVER_NEW_YEAR.values(), ids=OVER_NEW_YEAR)
def test_what_crosses_into_such_a_year_is_provisional_too(what: dict[str, Any]) -> None:
    assert not state(started_at=what["started_at"]).provisional
    assert state(**what).provisional


def test_a_pause_given_back_in_such_a_year_never_moves_it_earlier() -> None:
    pause = Pause(at("12-30 11:00"), at("12-31 17:00"))
    befell = history(started_at=at("12-30 10:00"), limit="1wd", pauses=(pause,))
    before = replayed(befell, terms(befell), CALENDAR, None)
    known = calendar_2027(work=("01-02", "01-03"))
    assert replayed(befell, before.terms, known, None).due < before.due
    after = replayed(befell, before.terms, known, before)
    assert after.due == before.due
    assert all(mark.at >= after.due for mark in marks(after, known) if mark.rung)


def test_known_until_is_where_the_first_year_without_a_notice_begins() -> None:
    assert POLICY.known_until(at("03-02 10:00")) == datetime(2027, 1, 1, tzinfo=TZ)
    certain = Policy(POLICY.table, POLICY.rules, calendar_2027())
    assert certain.known_until(at("03-02 10:00")) == datetime(2028, 1, 1, tzinfo=TZ)


# --- from a ticket to its clocks ---------------------------------------------------------------


def timeline(number: int, **what: Any) -> AssignmentTimeline:
    """An assignment of a lead, dispatched on Monday at 10:05."""
    given: dict[str, Any] = {
        "id": UUID(int=number),
        "unit": "HC",
        "role": Role.LEAD,
        "round": 1,
        "urgency": Urgency.NORMAL,
        "has_contact": True,
        "sign_limit": "4wh",
        "first_contact_limit": "1wd",
        "handle_limit": "5wd",
        "dispatched_at": at("03-02 10:05"),
    }
    return AssignmentTimeline(**given | what)


ROUND = RoundTimeline(number=1, started_at=at("03-02 10:00"))


def clocks(
    *assignments: AssignmentTimeline, matter: Matter = MATTER
) -> list[tuple[str, str | None, str]]:
    """Kind, unit and end of each clock of a ticket."""
    return [
        (clock.kind.value, clock.unit, "met" if clock.met_at else "lost" if clock.lost else "open")
        for clock in clock_histories(matter, [ROUND], assignments)
    ]


def test_a_registered_ticket_is_watched_before_anybody_has_it() -> None:
    assert clocks() == [("dispatch", None, "open"), ("citizen", None, "open")]


def test_a_dispatch_starts_three_clocks_and_ends_the_desk_s() -> None:
    assert clocks(timeline(1)) == [
        ("dispatch", None, "met"),
        ("citizen", None, "open"),
        ("sign", "HC", "open"),
        ("first_contact", "HC", "open"),
        ("handle", "HC", "open"),
    ]


def test_nobody_must_contact_a_citizen_without_a_contact() -> None:
    kinds = [kind for kind, _, _ in clocks(timeline(1, has_contact=False, sign_limit=None))]
    assert kinds == ["dispatch", "citizen", "handle"]


def test_a_co_handler_does_not_end_the_desk_s_clock() -> None:
    assert clocks(timeline(1, role=Role.CO))[0] == ("dispatch", None, "open")


def test_completion_meets_what_still_runs() -> None:
    done = {kind: end for kind, _, end in clocks(timeline(1, completed_at=at("03-04 10:00")))}
    assert done["sign"] == done["first_contact"] == done["handle"] == "met"


def test_a_returned_lead_starts_the_desk_s_clock_afresh() -> None:
    back = timeline(1, return_requested_at=at("03-02 11:00"), returned_at=at("03-02 15:00"))
    assert clocks(back)[:2] == [("dispatch", None, "met"), ("dispatch", None, "open")]
    again = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:20"))
    assert [end for kind, _, end in clocks(back, again) if kind == "dispatch"] == ["met", "met"]
    assert [end for _, unit, end in clocks(back, again) if unit == "HC"] == ["lost"] * 3


def test_each_return_starts_a_clock_that_only_a_later_dispatch_meets() -> None:
    first = timeline(1, returned_at=at("03-02 15:00"))
    second = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:20"), returned_at=at("03-02 15:20"))
    ends = [end for kind, _, end in clocks(first, second) if kind == "dispatch"]
    assert ends == ["met", "met", "open"]


def test_a_dispatch_at_the_very_moment_of_registration_or_return_is_in_time() -> None:
    back = timeline(1, dispatched_at=MATTER.registered_at, returned_at=at("03-02 15:00"))
    again = timeline(2, unit="ZJJ", dispatched_at=at("03-02 15:00"))
    ends = [end for kind, _, end in clocks(back, again) if kind == "dispatch"]
    assert ends == ["met", "met"]


def test_a_withdrawn_ticket_has_no_clock_left() -> None:
    gone = MATTER.model_copy(update={"withdrawn_at": at("03-02 11:00")})
    assert {end for _, _, end in clocks(timeline(1), matter=gone)[1:]} == {"lost"}


def test_the_latest_lead_of_a_round_sets_the_urgency() -> None:
    leads = [
        timeline(3, urgency=Urgency.URGENT),
        timeline(2, urgency=Urgency.CRITICAL, dispatched_at=at("03-02 11:00")),
        timeline(1, urgency=Urgency.NORMAL, round=2, dispatched_at=at("03-09 11:00")),
    ]
    for order in permutations(leads):
        assert effective_urgency(MATTER, order, 1) is Urgency.CRITICAL
        assert effective_urgency(MATTER, order, 2) is Urgency.NORMAL
    assert effective_urgency(MATTER, [], 1) is Urgency.NORMAL


@pytest.mark.parametrize(("asked", "counts"), [("complex", "normal"), ("critical", "critical")])
def test_a_citizen_cannot_lengthen_the_limit_by_asking(asked: str, counts: str) -> None:
    matter = MATTER.model_copy(update={"urgency": Urgency(asked)})
    urgencies = {clock.urgency for clock in clock_histories(matter, [ROUND], [])}
    assert urgencies == {Urgency(counts)}


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"returned_at": at("03-03 10:00")}, timelines.RETURNED),
        (
            {"cancelled_at": at("03-03 10:00"), "cancel_reason": "redispatched"},
            timelines.REDISPATCHED,
        ),
        ({"cancelled_at": at("03-03 10:00"), "cancel_reason": "withdrawn"}, timelines.WITHDRAWN),
        ({"completed_at": at("03-03 10:00")}, timelines.COMPLETED),
        (
            {"completed_at": at("03-03 10:00"), "returned_at": at("03-03 10:00")},
            timelines.COMPLETED,
        ),
    ],
)
def test_an_assignment_says_why_it_ended(what: dict[str, Any], why: str) -> None:
    withdrawal = Ending(at("03-02 11:00"), timelines.WITHDRAWN)
    assert timeline(1, **what).ending(None) == Ending(at("03-03 10:00"), why)
    assert timeline(1, **what).ending(withdrawal) == withdrawal


# --- whatever happens --------------------------------------------------------------------------

minutes = st.integers(0, 20 * 24 * 60)


@given(asked=minutes, ruled=minutes, done=minutes, swept=minutes)
def test_how_a_clock_stands_depends_on_times_and_not_on_arrivals(
    asked: int, ruled: int, done: int, swept: int
) -> None:
    start = at("03-02 10:00")
    pause = Pause(
        start + timedelta(minutes=min(asked, ruled)), start + timedelta(minutes=max(asked, ruled))
    )
    met = start + timedelta(minutes=done)
    late_sweep = after_sweep(state(), start + timedelta(minutes=swept))
    once = state(pauses=(pause,), met_at=met)
    ways = [
        state(state(late_sweep, met_at=met), pauses=(pause,), met_at=met),
        state(state(late_sweep, pauses=(Pause(pause.begins_at),)), pauses=(pause,), met_at=met),
        state(state(late_sweep, pauses=(pause,)), pauses=(pause,), met_at=met),
    ]
    assert all(way == once for way in ways)


@given(done=minutes, swept=minutes)
def test_a_breach_stands_exactly_when_the_duty_was_late(done: int, swept: int) -> None:
    start = at("03-02 10:00")
    met = start + timedelta(minutes=done)
    before = after_sweep(state(), start + timedelta(minutes=swept))
    after = state(before, met_at=met)
    assert (after.breached_at is not None) == (met > after.due)
    facts = [*said_of(state(), before), *said_of(before, after)]
    names = [fact.data.name for fact in facts]
    standing_breaches = names.count("deadline.breached") - names.count("deadline.annulled")
    assert standing_breaches == (met > after.due)
    raised = names.count("supervision.raised") - names.count("supervision.closed")
    assert raised == sum(key.startswith("ladder") for key in after.passed)


# --- figures and names -----------------------------------------------------------------


def test_shares() -> None:
    rows = [
        Tally("HC", "handle", 3, 2, 1),
        Tally("GT", "handle", 1, 1, 0),
        Tally("HC", "sign", 4, 4, 0),
    ]
    assert share(rows, ClockKind.HANDLE) == Share(4, 3, 1)
    assert share(rows, ClockKind.HANDLE).rate == 0.75
    assert share(rows, ClockKind.HANDLE, "HC").rate == 0.6667
    assert share(rows, ClockKind.SIGN, "GT") == Share()
    assert share([], ClockKind.SIGN).rate is None


def test_every_rung_has_a_name_for_people() -> None:
    assert [POLICY.title(rung).split()[0] for rung in (1, 2, 3, 7)] == [
        "催办",
        "督办单",
        "一把手督办",
        "移送",
    ]
