"""试算: past tickets' clocks under a draft, beside how they stand; rows are read and none is changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlmodel import col, select

from services.tracker import calendars, records
from services.tracker.models import Tickets
from services.tracker.policies import versions, views
from services.tracker.policies.schemas import (
    Beside,
    ClockBeside,
    Counts,
    KindBeside,
    SimulationIn,
    SimulationOut,
    UnitBeside,
)
from services.tracker.records import ClockEntry, ServiceAct, TicketRecord
from services.tracker.rules.clock_history import ClockHistory, clock_histories
from services.tracker.rules.clock_state import ClockState
from services.tracker.rules.policy import DESKS
from services.tracker.rules.resuming import resumed
from services.tracker.rules.simulation import NOT_MODELLED, Stood, terms_under, under
from services.tracker.settings import Config
from shared.http.fields import Sentence
from shared.trials import one_trial

EXAMPLES = 50
AT_ONCE = 100  # tickets in a thread's hands


class Tried(NamedTuple):
    """One clock as it stands, and under the draft; ``then`` None: no such duty."""

    number: str
    entry: ClockEntry
    changed: bool
    then: ClockState | None

    @property
    def before(self) -> Stood:
        """What became of it."""
        return Stood.of(self.entry.state)

    @property
    def after(self) -> Stood:
        """What would have become of it."""
        return Stood.of(self.then)


async def simulate(act: ServiceAct, body: SimulationIn) -> SimulationOut:
    """What a draft would have made of the clocks of tickets registered in a period, a page of tickets at a
    time; worked out in a thread, a few at a time, so that clocks fire meanwhile. Raises NotFound, BadCursor,
    TrialRuns.
    """
    with one_trial(act.store):
        return await _simulate(act, body)


async def _simulate(act: ServiceAct, body: SimulationIn) -> SimulationOut:
    row = await views.find(act, body.draft)
    draft = await asyncio.to_thread(
        versions.under, act.config, row.limits.encode(), row.supervision.encode(), 0
    )
    numbers = await _numbers(act, body)
    counted, tried = numbers[: body.limit], list[Tried]()
    for at in range(0, len(counted), AT_ONCE):
        found = await records.look_at(act, counted[at : at + AT_ONCE])
        tried += await asyncio.to_thread(_tried, act, found.values(), draft)
    return SimulationOut(
        digest=row.digest,
        tickets=len(counted),
        total=Beside(**_beside(tried)),
        units=list(_by_unit(act, tried)),
        kinds=list(_by_kind(tried)),
        examples=list(_examples(tried)),
        not_modelled=[Sentence(zh=zh, en=en) for zh, en in NOT_MODELLED],
        next=act.cursor(counted[-1]) if len(numbers) > body.limit else None,
    )


async def _numbers(act: ServiceAct, body: SimulationIn) -> Sequence[str]:
    """The tickets of the period, one more than asked for where there are more: numbers begin with the day."""
    number = col(Tickets.number)
    first, end = f"{body.first:%Y%m%d}", f"{body.last + timedelta(days=1):%Y%m%d}"
    query = select(Tickets.number).where(number > first, number < end)
    if body.after is not None:
        query = query.where(number > act.place(body.after))
    return (await act.session.exec(query.order_by(number).limit(body.limit + 1))).all()


# --- one ticket's clocks -----------------------------------------------------------------------


def _tried(act: ServiceAct, found: Iterable[TicketRecord], draft: Config) -> list[Tried]:
    return [tried for record in found for tried in _of(act, record, draft)]


def _of(act: ServiceAct, record: TicketRecord, draft: Config) -> Iterator[Tried]:
    matter, dissolved = record.matter(), act.store.dissolved
    recused = act.config.recused(record.ticket.about, record.ticket.area or "")
    rounds, orders = record.round_timelines(), record.assignment_timelines()
    for history in clock_histories(matter, rounds, orders, dissolved):
        if (entry := record.clocks.get(history.id)) is None:
            continue
        known = calendars.of_clock(act, entry.row)
        befell: ClockHistory = resumed(history, known.at(history.started_at).calendar, entry.state)
        hidden = recused if history.kind in DESKS else frozenset[str]()
        policy = versions.in_force(act, entry.state.started_at)
        now = terms_under(policy, befell, matter, hidden)
        then = terms_under(draft, befell, matter, hidden)
        state = entry.state
        if now != then:
            moved = under(befell, then, known, act.now) if then else None
            yield Tried(matter.number, entry, True, moved)
        else:
            yield Tried(matter.number, entry, False, state)


# --- counted -----------------------------------------------------------------------------------


def _beside(tried: Sequence[Tried]) -> dict[str, Any]:
    return {
        "clocks": len(tried),
        "changed": sum(each.changed for each in tried),
        "before": _counts([each.before for each in tried]),
        "after": _counts([each.after for each in tried]),
    }


def _counts(stood: Sequence[Stood]) -> Counts:
    return Counts(
        late=sum(each.late for each in stood),
        warned=sum(each.warned for each in stood),
        supervised=sum(each.supervised for each in stood),
    )


def _by_unit(act: ServiceAct, tried: Sequence[Tried]) -> Iterator[UnitBeside]:
    for code, own in _grouped(tried, lambda each: each.entry.row.unit):
        name = next(iter(act.config.units.called([code], act.store.dissolved)), None)
        yield UnitBeside(unit=code, name=name, **_beside(own))


def _by_kind(tried: Sequence[Tried]) -> Iterator[KindBeside]:
    for kind, own in _grouped(tried, lambda each: each.entry.row.kind):
        yield KindBeside(kind=kind, **_beside(own))


def _grouped(
    tried: Sequence[Tried], key: Callable[[Tried], str | None]
) -> list[tuple[str, list[Tried]]]:
    found = defaultdict[str, list[Tried]](list)
    for each in tried:
        if (group := key(each)) is not None:
            found[group].append(each)
    return sorted(found.items())


def _examples(tried: Sequence[Tried]) -> Iterator[ClockBeside]:
    other = [each for each in tried if each.before.late != each.after.late]
    for each in other[:EXAMPLES]:
        yield ClockBeside(
            number=each.number,
            kind=each.entry.row.kind,
            unit=each.entry.row.unit,
            limit=each.entry.state.terms.limit,
            due=each.entry.state.due,
            late=each.before.late,
            draft_limit=each.then and each.then.terms.limit,
            draft_due=each.then and each.then.due,
            draft_late=each.after.late,
        )
