"""The pure decisions of feedback: every move, when calls are made, verdicts, texts and formulas."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.rules import machine, messages, planning, rates, verdict
from services.feedback.rules.machine import Action, CallbackStatus
from services.feedback.rules.planning import CallTimes, Window
from services.feedback.rules.rates import FORMULAS, Counts
from services.feedback.rules.verdict import Answers, Closed, Outcome, Reopened
from shared.errors import MoveRefused
from shared.events import ClosingKind, TicketType

SHANGHAI = ZoneInfo("Asia/Shanghai")

# --- the machine -------------------------------------------------------------------------------

ALLOWED = {
    ("planned", "plan"): "planned",
    ("planned", "fall_due"): "due",
    ("planned", "cancel"): "cancelled",
    ("due", "answer"): "answered",
    ("due", "miss"): "no_answer",
    ("due", "refuse"): "given_up",
    ("due", "give_up"): "given_up",
    ("due", "cancel"): "cancelled",
    ("no_answer", "fall_due"): "due",
    ("no_answer", "answer"): "answered",
    ("no_answer", "refuse"): "given_up",
    ("no_answer", "cancel"): "cancelled",
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("status", CallbackStatus)
def test_exactly_the_table_passes(status: CallbackStatus, action: Action) -> None:
    expected = ALLOWED.get((status.value, action.value))
    if expected is None:
        with pytest.raises(MoveRefused) as refused:
            machine.move(status, action)
        allowed = [known for at, known in ALLOWED if at == status.value]
        assert sorted(refused.value.extra["allowed"]) == sorted(allowed)
        assert refused.value.extra["state"] == status.value
    else:
        assert machine.move(status, action) == expected


@pytest.mark.parametrize("status", CallbackStatus)
def test_each_status_has_a_sentence_in_both_languages(status: CallbackStatus) -> None:
    words = machine.SENTENCES[status]
    assert words.zh.endswith("。")
    assert words.en.endswith(".")


def test_a_callback_is_open_until_it_was_answered_given_up_or_cancelled() -> None:
    assert {CallbackStatus.PLANNED, CallbackStatus.DUE, CallbackStatus.NO_ANSWER} == machine.OPEN


# --- planning ----------------------------------------------------------------------------------

HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
MADE_UP = {date(2026, 9, 20), date(2026, 10, 10)}


def is_working_day(day: date) -> bool:
    return day in MADE_UP or (day.weekday() < 5 and day not in HOLIDAYS)


MORNING = Window(time(9), time(11, 30))
AFTERNOON = Window(time(14, 30), time(17, 30))
EVENING = Window(time(18, 30), time(20))


def call_times(
    windows: tuple[Window, ...] = (MORNING, AFTERNOON, EVENING),
    max_attempts: int = 3,
    min_days: int = 2,
    other_windows: bool = True,
) -> CallTimes:
    return CallTimes(windows, max_attempts, min_days, other_windows, 1, is_working_day, SHANGHAI)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("completed", "called"),
    [
        pytest.param("2026-03-02T10:00", "2026-03-03T09:00", id="Monday morning"),
        pytest.param("2026-03-02T00:00", "2026-03-03T09:00", id="midnight opens its own day"),
        pytest.param("2026-03-02T23:59:59", "2026-03-03T09:00", id="a second before midnight"),
        pytest.param("2026-03-06T18:30", "2026-03-09T09:00", id="Friday evening"),
        pytest.param("2026-03-07T11:00", "2026-03-09T09:00", id="Saturday"),
        pytest.param("2026-03-08T11:00", "2026-03-09T09:00", id="Sunday: the next day works"),
        pytest.param("2026-09-19T11:00", "2026-09-20T09:00", id="a Sunday made a working day"),
        pytest.param("2026-09-30T16:00", "2026-10-08T09:00", id="before the holiday week"),
        pytest.param("2026-10-09T16:00", "2026-10-10T09:00", id="before a make-up Saturday"),
    ],
)
def test_the_first_attempt_is_in_the_first_window_of_the_next_working_day(
    completed: str, called: str
) -> None:
    assert planning.first_attempt(local(completed), call_times()) == local(called)


@pytest.mark.parametrize(
    ("tried", "missed", "called"),
    [
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T09:05", "2026-03-03T14:30", id="same day, next window"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T14:30", "2026-03-03T14:30", id="missed on the stroke"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T15:00", "2026-03-03T18:30", id="afternoon half over"
        ),
        pytest.param(
            ["2026-03-03T09:00"], "2026-03-03T20:30", "2026-03-04T14:30", id="reported at night"
        ),
        pytest.param(
            ["2026-03-03T09:00", "2026-03-03T14:30"],
            "2026-03-03T14:40",
            "2026-03-04T18:30",
            id="the last one is on another day",
        ),
        pytest.param(
            ["2026-03-06T09:00", "2026-03-06T14:30"],
            "2026-03-06T14:40",
            "2026-03-09T18:30",
            id="Friday to Monday",
        ),
        pytest.param(
            ["2026-09-30T09:00", "2026-09-30T14:30"],
            "2026-09-30T14:40",
            "2026-10-08T18:30",
            id="over the holiday week",
        ),
    ],
)
def test_the_next_attempt_is_at_another_time_of_day_and_at_last_on_another_day(
    tried: list[str], missed: str, called: str
) -> None:
    planned = planning.next_attempt([local(t) for t in tried], local(missed), call_times())
    assert planned == local(called)


def test_any_window_will_do_where_the_policy_does_not_ask_for_another() -> None:
    times = call_times(other_windows=False)
    planned = planning.next_attempt([local("2026-03-03T09:00")], local("2026-03-03T20:05"), times)
    assert planned == local("2026-03-04T09:00")


def test_with_a_single_window_every_attempt_is_in_it_on_another_day() -> None:
    times = call_times(windows=(MORNING,), min_days=3)
    planned = planning.next_attempt([local("2026-03-03T09:00")], local("2026-03-03T09:05"), times)
    assert planned == local("2026-03-04T09:00")


def test_once_all_windows_were_tried_only_the_last_one_is_avoided() -> None:
    times = call_times(windows=(MORNING, AFTERNOON), max_attempts=4)
    tried = [local("2026-03-03T09:00"), local("2026-03-03T14:30")]
    assert planning.next_attempt(tried, local("2026-03-03T14:40"), times) == local(
        "2026-03-04T09:00"
    )


instants = st.integers(0, 334 * 24 * 60).map(
    lambda minutes: local("2026-01-01T00:00") + timedelta(minutes=minutes)
)
delays = st.lists(st.integers(0, 3 * 24 * 60), min_size=4, max_size=4)


@given(completed=instants, minutes=delays, min_days=st.integers(1, 3))
def test_attempts_keep_to_windows_working_days_and_days_apart(
    completed: datetime, minutes: list[int], min_days: int
) -> None:
    times = call_times(min_days=min_days)
    tried = [planning.first_attempt(completed, times)]
    for late in minutes[:2]:
        missed = tried[-1] + timedelta(minutes=late)
        tried.append(planning.next_attempt(tried, missed, times))
        assert tried[-1] >= missed
    shanghai = [moment.astimezone(SHANGHAI) for moment in tried]
    assert shanghai[0].date() > completed.date()
    assert all(is_working_day(moment.date()) for moment in shanghai)
    assert {moment.time() for moment in shanghai} == {w.start for w in times.windows}
    assert len({moment.date() for moment in shanghai}) >= min_days


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        pytest.param("2026-03-03T08:59", "2026-03-03T09:00", id="early"),
        pytest.param("2026-03-03T09:00", "2026-03-03T09:00", id="on the stroke"),
        pytest.param("2026-03-03T11:29", "2026-03-03T11:29", id="still open"),
        pytest.param("2026-03-03T11:30", "2026-03-03T14:30", id="the end is outside"),
        pytest.param("2026-03-03T20:00", "2026-03-04T09:00", id="over for today"),
        pytest.param("2026-03-06T20:00", "2026-03-09T09:00", id="Friday night"),
        pytest.param("2026-03-07T09:30", "2026-03-09T09:00", id="nobody is rung on a Saturday"),
        pytest.param("2026-10-10T09:30", "2026-10-10T09:30", id="a make-up Saturday"),
    ],
)
def test_calls_are_made_inside_windows_only(now: str, opens: str) -> None:
    assert planning.opening(local(now), call_times()) == local(opens)


# --- the verdict -------------------------------------------------------------------------------


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
    assert verdict.judge(Answers(contacted, solved, satisfied)) == expected


@pytest.mark.parametrize(
    ("outcome", "first", "last"),
    [
        (Outcome.ANSWERED, Action.ANSWER, Action.ANSWER),
        (Outcome.REFUSED, Action.REFUSE, Action.REFUSE),
        (Outcome.NO_ANSWER, Action.MISS, Action.GIVE_UP),
        (Outcome.WRONG_NUMBER, Action.MISS, Action.GIVE_UP),
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


# --- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("occasion", messages.TEXTS)
def test_each_occasion_has_a_text_that_names_the_ticket_in_both_languages(
    occasion: messages.Occasion,
) -> None:
    words = messages.compose(occasion, "20260302-000001", unit="红椿镇", on=date(2026, 3, 20))
    assert all("20260302-000001" in text and "{" not in text for text in words)


def test_the_texts_name_the_unit_and_the_new_date() -> None:
    assert "红椿镇" in messages.compose("dispatched", "1", unit="红椿镇").zh
    assert "2026-03-20" in messages.compose("extended", "1", on=date(2026, 3, 20)).en


@pytest.mark.parametrize("occasion", messages.TEXTS)
def test_nobody_is_told_without_a_contact_and_who_declined_only_the_number(
    occasion: messages.Occasion,
) -> None:
    assert messages.is_told(occasion, has_contact=True, reply_declined=False)
    assert not messages.is_told(occasion, has_contact=False, reply_declined=False)
    declined = messages.is_told(occasion, has_contact=True, reply_declined=True)
    assert declined == (occasion == "accepted")


@pytest.mark.parametrize(
    ("channel", "back"), [("phone", "sms"), ("sms", "sms"), ("wechat", "wechat"), ("city", "city")]
)
def test_an_answer_goes_out_on_the_channel_the_complaint_came_by(channel: str, back: str) -> None:
    assert messages.way_back(channel) == back


# --- rates -------------------------------------------------------------------------------------


def percent(formula: str, counts: Counts, rate: str = "satisfaction", digits: int = 2) -> float:
    found = FORMULAS[formula].rates(counts)
    assert found is not None
    return round(float(100 * found[rate]), digits)


SEPTEMBER_2022 = Counts(
    called=641, refused=80, unreachable=40, satisfied=440, unsatisfied=40, unrated=41
)


def test_ziyang_september_2022_as_printed() -> None:
    assert SEPTEMBER_2022.valid == 521
    assert percent("ziyang-2022", SEPTEMBER_2022) == 92.32


def test_the_same_month_by_the_formula_of_2020() -> None:
    assert percent("ziyang-2020", SEPTEMBER_2022, digits=1) == 84.5


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        pytest.param(Counts(called=72, satisfied=61), 84.7, id="departments"),
        pytest.param(Counts(called=96, satisfied=40), 41.7, id="towns"),
    ],
)
def test_ziyang_october_2020_to_the_digit(counts: Counts, printed: float) -> None:
    assert percent("ziyang-2020", counts, digits=1) == printed


def test_the_towns_of_october_2020_by_the_formula_of_2022() -> None:
    towns = Counts(called=96, satisfied=40, unsatisfied=28, unrated=28)
    assert percent("ziyang-2022", towns, digits=1) == 70.8


def test_three_rates_and_their_score_of_a_hundred() -> None:
    counts = Counts(
        called=120,
        refused=12,
        unreachable=8,
        contacted=98,
        solved=90,
        partly_solved=4,
        satisfied=80,
        basically_satisfied=10,
        unsatisfied=6,
        unrated=4,
    )
    found = FORMULAS["beijing-district"].rates(counts)
    assert found == {
        "response": Fraction(98, 100),
        "solved": Fraction(90, 100),
        "satisfaction": Fraction(89, 100),
        "score": Fraction(904, 10),
    }


@pytest.mark.parametrize("name", FORMULAS)
def test_without_a_valid_callback_there_is_no_rate(name: str) -> None:
    assert FORMULAS[name].rates(Counts(called=3, refused=1, unreachable=2)) is None


@pytest.mark.parametrize("name", FORMULAS)
def test_full_marks_are_full_marks(name: str) -> None:
    answers = Answers("yes", "yes", "satisfied")
    found = FORMULAS[name].rates(rates.count(Outcome.ANSWERED, answers, 7))
    assert found is not None
    assert set(found.values()) <= {Fraction(1), Fraction(100)}


@pytest.mark.parametrize(
    ("outcome", "answers", "expected"),
    [
        (Outcome.REFUSED, None, Counts(called=2, refused=2)),
        (Outcome.NO_ANSWER, None, Counts(called=2, unreachable=2)),
        (Outcome.WRONG_NUMBER, None, Counts(called=2, unreachable=2)),
        (Outcome.NUMBER_OFF, None, Counts(called=2, unreachable=2)),
        (Outcome.EXPIRED, None, Counts(called=2, unreachable=2)),
        (
            Outcome.ANSWERED,
            Answers("yes", "partly", "basically_satisfied"),
            Counts(called=2, contacted=2, partly_solved=2, basically_satisfied=2),
        ),
        (
            Outcome.ANSWERED,
            Answers("no", "no", "unsatisfied"),
            Counts(called=2, unsatisfied=2),
        ),
        (
            Outcome.ANSWERED,
            Answers("yes", "yes", "unrated"),
            Counts(called=2, contacted=2, solved=2, unrated=2),
        ),
    ],
)
def test_raw_outcomes_are_counted_by_kind(
    outcome: Outcome, answers: Answers | None, expected: Counts
) -> None:
    assert rates.count(outcome, answers, 2) == expected


def test_the_total_is_the_sum_of_the_units() -> None:
    parts = [Counts(called=2, satisfied=1, refused=1), Counts(called=3, satisfied=3)]
    assert rates.total(parts) == Counts(called=5, satisfied=4, refused=1)
