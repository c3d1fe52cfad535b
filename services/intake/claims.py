"""重报: which complaints of a group were handed in before, by their callers' keys.

A group is claimed in one statement, whoever sent how many of it. What a repeat gets is the first
one's ticket: a Receipt is kept in no other form, for it holds what the citizen's code is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import text

from services.intake.records import ServiceAct
from services.intake.schemas import NewTicket
from services.intake.settings import Config
from shared import clock
from shared.caller import Caller
from shared.errors import KeyReused
from shared.http.idempotency import is_repeat, unknown_before
from shared.observability import traceparent


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


def receipt_of(row: Any) -> Receipt:
    """The receipt of a ticket that was registered before."""
    return Receipt(row.number, row.id, row.code_nonce, row.registered_at, created=False)


# --- claiming ----------------------------------------------------------------------------------

CLAIM = text("""
    INSERT INTO answers (caller, key, fingerprint, sent, recorded)
    SELECT c, k, f, s, :now FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]),
        CAST(:fingerprints AS text[]), CAST(:sent AS text[])) AS a (c, k, f, s)
    ON CONFLICT DO NOTHING RETURNING caller, key""")

KNOWN = text("""
    SELECT a.caller, a.key, a.fingerprint, a.sent, t.number, t.id, t.code_nonce, t.registered_at
    FROM answers a LEFT JOIN ticket t ON t.number = a.body
    JOIN unnest(CAST(:callers AS text[]), CAST(:keys AS text[])) AS k (caller, key)
        ON k.caller = a.caller AND k.key = a.key""")

REMEMBER = text("""
    UPDATE answers a SET body = n.number, status = 201
    FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]), CAST(:numbers AS text[]))
        AS n (caller, key, number)
    WHERE a.caller = n.caller AND a.key = n.key""")

Slot = tuple[str, str]


class Prints(NamedTuple):
    """Digests of one request: as the release before spells it, and of what was sent."""

    fingerprint: str
    sent: str | None

    @classmethod
    def of(cls, body: NewTicket, config: Config) -> Prints:
        """Those of a complaint."""
        digest = config.digester.fingerprint
        return cls(digest(canonical_before(body)), digest(canonical(body)))


class IdempotencyClaims:
    """Which complaints of a group are new, by their callers' keys.

    A key's first use claims it; inside the group and across groups every later use gets the first
    one's ticket, or KeyReused when it came with another body or was used for another act.
    """

    def __init__(self, items: Sequence[Registration], config: Config) -> None:
        self._slots = [_slot(item, config) for item in items]
        self._first: dict[Slot, int] = {}
        self._prints: dict[int, Prints] = {}
        for at, slot in enumerate(self._slots):
            if slot:
                self._first.setdefault(slot, at)
                self._prints[at] = Prints.of(items[at].body, config)
        self._known: dict[Slot, tuple[Prints, Receipt | None]] = {}  # None: no ticket came of it
        self.registered: dict[int, Receipt] = {}

    async def claim(self, act: ServiceAct) -> None:
        """Claim every key of the group in one sorted statement, and read those used before."""
        if not self._first:
            return
        slots = sorted(self._first)
        prints = [self._prints[self._first[slot]] for slot in slots]
        connection = await act.session.connection()
        values = {
            **_columns(slots),
            "fingerprints": [each.fingerprint for each in prints],
            "sent": [each.sent for each in prints],
            "now": clock.real(),
        }
        won = {(row.caller, row.key) for row in await connection.execute(CLAIM, values)}
        if lost := [slot for slot in slots if slot not in won]:
            for row in await connection.execute(KNOWN, _columns(lost)):
                receipt = receipt_of(row) if row.number else None
                self._known[row.caller, row.key] = Prints(row.fingerprint, row.sent), receipt

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
        before, receipt = self._known.get(slot) or self._first_here(slot)
        if receipt is None or not is_repeat(before, **self._prints[at]._asdict()):
            return KeyReused(field="Idempotency-Key")
        return receipt

    def _first_here(self, slot: Slot) -> tuple[Prints, Receipt]:
        first = self._first[slot]
        return self._prints[first], replace(self.registered[first], created=False)


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


def canonical_before(body: NewTicket) -> bytes:
    """The same as the release before spells it: with every default it knows."""
    known = body.model_dump(mode="json", exclude=unknown_before(body))
    return orjson.dumps(known, option=orjson.OPT_SORT_KEYS)
