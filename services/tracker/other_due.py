"""Until when a citizen waits, where a person, a law or an upstream platform changed that: each is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from services.tracker import calendars
from services.tracker.policies import versions
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord
from services.tracker.rules.changes import DatedFact, lengthened, shortened
from services.tracker.rules.clock_history import ClockHistory
from services.tracker.rules.clock_state import replay
from services.tracker.rules.policy import DESKS, Terms
from services.tracker.rules.timelines import Matter
from shared.events import ClockKind, LegalLimit


class LawChange(NamedTuple):
    """A law that was named for a ticket, or that was taken back."""

    law: LegalLimit
    withdrawn: bool = False


class Heard(NamedTuple):
    """What is new of a ticket, since when: what its own limits depend on was ``corrected``, a ``law``."""

    at: datetime
    corrected: bool = False
    law: LawChange | None = None


def told_anew(
    act: ServiceAct,
    record: TicketRecord,
    matter: Matter,
    history: ClockHistory,
    entry: ClockEntry,
    heard: Heard,
) -> DatedFact | None:
    """What is to say where an open round was given more time, by another urgency, a law, a correction or an
    upstream platform: until when the citizen waits now, whether the clock goes by that or was missed before.
    And where the law was taken back.
    """
    if history.kind is not ClockKind.CITIZEN or history.met_at or history.lost:
        return None
    if heard.law and heard.law.withdrawn:
        return _without_law(act, record, matter, history, entry, heard.law.law, heard.at)
    changed = heard.corrected or entry.row.urgency != history.urgency
    changed |= heard.law is not None and heard.law.law == history.ground.law
    if not changed or (given := terms(act, record, matter, history)) is None:
        return None
    then = replay(history, given, calendars.of_clock(act, entry.row)).state
    said = lengthened(history, entry.state, then)
    return DatedFact(heard.at, said) if said and said.due > heard.at else None


def _without_law(
    act: ServiceAct,
    record: TicketRecord,
    matter: Matter,
    history: ClockHistory,
    entry: ClockEntry,
    law: LegalLimit,
    at: datetime,
) -> DatedFact | None:
    """What is to say where a law was taken back, beside how the clock lay by it: its units may have been
    heard of first, and then it lies otherwise already.
    """
    known = calendars.of_clock(act, entry.row)
    by_law = replace(history, ground=history.ground.model_copy(update={"law": law}))
    was, now = (terms(act, record, matter, each) for each in (by_law, history))
    if was is None or now is None:
        return None
    before, then = replay(by_law, was, known).state, replay(history, now, known, entry.state).state
    said = shortened(history.kind, before, then, law)
    return DatedFact(at, said) if said else None


def terms(
    act: ServiceAct, record: TicketRecord, matter: Matter, history: ClockHistory
) -> Terms | None:
    """The terms a clock starts under, by the version that was in force then; None: there is no such duty."""
    policy, recused = versions.in_force(act, history.started_at), frozenset[str]()
    if history.kind in DESKS:
        recused = policy.recused(record.ticket.about, record.ticket.area or "")
    return policy.terms(history, matter, recused)
