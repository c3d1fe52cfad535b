"""拆分: a call that holds several matters becomes as many tickets, one of which keeps the number.

Each further matter has the same citizen, sealed under its own number, the same secrecy and the same shield,
and the words the desk gave it. All of it is one transaction: nobody ever sees half of a split. What the
citizen said as a whole stays sealed, and the working copy of it in the notes (ADR 0058).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
import uuid6
from sqlmodel import select

from services.intake import vault
from services.intake.claims import Registration
from services.intake.models import CitizenNote, Ticket, Vault, Vaults
from services.intake.naming import in_codes
from services.intake.records import ServiceAct, TicketRecord, get_locked
from services.intake.registration import check_known, copy_for, store
from services.intake.rules import identity, splitting
from services.intake.rules.identity import IdentityErased
from services.intake.rules.machine import TicketStatus
from services.intake.rules.phones import GivenPhone
from services.intake.rules.splitting import SplitWithoutMatters, SplitWithoutRemainder
from services.intake.rules.titles import title_of
from services.intake.schemas import Citizen, NewTicket, ReportedParty
from services.intake.splitting.schemas import Remainder, Split, SplitMatter, SplitOut, SplitTicket
from shared.errors import Recused, UnknownCode
from shared.events import TicketSplit, TicketType
from shared.observability import traceparent

NOTED_AS = "split"
Known = dict[str, Any]


async def split(act: ServiceAct, number: str, body: Split) -> SplitOut:
    """拆分. Raises NotFound, SplitWithoutRemainder, SplitWithoutMatters, SplitMerged, SplitRefused,
    UnknownCode, AmbiguousCode, Recused, IdentityErased, SealBroken.
    """
    if body.remainder is None:
        raise SplitWithoutRemainder(field="remainder")
    if not body.matters:
        raise SplitWithoutMatters(field="matters")
    record = await get_locked(act, number)
    others = [each.ticket.number for each in record.group if each is not record]
    splitting.check_split(record.status, others)
    matters = [_in_codes(act, at, each, record.ticket) for at, each in enumerate(body.matters)]
    sealed = await _vault_row(act, record)
    known: Known = orjson.loads(act.config.sealer.unseal(sealed.sealed, number))
    items = [_registration(act, record.ticket, known, each) for each in matters]
    numbers = [receipt.number for receipt in await store(act, items) if receipt]
    _keep(act, record, sealed, known, body, numbers)
    own = record.ticket.model_dump(include={"number", "type", "topic", "area", "title"})
    taken_off = (_shown(act, *each) for each in zip(numbers, items, strict=True))
    return SplitOut(
        number=number,
        accepted_at=record.ticket.accepted,
        matters=[SplitTicket(**own, status=record.status), *taken_off],
    )


# --- what is asked -----------------------------------------------------------------------------


def _in_codes(act: ServiceAct, at: int, matter: SplitMatter, ticket: Ticket) -> SplitMatter:
    """A matter in codes, with what it has from its ticket."""
    own = {"type": TicketType(ticket.type), "area": ticket.area}
    given = {name: value for name, value in own.items() if getattr(matter, name) is None}
    matter = in_codes(matter.model_copy(update=given), act.config)
    check_known(act.config, str(matter.area), matter.topic, matter.flags)
    splitting.check_type(TicketType(ticket.type), ticket.about, matter.type, f"matters.{at}.type")
    if matter.lead is None:
        return matter
    field, units = f"matters.{at}.lead", act.config.units
    lead = units.names.code(matter.lead, field)
    if units.unit(lead) is None:
        raise UnknownCode(matter.lead, field=field, nearest=units.nearest_units(matter.lead))
    if lead in act.config.gazetteer.recused(ticket.about, ticket.area):
        raise Recused(field=field, unit=lead)
    return matter.model_copy(update={"lead": lead})


def _registration(
    act: ServiceAct, ticket: Ticket, known: Known, matter: SplitMatter
) -> Registration:
    """A matter as a complaint of the same citizen, by the same channel and under the same shield."""
    about, place = ticket.about, {}
    if matter.address is None:
        place = {"address": known.get("matter_address"), "location": known.get("matter_location")}
    body = NewTicket(
        **matter.model_dump(exclude={"lead"}) | place,
        channel=ticket.channel,
        upstream_due=ticket.upstream_due,
        reported=ReportedParty(**about.model_dump()) if about.stated else None,
        caller=Citizen.model_construct(
            name=known["name"], phone=known.get("phone_given"), address=known["address"]
        ),
        confidential=ticket.confidential or None,  # a report among its matters is, by itself
        reply_declined=ticket.reply_declined,
    )
    given = known.get("phone_given") or known["phone"]
    phone = GivenPhone(given, tuple(vault.phones_in(known)))
    if act.caller is None:
        raise AssertionError("a split is asked by somebody")
    return Registration(
        body,
        act.caller,
        None,
        traceparent(),
        phone,
        body,
        split_from=ticket.split_from or ticket.number,
        taken_off=ticket.number,
        accepted_at=ticket.accepted,
        appointed=matter.lead,
    )


# --- what is written ---------------------------------------------------------------------------


async def _vault_row(act: ServiceAct, record: TicketRecord) -> Vault:
    query = select(Vaults).where(Vaults.number == record.ticket.number).with_for_update()
    rows = await act.rows.load(Vault, query)
    if not rows:
        raise IdentityErased
    return rows[0]


def _keep(
    act: ServiceAct,
    record: TicketRecord,
    sealed: Vault,
    known: Known,
    body: Split,
    taken_off: Sequence[str],
) -> None:
    """The ticket keeps the remainder; what it said before stays sealed, and in the notes without names."""
    ticket, config, person = record.ticket, act.config, vault.person_in(known)
    left = body.remainder or Remainder(content="")
    copy = identity.working_copy(
        left.title or "", left.content, known.get("matter_address"), person, config.public
    )
    whole = {"title": known.get("title"), "content": known["content"]}
    known |= {"before_split": [*known.get("before_split", ()), whole]}
    known |= {"title": left.title, "content": left.content, "matter": copy.matter}
    sealed.sealed = config.sealer.seal(orjson.dumps(known), ticket.number)
    reason = identity.mask_note(body.reason, person)
    words = (
        f"拆分出 {'、'.join(taken_off)}：{reason}\n拆分前原文 before it was split: {ticket.content}"
    )
    id = UUID(bytes=uuid6.uuid7().bytes)
    note = config.sealer.seal(body.reason.encode(), vault.bound_note(ticket.number, id))
    act.rows.add(
        CitizenNote(
            id=id,
            number=ticket.number,
            action=NOTED_AS,
            content=words,
            sealed=note,
            said_at=act.now,
        )
    )
    ticket.title, ticket.content = copy.title or title_of(copy.content), copy.content
    data = TicketSplit(
        title=ticket.title, content=ticket.content, matters=tuple(taken_off), reason=reason
    )
    act.tell(data, subject=ticket.number, round=record.progress().round)


def _shown(act: ServiceAct, number: str, item: Registration) -> SplitTicket:
    copy = copy_for(act.config, item)
    return SplitTicket(
        **item.body.model_dump(include={"type", "topic", "area"}),
        number=number,
        title=copy.title or title_of(copy.content),
        status=TicketStatus.RECEIVED,
        lead=item.appointed,
    )
