"""延期: by the unit on its own open handle clock, before it expires; a second once a first was granted, where
the policy gives one (R-18, FS, SD17).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.machine import Action, ClockStatus, move
from services.tracker.rules.paragraph import length, moment
from services.tracker.rules.policy import Policy
from services.tracker.rules.timelines import AssignmentTimeline, Ending, Matter
from shared.errors import JiesuError, MoveRefused
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit


class ExtensionStatus(StrEnum):
    """Where an extension stands: the unit asked, whoever rules on it granted or refused it, or what it was
    asked for ended first (失效).
    """

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    LAPSED = "lapsed"


class Ruling(StrEnum):
    """What who rules on it can do with an extension."""

    GRANT = "grant"
    REFUSE = "refuse"


RULINGS: Mapping[ExtensionStatus, Mapping[Ruling, ExtensionStatus]] = MappingProxyType(
    {
        ExtensionStatus.ASKED: {
            Ruling.GRANT: ExtensionStatus.GRANTED,
            Ruling.REFUSE: ExtensionStatus.REFUSED,
        },
        ExtensionStatus.GRANTED: {},
        ExtensionStatus.REFUSED: {},
        ExtensionStatus.LAPSED: {},
    }
)


class NothingToExtend(JiesuError):
    """The assignment has no handle limit."""

    status = 409
    slug = "nothing-to-extend"
    title = "该派单没有办理时限 This assignment has no handle limit"


class ExtensionAskedBefore(JiesuError):
    """Each assignment may ask once; a second time where the policy says so, after the first was granted."""

    status = 409
    slug = "extension-asked-before"
    title = "不得再次申请延期 An extension was asked for before"


class ExtensionNotForUrgency(JiesuError):
    """Urgent and critical tickets are not extended."""

    status = 409
    slug = "extension-not-for-urgency"
    title = "该紧急程度不得延期 No extension at this urgency"


class ExtensionNotOnRedo(JiesuError):
    """A redo has a limit of its own, which is not extended."""

    status = 409
    slug = "extension-not-on-redo"
    title = "重办不得延期 A redo is not extended"


class ExtensionTooLate(JiesuError):
    """It must be asked for before expiry, and some hours before; ``latest`` says when, and the sentence."""

    status = 409
    slug = "extension-too-late"
    title = "延期申请已过期限 It is too late to ask for an extension"


class ExtensionTooLong(JiesuError):
    """More days than one extension may have; ``most`` says how many."""

    status = 409
    slug = "extension-too-long"
    title = "延期天数超过上限 More days than an extension may have"


class MoreThanAsked(JiesuError):
    """No more days are granted than were ``asked`` for."""

    status = 422
    slug = "more-days-than-asked"
    title = "批准天数不得超过申请天数 No more days are granted than were asked for"

    def __init__(self, asked: int) -> None:
        super().__init__(
            f"申请延期{asked}个工作日，批准不得超过此数 No more than the {asked} working days asked for",
            field="days",
            asked=asked,
        )


class ExtensionRuledElsewhere(JiesuError):
    """A first extension is ruled on by a supervisor, a second by the ``office`` the policy names."""

    status = 403
    slug = "extension-ruled-elsewhere"
    title = "该延期由其他机构审批 Another rules on this extension"

    def __init__(self, office: str | None, name: str) -> None:
        who = (
            (f"{name}（{office}）", f"the office {office}")
            if office
            else ("督办员", "a supervisor")
        )
        super().__init__(f"该延期由{who[0]}审批 It is ruled on by {who[1]}", office=office)


class ExtensionOverCap(JiesuError):
    """Limit and extension together are longer than handling may take; ``cap`` says how long."""

    status = 409
    slug = "extension-over-cap"
    title = "办理总时限超过上限 Handling would take longer than it may"


class ExtensionPastUpstream(JiesuError):
    """The platform that passed it on wants the answer by ``latest``, and alone gives more time (WF-20)."""

    status = 409
    slug = "extension-past-upstream"
    title = "超过上级平台的时限 Past the limit of the upstream platform"


@dataclass(frozen=True, slots=True)
class Asking:
    """So many working days more on a clock, asked at an instant; ``before``: how those stand that were asked
    for before, the first first; ``unit``: whose hours it goes by.
    """

    days: int
    clock: ClockState
    urgency: Urgency
    redo: bool
    before: Sequence[ExtensionStatus]
    now: datetime
    unit: str | None = None


def check(asking: Asking, matter: Matter, policy: Policy) -> None:
    """Refuse what may not be asked. Raises MoveRefused and the errors named above."""
    rules = policy.rules.extension
    _check_before(asking.before, second=rules.second is not None)
    move(asking.clock.status, Action.EXTEND)
    due_zh, due_en = moment(asking.clock.due, policy.calendar.tz)
    if asking.urgency.level in rules.not_for:
        raise ExtensionNotForUrgency(
            f"紧急件、特急件不得延期，应于{due_zh}前办结 "
            f"What is urgent is not extended: it is due on {due_en}",
            urgency=asking.urgency,
            due=asking.clock.due.isoformat(),
        )
    if asking.redo:
        raise ExtensionNotOnRedo(
            f"重办不得延期，应于{due_zh}前办结 A redo is not extended: it is due on {due_en}",
            due=asking.clock.due.isoformat(),
        )
    _check_time(asking, policy)
    _check_length(asking, matter, policy)


ONCE = "每次派单只能申请一次延期 An order may ask once"
TWICE = "已申请过两次延期 Two extensions were asked for"
NOT_AFTER: Mapping[ExtensionStatus, str] = MappingProxyType(
    {
        ExtensionStatus.ASKED: "首次延期批准后方可再次申请 A second only once the first is granted",
        ExtensionStatus.REFUSED: "首次延期未获批准，不得再次申请 The first was refused: there is no second",
        ExtensionStatus.LAPSED: "首次延期已失效，不得再次申请 The first has lapsed: there is no second",
    }
)


def _check_before(before: Sequence[ExtensionStatus], *, second: bool) -> None:
    """A second only where the policy gives one, after a first that was granted (SD17)."""
    if not before:
        return
    why = NOT_AFTER.get(before[-1], "") if second else ONCE
    if why or len(before) > 1:
        raise ExtensionAskedBefore(why or TWICE)


def latest(clock: ClockState, policy: Policy, unit: str | None) -> datetime:
    """Until when an extension may be asked for: the margin of the clock's own kind of time before it is due,
    which never takes more than half of the clock.
    """
    margin = policy.rules.extension.margin(Limit.parse(clock.terms.limit))
    half = clock.started_at + (clock.due - clock.started_at) / 2
    return max(half, policy.calendar.of(unit).before(clock.due, margin))


def _check_time(asking: Asking, policy: Policy) -> None:
    until, due, zone = (
        latest(asking.clock, policy, asking.unit),
        asking.clock.due,
        policy.calendar.tz,
    )
    if asking.now > until:
        (until_zh, until_en), (due_zh, due_en) = moment(until, zone), moment(due, zone)
        raise ExtensionTooLate(
            f"延期最迟应于{until_zh}申请（{due_zh}到期） "
            f"It had to be asked for by {until_en}; it is due on {due_en}",
            latest=until.isoformat(),
            due=due.isoformat(),
        )


def _check_length(asking: Asking, matter: Matter, policy: Policy) -> None:
    second = policy.rules.extension.second if asking.before else None
    most = second.max if second else policy.extension_max(matter, asking.urgency, asking.unit)
    terms, calendar = asking.clock.terms, policy.calendar.of(asking.unit)
    if asking.days > most.amount:
        once = ("再次", "A second") if second else ("一次", "One")
        latest_day = calendar.due(asking.clock.base_due, most).at
        (most_zh, most_en), (zh, en) = length(most), moment(latest_day, policy.calendar.tz)
        raise ExtensionTooLong(
            f"{once[0]}延期不得超过{most_zh}，即最迟延至{zh} "
            f"{once[1]} extension is {most_en} at most: until {en}",
            field="days",
            most=str(most),
            latest=latest_day.isoformat(),
        )
    law, cap = terms.law, policy.rules.extension.cap_total_handle
    cap = Limit.parse(law.limit) if law else cap
    longer = calendar.due(asking.clock.base_due, Limit(asking.days, "wd")).at
    end = calendar.due(asking.clock.started_at, cap).at
    if longer > end:
        (cap_zh, cap_en), (end_zh, end_en) = length(cap), moment(end, policy.calendar.tz)
        raise ExtensionOverCap(
            f"办理总时限不得超过{cap_zh}，即{end_zh} Handling may take {cap_en} in all: until {end_en}",
            field="days",
            cap=str(cap),
            latest=end.isoformat(),
        )
    if terms.upstream and asking.clock.started_at < terms.upstream.due < longer:
        until = terms.upstream.due
        until_zh, until_en = moment(until, policy.calendar.tz)
        raise ExtensionPastUpstream(
            f"上级平台要求于{until_zh}前答复，延期须商上级平台 "
            f"The platform that passed it on wants the answer by {until_en}",
            field="days",
            latest=until.isoformat(),
        )


def lapses(
    order: AssignmentTimeline, clock: ClockState, withdrawal: Ending | None
) -> Ending | None:
    """When and why there is nothing left to extend: the order fell away, or was answered in time and no
    audit can send it back. One that was answered late may still be ruled on.
    """
    ending = order.ending(withdrawal)
    if ending is None or order.completed_at != ending.at:
        return ending
    waits = any(each.limit and each.decided_at is None for each in order.completions)
    return None if waits or clock.breached_at else ending


def rule(status: ExtensionStatus, ruling: Ruling, clock: ClockStatus) -> ExtensionStatus:
    """The extension after a ruling. One asked in time may be ruled on late, even after the answer;
    on a cancelled clock there is nothing to grant. Raises MoveRefused.
    """
    allowed = RULINGS[status]
    if ruling not in allowed:
        raise MoveRefused(ruling.value, status.value, [known.value for known in allowed])
    if ruling is Ruling.GRANT and clock is ClockStatus.CANCELLED:
        raise MoveRefused(ruling.value, clock.value, [Ruling.REFUSE.value])
    return allowed[ruling]


def days_granted(asked: int, given: int | None) -> int:
    """How many of the days asked for are granted: all, unless fewer are named. Raises MoreThanAsked."""
    if given and given > asked:
        raise MoreThanAsked(asked)
    return given or asked
