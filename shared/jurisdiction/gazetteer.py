"""回避: whom a demand is about, whom a text names, and who stands back. Pure.

The gazetteer knows what the units of a place are called: by their names in units.yaml with the usual
short forms, by the aliases there, and by the words every county has for its towns' and villages' posts
(docs/adr/0041-whom-a-text-names.md). It finds too much rather than too little: what is found wrongly
costs a person's look, what is missed may hand a reporter to whom they report.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from ahocorasick_rs import AhoCorasick

from shared.events import Reported, TicketType
from shared.jurisdiction.codes import Codes, Unit, Units, areas_above
from shared.jurisdiction.wording import plain

TOWN = "{town}"

# Whoever has one of these posts belongs to the town of the ticket's area, and so does the village.
OF_THE_TOWN = """
    镇政府 镇人民政府 乡政府 乡人民政府 乡镇政府 镇党委 乡党委 镇党政办 乡镇党委 街道办 街道办事处 办事处
    镇里 镇上 乡里 乡上 镇干部 乡干部 乡镇干部 镇领导 乡领导 镇长 副镇长 乡长 副乡长 镇委书记 镇书记
    镇党委书记 镇人大主席 人大主席 镇武装部 镇纪委 镇民政办 镇财政所 镇国土所 规划办 镇农办 包村干部
    包村领导 包片干部 包片领导 驻村干部 驻村工作队 驻村队员 工作队 第一书记 帮扶干部 帮扶责任人 扶贫干部
    镇工作人员 村委会 村委 村民委员会 村支部 村党支部 村支两委 村两委 两委 支部书记 村支书 支书 村书记
    村支部书记 村主任 村委会主任 村委主任 村长 副村长 村副主任 村干部 村官 大队干部 村会计 村文书 文书
    村出纳 村监委 监委会 村里 村上 村领导 村组干部 村民小组长 小组长 组长 村组长 生产队长 村民代表
    村妇联主任 妇女主任 治保主任 护林员 网格员 网格长 社区书记 社区主任 社区干部 社区居委会 社区居民委员会
    居委会 居委 居委会主任 社区工作人员 社区支书
"""

# Somebody of the administration, or what only its people do: which unit, the words do not say. Who is no
# handling unit anywhere (法院, 纪委) is left out: nothing is given to them; so is 政府 alone, to which nearly
# everybody appeals.
SOMEBODY = """
    局长 副局长 局领导 局里 所长 副所长 所里 站长 副站长 站里 科长 副科长 科室 股长 副股长 处长 主任 副主任
    书记 副书记 队长 副队长 大队长 中队长 中队 支队 大队 院长 副院长 领导干部 党员干部 干部 公务员 公职人员
    国家工作人员 机关工作人员 政府工作人员 政府的人 政府人员 政府干部 政府领导 当地政府 本地政府 基层政府
    党委 派出所 民警 警察 辅警 协警 户籍 户籍窗口 城管 执法人员 执法队 执法大队 执法局 稽查 监管所 监管局
    监管人员 检查的人 验收的人 协管员 交警 办事员 办事大厅 窗口 政务大厅 服务大厅 抄表员 收费员 电工 安检员
    学校 校长 副校长 园长 幼儿园 医院 卫生院 卫生室 敬老院 福利院 供销社 国土所 税务所 财政所 司法所 民政办
    林业站 农技站 水管站 治超站 运管 征收办 房管 保护伞 官商勾结 通风报信 打招呼 有关系 有人罩 有人撑腰 内鬼
    收黑钱 好处费 辛苦费 协调费 吃拿卡要 索贿 受贿 行贿 贪污 截留 挪用 克扣 冒领 套取 侵吞 私分 徇私
    滥用职权 以权谋私 玩忽职守 不作为 乱作为 包庇 优亲厚友 打击报复
"""

# A town named as where something is: it does nothing there.
WHERE = """
    街上 境内 辖区内 附近 老街 新街 街头 街尾 集镇 集市 大桥 桥头 路口 路段 河段
