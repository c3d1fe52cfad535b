"""limits.yaml: which limit belongs to which stage. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from shared.events import Limits, Role, TicketType, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.codes import Codes, OfTopics
from shared.jurisdiction.sections import (
    LimitText,
    Section,
    Where,
    WorkingDays,
    refuse,
    unknown_code,
)

_NOMINAL_SECONDS = {"wd": 86400, "wh": 3600, "h": 3600, "min": 60}
RowName = TicketType | Literal["default"]
Share = Annotated[str, Field(pattern=r"^[1-9]\d?%$")]


class StageRow(Section):
    """Limits by stage; a missing stage is no duty. Every ticket is dispatched."""

    dispatch: LimitText
    sign: LimitText | None = None
    first_contact: LimitText | None = None
    handle: LimitText | None = None


class RedoRow(Section):
    """重办: limits of the stages of a redo; it is dispatched by itself."""

    sign: LimitText | None = None
    first_contact: LimitText | None = None
    handle: LimitText | None = None


Rows = Mapping[RowName, StageRow]


class StageTable(Section):
    """``limits``: rows by urgency and type."""

    normal: Rows
    complex: Rows
    urgent: Rows
    critical: Rows

    @field_validator("normal", "complex", "urgent", "critical")
    @classmethod
    def _complete(cls, rows: Rows) -> Rows:
        if "default" not in rows:
            raise ValueError("缺少 default a row 'default' is needed")
        if rows.keys() >= set(TicketType):
            raise ValueError(
                "各类型都有，default 不起作用 every type has a row: 'default' is for none"
            )
        return rows

    @model_validator(mode="after")
    def _none_in_vain(self) -> StageTable:
        refuse(
            (
                (level, kind),
                "只转办不办理的类型只看 normal what is only passed on is so at every urgency",
            )
            for level in ("complex", "urgent", "critical")
            for kind in getattr(self, level)
            if kind in self.normal and self.normal[kind].handle is None
        )
        return self

    def row(self, ticket_type: TicketType, urgency: Urgency) -> StageRow:
        """The type's row, else the default; what is only passed on is so at every urgency."""
        passed_on = self.normal.get(ticket_type)
        if passed_on is not None and passed_on.handle is None:
            return passed_on
        level: Rows = getattr(self, urgency.level)
        return level.get(ticket_type, level["default"])


class Stream(Section):
    """A stream with a limit of its own: tickets of its types marked with, or under, its matter."""

    matter: str
    handle: LimitText
    extension: WorkingDays | None = None
    types: frozenset[TicketType] = frozenset(TicketType)


class PromiseRules(Section):
    """承诺办结: how far ahead a day may lie that a unit promises, and how often the hotline looks after it
    (R-19, JN-24).
    """

    horizon_days: Annotated[int, Field(ge=1, le=1_827)]
    review_every_days: Annotated[int, Field(ge=1, le=365)]

    def latest(self, today: date) -> date:
        """The last day that may be promised."""
        return today + timedelta(days=self.horizon_days)

    def next_review(self, last: datetime) -> datetime:
        """When the hotline looks after a promise again."""
        return last + timedelta(days=self.review_every_days)


class LimitTable(OfTopics):
    """The time limits of one jurisdiction. ``clocks``: the time an urgency runs on (BJ4).
    ``direct_answer``: how long the hotline may keep what it will answer itself.
    """

    clocks: Mapping[Urgency, Literal["natural", "working"]]
    limits: StageTable
    redo: RedoRow
    co_handler_share: Share
    direct_answer: LimitText
    promise: PromiseRules | None = None
    streams: tuple[Stream, ...] = ()

    @field_validator("clocks")
    @classmethod
    def _all_levels(
        cls, clocks: Mapping[Urgency, Literal["natural", "working"]]
    ) -> Mapping[Urgency, Literal["natural", "working"]]:
        if missing := set(Urgency) - set(clocks):
            raise ValueError(f"缺少 missing: {', '.join(sorted(missing))}")
        return clocks

    def natural(self, urgency: Urgency) -> bool:
        """Whether an urgency runs day and night."""
        return self.clocks[urgency] == "natural"

    def latest_promise(self, today: date) -> date:
        """The last day a unit may promise; no policy, no end (R-19)."""
        return self.promise.latest(today) if self.promise else date.max

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
        tighten = self.natural(urgency.level)
        if redo:
            sign = _replaced(sign, self.redo.sign, tighten)
            contact = _replaced(contact, self.redo.first_contact, tighten)
            handle = _replaced(handle, self.redo.handle, tighten)
        if stream := self.stream(ticket_type, topic, flags):
            handle = _replaced(handle, stream.handle, tighten or redo)
        if role == Role.CO:
            contact, handle = None, handle and self._share(handle)
        return Limits(sign=_text(sign), first_contact=_text(contact), handle=_text(handle))

    def stream(self, ticket_type: TicketType, topic: str, flags: Collection[str]) -> Stream | None:
        """The stream with a limit of its own that a ticket belongs to, if it does."""
        under = {*self._lineage(topic), *flags}
        fitting = (s for s in self.streams if ticket_type in s.types and s.matter in under)
        return next(fitting, None)

    def _share(self, lead: Limit) -> Limit:
        """Working days are rounded up to whole ones; other limits keep their unit (BJ-14)."""
        amount = lead.amount * int(self.co_handler_share.removesuffix("%")) / 100
        return Limit(math.ceil(amount) if lead.unit == "wd" else round(amount, 2), lead.unit)


def streams_have_matters(limits: LimitTable, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: a stream's matter is a flag or a field."""
    known = [*codes.flags, *(field.code for field in codes.fields)]
    for at, stream in enumerate(limits.streams):
        if stream.matter not in known:
            yield "limits", ("streams", at, "matter"), unknown_code(stream.matter, known)


def _replaced(now: Limit | None, other: Limit | None, tighten: bool) -> Limit | None:
    """The other limit where there is such a duty; if asked to tighten, only when it is shorter.

    To compare them a working day or hour is taken as a natural one; it never lasts less.
    """
    if now is None or other is None:
        return now
    return min(now, other, key=lambda x: x.amount * _NOMINAL_SECONDS[x.unit]) if tighten else other


def _text(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)
