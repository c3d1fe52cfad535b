"""What is asked and answered of the catalogue: drafts, versions, what is wrong with one, a trial."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from services.dispatcher.approvals.schemas import ApprovalOut
from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.schemas import Paragraph, Phrase
from shared.events import Urgency
from shared.http.editions import EditionOut
from shared.http.fields import NUMBERS, Body, Sentence

MOST_RULES = 5_000
LONGEST = 2_000_000  # characters of a whole catalogue
Yaml = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]
Version = Annotated[int, Field(ge=1, le=1_000_000), NUMBERS]


class DraftContent(Body):
    """整份目录: what a draft says, of one source: the text of a catalogue.yaml, its rules as JSON, or a
    version there is; of none it is the latest version as it stands. ``note``: why, for whoever publishes.
    """

    yaml: Yaml | None = None
    rules: tuple[Rule, ...] | None = Field(default=None, max_length=MOST_RULES)
    from_version: Version | None = None
    note: Paragraph

    @model_validator(mode="after")
    def _of_one_source(self) -> Self:
        given = (self.yaml, self.rules, self.from_version)
        if sum(each is not None for each in given) > 1:
            raise ValueError("只能给出一种来源 one of yaml, rules and from_version")
        return self

    def masked(self, keep: Collection[str] = ()) -> Self:
        """Codes of places look like numbers of people, so a catalogue is never altered: one in whose
        texts such a number stands does not check (rules/checking.py).
        """
        whole = {"yaml": self.yaml, "rules": self.rules}
        return super().masked(keep).model_copy(update=whole)


class NewRule(Body):
    """一条规则: to be added to a draft before the rule of that id, or as the last one. ``note``: why."""

    rule: Rule
    before: Phrase | None = None
    note: Paragraph | None = None


class CatalogueReason(Body):
    """Why a draft is discarded, or a version withdrawn."""

    reason: Paragraph


class WholeEdition(EditionOut):
    """A draft or version with what it says: ``yaml`` is the text as it was written, comments too."""

    yaml: str


class FindingOut(BaseModel):
    """One thing that is wrong: ``kind`` names it, ``rule`` and ``field`` say where. A ``fault`` keeps the
    catalogue from being published, a ``warning`` does not.
    """

    kind: str
    level: str
    rule: str | None
    field: str
    sentence: Sentence


class CheckOut(BaseModel):
    """校核: everything that is wrong with a catalogue, at once. ``digest``: of the text that was checked."""

    digest: str
    publishable: bool
    faults: int
    warnings: int
    items: list[FindingOut]


class Shift(BaseModel):
    """How many of the tickets tried a unit or a rule gets under the version in force, and under the
    draft. ``code`` null: the desk.
    """

    code: str | None
    name: str | None = None
    before: int
    after: int


class Elsewhere(BaseModel):
    """One ticket that would go elsewhere: unit and rule now, and under the draft; null is the desk."""

    number: str
    unit: str | None
    rule: str | None
    draft_unit: str | None
    draft_rule: str | None
    urgency: Urgency
    draft_urgency: Urgency


class TrialOut(BaseModel):
    """试跑: past tickets decided by the version in force and by the draft, for a page of them. ``tried``
    = ``same`` + ``moved``; ``other_rule``: the same lead by another rule. Units and rules only where the
    numbers differ; of the ``examples`` at most fifty. ``next`` asks for the tickets that follow, None at
    the end.
    """

    digest: str
    version: int
    tried: int
    same: int
    moved: int
    other_rule: int
    to_desk: int
    from_desk: int
    units: list[Shift]
    rules: list[Shift]
    examples: list[Elsewhere]
    next: str | None


class ConditionOut(BaseModel):
    """One condition of a rule: what it asks for, what the ticket had, and whether it held."""

    condition: str
    asked: list[str]
    saw: list[str]
    held: bool
    sentence: Sentence


class RuleOut(BaseModel):
    """A rule beside a ticket; ``place``: where it stands in its catalogue, from 1. ``sentence``: the ground
    it gives, or why it did not decide.
    """

    id: str
    place: int
    lead: str
    conditions: list[ConditionOut]
    sentence: Sentence


class ExplanationOut(BaseModel):
    """派单说明: why a ticket went where it is, under the version of the catalogue of then.

    ``order``: the newest a rule decided, else the newest; null when there is none. ``winner``: the rule that
    decided it, else the one that covers the ticket first: a guard may have stopped it, or the desk. Null
    where no rule does, and where versions were not kept then. ``others``: those nearest to it, and why
    none of them decided. ``as_then`` is
    false where the ticket or the urgency rules were changed since, so that another rule would decide now.
    ``approvals``: what was asked of a second person about the ticket, and decided.
    A unit reads of its own order why it has it, and no more.
    """

    number: str
    catalogue_version: int | None
    rule: str | None
    unit: str | None
    order: UUID | None
    sentence: Sentence
    as_then: bool = True
    winner: RuleOut | None = None
    others: list[RuleOut] = []
    approvals: list[ApprovalOut] = []
