"""并单: several citizens and one matter (GB66-5, JN-25). Each keeps a ticket, a code and a callback of
their own; the work is done once, under the number of the ticket they are merged into.
"""

from __future__ import annotations

from fastapi import Request, Response
from pydantic import Field

from services.intake import reading, vault, views
from services.intake.contacts.neighbours import Neighbours
from services.intake.doors import AgentDoor
from services.intake.records import ServiceAct, TicketRecord, get_locked, lock, regroup
from services.intake.rules import identity, merging
from services.intake.rules.merging import ReportedNotStated, Side
from services.intake.schemas import Phrase, TicketOut
from shared.errors import Recused
from shared.events import Data, TicketMerged, TicketUnmerged
from shared.http.fields import Body, Number
from shared.http.problems import problems
from shared.http.router import Router

router = Router("/v1", tags=["intake 受理"])


class Merge(Body):
    """并单: another citizen's ticket of the same matter. ``consent``: the citizen agreed, where one of
    the two is confidential.
    """

    into: Number
    reason: Phrase = Field(repr=False)
    consent: bool = False


class Unmerge(Body):
    """撤销并单: it was another matter after all."""

    reason: Phrase = Field(repr=False)


@router.post("/tickets/{number}/merge", response_model=TicketOut, responses=problems(404, 409))
async def merge_ticket(request: Request, number: Number, body: Merge, door: AgentDoor) -> Response:
    """并单 Work on this ticket together with another one; its citizen stays a citizen of their own.

    409 `in-arbitration`: whose duty it is, the ladder rules first.
    """
    neighbours: Neighbours = request.app.state.neighbours
    await neighbours.check_undisputed(number)
    return await door.once(merge, number, body)


@router.post("/tickets/{number}/unmerge", response_model=TicketOut, responses=problems(404, 409))
async def unmerge_ticket(number: Number, body: Unmerge, door: AgentDoor) -> Response:
    """撤销并单 Work on this ticket for itself again."""
    return await door.once(unmerge, number, body)


# --- the acts ----------------------------------------------------------------------------------


async def merge(act: ServiceAct, number: str, body: Merge) -> TicketOut:
    """并单. Raises NotFound, MergeRefused, Recused."""
    if number not in act.locked:
        await lock(act, {*act.lock_order(number), body.into})
    record, into = await get_locked(act, number), await get_locked(act, body.into)
    merging.check_merge(side_of(record), side_of(into), consent=body.consent)
    _check_recused(act, record, into)
    root = into.ticket.work or into.ticket.number
    with_them = into.group or [into]
    reason, repeat = await _cleared(act, body.reason, record, with_them)
    record.ticket.work = root
    for each in with_them:
        each.ticket.work = root
    regroup(act.locked.values())
    record.refresh(act.now)
    said = TicketMerged(into=root, reason=reason, repeat=repeat, consent=body.consent)
    return await _say(act, record, said)


async def unmerge(act: ServiceAct, number: str, body: Unmerge) -> TicketOut:
    """撤销并单. Raises NotFound, NotMerged, MergeRefused."""
    record = await get_locked(act, number)
    side = side_of(record)
    merging.check_unmerge(side)
    reason, _ = await _cleared(act, body.reason, record, record.group)
    others = [each for each in record.group if each is not record]
    record.ticket.work = None
    regroup(act.locked.values())
    for each in (record, *others):
        each.refresh(act.now)
    return await _say(
        act, record, TicketUnmerged(parted_from=side.merged_into or "", reason=reason)
    )


def side_of(record: TicketRecord) -> Side:
    """A ticket as the rules of merging see it."""
    number, work = record.ticket.number, record.ticket.work
    others = [each.ticket.number for each in record.group if each is not record]
    return Side(
        number=number,
        status=record.status,
        confidential=record.ticket.confidential,
        merged_into=work if work != number else None,
        merged=tuple(others) if work == number else (),
        call=record.ticket.split_from or number,
    )


def _check_recused(act: ServiceAct, record: TicketRecord, into: TicketRecord) -> None:
    """回避: no unit at work on one may have to stand back from the other (R-35). Of a report nobody has
    said whom it accuses, nobody can know that.
    """
    ticket = record.ticket
    if reading.accused_unknown(act, ticket):
        raise ReportedNotStated
    recused = act.config.gazetteer.recused(ticket.about, ticket.area)
    if any(each.open and each.unit in recused for each in into.at_work()):
        raise Recused(field="into")


async def _cleared(
    act: ServiceAct, reason: str, record: TicketRecord, others: list[TicketRecord]
) -> tuple[str, bool]:
    """The reason without anybody's name in it, and whether the same person is among the others."""
    mine = await vault.known_person(act, record.ticket)
    repeat = False
    for each in (record, *others):
        person = mine if each is record else await vault.known_person(act, each.ticket)
        confidential = each.ticket.confidential
        copy = identity.copy_of(reason, person, act.config.public, confidential=confidential)
        reason = copy.content
        if person and mine and each is not record:
            repeat = repeat or bool(set(person.phones) & set(mine.phones))
    return reason, repeat


async def _say(act: ServiceAct, record: TicketRecord, data: Data) -> TicketOut:
    act.tell(data, subject=record.ticket.number, round=record.progress().round)
    return await views.ticket_out(act, record)
