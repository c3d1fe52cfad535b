"""诚信疑点 in supervision.yaml: which are looked for and from when on, and what they are called (R-34,
gain 6, ADR 0075). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import Field

from services.tracker.rules.machine import Sentence
from shared.events import DiscrepancyKind
from shared.jurisdiction.sections import Section

Minutes = Annotated[int, Field(ge=0, le=10_080)]


class UnreadRules(Section):
    """未查阅联系方式: so long after the call its contact may have been read (people's watches)."""

    grace_minutes: Minutes


class DatedBackRules(Section):
    """补录联系: so long after the call it may be written down, though the limit ran out meanwhile."""

    entered_after_minutes: Minutes


class ShortlyBefore(Section):
    """临期: so shortly before the due moment, in natural time."""

    within_minutes: Minutes


class HabitRules(Section):
    """习惯: from how many of a unit's in one month on."""

    count: Annotated[int, Field(ge=2, le=1_000)]


class LastMinuteRules(HabitRules, ShortlyBefore):
    """临期集中办结: many answers so shortly before the due moment."""


class HonestyRules(Section):
    """诚信疑点 in supervision.yaml (R-34, gain 6): what is left out, or false, is not looked for."""

    contact_unread: UnreadRules | None = None
    contact_dated_back: DatedBackRules | None = None
    contact_denied: bool = False
    result_denied: bool = False
    recategorised: bool = False
    redispatched_late: ShortlyBefore | None = None
    answers_alike: bool = False
    last_minute: LastMinuteRules | None = None
    signed_late: HabitRules | None = None

    def looks_for(self, kind: DiscrepancyKind) -> bool:
        """Whether such are looked for."""
        return bool(getattr(self, kind.value, None))

    def needed(self, kind: DiscrepancyKind) -> int | None:
        """How many make a habit; None of what is none, or is not looked for."""
        rules = getattr(self, kind.value, None)
        return rules.count if isinstance(rules, HabitRules) else None


def known_keys(kept: Any) -> Any:
    """The rules as they were kept, maybe by a newer release, without what this one does not look for."""
    if not isinstance(kept, Mapping):
        return kept
    return {key: value for key, value in kept.items() if key in HonestyRules.model_fields}


class DiscrepancyStatus(StrEnum):
    """Where a discrepancy stands. ``noted``: an occasion of what is one only as a habit."""

    NOTED = "noted"
    OPEN = "open"
    EXPLAINED = "explained"
    DISMISSED = "dismissed"


# --- in words ----------------------------------------------------------------------------------

TITLES: Mapping[DiscrepancyKind, Sentence] = MappingProxyType(
    {
        DiscrepancyKind.CONTACT_UNREAD: Sentence(
            "未查阅联系方式即登记联系", "Contact without a reading"
        ),
        DiscrepancyKind.CONTACT_DATED_BACK: Sentence("逾期补录联系", "Contact dated back"),
        DiscrepancyKind.CONTACT_DENIED: Sentence("诉求人称无人联系", "Citizen says nobody rang"),
        DiscrepancyKind.RESULT_DENIED: Sentence(
            "回访与办结不符", "Callback contradicts the answer"
        ),
        DiscrepancyKind.RECATEGORISED: Sentence(
            "派单后更改性质、分类或标记", "Type, topic or flags changed"
        ),
        DiscrepancyKind.REDISPATCHED_LATE: Sentence(
            "临期改派", "Dispatched anew shortly before due"
        ),
        DiscrepancyKind.ANSWERS_ALIKE: Sentence("答复雷同", "Identical answers"),
        DiscrepancyKind.LAST_MINUTE: Sentence("临期集中办结", "Many answers at the last minute"),
        DiscrepancyKind.SIGNED_LATE: Sentence("多次逾期签收", "Signed late by habit"),
    }
)
REASONS: Mapping[DiscrepancyKind, Sentence] = MappingProxyType(
    {
        DiscrepancyKind.CONTACT_UNREAD: Sentence(
            "登记了电话或短信联系，联系前本单位没有查阅联系方式的记录",
            "A call or message is on record, and no reading of the contact by the unit before it",
        ),
        DiscrepancyKind.CONTACT_DATED_BACK: Sentence(
            "联系时间填在时限之内，登记在时限之后",
            "The contact is as of a moment within the limit, and was written down after it",
        ),
        DiscrepancyKind.CONTACT_DENIED: Sentence(
            "登记了联系，诉求人表示无人联系",
            "A contact is on record, and the citizen says nobody rang",
        ),
        DiscrepancyKind.RESULT_DENIED: Sentence(
            "单位称已解决或已兑现，诉求人表示没有",
            "The unit says it is solved, or kept its promise, and the citizen says not",
        ),
        DiscrepancyKind.RECATEGORISED: Sentence(
            "派单后性质、诉求分类或标记被更改",
            "Type, topic or flags were changed after the dispatch",
        ),
        DiscrepancyKind.REDISPATCHED_LATE: Sentence(
            "到期前不久被收回或改派",
            "It was taken back, or went to another unit, shortly before it was due",
        ),
        DiscrepancyKind.ANSWERS_ALIKE: Sentence(
            "公开答复与其他诉求的答复雷同", "The public answer is that of other matters"
        ),
        DiscrepancyKind.LAST_MINUTE: Sentence(
            "到期前不久办结", "Answered shortly before it was due"
        ),
        DiscrepancyKind.SIGNED_LATE: Sentence("逾期签收", "Signed after it was due"),
    }
)
EXPLAINED = "后到的记录已能说明 What was heard later explains it"


def reason(kind: DiscrepancyKind, times: int | None = None) -> str:
    """What does not fit, in both languages; ``times``: how often, of a habit."""
    why = REASONS[kind]
    often = f"当月{times}次：" if times else ""
    counted = f", {times} times in a month" if times else ""
    return f"{often}{why.zh} {why.en}{counted}"
