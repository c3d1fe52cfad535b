"""supervision.yaml, which the tracker alone reads: cards, the ladder, redo, extensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from services.tracker.rules.extending import ExtensionRules, NaturalLimit
from services.tracker.rules.honesty import HonestyRules
from services.tracker.rules.people import Addressee, OfOffice, Told
from services.tracker.rules.referral import RUNG as REFERRAL
from shared.errors import JiesuError
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit, WorkCalendar
from shared.jurisdiction.codes import UnitCode, Units
from shared.jurisdiction.sections import (
    LimitText,
    Section,
    Where,
    Words,
    WorkingDays,
    refuse,
    unknown_code,
)

CardPoint = Annotated[
    str, Field(pattern=r"^([1-9]\d?%_elapsed|[1-9]\d{0,3}(wd|wh|h|min)_before_due)$")
]
RungNumber = Annotated[int, Field(ge=1, le=7)]


def card_point(
    at: str, calendar: WorkCalendar, start: datetime, due: datetime, *, natural: bool = True
) -> datetime | None:
    """When a warning is given (预警, R-31), such as ``1wd_before_due``; None when that is not after the
    start. ``natural``: whether the clock's share of time is of days and nights, or of duty hours.
    """
    amount, _, measure = at.partition("_")
    if measure == "elapsed":
        share = int(amount.removesuffix("%")) / 100
        spent = calendar.working_seconds_between(start, due) * share
        point = (
            start + (due - start) * share if natural else calendar.add_working_seconds(start, spent)
        )
    else:
        point = calendar.before(due, Limit.parse(amount))
    return point if point > start else None


class Notice(Section):
    """预警: the colour of a card, and to whom it says so (R-31)."""

    color: Literal["none", "yellow", "red"] = "yellow"
    to: tuple[Addressee, ...] = ()


class Warned(Notice):
    """A point of a clock at which people are told; ``due`` is the red card itself."""

    at: CardPoint | Literal["due"]


def _listed(given: str | tuple[Warned, ...]) -> tuple[Warned, ...]:
    """As the release before wrote it: the yellow card alone."""
    return (Warned(at=given),) if isinstance(given, str) else given


def _once(points: tuple[Warned, ...]) -> tuple[Warned, ...]:
    """Raises ValueError for a point that stands twice, and a red card that is not the due moment's."""
    if len({each.at for each in points}) < len(points):
        raise ValueError("同一时点出现两次 a point stands here twice")
    if any((each.color == "red") != (each.at == "due") for each in points):
        raise ValueError("红牌只在到期时 the red card is shown at `due`, and only there")
    return points


WarnedAt = Annotated[
    Annotated[CardPoint, Tag("card")] | Annotated[tuple[Warned, ...], Tag("points")],
    Discriminator(lambda given: "card" if isinstance(given, str) else "points"),
    AfterValidator(_listed),
    AfterValidator(_once),
]


class SupervisionByRule(JiesuError):
    """What the ladder or a trigger raised is no person's mistake: it falls away with its cause, or is
    closed with its order.
    """

    status = 409
    slug = "supervision-by-rule"
    title = "按规定发起的督办不能由人撤回 What a rule raised no person withdraws"


class LadderRung(Section):
    """A rung of the ladder: 催办, 督办单, 一把手督办 … (R-30, R-32). One without ``when`` is for people
    to raise (R-33). ``led_by_head``: the head of the unit leads in person, and an answer says who did (SEED).
    ``to``: who is told of it.
    """

    rung: RungNumber
    zh: Words
    en: Words
    when: Annotated[str, Field(pattern=r"^(red_card|overdue_[1-9]\d{0,2}wd)$")] | None = None
    when_natural: Annotated[str, Field(pattern=r"^overdue_[1-9]\d{0,3}(h|min)$")] | None = None
    new_limit: LimitText | None = None
    led_by_head: bool = False
    to: Annotated[tuple[Addressee, ...], Field(min_length=1)] = ("liaison",)

    @property
    def title(self) -> str:
        """Name for people: ``催办 written reminder``."""
        return f"{self.zh} {self.en}"

    @model_validator(mode="after")
    def _natural_beside_working(self) -> Self:
        if self.when_natural and (self.when is None or self.when == "red_card"):
            refuse(
                [(("when_natural",), "须与 when 的 overdue_… 同用 goes with a `when` of overdue_…")]
            )
        return self

    @property
    def climbed_at(self) -> str | None:
        """When an unmet clock climbs here: ``due``, or working days after it, such as ``3wd``."""
        if self.when is None:
            return None
        return "due" if self.when == "red_card" else self.when.removeprefix("overdue_")

    @property
    def climbed_natural(self) -> str | None:
        """The same of a clock that runs day and night: its working days are days, unless the policy says
        otherwise (``72h``).
        """
        if self.climbed_at in (None, "due"):
            return self.climbed_at
        if self.when_natural:
            return self.when_natural.removeprefix("overdue_")
        return str(Limit.parse(self.climbed_at).as_natural)


