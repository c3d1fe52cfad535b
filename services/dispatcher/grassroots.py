"""基层减负: what towns are given, what was kept from them, and on whose word they got it all the same (R-05).

An attempt that is refused by hand is written down in a transaction of its own: the refused one leaves
nothing behind. A ticket, round and town count once, however often it was tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlmodel import col, select

from services.dispatcher import records
from services.dispatcher.approvals.models import Approvals
from services.dispatcher.catalogue import catalogues
from services.dispatcher.figures.schemas import Burden, TownBurden
from services.dispatcher.models import GrassrootsCheck
from services.dispatcher.records import ServiceAct, TicketRecord
from services.dispatcher.rules.grassroots import Approval
from services.dispatcher.rules.grassroots import NotForTowns as NotForTowns  # routes know no rules
from services.dispatcher.rules.reasons import Reason
from shared.events import Role

# --- the guard ---------------------------------------------------------------------------------


async def check(act: ServiceAct, record: TicketRecord, lead: str) -> Approval | None:
    """Which supervisor let a unit lead a ticket by hand in this round, when the desk asked; None where that
    takes nobody. A town that leads it with an approval goes on with it.

    Raises NotForTowns.
    """
    why = await not_its_duty(act, record, lead)
    if why is None:
        return None
    approval = await _granted(act, record, lead) or _approved(record, lead)
    if approval is None and act.config.grassroots.blocks:
        raise NotForTowns(
            str(why),
            field="lead",
            unit=lead,
            rule="grassroots_guard",
            allowed=["approvals"],
        )
    return approval


async def ruled(act: ServiceAct, record: TicketRecord, lead: str, ruling: str) -> Approval | None:
    """The same of a ruling of the ladder: one that a supervisor records is another person's word, with the
    ruling for its ground. Raises NotForTowns for the desk's own.
    """
    if act.caller is None or act.caller.role != "supervisor":
        return await check(act, record, lead)
    why = await not_its_duty(act, record, lead)
    return Approval(act.actor, ruling) if why else None


async def not_its_duty(act: ServiceAct, record: TicketRecord, unit: str) -> Reason | None:
    """Why a town may not lead a ticket, by the duty lists of the catalogue that is in force now."""
    dispatching = await catalogues.dispatching(act)
    return dispatching.not_for_town(record.matter, unit, record.ticket.registered_at)


async def _granted(act: ServiceAct, record: TicketRecord, unit: str) -> Approval | None:
    """What a supervisor granted with their own token (ADR 0071)."""
    query = select(Approvals).where(
        Approvals.ticket == record.ticket.number,
        Approvals.round == record.ticket.round,
        Approvals.what == "town_lead",
        Approvals.lead == unit,
        col(Approvals.granted).is_(True),
    )
    newest = query.order_by(col(Approvals.decided_at).desc())
    found = (await act.session.exec(newest.limit(1))).first()
    return Approval(found.decided_by or "", found.note or found.ground) if found else None


def _approved(record: TicketRecord, unit: str) -> Approval | None:
    leads = (each for each in record.open() if each.role == Role.LEAD and each.unit == unit)
    return next((Approval.on_record(each.approved) for each in leads), None)


# --- what is counted ---------------------------------------------------------------------------


async def note_passed(
    act: ServiceAct, record: TicketRecord, lead: str, approval: Approval | None
) -> None:
    """A unit leads by hand; if it is a town, and its duty list does not name the matter, that counts."""
    if await not_its_duty(act, record, lead):
        _note(act, record, lead, "hand", "passed", approval)


def note_kept(act: ServiceAct, record: TicketRecord, town: str | None) -> None:
    """A rule would have given it to a town, and may not."""
    if town:
        _note(act, record, town, "rule", "blocked")


async def note_refused(act: ServiceAct, number: str, town: str) -> None:
    """The desk was refused to give it to a town."""
    note_blocked(act, await records.read(act, number), town)


def note_blocked(act: ServiceAct, record: TicketRecord, town: str) -> None:
    """The desk wanted a town to lead it, and it may not."""
    _note(act, record, town, "hand", "blocked")


def _note(
    act: ServiceAct,
    record: TicketRecord,
    town: str,
    way: Literal["rule", "hand"],
    outcome: Literal["blocked", "passed"],
    approval: Approval | None = None,
) -> None:
    row = GrassrootsCheck(
        ticket=record.ticket.number,
        round=record.ticket.round,
        unit=town,
        way=way,
        outcome=outcome,
        at=act.now,
        actor=act.actor,
        approved_by=approval and approval.by,
        ground=approval and approval.ground,
    )
    act.rows.add(row, unless_there=True)


# --- figures -----------------------------------------------------------------------------------

# A ticket that a town was given twice in a round, as when it became more urgent, was given once.
GIVEN = """
    SELECT unit, ticket, round, min(dispatched_at) AS at, bool_or(rule IS NULL) AS by_hand
    FROM assignments
    WHERE role = 'lead' AND unit = ANY(:towns) AND dispatched_at >= :start AND dispatched_at < :end
    GROUP BY unit, ticket, round"""
BURDEN = text(f"""
    WITH told AS (
        SELECT unit, at, CASE WHEN by_hand THEN 'by_hand' ELSE 'by_rule' END AS what FROM ({GIVEN}) given
        UNION ALL
        SELECT unit, at, CASE WHEN outcome = 'passed' AND approved_by IS NULL THEN 'flagged'
            WHEN outcome = 'passed' THEN 'approved' ELSE outcome || '_by_' || way END
        FROM grassroots_checks WHERE at >= :start AND at < :end)
    SELECT unit, to_char((at AT TIME ZONE :zone) + CAST(:begins AS interval)
        + make_interval(months => :later), 'YYYY-MM') AS month, what, count(*) AS times
    FROM told GROUP BY 1, 2, 3 ORDER BY 2, 1""").bindparams(bindparam("towns", type_=ARRAY(Text)))


async def burden(act: ServiceAct, first: date | None, last: date | None) -> Burden:
    """What towns were given from ``first`` to ``last``, both included, by month, as the place
    counts them; the period so far unless told otherwise. Raises Malformed for a period that ends before it
    begins.
    """
    place = act.config.place
    of = place.counted(first, last, act.now)
    within = {"start": of.start, "end": of.end, "zone": str(place.timezone)}
    begins, later = place.period.into_month
    asked = within | {"towns": _towns(act), "begins": begins, "later": later}
    found = (await (await act.session.connection()).execute(BURDEN, asked)).all()
    return Burden(start=of.first, end=of.last, towns=_counted(act, found))


def _towns(act: ServiceAct) -> list[str]:
    dispatching = act.config.dispatching
    return [unit.code for unit in act.config.units.units if dispatching.is_grassroots(unit.code)]


def _counted(act: ServiceAct, found: Iterable[Any]) -> list[TownBurden]:
    rows: dict[tuple[str, str], dict[str, int]] = {}
    for row in found:
        rows.setdefault((row.month, row.unit), {})[row.what] = row.times
    names = act.config.dispatching.names
    return [
        TownBurden(month=month, unit=unit, name=names.unit(unit), **counts)
        for (month, unit), counts in rows.items()
    ]
