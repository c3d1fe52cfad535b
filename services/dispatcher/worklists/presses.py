"""催促待处理: silent co-handlers the desk is to see to, until their units move (R-13; ADR 0049, 0052)."""

from __future__ import annotations

from sqlmodel import col

from services.dispatcher.models import Assignments
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules import assignment as machine
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.worklists import order_pages
from services.dispatcher.worklists.order_pages import OF_TICKET, Waiting
from services.dispatcher.worklists.schemas import Narrowing, PressOut, PressPage

DUE = col(Assignments.pressed_due)
# Who asks to return its order is silent no more: it stands among the returns.
PRESSED = (
    col(Assignments.pressed).is_not(None),
    col(Assignments.status).in_((AssignmentStatus.DISPATCHED, *machine.HANDLING)),
    OF_TICKET,
)


async def pressed(act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int) -> PressPage:
    """The list, a page of it, with counts. Raises UnknownCode, AmbiguousCode, BadCursor."""
    page = await order_pages.page(act, PRESSED, DUE, narrowed, after, limit)
    items = [_press_out(each) for each in page.waiting]
    return PressPage(items=items, next=page.next, counts=page.counts)


def _press_out(waiting: Waiting) -> PressOut:
    asked = waiting.order.pressed or {}
    return PressOut(
        **waiting.shown,
        **waiting.order.model_dump(include={"role", "status", "handler"}),
        by=asked["by"],
        note=asked["note"],
        pressed_at=asked["at"],
        due=waiting.order.pressed_due,
    )