class RedoRules(Section):
    """重办: how many redo rounds there are, and the rung that follows the last (R-27, SD17)."""

    max_rounds: Annotated[int, Field(ge=0, le=100)]
    then: RungNumber


class ClusterRules(Section):
    """集中反映: so many reporters of one matter within so many days raise a rung (JN-28)."""

    count: Annotated[int, Field(ge=2, le=1_000)]
    window_days: Annotated[int, Field(ge=1, le=365)]
    then: RungNumber

    def reached(self, registered: Iterable[datetime]) -> bool:
        """Whether so many of these reports came within the window."""
        moments, window = sorted(registered), timedelta(days=self.window_days)
        pairs = zip(moments, moments[self.count - 1 :], strict=False)
        return any(last - first <= window for first, last in pairs)


class RefusedRules(Section):
    """拒不签收: so long after an order was to be signed for, who has not signed refuses it (WF-26(1),
    JN-40(1)), and the rung; who got it again, so long after that at the earliest (ADR 0078). Of a limit that
    runs day and night a working day is 24 hours.
    """

    after: LimitText
    then: RungNumber


class UnansweredRules(Section):
    """催办后无正当理由仍逾期: so long after a supervision of an overdue order, without an answer, which rung
    (R-32, FS).
    """

    after: LimitText
    then: RungNumber


class ReviewRules(Section):
    """申请审核: when the desk, which has to rule on a request, is warned; to which rung it is raised at its
    due moment, and before whom: the first of ``to`` who may hear of the ticket (R-35).
    """

    warn: CardPoint
    rung: RungNumber
    to: Annotated[tuple[UnitCode, ...], Field(min_length=1)]


class BodyRules(Section):
    """争议裁决: when the body that has to rule is warned (R-17)."""

    warn: CardPoint


class PromiseRules(Section):
    """承诺办结: when people hear of a promised day, and the rung of who lets it pass (R-19)."""

    warnings: Annotated[tuple[Warned, ...], AfterValidator(_once)]
    rung: RungNumber


class RiskRules(Section):
    """风险报告: who is told of a danger at once (R-38, BJ-29), and within how long, by day and night, that
    office says who has taken it up; without a limit where that is left out.
    """

    to: OfOffice
    acknowledge_within: NaturalLimit | None = None


def _office_alone(given: object) -> object:
    """As folders wrote it before there was anything to say beside."""
    return {"to": given} if isinstance(given, str) else given


RiskReport = Annotated[RiskRules, BeforeValidator(_office_alone)]


def _hours(anchor: str | None) -> float:
    """How long after the due moment, by which rungs are ordered."""
    if anchor in (None, "due"):
        return 0.0
    limit = Limit.parse(anchor).as_natural
    return limit.seconds / 3600


Basis = Literal["due", "judged"]


class FigureRules(Section):
    """统计口径: by what on-time rates are counted, unless another is asked for; and the limit of the law that
    days saved are counted against (审批压缩), none where it is left out.
    """

    on_time_by: Basis = "due"
    legal_limit: WorkingDays | None = None

    @field_validator("legal_limit")
    @classmethod
    def _whole(cls, limit: Limit | None) -> Limit | None:
        if limit and not limit.amount.is_integer():
            raise ValueError("应为整工作日 must be whole working days, such as 5wd")
        return limit


LATER = "须晚于下一级 must be later than the rung below, or that one is climbed in vain"
BY_TWO = "移送须由两人决定 a referral is decided by two people, never by a rule"


