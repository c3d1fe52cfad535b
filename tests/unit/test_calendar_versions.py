"""A clock under calendars that change: what passed stays passed, what lies ahead follows (ADR 0062)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.tracker.rules.calendars import Calendars, Version, document, from_document
from services.tracker.rules.changes import DatedFact, changes
from services.tracker.rules.clock_state import ClockState, pass_due_marks
from services.tracker.rules.explanation import explain
from services.tracker.rules.layout import DUE
from services.tracker.rules.pauses import Pause
from shared.events import DeadlineMoved
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.hours import Segment, SpecialDay
from tests.fixtures.calendars import DUTY, SHANGHAI
from tests.fixtures.scenes.handle_clock import (
    CALENDARS,
    POLICY,
    SPEAKING,
    at,
    history,
    local,
    replayed,
    terms,
)

MORNING = DUTY[0]


def hours(closes: str, opens: str = "14:00") -> WorkCalendar:
    """The county's calendar with other afternoons, as a changed file gives them: for every day there is."""
    duty = (MORNING, Segment.parse(opens, closes))
    known = POLICY.calendar
    special = {
        day: row._replace(segments=duty) if row.segments else row
        for day, row in known.special.items()
    }
    return WorkCalendar(SHANGHAI, dict.fromkeys(range(5), duty), special, known.known)


def day_off(day: str, name: str = "防汛停工") -> WorkCalendar:
    """The county's calendar with one more day off."""
    known = POLICY.calendar
    off = {date.fromisoformat(f"2026-{day}"): SpecialDay((), name, "紫政发〔2026〕1号")}
    return WorkCalendar(SHANGHAI, dict(enumerate(known.week)), known.special | off, known.known)


def then(since: str, calendar: WorkCalendar) -> Calendars:
    """The county's calendar, and from a moment on another."""
    return Calendars([*CALENDARS.versions, Version(2, at(since), calendar)])


def swept(state: ClockState, known: Calendars, now: str) -> tuple[ClockState, list[str]]:
    """How a clock stands once the sweep looked at it, and what it said."""
    moment = at(now)
    reading = pass_due_marks(state, known, moment)
    facts = changes(SPEAKING, state, reading, known, at=moment, now=moment)
    return reading.state, [f"{fact.data.name}@{local(fact.at)}" for fact in facts]


ROAD = history(started_at=at("03-02 09:00"))
FRESH = replayed(ROAD, terms(ROAD))


def test_t1_changed_hours_change_nothing_that_fired() -> None:
    red, _ = swept(FRESH, CALENDARS, "03-11 20:00")
    assert local(red.passed[DUE]) == "03-09 18:00"
    after, said = swept(red, then("03-11 20:00", hours("17:30")), "03-12 19:00")
    assert red.passed.items() <= after.passed.items()
    assert (after.due, after.base_due) == (red.due, red.base_due)
    assert not [each for each in said if not each.startswith("supervision.raised")]


def test_t1_what_lies_ahead_follows_the_hours_from_when_they_hold() -> None:
    shorter = then("03-04 20:00", hours("17:00"))
    after, said = swept(FRESH, shorter, "03-05 09:00")
    assert local(after.due) == "03-09 18:00", "never earlier than it was"
    longer = then("03-04 20:00", hours("18:30", "14:30"))
    after, said = swept(FRESH, longer, "03-05 09:00")
    assert (local(after.due), said) == ("03-09 18:30", ["deadline.moved@03-05 09:00"])


def test_t2_an_ended_clock_is_not_judged_anew() -> None:
    met = history(started_at=at("03-02 09:00"), met_at=at("03-09 18:10"))
    late = replayed(met, terms(met), CALENDARS, FRESH)
    assert late.passed
    assert replayed(met, late.terms, then("03-09 20:00", hours("18:30", "14:30")), late) == late


def test_t2_who_was_late_before_a_change_has_no_time_left_after_it() -> None:
    """Late at 18:00 by the hours of then, rid of it at 18:10; it has the ticket again under later hours."""
    away = (Pause(at("03-09 18:10"), at("03-10 10:00")),)
    again = history(started_at=at("03-02 09:00"), pauses=away, resumed_at=at("03-10 10:00"))
    stands = replayed(again, terms(again), then("03-09 20:00", hours("18:30", "14:30")))
    assert (local(stands.base_due), local(stands.due)) == ("03-09 18:00", "03-10 10:00")


def test_t3_a_day_off_moves_every_open_clock_with_its_reason() -> None:
    known = then("03-04 20:00", day_off("03-06"))
    after, said = swept(FRESH, known, "03-04 20:00")
    assert (local(after.due), said) == ("03-10 18:00", ["deadline.moved@03-04 20:00"])
    [fact] = moved(FRESH, after, known)
    assert "2026-03-06 防汛停工放假，紫政发〔2026〕1号" in fact.reason
    assert after == replayed(ROAD, FRESH.terms, known, after)
    assert swept(after, known, "03-09 18:00")[0].breached_at is None


def moved(before: ClockState, after: ClockState, known: Calendars) -> list[DeadlineMoved]:
    """What is said of its due moment."""
    reading = pass_due_marks(after, known, at("03-04 20:00"))
    said: list[DatedFact] = changes(
        SPEAKING, before, reading, known, at=at("03-04 20:00"), now=at("03-04 20:00")
    )
    return [fact.data for fact in said if isinstance(fact.data, DeadlineMoved)]


