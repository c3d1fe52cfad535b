"""What GET answers of the catalogue: drafts and versions, what is wrong with one, a trial on past tickets."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import col, select

from services.dispatcher.catalogue import catalogues
from services.dispatcher.catalogue.drafts import checked, whole
from services.dispatcher.catalogue.models import Edition, Editions
from services.dispatcher.catalogue.schemas import (
    CheckOut,
    Elsewhere,
    Shift,
    TrialOut,
    WholeEdition,
)
from services.dispatcher.models import Tickets
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.dispatch import Decision, Dispatching, Undecided
from shared.errors import NotFound
from shared.events import TicketRegistered
from shared.http.editions import EditionOut, EditionPage, shown
from shared.trials import one_trial

EXAMPLES = 50
AT_ONCE = 250  # tickets in a thread's hands


# --- drafts and versions -----------------------------------------------------------------------


async def drafts(act: ServiceAct, after: str | None, limit: int) -> EditionPage:
    """Open drafts, the newest first. Raises BadCursor."""
    query = select(Editions).where(
        col(Editions.version).is_(None), col(Editions.discarded_at).is_(None)
    )
    if after is not None:
        query = query.where(col(Editions.id) < UUID(act.place(after)))
    now, _ = await catalogues.in_force(act)
    rows = (await act.session.exec(query.order_by(col(Editions.id).desc()).limit(limit + 1))).all()
    return _page(act, rows, now, limit, [str(row.id) for row in rows])


async def versions(act: ServiceAct, after: str | None, limit: int) -> EditionPage:
    """Versions, the newest first. Raises BadCursor."""
    query = select(Editions).where(col(Editions.version).is_not(None))
    now, _ = await catalogues.in_force(act)
    if after is not None:
        query = query.where(col(Editions.version) < int(act.place(after)))
    rows = (
        await act.session.exec(query.order_by(col(Editions.version).desc()).limit(limit + 1))
    ).all()
    return _page(act, rows, now, limit, [str(row.version) for row in rows])


def _page(
    act: ServiceAct, rows: Sequence[Edition], now: int | None, limit: int, places: Sequence[str]
) -> EditionPage:
    more = len(rows) > limit
    return EditionPage(
        items=[EditionOut.model_validate(shown(row, act.now, now)) for row in rows[:limit]],
        next=act.cursor(places[limit - 1]) if more else None,
    )


async def read_draft(act: ServiceAct, id: UUID) -> WholeEdition:
    """A draft with its text. Raises NotFound."""
    return await _whole(act, await _draft(act, id))


async def read_version(act: ServiceAct, version: int) -> WholeEdition:
    """A version with its text. Raises NotFound."""
    await catalogues.in_force(act)
    query = select(Editions).where(Editions.version == version)
    row = (await act.session.exec(query)).first()
    if row is None:
        raise NotFound
    return await _whole(act, row)


async def _whole(act: ServiceAct, row: Edition) -> WholeEdition:
    now, _ = await catalogues.in_force(act)
    said = await catalogues.written(act, row.digest)
    return whole(act, row, now, said.text)


async def _draft(act: ServiceAct, id: UUID) -> Edition:
    row = await act.session.get(Editions, id)
    if row is None:
        raise NotFound
    return row


async def check_draft(act: ServiceAct, id: UUID) -> CheckOut:
    """Everything that is wrong with a draft. Raises NotFound."""
    return await checked(act, await _draft(act, id))


# --- a trial on past tickets -------------------------------------------------------------------


class Tried(NamedTuple):
    """What the version in force and the draft make of one ticket; of a unit null is the desk."""

    number: str
    now: Decision | Undecided
    then: Decision | Undecided


async def trial(act: ServiceAct, id: UUID, days: int, after: str | None, limit: int) -> TrialOut:
    """试跑: what a draft would make of the tickets of the last days, beside the version in force.

    It reads rows and changes none; the deciding is done in a thread, a few at a time, so that orders go
    out meanwhile. Raises NotFound, BadCursor, TrialRuns.
    """
    with one_trial(act.store):
        return await _trial(act, id, days, after, limit)


async def _trial(act: ServiceAct, id: UUID, days: int, after: str | None, limit: int) -> TrialOut:
    row = await _draft(act, id)
    now = await catalogues.dispatching(act)
    then = await catalogues.compiled(act, None, row.digest)
    place = act.place(after) if after is not None else _first_of(act, days)
    tried: list[Tried] = []
    while len(tried) <= limit:
        rows = await _matters(act, place, min(AT_ONCE, limit + 1 - len(tried)))
        tried += await asyncio.to_thread(_decided, rows, now, then)
        if not rows:
            break
        place = rows[-1][0]
    counted = tried[:limit]
    found = _counted(counted, row.digest, now)
    return found.model_copy(
        update={"next": act.cursor(counted[-1].number) if len(tried) > limit else None}
    )


def _first_of(act: ServiceAct, days: int) -> str:
    """What comes before the first number of the days: numbers begin with the day."""
    day = act.now.astimezone(act.config.calendar.tz) - timedelta(days=days)
    return f"{day:%Y%m%d}"


Matter = tuple[str, Mapping[str, Any], datetime]


async def _matters(act: ServiceAct, after: str, limit: int) -> Sequence[Matter]:
    number = col(Tickets.number)
    query = select(Tickets.number, Tickets.matter, Tickets.registered_at).where(number > after)
    return (await act.session.exec(query.order_by(number).limit(limit))).all()


def _decided(rows: Sequence[Matter], now: Dispatching, then: Dispatching) -> list[Tried]:
    found = []
    for number, matter, registered_at in rows:
        ticket = TicketRegistered.on_record(matter)
        found.append(
            Tried(number, now.decide(ticket, registered_at), then.decide(ticket, registered_at))
        )
    return found


def _counted(tried: Sequence[Tried], digest: str, now: Dispatching) -> TrialOut:
    moved = [each for each in tried if _unit(each.now) != _unit(each.then)]
    stayed = [each for each in tried if _unit(each.now) == _unit(each.then)]
    units = _shifts([(_unit(each.now), _unit(each.then)) for each in tried], now.names.units)
    rules = _shifts([(_rule(each.now), _rule(each.then)) for each in tried], {})
    return TrialOut(
        digest=digest,
        version=now.version or 0,
        tried=len(tried),
        same=len(stayed),
        moved=len(moved),
        other_rule=sum(_rule(each.now) != _rule(each.then) for each in stayed),
        to_desk=sum(_unit(each.then) is None for each in moved),
        from_desk=sum(_unit(each.now) is None for each in moved),
        units=list(units),
        rules=list(rules),
        examples=[_elsewhere(each) for each in moved[:EXAMPLES]],
        next=None,
    )


def _unit(decided: Decision | Undecided) -> str | None:
    return decided.lead if isinstance(decided, Decision) else None


def _rule(decided: Decision | Undecided) -> str | None:
    return decided.rule if isinstance(decided, Decision) else None


def _shifts(
    pairs: Sequence[tuple[str | None, str | None]], names: Mapping[str, str]
) -> Iterator[Shift]:
    before, after = (Counter(side) for side in zip(*pairs, strict=True)) if pairs else ({}, {})
    for code in sorted({*before, *after}, key=lambda code: (code is None, code)):
        counts = before.get(code, 0), after.get(code, 0)
        if counts[0] != counts[1]:
            name = names.get(code) if code else None
            yield Shift(code=code, name=name, before=counts[0], after=counts[1])


def _elsewhere(tried: Tried) -> Elsewhere:
    return Elsewhere(
        number=tried.number,
        unit=_unit(tried.now),
        rule=_rule(tried.now),
        draft_unit=_unit(tried.then),
        draft_rule=_rule(tried.then),
        urgency=tried.now.urgency,
        draft_urgency=tried.then.urgency,
    )
