"""证据包 A proof pack: its entries, how they are chained, and who signed them. Pure.

What is hashed and signed is JSON as ``written`` writes it, so that whoever has Python can check it
(examples/verify_proof.py). An entry's ``hash`` is of the one before and of what it says itself; the seal
names what every entry says, so that a copy is told apart at the very place where it differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FORMAT = "jiesu.proof/1"
LINK = ("no", "previous", "hash")  # what an entry says of its place, and not of the ticket
Digest = Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, in hexadecimal digits")


class Kind(StrEnum):
    """What an entry is of: the pack itself (卷首), an act, a message to the citizen, a call, a reading of who
    called, or a clock as it stands.
    """

    HEAD = "head"
    ACT = "act"
    MESSAGE = "message"
    CALL = "call"
    READING = "reading"
    CLOCK = "clock"


class Said(BaseModel):
    """What an entry says. ``at``: when it became true; ``recorded``: when it was written down, by which
    entries are ordered.

    ``name``: of a fact its name, of anything else which of its kind. ``actor``: who did it, by role and unit;
    never the citizen. ``source``: the row of the service's database it stands in, with the hash of what
    stands there, unless something was masked here that stands there yet (``masked``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Kind
    service: str
    name: str
    at: AwareDatetime
    recorded: AwareDatetime
    actor: str | None = None
    unit: str | None = None
    round: int | None = None
    assignment: UUID | None = None
    source: dict[str, str | int] = {}
    masked: tuple[str, ...] = ()
    data: dict[str, Any] = {}


class Entry(Said):
    """An entry at its place. ``no`` counts from 0, which is the head; ``previous``: the hash of the one
    before, empty at the head.
    """

    no: int = Field(ge=0)
    previous: str = Field(pattern=r"^([0-9a-f]{64})?$")
    hash: str = Digest


class Seal(BaseModel):
    """封签: what is signed. ``entries``: the SHA-256 of what each entry says, in their order; ``last``: the
    hash of the last; ``pdf``: of the printed pack, where there is one; ``key``: the Ed25519 key it is
    checked with, ``key_id`` its name here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: str = Field(default=FORMAT, pattern=f"^{FORMAT}$")
    ticket: str
    entries: tuple[str, ...]
    last: str = Digest
    pdf: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    key: str = Field(pattern=r"^[0-9a-f]{64}$", description="32 bytes, in hexadecimal digits")
    key_id: str


class Pack(BaseModel):
    """证据包: the entries, the head first; the seal; and the signature over the seal as it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    entries: tuple[Entry, ...] = Field(min_length=1)
    seal: Seal
    signature: str = Field(pattern=r"^[0-9a-f]{128}$", description="Ed25519, RFC 8032")


def written(said: Any) -> bytes:
    """JSON as it is hashed, signed and stored: sorted names, one blank a level, UTF-8."""
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True).encode()


def plain(said: BaseModel) -> dict[str, Any]:
    """A model as JSON knows it; what is absent is left out."""
    found: dict[str, Any] = said.model_dump(mode="json", exclude_none=True)
    return found


def content(said: Said) -> str:
    """The SHA-256 of what an entry says, whichever place it has."""
    says = {name: value for name, value in plain(said).items() if name not in LINK}
    return hashlib.sha256(written(says)).hexdigest()


def chained(said: Sequence[Said]) -> list[Entry]:
    """Entries in this order, each with the hash of the one before."""
    entries, last = list[Entry](), ""
    for no, each in enumerate(said):
        previous, last = last, hashlib.sha256((last + content(each)).encode()).hexdigest()
        entries.append(Entry(**dict(each), no=no, previous=previous, hash=last))
    return entries


def sealed(
    ticket: str, entries: Sequence[Entry], pdf: bytes | None, key: Ed25519PrivateKey, key_id: str
) -> Pack:
    """The whole pack, signed."""
    seal = Seal(
        ticket=ticket,
        entries=tuple(map(content, entries)),
        last=entries[-1].hash,
        pdf=hashlib.sha256(pdf).hexdigest() if pdf is not None else None,
        key=public(key),
        key_id=key_id,
    )
    return Pack(entries=tuple(entries), seal=seal, signature=key.sign(written(plain(seal))).hex())


def public(key: Ed25519PrivateKey) -> str:
    """What a key's signatures are checked with, in hexadecimal digits: this is published."""
    return key.public_key().public_bytes_raw().hex()