def test_a_day_off_that_is_over_changes_nothing() -> None:
    known = then("03-10 20:00", day_off("03-06"))
    after, said = swept(FRESH, known, "03-10 20:00")
    assert local(after.due) == "03-09 18:00"
    assert not [each for each in said if each.startswith("deadline.moved")]


def test_a_day_on_which_it_is_said_goes_by_the_new_version() -> None:
    ends_today = history(started_at=at("03-02 09:00"), limit="2wd")
    fresh = replayed(ends_today, terms(ends_today))
    after, _ = swept(fresh, then("03-04 10:00", day_off("03-04")), "03-04 12:00")
    assert local(after.due) == "03-05 18:00"


def test_t3_what_fell_due_is_explained_by_the_days_it_fell_due_by() -> None:
    """The day itself is made a day off in the evening: red is red, and nobody reads another date."""
    red, _ = swept(FRESH, CALENDARS, "03-09 19:00")
    known = then("03-09 20:00", day_off("03-09"))
    after, _ = swept(red, known, "03-10 09:00")
    assert local(after.due) == "03-09 18:00"
    [*_, last] = explain(after, known).days
    assert "03-09 18:00到期" in last.note_zh


def test_t3_a_day_off_taken_back_moves_nothing_back_and_both_are_said() -> None:
    off, back = day_off("03-06"), POLICY.calendar
    [always] = CALENDARS.versions
    known = Calendars(
        [always, Version(2, at("03-04 20:00"), off), Version(3, at("03-04 21:00"), back)]
    )
    after, said = swept(FRESH, known, "03-05 09:00")
    assert (local(after.due), said) == ("03-10 18:00", ["deadline.moved@03-05 09:00"])
    [fact] = moved(FRESH, after, known)
    assert "2026-03-06 防汛停工放假，紫政发〔2026〕1号、2026-03-06恢复正常" in fact.reason


def test_what_fell_due_before_it_was_said_stays_due() -> None:
    ends_today = history(started_at=at("03-04 08:30"), limit="2wh")
    fresh = replayed(ends_today, terms(ends_today))
    after, _ = swept(fresh, then("03-04 11:00", day_off("03-04")), "03-04 12:00")
    assert local(after.passed[DUE]) == "03-04 10:30"


def test_a_day_made_a_workday_again_is_named() -> None:
    off, back = day_off("03-06"), POLICY.calendar
    known = Calendars([Version(1, at("01-01 00:00"), off), Version(2, at("03-04 20:00"), back)])
    assert "2026-03-06恢复正常" in known.why(1, 2, at("03-02 09:00"), at("03-10 18:00"))


def test_a_year_that_becomes_known_late_counts_for_its_days_that_are_over_too() -> None:
    known = Calendars.of(POLICY.calendar).versions[0]
    new_year = SpecialDay((), "元旦")
    special = POLICY.calendar.special | {date(2027, 1, 1): new_year}
    week = dict(enumerate(POLICY.calendar.week))
    late = WorkCalendar(SHANGHAI, week, special, {*(POLICY.calendar.known or ()), 2027})
    since = datetime(2027, 1, 4, 9, tzinfo=SHANGHAI)
    both = Calendars([known, Version(2, since, late)])
    befell = history(started_at=at("12-30 09:00"))
    assert local(replayed(befell, terms(befell)).due) == "01-06 18:00"
    assert local(replayed(befell, terms(befell), both).due) == "01-07 18:00"


def test_a_document_gives_the_calendar_back() -> None:
    again = from_document(document(POLICY.calendar))
    assert document(again) == document(POLICY.calendar)
    start = at("02-10 17:00")
    for limit in map(Limit.parse, ("1wd", "5wd", "20wd", "3wh")):
        assert again.due(start, limit) == POLICY.calendar.due(start, limit)


CHANGES = st.lists(
    st.tuples(
        st.integers(1, 24 * 14),
        st.one_of(
            st.integers(2, 15).map(lambda day: day_off(f"03-{day:02}")),
            st.sampled_from(("17:00", "17:30", "18:30", "19:00")).map(hours),
        ),
    ),
    max_size=4,
)


@given(
    changed=CHANGES,
    looks=st.lists(st.integers(0, 24 * 21), min_size=1, max_size=6),
    limit=st.sampled_from(("1wd", "5wd", "4wh", "24h")),
)
def test_no_fired_mark_ever_changes(
    changed: list[tuple[int, WorkCalendar]], looks: list[int], limit: str
) -> None:
    """Whatever the calendar becomes and whenever the sweep looks, what it passed it has passed; and all of it
    follows from the facts and the versions alone.
    """
    begins = at("03-02 09:00")
    since = {begins + timedelta(hours=hour): calendar for hour, calendar in changed}
    versions = [
        *CALENDARS.versions,
        *(Version(number, when, since[when]) for number, when in enumerate(sorted(since), 2)),
    ]
    befell = history(started_at=begins, limit=limit)
    state = replayed(befell, terms(befell))
    for hour in sorted(looks):
        now = begins + timedelta(hours=hour)
        known = Calendars([each for each in versions if each.since <= now])
        before = state
        if hour % 2:  # a fact of the ticket came, too
            state = replayed(befell, state.terms, known, state)
        state = pass_due_marks(state, known, now).state
        assert before.passed.items() <= state.passed.items()
        assert state.due >= before.due
        anew = pass_due_marks(replayed(befell, state.terms, known), known, now).state
        assert anew == state
