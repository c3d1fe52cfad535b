"""The rules in force, and the terms a clock starts under.

A clock keeps its terms: a policy that changes later does not rewrite what was promised, unless
the urgency of the ticket changes too (docs/how-it-flows.md#a-clock-keeps-its-terms;
fivetran dbt_zendesk #25).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Literal, assert_never

from pydantic import BaseModel, ConfigDict

from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.supervision import RungNumber, Supervision, Warned
from services.tracker.rules.timelines import Matter
from services.tracker.rules.upstream import Cap, Upstream
from shared.events import ClockKind, LegalLimit, Reported, Role, Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.limits import LimitTable
from shared.jurisdiction.streams import Kind

# What the desk must do about an assignment: no unit is pressed for it, an office is (supervision.yaml).
DESKS: Mapping[ClockKind, str] = {
    ClockKind.HOTLINE_REVIEW: "申请逾期未裁定 the desk has not ruled on a request in time",
    ClockKind.COMPLETION_AUDIT: "办结逾期未审核 the desk has not audited an answer in time",
}


# Clocks of a unit, whose people are told; of the others the card alone is shown.
OF_UNITS = (
    ClockKind.SIGN,
    ClockKind.FIRST_CONTACT,
    ClockKind.HANDLE,
    ClockKind.ATTEND,
    ClockKind.PROMISE,
)


class Rung(BaseModel):
    """One rung a clock can climb: when, as what, and how long the unit has to answer.

    ``at`` is ``start``, ``due``, or so long after the due moment (``3wd``, ``72h``).
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    rung: RungNumber
    title: str
    by: Literal["ladder", "trigger"]
    at: str
    reason: str
    answer: str | None = None

    @property
    def key(self) -> str:
        """Names the mark of this rung on its clock."""
        return f"{self.by}:{self.rung}"


class Office(BaseModel):
    """Who is pressed for a clock that is no unit's, and how. The release before does not read it: it
    raises nothing on such a clock.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    unit: str
    rungs: tuple[Rung, ...]


class WarningPoint(BaseModel):
    """预警: a point of a clock at which people are told, its colour and to whom. ``at`` is a card as
    supervision.yaml writes it, ``due``, or ``sign_due_missed``.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    at: str
    color: str
    to: tuple[str, ...] = ()


