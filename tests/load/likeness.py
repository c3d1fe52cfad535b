"""How well duplicates are found: ``dup_precision`` and ``dup_recall``, on messages people really wrote.

The truth is made, and this is how. Of each of some messages a second caller's report is written by
program: clauses left out and put in another order, words replaced by others that mean the same,
digits misheard, stock phrases added. It is compared with every message of the same area and topic in
the pool. Its source, and whoever wrote the very same text, is the same matter. Another matter is a
message that names a place, as this one does, and names no place that this one names; pairs of which
neither can be said (people report one matter independently, and nobody labelled that) are left out. So
recall is of near copies, not of reports in wholly other words.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from services.intake.rules.likeness import likeness
from services.intake.settings import Settings
from tests.load.plan import Figures, Plan
from tests.load.plant import Plant

ROOT = Path(__file__).parents[2]
# Not ours, so it lies beside the repository where there is one; else the messages of the tests.
MESSAGES = ROOT.parent / "shared" / "data" / "messages_hot_topics.csv"
INVENTED = ROOT / "tests" / "data" / "messages.json"
SECOND_CALLERS = 600
SAME = (
    "小区=院子 噪音=噪声 希望=盼望 严重=厉害 晚上=夜里 居民=住户 为什么=为何 无人=没人 解决=处理 影响=妨碍 "
    "业主=房主 物业=物管 现在=目前 已经=早就 没有=没 孩子=小孩 学校=校方 马路=道路 每天=天天 垃圾=废物 "
    "非常=十分 强烈=坚决 建议=提议 车辆=车子 附近=旁边 开发商=建设单位 路灯=街灯 停水=断水 摔倒=摔跤"
)
SYNONYMS = [tuple(pair.split("=")) for pair in SAME.split()]
TOPICS = re.compile(
    "噪|停水|学校|幼儿园|垃圾|公交|物业|停车|违建|扰民|房产证|拆迁|工资|地铁|路灯|油烟|医院|充电桩|电梯|施工|路面|积水"
)
AREA = re.compile(r"[A-Z]\d*[区市县]|[\u4e00-\u9fff]{2}镇")
PLACE = re.compile(
    r"[\u4e00-\u9fff]{2,5}(?:小区|花园|广场|学校|小学|中学|幼儿园|医院|大道|路口|路|街|村|公司|大桥)"
)
CLAUSES = re.compile(r"[，。；！？,;!?\s]+")


@dataclass(frozen=True, slots=True)
class Report:
    """A message; ``kind``: its area and topic, in which candidates are looked for."""

    text: str
    kind: tuple[str, str]
    places: frozenset[str]


def reports(path: Path) -> list[Report]:
    """The messages of a file that name an area and a topic."""
    if path.suffix == ".json":
        texts = json.loads(path.read_text("utf-8"))
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            texts = [f"{row['留言主题']}，{row['留言详情']}" for row in csv.DictReader(file)]
    found = []
    for text in texts:
        area, topic = AREA.search(text), TOPICS.search(text)
        if area and topic:
            kind = (area[0], topic[0])
            found.append(Report(text, kind, frozenset(PLACE.findall(text))))
    return found


def second_caller(text: str, dice: Random) -> str:
    """The same matter as somebody else would report it."""
    clauses = [clause for clause in CLAUSES.split(text) if clause]
    kept = max(2, int(len(clauses) * dice.uniform(0.35, 0.85)))
    clauses = dice.sample(clauses, min(kept, len(clauses)))
    said = "，".join(clauses)
    for word, other in dice.sample(SYNONYMS, len(SYNONYMS) * 2 // 3):
        said = said.replace(word, other)
    if dice.random() < 0.5:
        said = re.sub(r"\d", lambda digit: str((int(digit[0]) + dice.randint(1, 8)) % 10), said)
    return f"您好，我也要反映：{said}" if dice.random() < 0.5 else f"{said}，请尽快派人处理"


def found(messages: Sequence[Report], least: float, dice: Random) -> Figures:
    """What a likeness of at least so much finds, of what second callers report."""
    pools: dict[tuple[str, str], list[Report]] = defaultdict(list)
    for each in messages:
        pools[each.kind].append(each)
    hits = misses = wrong = others = 0
    chosen = [each for each in messages if len(CLAUSES.split(each.text)) >= 3]
    for source in dice.sample(chosen, min(SECOND_CALLERS, len(chosen))):
        said = second_caller(source.text, dice)
        for each in pools[source.kind]:
            alike = likeness(said, each.text) >= least
            if each.text == source.text:
                hits, misses = hits + alike, misses + (not alike)
            elif each.places and source.places and not each.places & source.places:
                others, wrong = others + 1, wrong + alike
    return {
        "dup_precision": hits / (hits + wrong) if hits else None,
        "dup_recall": hits / (hits + misses) if hits else None,
        "details": {"copies": hits + misses, "other_matters": others, "wrong": wrong},
    }


async def duplicates(_: Plant, __: Plan) -> Figures:
    """Near copies found among messages of the same area and topic, and how many were wrong."""
    config = Settings(embedded=True, config_dir=ROOT / "config" / "ziyang").load()
    path = MESSAGES if MESSAGES.exists() else INVENTED
    figures = found(reports(path), config.duplicates.likeness, Random(1))
    note = f"{path.name}: {figures['details']['copies']} copies, {figures['details']['other_matters']} others"
    return figures | {"notes": {"dup_precision": note}}
