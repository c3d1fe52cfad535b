"""What came off the bus, as it is first read: a fact, a fact of a newer release, or neither."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from shared import clock
from shared.errors import ContractError, NewerFact
from shared.events import Fact, speaker_of
from shared.events.agreement import check_agreement
from shared.messaging.bus import Message

# How far another machine's clock may be ahead of ours; a clock that is stepped by hand stands
# elsewhere in every process, and a demo tells of years.
AHEAD, AHEAD_STEPPED = timedelta(days=1), timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message with the fact in it, or with why there is none.

    ``newer``: why a newer release must read its data; then the fact is its envelope, with the data
    as it was said.
    """

    message: Message
    id: UUID
    fact: Fact | None
    reason: str = ""
    newer: str = ""

    @property
    def subject(self) -> str:
        """What the fact is about; empty when it cannot be read or is not believed."""
        return self.fact.subject if self.fact else ""

    @property
    def known(self) -> bool:
        """Whether we know facts of its name, if in another form."""
        return self.fact is not None and speaker_of(self.fact.name) is not None


def read(message: Message) -> Arrived:
    """Read a message; one that is not believed keeps its reason, and an id of its body: the id it
    claims may be another fact's.
    """
    try:
        fact, newer = decode(message.body)
        check_agreement(fact, message.key, _latest())
        return Arrived(message, fact.id, fact, newer=newer)
    except ContractError as error:
        return Arrived(message, uuid5(NAMESPACE_OID, message.body.hex()), None, str(error))


def decode(body: bytes | str) -> tuple[Fact, str]:
    """A fact, and why only a newer release can read its data. Raises ContractError."""
    try:
        return Fact.decode(body), ""
    except NewerFact as newer:
        return newer.envelope, str(newer)


def _latest() -> datetime:
    ahead = AHEAD_STEPPED if clock.is_stepped() else AHEAD
    return max(clock.now(), clock.real()) + ahead
