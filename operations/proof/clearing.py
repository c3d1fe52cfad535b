"""遮蔽 What a proof pack may say of people: whatever a text still holds of the citizen is taken out. Pure.

Texts of facts were cleared when they were written, by who knew the citizen. What units and staff wrote, whom
nobody told the name, was cleared of numbers only: here it is held against the vault, which alone knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.intake.rules.identity import Person, Public, copy_of
from shared.events import words
from shared.events.words import OpenEnum

# Not words of anybody: ids, instants, days, ticket numbers, limits.
_PLAIN = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?"
    r"|\d{8}-\d{6}|\d{1,4}(\.\d{1,2})?(wd|wh|h|min)"
)
_WORDS = frozenset(
    word.value
    for kind in vars(words).values()
    if isinstance(kind, type) and issubclass(kind, OpenEnum)
    for word in kind
)


@dataclass(frozen=True, slots=True)
class Clearing:
    """By what texts are cleared. ``person``: who called; None when that was erased, or its key is not here.
    Then nothing that anybody but intake wrote of a confidential matter is told: a name may stand in it.
    """

    person: Person | None
    public: Public
    codes: frozenset[str]
    confidential: bool

    @property
    def withholds(self) -> bool:
        """Whether texts are left out, for nobody can tell whom they name."""
        return self.confidential and self.person is None

    def text(self, said: str, *, cleared: bool = False) -> str:
        """A text as it may be read. ``cleared``: who wrote it knew whom it must not name."""
        if said in _WORDS or said in self.codes or _PLAIN.fullmatch(said):
            return said
        confidential = self.confidential and not cleared
        return copy_of(said, self.person, self.public, confidential=confidential).content

    def data(
        self, said: Mapping[str, Any], *, cleared: bool = False
    ) -> tuple[dict[str, Any], list[str]]:
        """Everything in it cleared, and the fields in which something was."""
        found = {name: self._value(value, cleared) for name, value in said.items()}
        return found, [name for name, value in said.items() if found[name] != value]

    def _value(self, said: Any, cleared: bool) -> Any:
        if isinstance(said, str):
            return self.text(said, cleared=cleared)
        if isinstance(said, Mapping):
            return {name: self._value(value, cleared) for name, value in said.items()}
        if isinstance(said, (list, tuple)):
            return [self._value(value, cleared) for value in said]
        return said
