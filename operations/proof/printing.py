"""打印 A proof pack on paper: Chinese first, English beside, for whoever reads it in a court.

The page is laid out by pack.typ, which is handed everything as JSON: no text of a citizen's becomes markup.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import typst

from operations.proof import words
from operations.proof.pack import Entry, Kind
from operations.proof.wording import Line, Said, Wording, english
from shared.errors import ConfigError

TEMPLATE = Path(__file__).with_name("pack.typ")
# The first of these that is there; all have Chinese and English letters.
FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC",
    "Noto Serif CJK SC", "Noto Serif SC", "Source Han Serif SC",
)  # fmt: skip
COVER = (
    "type", "urgency", "topic", "area", "channel", "confidential", "registered_at", "status", "follows",
    "work", "split_from",
)  # fmt: skip
HEAD = [Line("见第一页", "see the first page", Said(""))]
ONE_PAGE = 350  # letters: an entry that is longer may be cut by the end of a page


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
    """The pack as one PDF, or its pages as pictures. The same entries give the same bytes.

    It is a PDF/A-2b, for archives, unless a citizen wrote what no font here can show; then the first page
    says so.
    """
    page = laid_out(entries) | {"key": key, "key_id": key_id, "font": font.name}
    try:
        return _compiled(page, entries[0], font, kind, "a-2b" if kind == "pdf" else None)
    except typst.TypstError as error:
        if SHOWS_NOT not in error.message:
            raise
    page["notes"].append(BOXES)
    return _compiled(page, entries[0], font, kind, None)


SHOWS_NOT = "could not be displayed"
BOXES = (
    "部分字符无字体可显示，在本件中为方框，以 JSON 文件为准。",
    "No font here shows some letters, which are boxes on paper; the JSON file has them.",
)


def _compiled(
    page: Mapping[str, Any],
    head: Entry,
    font: Font,
    kind: Literal["pdf", "png"],
    standard: Literal["a-2b"] | None,
) -> list[bytes]:
    found: bytes | list[bytes] = typst.compile(
        TEMPLATE.read_bytes(),
        format=kind,
        sys_inputs={"page": json.dumps(page, ensure_ascii=False)},
        font_paths=font.fonts,
        pdf_standards=standard,
        timestamp=int(head.at.timestamp()),
        ppi=100,
    )
    return found if isinstance(found, list) else [found]


# --- what stands on it -------------------------------------------------------------------------


def laid_out(entries: Sequence[Entry]) -> dict[str, Any]:
    """What the template prints, in the words of people."""
    head = entries[0].data
    wording = Wording(ZoneInfo(head["timezone"]), head["names"])
    content = head["matter"].get("content", "")
    if content:
        wording.printed[content] = 0
    zone = head["timezone"]
    clocks = [each for each in entries if each.kind is Kind.CLOCK]
    clocks.sort(key=lambda each: (each.round or 0, [*words.CLOCKS, each.name].index(each.name)))
    return {
        "number": head["ticket"],
        "place": head["place"],
        "zone": Said(f"{words.ZONES[zone]}（{zone}）" if zone in words.ZONES else zone, zone),
        "cover": list(_cover(entries, wording)),
        "notes": list(_notes(head)),
        "title": head["matter"].get("title", ""),
        "content": content,
        "clocks": [_clock(each, wording) for each in clocks],
        "entries": [_entry(each, wording) for each in entries if each.kind is not Kind.CLOCK],
        "last": entries[-1].hash,
    }


def _cover(entries: Sequence[Entry], wording: Wording) -> Iterator[Line]:
    head = entries[0]
    matter, logs, last = head.data["matter"], head.data["logs"], entries[-1].no
    yield Line("工单编号", "ticket", Said(head.data["ticket"]))
    for name in COVER:
        if name in matter:
            yield Line(words.label(name), english(name), wording.value(matter[name], name))
    yield Line("制作时间", "made at", Said(wording.moment(head.at)))
    yield Line("制作人", "made by", Said(wording.who(head.actor)))
    yield Line("制作事由", "made for", Said(head.data["reason"]))
    names = [name for name in words.SERVICES if name in logs]
    zh = [f"{words.SERVICES[name]}{logs[name]['facts']}条" for name in names]
    en = [f"{name} {logs[name]['facts']}" for name in names]
    yield Line("事实条数", "facts", Said("，".join(zh), ", ".join(en)))
    yield Line(
        "条目总数", "entries", Said(f"{last + 1}条（第0条至第{last}条）", f"no. 0 to {last}")
    )


def _notes(head: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, log in head["logs"].items():
        if log["missing"]:
            which, zh = "、".join(map(str, log["missing"])), words.SERVICES.get(name, name)
            en = f"The fact log of {name} lacks no. {which}."
            yield f"{zh}服务的事实日志缺少第 {which} 条。", en
    if head["withheld"]:
        yield (
            "保密工单，且无法核对诉求人身份：承办单位和工作人员所写的文字从略。",
            "Confidential, and who the citizen is cannot be checked: texts of units and staff are left out.",
        )


def _clock(entry: Entry, wording: Wording) -> dict[str, Any]:
    data = entry.data
    due = datetime.fromisoformat(data["due"])
    return {
        "no": entry.no,
        "zh": words.CLOCKS.get(entry.name, entry.name),
        "en": english(entry.name),
        "unit": Said(wording.named(entry.unit)) if entry.unit else Said("热线", "the hotline"),
        "round": entry.round,
        "due": wording.moment(due, seconds=False),
        "status": wording.value(data["status"]),
        "late": "breached_at" in data,
        "revised": _revised(data.get("late_revised")),
        "explanation": [data["explanation"]["zh"], data["explanation"]["en"]],
        "hash": entry.hash,
    }


def _revised(late: bool | None) -> Said:
    """What a revision came to, where there was one."""
    if late is None:
        return Said("")
    return (
        Said("已更正，仍逾期", "revised: late")
        if late
        else Said("已更正为未逾期", "revised: in time")
    )


def _entry(entry: Entry, wording: Wording) -> dict[str, Any]:
    head = entry.kind is Kind.HEAD
    lines = HEAD if head else list(wording.lines(entry.data, entry.no, entry.name))
    if entry.masked:
        masked = "、".join(words.label(name, entry.name) for name in entry.masked)
        lines = [*lines, Line("已遮蔽", "masked", Said(masked))]
    who, unit = wording.who(entry.actor), wording.named(entry.unit) if entry.unit else ""
    return {
        "no": entry.no,
        "time": wording.moment(entry.recorded),
        "at": wording.moment(entry.at) if entry.at != entry.recorded else "",
        "zh": "卷首" if head else words.name_of(entry.kind, entry.name),
        "en": "head" if head else entry.name,
        "who": who,
        "unit": "" if unit and who.startswith(unit) else unit,
        "lines": lines,
        "long": sum(len(line.said.zh) for line in lines) > ONE_PAGE,
        "hash": entry.hash,
    }
