"""等待待裁定: waits for the citizen that the desk has to rule on, what is due first (ADR 0052, 0083)."""

from __future__ import annotations

from sqlmodel import col

from services.dispatcher.models import Assignments
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.waits.schemas import WaitOut, WaitPage
from services.dispatcher.worklists import order_pages
from services.dispatcher.worklists.order_pages import OF_TICKET
from services.dispatcher.worklists.schemas import Narrowing

DUE = col(Assignments.wait_due)
ASKED = (
    DUE.is_not(None),
    col(Assignments.wait)["granted"].as_boolean().is_(None),
    col(Assignments.status) == AssignmentStatus.CONTACTED,
    OF_TICKET,
)


async def asked(act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int) -> WaitPage:
    """The list, a page of it, with counts. Raises UnknownCode, AmbiguousCode, BadCursor."""
    page = await order_pages.page(act, ASKED, DUE, narrowed, after, limit)
    items = [
        WaitOut(**each.shown, wait=each.order.wait, due=each.order.wait_due)
        for each in page.waiting
    ]
    return WaitPage(items=items, next=page.next, counts=page.counts)
