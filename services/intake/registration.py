"""受理: registering complaints, the fast path. One use case serves one, a batch and a group.

A repeated Idempotency-Key, or a repeated (channel, source number), gets the first ticket. All
statements work on whole groups; what could refuse one complaint is checked before the group forms,
conflicts are answered by ON CONFLICT: no savepoint (docs/how-it-flows.md#fast).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import uuid6
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as upsert

from services.intake.models import Ticket, Vault
from services.intake.records import ServiceAct
from services.intake.rules import identity
from services.intake.rules.machine import TicketStatus
from services.intake.rules.numbers import compose_number
from services.intake.schemas import Citizen, NewTicket
from services.intake.settings import Config
from shared import clock
from shared.caller import Caller
from shared.errors import KeyReused, Malformed, UnknownCode
from shared.events import TicketRegistered
from shared.http.idempotency import NEW_FIELDS
from shared.observability import trace, traceparent


@dataclass(frozen=True, slots=True)
class Registration:
    """One complaint on its way in, with who hands it in, under which key and which trace."""

    body: NewTicket
    caller: Caller
    key: str | None
    trace: str | None

    @classmethod
    def of(cls, body: NewTicket, caller: Caller, key: str | None) -> Registration:
        """A complaint under the current trace."""
        return cls(body, caller, key, traceparent())


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of it; ``created`` is False when it was registered before. ``nonce``: what its
    citizen's code is made of beside the number.
    """

    number: str
    id: UUID
    nonce: UUID | None
    registered_at: datetime
    created: bool


def check_codes(body: NewTicket, config: Config) -> None:
    """Refuse codes the jurisdiction does not have, before anything is stored. Raises UnknownCode."""
    codes = config.codes
    if codes.area(body.area) is None:
        raise UnknownCode(
            f"未知区域 unknown area {body.area!r}",
            field="area",
            nearest=codes.nearest_areas(body.area),
        )
    if codes.topic(body.topic) is None:
        nearest = codes.nearest_topics(body.topic)
        raise UnknownCode(
            f"未知诉求分类 unknown topic {body.topic!r}", field="topic", nearest=nearest
        )
    if body.source_number and _names_somebody(body.source_number, body.caller or Citizen()):
        raise Malformed(
            "上游编号不得含姓名、电话或证件号码 "
            "a source number travels in facts: no name, no phone, no ID in it",
            field="source_number",
        )
    channels = [channel.code for channel in codes.channels]
    if body.channel not in channels:
        raise UnknownCode("未知渠道 unknown channel", field="channel", allowed=channels)
    if unknown := set(body.flags) - set(config.codes.flags):
        raise UnknownCode(
            f"未知标记 unknown flags {sorted(unknown)}", field="flags", allowed=config.codes.flags
        )
    if body.reported_unit and config.units.unit(body.reported_unit) is None:
        raise UnknownCode(
            "未知单位 unknown unit",
            field="reported_unit",
            nearest=config.units.nearest_units(body.reported_unit),
        )


def _names_somebody(source_number: str, caller: Citizen) -> bool:
    """Also the caller's own phone behind other digits, as call records are often numbered."""
    masked = identity.mask_note(source_number, person_of(caller))
    return masked != unicodedata.normalize("NFC", source_number)


# --- the use case ------------------------------------------------------------------------------


async def register_many(
    act: ServiceAct, items: Sequence[Registration]
) -> list[Receipt | Exception]:
    """Register a group of checked complaints: one answer each, in order.

    Raises only what concerns the group as a whole; the caller then tries them one by one.
    """
    claims = IdempotencyClaims(items, act.config)
    await claims.claim(act)
    fresh = claims.fresh()
    receipts = await _insert(act, [items[at] for at in fresh])
    claims.registered = dict(zip(fresh, receipts, strict=True))
    await claims.remember(act)
    return [claims.answer(at) for at in range(len(items))]


CLAIM = text("""
    INSERT INTO answers (caller, key, fingerprint, recorded)
    SELECT c, k, f, :now FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]),
        CAST(:fingerprints AS text[])) AS a (c, k, f)
    ON CONFLICT DO NOTHING RETURNING caller, key""")

KNOWN = text("""
    SELECT a.caller, a.key, a.fingerprint, a.status, t.number, t.id, t.code_nonce, t.registered_at
    FROM answers a LEFT JOIN ticket t ON t.number = a.body
    JOIN unnest(CAST(:callers AS text[]), CAST(:keys AS text[])) AS k (caller, key)
        ON k.caller = a.caller AND k.key = a.key""")

REMEMBER = text("""
    UPDATE answers a SET body = n.number, status = 201
    FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]), CAST(:numbers AS text[]))
        AS n (caller, key, number)
    WHERE a.caller = n.caller AND a.key = n.key""")

Slot = tuple[str, str]


