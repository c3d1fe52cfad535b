"""New dates the citizen is told of, while the round they hold for is open (BJ-15, R-18)."""

from __future__ import annotations

from datetime import datetime

from services.feedback import records
from services.feedback.records import ServiceAct
from services.feedback.usecases import inform
from shared.events import DeadlineLengthened, ExtensionGranted, Fact, Role
from shared.observability import log


async def tell_extended(act: ServiceAct, fact: Fact) -> None:
    """延期: the lead got an extension while its order was open; each is told."""
    data: ExtensionGranted = fact.data
    if data.role is Role.LEAD and data.while_open:
        await _tell(act, fact, str(data.extension), data.due)


async def tell_lengthened(act: ServiceAct, fact: Fact) -> None:
    """延长时限: the matter was found complex; told once a round."""
    data: DeadlineLengthened = fact.data
    await _tell(act, fact, "complex", data.due)


async def _tell(act: ServiceAct, fact: Fact, which: str, due: datetime) -> None:
    record = await records.locked(act, fact.subject)
    if not record.waited_for_answer(fact.round, fact.time):
        log.info("ignored: that round was over", ticket=fact.subject, round=fact.round)
        return
    on = due.astimezone(act.config.times.timezone).date()
    inform(act, record, fact.round, "extended", which=which, on=on)
