"""What the hotline did itself with a ticket, and what became of the calls of a period."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from services.intake.endings import malicious
from services.intake.endings.schemas import EndingOut, FrontFigures, FrontRecord
from services.intake.models import CallerDigests, EndingRecords, Ticket
from services.intake.records import ServiceAct, read
from services.intake.rules.machine import TicketStatus
from shared.errors import NotFound
from shared.events import CallRating


async def front_record(act: ServiceAct, number: str) -> FrontRecord:
    """All that the hotline did with a ticket itself. Raises NotFound."""
    record = await read(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    of_ticket = select(EndingRecords).where(EndingRecords.number == number)
    acts = await act.session.exec(of_ticket.order_by(col(EndingRecords.id)))
    return FrontRecord(
        number=number,
        status=record.status,
        call_rating=record.ticket.call_rating,
        endings=[EndingOut.model_validate(row.model_dump()) for row in acts],
        malicious_use=await malicious.marks_of(act, number),
        caller_marks=await malicious.marks_standing(act, await _of_caller(act, record.ticket)),
    )


async def _of_caller(act: ServiceAct, ticket: Ticket) -> list[str]:
    """The numbers under which this caller's telephone is known, at least this one; confidential tickets
    and others are keyed apart and say nothing of one another.
    """
    its = select(CallerDigests.digest).where(CallerDigests.number == ticket.number)
    same = select(CallerDigests.number).where(col(CallerDigests.digest).in_(its)).distinct()
    return [*(await act.session.exec(same)).all()] or [ticket.number]


# --- figures -----------------------------------------------------------------------------------

# Every number counts once, where it stands now: what the hotline did with it, else whether it went on.
WAYS = text("""
    SELECT coalesce(ending, CASE WHEN forwarded THEN 'dispatched' ELSE 'withdrawn' END) AS way,
        CASE WHEN ending IS NOT NULL THEN ending_code END AS code, call_rating,
        coalesce(answer_due < :now, false) AS overdue, count(*) AS times
    FROM ticket WHERE registered_at >= :start AND registered_at < :end
    GROUP BY 1, 2, 3, 4""")

# Numbers that were taken off another one: the same call, another matter.
SPLIT = text("""
    SELECT count(*) FROM ticket
    WHERE registered_at >= :start AND registered_at < :end AND split_from IS NOT NULL""")

MARKED = text("""
    SELECT count(DISTINCT t.number) FROM ticket t JOIN malicious_mark m ON m.number = t.number
    WHERE t.registered_at >= :start AND t.registered_at < :end AND m.undone_at IS NULL""")


async def figures(act: ServiceAct, first: date | None, last: date | None) -> FrontFigures:
    """What became of the calls registered from ``first`` to ``last``, both included; the period so
    far unless told otherwise. Raises Malformed for a period that ends before it begins.
    """
    of = act.config.place.counted(first, last, act.now)
    within = {"start": of.start, "end": of.end}
    connection = await act.session.connection()
    found = (await connection.execute(WAYS, within | {"now": act.now})).all()
    split: int = (await connection.execute(SPLIT, within)).scalar_one()
    marked: int = (await connection.execute(MARKED, within)).scalar_one()
    counted = _counted(found)
    calls = counted["registered"] - split
    return FrontFigures(start=of.first, end=of.last, malicious=marked, calls=calls, **counted)


def _counted(found: Sequence[Any]) -> dict[str, Any]:
    """The figures of rows of ``WAYS``."""
    ways: Counter[str] = Counter()
    codes: Counter[tuple[str, str]] = Counter()
    ratings: Counter[str] = Counter()
    for row in found:
        ways[row.way] += row.times
        codes[row.way, row.code] += row.times
        ratings[row.call_rating] += row.times
    registered, answered = sum(ways.values()), ways[TicketStatus.ANSWERED]
    return {
        "registered": registered,
        "dispatched": ways["dispatched"],
        "answered": answered,
        "direct_share": round(answered / registered, 6) if registered else None,
        "answering": ways[TicketStatus.ANSWERING],
        "answering_overdue": sum(row.times for row in found if row.overdue),
        "not_accepted": ways[TicketStatus.NOT_ACCEPTED],
        "not_accepted_by_reason": _by_code(codes, TicketStatus.NOT_ACCEPTED),
        "handed_over": ways[TicketStatus.HANDED_OVER],
        "handed_over_by_line": _by_code(codes, TicketStatus.HANDED_OVER),
        "withdrawn": ways["withdrawn"],
        "call_ratings": {word.value: ratings[word] for word in CallRating},
    }


def _by_code(codes: Mapping[tuple[str, str], int], way: TicketStatus) -> dict[str, int]:
    return {code: times for (of, code), times in sorted(codes.items()) if of == way}
