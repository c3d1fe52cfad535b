"""The vault: who called, sealed. Opening it, erasing it, sealing it anew. Who may have it opened
stands in rights.py, what was done to it in readlog.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, cast
from uuid import UUID

import orjson
from sqlalchemy import delete, func, text, update
from sqlmodel import col, select

from services.intake import readlog
from services.intake.calls.models import PhoneCall, PhoneCalls
from services.intake.calls.records import bound_call
from services.intake.models import ENDED, CitizenNote, CitizenNotes, Ticket, Tickets, Vault, Vaults
from services.intake.readlog import Deed
from services.intake.records import ServiceAct, matters_of
from services.intake.rules import identity
from services.intake.rules.identity import IdentityErased, Person
from services.intake.rules.machine import TicketStatus
from services.intake.rules.phones import known_digits
from services.intake.sealing import KeyMissing, SealBroken, Sealer
from shared.errors import ConfigError, NotFound
from shared.observability import log, place
from shared.storage.rows import one_of

# --- opening -----------------------------------------------------------------------------------


async def known_person(act: ServiceAct, ticket: Ticket) -> Person | None:
    """Who called, for the masks; None when that was erased or cannot be read any more."""
    try:
        return person_in(await unsealed(act, ticket.number))
    except IdentityErased:
        return None
    except SealBroken as error:  # the citizen's acts go on when a key is lost
        log.error("the vault cannot be read", ticket=ticket.number, why=place(error))
        return None


async def cleared(act: ServiceAct, ticket: Ticket, text: str) -> str:
    """A text about a ticket as others may read it: without who called."""
    person = await known_person(act, ticket)
    public, confidential = act.config.public, ticket.confidential
    return identity.copy_of(text, person, public, confidential=confidential).content


async def unsealed(act: ServiceAct, number: str) -> dict[str, Any]:
    """What lies sealed for a ticket. Raises IdentityErased, SealBroken."""
    vault = (await act.session.exec(select(Vaults).where(Vaults.number == number))).first()
    if vault is None:
        raise IdentityErased
    known: dict[str, Any] = orjson.loads(act.config.sealer.unseal(vault.sealed, number))
    return known


def person_in(known: dict[str, Any]) -> Person:
    """Who called, for the masks."""
    phones = known_digits(phones_in(known), known.get("phone_given"))
    return Person(known["name"], phones, known["address"], known.get("matter", {}))


def phones_in(known: dict[str, Any]) -> list[str]:
    """Every number of a caller; of a ticket of an older release the only one."""
    one = [known["phone"]] if known["phone"] else []
    return list(known.get("phones", one))


async def keep_matter(act: ServiceAct, number: str, matter: Mapping[str, str]) -> None:
    """Seal what lies behind the numbered places anew: the citizen named more. The ticket is locked."""
    for row in await act.rows.load(Vault, select(Vaults).where(Vaults.number == number)):
        known = orjson.loads(act.config.sealer.unseal(row.sealed, number))
        row.sealed = act.config.sealer.seal(orjson.dumps(known | {"matter": matter}), number)


# --- erasing (PIPL 47) -------------------------------------------------------------------------

# Tickets that a release without the column ended: their time is counted from when it is noticed.
STAMP = text(f"""
    UPDATE ticket SET ended_at = :now WHERE number IN (
        SELECT number FROM ticket WHERE ended_at IS NULL AND erased_at IS NULL
            AND status IN ({ENDED}) LIMIT :limit FOR UPDATE SKIP LOCKED)""")


async def erase(act: ServiceAct, number: str, reason: str, *, forced: bool = False) -> bool:
    """Destroy the citizen's identity and raw words, of all the matters of a call; False when that was done
    before.

    What travelled carries no identity and stays. Raises NotFound; TicketOpen unless forced.
    """
    asked = await act.session.get(Tickets, number)
    if asked is None:
        raise NotFound(f"没有此工单 no ticket {number}")
    matters = [each.number for each in await matters_of(act, asked)]
    named = select(Tickets).where(one_of(Tickets.number, matters)).order_by(col(Tickets.number))
    known = [
        each
        for each in await act.rows.load(Ticket, named.with_for_update())
        if each.erased_at is None
    ]
    if number not in {each.number for each in known}:
        return False
    for each in known:
        identity.check_erasable(TicketStatus(each.status), forced=forced)
    await _destroy(act, known, reason)
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
    calls = update(PhoneCalls).where(one_of(PhoneCalls.number, reasons))
    await connection.execute(calls.values(sealed=b""))
    await readlog.write(act, Deed.ERASED, reasons)


# --- sealing anew ------------------------------------------------------------------------------

SealedRow: TypeAlias = Vault | CitizenNote | PhoneCall
SealedTable: TypeAlias = type[Vaults] | type[CitizenNotes] | type[PhoneCalls]
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
            bound = _bound(table, found, number)
            _count_opened(sealer, sealed, bound, done)
    old = [found for found, _, sealed in page if sealed and not sealed.startswith(sealer.head)]
    if old:
        others = select(table).where(one_of(key, old)).order_by(key).with_for_update()
        for row in await act.rows.load(ROWS[table], others):
            bound = _bound(table, row.number if isinstance(row, Vault) else row.id, row.number)
            _seal_anew(sealer, row, bound, done)
    return done


def _key(table: SealedTable) -> Any:
    return col(table.number) if table is Vaults else col(cast(Any, table).id)


def _bound(table: SealedTable, key: Key, number: str | None) -> str:
    if table is PhoneCalls:
        return bound_call(cast(UUID, key))
    return str(key) if table is Vaults else bound_note(cast(str, number), cast(UUID, key))


def _count_opened(sealer: Sealer, sealed: bytes, bound: str, done: Resealed) -> None:
    try:
        sealer.unseal(sealed, bound)
        done.opened += 1
    except SealBroken:
        done.unreadable[sealer.key_of(sealed)] += 1


def _seal_anew(sealer: Sealer, row: SealedRow, bound: str, done: Resealed) -> None:
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


ROWS: Mapping[SealedTable, type[SealedRow]] = {
    Vaults: Vault,
    CitizenNotes: CitizenNote,
    PhoneCalls: PhoneCall,
}
TABLES: Sequence[SealedTable] = tuple(ROWS)
