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
    by_envelope = [
        (pattern, each) for pattern, each in subscriptions.items() if isinstance(each, EnvelopeOnly)
    ]
    for fact, body in told if by_envelope else ():
        found = [each for pattern, each in by_envelope if matches(pattern, fact.key)]
        if not found or len(found) < sum(matches(pattern, fact.key) for pattern in subscriptions):
            continue
        for handler in found:
            await handler.pass_on(act, fact, body)
        heard.append(fact.id)
    if heard:
        await act.rows.save()  # the act's own were saved before its facts had ids
        values = {"consumer": act.store.name, "now": clock.real(), "facts": heard}
        await (await act.session.connection()).execute(RECEIVED, values)
