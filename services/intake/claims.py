"""重报: which complaints of a group were handed in before, by their callers' keys.

What is kept of an answer is the ticket's number: a receipt stands in no other form, for it holds what
the citizen's code is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text

from services.intake.locating import SAID, Located, locate
from services.intake.naming import in_codes
from services.intake.records import ServiceAct
from services.intake.rules.identity import Person
from services.intake.rules.phones import GivenPhone, known_digits, normal_phone, read_phone
from services.intake.schemas import Citizen, NewTicket
from services.intake.settings import Config
from shared.caller import Caller
from shared.errors import JiesuError, KeyReused
from shared.http.idempotency import Claim, Claims, sent, unknown_before
from shared.observability import traceparent
from shared.storage.group_commit import PutOff

NO_CITIZEN = Citizen()


@dataclass(frozen=True, slots=True)
class Registration:
    """One complaint on its way in, with who hands it in, under which key and which trace.
    ``body`` has codes where names were ``sent``; ``phone``: what the caller's telephone is, as the
    place reads it; ``call``: the call it was made of, once that is known; ``person``: the identity of
    its caller, for the masks; ``located``: what its texts say of where it is. Of a matter of another
    ticket ``split_from`` names that of the call, ``taken_off`` that which held it, ``accepted_at`` when the
    call was, and ``appointed`` whom the desk wants to lead it.
    """

    body: NewTicket
    caller: Caller
    key: str | None
    trace: str | None
    phone: GivenPhone
    sent: NewTicket
    call: UUID | None = None
    located: Located = SAID
    split_from: str | None = None
    taken_off: str | None = None
    accepted_at: datetime | None = None
    appointed: str | None = None
    person: Person = field(init=False)

    def __post_init__(self) -> None:
        citizen, phone = self.body.caller or NO_CITIZEN, self.phone
        known = Person(citizen.name, known_digits(phone.numbers, phone.given), citizen.address)
        object.__setattr__(self, "person", known)

    @classmethod
    def of(cls, body: NewTicket, caller: Caller, key: str | None, config: Config) -> Registration:
        """A complaint under the current trace. Raises AmbiguousCode, AreaMissing."""
        given = body.caller.phone if body.caller else None
        phone = read_phone(given, config.place.area_code)
        coded, located = locate(in_codes(body, config), config)
        return cls(coded, caller, key, traceparent(), phone, body, located=located)


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


RECEIPTS = text("""
    SELECT number, id, code_nonce, registered_at FROM ticket
    WHERE number = ANY(CAST(:numbers AS text[]))""")


class RegistrationClaims:
    """Which complaints of a group are new, by their callers' keys.

    A key's first use claims it; inside the group and across groups every later use gets the first
    one's ticket, or KeyReused when it came with another body or was used for another act.
    """

    def __init__(self, items: Sequence[Registration], config: Config) -> None:
        self._claims = Claims([_claim(item, config) for item in items])
        self._answers: dict[int, Receipt | Exception] = {}
        self._receipts: dict[str, Receipt] = {}
        self._count = len(items)

    async def make(self, act: ServiceAct) -> list[int]:
        """Claim every key of the group; the places of the complaints to register now."""
        connection = await act.session.connection()
        await self._claims.make(connection)
        known = {at: number for at in range(self._count) if (number := self._number_before(at))}
        if known:
            values = {"numbers": list(known.values())}
            for row in await connection.execute(RECEIPTS, values):
                self._receipts[row.number] = receipt_of(row)
        return [
            at
            for at in range(self._count)
            if at not in known and at not in self._answers and self._claims.is_first(at)
        ]

    def _number_before(self, at: int) -> str | None:
        try:
            kept = self._claims.before(at)
        except KeyReused as reused:
            self._answers[at] = reused
            return None
        return kept.body if kept else None

    async def keep(self, act: ServiceAct, answers: Mapping[int, Receipt | JiesuError]) -> None:
        """Write down which ticket each newly used key got; a refused one is used no more."""
        for at, answer in answers.items():
            self._answers[at] = answer
            if isinstance(answer, Receipt):
                self._receipts[answer.number] = replace(answer, created=False)
                self._claims.note(at, 201, answer.number)
        await self._claims.write(await act.session.connection())

    def answer(self, at: int) -> Receipt | Exception:
        """The answer to one complaint, once the new ones are registered; PutOff when the first of its
        key in this group was refused, for then it is the first.
        """
        if at not in self._answers:
            number = self._number_before(at)
            receipt = self._receipts.get(number or "")
            unused = PutOff() if number is None else KeyReused(field="Idempotency-Key")
            self._answers.setdefault(at, receipt or unused)
        return self._answers[at]


def _claim(item: Registration, config: Config) -> Claim | None:
    """The caller's key, which counts for this caller only; a digest, for some hold a phone."""
    if item.key is None:
        return None
    digest, body = config.digester.fingerprint, spelled(item.sent)
    before, now = digest(canonical_before(body)), digest(canonical(body))
    return Claim(item.caller.actor, digest(item.key.encode()), before, now)


def canonical(body: NewTicket) -> bytes:
    """What a caller sent, ``spelled``, to tell a repeat from another complaint."""
    return sent(body).encode()


def canonical_before(body: NewTicket) -> bytes:
    """The same as the release before writes it: with every default it knows."""
    known = body.model_dump(mode="json", exclude=unknown_before(body))
    return orjson.dumps(known, option=orjson.OPT_SORT_KEYS)


def spelled(body: NewTicket) -> NewTicket:
    """A complaint with the phone as the release before spells it, where it takes it: digests it kept
    of such requests hold that, and its replicas compare with ours.
    """
    given = body.caller.phone if body.caller else None
    number = normal_phone(given) if given else None
    if body.caller is None or number is None or number == given:
        return body
    return body.model_copy(update={"caller": body.caller.model_copy(update={"phone": number})})