class IdempotencyClaims:
    """Which complaints of a group are new, by their callers' keys.

    A key's first use claims it; inside the group and across groups every later use gets the first
    one's ticket, or KeyReused when it came with another body or was used for another act.
    """

    def __init__(self, items: Sequence[Registration], config: Config) -> None:
        self._items, self._digest = items, config.digester.fingerprint
        self._fingerprints = [self._digest(canonical(item.body)) for item in items]
        self._slots = [_slot(item, config) for item in items]
        self._first: dict[Slot, int] = {}
        for at, slot in enumerate(self._slots):
            if slot:
                self._first.setdefault(slot, at)
        self._known: dict[Slot, tuple[str, Receipt | None]] = {}  # None: no ticket came of it
        self._of_release_before: set[Slot] = set()
        self.registered: dict[int, Receipt] = {}

    async def claim(self, act: ServiceAct) -> None:
        """Claim every key of the group in one sorted statement, and read those used before."""
        if not self._first:
            return
        slots = sorted(self._first)
        columns = _columns(slots)
        prints = [self._fingerprints[self._first[slot]] for slot in slots]
        connection = await act.session.connection()
        values = {**columns, "fingerprints": prints, "now": clock.real()}
        won = {(row.caller, row.key) for row in await connection.execute(CLAIM, values)}
        if lost := [slot for slot in slots if slot not in won]:
            for row in await connection.execute(KNOWN, _columns(lost)):
                before = _receipt_of(row)
                self._known[row.caller, row.key] = (row.fingerprint, before if row.number else None)
                if row.status is None:
                    self._of_release_before.add((row.caller, row.key))

    def fresh(self) -> list[int]:
        """Places of the complaints to register now."""
        return [
            at
            for at, slot in enumerate(self._slots)
            if slot is None or (self._first[slot] == at and slot not in self._known)
        ]

    async def remember(self, act: ServiceAct) -> None:
        """Write down which ticket each newly used key got."""
        numbers = {
            slot: self.registered[at].number
            for slot, at in self._first.items()
            if at in self.registered
        }
        if numbers:
            values = {**_columns(list(numbers)), "numbers": list(numbers.values())}
            await (await act.session.connection()).execute(REMEMBER, values)

    def answer(self, at: int) -> Receipt | Exception:
        """The answer to one complaint, once the fresh ones are registered."""
        if at in self.registered:
            return self.registered[at]
        slot = self._slots[at]
        if slot is None:
            raise AssertionError("a complaint without a key is always fresh")
        fingerprint, receipt = self._known.get(slot) or self._first_here(slot)
        if receipt is None or not self._is_repeat(at, slot, fingerprint):
            return KeyReused(field="Idempotency-Key")
        return receipt

    def _is_repeat(self, at: int, slot: Slot, fingerprint: str) -> bool:
        if slot not in self._of_release_before:
            return fingerprint == self._fingerprints[at]
        return fingerprint in map(self._digest, canonical_before(self._items[at].body))

    def _first_here(self, slot: Slot) -> tuple[str, Receipt]:
        first = self._first[slot]
        return self._fingerprints[first], replace(self.registered[first], created=False)


def _slot(item: Registration, config: Config) -> Slot | None:
    """The caller's key, which counts for this caller only; a digest, for some hold a phone."""
    if item.key is None:
        return None
    return item.caller.actor, config.digester.fingerprint(item.key.encode())


def _columns(slots: Sequence[Slot]) -> dict[str, list[str]]:
    return {"callers": [caller for caller, _ in slots], "keys": [key for _, key in slots]}


def canonical(body: NewTicket) -> bytes:
    """What a caller sent, in one spelling, to tell a repeat from another complaint."""
    sent = body.model_dump(mode="json", exclude_unset=True)
    return orjson.dumps(sent, option=orjson.OPT_SORT_KEYS)


def canonical_before(body: NewTicket) -> Iterator[bytes]:
    """The same as the release before spelt it: with every default it knew."""
    nothing: set[str] = set()
    for unsent in (nothing, set(NEW_FIELDS) - body.model_fields_set):
        said = body.model_dump(mode="json", exclude=unsent)
        yield orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


# --- rows --------------------------------------------------------------------------------------

NUMBERS = text("""
    INSERT INTO day_number AS d (day, last) VALUES (:day, :count)
    ON CONFLICT (day) DO UPDATE SET last = d.last + EXCLUDED.last
    RETURNING last, code_nonces""")

BY_SOURCE = text("""
    SELECT t.channel, t.source_number, t.number, t.id, t.code_nonce, t.registered_at FROM ticket t
    JOIN unnest(CAST(:channels AS text[]), CAST(:sources AS text[])) AS s (channel, source)
        ON s.channel = t.channel AND s.source = t.source_number""")

INSERT = upsert(Ticket).on_conflict_do_nothing(
    index_elements=["channel", "source_number"],
    index_where=text("source_number IS NOT NULL"),
)


