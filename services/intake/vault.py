"""The vault: who called, sealed. Reading it, erasing it, sealing it anew; reads and erasures are
rows of one log, chained by hashes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, cast
from uuid import UUID

import orjson
from sqlalchemy import delete, func, text, update
from sqlmodel import col, select

from services.intake.models import (
    ENDED,
    CitizenNote,
    CitizenNotes,
    ContactRead,
    ContactReads,
    Ticket,
    Tickets,
    Vault,
    Vaults,
)
from services.intake.records import ServiceAct, TicketRecord, read
from services.intake.rules import identity
from services.intake.rules.identity import IdentityErased, Person
from services.intake.rules.machine import TicketStatus
from services.intake.rules.phones import known_digits
from services.intake.schemas import Contact, ContactReadRequest, Matter, MatterItem
from services.intake.sealing import KeyMissing, SealBroken, Sealer
from shared.caller import Caller
from shared.errors import ConfigError, NotFound
from shared.observability import log, place
from shared.storage.rows import one_of

# One chain of reads and erasures per database: each row is hashed with the one before it.
CHAIN = text("SELECT pg_advisory_xact_lock(hashtext('contact_read'))")
READ, READ_MATTER, ERASED = "read", "matter", "erased"


# --- reading -----------------------------------------------------------------------------------


async def read_contact(act: ServiceAct, number: str, body: ContactReadRequest) -> Contact:
    """Read who must be contacted, and write down who read it and why (R-36).

    Raises NotFound also for those who may not: whether the ticket exists is not told. Raises
    IdentityErased; SealBroken when its key is lost or it was tampered with.
    """
    caller = act.caller
    record = await read(act, number)
    if caller is None or record is None or not _may_read(act, caller, record):
        raise NotFound("没有可读取的联系方式 no contact of yours to read")
    known = await _unsealed(act, number)
    await _log(act, READ, {number: identity.mask_note(body.reason, _person(known))})
    given = known.get("phone_given")
    return Contact(
        name=known["name"],
        phone=known["phone"],
        address=known["address"],
        other_phones=_phones(known)[1:],
        phone_given=given if given != known["phone"] else None,
    )


async def read_matter(act: ServiceAct, number: str, body: ContactReadRequest) -> Matter:
    """Read what lies behind the numbered places of a ticket's texts, and where the matter is; as
    read_contact, with the same rights and in the same log. Raises as that.
    """
    caller = act.caller
    record = await read(act, number)
    if caller is None or record is None or not _may_read(act, caller, record):
        raise NotFound("没有可读取的事项数据 no matter data of yours to read")
    known = await _unsealed(act, number)
    await _log(act, READ_MATTER, {number: identity.mask_note(body.reason, _person(known))})
    return Matter(
        items=[MatterItem(place=at, value=value) for at, value in known.get("matter", {}).items()],
        address=known.get("matter_address"),
        location=known.get("matter_location"),
    )


async def keep_matter(act: ServiceAct, number: str, matter: Mapping[str, str]) -> None:
    """Seal what lies behind the numbered places anew: the citizen named more. The ticket is locked."""
    for row in await act.rows.load(Vault, select(Vaults).where(Vaults.number == number)):
        known = orjson.loads(act.config.sealer.unseal(row.sealed, number))
        row.sealed = act.config.sealer.seal(orjson.dumps(known | {"matter": matter}), number)


def _may_read(act: ServiceAct, caller: Caller, record: TicketRecord) -> bool:
    return identity.may_read_contact(
        caller.role,
        caller.name,
        caller.unit,
        record.at_work(),
        act.config.gazetteer.recused(record.ticket.about, record.ticket.area),
        record.status,
    )


async def known_person(act: ServiceAct, ticket: Ticket) -> Person | None:
    """Who called, for the masks; None when that was erased or cannot be read any more."""
    try:
        return _person(await _unsealed(act, ticket.number))
    except IdentityErased:
        return None
    except SealBroken as error:  # the citizen's acts go on when a key is lost
        log.error("the vault cannot be read", ticket=ticket.number, why=place(error))
        return None


async def _unsealed(act: ServiceAct, number: str) -> dict[str, Any]:
    """What lies sealed for a ticket. Raises IdentityErased, SealBroken."""
    vault = (await act.session.exec(select(Vaults).where(Vaults.number == number))).first()
    if vault is None:
        raise IdentityErased
    known: dict[str, Any] = orjson.loads(act.config.sealer.unseal(vault.sealed, number))
    return known


def _person(known: dict[str, Any]) -> Person:
    phones = known_digits(_phones(known), known.get("phone_given"))
    return Person(known["name"], phones, known["address"], known.get("matter", {}))


def _phones(known: dict[str, Any]) -> list[str]:
    """Every number of a caller; of a ticket of an older release the only one."""
    one = [known["phone"]] if known["phone"] else []
    return list(known.get("phones", one))


# --- the log -----------------------------------------------------------------------------------


async def _log(act: ServiceAct, deed: str, reasons: Mapping[str, str]) -> None:
    """Write down why it was done to tickets, by number, behind the last deed of whoever came before.
    Once an act: what it adds is in the table at its end only.
    """
    await (await act.session.connection()).execute(CHAIN)
    newest = select(ContactReads).order_by(col(ContactReads.id).desc()).limit(1)
    last: ContactRead | None = (await act.session.exec(newest)).first()
    for number, reason in reasons.items():
        row = ContactRead(
            id=(last.id if last else 0) + 1,
            number=number,
            actor=act.actor,
            reason=reason,
            read_at=act.now,
            deed=deed,
            hash="",
        )
        row.hash = link(last.hash if last else "", row)
        last = act.rows.add(row)


def link(previous: str, row: ContactRead) -> str:
    """The hash of a row in the chain: change or drop any row and every later hash is wrong."""
    content = [previous, row.id, row.number, row.actor, row.reason, row.read_at.isoformat()]
    deed = [] if row.deed == READ else [row.deed]  # older rows knew no other deed
    return hashlib.sha256(orjson.dumps([*content, *deed])).hexdigest()


async def chain_breaks_at(act: ServiceAct) -> int | None:
    """The first row of the log that does not fit, or None when the chain is whole."""
    previous = ""
    for row in await act.session.exec(select(ContactReads).order_by(col(ContactReads.id))):
        if row.hash != link(previous, row):
            return row.id
        previous = row.hash
    return None


# --- erasing (PIPL 47) -------------------------------------------------------------------------

# Tickets that a release without the column ended: their time is counted from when it is noticed.
STAMP = text(f"""
    UPDATE ticket SET ended_at = :now WHERE number IN (
        SELECT number FROM ticket WHERE ended_at IS NULL AND erased_at IS NULL
            AND status IN ({ENDED}) LIMIT :limit FOR UPDATE SKIP LOCKED)""")


async def erase(act: ServiceAct, number: str, reason: str, *, forced: bool = False) -> bool:
    """Destroy the citizen's identity and raw words; False when that was done before.

    What travelled carries no identity and stays. Raises NotFound; TicketOpen unless forced.
    """
    named = select(Tickets).where(Tickets.number == number).with_for_update()
    tickets = await act.rows.load(Ticket, named)
    if not tickets:
        raise NotFound(f"没有此工单 no ticket {number}")
    if tickets[0].erased_at:
        return False
    identity.check_erasable(TicketStatus(tickets[0].status), forced=forced)
    await _destroy(act, tickets, reason)
    return True


async def stamp_ends(act: ServiceAct, limit: int) -> int:
    """Note the end of tickets that have none on record; returns how many."""
    connection = await act.session.connection()
    return (await connection.execute(STAMP, {"now": act.now, "limit": limit})).rowcount


async def count_outdated(act: ServiceAct, before: datetime, limit: int) -> int:
    """How many identities were kept longer than since ``before``, counting no further than limit."""
    found = _outdated(before).limit(limit).subquery()
    return (await act.session.exec(select(func.count()).select_from(found))).one()


async def erase_outdated(act: ServiceAct, before: datetime, reason: str, limit: int) -> list[str]:
    """Erase what belongs to tickets that ended before a moment; the numbers, oldest end first."""
    free = _outdated(before).limit(limit).with_for_update(skip_locked=True)
    tickets = await act.rows.load(Ticket, free)
    if tickets:
        await _destroy(act, tickets, reason)
    return [ticket.number for ticket in tickets]


def _outdated(before: datetime) -> Any:
    kept = select(Tickets).where(col(Tickets.ended_at) < before, col(Tickets.erased_at).is_(None))
    return kept.order_by(col(Tickets.ended_at))


async def _destroy(act: ServiceAct, tickets: Sequence[Ticket], reason: str) -> None:
    reasons = {}
    for ticket in tickets:
        person = await known_person(act, ticket) or Person()
        reasons[ticket.number] = identity.mask_note(reason, person)
        ticket.phone_index, ticket.has_contact, ticket.erased_at = None, False, act.now
    connection = await act.session.connection()
    await connection.execute(delete(Vaults).where(one_of(Vaults.number, reasons)))
    raw = update(CitizenNotes).where(one_of(CitizenNotes.number, reasons))
    await connection.execute(raw.values(sealed=b""))
    await _log(act, ERASED, reasons)


# --- sealing anew ------------------------------------------------------------------------------

SealedRow: TypeAlias = Vault | CitizenNote
SealedTable: TypeAlias = type[Vaults] | type[CitizenNotes]
Key: TypeAlias = str | UUID


@dataclass(slots=True)
class Resealed:
    """One batch: how many were sealed anew, how many open under the current key already, which keys
    were missing, and where to go on.
    """

    count: int = 0
    opened: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    last: Key | None = None


async def reseal(act: ServiceAct, table: SealedTable, after: Key | None, limit: int) -> Resealed:
    """Seal a batch of rows anew that another key than the current one sealed; open the others, for
    an older key may go only when everything opens without it.

    Every row is looked at in the order of its key, so a run that was cut is simply begun again;
    two at once do no harm.
    """
    key, sealer = _key(table), act.config.sealer
    query = select(key, table.number, table.sealed).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > after)
    page = cast(Sequence[tuple[Key, str, bytes]], (await act.session.exec(query)).all())
    done = Resealed(last=page[-1][0] if page else None)
    for found, number, sealed in page:
        if sealed.startswith(sealer.head):
            bound = number if table is Vaults else bound_note(number, cast(UUID, found))
            _count_opened(sealer, sealed, bound, done)
    old = [found for found, _, sealed in page if sealed and not sealed.startswith(sealer.head)]
    if old:
        others = select(table).where(one_of(key, old)).order_by(key).with_for_update()
        kind: type[SealedRow] = Vault if table is Vaults else CitizenNote
        for row in await act.rows.load(kind, others):
            _seal_anew(sealer, row, done)
    return done


def _key(table: SealedTable) -> Any:
    return col(Vaults.number) if table is Vaults else col(CitizenNotes.id)


def _count_opened(sealer: Sealer, sealed: bytes, bound: str, done: Resealed) -> None:
    try:
        sealer.unseal(sealed, bound)
        done.opened += 1
    except SealBroken:
        done.unreadable[sealer.key_of(sealed)] += 1


def _seal_anew(sealer: Sealer, row: SealedRow, done: Resealed) -> None:
    bound = row.number if isinstance(row, Vault) else bound_note(row.number, row.id)
    if not row.sealed or row.sealed.startswith(sealer.head):
        return
    try:
        row.sealed = sealer.seal(sealer.unseal(row.sealed, bound), bound)
        done.count += 1
    except SealBroken:
        done.unreadable[sealer.key_of(row.sealed)] += 1


def bound_note(number: str, id: UUID) -> str:
    """What the seal of a later note is bound to."""
    return f"{number}/{id}"


LOOKED_AT = 5  # one row may be broken for a reason of its own


async def check_keys(act: ServiceAct) -> None:
    """Raises ConfigError when the newest seals name a key of the ring and it does not open them: other
    bytes stand under that id, and what is sealed with them today could be lost with the next mend.
    """
    newest = select(Vaults).order_by(col(Vaults.number).desc()).limit(LOOKED_AT)
    broken = set()
    for row in (await act.session.exec(newest)).all():
        try:
            act.config.sealer.unseal(row.sealed, row.number)
            return
        except KeyMissing:
            continue
        except SealBroken:
            broken.add(act.config.sealer.key_of(row.sealed))
    if broken:
        raise ConfigError(
            f"JIESU_VAULT_KEYS: 密钥 the key {min(broken)!r} 打不开用它密封的数据，同一编号下换了内容 "
            "does not open what was sealed under its id, other bytes stand there: "
            "docs/operations/lost-secrets.md"
        )


TABLES: Sequence[SealedTable] = (Vaults, CitizenNotes)
