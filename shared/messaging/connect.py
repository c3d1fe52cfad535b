"""Opens the bus of an address."""

from __future__ import annotations

from urllib.parse import urlsplit

from shared.messaging.bus import Bus
from shared.messaging.local_bus import LocalBus
from shared.messaging.rabbit_bus import RabbitBus


def connect(url: str, timeout: float = 10.0, gather: float = 0.0) -> Bus:
    """The bus of an address: ``local://name`` (one per name and process) or ``amqp(s)://…``.

    ``timeout``: seconds a broker may take to answer; ``gather``: seconds for which what it hands
    over may wait for company.
    """
    parts = urlsplit(url)
    if parts.scheme == "local":
        return LocalBus.named(parts.netloc)
    return RabbitBus(url, timeout, gather)
