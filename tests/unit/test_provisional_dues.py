"""Due moments in a year without a calendar: provisional, and never moved earlier."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.tracker.rules.calendars import Calendars, Version
from services.tracker.rules.changes import changes
from services.tracker.rules.explanation import explain
from services.tracker.rules.pauses import Pause
from shared.events import DeadlineMoved
from shared.jurisdiction.calendar import WorkCalendar
from shared.jurisdiction.hours import SpecialDay
from tests.fixtures.calendars import DUTY, SHANGHAI
from tests.fixtures.scenes.handle_clock import (
    CALENDARS,
    SPEAKING,
    at,
    history,
    marks,
    read,
    replayed,
    state,
    terms,
)


def calendar_2027(*off: str, work: tuple[str, ...] = ()) -> WorkCalendar:
    """The county's calendar once a notice for 2027 is out."""
    special = {date.fromisoformat(f"2027-{day}"): SpecialDay((), "元旦") for day in off}
    special |= {date.fromisoformat(f"2027-{day}"): SpecialDay(DUTY, "元旦") for day in work}
    return WorkCalendar(SHANGHAI, dict.fromkeys(range(5), DUTY), special, known=(2026, 2027))


def once_known(calendar: WorkCalendar, since: str = "12-30 12:00") -> Calendars:
    """The county's calendar, and from a moment on another."""
    return Calendars([*CALENDARS.versions, Version(2, at(since), calendar)])


NEW_YEAR = history(started_at=at("12-30 10:00"))


def test_a_due_moment_in_a_year_without_a_notice_is_provisional() -> None:
    provisional = replayed(NEW_YEAR, terms(NEW_YEAR), CALENDARS, None)
    assert provisional.provisional
    assert f"{provisional.due.astimezone(SHANGHAI):%Y-%m-%d}" == "2027-01-06"
    assert "暂定" in explain(provisional, CALENDARS).days[-1].note_zh


def test_a_calendar_that_arrives_moves_it_later() -> None:
    before = replayed(NEW_YEAR, terms(NEW_YEAR), CALENDARS, None)
    known = once_known(calendar_2027("01-01"))
    after = replayed(NEW_YEAR, before.terms, known, before)
    assert f"{after.due.astimezone(SHANGHAI):%Y-%m-%d}" == "2027-01-07"
    assert not after.provisional
    now = at("12-31 10:00")
    [moved] = changes(SPEAKING, before, read(after, known), known, at=now, now=now)
    assert isinstance(moved.data, DeadlineMoved)
    assert moved.data.reason.startswith("放假安排已公布")


@pytest.mark.parametrize("pauses", [(), (Pause(at("12-30 14:00"), at("12-31 14:00")),)])
def test_a_calendar_that_arrives_never_moves_it_earlier(pauses: tuple[Pause, ...]) -> None:
    befell = history(started_at=at("12-30 10:00"), pauses=pauses)
    before = replayed(befell, terms(befell), CALENDARS, None)
    known = once_known(calendar_2027(work=("01-02", "01-03")))
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
    before = replayed(befell, terms(befell), CALENDARS, None)
    known = once_known(calendar_2027(work=("01-02", "01-03")))
    alone = Calendars.of(known.versions[-1].calendar)
    assert replayed(befell, before.terms, alone, None).due < before.due
    after = replayed(befell, before.terms, known, before)
    assert after.due == before.due
    assert all(mark.at >= after.due for mark in marks(after, known) if mark.rung)
