"""What intake answers to GET: the citizen's progress, one ticket, and lists by cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import col, select

from services.intake import reading, search
from services.intake.models import CitizenNotes, Ticket, Tickets
from services.intake.records import (
    ServiceAct,
    TicketRecord,
    count_supplements,
    matters_of,
    read,
    records_of,
)
from services.intake.rules import identity, machine
from services.intake.rules.identity import WorkingCopy
from services.intake.schemas import (
    Extended,
    MatterProgress,
    Noted,
    Notes,
    Progress,
    TicketOut,
    TicketPage,
)
from services.intake.search import Filter
from shared.errors import NotFound
from shared.events import Location
from shared.http.fields import Sentence
from shared.storage.rows import one_of

Followers = Mapping[str, list[str]]  # the tickets that go on from others, by these

# --- the citizen's look ------------------------------------------------------------------------


async def progress_by_code(act: ServiceAct, number: str, code: str) -> Progress:
    """The citizen's own look, by number and code, with all the matters of the call. The code of the call
    is that of each. Raises NotFound for either being wrong.
    """
    record = await read(act, number)
    matters = await matters_of(act, record.ticket) if record else []
    call = next(iter(matters), None)
    checked = (call.number, call.code_nonce) if call else (number, None)
    if not act.config.digester.check_code(*checked, code) or record is None:
        raise NotFound("工单号或查询码不正确 the number or the code is wrong")
    await count_supplements(act, [record])
    progress = progress_of(act, record)
    if len(matters) > 1:
        progress.matters = [_matter(act, each) for each in await records_of(act, matters)]
    return progress


def _matter(act: ServiceAct, record: TicketRecord) -> MatterProgress:
    progress = progress_of(act, record)
    shared = progress.model_dump(include={"number", "status", "sentence", "unit_names", "answer"})
    return MatterProgress(title=record.ticket.title, **shared)


def progress_of(act: ServiceAct, record: TicketRecord) -> Progress:
    """办理进度 as the citizen sees it, with the units by name (R-44)."""
    progress = record.progress()
    sentence = machine.sentence(progress.status, progress.round, record.ticket.ending_round)
    units = act.config.units
    return Progress(
        number=record.ticket.number,
        status=progress.status,
        sentence=Sentence(zh=sentence.zh, en=sentence.en),
        unit_names=units.called(progress.units, act.store.dissolved),
        round=progress.round,
        answer=record.answer,
        extended=_extended(record.ticket, progress),
        allowed=machine.allowed(progress.status, full=record.full),
    )


def _extended(ticket: Ticket, progress: machine.TicketProgress) -> Extended | None:
    """The date that holds, while the round it was given in is worked on."""
    if ticket.extended_due is None or ticket.extended_round != progress.round:
        return None
    if progress.status not in machine.AT_WORK:
        return None
    return Extended(due=ticket.extended_due, reason=ticket.extended_reason or "")


# --- tickets -----------------------------------------------------------------------------------


async def ticket(act: ServiceAct, number: str) -> TicketOut:
    """One ticket in its working copy. Raises NotFound."""
    record = await read(act, number)
    if record is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    return await ticket_out(act, record)


async def ticket_out(act: ServiceAct, record: TicketRecord) -> TicketOut:
    """A ticket that was loaded, as it is answered."""
    await reading.look_at(act, [record])
    out = _ticket_out(act, record, await _followers(act, [record.ticket.number]))
    matters = [each.number for each in await matters_of(act, record.ticket)]
    out.matters = matters if len(matters) > 1 else []
    return out


async def notes_of(act: ServiceAct, number: str) -> Notes:
    """What was said of a ticket later, oldest first. Raises NotFound."""
    if await act.session.get(Tickets, number) is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    said = select(CitizenNotes).where(CitizenNotes.number == number).order_by(col(CitizenNotes.id))
    rows = await act.session.exec(said)
    return Notes(items=[Noted.model_validate(row, from_attributes=True) for row in rows])


async def _followers(act: ServiceAct, numbers: Sequence[str]) -> dict[str, list[str]]:
    """Which tickets go on from these, by these."""
    query = select(Tickets.follows, Tickets.number).where(one_of(Tickets.follows, numbers))
    found: dict[str, list[str]] = {}
    for followed, number in await act.session.exec(query.order_by(col(Tickets.number))):
        found.setdefault(str(followed), []).append(number)
    return found


async def tickets(act: ServiceAct, narrowed: Filter, after: str | None, limit: int) -> TicketPage:
    """Tickets by number, which is their order of registration. Raises BadCursor."""
    query = select(Tickets).order_by(Tickets.number).limit(limit + 1)
    query = await search.narrow(act, query, narrowed)
    if after is not None:
        query = query.where(Tickets.number > act.place(after))
    rows = (await act.session.exec(query)).all()
    followers = await _followers(act, [row.number for row in rows[:limit]])
    found = await records_of(act, rows[:limit])
    await reading.look_at(act, found)
    items = [_ticket_out(act, record, followers) for record in found]
    more = len(rows) > limit
    return TicketPage(items=items, next=act.cursor(items[-1].number) if more else None)


def _ticket_out(act: ServiceAct, record: TicketRecord, followers: Followers) -> TicketOut:
    ticket = record.ticket
    others = [each.ticket.number for each in record.group if each is not record]
    copy = WorkingCopy(ticket.title, ticket.content, ticket.address)
    place = identity.visible(ticket.confidential, copy, location_of(ticket))
    return TicketOut(
        number=ticket.number,
        id=ticket.id,
        type=ticket.type,
        urgency=ticket.urgency,
        topic=ticket.topic,
        title=ticket.title,
        content=ticket.content,
        area=ticket.area,
        address=place.address,
        location=place.location,
        channel=ticket.channel,
        flags=ticket.flags,
        source_number=ticket.source_number,
        upstream_due=ticket.upstream_due,
        reported_unit=ticket.reported_unit,
        reported=ticket.about,
        confidential=ticket.confidential,
        reply_declined=ticket.reply_declined,
        has_contact=ticket.has_contact,
        status=record.status,
        round=record.progress().round,
        urged=ticket.urged,
        registered_at=ticket.registered_at,
        split_from=ticket.split_from,
        follows=ticket.follows,
        followed_by=followers.get(ticket.number, []),
        noted_after_end_at=ticket.noted_after_end_at,
        answer_due=ticket.answer_due,
        call_rating=ticket.call_rating,
        merged_into=ticket.work if ticket.work != ticket.number else None,
        merged=others if ticket.work == ticket.number else [],
        allowed=reading.allowed(act, record),
    )


def location_of(ticket: Ticket) -> Location | None:
    """Where the matter is, as far as it was given and is not the caller's home."""
    copy = WorkingCopy(ticket.title, ticket.content, ticket.address)
    if ticket.longitude is None or ticket.latitude is None or copy.at_home:  # older rows have both
        return None
    return Location(longitude=ticket.longitude, latitude=ticket.latitude)
