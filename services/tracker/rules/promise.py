"""承诺办结: a day that a unit promised, and what may be done about it (R-19, JN-24(3), gain 7). Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.machine import OPEN, ClockStatus
from services.tracker.rules.promised import PromiseRecord
from shared.errors import JiesuError, Malformed, MoveRefused
from shared.jurisdiction.limits import PromiseRules


class PromiseStatus(StrEnum):
    """Where a promise stands: 未到期, 已兑现, 失信, 已终止."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    ENDED = "ended"


class PromiseMovedBefore(JiesuError):
    """A promised day is moved once (R-19)."""

    status = 409
    slug = "promise-moved-before"
    title = "承诺日期只能变更一次 A promised day is moved once"


class PromisedDayPassed(JiesuError):
    """A promise is moved before its day, and not once it is broken; ``until`` is when that was."""

    status = 409
    slug = "promised-day-passed"
    title = "承诺日期已过，不能改期 The promised day has passed and cannot be moved"

    def __init__(self, until: datetime) -> None:
        at = until.isoformat()
        super().__init__(f"承诺期限已于 {at} 届满。It ended at {at}", until=until)


class PromisedDateWrong(Malformed):
    """A day is moved to a later one, within the horizon of the policy, ``latest``."""

    slug = "promised-date-wrong"
    title = (
        "新的承诺日期须晚于原日期且不超过最长期限 The new day must be later, and within the horizon"
    )

    def __init__(self, latest: date) -> None:
        super().__init__(
            f"最迟 {latest} at the latest {latest}",
            field="promised_date",
            latest=latest.isoformat(),
        )


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The end of a day, which belongs to its unit until then."""
    return datetime.combine(day + timedelta(days=1), time(), zone)


def day_of(until: datetime, zone: ZoneInfo) -> date:
    """The day that ends at a moment."""
    return (until.astimezone(zone) - timedelta(microseconds=1)).date()


def status_of(status: ClockStatus, breached_at: datetime | None) -> PromiseStatus:
    """Where a promise stands, by its clock; one that was kept late was kept."""
    match status:
        case ClockStatus.MET:
            return PromiseStatus.KEPT
        case ClockStatus.CANCELLED if breached_at is None:
            return PromiseStatus.ENDED
        case _:
            return PromiseStatus.BROKEN if breached_at else PromiseStatus.OPEN


def check_open(clock: ClockState, action: str) -> None:
    """Raises MoveRefused when it was kept, or is over."""
    if clock.status not in OPEN:
        raise MoveRefused(action, clock.status.value, [])


def may_be_moved(
    clock: ClockState,
    record: PromiseRecord,
    day: date,
    rules: PromiseRules,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """Whether a unit may ask for another day.

    Raises MoveRefused, PromiseMovedBefore, PromisedDayPassed, PromisedDateWrong.
    """
    check_open(clock, "move")
    if record.moved:
        raise PromiseMovedBefore
    if record.asked:
        raise MoveRefused("move", "asked", ["rule"])
    if clock.due <= now:
        raise PromisedDayPassed(clock.due)
    latest = rules.latest(now.astimezone(zone).date())
    if not day_of(clock.due, zone) < day <= latest:
        raise PromisedDateWrong(latest)


def may_be_ruled_on(
    clock: ClockState, record: PromiseRecord, now: datetime, *, granted: bool
) -> None:
    """Whether a supervisor may rule on another day, and so. Raises MoveRefused, PromisedDayPassed."""
    check_open(clock, "rule")
    if record.asked is None:
        raise MoveRefused("rule", "unasked", ["move"])
    if granted and clock.due <= now:
        raise PromisedDayPassed(clock.due)
