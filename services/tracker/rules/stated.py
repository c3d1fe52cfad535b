"""What people stated of why a time is what it is: an upstream platform's moment, a law. Pure."""

from __future__ import annotations

from services.tracker.rules.promised import Instant, Known
from shared.events import LegalLimit


class MomentCorrected(Known):
    """更正: when and by whom the moment an upstream platform wants the answer by was put right last, and why;
    ``was`` None: it had named none. ``agreed_by``: the second person, where it may give more time.
    """

    was: Instant | None = None
    at: Instant
    by: str
    agreed_by: str | None = None
    reason: str


class LawNamed(Known):
    """法定时限: which law the desk named for a ticket in a round, or None where it took that back; ``seq`` is
    the dispatcher's.
    """

    seq: int
    round: int
    at: Instant
    law: LegalLimit | None = None
