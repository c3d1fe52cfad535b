"""派单目录, the dispatch catalogue: what a rule may ask and say, and what is refused (R-03, GB66-5). Pure.

Which rule covers a ticket is found in matching.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from shared.events import TicketType, Urgency
from shared.jurisdiction.sections import Section, Where, refuse, unknown_code
from shared.jurisdiction.wording import plain

TOWN = "{town}"

NonBlank = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Several = Annotated[tuple[NonBlank, ...], Field(max_length=1_000)]
Length = Annotated[int, Field(ge=1, le=1_000_000)]


class Hours(Section):
    """From one time of day to another on the place's clocks, the second not included; over midnight
    when it is the earlier.
    """

    opens: Annotated[str, Field(alias="from", max_length=5, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    closes: Annotated[
        str, Field(alias="to", max_length=5, pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")
    ]

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.opens == self.closes:
            raise ValueError("起止相同 from and to are the same time")
        return self

    def hold(self, wall: str) -> bool:
        """Whether a time of day, ``HH:MM``, lies in them."""
        if self.opens < self.closes:
            return self.opens <= wall < self.closes
        return wall >= self.opens or wall < self.closes


RuleId = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class Rule(Section):
    """One line of the catalogue: every condition that is given must hold, and one must be given.

    ``topic`` covers itself and what lies under it, an area what lies in it. Of a list any one is
    enough, but of ``all_keywords`` it takes all, of ``no_keywords`` none. With ``unless_denied`` a word
    that the text denies does not count. ``dangers`` are those of urgency.yaml, reported for certain;
    ``asked_urgency`` is what the registration says. ``on_duty`` and ``hours`` are of the moment of
    registration; ``longer_than`` and ``shorter_than`` count characters of the content.

    ``lead`` and ``co_handlers`` are unit codes or ``{town}``, who answers for the ticket's area.
    ``grassroots``: the matter is in the towns' duty list, so a town may lead (GB66-5, R-05).
    """

    id: RuleId
    topic: NonBlank | None = None
    areas: Several = ()
    types: Annotated[tuple[TicketType, ...], Field(max_length=20)] = ()
    channels: Several = ()
    asked_urgency: Annotated[tuple[Urgency, ...], Field(max_length=20)] = ()
    flags: Several = ()
    dangers: Several = ()
    keywords: Several = ()
    all_keywords: Several = ()
    no_keywords: Several = ()
    unless_denied: bool = False
    on_duty: bool | None = None
    hours: Hours | None = None
    longer_than: Length | None = None
    shorter_than: Length | None = None
    lead: NonBlank
    co_handlers: Several = ()
    urgency: Urgency | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000)]
    grassroots: bool = False

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        matter = (self.topic, self.areas, self.types, self.channels, self.flags, self.dangers)
        if not (any(matter) or self.asked_urgency or self.keywords or self.all_keywords):
            raise ValueError("a rule without a condition would cover every ticket")
        if self.unless_denied and not (self.keywords or self.all_keywords or self.no_keywords):
            raise ValueError("没有关键词可否定 unless_denied needs keywords")
        return self

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        barred = set(map(plain, self.no_keywords))
        if barred & set(map(plain, self.all_keywords)) or (
            self.keywords and barred >= set(map(plain, self.keywords))
        ):
            raise ValueError(
                "要求的词又在排除之列 a word is asked for and ruled out: no text has both"
            )
        if self.longer_than and self.shorter_than and self.shorter_than - self.longer_than < 2:
            raise ValueError("长度范围为空 no length is longer_than and shorter_than at once")
        return self

    @field_validator("urgency")
    @classmethod
    def _not_complex(cls, urgency: Urgency | None) -> Urgency | None:
        if urgency is Urgency.COMPLEX:
            raise ValueError("complex is granted by the desk, never by a rule")
        return urgency

    def long_enough(self, length: int) -> bool:
        """Whether a content of so many characters is neither too short nor too long for it."""
        longer, shorter = self.longer_than, self.shorter_than
        return (longer is None or length > longer) and (shorter is None or length < shorter)


class Catalogue(Section):
    """The whole file; the first rule that covers a ticket decides."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        seen: set[str] = set()
        twins: list[tuple[Where, str]] = []
        for at, rule in enumerate(self.rules):
            if rule.id in seen:
                twins.append((("rules", at, "id"), f"编号重复 rule id {rule.id} is used twice"))
            seen.add(rule.id)
        refuse(twins)
        return self


def unknown_codes(
    catalogue: Catalogue, *, units: Collection[str], known: Mapping[str, Collection[str]]
) -> Iterator[tuple[Where, str]]:
    """Every code that the jurisdiction does not know: where it stands, and what is wrong.

    ``known`` are the codes a rule may name under a key. Topics are the fields, too: a rule may name
    either.
    """
    for index, rule in enumerate(catalogue.rules):
        topic = [rule.topic] if rule.topic else []
        yield from _unknown(("rules", index, "topic"), topic, known["topic"])
        for key in ("areas", "channels", "flags", "dangers"):
            yield from _unknown(("rules", index, key), getattr(rule, key), known[key])
        yield from _unknown(("rules", index, "lead"), [rule.lead], {*units, TOWN})
        yield from _unknown(("rules", index, "co_handlers"), rule.co_handlers, {*units, TOWN})


def _unknown(
    where: Where, codes: Iterable[str], known: Collection[str]
) -> Iterator[tuple[Where, str]]:
    for code in codes:
        if code not in known:
            yield where, unknown_code(code, known)
