"""幂等键 Idempotency-Key: a request that is repeated is answered as the first time.

Keys are the caller's own: two callers may use the same one. A request that was refused leaves no
trace, and its key may be used again. All requests of a group are claimed, and their answers kept,
in one statement each (ADR 0037).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import Header
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.errors import KeyReused

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description=(
            "幂等键：重发同一请求时用同一键，即得首次的答复 "
            "the same for every try of one request: a repeat gets the first answer"
        ),
    ),
]


# --- one request -------------------------------------------------------------------------------


class Claim(NamedTuple):
    """A request that came with a key: whose it is, and digests of the key and of what was asked.

    ``sent`` tells a repeat. ``fingerprint`` is the request as the release before spells it: its
    replicas answer repeats too, in a roll and after the way back, and what they wrote has nothing
    else. The key is a digest because some make it of a phone number.
    """

    caller: str
    key: str
    fingerprint: str
    sent: str

    @classmethod
    def of(
        cls,
        caller: str,
        key: str | None,
        asked: str,
        body: BaseModel,
        digest: Callable[[bytes], str],
    ) -> Claim | None:
        """The claim of a request, None for one without a key. ``asked``: what it was asked of, so that
        the same words to another place are another request.
        """
        if key is None:
            return None
        before, now = (
            f"{asked}\n{content}".encode() for content in (sent_before(body), sent(body))
        )
        return cls(caller, digest(key.encode()), digest(before), digest(now))

    @property
    def slot(self) -> tuple[str, str]:
        """What is claimed: there is one of it."""
        return self.caller, self.key


class Kept(NamedTuple):
    """The first answer to a claim, byte for byte: this release may answer more than the one that
    gave it. ``status`` is None in what a release kept that did not know it.
    """

    claim: Claim
    status: int | None
    body: str


def sent(body: BaseModel) -> str:
    """What a client sent, and nothing that we add: an optional field that is new here is no other
    request.
    """
    return body.model_dump_json(exclude_unset=True)


def sent_before(body: BaseModel) -> str:
    """The same as the release before spells it: with every default it knows."""
    return body.model_dump_json(exclude=unknown_before(body))


def unknown_before(body: BaseModel) -> set[str]:
    """Fields the client left out, and the release before does not know."""
    return set(NEW_FIELDS - body.model_fields_set)


# Optional fields of requests that the release before did not know (tests/contract/test_previous.py
# names what is missing here). A field stands here for one release.
NEW_FIELDS: frozenset[str] = frozenset({"call", "ending", "follows", "reported", "upstream_due"})


def _is_repeat(kept: Claim, claim: Claim) -> bool:
    """Whether a request is the one a row was written for, by whichever release."""
    if kept.sent:
        return kept.sent == claim.sent
    return kept.fingerprint == claim.fingerprint


# --- all of a group ----------------------------------------------------------------------------

CLAIM = text("""
    INSERT INTO answers (caller, key, fingerprint, sent, recorded)
    SELECT c, k, f, s, :now FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]),
        CAST(:fingerprints AS text[]), CAST(:sent AS text[])) AS a (c, k, f, s)
    ON CONFLICT DO NOTHING RETURNING caller, key""")

KNOWN = text("""
    SELECT a.caller, a.key, a.fingerprint, a.sent, a.status, a.body FROM answers a
    JOIN unnest(CAST(:callers AS text[]), CAST(:keys AS text[])) AS k (caller, key)
        ON k.caller = a.caller AND k.key = a.key""")

KEEP = text("""
    UPDATE answers a SET fingerprint = n.fingerprint, sent = n.sent, status = n.status, body = n.body
    FROM unnest(CAST(:callers AS text[]), CAST(:keys AS text[]), CAST(:fingerprints AS text[]),
        CAST(:sent AS text[]), CAST(:statuses AS smallint[]), CAST(:bodies AS text[]))
        AS n (caller, key, fingerprint, sent, status, body)
    WHERE a.caller = n.caller AND a.key = n.key""")

GIVE_BACK = text("""
    DELETE FROM answers a USING unnest(CAST(:callers AS text[]), CAST(:keys AS text[]))
        AS n (caller, key) WHERE a.caller = n.caller AND a.key = n.key""")


class Claims:
    """Which requests of a group are repeats, of one another or of any before; None has no key.

    A key's first use claims it until the group is committed; who comes with it elsewhere meanwhile
    waits for that, and so do two groups for one another in the order of their keys.
    """

    def __init__(self, claims: Sequence[Claim | None]) -> None:
        self._claims = claims
        self._first: dict[tuple[str, str], int] = {}
        for at, claim in enumerate(claims):
            if claim:
                self._first.setdefault(claim.slot, at)
        self._kept: dict[tuple[str, str], Kept] = {}
        self._ours: set[tuple[str, str]] = set()  # claimed by this group

    async def make(self, connection: AsyncConnection) -> None:
        """Claim every key in one sorted statement, and read the answers of those used before."""
        if not self._first:
            return
        wanted = sorted(claim for at in self._first.values() if (claim := self._claims[at]))
        values = _columns(wanted) | _prints(wanted) | {"now": clock.real()}
        self._ours = {(row.caller, row.key) for row in await connection.execute(CLAIM, values)}
        if lost := [claim for claim in wanted if claim.slot not in self._ours]:
            for row in await connection.execute(KNOWN, _columns(lost)):
                claim = Claim(row.caller, row.key, row.fingerprint, row.sent or "")
                self._kept[claim.slot] = Kept(claim, row.status, row.body)

    def is_first(self, at: int) -> bool:
        """Whether no other request of this group came with the same key before."""
        claim = self._claims[at]
        return claim is None or self._first[claim.slot] == at

    def before(self, at: int) -> Kept | None:
        """The first answer to a request, if it had one. Raises KeyReused when its key came with another
        body or to another place.
        """
        claim = self._claims[at]
        kept = self._kept.get(claim.slot) if claim else None
        if claim and kept and not _is_repeat(kept.claim, claim):
            raise KeyReused(field="Idempotency-Key")
        return kept

    def note(self, at: int, status: int, body: str) -> None:
        """The answer to a request that was done now; write() stores it."""
        if claim := self._claims[at]:
            self._kept[claim.slot] = Kept(claim, status, body)

    async def write(self, connection: AsyncConnection) -> None:
        """Write the answers down, and give back the keys of what was refused or put off."""
        new = [kept for slot, kept in self._kept.items() if slot in self._ours]
        if new:
            claims = [kept.claim for kept in new]
            answers = {"statuses": [k.status for k in new], "bodies": [k.body for k in new]}
            await connection.execute(KEEP, _columns(claims) | _prints(claims) | answers)
        if refused := self._ours - self._kept.keys():
            callers, keys = zip(*refused, strict=True)
            await connection.execute(GIVE_BACK, {"callers": list(callers), "keys": list(keys)})


def _columns(claims: Iterable[Claim]) -> dict[str, Any]:
    slots = [claim.slot for claim in claims]
    return {"callers": [caller for caller, _ in slots], "keys": [key for _, key in slots]}


def _prints(claims: Sequence[Claim]) -> dict[str, Any]:
    return {
        "fingerprints": [claim.fingerprint for claim in claims],
        "sent": [claim.sent for claim in claims],
    }