class Supervision(Section):
    """When it is warned, what makes a supervision, and what an extension may be. ``dispatch_due_missed``: who
    hears that the desk has not dispatched in time (R-31). ``unattended``: the rung of who was whistled for
    and did not come in time (吹哨报到, R-47); none where it is left out. ``leader_instruction``: the rung of
    a leader's word on a ticket (领导批示, WH); ``stale_knowledge``: of an entry of the knowledge base that is
    out of date (R-39); ``barred_return``: of who would return what a ruling gave it (WF-22).
    ``joint_supervision``: who may be named on one supervision (联合督办).
    """

    warnings: Mapping[Urgency, WarnedAt]
    sign_due_missed: Notice | None = None
    dispatch_due_missed: tuple[OfOffice, ...] = ()
    ladder: tuple[LadderRung, ...]
    critical_unsigned: RungNumber
    redo: RedoRules
    extension: ExtensionRules
    cluster_of_reporters: ClusterRules | None = None
    hotline_review: ReviewRules | None = None
    arbitration: BodyRules | None = None
    unattended: RungNumber | None = None
    promise: PromiseRules | None = None
    leader_instruction: RungNumber | None = None
    stale_knowledge: RungNumber | None = None
    refused_to_receive: RefusedRules | None = None
    barred_return: RungNumber | None = None
    unanswered: UnansweredRules | None = None
    risk_of_incident: RiskReport | None = None
    joint_supervision: tuple[OfOffice, ...] = ()
    told: Told = Told()
    figures: FigureRules = FigureRules()
    honesty: HonestyRules = HonestyRules()

    @field_validator("ladder")
    @classmethod
    def _from_the_lowest(cls, ladder: tuple[LadderRung, ...]) -> tuple[LadderRung, ...]:
        if len({row.rung for row in ladder}) < len(ladder):
            raise ValueError("同一层级出现两次 a rung stands here twice")
        return tuple(sorted(ladder, key=lambda row: row.rung))

    @model_validator(mode="after")
    def _on_the_ladder(self) -> Self:
        refuse(
            (where, f"督办层级中没有 no rung {number} on the ladder")
            for where, number in self._named().items()
            if self.rung(number) is None
        )
        refuse((where, BY_TWO) for where, number in self._named().items() if number == REFERRAL)
        refuse(
            (("ladder", at, "when"), BY_TWO)
            for at, row in enumerate(self.ladder)
            if row.rung == REFERRAL and row.when
        )
        refuse(self._never_climbed())
        return self

    @model_validator(mode="after")
    def _ruled_on(self) -> Self:
        second = self.extension.second
        if second and not self.told.offices(second.by):
            where = ("extension", "second", "by")
            refuse([(where, f"told.{second.by} 未列机构 names no office")])
        return self

    def _never_climbed(self) -> Iterator[tuple[Where, str]]:
        """A rung that would be climbed when a higher one stands already is raised by nobody."""
        before = dict.fromkeys(("when", "when_natural"), -1.0)
        for at, row in enumerate(self.ladder):
            if row.climbed_at is None:
                continue
            waits = {"when": _hours(row.climbed_at), "when_natural": _hours(row.climbed_natural)}
            for key, hours in waits.items():
                if hours <= before[key]:
                    yield ("ladder", at, key), LATER
            before = waits

    def _named(self) -> Mapping[Where, int]:
        """The rungs that triggers lead to, by where they are named."""
        named: dict[Where, int | None] = {
            ("critical_unsigned",): self.critical_unsigned,
            ("redo", "then"): self.redo.then,
            ("unattended",): self.unattended,
            ("leader_instruction",): self.leader_instruction,
            ("stale_knowledge",): self.stale_knowledge,
            ("barred_return",): self.barred_return,
        }
        for name in ("cluster_of_reporters", "refused_to_receive", "unanswered"):
            if rules := getattr(self, name):
                named[name, "then"] = rules.then
        for name in ("promise", "hotline_review"):
            if rules := getattr(self, name):
                named[name, "rung"] = rules.rung
        return {where: rung for where, rung in named.items() if rung is not None}

    @property
    def climbed(self) -> tuple[LadderRung, ...]:
        """The rungs a clock climbs by itself, lowest first."""
        return tuple(row for row in self.ladder if row.when)

    def points(self, level: Urgency) -> tuple[Warned, ...]:
        """At which points of a clock who is told; of an urgency not named nobody is."""
        return _listed(self.warnings.get(level, ()))

    def rung(self, number: int) -> LadderRung | None:
        """A rung by its number, None when the ladder has none."""
        return next((row for row in self.ladder if row.rung == number), None)


def offices_exist(supervision: Supervision, units: Units) -> Iterator[tuple[str, Where, str]]:
    """A check between files: whom the desk is raised before, and whoever is told beside the units' people,
    stands in the table of units.
    """
    named = {("hotline_review", "to"): supervision.hotline_review and supervision.hotline_review.to}
    named |= {("told", role): supervision.told.offices(role) for role in get_args(OfOffice)}
    known = [unit.code for unit in units.units]
    for where, offices in named.items():
        for at, code in enumerate(offices or ()):
            if code not in known:
                yield "supervision", (*where, at), unknown_code(code, known)
