"""上级平台时限与总时限: what ends a clock beside its own limit. Pure."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from services.tracker.rules.promised import Instant
from shared.jurisdiction.calendar import Limit, WorkCalendar


class Cap(BaseModel):
    """办理总时限: handling ends so long after the registration, ``since``, whoever has it; nobody has less
    than ``least``, which is what is not complex gets.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    since: datetime
    limit: str
    least: str


class Upstream(BaseModel):
    """上级平台时限 (WF-20): an answer is wanted by ``due``, and is to be ready the ``margin`` before. That
    takes the place of the clock's own limit, up to the ``cap``; without one it only shortens. ``known_at``:
    when its clock was told other limits than it began with, if it was.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    due: Instant
    margin: str | None = None
    cap: Cap | None = None
    known_at: Instant | None = None

    def ends(self, start: datetime, calendar: WorkCalendar) -> datetime | None:
        """When what began at a moment, or was told then, is to be ready: the margin gives way where it is
        over by then; None where the platform waits in vain already, and the own limit is all there is.
        """
        margin = self.margin and calendar.before(self.due, Limit.parse(self.margin))
        known = max(filter(None, (start, self.known_at)))
        return next((at for at in (margin, self.due) if at and at > known), None)
