"""查阅权 Who may read a contact, and how a custodian's leave to do so comes and goes (R-35, R-36). Pure.

asked ── grant ──→ granted ── refuse (withdraw the leave) ──→ refused
  └── refuse ──→ refused        asked, granted ── end (the order ended) ──→ ended
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never
from uuid import UUID

from services.intake.rules.machine import TicketStatus, ended
from shared.caller import Caller
from shared.errors import JiesuError, Malformed, MoveRefused
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.sections import LimitText, Section

CALLS = "feedback"  # the one service that telephones
LETTERS = 4  # a reason has at least so many letters, a Chinese one counts as two


class Refusal(StrEnum):
    """Why a contact was not opened, as the read log has it; the caller is told less."""

    ROLE = "role"
    RECUSED = "recused"
    ENDED = "ended"
    NOT_ON_DUTY = "not-on-duty"
    NO_CALL_DUE = "no-call-due"
    NEEDS_GRANT = "needs-grant"
    UNKNOWN = "duty-unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known elsewhere, at this moment, of a caller and a ticket: the order it works on; whether
    the citizen is to be called now, and whether by staff. ``unknown``: why that could not be learnt.
    """

    assignment: UUID | None = None
    due: bool = False
    staff: bool = False
    unknown: JiesuError | None = None


def refusal(
    caller: Caller,
    standing: Standing,
    *,
    recused: Collection[str],
    status: TicketStatus,
    confidential: bool,
    granted: bool,
) -> Refusal | None:
    """Why a caller may not read who the citizen is, None when it may.

    A unit while it handles a ticket that goes on: it has signed, and has not asked to give it back;
    never one that is recused; in a confidential matter with a custodian's leave. Who calls the
    citizen back, once a call is due, also of a closed one: feedback for its phone system; staff of a
    confidential matter only when no system calls. An agent while the hotline owes the answer itself
    (R-02), but not of a confidential matter, for which there is no order a custodian could let anybody
    read under.
    """
    if caller.role == "agent":
        owed = status is TicketStatus.ANSWERING and not confidential
        return None if owed else Refusal.ROLE
    if caller.role == "unit":
        if caller.unit is None or caller.unit in recused:
            return Refusal.RECUSED
    elif caller.role != "callback" and (caller.role, caller.name) != ("service", CALLS):
        return Refusal.ROLE
    # A closed matter of which a day was promised is asked of again after the day.
    if ended(status) and (caller.role == "unit" or status is not TicketStatus.CLOSED):
        return Refusal.ENDED
    if standing.unknown:
        return Refusal.UNKNOWN
    if caller.role == "unit":
        if standing.assignment is None:
            return Refusal.NOT_ON_DUTY
        return Refusal.NEEDS_GRANT if confidential and not granted else None
    by_staff = caller.role == "callback" and confidential
    return None if standing.due and (standing.staff or not by_staff) else Refusal.NO_CALL_DUE


def meaningful(reason: str) -> str:
    """A reason says something. Raises ValueError."""
    letters = {letter for letter in reason if letter.isalpha()}
    if sum(1 if letter < "\u2e80" else 2 for letter in letters) < LETTERS:
        raise ValueError(
            "请写明事由 say why in words: two Chinese characters, four letters or more"
        )
    return reason


# --- the custodian's leave -----------------------------------------------------------------------


class Custodian(Section):
    """身份保管员: within what time the custodian rules, and how long a leave to read lasts at most."""

    rule_within: LimitText = Limit.parse("4wh")
    rule_within_urgent: LimitText = Limit.parse("30min")
    grant_at_most: LimitText = Limit.parse("5wd")

    def rule_by(self, urgency: Urgency, now: datetime, calendar: WorkCalendar) -> datetime:
        """Until when a request made now must be ruled on."""
        hurries = urgency in (Urgency.URGENT, Urgency.CRITICAL)
        return calendar.due(now, self.rule_within_urgent if hurries else self.rule_within).at

    def latest_end(self, now: datetime, calendar: WorkCalendar) -> datetime:
        """When a leave given now ends at the latest."""
        return calendar.due(now, self.grant_at_most).at


class CustodianNeeded(JiesuError):
    """保密: who called is read with a custodian's leave only. The unit asks for it, with a reason."""

    status = 409
    slug = "custodian-needed"
    title = "保密工单：须经身份保管员同意 Confidential: a custodian must grant it first"

    def __init__(self, number: str) -> None:
        path = f"/v1/tickets/{number}/contact-requests"
        super().__init__(
            f"请先提交查阅申请 ask first: POST {path}；获批后再查看 and read again once it is granted",
            request=path,
        )


class GrantOutOfBounds(Malformed):
    """A leave ends after now, and no later than privacy.yaml lets it; ``latest`` says when that is."""

    slug = "grant-out-of-bounds"
    title = "查阅期限不符合规定 How long the grant lasts is not allowed"


class RequestStatus(StrEnum):
    """Where a request stands: the custodian must rule; granted or refused; or its order ended."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    ENDED = "ended"


MOVES: Mapping[RequestStatus, Mapping[str, RequestStatus]] = {
    RequestStatus.ASKED: {"grant": RequestStatus.GRANTED, "refuse": RequestStatus.REFUSED},
    RequestStatus.GRANTED: {"refuse": RequestStatus.REFUSED},
    RequestStatus.REFUSED: {},
    RequestStatus.ENDED: {},
}
OPEN = (RequestStatus.ASKED, RequestStatus.GRANTED)


def rule(status: RequestStatus, *, granted: bool) -> RequestStatus:
    """The status after a ruling; refusing what was granted takes it back. Raises MoveRefused."""
    action = "grant" if granted else "refuse"
    if action not in MOVES[status]:
        raise MoveRefused(action, status, list(MOVES[status]))
    return MOVES[status][action]


def is_live(status: RequestStatus, until: datetime | None, now: datetime) -> bool:
    """Whether a request lets its unit read now."""
    match status:
        case RequestStatus.GRANTED:
            return until is not None and now < until
        case RequestStatus.ASKED | RequestStatus.REFUSED | RequestStatus.ENDED:
            return False
        case _:
            assert_never(status)


def granted_until(
    until: datetime | None, hours: float | None, now: datetime, latest: datetime
) -> datetime:
    """When a leave ends, given as a moment or in hours. Raises GrantOutOfBounds."""
    if (until is None) == (hours is None):
        raise GrantOutOfBounds(
            "请填 until 或 hours 之一 say either until or hours", field="until", latest=latest
        )
    ends = until or now + timedelta(hours=hours or 0)
    if not now < ends <= latest:
        raise GrantOutOfBounds(
            "须晚于现在且不晚于 latest it ends after now and not after `latest`",
            field="until" if until else "hours",
            latest=latest,
        )
    return ends
