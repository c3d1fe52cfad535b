"""吹哨报到: a grass-roots lead whistles for units that must come and work with it (R-47; ADR 0061). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Protocol, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from services.dispatcher.rules.co_handling import CoHandlerIsLead
from shared.errors import JiesuError, Malformed
from shared.events import Role, Urgency, Whistle
from shared.jurisdiction.codes import Unit, UnitKind
from shared.jurisdiction.sections import LimitText, Section

Attendance = Literal["present", "nobody_came"]
REDONE = (
    "redo"  # beside the kinds of closing: the citizen did not agree, and another round was opened
)


class MayNotWhistle(JiesuError):
    """Which kinds of units whistle dispatch.yaml says; ``allowed``."""

    status = 409
    slug = "may-not-whistle"
    title = "本类单位不得吹哨 Units of this kind do not whistle"


class NotWhistledFor(Malformed):
    """For which kinds of units one whistles dispatch.yaml says; ``unit``, ``allowed``."""

    slug = "not-whistled-for"
    title = "不得向该类单位吹哨 One does not whistle for units of this kind"


class AttendTimeWrong(Malformed):
    """A unit comes after it was whistled for, and not in the future."""

    slug = "attend-time-wrong"
    title = (
        "报到时间应在吹哨之后、当前时间之前 A unit comes after the whistle and not in the future"
    )


class WhistleRules(Section):
    """吹哨报到: which kinds of units whistle, for which kinds, and how long these have to come, by the
    ticket's urgency (R-47, BJ-16).
    """

    by: Annotated[frozenset[UnitKind], Field(min_length=1)]
    to: Annotated[frozenset[UnitKind], Field(min_length=1)]
    attend: Mapping[Urgency, LimitText]

    @field_validator("attend")
    @classmethod
    def _all_levels(cls, attend: Mapping[Urgency, LimitText]) -> Mapping[Urgency, LimitText]:
        if missing := sorted({*Urgency} - {*attend}):
            raise ValueError(f"缺少 missing: {', '.join(missing)}")
        return attend


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Attended(_Kept):
    """报到: which unit came, when, and who of it; a unit that is no more stays the one that did."""

    unit: str
    at: AwareDatetime
    person: str
    note: str = ""


class Said(_Kept):
    """What the lead says of it, the last time it said so."""

    attendance: Attendance
    by: str
    at: AwareDatetime
    note: str = ""


class CalledOff(_Kept):
    """撤回吹哨: it was blown by mistake."""

    by: str
    at: AwareDatetime
    reason: str


class Blown(_Kept):
    """吹哨, as the order of the unit it is for keeps it: who blew it (``by``) and when, for what, and why
    that one cannot do it alone. ``id`` stays when the unit gets another order.
    """

    id: UUID
    by: str
    at: AwareDatetime
    need: str
    ground: str
    attended: Attended | None = None
    said: Said | None = None
    called_off: CalledOff | None = None

    @classmethod
    def on_record(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """As an order keeps it; None of one that nobody whistled for."""
        return cls.model_validate(kept) if kept else None

    @property
    def kept(self) -> dict[str, Any]:
        """As an order keeps it."""
        return self.model_dump(mode="json")

    @property
    def told(self) -> Whistle:
        """As it is told with the order."""
        return Whistle(by=self.by, need=self.need, ground=self.ground)

    @property
    def reason(self) -> str:
        """Why its unit gets the order, in words."""
        return f"吹哨报到：{self.need}；本级难以单独办结的原因：{self.ground} Whistled for: come and help"


class Order(Protocol):
    """An order of a unit, with its whistle if it has one."""

    unit: str
    role: str
    whistle: dict[str, Any] | None


def blown_for(orders: Iterable[Order]) -> dict[str, Blown]:
    """The whistles that stand of some co-handlers' orders, by unit."""
    found = {each.unit: Blown.on_record(each.whistle) for each in orders if each.role == Role.CO}
    return {unit: blown for unit, blown in found.items() if blown and not blown.called_off}


def check_kinds(rules: WhistleRules | None, by: Unit | None, to: Iterable[Unit | None]) -> None:
    """Who whistles, and for whom, as dispatch.yaml says; for itself nobody does.

    Raises MayNotWhistle, CoHandlerIsLead, NotWhistledFor.
    """
    if rules is None or by is None or by.kind not in rules.by:
        raise MayNotWhistle(rule="whistle.by", allowed=sorted(rules.by if rules else ()))
    for unit in filter(None, to):
        if unit.code == by.code:
            raise CoHandlerIsLead(field="units", lead=by.code)
        if unit.kind not in rules.to:
            raise NotWhistledFor(field="units", unit=unit.code, allowed=sorted(rules.to))


# --- figures -----------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """One whistle when it is counted: which unit it was for, whether the desk granted its return, and how the
    citizen closed the round (a kind of closing, ``redo``); None while that is open.
    """

    unit: str
    blown: Blown
    returned: bool
    verdict: str | None


class Tally(NamedTuple):
    """双考核 of one unit: of the whistles it blew, and of those it heard; counts by name."""

    blew: Counter[str]
    heard: Counter[str]
    blew_verdicts: Counter[str]
    heard_verdicts: Counter[str]


def tallies(outcomes: Iterable[Outcome]) -> dict[str, Tally]:
    """The counts of every unit that whistled or was whistled for. A whistle that was called off is nobody's
    merit or fault: beside that it was blown and called off, it counts for nothing.
    """
    found: dict[str, Tally] = {}
    for unit, blown, returned, verdict in outcomes:
        by, to = (
            found.setdefault(each, Tally(Counter(), Counter(), Counter(), Counter()))
            for each in (blown.by, unit)
        )
        by.blew["blown"] += 1
        if blown.called_off:
            by.blew["called_off"] += 1
            continue
        to.heard["heard"] += 1
        for name in _of(blown, returned=returned):
            by.blew[name] += 1
            to.heard[name] += 1
        if verdict:
            by.blew_verdicts[verdict] += 1
            to.heard_verdicts[verdict] += 1
    return found


def _of(blown: Blown, *, returned: bool) -> Iterable[str]:
    if blown.attended:
        yield "attended"
    elif returned:
        yield "returned"
    if blown.said:
        yield blown.said.attendance


def verdict_of(closed: str | None, *, redone: bool) -> str | None:
    """How the citizen took the round a whistle was blown in."""
    return REDONE if redone else closed


def check_came(came_at: datetime, dispatched_at: datetime, now: datetime) -> None:
    """Raises AttendTimeWrong for a moment at which nobody can have come."""
    if not dispatched_at <= came_at <= now:
        raise AttendTimeWrong(field="came_at")
