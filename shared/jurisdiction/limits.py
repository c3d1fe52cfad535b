"""Which limit belongs to which stage: policy.yaml as a checked table. Pure.

Parts of the file that no clock needs are ignored; a misspelt stage, a text that is no limit, or a
way of counting days that the calendar does not know is refused at the start.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from shared.events import Limits, Role, TicketType, Urgency
from shared.jurisdiction.calendar import Limit, Segment

_NOMINAL_SECONDS = {"wd": 86400, "wh": 3600, "h": 3600, "min": 60}


def _limit(text: Any) -> Any:
    return Limit.parse(text) if isinstance(text, str) else text


def _segment(row: Any) -> Any:
    return Segment.parse(str(row.get("from")), str(row.get("to"))) if isinstance(row, dict) else row


LimitText = Annotated[Limit, BeforeValidator(_limit)]
DutySegment = Annotated[Segment, BeforeValidator(_segment)]
RowName = TicketType | Literal["default"]


class _Part(BaseModel):
    """A part of policy.yaml; what is there for other readers is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class DayCount(_Part):
    """How days are counted (CC203); the calendar knows no other way."""

    exclude_start_day: Literal[True]
    last_day_ends: Literal["duty_end"]
    roll_over_if_holiday: Literal[True]


class CalendarRules(_Part):
    """Duty hours of a working day, for ``holidays.load_calendar``."""

    duty_segments: Annotated[tuple[DutySegment, ...], Field(min_length=1)]
    day_count: DayCount


class UrgencyLevel(_Part):
    """The time an urgency runs on (BJ4)."""

    clock: Literal["natural", "working"]


class StageRow(_Part, extra="forbid"):
    """Limits by stage; a missing stage is no duty."""

    dispatch: LimitText | None = None
    sign: LimitText | None = None
    first_contact: LimitText | None = None
    handle: LimitText | None = None


class CoHandler(_Part, extra="forbid"):
    """The share of the lead's time in which a co-handler answers to the lead (R-13, BJ-14)."""

    respond_to_lead: Annotated[str, Field(pattern=r"^[1-9]\d?%_of_lead_limit$")]

    def share(self, lead: Limit) -> Limit:
        """Working days are rounded up to whole ones; other limits keep their unit."""
        amount = lead.amount * int(self.respond_to_lead.partition("%")[0]) / 100
        return Limit(math.ceil(amount) if lead.unit == "wd" else round(amount, 2), lead.unit)


class StageTable(_Part):
    """``limits``: rows by urgency and type, and what redoing, supervision and helping change."""

    normal: Mapping[RowName, StageRow]
    complex: Mapping[RowName, StageRow]
    urgent: Mapping[RowName, StageRow]
    critical: Mapping[RowName, StageRow]
    redo: StageRow
    supervised: StageRow
    co_handler: CoHandler

    @field_validator("normal", "complex", "urgent", "critical")
    @classmethod
    def _complete(cls, rows: Mapping[RowName, StageRow]) -> Mapping[RowName, StageRow]:
        if "default" not in rows or any(row.dispatch is None for row in rows.values()):
            raise ValueError("a row 'default' is needed, and a dispatch limit in each row")
        return rows

    def row(self, ticket_type: TicketType, urgency: Urgency) -> StageRow:
        """The type's row, else the default; what is only passed on is so at every urgency."""
        passed_on = self.normal.get(ticket_type)
        if passed_on is not None and passed_on.handle is None:
            return passed_on
        level: Mapping[RowName, StageRow] = getattr(self, urgency.level)
        return level.get(ticket_type, level["default"])


class Override(_Part, extra="forbid"):
    """A stream with a limit of its own: tickets of its types with its flag or under its topic."""

    handle: LimitText
    extension: LimitText | None = None
    flag: str | None = None
    types: frozenset[TicketType] = frozenset(TicketType)
    enabled: bool = True


class LimitTable(_Part):
    """The time limits of one jurisdiction."""

    timezone: ZoneInfo
    calendar: CalendarRules
    urgency_levels: Mapping[Urgency, UrgencyLevel]
    limits: StageTable
    topic_overrides: Mapping[str, Override]

    @field_validator("urgency_levels")
    @classmethod
    def _all_levels(cls, levels: Mapping[Urgency, UrgencyLevel]) -> Mapping[Urgency, UrgencyLevel]:
        if missing := set(Urgency) - set(levels):
            raise ValueError(f"no level for {', '.join(sorted(missing))}")
        return levels

    def dispatch(self, ticket_type: TicketType, urgency: Urgency) -> str:
        """Limit of the dispatch clock, which starts at registration (R-03)."""
        return str(self.limits.row(ticket_type, urgency).dispatch)

    def stages(
        self,
        ticket_type: TicketType,
        urgency: Urgency,
        topic: str = "",
        flags: Collection[str] = (),
        *,
        redo: bool = False,
        role: Role = Role.LEAD,
    ) -> Limits:
        """Limits that a dispatch carries (BJ-13).

        Redoing has limits of its own (R-27) and so have some streams; they never lengthen what
        runs on natural time, nor does a stream lengthen a redo. A co-handler answers to the lead
        in a share of its time (R-13) and does not contact the citizen: one office does (R-12).
        """
        row = self.limits.row(ticket_type, urgency)
        sign, contact, handle = row.sign, row.first_contact, row.handle
        tighten = self.urgency_levels[urgency.level].clock == "natural"
        if redo:
            again = self.limits.redo
            sign = _replaced(sign, again.sign, tighten)
            contact = _replaced(contact, again.first_contact, tighten)
            handle = _replaced(handle, again.handle, tighten)
        if override := self.override(ticket_type, topic, flags):
            handle = _replaced(handle, override.handle, tighten or redo)
        if role == Role.CO:
            contact, handle = None, handle and self.limits.co_handler.share(handle)
        return Limits(sign=_text(sign), first_contact=_text(contact), handle=_text(handle))

    def override(
        self, ticket_type: TicketType, topic: str, flags: Collection[str]
    ) -> Override | None:
        """The stream with a limit of its own that a ticket belongs to, if it does."""
        words = {topic.partition(".")[0], *flags}
        for name, row in self.topic_overrides.items():
            if row.enabled and ticket_type in row.types and (row.flag or name) in words:
                return row
        return None


def _replaced(now: Limit | None, other: Limit | None, tighten: bool) -> Limit | None:
    """The other limit where there is such a duty; if asked to tighten, only when it is shorter.

    To compare them a working day or hour is taken as a natural one; it never lasts less.
    """
    if now is None or other is None:
        return now
    return min(now, other, key=lambda x: x.amount * _NOMINAL_SECONDS[x.unit]) if tighten else other


def _text(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)