class Terms(BaseModel):
    """The policy as it stood when a clock started. ``warn`` is a card as supervision.yaml writes it.
    ``rungs`` are climbed by whose clock it is. ``cap``: of what was granted more time for being complex.
    ``warnings``: all at which somebody is told, the card of ``warn`` among them. ``rule``: which limits of
    their own it goes by, ``law``: whose limit it is, ``upstream``: who else wants the answer by when.
    ``policy_version``: which version of the policy that was; 1 is the county's folder.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    limit: str
    warn: str | None = None
    rungs: tuple[Rung, ...] = ()
    office: Office | None = None
    cap: Cap | None = None
    warnings: tuple[WarningPoint, ...] = ()
    rule: str | None = None
    law: LegalLimit | None = None
    upstream: Upstream | None = None
    policy_version: int = 1

    @cached_property
    def listed(self) -> Mapping[str, WarningPoint]:
        """What the policy lists, by its point."""
        return {each.at: each for each in self.warnings}

    @property
    def climbed(self) -> tuple[Rung, ...]:
        """Every rung the clock climbs by itself."""
        return self.office.rungs if self.office else self.rungs


@lru_cache(maxsize=4096)
def terms_of(document: bytes) -> Terms:
    """Terms as a row keeps them, as JSON: those of most clocks are the same, and read once."""
    return Terms.model_validate_json(document)


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules in force: the limits, what the tracker alone reads, the working calendar, and who
    stands back when a unit is complained of. ``version``: which of the policy these are.
    """

    table: LimitTable
    rules: Supervision
    calendar: WorkCalendar
    recused: Callable[[Reported, str], frozenset[str]]
    version: int = field(default=1, kw_only=True)

    def terms(
        self, history: ClockHistory, matter: Matter, recused: Collection[str] = ()
    ) -> Terms | None:
        """The terms a clock starts under; None where there is no such duty. ``recused``: units that may
        hear nothing of the ticket.
        """
        limit = history.limit or self._own_limit(history, matter)
        if limit is None:
            return None
        if history.kind in DESKS:
            return self._review_terms(history, limit, recused)
        return Terms(
            limit=limit,
            warn=self._card(history, limit),
            rungs=self._rungs(history, limit),
            cap=self._cap(history, matter),
            warnings=tuple(self._warnings(history, limit)),
            rule=history.ground.rule,
            law=self._law(history),
            upstream=self._upstream(history, matter, limit),
            policy_version=self.version,
        )

    def _law(self, history: ClockHistory) -> LegalLimit | None:
        """Whose limit it is; over what runs day and night no law's prevails."""
        return None if self.table.natural(history.urgency.level) else history.ground.law

    def _upstream(self, history: ClockHistory, matter: Matter, limit: str) -> Upstream | None:
        """What an upstream platform wants of a clock; a law's limit prevails over it (JN-24(2))."""
        wanted, law = history.ground.upstream, self._law(history)
        if wanted is None or law:
            return None
        cap = str(self.rules.extension.cap_total_handle)
        longest = Cap(since=matter.registered_at, limit=cap, least=limit)
        only_shortens = Limit.parse(limit).natural or history.role is Role.CO
        return Upstream(
            due=wanted.due,
            margin=wanted.margin,
            cap=None if only_shortens else longest,
            known_at=history.terms_at,
        )

    def kind_of(self, matter: Matter, urgency: Urgency, unit: str | None = None) -> Kind:
        """By what the table decides which limits are a matter's, at a unit or of its own."""
        return self.table.kind(
            matter.type, urgency, matter.topic, matter.flags, channel=matter.channel, unit=unit
        )

    def _cap(self, history: ClockHistory, matter: Matter) -> Cap | None:
        """How long a complex matter may take in all (R-18, SD17); a redo has a limit of its own, and only a
        law's goes beyond.
        """
        if history.kind is not ClockKind.HANDLE or history.urgency.level is not Urgency.COMPLEX:
            return None
        if self._law(history):
            return None
        kind = self.kind_of(matter, Urgency.NORMAL, history.unit)
        given = self.table.stages(kind, role=history.role or Role.LEAD)
        if history.round > 1 or given.handle is None:
            return None
        cap = str(self.rules.extension.cap_total_handle)
        return Cap(since=matter.registered_at, limit=cap, least=given.handle)

    def _review_terms(self, history: ClockHistory, limit: str, recused: Collection[str]) -> Terms:
        rules = self.rules.hotline_review
        if rules is None:
            return Terms(limit=limit, warn=self._card(history, limit), policy_version=self.version)
        rungs = (self._trigger(rules.rung, "due", DESKS[history.kind]),)
        offices = (Office(unit=unit, rungs=rungs) for unit in rules.to if unit not in recused)
        return Terms(
            limit=limit,
            warn=rules.warn,
            office=next(offices, None),
            policy_version=self.version,
        )

    def title(self, rung: int) -> str:
        """What a rung is called: ``督办单 supervision order``."""
        known = self.rules.rung(rung)
        return known.title if known else f"督办第{rung}级 rung {rung}"

    def answer_due(
        self, rung: int, raised_at: datetime, unit: str | None = None
    ) -> datetime | None:
        """When a unit must have answered a rung; None where nothing says so."""
        limit = self._answer(rung)
        return self.calendar.of(unit).due(raised_at, limit).at if limit else None

    def press_at(
        self, rung: int, since: datetime, unit: str | None, answer_due: datetime | None
    ) -> datetime | None:
        """When a supervision that nobody answered is raised higher (R-32, FS): not before the answer is due;
        None where it is not. ``since``: when it was raised, or sent back.
        """
        rules = self.rules.unanswered
        if rules is None or rung >= rules.then:
            return None
        silent = self.calendar.of(unit).due(since, rules.after).at
        return max(silent, answer_due or silent)

    def extension_max(self, matter: Matter, urgency: Urgency, unit: str | None) -> Limit:
        """The most that one extension adds to the handle clock (R-18, JN-YS art. 62)."""
        stream = self.table.stream(self.kind_of(matter, urgency, unit))
        return (stream and stream.extension) or self.rules.extension.max

    def _own_limit(self, history: ClockHistory, matter: Matter) -> str | None:
        """Limit of a clock of the ticket itself: no dispatch carries it."""
        match history.kind:
            case ClockKind.DISPATCH:
                return self.table.dispatch(self.kind_of(matter, history.urgency))
            case ClockKind.CITIZEN:
                kind, law = self.kind_of(matter, history.urgency), history.ground.law
                return self.table.stages(kind, redo=history.round > 1, law=law).handle
            case (
                ClockKind.SIGN
                | ClockKind.FIRST_CONTACT
                | ClockKind.HANDLE
                | ClockKind.ATTEND
                | ClockKind.HOTLINE_REVIEW
                | ClockKind.COMPLETION_AUDIT
                | ClockKind.ARBITRATION
                | ClockKind.PROMISE
                | ClockKind.UNKNOWN
            ):
                return None
            case _:
                assert_never(history.kind)

    def _card(self, history: ClockHistory, limit: str) -> str | None:
        """The yellow card (R-31); what runs on natural time is warned as urgent tickets are, and a body of
        the ladder as its policy says.
        """
        if history.kind is ClockKind.ARBITRATION and self.rules.arbitration:
            return self.rules.arbitration.warn
        yellow = (each.at for each in self._listed(history, limit) if each.color == "yellow")
        return next(yellow, None)

    def _warnings(self, history: ClockHistory, limit: str) -> Iterator[WarningPoint]:
        """Whom of a unit is told what of its clocks, and who hears that the desk missed its own (R-31)."""
        if history.kind is ClockKind.DISPATCH and (to := self.rules.dispatch_due_missed):
            yield WarningPoint(at="due", color="red", to=to)
        if history.kind not in OF_UNITS:
            return
        for each in self._listed(history, limit):
            yield WarningPoint(at=each.at, color=each.color, to=each.to)
        if history.kind is ClockKind.SIGN and (missed := self.rules.sign_due_missed):
            yield WarningPoint(at="sign_due_missed", color=missed.color, to=missed.to)

    def _listed(self, history: ClockHistory, limit: str) -> Sequence[Warned]:
        if history.kind is ClockKind.PROMISE:
            return self.rules.promise.warnings if self.rules.promise else ()
        level = history.urgency.level
        natural = self.table.natural(level)
        if natural != Limit.parse(limit).natural:
            level = Urgency.NORMAL if natural else Urgency.URGENT
        return self.rules.points(level)

    def _rungs(self, history: ClockHistory, limit: str) -> tuple[Rung, ...]:
        match history.kind:
            case ClockKind.SIGN:
                return self._unsigned(history, limit)
            case ClockKind.ATTEND:
                return self._unattended()
            case ClockKind.PROMISE:
                return self._broken()
            case ClockKind.HANDLE:
                return (*self._after_redo(history), *self._ladder(limit))
            case (
                ClockKind.DISPATCH
                | ClockKind.CITIZEN
                | ClockKind.FIRST_CONTACT
                | ClockKind.HOTLINE_REVIEW
                | ClockKind.COMPLETION_AUDIT
                | ClockKind.ARBITRATION
                | ClockKind.UNKNOWN
            ):
                return ()
            case _:
                assert_never(history.kind)

    def _ladder(self, limit: str) -> Iterator[Rung]:
        """The rungs that an unmet clock climbs, as its terms, in the kind of time it runs on."""
        natural = Limit.parse(limit).natural
        for row in self.rules.ladder:
            if at := row.climbed_natural if natural else row.climbed_at:
                yield Rung(
                    rung=row.rung,
                    title=row.title,
                    by="ladder",
                    at=at,
                    reason=_overdue(at),
                    answer=_text(row.new_limit),
                )

    def _unsigned(self, history: ClockHistory, limit: str) -> tuple[Rung, ...]:
        if history.urgency is Urgency.CRITICAL:
            rung = self.rules.critical_unsigned
            return (self._trigger(rung, "due", "特急件未按时签收 critical and not signed in time"),)
        if (refused := self.rules.refused_to_receive) is None:
            return ()
        natural = Limit.parse(limit).natural
        after = str(refused.after.as_natural if natural else refused.after)
        return (self._trigger(refused.then, after, "拒不签收 refuses to sign for the order"),)

    def _unattended(self) -> tuple[Rung, ...]:
        if (rung := self.rules.unattended) is None:
            return ()
        return (
            self._trigger(rung, "due", "吹哨后未按时报到 whistled for and did not come in time"),
        )

    def _broken(self) -> tuple[Rung, ...]:
        if (rules := self.rules.promise) is None:
            return ()
        return (self._trigger(rules.rung, "due", "承诺到期未兑现 the promised day passed"),)

    def _after_redo(self, history: ClockHistory) -> tuple[Rung, ...]:
        redone = history.round - 1
        if history.role is not Role.LEAD or redone <= self.rules.redo.max_rounds:
            return ()
        reason = f"第{redone}次重办 sent back {redone} times"
        return (self._trigger(self.rules.redo.then, "start", reason),)

    def _trigger(self, rung: int, at: str, reason: str) -> Rung:
        answer = _text(self._answer(rung))
        title = self.title(rung)
        return Rung(rung=rung, title=title, by="trigger", at=at, reason=reason, answer=answer)

    def _answer(self, rung: int) -> Limit | None:
        known = self.rules.rung(rung)
        return known.new_limit if known else None


def _overdue(at: str) -> str:
    """Why a rung of the ladder is climbed; as the release before said it."""
    when = "red_card" if at == "due" else f"overdue_{at}"
    return f"逾期未办结（{when}） overdue and not completed ({when})"


def _text(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)
