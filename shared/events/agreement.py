"""Whether the parts of a fact agree with one another and with the key it came under. Pure.

Whoever may publish can write anything into a body. What the broker vouches for is the routing key:
its users may say only their own facts (docs/operations, broker). So nothing in a body is believed
before it agrees with the key, and with what is known of its type.
"""

from __future__ import annotations

from datetime import UTC, datetime

from shared.errors import Disagreement
from shared.events.envelope import FACTS, Fact, speaker_of

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)

# By the first word of a fact: what is about an assignment or a unit goes to that unit. The tracker's clocks
# may be a unit's or nobody's, and a dispute is told to all and to its parties; all else is addressed to
# nobody.
OF_ASSIGNMENTS = frozenset({"assignment", "extension", "supervision", "promise"})
OF_UNITS = OF_ASSIGNMENTS | {"unit"}
OF_SOME = frozenset({"deadline", "arbitration"})


def check_agreement(fact: Fact, key: str, latest: datetime) -> None:
    """Refuse a fact that contradicts itself, its key or the clock. Raises Disagreement.

    What only a newer release can know, the speaker and the address of a type that is unknown here,
    is not judged. ``latest``: no fact became true after it.
    """
    if fact.key != key:
        raise Disagreement("the routing key and the fact's type and unit disagree")
    if fact.source != (speaker_of(fact.name) or fact.source):
        raise Disagreement("source and type disagree: this is another service's to say")
    if fact.type in FACTS:
        _check_address(fact)
    _check_actor(fact)
    for name, moment in (("time", fact.time), ("recorded", fact.recorded)):
        if not EARLIEST <= moment <= latest:
            raise Disagreement(f"{name} and the clock disagree: before 2000, or yet to come")


def _check_address(fact: Fact) -> None:
    about = fact.name.partition(".")[0]
    if about in OF_UNITS and fact.unit is None:
        raise Disagreement("type and unit disagree: it is addressed to a unit and names none")
    if about == "assignment" and fact.assignment is None:
        raise Disagreement("type and assignment disagree: it is about one and names none")
    if about not in OF_UNITS | OF_SOME and fact.unit is not None:
        raise Disagreement("type and unit disagree: it is addressed to nobody")


def may_address(actor: str, unit: str) -> bool:
    """Whether who acts may be the one that says something to a unit: another unit may not."""
    role, _, rest = actor.partition(":")
    return role != "unit" or rest.partition(":")[0] == unit


def _check_actor(fact: Fact) -> None:
    role, _, rest = fact.actor.partition(":")
    if role == "service" and rest != fact.source:
        raise Disagreement("actor and source disagree: no service acts in another's name")
    if fact.unit and not may_address(fact.actor, fact.unit):
        raise Disagreement("actor and unit disagree: a unit acts on its own assignments")
