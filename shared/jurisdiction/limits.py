"""limits.yaml: which limit belongs to which stage. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from shared.events import LegalLimit, Limits, Role, TicketType, UpstreamLimit, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.codes import Codes, OfTopics, Units
from shared.jurisdiction.sections import (
    LimitText,
    Section,
    Where,
    Words,
    refuse,
    unknown_code,
)
from shared.jurisdiction.streams import STAGES, Kind, Stage, Stream

_NOMINAL_SECONDS = {"wd": 86400, "wh": 3600, "h": 3600, "min": 60}
STREAM = "专项时限 a limit of its own"
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


class UpstreamRules(Section):
    """上级平台时限: through which channels orders of platforms above come, which may carry the moment those
    want the answer by; the answer is sent so long before it, ``margin``, and it lies at most so far ahead
    (WF-20: what provinces and cities pass on keeps their limit).
    """

    channels: Annotated[frozenset[str], Field(min_length=1)]
    margin: LimitText
    horizon_days: Annotated[int, Field(ge=1, le=1_827)]

    def latest(self, now: datetime) -> datetime:
        """The last moment that such a limit may name."""
        return now + timedelta(days=self.horizon_days)


class Statute(Section):
    """法定时限: a limit that a law sets for a procedure of its own, longer than the hotline's (JN-24(2),
    WF-20(2)). The desk names it for a ticket; ``matter``, a flag or a field, says for which it may.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    law: Words
    article: Words
    handle: LimitText
    matter: str | None = None

    @property
    def legal_limit(self) -> LegalLimit:
        """As it is printed on orders."""
        return LegalLimit(law=self.law, article=self.article, limit=str(self.handle))


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
    upstream: UpstreamRules | None = None
    statutes: tuple[Statute, ...] = ()

    @field_validator("clocks")
    @classmethod
    def _all_levels(
        cls, clocks: Mapping[Urgency, Literal["natural", "working"]]
    ) -> Mapping[Urgency, Literal["natural", "working"]]:
        if missing := set(Urgency) - set(clocks):
            raise ValueError(f"缺少 missing: {', '.join(sorted(missing))}")
        return clocks

    @model_validator(mode="after")
    def _none_in_vain(self) -> LimitTable:
        refuse(found for at, stream in enumerate(self.streams) for found in self._idle(at, stream))
        ids = [statute.id for statute in self.statutes]
        refuse(
            (("statutes", at, "id"), f"重复 stands there before: {id}")
            for at, id in enumerate(ids)
            if id in ids[:at]
        )
        return self

    def _idle(self, at: int, stream: Stream) -> Iterator[tuple[Where, str]]:
        """What of a row of ``streams`` no ticket could ever obey."""
        for before, earlier in enumerate(self.streams[:at]):
            if earlier.covers(stream):
                wrong = f"第{before + 1}条已先适用 row {before + 1} fits whatever this one does"
                yield ("streams", at), wrong
        for stage, limit in stream.stages.items():
            if not any(self._obeyed(stream, stage, limit, *each) for each in stream.kinds):
                yield (
                    ("streams", at, stage),
                    "从不起作用：无此环节，或者不得延长 never obeyed: no such duty, or it would lengthen "
                    "what is only ever shortened",
                )

    def _obeyed(
        self, stream: Stream, stage: Stage, limit: Limit, kind: TicketType, urgency: Urgency
    ) -> bool:
        now = getattr(self.limits.row(kind, urgency), stage)
        tighten = self.natural(urgency) or stream.only_shortens
        return now is not None and _replaced(now, limit, tighten) == limit

    def natural(self, urgency: Urgency) -> bool:
        """Whether an urgency runs day and night."""
        return self.clocks[urgency] == "natural"

    def latest_promise(self, today: date) -> date:
        """The last day a unit may promise; no policy, no end (R-19)."""
        return self.promise.latest(today) if self.promise else date.max

    def dispatch(self, of: Kind) -> str:
        """Limit of the dispatch clock, which starts at registration (R-03)."""
        return str(self._by_stage(of, redo=False)["dispatch"])

    def kind(
        self,
        ticket_type: TicketType,
        urgency: Urgency,
        topic: str = "",
        flags: Collection[str] = (),
        *,
        channel: str | None = None,
        unit: str | None = None,
    ) -> Kind:
        """What limits depend on, with all that a topic lies under (BJ-13)."""
        under = frozenset({*self._lineage(topic), *flags})
        return Kind(ticket_type, urgency.level, under, channel, unit)

    def stages(
        self,
        of: Kind,
        *,
        redo: bool = False,
        role: Role = Role.LEAD,
        law: LegalLimit | None = None,
        upstream_due: datetime | None = None,
    ) -> Limits:
        """Limits that a dispatch carries (BJ-13).

        Redoing has limits of its own (R-27) and so have some streams; they never lengthen what
        runs on natural time, nor does a stream lengthen a redo. A longer limit of a ``law`` prevails
        (JN-24(2)), but not over urgency. A co-handler answers to the lead in a share of its time (R-13)
        and does not contact the citizen: one office does (R-12). A redo has nothing of the moment an
        upstream platform wanted the first answer.
        """
        limits = self._by_stage(of, redo=redo)
        sign, contact, handle = limits["sign"], limits["first_contact"], limits["handle"]
        if law and (handle is None or self.natural(of.urgency) or not lengthens(law, handle)):
            law = None
        handle = Limit.parse(law.limit) if law else handle
        if role == Role.CO:
            contact, handle = None, handle and self._share(handle)
        titles = [stream.title or STREAM for stream in self._streams(of)]
        return Limits(
            sign=_text(sign),
            first_contact=_text(contact),
            handle=_text(handle),
            rule="；".join(titles) or None,
            law=law,
            upstream=self._upstream(upstream_due) if handle and not redo else None,
        )

    def _upstream(self, due: datetime | None) -> UpstreamLimit | None:
        if due is None or self.upstream is None:
            return None
        return UpstreamLimit(due=due, margin=str(self.upstream.margin))

    def _by_stage(self, of: Kind, *, redo: bool) -> dict[Stage, Limit | None]:
        """Each stage's limit: the row's, that of a redo, that of the streams."""
        row, natural = self.limits.row(of.type, of.urgency), self.natural(of.urgency)
        limits: dict[Stage, Limit | None] = {stage: getattr(row, stage) for stage in STAGES}
        if redo:
            for stage in ("sign", "first_contact", "handle"):
                limits[stage] = _replaced(limits[stage], getattr(self.redo, stage), natural)
        for stream in self._streams(of):
            for stage, limit in stream.stages.items():
                tighten = natural or redo or stream.only_shortens
                limits[stage] = _replaced(limits[stage], limit, tighten)
        return limits

    def stream(self, of: Kind) -> Stream | None:
        """The stream with limits of its own that a ticket belongs to, if it does: the first that fits."""
        return next((each for each in self.streams if each.fits(of)), None)

    def _streams(self, of: Kind) -> list[Stream]:
        """What the matter has, whoever gets it, and then what its unit has."""
        found = (self.stream(of._replace(unit=None)), self.stream(of))
        return list(dict.fromkeys(filter(None, found)))

    def laws(self, of: Kind) -> dict[str, LegalLimit]:
        """The limits of laws that may be named for such a ticket, by the ids of the table."""
        fitting = (each for each in self.statutes if each.matter in (None, *of.under))
        return {each.id: each.legal_limit for each in fitting}

    def _share(self, lead: Limit) -> Limit:
        """Working days are rounded up to whole ones; other limits keep their unit, and something is left
        (BJ-14).
        """
        amount = lead.amount * int(self.co_handler_share.removesuffix("%")) / 100
        if lead.unit == "wd":
            return Limit(math.ceil(amount), "wd")
        return Limit(max(round(amount, 2), 0.01), lead.unit)


