"""机构改革: what may be proposed, by whom it may be approved, and whose an order is then (ADR 0056). Pure.

proposed ── approve ──→ approved ── its moment comes ──→ in_force ── nothing is left ──→ done
    └──────── withdraw ──────┴──→ withdrawn
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from services.dispatcher.rules.reasons import Names, Reason
from shared.caller import person
from shared.errors import JiesuError, Malformed, MoveRefused
from shared.jurisdiction.codes import Units
from shared.jurisdiction.succession import closure

Kind = Literal["merge", "rename", "split"]
KINDS: Mapping[Kind, str] = {"merge": "并入", "rename": "更名为", "split": "分设为"}


class ReformRefused(JiesuError):
    """A reform that may not be; the subclasses say why."""

    status = 409


class ReformCircle(ReformRefused):
    """Who follows a unit would be followed by it: its orders would have no place to go."""

    slug = "reform-circle"
    title = "承接关系成环，不能成立 A unit may not follow itself, by whatever way"


class UnitDissolved(ReformRefused):
    """The unit is no more; ``successors`` has who follows it."""

    slug = "unit-dissolved"
    title = "该单位已撤并、更名或分设，请改用承接单位 The unit is no more: name who follows it"


class ReformPending(ReformRefused):
    """The unit has a reform that is proposed or approved: ``reform``."""

    slug = "reform-pending"
    title = (
        "该单位已有待生效的改革方案，请先撤回 The unit has a reform that waits: withdraw that first"
    )


class NotInUnits(ReformRefused):
    """units.yaml names other successors of the unit: who follows it has to stand back from what it has to,
    and every service goes by that file. ``stands`` has what stands there.
    """

    slug = "reform-not-in-units"
    title = (
        "units.yaml 中该单位的 successors 与方案不一致，请先登记并 make reload "
        "units.yaml does not name these successors of the unit: write them there first, then reload"
    )


class OwnReform(JiesuError):
    """Two persons decide a reform: who proposed it may not approve it."""

    status = 403
    slug = "own-reform"
    title = "方案须由另一人批准 A reform is approved by another person than who proposed it"


class UnitSplit(Malformed):
    """The unit was split: whoever means one of those that follow it says which, of ``allowed``."""

    slug = "unit-split"
    title = "该单位已分设，请写明承接单位 The unit was split: name who follows it"


class BeingTransferred(JiesuError):
    """The assignment is being moved to the unit that follows: ask again in a second."""

    status = 503
    slug = "being-transferred"
    title = "正在移交给承接单位，请稍后重试 It is being moved to you: ask again in a second"

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class NoRemainder(Malformed):
    """Of a split everything must be somebody's: who gets what no part names stands in ``remainder``."""

    slug = "reform-without-remainder"
    title = "分设须写明其余事项的承接单位 remainder A split names who gets the remainder"


