"""退单记录: what was asked to be returned or ended of tickets before, and whom rulings named, of the desk and
of the ladder (R-16, R-17, R-20): for whoever decides on one more, and whoever reads whether it may be asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, union
from sqlmodel import col, select

from services.dispatcher.arbitration.models import Arbitration, Arbitrations
from services.dispatcher.models import Assignment, CompletionForms, Return, Returns
from services.dispatcher.rules import returns
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.returns import Earlier, ReturnContext
from services.dispatcher.settings import Config
from shared.events import Urgency
from shared.jurisdiction.succession import acts_as
from shared.storage.act import Act

FAR = datetime.max.replace(tzinfo=UTC)
NUMBERS = any_(bindparam("numbers", type_=ARRAY(Text)))
ASKED = (
    select(Returns)
    .where(col(Returns.ticket) == NUMBERS)
    .order_by(col(Returns.ruled_at), col(Returns.id))
)
OF_LADDER = col(Arbitrations.ticket) == NUMBERS, col(Arbitrations.ruled_at).is_not(None)
RULED = select(Arbitrations).where(*OF_LADDER)
ENDS_REFUSED = (
    col(CompletionForms.ticket) == NUMBERS,
    CompletionForms.outcome == "refused",
    col(CompletionForms.silent).is_(False),
)
REFUSED = select(CompletionForms.ticket, CompletionForms.assignment, CompletionForms.kind).where(
    *ENDS_REFUSED
)
WITH_ANY = union(
    select(Returns.ticket).where(col(Returns.ticket) == NUMBERS),
    select(Arbitrations.ticket).where(*OF_LADDER),
    select(CompletionForms.ticket).where(*ENDS_REFUSED),
)


@dataclass(frozen=True, slots=True)
class Past:
    """Every return of a ticket, and every dispute about it that the ladder ruled on. ``refused``: the kinds
    of end the desk refused, by order; its silence is no ruling.
    """

    asked: list[Return] = field(default_factory=list)
    ruled: list[Arbitration] = field(default_factory=list)
    refused: defaultdict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))


async def look_ahead(act: Act[Config], numbers: Collection[str]) -> None:
    """Note which tickets, just locked, have no past, as most: nobody asks for more of them."""
    asked = {"numbers": list(numbers)}
    some = (await (await act.session.connection()).execute(WITH_ANY, asked)).scalars()
    _without(act).update(set(numbers).difference(some))


def _without(act: Act[Config]) -> set[str]:
    found: set[str] = act.locked.setdefault("tickets without a past", set())
    return found


async def load(act: Act[Config], number: str) -> Past:
    """Of one ticket; its returns are to be changed."""
    if number in (without := _without(act)):
        without.remove(number)  # what is done with it now may be the first
        return Past()
    asked = await act.rows.load(Return, ASKED, {"numbers": [number]})
    past = (await _read(act, [number]))[number]
    past.asked.extend(asked)
    return past


async def read(act: Act[Config], numbers: Collection[str]) -> dict[str, Past]:
    """Of several tickets, to look at only."""
    found = await _read(act, numbers)
    for asked in await act.session.exec(ASKED, params={"numbers": list(numbers)}):
        found[asked.ticket].asked.append(asked)
    return found


async def _read(act: Act[Config], numbers: Collection[str]) -> dict[str, Past]:
    found, of_them = {number: Past() for number in numbers}, {"numbers": list(numbers)}
    for ruled in await act.session.exec(RULED, params=of_them):
        found[ruled.ticket].ruled.append(ruled)
    for number, assignment, kind in await act.session.exec(REFUSED, params=of_them):
        found[number].refused[assignment].add(kind)
    return found


def context(
    act: Act[Config], past: Past, order: Assignment, at_work: Iterable[Assignment]
) -> ReturnContext:
    """What the rules must know of an order that is to be returned. ``at_work``: the open orders of its
    ticket.
    """
    urgency, calendar = Urgency(order.urgency), act.config.calendar.of(order.unit)
    return ReturnContext(
        status=AssignmentStatus(order.status),
        unit=order.unit,
        urgency=urgency,
        redo=order.redo,
        earlier=earlier(act, past, order),
        handed_by=superior(order, at_work),
        until=act.config.returns.until(order.dispatched_at, urgency, calendar),
    )


def superior(order: Assignment, at_work: Iterable[Assignment]) -> str | None:
    """Who handed an order down and is at work still."""
    return next((each.unit for each in at_work if each.unit == order.handed_by), None)


def earlier(act: Act[Config], past: Past, own: Assignment | None = None) -> list[Earlier]:
    """What was disputed of a ticket, and whom rulings named, in the order of these rulings; then what waits:
    by who has the duties of each unit today. ``own``: an assignment whose returns are of who has it now.
    """
    known = [(row.ruled_at or FAR, as_earlier(act, row, own)) for row in past.asked]
    for row in past.ruled:
        for unit in filter(None, (row.lead, *row.co_handlers)):
            named = Earlier(unit="", reason_code="", legal_basis="", named=today(act, unit))
            known.append((row.ruled_at or FAR, named))
    return [each for _, each in sorted(known, key=lambda dated: dated[0])]


def is_bound(act: Act[Config], past: Past, order: Assignment) -> bool:
    """Whether a ruling named an order's unit, so that it may not be rid of the matter (R-16)."""
    named = returns.is_ruled(order.unit, earlier(act, past, order))
    return named and not act.config.returns.after_ruling


def as_earlier(act: Act[Config], row: Return, own: Assignment | None = None) -> Earlier:
    """One return, as the rules see it."""
    return Earlier(
        unit=own.unit if own and row.assignment == own.id else today(act, row.unit),
        reason_code=row.reason_code,
        legal_basis=row.legal_basis,
        granted=row.granted,
        silent=row.silent,
        named=row.named_unit and today(act, row.named_unit),
        overruled=row.overruled_at is not None,
        withdrawn=row.withdrawn_at is not None,
    )


def today(act: Act[Config], unit: str) -> str:
    """Who follows a unit alone that is no more, or else the unit itself."""
    follow: Sequence[str] = acts_as(unit, act.store.dissolved)
    return follow[0] if len(follow) == 1 else unit
