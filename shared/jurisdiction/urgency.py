"""urgency.yaml: what is urgent whatever the caller asked for. Pure.

Two services judge by it, and must judge alike: who registers lets a matter overtake, who dispatches
says how urgent it is (docs/adr/0035-lanes.md).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import AfterValidator

from shared.events import TicketType, Urgency
from shared.jurisdiction.codes import Codes, OfTopics
from shared.jurisdiction.sections import Where, Words, unknown_code


def plain(text: str) -> str:
    """Text as keywords are compared: full-width letters as half-width, capitals as small."""
    return unicodedata.normalize("NFKC", text).casefold()


def text_of(title: str, content: str) -> str:
    """What keywords are looked for in; a line break keeps title and content apart."""
    return plain(f"{title}\n{content}")


class UrgencyRules(OfTopics):
    """The file. ``urgent_topics`` are topics, what topics lie under, or flags."""

    critical_keywords: tuple[Annotated[Words, AfterValidator(plain)], ...] = ()
    urgent_topics: tuple[str, ...] = ()

    def found(
        self, kind: TicketType, topic: str, flags: Iterable[str], text: str
    ) -> tuple[Urgency, str] | None:
        """How urgent a matter is by these rules, and the word, topic or flag that makes it so.

        ``text`` is text_of() its title and content. A commendation is passed on, not handled, so
        nothing hurries it.
        """
        if kind is TicketType.COMMENDATION:
            return None
        for word in self.critical_keywords:
            if word in text:
                return Urgency.CRITICAL, word
        known = (*self._lineage(topic), *flags)
        for code in self.urgent_topics:
            if code in known:
                return Urgency.URGENT, code
        return None


def urgent_topics_exist(urgency: UrgencyRules, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: what is urgent is a topic, what topics lie under, or a flag."""
    known = {*codes.branches, *codes.flags}
    for at, code in enumerate(urgency.urgent_topics):
        if code not in known:
            yield "urgency", ("urgent_topics", at), unknown_code(code, known)
