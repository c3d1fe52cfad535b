"""New dates the citizen is told of, while the round they hold for is open (BJ-15, R-18)."""

from __future__ import annotations

from datetime import datetime

from services.feedback import records
from services.feedback.records import ServiceAct
from services.feedback.rules import messages
from services.feedback.usecases import inform
from shared.events import DeadlineLengthened, ExtensionGranted, Fact, LegalLimit, Role
from shared.observability import log


async def tell_extended(act: ServiceAct, fact: Fact) -> None:
    """延期: the lead got an extension while its order was open; each is told."""
    data: ExtensionGranted = fact.data
    if data.role is Role.LEAD and data.while_open:
        await _tell(act, fact, str(data.extension), data.due)


async def tell_lengthened(act: ServiceAct, fact: Fact) -> None:
    """延长时限: the matter was found complex or less urgent, it was put right, or a law with a longer limit
    was named (JN-24(2)); each longer limit is told once a round.
    """
    data: DeadlineLengthened = fact.data
    which = f"law {data.law.limit}" if data.law else f"limit {data.limit}"
    await _tell(act, fact, which, data.due, data.law)


async def _tell(
    act: ServiceAct, fact: Fact, which: str, due: datetime, law: LegalLimit | None = None
) -> None:
    record = await records.locked(act, fact.subject)
    if not record.waited_for_answer(fact.round, fact.time):
        log.info("ignored: that round was over", ticket=fact.subject, round=fact.round)
        return
    on = due.astimezone(act.config.times.timezone).date()
    if law:
        named = messages.Details(day=on, law=law.law, article=law.article)
        inform(act, record, fact.round, "extended", which=which, **named)
        return
    inform(act, record, fact.round, "extended", which=which, on=on)
