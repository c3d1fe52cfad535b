"""What a service hears of itself: at once, and not by way of the broker.

A handler that goes by the envelope is given what its own service says in the transaction that says
it (ADR 0036). The fact counts as received then, so every replica knows it when it comes round; that
of the release before, too, which says nothing to itself and is heard by the round trip alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from shared import clock
from shared.events import Fact
from shared.messaging.bus import matches
from shared.messaging.inbox import EnvelopeOnly, Subscriptions
from shared.storage.act import Act

RECEIVED = text("""
    INSERT INTO inbox (consumer, fact, received)
    SELECT :consumer, f, :now FROM unnest(CAST(:facts AS uuid[])) AS f ON CONFLICT DO NOTHING""")


async def hear_own(
    subscriptions: Subscriptions, act: Act[Any], told: Sequence[tuple[Fact, bytes]]
) -> None:
    """Give what an act told to the handlers that go by the envelope. What another handler of the
    service needs, too, comes round to all of them.
    """
    heard = []
    for fact, body in told:
        key = fact.key
        handlers = [each for pattern, each in subscriptions.items() if matches(pattern, key)]
        by_envelope = [each for each in handlers if isinstance(each, EnvelopeOnly)]
        if not by_envelope or len(by_envelope) < len(handlers):
            continue
        for handler in by_envelope:
            await handler.pass_on(act, fact, body)
        heard.append(fact.id)
    if heard:
        await act.rows.save()  # the act's own were saved before its facts had ids
        values = {"consumer": act.store.name, "now": clock.real(), "facts": heard}
        await (await act.session.connection()).execute(RECEIVED, values)
