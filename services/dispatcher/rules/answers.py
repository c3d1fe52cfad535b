"""答复: what can be judged of an answer from its text: whether it speaks of the demand, whether it was
pasted, whether it names somebody. Words, no meaning: what these rules find, a person looks at. Pure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

ENOUGH = 0.05  # of the words of the shorter text
SHINGLE = 3  # signs in a row by which two texts are compared
ROWS, BANDS = 2, 16  # of 16 bands of two, texts alike by 0.8 share one in 10,000 of 10,001 cases
_SIGN = re.compile(r"[a-z0-9\u4e00-\u9fff]")
_WORD = re.compile(r"[a-z0-9]{2,}|[\u4e00-\u9fff]{2,}")
# What stands in any demand and any answer, and says nothing of the matter.
_EMPTY = re.compile(
    "您好|你好|尊敬的|市民|网友|群众|先生|女士|同志|反映|诉求|来电|来信|留言|咨询|投诉|举报|建议|求助|问题|情况|事项|内容|工单"
    "|收悉|回复|答复|如下|经核实|核实|调查|了解|处理|办理|办结|解决|落实|完毕|结果|进行|相关|有关|部门|单位|工作|人员|要求|希望"
    "|请求|尽快|及时|立即|感谢|谢谢|支持|关心|监督|理解|我们|您的|你的|贵局|已经|目前|现在|现将|是否|什么|怎么|为什么|如何|可以"
    "|能否|应该|没有|不能|不是|因为|所以|由于|但是|以及|对于|关于|就是|这个|那个|一个|这样|一直|非常|高度|重视|[的了吗呢吧啊和与及在是有我你他她它们这那已将被把请]"
)
# 停水, 没水, 供水, 来水: what a demand says is gone an answer says is back, and both speak of one supply.
_SUPPLY = re.compile("[停断没无缺来通送](?=[水电气暖])")
_POINT = re.compile(
    r"(?:^|(?<=[\n。；;！!？?，,：:]))\s*(?:[(（]?[1-9一二三四五六七八九][)）、.．](?!\d)|[①-⑨]"
    r"|[一二三四五六七八九]是|第[一二三四五六七八九][、，,]?|其[一二三四五六][、，,])"
)
_MORE = re.compile("另外|此外|还有(?:就是)?|与此同时|同时(?=[，,还也])|再者|其次")
_ASKS = re.compile(
    "[？?]|吗|请问|何时|什么时候|多久|如何|怎么办|能否|能不能|是否|要求|希望|请求|恳请|请.{0,6}(?:给|予|帮|查|派|解)"
)
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方"
    "石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_NAMED = re.compile(
    "(?:举报人|投诉人|反映人|来电人|来信人|诉求人|当事人|信访人|联系人)(?:姓名)?[:：为是]?"
    rf"(?P<name>[{_SURNAMES}][\u4e00-\u9fff]{{1,2}})"
    r"(?=[，,。；;、（(：:\s]|$|反映|来电|来信|称|提出|表示|诉求|先生|女士|同志|，)"
)
_HOME = re.compile(r"(?:家住|住址|住在)[^，。；,;\n]{2,30}|\d{1,3}\s*单元\s*\d{2,4}(?:室|号|户)?")


def words(text: str) -> frozenset[str]:
    """What a text speaks of: pairs of characters, and words of letters and digits, without what stands
    in every demand. A supply that is gone and one that is back are one word.
    """
    found: set[str] = set()
    for run in _WORD.findall(_EMPTY.sub("\n", _SUPPLY.sub("供", text.casefold()))):
        found.update([run] if run.isascii() else (run[i : i + 2] for i in range(len(run) - 1)))
    return frozenset(found)


def demands(text: str) -> list[str]:
    """The demands of a text: its numbered points, or what it adds to the first (另外 …); the text itself
    where it has one, or says them in one breath.
    """
    points = list(_POINT.finditer(text))
    ends = [*(each.start() for each in points[1:]), len(text)]
    found = [text[point.end() : end] for point, end in zip(points, ends, strict=False)]
    if len(found) < 2:
        found = _MORE.split(text)
    spoken = [each.strip() for each in found if words(each)]
    return spoken if len(spoken) > 1 else [text]


def unanswered(demanded: str, answer: str) -> list[str]:
    """The demands of which an answer says nothing. One with as many points answers point by point, in
    words of its own.
    """
    asked, said = demands(demanded), words(answer)
    if len(asked) > 1 and len(_POINT.findall(answer)) >= len(asked):
        return []
    return [each for each in asked if (spoken := words(each)) and not spoken & said]


def asks(text: str) -> bool:
    """Whether a text demands something, and does not only urge."""
    return bool(_ASKS.search(text) and words(text))


def is_about(title: str, content: str, answer: str) -> bool:
    """Whether an answer speaks of what a demand speaks of (答非所问): of its title, or of enough of the
    rest, for long texts share some word by chance.
    """
    heading, said = words(title), words(answer)
    spoken = heading | words(content)
    common, least = spoken & said, ENOUGH * min(len(spoken), len(said))
    return not spoken or bool(heading & said) or (bool(common) and len(common) >= least)


# --- pasted ------------------------------------------------------------------------------------


@lru_cache(maxsize=256)  # one is compared with many
def _shingles(text: str) -> frozenset[str]:
    signs = "".join(_SIGN.findall(text.casefold()))
    return frozenset(signs[i : i + SHINGLE] for i in range(max(len(signs) - SHINGLE + 1, 1)))


def likeness(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1: the share of what stands in either that stands in both, blanks
    and punctuation aside.
    """
    first, second = _shingles(one), _shingles(other)
    return len(first & second) / len(first | second)


def bands(text: str) -> list[int]:
    """By which texts that are alike find each other in an index (minhash)."""
    marks = [zlib.crc32(each.encode()) for each in _shingles(text)]
    least = [min((mark * (2 * i + 1) ^ i * 0x9E3779B1) & 0xFFFFFFFF for mark in marks)
             for i in range(ROWS * BANDS)]  # fmt: skip
    return [
        zlib.crc32(repr((i, least[i * ROWS : (i + 1) * ROWS])).encode()) - 2**31
        for i in range(BANDS)
    ]


# --- names -------------------------------------------------------------------------------------


def identities(text: str) -> Iterator[str]:
    """Where a text seems to say who the citizen is or where the citizen lives; numbers are masked before
    (shared/security/masking.py).
    """
    yield from (found["name"] for found in _NAMED.finditer(text))
    yield from (found.group() for found in _HOME.finditer(text))


def shortened(text: str, most: int = 30) -> str:
    """The beginning of a text, to show which is meant."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[:most]}…"


def listed(texts: Sequence[str]) -> str:
    """Texts as one."""
    return "；".join(f"“{shortened(each)}”" for each in texts)
