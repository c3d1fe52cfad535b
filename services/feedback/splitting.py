"""拆分: one call, several matters: who called is told once, and asked of each by its name (ADR 0058)."""

from __future__ import annotations

from services.feedback import records, usecases
from services.feedback.records import ServiceAct
from shared.events import Fact, TicketSplit


async def tell_split(act: ServiceAct, fact: Fact) -> None:
    """The citizen hears that several units see to what was said in one call, once for each time the desk
    split it; no matter of it says by itself that it was accepted.
    """
    data: TicketSplit = fact.data
    record = await records.locked(act, fact.subject)
    record.ticket.matter = data.title
    count = len(data.matters) + 1
    usecases.inform(act, record, 1, "split", which=data.matters[0], count=count)
