"""How urgent messages overtake on RabbitMQ: a copy of each in a second queue, which is read first.

The copy is one more key the broker routes a message by (BCC); the message itself goes as ever. So who
knows no lanes misses nothing, and what is left in a second queue is nothing anybody lacks
(docs/adr/0035-lanes.md).
"""

from __future__ import annotations

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
