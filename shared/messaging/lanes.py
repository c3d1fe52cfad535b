"""How urgent messages overtake on RabbitMQ: a copy of each in a second queue, which is read first.

The copy is one more key the broker routes a message by (BCC); the message itself goes as ever. So who
knows no lanes misses nothing, and what is left in a second queue is nothing anybody lacks
(docs/adr/0035-lanes.md).
"""

from __future__ import annotations

from typing import Any

from shared.events import Urgency
from shared.messaging.bus import Message

TWINS = 10_000  # remembered at most: a copy may have been dropped, or there is no second queue
PRIORITY = 9  # above 4, a quorum queue of RabbitMQ 4 lets it overtake; older ones look past it
# Two words: with a fact's name behind them a copy's key has four, and fits no other queue's binding.
PREFIX = "jiesu.urgent"


def urgent_queue(queue: str) -> str:
    """The second queue of a queue."""
    return f"urgent.{queue}"


def urgent_key(key: str) -> str:
    """The routing key, or the pattern, of a copy."""
    return f"{PREFIX}.{key}"


def is_urgent(priority: int | None) -> bool:
    """Whether a message was sent as urgent."""
    return priority == PRIORITY


def overtakes(data: Any) -> bool:
    """Whether a fact says of its ticket that it is urgent."""
    urgency = getattr(data, "urgency", None)
    return isinstance(urgency, Urgency) and urgency.overtakes


class Twins:
    """The urgent messages a consumer has received once: the other of the two needs no look into the
    inbox, which would know it too.
    """

    def __init__(self) -> None:
        self._lonely: dict[tuple[str, str, int], None] = {}

    def know(self, message: Message) -> bool:
        """Whether the same message was received."""
        return message.urgent and _twin(message) in self._lonely

    def received(self, message: Message) -> None:
        """It was handled, or its twin had been."""
        if not message.urgent:
            return
        if self.know(message):
            del self._lonely[_twin(message)]
            return
        self._lonely[_twin(message)] = None
        if len(self._lonely) > TWINS:
            del self._lonely[next(iter(self._lonely))]


def _twin(message: Message) -> tuple[str, str, int]:
    """The same key, id and body: an id alone is what somebody wrote."""
    return message.key, message.id, hash(message.body)
