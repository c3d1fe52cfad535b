"""The fences of a broker as `python -m services broker-definitions` prints them, put up for a test.

Users belong to a whole broker, and a test may stand on somebody's: here each has the name of its
virtual host behind its own, and goes when the test has ended.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from services import broker
from tests.infrastructure import Broker

ZIYANG = Path(__file__).parent.parent / "config" / "ziyang"


@dataclass(frozen=True, slots=True)
class Fenced:
    """A virtual host behind its fences. ``{service}`` in ``pattern`` stands for a user's name."""

    vhost: str
    pattern: str

    def url(self, user: str) -> str:
        """Where a user connects, with its password."""
        return self.pattern.replace("{service}", user)


@contextmanager
def fences(rabbitmq: Broker) -> Iterator[Fenced]:
    """A virtual host of its own, laid out and fenced by the definitions of Ziyang county."""
    vhost, word = f"fenced-{secrets.token_hex(4)}", secrets.token_hex(8)
    names = broker.users(ZIYANG)
    printed = broker.definitions(ZIYANG, {name: f"{name}-{word}" for name in names}, vhost)
    address = httpx.URL(rabbitmq.url)
    with httpx.Client(base_url=rabbitmq.api, timeout=60) as client:
        try:
            client.post("/api/definitions", json=_renamed(printed, vhost)).raise_for_status()
            host = f"{address.host}:{address.port or 5672}"
            yield Fenced(vhost, f"amqp://{{service}}.{vhost}:{{service}}-{word}@{host}/{vhost}")
        finally:
            client.delete(f"/api/vhosts/{vhost}").raise_for_status()
            for name in names:
                client.delete(f"/api/users/{name}.{vhost}").raise_for_status()


def _renamed(printed: dict[str, Any], vhost: str) -> dict[str, Any]:
    mine = json.loads(json.dumps(printed))
    for user in mine["users"]:
        user["name"] += f".{vhost}"
    for permission in (*mine["permissions"], *mine["topic_permissions"]):
        permission["user"] += f".{vhost}"
    return dict(mine)
