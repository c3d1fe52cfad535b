"""打印 A proof pack on paper: Chinese first, English beside, for whoever reads it in a court.

The page is laid out by pack.typ, which is handed everything as JSON: no text of a citizen's becomes markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import typst

from operations.proof import words
from operations.proof.pack import Entry, Kind
from shared.errors import ConfigError

TEMPLATE = Path(__file__).with_name("pack.typ")
# The first of these that is there; all have Chinese and English letters.
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC",
    "Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC",
)  # fmt: skip
# What is printed elsewhere than among the fields of an entry, or is of use to machines alone.
NOT_PRINTED = frozenset({"days", "explanation", "marks", "deed", "format"})
Line = tuple[str, str, str]


class Font(NamedTuple):
    """What a pack is printed with: all fonts that were found, and which of them."""

    fonts: typst.Fonts
    name: str


def font_in(folder: Path | None) -> Font:
    """The font there is to print with: the folder's, else this machine's. Raises ConfigError."""
    paths = [str(folder)] if folder else []
    fonts = typst.Fonts(include_system_fonts=folder is None, font_paths=paths)
    families = fonts.families()
    if name := next((name for name in FONTS if name in families), None):
        return Font(fonts, name)
    where = f"{folder}: " if folder else ""
    raise ConfigError(
        f"{where}没有中文字体，无法制作 PDF no Chinese font to print with: apt-get install fonts-noto-cjk, "
        "or --fonts FOLDER; --no-pdf leaves the PDF out"
    )


def printed(
    entries: Sequence[Entry], key: str, key_id: str, font: Font, kind: Literal["pdf", "png"] = "pdf"
) -> list[bytes]:
    """The pack as one PDF (PDF/A-2b), or its pages as pictures. The same entries give the same bytes."""
    page = laid_out(entries) | {"key": key, "key_id": key_id, "font": font.name}
    found: bytes | list[bytes] = typst.compile(
        TEMPLATE.read_bytes(),
        format=kind,
        sys_inputs={"page": json.dumps(page, ensure_ascii=False)},
        font_paths=font.fonts,
        pdf_standards="a-2b" if kind == "pdf" else None,
        timestamp=int(entries[0].at.timestamp()),
        ppi=100,
    )
    return found if isinstance(found, list) else [found]


# --- what stands on it -------------------------------------------------------------------------


def laid_out(entries: Sequence[Entry]) -> dict[str, Any]:
    """What the template prints, in the words of people."""
    head = entries[0].data
    zone, units = ZoneInfo(head["timezone"]), head["units"]
    return {
        "number": head["ticket"],
        "place": head["place"],
        "zone": head["timezone"],
        "cover": list(_cover(entries, zone)),
        "notes": list(_notes(head)),
        "title": head["matter"].get("title", ""),
        "content": head["matter"].get("content", ""),
        "clocks": [_clock(each, zone, units) for each in entries if each.kind is Kind.CLOCK],
        "entries": [_entry(each, zone, units) for each in entries if each.kind is not Kind.CLOCK],
        "last": entries[-1].hash,
    }


def _cover(entries: Sequence[Entry], zone: tzinfo) -> Iterator[Line]:
    head = entries[0]
    matter, units = head.data["matter"], head.data["units"]
    yield "工单编号", "ticket", head.data["ticket"]
    for name in ("type", "urgency", "topic", "area", "channel", "confidential", "registered_at"):
        if name in matter:
            yield _label(name), _english(name), _said(matter[name], zone, units)
    for name in ("follows", "work", "split_from"):
        if matter.get(name):
            yield _label(name), _english(name), matter[name]
    yield "目前状态", "status", _said(matter["status"], zone, units)
    yield "制作时间", "made at", _moment(head.at, zone)
    yield "制作人", "made by", _who(head.actor, units)
    yield "制作事由", "made for", head.data["reason"]
    counts = [
        f"{words.SERVICES.get(name, name)} {name} {log['facts']}"
        for name, log in head.data["logs"].items()
    ]
    yield "事实条数", "facts", "，".join(counts)
    yield (
        "条目总数",
        "entries",
        f"{len(entries)}（第 0 条至第 {entries[-1].no} 条 no. 0 to {entries[-1].no}）",
    )


def _notes(head: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, log in head["logs"].items():
        if log["missing"]:
            which = "、".join(map(str, log["missing"]))
            yield (
                f"{words.SERVICES.get(name, name)}的事实日志缺少第 {which} 条。",
                f"The fact log of {name} lacks no. {which}.",
            )
    if head["withheld"]:
        yield (
            "保密工单，且无法核对诉求人身份：承办单位和工作人员所写的文字从略。",
            "Confidential, and who the citizen is cannot be checked: texts of units and staff are left out.",
        )


def _clock(entry: Entry, zone: tzinfo, units: Mapping[str, str]) -> dict[str, Any]:
    data = entry.data
    late = "breached_at" in data
    return {
        "no": entry.no,
        "zh": words.CLOCKS.get(entry.name, entry.name),
        "en": _english(entry.name),
        "unit": _unit(entry.unit, units) if entry.unit else "热线 the hotline",
        "round": entry.round,
        "due": _moment(datetime.fromisoformat(data["due"]), zone),
        "status": _value(data["status"]),
        "late": late,
        "explanation": [data["explanation"]["zh"], data["explanation"]["en"]],
        "hash": entry.hash,
    }


def _entry(entry: Entry, zone: tzinfo, units: Mapping[str, str]) -> dict[str, Any]:
    head = entry.kind is Kind.HEAD
    name = "卷首" if head else words.name_of(entry.kind, entry.name)
    return {
        "no": entry.no,
        "time": _moment(entry.recorded, zone),
        "at": _moment(entry.at, zone) if entry.at != entry.recorded else "",
        "zh": name,
        "en": "head" if head else entry.name,
        "who": _who(entry.actor, units),
        "unit": _unit(entry.unit, units) if entry.unit else "",
        "lines": [] if head else list(_lines(entry.data, zone, units)),
        "hash": entry.hash,
    }


def _lines(data: Mapping[str, Any], zone: tzinfo, units: Mapping[str, str]) -> Iterator[Line]:
    for name, value in data.items():
        if name not in NOT_PRINTED and value not in (None, "", [], {}, False):
            yield _label(name), _english(name), _said(value, zone, units)


def _label(name: str) -> str:
    return words.FIELDS.get(name, name)


def _english(name: str) -> str:
    return name.replace("_", " ")


def _said(value: Any, zone: tzinfo, units: Mapping[str, str]) -> str:
    """A value as people read it: moments by the place's time, units by name, words in Chinese too."""
    match value:
        case True:
            return "是 yes"
        case False:
            return "否 no"
        case Mapping():
            lines = _lines(value, zone, units)
            return "；".join(f"{zh} {en}：{said}" for zh, en, said in lines)
        case list() | tuple():
            return "、".join(_said(each, zone, units) for each in value)
        case str() if value in units:
            return _unit(value, units)
        case str() if (moment := _instant(value)) is not None:
            return _moment(moment, zone)
        case str():
            return _value(value)
    return str(value)


def _value(word: str) -> str:
    known = words.VALUES.get(word)
    return f"{known} {_english(word)}" if known else word


def _instant(text: str) -> datetime | None:
    if "T" not in text or not text[:4].isdecimal():
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _moment(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _unit(code: str, units: Mapping[str, str]) -> str:
    return f"{units[code]}（{code}）" if code in units else code


def _who(actor: str | None, units: Mapping[str, str]) -> str:
    """Who did it: the role and, of a unit, which."""
    if not actor:
        return ""
    role, _, rest = actor.partition(":")
    unit, _, name = rest.partition(":") if role == "unit" else ("", "", rest)
    said = [_unit(unit, units)] if unit else [words.ROLES.get(role, role)]
    return " ".join([*said, name or unit])
