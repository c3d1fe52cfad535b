"""试算: how a clock that began in the past would stand under another policy. Pure.

Its own history is played again: the same acts at the same moments, under other limits, warnings and rungs. A
clock that another policy gives the same terms stands as it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from services.tracker.rules.calendars import Calendars
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import ClockState, pass_due_marks, replay
from services.tracker.rules.layout import DUE, WARN
from services.tracker.rules.machine import ClockStatus
from services.tracker.rules.policy import Policy, Terms
from services.tracker.rules.timelines import Matter
from shared.events import ClockKind, Role, Urgency

# Limits that an order prints, by the clocks they are of; other files say the rest.
PRINTED: Mapping[ClockKind, str] = MappingProxyType(
    {
        ClockKind.SIGN: "sign",
        ClockKind.FIRST_CONTACT: "first_contact",
        ClockKind.HANDLE: "handle",
    }
)
NOT_MODELLED: tuple[tuple[str, str], ...] = (
    (
        "人的行为不变：签收、联系、办结、延期批准均按当时时刻计算，不因期限变短或变长而改变",
        "People act as they did: who has less time, or more, signs and answers at the same moments",
    ),
    (
        "原先没有、草稿新设的时限不计入；人工督办和集中反映触发的督办不计入",
        "Duties the draft adds where there were none, and supervision by hand or by many reporters",
    ),
    (
        "高级别督办抑制低级别督办的规则不计入：每个时限单独计算",
        "That a rung which stands keeps back a lower one of another clock: each clock is counted alone",
    ),
    (
        "其他文件规定的时限（报到、申请审核、办结审核、裁决、承诺）照旧；订正不使期限提前的保护不计入",
        "Limits of other files (to come, reviews, audits, arbitration, promises) stay as they were; that a "
        "correction makes nothing late before it was made is left out",
    ),
)


class Stood(NamedTuple):
    """What became of a clock: late, warned by a yellow card, pressed by a rung of its own."""

    late: bool
    warned: bool
    supervised: bool

    @classmethod
    def of(cls, passed: Collection[str]) -> Stood:
        """Of the marks it passed; where there is no such duty, it passed none."""
        return cls(DUE in passed, WARN in passed, any(":" in mark for mark in passed))


class KnownTerms:
    """The terms clocks would begin under, each worked out once for all that are alike."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Terms | None] = {}

    def under(
        self, policy: Policy, history: ClockHistory, matter: Matter, recused: frozenset[str]
    ) -> Terms | None:
        """The terms a clock would begin under; None where there would be no such duty."""
        ground = history.ground
        if ground.upstream or history.urgency.level is Urgency.COMPLEX:
            return terms_under(policy, history, matter, recused)  # moments of its own are in them
        like = (
            *(policy.version, history.kind, history.round, history.urgency, history.limit),
            *(history.role, history.unit, ground.rule, ground.law, recused),
            *(matter.type, matter.topic, matter.flags, matter.channel),
        )
        if like not in self._known:
            self._known[like] = terms_under(policy, history, matter, recused)
        return self._known[like]


def terms_under(
    policy: Policy, history: ClockHistory, matter: Matter, recused: Collection[str]
) -> Terms | None:
    """The terms a clock would begin under; None where there would be no such duty."""
    if (stage := PRINTED.get(history.kind)) and history.limit:
        wanted = history.ground.upstream
        printed = policy.table.stages(
            policy.kind_of(matter, history.urgency, history.unit),
            redo=history.round > 1,
            role=history.role or Role.LEAD,
            law=history.ground.law,
            upstream_due=wanted.due if wanted else None,
        )
        history = replace(history, limit=getattr(printed, stage), ground=printed)
        if history.limit is None:
            return None
    terms = policy.terms(history, matter, recused)
    return terms and terms.model_copy(update={"policy_version": 0})  # whose terms it is not about


def under(history: ClockHistory, terms: Terms, calendars: Calendars, now: datetime) -> ClockState:
    """How a clock would stand by now."""
    state = replay(history, terms, calendars).state
    if state.status is ClockStatus.RUNNING:
        state = pass_due_marks(state, calendars, now).state
    return state
