"""How what an entry says is put into words on paper: moments, units, codes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from operations.proof import words

# The deed is what the entry is called.
_NOT_PRINTED = frozenset({"deed"})
_LIMIT = re.compile(r"(\d+(?:\.\d+)?)(wd|wh|h|min)")
_BEFORE, _PART = re.compile(r"(.+)_before_due"), re.compile(r"(\d+)%_elapsed")
_OVERDUE = re.compile(r"overdue_(\d+(?:wd|h|min))|red_card")
_RUNG = re.compile(rf"（({_OVERDUE.pattern})）")  # as a rung of the ladder says why it was reached
_ACTOR = re.compile(r"([a-z_]+):[^\s:]+(:[^\s:]+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNITS = {"wd": "个工作日", "wh": "小时（工作时间）", "h": "小时", "min": "分钟"}
_TEXTS = ("zh", "en")  # in this order, and after all else
EMPTY: tuple[Any, ...] = (None, "", [], {})
_LONG = 60  # letters: a text as long as that is printed once


class Said(NamedTuple):
    """What is said, in Chinese; and in English where that is not read off the Chinese."""

    zh: str
    en: str = ""


class Line(NamedTuple):
    """A field in Chinese and English, and what it says."""

    zh: str
    en: str
    said: Said


@dataclass(frozen=True, slots=True)
class Wording:
    """``zone``: whose clocks people read; ``names``: what codes are called; ``printed``: the long texts that
    were, by the number of the entry.
    """

    zone: tzinfo
    names: Mapping[str, str]
    printed: dict[str, int] = field(default_factory=dict)

    def lines(self, data: Mapping[str, Any], no: int, of: str = "") -> Iterator[Line]:
        """One line a field, without what is empty; ``of``: what the entry is called."""
        there = [name for name in data if name not in _NOT_PRINTED and data[name] not in EMPTY]
        for name in sorted(there, key=lambda name: (name in _TEXTS, name == "en")):
            said = self._once(self.value(data[name], name), no)
            yield Line(words.label(name, of), english(name), said)

    def _once(self, said: Said, no: int) -> Said:
        """A long text where it first stands; later which entry has it, and what was added to it."""
        before = [text for text in self.printed if said.zh.startswith(text)]
        if len(said.zh) > _LONG:
            self.printed.setdefault(said.zh, no)
        if not before:
            return said
        longest = max(before, key=len)
        first = self.printed[longest]
        if added := said.zh.removeprefix(longest):
            return Said(f"与第 {first} 条所载相同，另有：{added}", f"as in entry {first}, and more")
        return Said(f"与第 {first} 条所载相同", f"as in entry {first}")

    def value(self, value: Any, name: str = "") -> Said:
        """A value as people read it; ``name``: of which field."""
        match value:
            case bool():
                return Said("是", "yes") if value else Said("否", "no")
            case Mapping():
                there = {of: self.value(value[of], of) for of in value if value[of] not in EMPTY}
                zh = [f"{words.label(of)}：{said.zh}" for of, said in there.items()]
                en = [f"{english(of)} {said.en or said.zh}" for of, said in there.items()]
                return Said("；".join(zh), "; ".join(en))
            case list() | tuple():
                each = [self.value(one, name) for one in value]
                zh, en = [said.zh for said in each], [said.en or said.zh for said in each]
                if any(isinstance(one, Mapping) for one in value):
                    return Said("".join(f"\n· {said}" for said in zh), "\n· ".join(["", *en]))
                return Said("、".join(zh), ", ".join(en) if any(said.en for said in each) else "")
            case str():
                return self._text(value, name)
        return Said(str(value))

    def _text(self, said: str, name: str) -> Said:
        if said in self.names:
            return Said(self.named(said))
        if (actor := _ACTOR.fullmatch(said)) and actor[1] in words.ROLES:
            return Said(self.who(said))
        if moment := _instant(said):
            return Said(self.moment(moment))
        if _DAY.fullmatch(said):
            return Said(_day(date.fromisoformat(said)))
        if known := words.value(said, name) or _point(said):
            return Said(known, english(said))
        return Said(_RUNG.sub(lambda rung: f"（{_point(rung[1])}）", said))

    def moment(self, at: datetime, *, seconds: bool = True) -> str:
        """An instant by the clocks of the place, as people there write it."""
        wall = at.astimezone(self.zone)
        return f"{_day(wall)}{wall:{'%T' if seconds else '%H:%M'}}"

    def named(self, code: str) -> str:
        """A unit, topic or area with its code."""
        return f"{self.names[code]}（{code}）" if code in self.names else code

    def who(self, actor: str | None) -> str:
        """Who did it: the role and, of a unit, which."""
        if not actor:
            return ""
        role, _, rest = actor.partition(":")
        unit, _, name = rest.partition(":") if role == "unit" else ("", "", rest)
        if role == "service":
            return f"{words.ROLES[role]}（{words.SERVICES.get(name, name)}）"
        said = self.named(unit) if unit else words.ROLES.get(role, role)
        return f"{said} {name}".strip()


def english(code: str) -> str:
    """A code as English words."""
    return code.replace("_", " ")


def _day(at: date) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def _point(said: str) -> str | None:
    """A limit, and a moment that policy names by one."""
    if limit := _LIMIT.fullmatch(said):
        return _length(float(limit[1]), limit[2])
    if part := _PART.fullmatch(said):
        return f"用时达时限的{part[1]}%"
    if before := _BEFORE.fullmatch(said):
        return f"到期前{_point(before[1]) or before[1]}"
    if overdue := _OVERDUE.fullmatch(said):
        return f"逾期{_point(overdue[1] or '') or ''}"
    return None


def _length(amount: float, unit: str) -> str:
    """A limit; a long one in minutes, as of a promised day, by days and hours."""
    if unit != "min" or amount < 24 * 60:
        return f"{amount:g}{_UNITS[unit]}"
    hours, minutes = divmod(int(amount), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "天"), (hours, "小时"), (minutes, "分钟"))
    return "".join(f"{count}{of}" for count, of in parts if count)


def _instant(text: str) -> datetime | None:
    if "T" not in text or not text[:4].isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