class ReformStatus(StrEnum):
    """Where a reform stands; SENTENCES says who moves it from there."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    IN_FORCE = "in_force"
    DONE = "done"
    WITHDRAWN = "withdrawn"


SENTENCES: Mapping[ReformStatus, tuple[str, str]] = {
    ReformStatus.PROPOSED: (
        "待批准：由另一人批准，或撤回",
        "Another person must approve it, or somebody withdraws it",
    ),
    ReformStatus.APPROVED: (
        "已批准：到生效时间自动生效，此前可撤回",
        "It takes effect at its moment; until then it can be withdrawn",
    ),
    ReformStatus.IN_FORCE: (
        "已生效：在办工单正在移交",
        "It is in force: the open orders are being moved",
    ),
    ReformStatus.DONE: (
        "已完成：在办工单全部移交",
        "Every open order was moved; what still comes to the unit follows them",
    ),
    ReformStatus.WITHDRAWN: ("已撤回：不再生效", "It was withdrawn; nobody moves it"),
}
MOVES: Mapping[ReformStatus, Sequence[str]] = {
    ReformStatus.PROPOSED: ("approve", "withdraw"),
    ReformStatus.APPROVED: ("withdraw",),
    ReformStatus.IN_FORCE: (),
    ReformStatus.DONE: (),
    ReformStatus.WITHDRAWN: (),
}


def reform_status(
    approved: datetime | None,
    in_force: datetime | None,
    done: datetime | None,
    withdrawn: datetime | None,
) -> ReformStatus:
    """Where a reform stands by what happened to it."""
    if withdrawn:
        return ReformStatus.WITHDRAWN
    if done:
        return ReformStatus.DONE
    if in_force:
        return ReformStatus.IN_FORCE
    return ReformStatus.APPROVED if approved else ReformStatus.PROPOSED


def check_move(action: str, status: ReformStatus) -> None:
    """Raises MoveRefused."""
    if action not in MOVES[status]:
        raise MoveRefused(action, status, list(MOVES[status]))


def check_other_person(proposed_by: str, approving: str) -> None:
    """Raises OwnReform. Actors are ``role:name``: one person in two roles is one person."""
    if person(proposed_by) == person(approving):
        raise OwnReform(proposed_by=proposed_by)


class Part(NamedTuple):
    """One successor's part of a split unit: by topic, by area, or by both; empty is any."""

    unit: str
    topics: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a unit."""

    kind: Kind
    unit: str
    into: str | None = None
    parts: tuple[Part, ...] = ()
    remainder: str | None = None

    @property
    def successors(self) -> tuple[str, ...]:
        """Who follows the unit, each once; of a split who gets the remainder is the last."""
        named = (self.into, *(part.unit for part in self.parts), self.remainder)
        return tuple(dict.fromkeys(unit for unit in named if unit))


def check_form(plan: Plan) -> None:
    """A merger and a new name have one successor; a split has parts, each with a topic or an area, and
    says whose the rest is. Raises Malformed, NoRemainder.
    """
    if plan.kind != "split":
        if plan.into is None or plan.parts or plan.remainder:
            raise Malformed(
                "撤并、更名只写一个承接单位 a merger or a new name has one successor, into",
                field="into",
            )
        return
    if plan.into is not None:
        raise Malformed("分设不写 into a split has parts, no into", field="into")
    if not plan.parts or any(not (part.topics or part.areas) for part in plan.parts):
        raise Malformed(
            "分设的每一部分须写明事项或区域 each part of a split names topics or areas",
            field="parts",
        )
    if plan.remainder is None:
        raise NoRemainder(field="remainder")


def check(
    plan: Plan, units: Units, followed: Mapping[str, Collection[str]], gone: Collection[str]
) -> None:
    """Whether a unit can be followed so. ``followed``: who follows whom by the reforms that stand;
    ``gone``: the units that are no more by them.

    Raises ReformCircle, UnitDissolved, NotInUnits.
    """
    for unit in (plan.unit, *plan.successors):
        if unit in gone:
            raise UnitDissolved(unit=unit, successors=sorted(followed.get(unit, ())))
    known = {unit.code: {*unit.successors, *followed.get(unit.code, ())} for unit in units.units}
    reached = frozenset().union(
        *(closure(each, lambda one: known.get(one, ())) for each in plan.successors)
    )
    if plan.unit in reached:
        raise ReformCircle(unit=plan.unit, successors=list(plan.successors))
    own = units.unit(plan.unit)
    stands = own.successors if own else ()
    if set(stands) != set(plan.successors):
        raise NotInUnits(unit=plan.unit, successors=list(plan.successors), stands=list(stands))


# --- in words ----------------------------------------------------------------------------------


def taken_over(unit: str, successor: str, names: Names) -> Reason:
    """承接: what units and the desk are told of an order that goes on elsewhere."""
    return Reason(
        f"“{names.unit(unit)}”已撤并、更名或分设，由“{names.unit(successor)}”承接，时限不变",
        f"{unit} is no more: {successor} goes on with it, within the same limits",
    )


def undecided(unit: str, successors: Iterable[str], names: Names) -> Reason:
    """An order of a split unit that several successors, or none that may have it, could take."""
    among = "、".join(map(names.unit, successors))
    return Reason(
        f"“{names.unit(unit)}”已撤并或分设（{among}），本单由谁承接须人工指定",
        f"{unit} is no more: who of its successors goes on with this, a person must say",
    )


def must_stand_back(unit: str, successor: str, names: Names) -> Reason:
    """回避: the successor may not have what the unit had. Whom it is about is not said to any unit."""
    return Reason(
        f"“{names.unit(unit)}”的承接单位“{names.unit(successor)}”须回避，须人工指定",
        f"{successor}, which follows {unit}, must withdraw: a person must say",
    )
