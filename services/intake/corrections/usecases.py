"""更正: what was written down wrongly is put right, on record, and told (ADR 0045).

Who called lies in the vault and is sealed anew; what stood there before is sealed in the record of the
correction. Whoever calls reads the vault at that moment, so a new number needs no telling.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import uuid6
from sqlmodel import col, select

from services.intake import callers, search, vault
from services.intake.contacts import rights
from services.intake.corrections.models import WAITING, Correction, Corrections
from services.intake.corrections.schemas import (
    CorrectionDecision,
    CorrectionIn,
    CorrectionList,
    CorrectionOut,
)
from services.intake.models import CitizenNote, CitizenNotes, Vault, Vaults
from services.intake.naming import in_codes
from services.intake.records import ServiceAct, TicketRecord, get_locked, read
from services.intake.registration import check_known
from services.intake.rules import corrections as rules
from services.intake.rules import identity, upstream
from services.intake.rules.corrections import PERSONAL
from services.intake.rules.identity import IdentityErased, Person
from services.intake.rules.phones import read_phone
from services.intake.rules.reported import check_reported, working_reported
from services.intake.rules.titles import title_of
from services.intake.sealing import SealBroken
from shared import policies
from shared.errors import NotFound
from shared.events import Reported, TicketCorrected, TicketType
from shared.jurisdiction.wording import text_of

NOTED_AS = "correct"
MOST = 500
Known = dict[str, Any]


async def correct(act: ServiceAct, number: str, body: CorrectionIn) -> CorrectionOut:
    """Put right what is named. What was so already changes nothing; what would take the shield off, or may
    give more time, waits for another person, all of it.

    Raises NotFound, Malformed, UnknownCode, UpstreamDueWrong, MoveRefused, Recused, ConsentMissing,
    IdentityErased, SealBroken.
    """
    body = in_codes(body, act.config)
    record = await get_locked(act, number)
    sealed = await _vault_row(act, record) if body.caller else None
    known: Known = _opened(act, sealed) if sealed else {}
    before, after = _before(record, known), _after(act, known, body)
    after = rules.secret_as_registered(before, after)
    _check(act, record, before, after, body.consent)
    _check_upstream(act, record, body.upstream_due)
    person = await vault.known_person(act, record.ticket)
    if body.reported:
        about = Reported(**body.reported.model_dump())
        after["reported"] = working_reported(about, None, person or Person()).model_dump(
            mode="json"
        )
    fields = rules.changed(before, after)
    rules.check_status(record.status, fields)
    public, confidential = act.config.public, record.ticket.confidential
    copy = identity.copy_of(body.reason, person, public, confidential=confidential)
    reason = identity.mask_note(copy.content, _person_given(after))
    row = _row(act, record, fields, before, after)
    if rules.exposing(before, after) or rules.loosening(before, after):
        rules.check_apart(fields)
        row.waits, said = True, body.consent
        row.consent = await vault.cleared(act, record.ticket, said) if said else None
        _keep(act, row, reason, {"reason": body.reason, "consent": said})
    elif fields:
        _keep(act, row, reason, _personal(fields, before, after) | {"reason": body.reason})
        if sealed and set(PERSONAL) & set(fields):
            _reseal(act, record, sealed, known, after)
        await _put_right(act, record, row, known, reason)
    return _out(row, reason)


async def _put_right(
    act: ServiceAct, record: TicketRecord, row: Correction, known: Known, reason: str
) -> None:
    fields = row.fields
    _write(record, fields, row.after)
    if {"phone", "confidential"} & set(fields):
        await _index_anew(act, record, known)
    if "confidential" in fields and not record.ticket.confidential:
        await rights.end_requests_of(act, row.number)
    _tell(act, record, row, reason)
    await search.index_unsaid(act, record.ticket)


async def decide(act: ServiceAct, id: UUID, body: CorrectionDecision) -> CorrectionOut:
    """同意或不同意 that a correction takes the shield off, or gives more time: by another person than who
    made it. It is judged by what is known of the ticket now; what is so already by then changes nothing.

    Raises NotFound, MoveRefused, OwnApproval, UnknownCode, Recused, ConsentMissing.
    """
    of = select(Corrections.number).where(Corrections.id == id)
    number = (await act.session.exec(of)).first()
    if number is None:
        raise NotFound
    record = await get_locked(act, number)
    [row] = await act.rows.load(Correction, select(Corrections).where(Corrections.id == id))
    status = rules.status_of(waits=row.waits, granted=row.granted)
    rules.check_decision(status, row.corrected_by, act.actor, granted=body.granted)
    said = select(CitizenNotes.content).where(CitizenNotes.id == id)
    reason = (await act.session.exec(said)).one()
    note, before = await vault.cleared(act, record.ticket, body.note), _before(record, {})
    fields = rules.changed(before, row.after)
    if body.granted:
        _check(act, record, before, row.after, row.consent)
        rules.check_status(record.status, fields)
        rules.check_ahead(row.after.get("upstream_due"), act.now)
    row.granted, row.note = body.granted, note
    row.decided_at, row.decided_by = act.now, act.actor
    if body.granted:
        row.fields = fields
        row.after = {field: row.after[field] for field in row.fields}
        row.before = {field: before[field] for field in row.fields}
        row.after_dispatch = bool(record.assignments)
        if row.fields:
            await _put_right(act, record, row, {}, reason)
    return _out(row, reason)


async def waiting(act: ServiceAct) -> CorrectionList:
    """What waits for another person to agree, the oldest first."""
    query = (
        select(Corrections, CitizenNotes.content)
        .join(CitizenNotes, col(CitizenNotes.id) == col(Corrections.id))
        .where(*WAITING)
        .order_by(col(Corrections.corrected_at), col(Corrections.id))
        .limit(MOST)
    )
    return CorrectionList(
        items=[_out(row, reason) for row, reason in await act.session.exec(query)]
    )


async def listed(act: ServiceAct, number: str) -> CorrectionList:
    """Every correction of a ticket, oldest first. Raises NotFound."""
    if await read(act, number) is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    query = (
        select(Corrections, CitizenNotes.content)
        .join(CitizenNotes, col(CitizenNotes.id) == col(Corrections.id))
        .where(Corrections.number == number)
        .order_by(col(Corrections.corrected_at), col(Corrections.id))
    )
    return CorrectionList(
        items=[_out(row, reason) for row, reason in await act.session.exec(query)]
    )


# --- before and after --------------------------------------------------------------------------


async def _vault_row(act: ServiceAct, record: TicketRecord) -> Vault:
    query = select(Vaults).where(Vaults.number == record.ticket.number).with_for_update()
    rows = await act.rows.load(Vault, query)
    if not rows:
        raise IdentityErased
    return rows[0]


def _opened(act: ServiceAct, sealed: Vault) -> Known:
    known: Known = orjson.loads(act.config.sealer.unseal(sealed.sealed, sealed.number))
    return known


def _before(record: TicketRecord, known: Known) -> Known:
    ticket = record.ticket
    return {
        "phone": known.get("phone_given") or known.get("phone"),
        "name": known.get("name"),
        "caller_address": known.get("address"),
        "type": ticket.type,
        "topic": ticket.topic,
        "area": ticket.area,
        "flags": list(ticket.flags),
        "urgency": ticket.urgency,
        "reported": ticket.about.model_dump(mode="json"),
        "reply_declined": ticket.reply_declined,
        "confidential": ticket.confidential,
        "upstream_due": _written(ticket.upstream_due),
    }


def _after(act: ServiceAct, known: Known, body: CorrectionIn) -> Known:
    """The values that were given, in the words of ``_before``."""
    said = body.model_dump(mode="json", exclude={"reason", "caller", "consent"}, exclude_none=True)
    if "upstream_due" in body.model_fields_set:
        said["upstream_due"] = _written(body.upstream_due)
    caller = body.caller.model_dump(exclude_unset=True) if body.caller else {}
    if "phone" in caller and known:
        same = read_phone(caller["phone"], act.config.place.area_code).contact
        if same is not None and same == known.get("phone"):
            caller["phone"] = known.get("phone_given") or known.get("phone")
    names = {"phone": "phone", "name": "name", "address": "caller_address"}
    return said | {names[part]: value for part, value in caller.items()}


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def _check_upstream(act: ServiceAct, record: TicketRecord, due: datetime | None) -> None:
    if due:
        ticket = record.ticket
        source = ticket.channel if ticket.source_number else None
        upstream.check(due, source, policies.limits(act).upstream, act.now)


def _check(
    act: ServiceAct, record: TicketRecord, before: Known, after: Known, consent: str | None
) -> None:
    now, ticket = before | after, record.ticket
    check_known(act.config, now["area"], now["topic"], now["flags"])
    check_reported(Reported.model_validate(now["reported"]), None, act.config.units)
    rules.check_shield(
        type=TicketType(now["type"]),
        was_report=TicketType(ticket.type) is TicketType.REPORT,
        reported=Reported.model_validate(now["reported"]),
        was_stated=ticket.about.stated,
        confidential=now["confidential"],
        was_confidential=ticket.confidential,
        consent=consent,
    )


def _personal(fields: list[str], before: Known, after: Known) -> Known:
    named = [field for field in PERSONAL if field in fields]
    return {
        "before": {field: before[field] for field in named},
        "after": {field: after[field] for field in named},
    }


def _person_given(after: Known) -> Person:
    """Who the correction says it was: the reason may name the right person."""
    return Person(after.get("name"), (), after.get("caller_address"))


# --- what is written ---------------------------------------------------------------------------


def _row(
    act: ServiceAct, record: TicketRecord, fields: list[str], before: Known, after: Known
) -> Correction:
    plain = [field for field in fields if field not in PERSONAL]
    return Correction(
        id=UUID(bytes=uuid6.uuid7().bytes),
        number=record.ticket.number,
        fields=fields,
        before={field: before[field] for field in plain},
        after={field: after[field] for field in plain},
        after_dispatch=bool(record.assignments),
        corrected_at=act.now,
        corrected_by=act.actor,
    )


def _keep(act: ServiceAct, row: Correction, reason: str, said: Known) -> None:
    """The record, and what it says of a person sealed as every note is: erased and resealed with them."""
    bound = vault.bound_note(row.number, row.id)
    act.rows.add(
        CitizenNote(
            id=row.id,
            number=row.number,
            action=NOTED_AS,
            content=reason,
            sealed=act.config.sealer.seal(orjson.dumps(said), bound),
            said_at=act.now,
        )
    )
    act.rows.add(row)


def _reseal(
    act: ServiceAct, record: TicketRecord, sealed: Vault, known: Known, after: Known
) -> None:
    """Seal who called anew. What was said is masked anew too: it may name the right person."""
    ticket, config = record.ticket, act.config
    if "phone" in after:
        phone = read_phone(after["phone"], config.place.area_code)
        known |= {"phone": phone.contact, "phones": phone.numbers, "phone_given": phone.given}
        ticket.has_contact = phone.contact is not None
    if "name" in after:
        known["name"] = after["name"]
    if "caller_address" in after:
        known["address"] = after["caller_address"]
    copy = identity.working_copy(
        known.get("title") or "",
        known["content"],
        known.get("matter_address"),
        vault.person_in(known),
        config.public,
    )
    known["matter"] = copy.matter
    sealed.sealed = config.sealer.seal(orjson.dumps(known), ticket.number)
    ticket.title = copy.title or title_of(copy.content)
    ticket.content, ticket.address = copy.content, copy.address


async def _index_anew(act: ServiceAct, record: TicketRecord, known: Known) -> None:
    """By which numbers the caller's tickets are found; confidential ones are keyed apart."""
    known = known or await _known(act, record)
    if known:
        await callers.index_anew(act, record.ticket, vault.phones_in(known))


