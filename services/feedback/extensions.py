"""New dates the citizen is told of, while the round they hold for is open (BJ-15, R-18)."""

from __future__ import annotations

from datetime import datetime
from typing import Unpack

from services.feedback import records
from services.feedback.records import ServiceAct
from services.feedback.rules import messages
from services.feedback.usecases import inform
from shared.events import DeadlineLengthened, DeadlineShortened, ExtensionGranted, Fact, Role
from shared.observability import log


async def tell_extended(act: ServiceAct, fact: Fact) -> None:
    """延期: the lead got an extension while its order was open; each is told."""
    data: ExtensionGranted = fact.data
    if data.role is Role.LEAD and data.while_open:
        await _tell(act, fact, str(data.extension), data.due)


async def tell_lengthened(act: ServiceAct, fact: Fact) -> None:
    """延长时限: the matter was found complex or less urgent, it was put right, a law with a longer limit was
    named (JN-24(2)), or the platform that passed it on gives more time; each longer limit is told once a
    round.
    """
    data: DeadlineLengthened = fact.data
    which, details = f"limit {data.limit}", messages.Details()
    if data.upstream_due:
        which = f"upstream {data.upstream_due:%Y%m%dT%H%M%z}"
    if law := data.law:
        which = f"law {law.limit} {fact.time:%Y%m%dT%H%M%S}"
        details = messages.Details(law=law.law, article=law.article)
    await _tell(act, fact, which, data.due, **details)


async def tell_shortened(act: ServiceAct, fact: Fact) -> None:
    """恢复时限: a law that was named wrongly was taken back; who was told of its time is told again."""
    data: DeadlineShortened = fact.data
    which = f"no law {fact.time:%Y%m%dT%H%M%S}"
    named = messages.Details(law=data.law.law, article=data.law.article, withdrawn=True)
    await _tell(act, fact, which, data.due, **named)


async def _tell(
    act: ServiceAct,
    fact: Fact,
    which: str,
    due: datetime,
    **details: Unpack[messages.Details],
) -> None:
    record = await records.locked(act, fact.subject)
    if not record.waited_for_answer(fact.round, fact.time):
        log.info("ignored: that round was over", ticket=fact.subject, round=fact.round)
        return
    on = due.astimezone(act.config.times.timezone).date()
    details |= messages.Details(day=on) if details else messages.Details(on=on)
    inform(act, record, fact.round, "extended", which=which, **details)
