"""建议: what the model learned from confirmed orders says of a ticket (docs/adr/0053-suggestions.md).

It suggests to the desk. It decides alone only where the county says so, from a confidence on that the
county states, and only what no rule covers and no guard would hold back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlmodel import col, select

from services.dispatcher import records
from services.dispatcher.models import Assignments, Returns, Tickets
from services.dispatcher.records import ServiceAct
from services.dispatcher.rules.assignment import AssignmentStatus
from services.dispatcher.rules.dispatch import Order, Undecided
from services.dispatcher.rules.reasons import joined
from services.dispatcher.rules.suggesting import Suggestion, reason_for
from shared.events import Role, TicketRegistered, TicketType, Urgency
from shared.jurisdiction.gazetteer import accuses

MOST_ORDERS = 50_000  # the newest of them; older ones say who had the duty then
Confirmed = tuple[
    str, str, str | None, frozenset[str]
]  # title, content, unit, whose returns were granted


async def for_desk(act: ServiceAct, number: str) -> list[Suggestion]:
    """The units a ticket's text speaks for; none without a model. Raises NotFound.

    Who must stand back (R-35) is never suggested, nor who does not exist, nor whose return of this ticket
    was granted (R-15).
    """
    record = await records.read(act, number)
    granted = select(Returns.unit).where(Returns.ticket == number, col(Returns.granted).is_(True))
    returned = (await act.session.exec(granted)).all()
    return _suggested(act, record.matter, frozenset(returned))


def automatic(act: ServiceAct, matter: TicketRegistered, decided: Undecided) -> Order | None:
    """The order a model may give by itself, if the county lets it; None leaves the ticket to the desk.

    Never what a rule or a guard stopped, a report, a confidential or a critical matter; and never to
    a town or a village, which answer only for what their duty lists name (R-04, R-05).
    """
    config = act.config
    if config.model is None or not config.suggestions.automatic or not decided.uncovered:
        return None
    spared = matter.type is TicketType.COMMENDATION or accuses(matter.type) or matter.confidential
    if spared or decided.urgency is Urgency.CRITICAL:
        return None
    first, *_ = *_suggested(act, matter), None
    if first is None or first.confidence < config.suggestions.min_confidence:
        return None
    if first.unit in {*config.dispatching.towns.values(), *config.dispatching.villages}:
        return None
    reason = reason_for(first, config.model, config.dispatching.names)
    return Order(first.unit, (), str(joined((reason, decided.why))))


def _suggested(
    act: ServiceAct, matter: TicketRegistered, returned: frozenset[str] = frozenset()
) -> list[Suggestion]:
    if (model := act.config.model) is None:
        return []
    gone = {unit for unit in model.file.units if act.config.units.unit(unit) is None}
    without = gone | returned | act.config.dispatching.barred(matter).keys()
    return model.suggest(matter.title, matter.content, without)


# --- what a model learns from ------------------------------------------------------------------

DONE = (
    select(Tickets.number, Tickets.matter, Assignments.unit)
    .join(Assignments, col(Assignments.ticket) == col(Tickets.number))
    .where(Assignments.role == Role.LEAD, Assignments.status == AssignmentStatus.COMPLETED)
    .where(col(Assignments.round) == col(Tickets.round), col(Tickets.closed) >= col(Tickets.round))
    .where(col(Tickets.ended) < col(Tickets.round), col(Tickets.withdrawn_at).is_(None))
    .order_by(col(Tickets.number).desc())
    .limit(MOST_ORDERS)
)
RETURNED = (
    select(Tickets.number, Tickets.matter, Returns.unit)
    .join(Returns, col(Returns.ticket) == col(Tickets.number))
    .where(col(Returns.granted).is_(True))
    .order_by(col(Tickets.number).desc())
    .limit(MOST_ORDERS)
)


async def confirmed(act: ServiceAct) -> list[Confirmed]:
    """Tickets whose lead completed them and whose citizens have judged, with that lead; and those of
    which a return was granted, with whose duty they are not.

    Nothing is learned from reports, confidential matters and praise: what they say is nobody's to
    find in a model, or speaks of whom it praises.
    """
    texts: dict[str, TicketRegistered] = {}
    leads: dict[str, str] = {}
    against: dict[str, set[str]] = defaultdict(set)
    for number, matter, unit in (await act.session.exec(DONE)).all():
        texts[number], leads[number] = TicketRegistered.on_record(matter), unit
    for number, matter, unit in (await act.session.exec(RETURNED)).all():
        texts.setdefault(number, TicketRegistered.on_record(matter))
        against[number].add(unit)

    def rows() -> Iterator[Confirmed]:
        for number, matter in sorted(texts.items()):
            secret = accuses(matter.type) or matter.confidential
            if not secret and matter.type is not TicketType.COMMENDATION:
                wrong = frozenset(against[number] - {leads.get(number, "")})
                yield matter.title, matter.content, leads.get(number), wrong

    return list(rows())
