"""数字 The month in figures: what was promised and what was kept, per unit, with a checksum.

All of it is read from Jiesu's public interfaces; nothing is counted by the people of the month.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import NamedTuple

from examples.connection import Json
from examples.hotline_office import Office

TOP = 10
KINDS = {
    "town": "镇 towns",
    "department": "部门 departments",
    "utility": "公用企业 utilities",
    "office": "办公机构 offices",
}
BASES = {"due": "按应办结 of what was due", "judged": "按判定 of what was judged"}
TYPES = {
    "help": "求助 help",
    "complaint": "投诉 complaint",
    "suggestion": "建议 suggestion",
    "report": "举报 report",
    "consultation": "咨询 consultation",
}


class Unit(NamedTuple):
    """A handling unit as it is called, and its kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that is printed; the checksum is over exactly this."""

    tickets: int
    types: dict[str, int]
    statuses: dict[str, int]
    redone: int
    facts: dict[str, int]
    dead: int
    parked: int
    on_time: Json
    satisfaction: Json

    @property
    def checksum(self) -> str:
        """Eight letters that are the same whenever all figures are."""
        whole = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(whole.encode()).hexdigest()[:8]

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept."""
        ended = self.statuses.get("closed", 0)
        promises = {
            f"{self.tickets - ended} 件未办结 tickets have not ended": ended == self.tickets,
            f"{self.dead} 条事实失败 facts are dead": self.dead == 0,
            f"{self.parked} 条事实滞留 facts are parked": self.parked == 0,
        }
        return [promise for promise, kept in promises.items() if not kept]


async def gather(office: Office, first: date, last: date) -> Figures:
    """Ask Jiesu for the figures of a period; both days are included."""
    tickets = await office.tickets()
    metrics = await office.metrics()
    on_time, satisfaction = await office.rates(first.isoformat(), last.isoformat())
    return Figures(
        tickets=len(tickets),
        types=dict(sorted(Counter(ticket["type"] for ticket in tickets).items())),
        statuses=dict(sorted(Counter(ticket["status"] for ticket in tickets).items())),
        redone=sum(ticket["round"] > 1 for ticket in tickets),
        facts={name: int(row["jiesu_facts_relayed_total"]) for name, row in metrics.items()},
        dead=int(sum(row["jiesu_retry_dead"] for row in metrics.values())),
        parked=int(sum(row["jiesu_retry_waiting"] for row in metrics.values())),
        on_time=on_time,
        satisfaction=satisfaction,
    )


# --- on paper ----------------------------------------------------------------------------------


def report(figures: Figures, units: Mapping[str, Unit]) -> str:
    """The figures as people read them."""
    parts = (_volume(figures), _rates(figures), _groups(figures, units), _top(figures, units))
    return "\n\n".join(parts)


def _volume(figures: Figures) -> str:
    mix = "，".join(f"{TYPES[kind]} {count}" for kind, count in figures.types.items())
    said = "，".join(f"{name} {count:,}" for name, count in figures.facts.items())
    return "\n".join(
        (
            f"受理 registered          {figures.tickets}（{mix}）",
            f"结案 closed              {figures.statuses.get('closed', 0)}，"
            f"其中重办 redone {figures.redone}",
            f"事实 facts               {sum(figures.facts.values()):,}（{said}）",
            f"失败的事实 dead facts    {figures.dead}",
        )
    )


def _rates(figures: Figures) -> str:
    handle, sign = figures.on_time["handle"], figures.on_time["sign"]
    counts, satisfaction = figures.satisfaction["counts"], figures.satisfaction
    rate = satisfaction["rates"]["satisfaction"]
    return "\n".join(
        (
            f"按期办结率 on time       {_share(handle)}，{BASES[figures.on_time['basis']]}，"
            f"含延期 extended {handle['extended']}，其中靠延期 only by that {handle['by_extension']}",
            f"及时签收率 signed in time {_share(sign)}",
            f"及时联系率 contacted      {_share(figures.on_time['contact'])}",
            f"诉求人视角 the citizen's  {_share(figures.on_time['citizen'])}",
            f"审批压缩 days saved       {_saved(figures.on_time['saved'])}",
            f"满意率 satisfaction      {rate:.2%}（{satisfaction['formula']}："
            f"{satisfaction['text']}）",
            f"  回访 called {counts['called']}，拒访 refused {counts['refused']}，"
            f"无法接通 unreachable {counts['unreachable']}，有效 valid {counts['valid']}：",
            f"  满意 satisfied {counts['satisfied']}，基本满意 basically {counts['basically_satisfied']}，"
            f"无法评价 unrated {counts['unrated']}，不满意 not satisfied {counts['unsatisfied']}",
        )
    )


def _groups(figures: Figures, units: Mapping[str, Unit]) -> str:
    rows = []
    for kind, title in KINDS.items():
        members = {code for code, unit in units.items() if unit.kind == kind}
        rows.append((title, *_cells(figures, members)))
    return table(("分组 group", *HEADS), rows)


def _top(figures: Figures, units: Mapping[str, Unit]) -> str:
    volumes = {row["unit"]: row["sign"]["due"] for row in figures.on_time["units"]}
    most = sorted(volumes, key=lambda code: (-volumes[code], code))[:TOP]
    rows = [(f"{code} {units[code].name}", *_cells(figures, {code})) for code in most]
    return table((f"前{TOP}个单位 top {TOP} units", *HEADS), rows)


def _saved(saved: Json | None) -> str:
    if saved is None or saved["rate"] is None:
        return "—"
    days = f"{saved['used_days']}/{saved['legal_days']} 个工作日 working days"
    return f"{saved['rate']:.1%}（{saved['answered']} 件首次答复用 first answers took {days}）"


HEADS = ("派单 orders", "按期办结 on time", "及时签收 signed", "满意 satisfied")


def _cells(figures: Figures, members: set[str]) -> tuple[str, ...]:
    """The columns of a row: shares of some units together."""
    own = [row for row in figures.on_time["units"] if row["unit"] in members]
    handle, sign = (_sum(row[kind] for row in own) for kind in ("handle", "sign"))
    called = [row["counts"] for row in figures.satisfaction["units"] if row["unit"] in members]
    valid = sum(row["valid"] for row in called)
    content = valid - sum(row["unsatisfied"] for row in called)
    satisfied = {"due": valid, "on_time": content}
    return (str(sign["due"]), *map(_share, (handle, sign, satisfied)))


def _sum(shares: Iterable[Json]) -> Json:
    total: Counter[str] = Counter()
    for share in shares:
        total.update({"due": share["due"], "on_time": share["on_time"]})
    return total


def _share(share: Json) -> str:
    if not share["due"]:
        return "—"
    return f"{share['on_time'] / share['due']:.1%} ({share['on_time']}/{share['due']})"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that stand under one another; a Chinese letter is two columns wide."""
    lines = [heads, *rows]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
