"""先例: what was ruled on whose duty a matter is, to be found again when a like one comes (R-17).

A ruling is kept with its ticket's number; what the matter is, and who must know nothing of it, the ticket
says. So a correction, or a unit that becomes kin of the reported one, counts here at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import and_, or_, tuple_
from sqlmodel import col, select

from services.dispatcher import orders, records
from services.dispatcher.arbitration.models import Arbitration, Precedent, Precedents
from services.dispatcher.arbitration.schemas import PrecedentOut, PrecedentPage, PrecedentRule
from services.dispatcher.catalogue import drafts
from services.dispatcher.models import Return, Ticket, Tickets
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.arbitration import NamesNobody, is_secret
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.likeness import Matter, likeness
from services.dispatcher.worklists.narrowing import conditions
from services.dispatcher.worklists.schemas import Narrowing
from shared.errors import BadCursor, NotFound
from shared.events import TicketType
from shared.http.editions import EditionOut

SHOWN = 10  # like ones
LONGEST_REASON = 1_000  # characters of a rule's
LOOKED_AT = 500  # the newest rulings of the field
MATTER = col(Tickets.matter)
OPEN_TO_READ = and_(
    MATTER["type"].as_string() != TicketType.REPORT, ~MATTER["confidential"].as_boolean()
)
PLACE = tuple_(col(Precedents.ruled_at), col(Precedents.id))


# --- kept --------------------------------------------------------------------------------------


def of_return(act: ServiceAct, ruled: Return, ruling: str) -> None:
    """退单裁定: the desk said whose it is, or whose it is not. Silence is no ruling, and no precedent."""
    kept = Precedent(
        id=orders.new_id(),
        ticket=ruled.ticket,
        kind="return",
        disputed=[ruled.unit],
        unit=ruled.named_unit,
        reason_code=ruled.reason_code,
        grounds=ruled.legal_basis,
        ruling=ruling,
        ruled_at=act.now,
    )
    act.rows.add(kept)


def of_arbitration(act: ServiceAct, ruled: Arbitration, asked: Iterable[Return]) -> None:
    """裁决: a body of the ladder said whose it is."""
    disputed = dict.fromkeys(row.unit for row in asked if row.withdrawn_at is None)
    kept = Precedent(
        id=orders.new_id(),
        ticket=ruled.ticket,
        kind="arbitration",
        arbitration=ruled.id,
        step=ruled.step,
        disputed=list(disputed),
        unit=ruled.lead,
        co_handlers=ruled.co_handlers,
        grounds=ruled.grounds,
        ruling=ruled.ruling or "",
        body=ruled.body,
        paper=ruled.paper,
        ruled_at=act.now,
    )
    act.rows.add(kept)


async def overrule(act: ServiceAct, number: str, ruled_at: datetime, why: str) -> None:
    """推翻裁决: the desk gave the ticket to another lead than a ruling named, and said why; the last of such
    acts stands with it. A ruling of before there were precedents has none.
    """
    query = select(Precedents).where(Precedents.ticket == number, Precedents.ruled_at == ruled_at)
    for row in await act.rows.load(Precedent, query):
        row.overruled_at, row.overruled_by, row.overruled_reason = act.now, act.actor, why


# --- made a rule -------------------------------------------------------------------------------


async def make_rule(act: ServiceAct, id: UUID, body: PrecedentRule) -> EditionOut:
    """形成规则: a draft of the latest catalogue with one rule more, for what is like the matter that was
    ruled on; it stands before the rule that would decide it now. A second person publishes it.

    Raises NotFound, NamesNobody, RuleExists, UnknownCode.
    """
    found = await act.session.get(Precedents, id)
    if found is None:
        raise NotFound
    if found.unit is None:
        raise NamesNobody
    matter = (await records.read(act, found.ticket)).matter
    reason = f"{found.paper or ''} {found.ruling}".strip()
    rule = Rule(
        id=body.id or f"ruling-{id}",
        topic=matter.topic,
        areas=() if body.everywhere else (matter.area,),
        types=(matter.type,),
        keywords=tuple(body.keywords),
        lead=found.unit,
        co_handlers=tuple(found.co_handlers),
        # What was ruled of a secret matter may name somebody, and units read why they have an order.
        reason=f"先例 precedent {id}" if is_secret(matter) else reason[:LONGEST_REASON],
    )
    note = body.note or f"据先例起草 by precedent {id}"
    return await drafts.propose(act, rule, note, matter, body.before)


# --- found -------------------------------------------------------------------------------------


async def find(
    act: ServiceAct, narrowed: Narrowing, after: str | None, limit: int
) -> PrecedentPage:
    """Precedents, the newest first. ``narrowed.unit``: whose the matter was found to be, or who disputed it;
    ``text``: words of the matter or of the ruling.

    A unit finds none of a matter it must know nothing of, and none of a confidential one or a report.
    Raises UnknownCode, AmbiguousCode, BadCursor.
    """
    wanted = [
        col(Tickets.number) == col(Precedents.ticket),
        *conditions(act, narrowed._replace(text=None)),
        *_of_unit(narrowed.unit),
        *_with_words(narrowed.text),
    ]
    place = _last(act, after) if after is not None else None
    found: list[tuple[Precedent, Ticket]] = []
    while len(found) <= limit:  # no page is short for what is left out: that would tell of it
        query = select(Precedents, Tickets).where(*wanted)
        if place:
            query = query.where(place > PLACE)
        newest = query.order_by(PLACE.desc()).limit(limit + 1)
        rows = (await act.session.exec(newest)).all()
        found += [row for row in rows if _may_read(act, row[1])]
        if len(rows) <= limit:
            break
        place = rows[-1][0].ruled_at, rows[-1][0].id
    items = [shown(act, *row) for row in found[:limit]]
    more = len(found) > limit
    return PrecedentPage(items=items, next=_next(act, found[limit - 1][0]) if more else None)


async def like(act: ServiceAct, number: str) -> list[PrecedentOut]:
    """The rulings on matters most like a ticket's: of its topic and its area first, then by words; of very
    many the newest are looked at, those of its field first.

    Raises NotFound.
    """
    record = await records.read(act, number)
    if records.recused_caller(act, record):
        raise NotFound
    own, field = _matter_of(record.ticket), act.config.codes.lineage(record.matter.topic)[0]
    known = field in act.config.codes.branches
    of_field = conditions(act, Narrowing(topic=field)) if known else []
    others = (col(Tickets.number) == col(Precedents.ticket), col(Tickets.number) != number)
    query = select(Precedents, Tickets).where(*others)
    newest = query.order_by(*(each.desc() for each in of_field), PLACE.desc()).limit(LOOKED_AT)
    rows = (await act.session.exec(newest)).all()
    ranked = [(likeness(own, _matter_of(row[1])), row) for row in rows if _may_read(act, row[1])]
    ranked.sort(key=lambda each: each[0], reverse=True)
    return [shown(act, *row) for how, row in ranked[:SHOWN] if any(how)]


def _matter_of(ticket: Ticket) -> Matter:
    matter = TicketRecord(ticket, []).matter
    return Matter(matter.topic, matter.area, matter.type, matter.title)


def _of_unit(unit: str | None) -> Sequence[object]:
    if unit is None:
        return ()
    named = col(Precedents.unit) == unit
    return (or_(named, *(column.contains([unit]) for column in UNITS)),)


UNITS = (col(Precedents.disputed), col(Precedents.co_handlers))


def _with_words(words: str | None) -> Sequence[object]:
    if words is None:
        return ()
    said = [MATTER[field].as_string() for field in ("title", "content")]
    texts = (*said, col(Precedents.ruling), col(Precedents.grounds))
    # A hit would tell that the word stands in what is not shown.
    return (OPEN_TO_READ, or_(*(text.icontains(words, autoescape=True) for text in texts)))


def _may_read(act: ServiceAct, ticket: Ticket) -> bool:
    """Of units whoever need not stand back, of what is nobody's secret (R-35)."""
    if act.caller is None or act.caller.unit is None:
        return True
    matter = TicketRecord(ticket, []).matter
    return not is_secret(matter) and act.caller.unit not in act.config.dispatching.barred(matter)


def shown(act: ServiceAct, precedent: Precedent, ticket: Ticket) -> PrecedentOut:
    """A precedent as it is answered. Of a confidential matter or a report no free words are: they may name
    somebody.
    """
    matter = TicketRecord(ticket, []).matter
    secret = is_secret(matter)
    kept = precedent.model_dump(exclude={"ticket"})
    if secret:
        kept |= {"grounds": None, "ruling": None, "overruled_reason": None}
    return PrecedentOut(
        **kept,
        number=None if secret else precedent.ticket,
        topic=matter.topic,
        area=matter.area,
        type=matter.type,
        title=None if secret else matter.title,
        confidential=secret,
    )


def _next(act: ServiceAct, last: Precedent) -> str:
    return act.cursor(f"{last.ruled_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}|{last.id}")


def _last(act: ServiceAct, cursor: str) -> tuple[datetime, UUID]:
    moment, found, id = act.place(cursor).partition("|")
    if not found:
        raise BadCursor(field="after")
    return datetime.strptime(moment, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC), UUID(id)
