"""urgency.yaml: what is urgent whatever the caller asked for. Pure.

Two services judge by it, and must judge alike: who registers lets a matter overtake, who dispatches
says how urgent it is (docs/adr/0035-lanes.md). What endangers life is read in wording.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from shared.events import TicketType, Urgency
from shared.jurisdiction.codes import Codes, OfTopics
from shared.jurisdiction.sections import Where, refuse, unknown_code
from shared.jurisdiction.wording import Alarm, Cue, Danger, Lookout, Plain, Slug, around, faults


class Found(NamedTuple):
    """How urgent a matter is, the word, topic or flag that makes it so, and the danger that the word
    reports.
    """

    level: Urgency
    what: str
    alarm: Alarm | None = None

    @property
    def doubtful(self) -> bool:
        """Whether life may be in danger, and may not: a person must see it at once."""
        return self.alarm is not None and not self.alarm.certain


class UrgencyRules(OfTopics):
    """The file. ``critical_keywords`` are critical wherever they stand; ``dangers`` where they are
    reported. ``urgent_topics`` are topics, what topics lie under, or flags. ``negation``: what denies
    the word beside it; it rules out every danger.
    """

    critical_keywords: tuple[Plain, ...] = ()
    negation: Cue | None = None
    cues: Mapping[Slug, Cue] = Field(default_factory=dict)
    dangers: tuple[Danger, ...] = ()
    urgent_topics: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(faults(self.dangers, self.cues))
        return self

    def denied(self, text: str, start: int, end: int) -> bool:
        """Whether a text denies what a word in it says: 没有燃气泄漏."""
        return self.negation is not None and self.negation.found(*around(text, start, end))

    def alarms(self, kind: TicketType, text: str) -> tuple[Alarm, ...]:
        """The dangers a text reports, what is certain first. A commendation reports none.

        ``text`` is text_of() the title and content.
        """
        if kind is TicketType.COMMENDATION or not self.dangers:
            return ()
        return self._lookout.alarms(text, asked=kind is TicketType.CONSULTATION)

    def found(
        self,
        kind: TicketType,
        topic: str,
        flags: Iterable[str],
        text: str,
        alarms: Iterable[Alarm] | None = None,
    ) -> Found | None:
        """How urgent a matter is by these rules. ``text`` is text_of() its title and content,
        ``alarms`` what it reports, if that is known already.

        A commendation is passed on, not handled, so nothing hurries it.
        """
        if kind is TicketType.COMMENDATION:
            return None
        for word in self.critical_keywords:
            if word in text:
                return Found(Urgency.CRITICAL, word)
        for alarm in self.alarms(kind, text) if alarms is None else alarms:
            return Found(Urgency.CRITICAL, alarm.word, alarm)
        known = (*self._lineage(topic), *flags)
        for code in self.urgent_topics:
            if code in known:
                return Found(Urgency.URGENT, code)
        return None

    @cached_property
    def _lookout(self) -> Lookout:
        return Lookout(self.dangers, self.cues, self.negation)


def urgent_topics_exist(urgency: UrgencyRules, codes: Codes) -> Iterator[tuple[str, Where, str]]:
    """A check between files: what is urgent is a topic, what topics lie under, or a flag."""
    known = {*codes.branches, *codes.flags}
    for at, code in enumerate(urgency.urgent_topics):
        if code not in known:
            yield "urgency", ("urgent_topics", at), unknown_code(code, known)
