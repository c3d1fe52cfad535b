"""查阅联系方式 Reading who must be contacted, and the custodian's leave to do so (R-35, R-36).

Where it is read, what is known elsewhere has been asked for already: nobody waits for another
service in a transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import uuid6
from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, bindparam
from sqlmodel import col, select

from services.intake import readlog, vault
from services.intake.contacts.schemas import (
    ClearedWords,
    Contact,
    ContactReadRequest,
    ContactRequestIn,
    ContactRequestOut,
    ContactRequestPage,
    ContactRuling,
    Matter,
    MatterItem,
)
from services.intake.models import ContactRequest, ContactRequests, Ticket, Tickets
from services.intake.readlog import Deed
from services.intake.records import ServiceAct, TicketRecord, find_locked, read
from services.intake.rules import identity, rights
from services.intake.rules.rights import (
    CALLS,
    OPEN,
    CustodianNeeded,
    Refusal,
    RequestStatus,
    Standing,
    is_live,
)
from shared.caller import Caller
from shared.errors import Forbidden, JiesuError, MoveRefused, NotFound
from shared.events import ContactRead, Urgency
from shared.security.masking import mask_patterns

NOTHING = "没有可读取的联系方式 no contact of yours to read"


# --- reading -----------------------------------------------------------------------------------


async def read_contact(
    act: ServiceAct, number: str, body: ContactReadRequest, standing: Standing
) -> Contact | JiesuError:
    """Read who must be contacted, and write down who read it and why.

    A refusal is answered, not raised, for it is written down, too: NotFound for whoever must not learn
    whether there is such a ticket, CustodianNeeded, and what the standing is unknown for. Raises
    IdentityErased; SealBroken when its key is lost or it was tampered with.
    """
    known = await _opened(act, number, body, standing, Deed.READ)
    if isinstance(known, JiesuError):
        return known
    if _caller(act).role != "unit":  # who only calls needs no address
        return Contact(name=known["name"], phone=known["phone"], address=None)
    given = known.get("phone_given")
    return Contact(
        name=known["name"],
        phone=known["phone"],
        address=known["address"],
        other_phones=vault.phones_in(known)[1:],
        phone_given=given if given != known["phone"] else None,
    )


async def read_matter(
    act: ServiceAct, number: str, body: ContactReadRequest, standing: Standing
) -> Matter | JiesuError:
    """Read what lies behind the numbered places of a ticket's texts, and where the matter is; as
    read_contact, with the same rights and in the same log. Raises as that.
    """
    known = await _opened(act, number, body, standing, Deed.MATTER)
    if isinstance(known, JiesuError):
        return known
    return Matter(
        items=[MatterItem(place=at, value=value) for at, value in known.get("matter", {}).items()],
        address=known.get("matter_address"),
        location=known.get("matter_location"),
    )


async def _opened(
    act: ServiceAct, number: str, body: ContactReadRequest, standing: Standing, deed: Deed
) -> dict[str, Any] | JiesuError:
    record = await find_locked(act, number)
    if record is None:
        return standing.unknown or NotFound(NOTHING)
    why = await _why_not(act, record, standing)
    if why:
        await _note_refusal(act, record, body, why)
        return _as_told(number, why, standing)
    known = await vault.unsealed(act, number)
    reason = identity.mask_note(body.reason, vault.person_in(known))
    await readlog.write(act, deed, {number: reason}, person=body.on_behalf_of)
    if deed is Deed.READ and standing.assignment:
        round = record.progress().round
        act.tell(ContactRead(), subject=number, round=round, assignment=standing.assignment)
    return known


async def _why_not(act: ServiceAct, record: TicketRecord, standing: Standing) -> Refusal | None:
    return rights.refusal(
        _caller(act),
        standing,
        recused=_recused(act, record.ticket),
        status=record.status,
        confidential=record.ticket.confidential,
        granted=await _is_granted(act, record.ticket.number, standing.assignment),
    )


def _recused(act: ServiceAct, ticket: Ticket) -> Collection[str]:
    """Who must know nothing of the ticket."""
    return act.config.gazetteer.recused(ticket.about, ticket.area)


async def _is_granted(act: ServiceAct, number: str, assignment: UUID | None) -> bool:
    """Whether a custodian's leave for this ticket under this very order lasts: of several that are
    worked on as one each has its own.
    """
    if assignment is None:
        return False
    of_order = select(ContactRequests).where(
        ContactRequests.assignment == assignment, ContactRequests.number == number
    )
    return any(_lasts(act, row) for row in await act.session.exec(of_order))


def _lasts(act: ServiceAct, row: ContactRequest) -> bool:
    return is_live(RequestStatus(row.status), row.granted_until, act.now)


async def _note_refusal(
    act: ServiceAct, record: TicketRecord, body: ContactReadRequest, why: Refusal
) -> None:
    number = record.ticket.number
    if await readlog.refused_before(act, number, why):
        return
    reason = await vault.cleared(act, record.ticket, body.reason)
    await readlog.write(act, Deed.REFUSED, {number: reason}, person=body.on_behalf_of, why=why)


def _as_told(number: str, why: Refusal, standing: Standing) -> JiesuError:
    """A refusal as the caller hears it. Who is told to ask again hears the same for any ticket."""
    if why is Refusal.NEEDS_GRANT:
        return CustodianNeeded(number)
    return standing.unknown or NotFound(NOTHING)


def _caller(act: ServiceAct) -> Caller:
    if act.caller is None:
        raise Forbidden
    return act.caller


async def clear(act: ServiceAct, number: str, text: str) -> ClearedWords:
    """脱敏: words about a ticket without who called, for feedback, which knows no names; nobody reads
    anything by it. Raises Forbidden, NotFound.
    """
    if _caller(act).name != CALLS:
        raise Forbidden(f"只由 {CALLS} 服务查询 only the service {CALLS} asks")
    record = await read(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    plain = mask_patterns(text, act.config.public.telephones)
    return ClearedWords(text=await vault.cleared(act, record.ticket, plain))


# --- asking the custodian ----------------------------------------------------------------------


async def request_contact(
    act: ServiceAct, number: str, body: ContactRequestIn, standing: Standing
) -> ContactRequestOut:
    """查阅申请: the unit that handles a confidential matter asks to read who must be contacted; while
    a request of this order waits or its leave lasts, that one is answered. Raises NotFound, DutyUnknown;
    MoveRefused where none is needed.
    """
    record, caller = await find_locked(act, number), _caller(act)
    if standing.unknown:
        raise standing.unknown
    why = await _why_not(act, record, standing) if record else Refusal.NOT_ON_DUTY
    if record is None or standing.assignment is None or why not in (None, Refusal.NEEDS_GRANT):
        raise NotFound(NOTHING)
    if not record.ticket.confidential:
        raise MoveRefused("contact-requests", "not-confidential", ["contact-reads"])
    ticket, custodian = record.ticket, act.config.custodian
    of_order = select(ContactRequests).where(
        ContactRequests.assignment == standing.assignment, ContactRequests.number == number
    )
    for row in await act.session.exec(of_order):
        if row.status == RequestStatus.ASKED or _lasts(act, row):
            return _out(row, ticket)
    request = ContactRequest(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=number,
        unit=caller.unit or "",
        assignment=standing.assignment,
        status=RequestStatus.ASKED,
        reason=await vault.cleared(act, ticket, body.reason),
        asked_at=act.now,
        asked_by=act.actor,
        due=custodian.rule_by(Urgency(ticket.urgency), act.now, act.config.calendar),
    )
    why_asked = {number: request.reason}
    await readlog.write(act, Deed.REQUESTED, why_asked, person=body.on_behalf_of)
    return _out(act.rows.add(request), ticket)


IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))
NUMBERS_OF = select(ContactRequests.number).where(col(ContactRequests.id) == IDS)
LOCKED = (
    select(ContactRequests).where(col(ContactRequests.id) == IDS).order_by(col(ContactRequests.id))
)


async def rule_on_contact(act: ServiceAct, id: UUID, body: ContactRuling) -> ContactRequestOut:
    """查阅裁定: the custodian lets the unit read for a time, or refuses in words; and may take back what
    was granted. Raises NotFound, MoveRefused, GrantOutOfBounds.
    """
    request, ticket = await _locked_request(act, id)
    status = rights.rule(RequestStatus(request.status), granted=body.granted)
    until = None
    if body.granted:
        latest = act.config.custodian.latest_end(act.now, act.config.calendar)
        until = rights.granted_until(body.until, body.hours, act.now, latest)
    ruling = await vault.cleared(act, ticket, body.reason)
    request.status, request.granted_until, request.ruling = status, until, ruling
    request.ruled_at, request.ruled_by = act.now, act.actor
    deed = Deed.GRANTED if body.granted else Deed.DENIED
    whom = f"{request.unit} {until.isoformat()}" if until else request.unit
    await readlog.write(act, deed, {request.number: ruling}, why=whom)
    return _out(request, ticket)


async def _locked_request(act: ServiceAct, id: UUID) -> tuple[ContactRequest, Ticket]:
    """A request behind the lock of its ticket. Raises NotFound."""
    if id not in act.locked:
        ids = act.lock_order(id)
        numbers = (await act.session.exec(NUMBERS_OF, params={"ids": ids})).all()
        for number in sorted(set(numbers)):
            await find_locked(act, number)
        found = await act.rows.load(ContactRequest, LOCKED, {"ids": ids})
        act.locked |= dict.fromkeys(ids) | {row.id: row for row in found}
    request: ContactRequest | None = act.locked[id]
    record = await find_locked(act, request.number) if request else None
    if request is None or record is None:
        raise NotFound(f"查阅申请不存在 no request {id}")
    return request, record.ticket


async def end_requests(act: ServiceAct, assignment: UUID) -> None:
    """The order ended: what was asked under it waits for nobody, what was granted lets nobody read."""
    await _end(act, col(ContactRequests.assignment) == assignment)


async def end_requests_of(act: ServiceAct, number: str) -> None:
    """The ticket is confidential no more: whoever handles it reads without a leave."""
    await _end(act, col(ContactRequests.number) == number)


async def _end(act: ServiceAct, which: ColumnElement[bool]) -> None:
    still_open = select(ContactRequests).where(which, col(ContactRequests.status).in_(OPEN))
    for request in await act.rows.load(ContactRequest, still_open):
        request.status = RequestStatus.ENDED


# --- what waits --------------------------------------------------------------------------------


async def contact_requests(
    act: ServiceAct, status: RequestStatus | None, after: str | None, limit: int
) -> ContactRequestPage:
    """Requests, oldest first: the custodian sees all, a unit its own, but of no ticket it has to stand
    back from. Raises BadCursor.
    """
    query = select(ContactRequests, Tickets).join(
        Tickets, col(Tickets.number) == col(ContactRequests.number)
    )
    if unit := _caller(act).unit:
        query = query.where(ContactRequests.unit == unit)
    if status is not None:
        query = query.where(ContactRequests.status == status)
    if after is not None:
        query = query.where(col(ContactRequests.id) > UUID(act.place(after)))
    rows = (await act.session.exec(query.order_by(col(ContactRequests.id)).limit(limit + 1))).all()
    items = [
        _out(request, ticket)
        for request, ticket in rows[:limit]
        if unit is None or unit not in _recused(act, ticket)
    ]
    last = act.cursor(str(rows[limit - 1][0].id)) if len(rows) > limit else None
    return ContactRequestPage(items=items, next=last)


def _out(request: ContactRequest, ticket: Ticket) -> ContactRequestOut:
    """Of the ticket its number and type, and nothing of what it says."""
    return ContactRequestOut.model_validate(vars(request) | {"type": ticket.type})
