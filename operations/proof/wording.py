"""How what an entry says is put into words on paper: moments, units, codes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from operations.proof import words

Line = tuple[str, str, str]  # a field in Chinese and English, and what it says
# The deed is what the entry is called.
_NOT_PRINTED = frozenset({"deed"})
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(wd|wh|h|min)")
_UNITS = {"wd": "个工作日", "wh": "小时（工作时间）", "h": "小时", "min": "分钟"}
EMPTY: tuple[Any, ...] = (None, "", [], {})
_LONG = 120  # letters: a text as long as that is printed once


@dataclass(frozen=True, slots=True)
class Wording:
    """``zone``: whose clocks people read; ``names``: what codes are called; ``printed``: the long texts that
    were, by the number of the entry.
    """

    zone: tzinfo
    names: Mapping[str, str]
    printed: dict[str, int] = field(default_factory=dict)

    def lines(self, data: Mapping[str, Any], no: int) -> Iterator[Line]:
        """One line a field, without what is empty."""
        for name, value in data.items():
            if name not in _NOT_PRINTED and value not in EMPTY:
                yield label(name), english(name), self._once(self.value(value), no)

    def _once(self, said: str, no: int) -> str:
        """A long text where it first stands; later which entry has it, and what was added to it."""
        before = [text for text in self.printed if said.startswith(text)]
        if len(said) > _LONG:
            self.printed.setdefault(said, no)
        if not before:
            return said
        longest = max(before, key=len)
        first = self.printed[longest]
        return f"与第 {first} 条所载相同 as in entry {first}{said.removeprefix(longest)}"

    def value(self, value: Any) -> str:
        """A value as people read it."""
        match value:
            case bool():
                return "是 yes" if value else "否 no"
            case Mapping():
                there = {name: each for name, each in value.items() if each not in EMPTY}
                said = [
                    f"{label(name)} {english(name)} {self.value(there[name])}" for name in there
                ]
                return "；".join(said)
            case list() | tuple():
                listed = list(map(self.value, value))
                of_several = any(isinstance(each, Mapping) for each in value)
                return (
                    "".join(f"\n· {each}" for each in listed) if of_several else "、".join(listed)
                )
            case str():
                return self._text(value)
        return str(value)

    def _text(self, said: str) -> str:
        if said in self.names:
            return self.named(said)
        if moment := _instant(said):
            return self.moment(moment)
        if limit := _LIMIT.fullmatch(said):
            return f"{limit[1]}{_UNITS[limit[2]]} {said}"
        known = words.VALUES.get(said) or words.FACTS.get(said)
        return f"{known} {english(said)}" if known else said

    def moment(self, at: datetime, *, seconds: bool = True) -> str:
        """An instant by the clocks of the place."""
        return f"{at.astimezone(self.zone):{'%F %T' if seconds else '%F %H:%M'}}"

    def named(self, code: str) -> str:
        """A unit, topic or area with its code."""
        return f"{self.names[code]}（{code}）" if code in self.names else code

    def who(self, actor: str | None) -> str:
        """Who did it: the role and, of a unit, which."""
        if not actor:
            return ""
        role, _, rest = actor.partition(":")
        unit, _, name = rest.partition(":") if role == "unit" else ("", "", rest)
        said = self.named(unit) if unit else words.ROLES.get(role, role)
        return f"{said} {name}".strip()


def label(name: str) -> str:
    """A field in Chinese; as it is called in JSON where it is of a newer release."""
    return words.FIELDS.get(name, name)


def english(code: str) -> str:
    """A code as English words."""
    return code.replace("_", " ")


def _instant(text: str) -> datetime | None:
    if "T" not in text or not text[:4].isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
