"""检索: tickets by the words of their working copy, and by what else a list is narrowed to (ADR 0043).

``ticket_text`` follows the fact log: whatever another replica, of whichever release, registered or
changed stands in it. A registration costs nothing more for it, and is found some seconds later. What
the hotline keeps to answer itself is in no fact, and is indexed with the act.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import literal, or_, text
from sqlmodel import col, exists, select

from services.intake.models import (
    Assignments,
    CitizenNotes,
    Ticket,
    Tickets,
    TicketText,
    TicketTexts,
)
from services.intake.records import ServiceAct
from services.intake.rules import machine
from services.intake.rules.machine import Action
from services.intake.rules.words import grams, searchable
from shared import clock
from shared.storage.rows import as_json, inserting, one_of, table_of


class Filter(NamedTuple):
    """What a list of tickets is narrowed to; None narrows nothing. ``text``: as ``asked_for`` gives it;
    ``flags``: all of these; ``unit``: which has or had an order.
    """

    type: str | None = None
    urgency: str | None = None
    topic: str | None = None
    area: str | None = None
    channel: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    flags: list[str] | None = None
    unit: str | None = None
    reported: str | None = None
    source_number: str | None = None
    noted_after_end: bool | None = None
    merged_into: str | None = None


EQUAL = ("type", "urgency", "topic", "area", "channel")
# The database plans for a search once and for all after some; but one word is in every third ticket,
# another in none.
PLAN_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")


async def narrow(act: ServiceAct, query: Any, to: Filter) -> Any:
    """A query of tickets, narrowed."""
    for name in EQUAL:
        if (wanted := getattr(to, name)) is not None:
            query = query.where(col(getattr(Tickets, name)) == wanted)
    if to.status:
        query = query.where(_stands(to.status))
    if to.merged_into:
        query = query.where(Tickets.work == to.merged_into, Tickets.number != to.merged_into)
    if to.since:
        query = query.where(col(Tickets.registered_at) >= to.since)
    if to.until:
        query = query.where(col(Tickets.registered_at) < to.until)
    if to.flags:
        query = query.where(_has_all(Tickets.flags, to.flags))
    if to.reported:
        several = col(Tickets.reported).contains({"units": [to.reported]})
        query = query.where(or_(col(Tickets.reported_unit) == to.reported, several))
    if to.unit:
        theirs = col(Assignments.number) == col(Tickets.number), col(Assignments.unit) == to.unit
        query = query.where(exists().where(*theirs))
    if to.noted_after_end is not None:
        noted = col(Tickets.noted_after_end_at).is_not(None)
        query = query.where(noted if to.noted_after_end else ~noted)
    if to.source_number:
        query = query.where(*_source(act, to.source_number))
    if to.text:
        await (await act.session.connection()).execute(PLAN_ANEW)
        query = query.join(TicketTexts, col(TicketTexts.number) == col(Tickets.number))
        query = query.where(_has_all(TicketTexts.grams, grams(to.text)))
        for word in to.text.split():  # it has no wildcards: letters and digits only
            query = query.where(col(TicketTexts.words).contains(word))
    return query


def _stands(status: str) -> Any:
    """The status as it is shown (rules/machine.py); each of its two columns has an index."""
    own, kept = list(machine.STORED), col(Tickets.ending)
    if status in own:
        return kept == status
    return (col(Tickets.status) == status) & (kept.is_(None) | kept.not_in(own))


def _has_all(column: Any, wanted: list[Any]) -> Any:
    return column.bool_op("@>")(literal(wanted, column.type))


def _source(act: ServiceAct, asked: str) -> tuple[Any, Any]:
    """Either form, and every channel: then the unique index of both finds it."""
    channels = [channel.code for channel in act.config.codes.channels]
    forms = [asked, act.config.digester.stand_in(asked)]
    return one_of(Tickets.channel, channels), one_of(Tickets.source_number, forms)


# --- the index follows the fact log ------------------------------------------------------------

SAID = {
    "ticket.registered", "ticket.supplemented", "ticket.corrected", "ticket.split",
    "ticket.answered", "ticket.not_accepted", "ticket.handed_over",
}  # fmt: skip
# Only facts that were relayed have a position, and no later one comes before them.
NEXT = text("""
    SELECT o.position, o.subject, o.key FROM search_place p
    JOIN LATERAL (SELECT position, subject, key FROM fact_log WHERE position > p.position
        ORDER BY position LIMIT :limit) o ON true
    ORDER BY o.position""")
LOCK = text("SELECT position FROM search_place FOR UPDATE SKIP LOCKED")
GO_ON = text("UPDATE search_place SET position = :position")
KEEP = inserting(
    table_of(TicketText),
    "ON CONFLICT (number) DO UPDATE SET words = EXCLUDED.words, grams = EXCLUDED.grams",
)


async def follow(act: ServiceAct, limit: int) -> int:
    """Bring the index up to the next facts of the log; how many those were. Another replica at it: none."""
    connection = await act.session.connection()
    if (await connection.execute(LOCK)).first() is None:
        return 0
    said = (await connection.execute(NEXT, {"limit": limit})).all()
    if not said:
        return 0
    changed = {row.subject for row in said if row.key in SAID}
    await index(act, await _texts(act, changed))
    await connection.execute(GO_ON, {"position": said[-1].position})
    return len(said)


async def index(act: ServiceAct, texts: Mapping[str, str]) -> None:
    """Let tickets be found by these texts, by number, and by no others."""
    rows = []
    for number, said in texts.items():
        words = searchable(said)
        rows.append({"number": number, "words": words, "grams": grams(words)})
        await clock.breathe()
    if rows:
        await (await act.session.connection()).execute(KEEP, {"rows": as_json(rows)})


async def index_unsaid(act: ServiceAct, ticket: Ticket, said: str = "") -> None:
    """A number that only the hotline has is in no fact yet: it is found by what is ``said``, and by the
    title and content it has now, without any.
    """
    if not ticket.forwarded:
        before = [content for _, content in await _added(act, {ticket.number})]
        texts = filter(None, (ticket.title, ticket.content, *before, said))
        await index(act, {ticket.number: "\n".join(texts)})


async def _texts(act: ServiceAct, numbers: set[str]) -> dict[str, str]:
    """The working copies of tickets with what was added to them, by number."""
    if not numbers:
        return {}
    titles = select(Tickets.number, Tickets.title, Tickets.content)
    found = await act.session.exec(titles.where(one_of(Tickets.number, numbers)))
    texts = {number: f"{title}\n{content}" for number, title, content in found}
    for number, content in await _added(act, numbers):
        texts[number] += f"\n{content}"
    return texts


async def _added(act: ServiceAct, numbers: set[str]) -> Iterable[tuple[str, str]]:
    added = select(CitizenNotes.number, CitizenNotes.content).where(
        one_of(CitizenNotes.number, numbers), CitizenNotes.action == Action.SUPPLEMENT
    )
    return await act.session.exec(added.order_by(col(CitizenNotes.said_at)))
