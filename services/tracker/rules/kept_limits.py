"""A unit that is given a ticket again, for the same as before, goes by the limits it had (ADR 0049). Pure.

The dispatcher prints what the county's rules say that day. If those changed while another unit had the
ticket, the duty is still the one that began under the old ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from services.tracker.rules.earlier import before
from services.tracker.rules.timelines import AssignmentTimeline
from shared.jurisdiction.succession import Dissolved

LIMITS = ("sign_limit", "first_contact_limit", "handle_limit", "attend_limit")


def with_kept_limits(
    assignments: Iterable[AssignmentTimeline],
    corrected_at: datetime | None,
    dissolved: Mapping[str, Dissolved],
    firsts: Mapping[int, int],
) -> list[AssignmentTimeline]:
    """Orders of a ticket with the limits that count. Another role, urgency or law, and a correction of what
    limits depend on (``corrected_at``, the last), bring new ones.
    """
    kept: list[AssignmentTimeline] = []
    for each in sorted(assignments, key=lambda order: order.place):
        last = next(reversed(before(each, kept, dissolved, firsts)), None)
        if last and _is_for_the_same(last, each, corrected_at):
            each = each.model_copy(update=dict(_limits(last, each)))
        kept.append(each)
    return kept


def _is_for_the_same(
    last: AssignmentTimeline, order: AssignmentTimeline, corrected_at: datetime | None
) -> bool:
    same = (last.role, last.urgency, last.ground.law) == (
        order.role,
        order.urgency,
        order.ground.law,
    )
    if not same or order.terms_at:
        return False
    said_at = max(last.dispatched_at, last.terms_at or last.dispatched_at)
    return corrected_at is None or not said_at < corrected_at <= order.dispatched_at


def _limits(last: AssignmentTimeline, order: AssignmentTimeline) -> Iterable[tuple[str, str]]:
    for name in LIMITS:
        if getattr(order, name) and (limit := getattr(last, name)):
            yield name, limit