"""
# Behind the bare name of a town, its government and its people.
TOWNS_OWN = """
    政府 人民政府 党委 乡 干部 领导 书记
"""
# What is left of a unit's name beside the county's, and names no unit.
NO_NAMES = """
    分公司 县分公司 支公司 分局 管理部 办公室
"""

_BETWEEN = re.compile(r"[\s\u200b-\u200d·・.\-_—*'\"“”‘’《》【】()\[\]]+")
# No name of a village has these: 我们村, 到村里, 农村.
_NO_VILLAGE = (
    "举报我们他你这那该本各全每个在到去住回进出于是的了和与向对把被让给叫说农乡山下上里自外邻某同"
)
_VILLAGE = re.compile(rf"[^\W\da-z{_NO_VILLAGE}]{{2}}(?:村(?![民庄规])|社区)")
_LIVES_IN = re.compile(r"[村寨湾]|社区|[一二三四五六七八九十\d]组")


def accuses(type: TicketType) -> bool:
    """Whether a demand of this type is about what somebody did wrong, who must not learn of it; so may
    one of a newer release's types be.
    """
    match type:
        case TicketType.REPORT | TicketType.UNKNOWN:
            return True
        case (
            TicketType.CONSULTATION
            | TicketType.HELP
            | TicketType.COMPLAINT
            | TicketType.SUGGESTION
            | TicketType.COMMENDATION
        ):
            return False
        case _:
            assert_never(type)


@dataclass(frozen=True, slots=True)
class Mention:
    """What a text says of the administration: the words, and the units they mean; no unit: somebody, the
    words do not say who. ``place``: a village that may only be where the matter is.
    """

    words: str
    units: frozenset[str]
    place: bool = False


class Gazetteer:
    """The names of a place's units and areas, compiled once; ``place`` is what it is called itself."""

    def __init__(self, units: Units, codes: Codes, place: str) -> None:
        self._units = units
        self._towns = units.answering(codes)
        meanings: dict[str, set[str]] = {}
        for unit in units.units:
            for name in _names(unit, place):
                meanings.setdefault(_dense(name), set()).add(unit.code)
        for word in map(_dense, OF_THE_TOWN.split()):
            meanings.setdefault(word, {TOWN})
        for word in map(_dense, SOMEBODY.split()):
            meanings.setdefault(word, set())
        self._villages = _villages(codes, self._towns, meanings)
        # What is nobody hides the name within it, as any longer name does.
        places = {_dense(name) for unit in units.units for name in _places(unit)}
        self._meanings = meanings
        self._words = list(dict.fromkeys((*meanings, *self._villages, *sorted(places))))
        self._automaton = AhoCorasick(self._words)

    def find(self, text: str, area: str) -> tuple[Mention, ...]:
        """Whom a text names, in its order, each words once: longer names before their parts. What only
        says "the town" is the town of the area the ticket lies in.
        """
        dense = _dense(text)
        found: dict[str, Mention] = {}
        for word in self._longest(dense):
            if word in self._meanings:
                units = self._placed(self._meanings[word], area)
                found.setdefault(word, Mention(word, units))
            elif word in self._villages:
                found.setdefault(word, Mention(word, self._villages[word], place=True))
        if town := self.town_of(area):
            for village in _VILLAGE.findall(dense):
                found.setdefault(village, Mention(village, frozenset([town]), place=True))
        return tuple(found.values())

    def _longest(self, dense: str) -> Iterator[str]:
        matches = self._automaton.find_matches_as_indexes(dense, overlapping=True)
        reach = 0
        for _, start, end in sorted(matches, key=lambda match: (match[1], -match[2])):
            if end > reach:
                reach = end
                yield dense[start:end]

    def _placed(self, units: Iterable[str], area: str) -> frozenset[str]:
        town = self.town_of(area)
        placed = (town if unit == TOWN else unit for unit in units)
        return frozenset(unit for unit in placed if unit)

    def town_of(self, area: str) -> str | None:
        """Who answers for an area, or for a larger one it lies in: of a village its town."""
        return next((self._towns[each] for each in areas_above(area) if each in self._towns), None)

    # --- whom a demand is about ----------------------------------------------------------------

    def accused(self, reported: Reported, area: str) -> tuple[str, ...]:
        """The units a demand is about: by code, and those that posts and villages in words belong to."""
        meant = (unit for word in reported.words for unit in sorted(self.meant(word, area)))
        return tuple(dict.fromkeys((*reported.units, *meant)))

    def meant(self, word: str, area: str) -> frozenset[str]:
        """The units that somebody's post, or a village, belongs to; none when nobody can tell. The town
        is the area's unless the words name another.
        """
        outright = _narrowed(self.find(word, area=""))
        if not outright.isdisjoint(self._towns.values()):
            return outright
        town = self.town_of(area) if _LIVES_IN.search(word) else None
        return _narrowed(self.find(word, area)) | frozenset([town] if town else [])

    def unclear(self, reported: Reported, area: str) -> tuple[str, ...]:
        """What is reported and belongs to no unit of the table: who is its kin, nobody knows."""
        codes = (code for code in reported.units if self._units.unit(code) is None)
        return (*codes, *(word for word in reported.words if not self.meant(word, area)))

    def recused(self, reported: Reported, area: str) -> frozenset[str]:
        """回避: who stands back, sees, reads and hears nothing: whom it is about, and their kin
        (R-35, JN-32).
        """
        accused = self.accused(reported, area)
        return frozenset().union(*map(self._units.recused, accused))

    def kin(self, unit: str) -> frozenset[str]:
        """A unit, its parent and its children."""
        return self._units.recused(unit)


