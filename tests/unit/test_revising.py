"""更正: what a mended day makes of a clock that ended late, and who may say so (ADR 0076)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.tracker.rules import revising
from services.tracker.rules.calendars import ALWAYS, Calendars, Version
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.revising import Revised, RevisionStatus
from shared.errors import MoveRefused, OwnApproval
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.hours import SpecialDay
from tests.fixtures.calendars import ZIYANG
from tests.fixtures.scenes.handle_clock import after_sweep, at, local, state

THURSDAY = date(2026, 3, 5)
SECOND = timedelta(seconds=1)


def off(known: WorkCalendar, *days: date, **units: WorkCalendar) -> WorkCalendar:
    """The same calendar with days off."""
    special = dict(known.special) | dict.fromkeys(days, SpecialDay(name="暴雪停工"))
    week = dict(enumerate(known.week))
    return WorkCalendar(known.tz, week, special, known.known, seasons=known.seasons, units=units)


def versions(*calendars: WorkCalendar) -> Calendars:
    return Calendars([Version(no, ALWAYS, each) for no, each in enumerate(calendars, 1)])


WRONG = versions(ZIYANG)
RIGHT = versions(off(ZIYANG, THURSDAY))


def late(done: str | datetime) -> ClockState:
    """Due on Monday at six, and done later."""
    moment = at(done) if isinstance(done, str) else done
    return state(after_sweep(state(), moment), met_at=moment)


@pytest.mark.parametrize(
    ("done", "is_late", "rungs"),
    [
        (at("03-10 18:00"), False, set()),
        (at("03-10 18:00") + SECOND, True, {1}),
        (at("03-11 18:00"), True, {1}),
        (at("03-11 18:00") + SECOND, True, {1, 2}),
    ],
)
def test_it_is_late_after_the_revised_moment_and_a_rung_is_reached_after_its_own(
    done: datetime, is_late: bool, rungs: set[int]
) -> None:
    judged = revising.judged_anew(late(done), WRONG, RIGHT)
    assert judged
    assert (local(judged.due), judged.late) == ("03-10 18:00", is_late)
    assert judged.rungs == rungs


def test_nothing_is_judged_anew_that_is_open_or_has_no_more_time_by_it() -> None:
    """A due moment that was kept later than its calendar says is revised only beyond that."""
    done = late("03-12 10:00")
    assert revising.judged_anew(after_sweep(state(), at("03-12 10:00")), WRONG, RIGHT) is None
    assert revising.judged_anew(done, WRONG, WRONG) is None
    assert revising.judged_anew(done, RIGHT, WRONG) is None
    kept = done.model_copy(update={"due": at("03-10 18:00")})
    assert revising.judged_anew(kept, WRONG, RIGHT) is None


def test_one_that_was_late_and_is_over_may_be_revised() -> None:
    assert revising.concerns(late("03-12 10:00"))
    assert not revising.concerns(after_sweep(state(), at("03-12 10:00")))
    assert not revising.concerns(state(met_at=at("03-09 18:00")))


# --- the days ----------------------------------------------------------------------------------


def test_only_the_days_it_names_are_put_right_for_units_too() -> None:
    """A day that had been off by mistake is a usual one again."""
    friday = date(2026, 3, 6)
    wrong = off(ZIYANG, friday, GSGS=off(ZIYANG, friday))
    [first, _] = revising.mended(versions(wrong, off(ZIYANG, THURSDAY)), 2, (friday,)).versions
    for calendar in (first.calendar, first.calendar.of("GSGS")):
        assert calendar.is_working_day(friday)
        assert calendar.is_working_day(THURSDAY), "it was not named"
    [first, _] = revising.mended(versions(wrong, off(ZIYANG, THURSDAY)), 2, (THURSDAY,)).versions
    assert not first.calendar.of("GSGS").is_working_day(THURSDAY)


def test_it_differs_where_one_day_does_for_anybody() -> None:
    both, friday = (date(2026, 3, 4), THURSDAY), date(2026, 3, 6)
    assert revising.differs(versions(ZIYANG, off(ZIYANG, THURSDAY)), 2, both)
    assert not revising.differs(versions(ZIYANG, off(ZIYANG, THURSDAY)), 2, (friday,))
    of_unit = off(ZIYANG, GSGS=off(ZIYANG, THURSDAY))
    assert revising.differs(versions(ZIYANG, of_unit), 2, both)
    assert revising.differs(versions(of_unit, ZIYANG), 2, both)


# --- said of a clock, and by whom --------------------------------------------------------------


def revised(*days: date, **what: Any) -> Revised:
    given = {
        "revision": UUID(int=1),
        "calendar": 2,
        "ground": "漏报",
        "paper": "9号",
        "at": at("03-12 10:00"),
    }
    return Revised(**given | what, days=days)


def test_the_last_revision_has_the_days_of_all() -> None:
    before, last = revised(THURSDAY), revised(date(2026, 3, 4), revision=UUID(int=2))
    both = last.after(before)
    assert (both.revision, both.days) == (UUID(int=2), (date(2026, 3, 4), THURSDAY))
    assert last.after(None) == last


@pytest.mark.parametrize(("after", "is_late"), [(timedelta(), False), (SECOND, True)])
def test_a_second_judgement_is_told_whole_or_not_at_all(after: timedelta, is_late: bool) -> None:
    by, due = revised(THURSDAY).model_dump(mode="json"), at("03-10 18:00")
    said = revising.second(by, due, due + after)
    assert said == (due, is_late, revised(THURSDAY))
    for missing in ((None, due, due), (by, None, due), (by, due, None)):
        assert revising.second(*missing) is None


def test_two_persons_revise_and_who_proposed_it_may_take_it_back() -> None:
    proposed, by = RevisionStatus.PROPOSED, "supervisor:li"
    revising.check_ruling(proposed, by, "desk:wang", granted=True)
    revising.check_ruling(proposed, by, "desk:li", granted=False)
    with pytest.raises(OwnApproval):
        revising.check_ruling(proposed, by, "desk:li", granted=True)
    assert revising.status(None, None) is proposed
    done = at("03-12 10:00")
    for granted, at_end, name in (
        (False, None, "refused"),
        (True, None, "confirmed"),
        (True, done, "done"),
    ):
        with pytest.raises(MoveRefused) as refused:
            revising.check_ruling(revising.status(granted, at_end), by, "desk:wang", granted=True)
        assert refused.value.extra["current_status"] == name
