"""回访意见: what of a citizen's words at a callback may travel. Pure.

Who called is known in intake's vault only, so names and homes are told by how people put them: who
said something, where somebody lives. Of a confidential ticket nothing is told: a sentence names a
person in more ways than rules know (R-35).
"""

from __future__ import annotations

import re

from shared.security.reading import FOLD, NUMERALS

WITHHELD = "（保密工单，回访意见只留在回访记录中 withheld: it stands with the callback）"

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦"
    "马苗凤方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟黄穆萧尹姚邵汪"
    "祁毛禹狄米贝臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林钟徐邱骆高夏"
    "蔡田樊胡凌霍虞万支柯管卢莫房裘缪解应宗丁宣邓郁单杭洪包诸左石崔吉龚程邢裴陆荣翁荀羊甄曲封靳松段巫"
    "焦巴牧隗山谷车侯全班秋仲伊宫宁仇甘厉戎祖武符刘景詹龙叶司黎薄印白蒲从鄂索赖卓屠蒙池乔胥闻党翟谭劳"
    "申扶冉桑桂牛燕尚温庄晏柴瞿阎慕连习艾容向古易廖耿满匡国文寇广欧利师巩聂关荆游权盖益肖覃闫付涂兰邸"
)
_NAME = (
    rf"(?:欧阳|司马|上官|诸葛|尉迟|东方|夏侯|皇甫|令狐|慕容|[{_SURNAMES}])[\u4e00-\u9fff]{{1,2}}"
)
_SAYS = "说(?!明)|称|讲|反映|表示|提到|认为|反馈|回复|要求|觉得|本人|女士|先生|同志|家"
_NAMED = re.compile(
    rf"(?:我是|我叫|本人|名叫|叫做|姓名[:是为]?|诉求人|来电人|市民|村民|居民|联系人[:是为]?)(?P<told>{_NAME}?)"
    rf"|(?<![\u4e00-\u9fff])(?P<says>{_NAME})(?=(?:{_SAYS}))"
)
_LIVES = re.compile(r"(?:家?住(?:在|址)?|家在|地址)[:是为]?\s?(?P<home>[^,。;!?\n]{3,60})")
_DOOR = re.compile(
    r"[\u4e00-\u9fff]{2,12}?(?:路|街|巷|道|村|组|小区|花园|社区|苑)"
    r"(?:第?\d{1,5}(?:号楼|号院|号|栋|幢|座|单元|层|楼|室|户|组|队|-)?){1,5}"
)


def told(comment: str, *, confidential: bool | None) -> str:
    """A comment as facts may say it; ``confidential`` None is not known and counts as such."""
    if not comment:
        return ""
    return WITHHELD if confidential is not False else _without_persons(comment)


def _without_persons(comment: str) -> str:
    plain = comment.translate(FOLD)
    digits = plain.translate(NUMERALS)
    spans = [(*found.span("home"), "[住址]") for found in _LIVES.finditer(plain)]
    spans += [(*found.span(), "[住址]") for found in _DOOR.finditer(digits)]
    for found in _NAMED.finditer(plain):
        group = "told" if found["told"] else "says"
        if found[group]:
            spans.append((*found.span(group), "[姓名]"))
    parts, done = [], 0
    for start, end, label in sorted(spans):
        if start >= done:
            parts += [comment[done:start], label]
        done = max(done, end)
    return "".join([*parts, comment[done:]])