def _narrowed(mentions: Iterable[Mention]) -> frozenset[str]:
    """The units meant within one phrase: 抄表员 of three companies is that of the company beside it."""
    means = [mention.units for mention in mentions]
    certain = frozenset().union(*(units for units in means if len(units) == 1))
    return certain.union(*(units for units in means if units.isdisjoint(certain)))


def _dense(text: str) -> str:
    """Text as names are looked for: in one form, nothing between its letters."""
    return _BETWEEN.sub("", plain(text))


def _names(unit: Unit, place: str) -> Iterator[str]:
    """What a unit is called: its name with and without the county's, and its aliases."""
    yield unit.name
    yield from (*unit.aliases, *unit.known_by)
    if unit.area is not None:
        yield from (name + own for name in (unit.name, _bare(unit)) for own in TOWNS_OWN.split())
        yield from (_bare(unit) + post for post in OF_THE_TOWN.split() if post[0] in "镇乡")
        return
    yield from (f"{place}{unit.name}", f"{place[-1:]}{unit.name}")
    stem = place.rstrip("省市县区旗")
    for part in unit.name.replace(place, stem).split(stem):
        name = part.replace("有限公司", "公司")
        if len(name) > 2 and name not in NO_NAMES.split():
            yield name


def _villages(
    codes: Codes, towns: Mapping[str, str], units: Container[str]
) -> Mapping[str, frozenset[str]]:
    """Whose the areas are that are no unit's own name: of a village its town's."""
    found: dict[str, set[str]] = {}
    for area in codes.areas:
        if area.code in towns:
            for name in map(_dense, (area.name, *area.aliases)):
                found.setdefault(name, set()).add(towns[area.code])
    return {name: frozenset(whose) for name, whose in found.items() if name not in units}


def _places(unit: Unit) -> Iterator[str]:
    if unit.area is not None:
        yield from (name + where for name in (unit.name, _bare(unit)) for where in WHERE.split())


def _bare(unit: Unit) -> str:
    return unit.name.rstrip("镇乡区") if len(unit.name) > 2 else unit.name