async def _insert(act: ServiceAct, items: Sequence[Registration]) -> list[Receipt]:
    """Number and store complaints; one whose source number is known gets the ticket that has it."""
    if not items:
        return []
    rows = [
        ticket_row(act, item, number, nonce)
        for item, (number, nonce) in zip(items, await _numbers(act, len(items)), strict=True)
    ]
    connection = await act.session.connection()
    await connection.execute(INSERT, rows)
    earlier = await _earlier(act, rows)
    receipts, created = [], []
    for item, row in zip(items, rows, strict=True):
        number, holder = row["number"], earlier.get((row["channel"], row["source_number"]))
        if holder is None or holder.number == number:
            created.append((item, row))
            receipts.append(Receipt(number, row["id"], row["code_nonce"], act.now, created=True))
        else:
            receipts.append(_receipt_of(holder))
    if created:
        sealed = [vault_row(act.config, item, row["number"]) for item, row in created]
        await connection.execute(insert(Vault), sealed)
    for item, row in created:
        tell(act, item, row)
    return receipts


def _receipt_of(row: Any) -> Receipt:
    return Receipt(row.number, row.id, row.code_nonce, row.registered_at, created=False)


async def _numbers(act: ServiceAct, count: int) -> list[tuple[str, UUID | None]]:
    """The next numbers of today, each with a nonce for its code; a number is given once, gaps are
    allowed. No nonces on the day this release came: replicas of the one before do not know them.
    """
    today: date = act.now.astimezone(act.config.place.timezone).date()
    connection = await act.session.connection()
    given = (await connection.execute(NUMBERS, {"day": today, "count": count})).one()
    return [
        (compose_number(today, n), uuid4() if given.code_nonces else None)
        for n in range(given.last - count + 1, given.last + 1)
    ]


async def _earlier(act: ServiceAct, rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Who holds the source numbers of a group, after it was inserted."""
    sources = [(row["channel"], row["source_number"]) for row in rows if row["source_number"]]
    if not sources:
        return {}
    values = {"channels": [c for c, _ in sources], "sources": [n for _, n in sources]}
    found = await (await act.session.connection()).execute(BY_SOURCE, values)
    return {(row.channel, row.source_number): row for row in found}


def ticket_row(
    act: ServiceAct, item: Registration, number: str, nonce: UUID | None
) -> dict[str, Any]:
    """The ticket as others may know it, under its number."""
    body, caller = item.body, item.body.caller or Citizen()
    copy = identity.working_copy(body.title, body.content, body.address, person_of(caller))
    return {
        "number": number,
        "id": UUID(bytes=uuid6.uuid7().bytes),
        "type": body.type.value,
        "urgency": body.urgency.value,
        "topic": body.topic,
        "title": copy.title,
        "content": copy.content,
        "area": body.area,
        "address": copy.address,
        "longitude": body.location.longitude if body.location else None,
        "latitude": body.location.latitude if body.location else None,
        "channel": body.channel,
        "flags": list(body.flags),
        "source_number": body.source_number,
        "reported_unit": body.reported_unit,
        "confidential": identity.is_confidential(body.type, body.confidential),
        "reply_declined": body.reply_declined,
        "has_contact": caller.phone is not None,
        "phone_index": act.config.digester.blind_index(caller.phone, "phone")
        if caller.phone
        else None,
        "code_nonce": nonce,
        "registered_at": act.now,
        "status": TicketStatus.RECEIVED.value,
        "urged": 0,
        "withdrawn": False,
        "resolved_round": 0,
        "closed_round": 0,
        "reopened_round": 1,
        "answer_seq": 0,
        "extended_round": 0,
    }


def person_of(caller: Citizen) -> identity.Person:
    """The identity of a caller, for the masks."""
    return identity.Person(caller.name, caller.phone, caller.address)


def vault_row(config: Config, item: Registration, number: str) -> dict[str, Any]:
    """The vault's row: who called and the words as they were said, sealed to the number."""
    body, caller = item.body, item.body.caller or Citizen()
    identity = {
        **caller.model_dump(),
        "title": body.title,
        "content": body.content,
        "matter_address": body.address,
    }
    return {"number": number, "sealed": config.sealer.seal(orjson.dumps(identity), number)}


def tell(act: ServiceAct, item: Registration, row: dict[str, Any]) -> None:
    """Say that it was registered, under the caller's trace and in the caller's name."""
    place = identity.visible(row["confidential"], row["address"], item.body.location)
    fact = TicketRegistered(
        type=item.body.type,
        urgency=item.body.urgency,
        topic=row["topic"],
        title=row["title"],
        content=row["content"],
        area=row["area"],
        address=place.address,
        location=place.location,
        channel=row["channel"],
        flags=item.body.flags,
        source_number=row["source_number"],
        reported_unit=row["reported_unit"],
        confidential=row["confidential"],
        reply_declined=row["reply_declined"],
        has_contact=row["has_contact"],
        configuration=act.configuration,
    )
    with trace(item.trace, ticket=row["number"]):
        act.tell(fact, subject=row["number"], round=1, actor=item.caller.actor)
