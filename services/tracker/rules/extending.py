"""What an extension may be by the policy, and what was granted (R-18, SD17, ADR 0082)."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator

from services.tracker.rules.promised import Instant
from shared.events import Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.sections import LimitText, Section, WorkingDays


def _natural(limit: Limit) -> Limit:
    if not limit.natural:
        raise ValueError("应为自然时间 write natural time: 4h or 30min")
    return limit


NaturalLimit = Annotated[LimitText, AfterValidator(_natural)]


class SecondExtension(Section):
    """再次延期 (SD17): how long at the most, and which office rules on it."""

    max: WorkingDays
    by: Literal["county_government_office", "county_leader"]


class ExtensionRules(Section):
    """延期 (R-18, SD17): how long, how long before the due moment, and for what not.

    ``apply_at_latest_before_natural``: how long before that of a clock that runs day and night. ``second``:
    what may be asked for after a first was granted; nothing where it is left out.
    """

    max: WorkingDays
    cap_total_handle: LimitText
    apply_at_latest_before: LimitText
    apply_at_latest_before_natural: NaturalLimit | None = None
    not_for: frozenset[Urgency]
    second: SecondExtension | None = None

    def margin(self, limit: Limit) -> Limit:
        """How long before the due moment it must be asked for, in the kind of time the limit runs on."""
        if not limit.natural:
            return self.apply_at_latest_before
        return self.apply_at_latest_before_natural or self.apply_at_latest_before.as_natural


class Grant(NamedTuple):
    """延期批准: so many working days, granted when, and by which office; none where a supervisor did."""

    at: Instant | None
    days: int
    office: str | None = None