async def _known(act: ServiceAct, record: TicketRecord) -> Known:
    """What lies sealed; nothing when it was erased or cannot be opened, and then nobody is found."""
    try:
        return await vault.unsealed(act, record.ticket.number)
    except (IdentityErased, SealBroken):
        return {}


def _write(record: TicketRecord, fields: list[str], after: Known) -> None:
    ticket = record.ticket
    for field in fields:
        if field == "reported":
            ticket.reported = after[field]
            ticket.reported_unit = next(iter(after[field]["units"]), None)
        elif field == "upstream_due":
            ticket.upstream_due = after[field] and datetime.fromisoformat(after[field])
        elif field not in PERSONAL:
            setattr(ticket, field, after[field])


def _tell(act: ServiceAct, record: TicketRecord, row: Correction, reason: str) -> None:
    """Say it, unless only the hotline has the number. What it makes urgent overtakes."""
    if not record.ticket.forwarded:
        return
    ticket, said = record.ticket, {field: row.after[field] for field in row.after}
    if "phone" in row.fields:
        said["has_contact"] = ticket.has_contact
    data = TicketCorrected(
        fields=tuple(row.fields),
        reason=reason,
        after_dispatch=row.after_dispatch,
        asked_by=row.corrected_by if row.waits else None,
        **said,
    )
    kind, text = TicketType(ticket.type), text_of(ticket.title, ticket.content)
    if act.config.urgency.found(kind, ticket.topic, tuple(ticket.flags), text):
        act.urgent.add(ticket.number)
    act.tell(data, subject=ticket.number, round=record.progress().round)


def _out(row: Correction, reason: str) -> CorrectionOut:
    return CorrectionOut(
        **row.model_dump(exclude={"waits", "granted"}),
        status=rules.status_of(waits=row.waits, granted=row.granted),
        reason=reason,
    )
