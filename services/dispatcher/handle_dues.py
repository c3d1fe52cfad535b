"""办理时限到期: by when the tracker says that orders are to be handled, for whoever acts on them and whoever
reads what may be done: a unit that gets an order again has less time than is printed on it (ADR 0049).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam
from sqlmodel import col, select

from services.dispatcher.models import Assignment, Clocks
from services.dispatcher.rules.assignment import HANDLING, AssignmentStatus
from services.dispatcher.settings import Config
from shared.events import ClockKind
from shared.storage.act import Act

KNOWN = "by when orders are to be handled"  # where an act remembers it
MAY_WAIT = (*HANDLING, AssignmentStatus.RETURN_REQUESTED)
SAID = select(Clocks.assignment, Clocks.due).where(
    col(Clocks.ticket) == any_(bindparam("numbers", type_=ARRAY(Text))),
    Clocks.kind == ClockKind.HANDLE,
)


async def load(act: Act[Config], orders: Iterable[Assignment]) -> None:
    """Of orders whose citizen may be waited for, now or when the act is done; where somebody asks: a fact
    that is heard does not.
    """
    numbers = {each.ticket for each in orders if each.status in MAY_WAIT}
    if act.caller is None or act.config.returns.awaiting_citizen is None or not numbers:
        return
    rows = (await act.session.exec(SAID, params={"numbers": sorted(numbers)})).all()
    _known(act).update((order, due) for order, due in rows if due)


def of(act: Act[Config], order: UUID) -> datetime | None:
    """Of an order whose ticket was loaded; None while the tracker has said nothing."""
    return _known(act).get(order)


def _known(act: Act[Config]) -> dict[UUID, datetime]:
    known: dict[UUID, datetime] = act.locked.setdefault(KNOWN, {})
    return known
