"""Whether a caller's name stands in a text as a name, and not as a place's or inside a word.

A name of three characters is one wherever it stands outside a public name. One of two may be a place
(向阳村) or a word (早高峰): there what stands around it tells.
"""

from __future__ import annotations

import re
from collections.abc import Collection

# What makes a place of the two characters before it; 村长 and 镇党委书记 are people.
_PLACE_AFTER = re.compile(
    r"(?:镇|乡|村|街|路|巷|社区|小区|大道|县|市场?|区|桥|河|山|水库|中?小?学|中学|大学|幼儿园|医院|大厦|广场"
    r"|公司|商场|超市|酒店|车站|站|苑|花园|新城|公园|隧道|收费站|煤矿|厂)(?!长|主任|支?书记?|过|上的人)"
)
# Words that begin with a surname and are found in any complaint.
_WORDS_TEXT = """
高峰 高度 高兴 高速 高级 高温 高压 高中 高价 高低 安全 安静 安心 安排 安装 安康 平安 平时
平台 平均 平方 平常 方便 方法 方向 方案 方面 文明 文化 文件 成功 成立 成长 和平 和谐 阳光
光明 黄金 黄色 白天 白云 白色 金融 金额 金属 马上 马路 车辆 车站 车位 水利 水库 水管 田地
江山 江南 石头 林地 林业 叶子 时间 时候 路灯 路口 路面 施工 施行 严重 严格 管理 管道 项目
常常 常年 任何 任务 何时 全部 全家 全面 关于 关心 程度 程序 边界 明显 明白 明天 东西 东方
强制 强烈 温暖 温度 左右 于是 夏天 秋天 冬天 古城 向阳 向前 向上 双方 应该 应急 党员 党委
景区 景点 毛病 花园 花费 游客 游泳 满意 满足 通知 通过 宣传 计划 计算 解决 解放 舒服 常见
易燃 易爆 支付 支持 万元 万一 经营 经常 经济 曾经 越来 宁静 农村 农民 别人 盛大 包括 包装
充电 充分 谈话 牛奶 鱼塘 米饭 燕子 单位 单元 房屋 房子 贺礼 容易 广告 广场 步行 都是 利用
利息 商量 商业 商店 空调 空间 查看 查询 红色 荣誉 巨大 鲁莽
"""
_WORDS = frozenset(_WORDS_TEXT.split())
_NAMED_BEFORE = re.compile(
    r"(?:我是|我叫|名叫|叫做?|姓名|名字|本人|联系人|业主|户主|村民|居民|市民|群众|老人|诉求人|来电人|申请人|反映人"
    r"|丈夫|妻子|儿子|女儿|父亲|母亲|老公|老婆|住户|学生|职工|患者|同志)[\s:是为(]{0,3}$"
)
_NAMED_AFTER = re.compile(
    r"[\s),]{0,2}(?:先生|女士|小姐|同志|老师|本人|反映|来电|表示|说|称|认为|的?(?:身份证|电话|手机|家)"
    r"|一?家(?:人|里|中)|敬上|$|[,.。;!?、\n])"
)
LOOK = 24


def stands_as_name(text: str, start: int, end: int, public: Collection[str]) -> bool:
    """Whether what stands there is the person. In doubt it is."""
    if _lies_in(text, start, end, public):
        return False
    if end - start > 2:
        return True
    before, after = text[max(0, start - LOOK) : start], text[end : end + LOOK]
    if _PLACE_AFTER.match(after):
        return False
    if text[start:end] not in _WORDS:
        return True
    return bool(_NAMED_BEFORE.search(before)) or bool(
        (not before or not before[-1].isalnum() or before[-1] in "是由")
        and _NAMED_AFTER.match(after)
    )


def _lies_in(text: str, start: int, end: int, public: Collection[str]) -> bool:
    """Whether it is part of a longer public name that stands there."""
    word = text[start:end]
    for name in public:
        at = name.find(word) if len(name) > len(word) else -1
        if at >= 0 and text.startswith(name, start - at):
            return True
    return False