def limit_codes_exist(
    limits: LimitTable, codes: Codes, units: Units
) -> Iterator[tuple[str, Where, str]]:
    """A check between files: the matters, channels and units that limits name are there."""
    matters = [*codes.flags, *(field.code for field in codes.fields)]
    channels = [channel.code for channel in codes.channels]
    tables = {"channels": channels, "units": [unit.code for unit in units.units]}
    for at, stream in enumerate(limits.streams):
        if stream.matter is not None and stream.matter not in matters:
            yield "limits", ("streams", at, "matter"), unknown_code(stream.matter, matters)
        for name, known in tables.items():
            for code in sorted(getattr(stream, name) or ()):
                if code not in known:
                    yield "limits", ("streams", at, name), unknown_code(code, known)
    for at, statute in enumerate(limits.statutes):
        if statute.matter is not None and statute.matter not in matters:
            yield "limits", ("statutes", at, "matter"), unknown_code(statute.matter, matters)
    for code in sorted(limits.upstream.channels if limits.upstream else ()):
        if code not in channels:
            yield "limits", ("upstream", "channels"), unknown_code(code, channels)


def lengthens(law: LegalLimit, limit: Limit) -> bool:
    """Whether a law's limit is longer than another (JN-24(2): the longer one prevails)."""
    return _nominal(Limit.parse(law.limit)) > _nominal(limit)


def _nominal(limit: Limit) -> float:
    """Seconds; a working day or hour is taken as a natural one, it never lasts less."""
    return limit.amount * _NOMINAL_SECONDS[limit.unit]


def _replaced(now: Limit | None, other: Limit | None, tighten: bool) -> Limit | None:
    """The other limit where there is such a duty; if asked to tighten, only when it is shorter."""
    if now is None or other is None:
        return now
    return min(now, other, key=_nominal) if tighten else other


def _text(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)
