"""派单理由: why a unit gets a ticket, or why nobody does: a Chinese sentence, then English. Pure.

Codes are said by their names (codes.yaml, units.yaml); what has none is said by its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.dispatcher.rules.catalogue import Rule
from services.dispatcher.rules.matching import Denied, mentions
from shared.events import TYPE_NAMES, TicketRegistered, TicketReopened, Urgency
from shared.jurisdiction.calendar import Limit
from shared.jurisdiction.gazetteer import Mention
from shared.jurisdiction.urgency import Found
from shared.jurisdiction.wording import Alarm, plain


class Reason(NamedTuple):
    """The same thing said in Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"


@dataclass(frozen=True, slots=True)
class Names:
    """What people call a code: areas and units in Chinese, the others in both languages."""

    topics: Mapping[str, Reason] = field(default_factory=dict)
    channels: Mapping[str, Reason] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def topic(self, code: str) -> Reason:
        """A topic, a field of topics, or a flag: most flags are called like the field they mark."""
        return self.topics.get(code, Reason(code, code))

    def area(self, code: str) -> str:
        """An area."""
        return self.areas.get(code, code)

    def unit(self, code: str) -> str:
        """A handling unit."""
        return self.units.get(code, code)


URGENCIES: Mapping[Urgency, str] = {
    Urgency.CRITICAL: "特急",
    Urgency.URGENT: "紧急",
    Urgency.NORMAL: "一般",
    Urgency.COMPLEX: "疑难",
}
LIMITS: Mapping[str, Reason] = {
    "wd": Reason("个工作日", "working days"),
    "wh": Reason("个工作小时", "working hours"),
    "h": Reason("小时", "hours"),
    "min": Reason("分钟", "minutes"),
}
REOPENED_FOR: Mapping[str, Reason] = {
    "not_contacted": Reason("未联系", "not contacted"),
    "not_solved": Reason("未解决", "not solved"),
    "not_satisfied": Reason("不满意", "not satisfied"),
}


def joined(reasons: Iterable[Reason]) -> Reason:
    """Several reasons as one sentence."""
    zh, en = zip(*reasons, strict=True)
    return Reason("；".join(zh), "; ".join(filter(None, en)))


def as_kept(reason: str) -> Reason:
    """A reason as it was told, in its two languages; what a person wrote is in one only."""
    zh, _, en = reason.partition(" / ")
    return Reason(zh, en)


def limit_in_words(limit: str) -> Reason:
    """时限: 5wd, 4wh, 24h or 30min as people say it."""
    parsed = Limit.parse(limit)
    zh, en = LIMITS[parsed.unit]
    return Reason(f"{parsed.amount:g}{zh}", f"{parsed.amount:g} {en}")


# --- why this unit -----------------------------------------------------------------------------


def of_rule(rule: Rule, met: Iterable[Reason], urgent: Iterable[Reason]) -> Reason:
    """The rule's own ground, each of its conditions and how the ticket met it, what made it urgent."""
    return joined((Reason(rule.reason, f"Rule {rule.id}"), *met, *urgent))


def conditions(
    rule: Rule,
    ticket: TicketRegistered,
    text: str,
    names: Names,
    alarms: Iterable[Alarm] = (),
    denied: Denied | None = None,
) -> Iterator[Reason]:
    """Each condition of a rule and how the ticket met it. ``text`` is text_of() the ticket, ``alarms``
    what it reports; the rule must cover the ticket.
    """
    if rule.topic:
        yield _topic(names.topic(ticket.topic), names.topic(rule.topic))
    if rule.areas:
        area = names.area(ticket.area)
        yield Reason(f"地区“{area}”在规则所列之内", f"area {ticket.area} is one of the rule's")
    if rule.types:
        kind = ticket.type
        yield Reason(f"性质为{TYPE_NAMES[kind]}", f"the type is {kind}")
    if rule.channels:
        channel = names.channels.get(ticket.channel, Reason(ticket.channel, ticket.channel))
        yield Reason(f"来源渠道为“{channel.zh}”", f"the channel is “{channel.en}”")
    if rule.asked_urgency:
        asked = ticket.urgency.level
        yield Reason(f"登记为{URGENCIES[asked]}", f"registered as {asked}")
    for danger, word, certain in alarms:
        if certain and danger.id in rule.dangers:
            yield Reason(f"“{word}”反映险情：{danger.zh}", f"“{word}” reports {danger.en}")
    yield from _of_text(rule, text, denied)
    if flags := [names.topic(flag) for flag in rule.flags if flag in ticket.flags]:
        yield Reason(f"标记为“{_zh(flags)}”", f"flagged “{_en(flags)}”")
    yield from _of_moment(rule)
    if rule.longer_than or rule.shorter_than:
        length = len(ticket.content)
        yield Reason(f"内容{length}字，在规则所限之内", f"{length} characters, as the rule asks")


def _of_text(rule: Rule, text: str, denied: Denied | None) -> Iterator[Reason]:
    strict = denied if rule.unless_denied else None
    words = (*rule.keywords, *rule.all_keywords)
    if mentioned := [word for word in words if mentions(text, plain(word), strict)]:
        listed = "、".join(dict.fromkeys(mentioned))
        yield Reason(f"内容提到“{listed}”", f"the text mentions “{listed}”")
    if rule.no_keywords:
        listed = "、".join(rule.no_keywords)
        yield Reason(f"内容未提到“{listed}”", f"the text does not mention “{listed}”")


def _of_moment(rule: Rule) -> Iterator[Reason]:
    if rule.on_duty is not None:
        zh, en = ("", "in") if rule.on_duty else ("非", "outside")
        yield Reason(f"登记于{zh}工作时间", f"registered {en} working time")
    if rule.hours:
        opens, closes = rule.hours.opens, rule.hours.closes
        yield Reason(f"登记于{opens}至{closes}", f"registered between {opens} and {closes}")


def _zh(names: Iterable[Reason]) -> str:
    return "、".join(name.zh for name in names)


def _en(names: Iterable[Reason]) -> str:
    return ", ".join(name.en for name in names)


def _topic(topic: Reason, branch: Reason) -> Reason:
    if topic == branch:
        return Reason(f"诉求分类为“{topic.zh}”", f"the topic is “{topic.en}”")
    return Reason(
        f"诉求分类“{topic.zh}”属于“{branch.zh}”", f"topic “{topic.en}” lies under “{branch.en}”"
    )


def urgent_by_rule(level: Urgency) -> Reason:
    """The catalogue's rule says how urgent it is at least."""
    return Reason(f"规则定为{URGENCIES[level]}", f"the rule makes it {level}")


def perhaps(found: Found) -> Reason | None:
    """What the desk reads first when a text may report a danger and may not."""
    alarm = found.alarm
    if alarm is None or alarm.certain:
        return None
    danger = alarm.danger
    return Reason(
        f"疑似险情（{danger.zh}）：文中“{alarm.word}”是否危及人身，系统不能断定，请立即核实，"
        "据实指定承办单位和紧急程度",
        f"Perhaps {danger.en}: whether “{alarm.word}” means that life is in danger no rule can tell; "
        "find out at once, then assign with the urgency it has",
    )


def perhaps_later(found: Found) -> Reason:
    """What desk and units read first when what the citizen said later may report a danger and may not."""
    zh, en = (found.alarm.danger.zh, found.alarm.danger.en) if found.alarm else ("", "")
    return Reason(
        f"疑似险情（{zh}）：诉求人后来所说的“{found.what}”是否危及人身，系统不能断定，请立即核实，据实确定紧急程度",
        f"Perhaps {en}: whether “{found.what}”, said later, means that life is in danger no rule can tell; "
        "find out at once, then assign, or confirm who has it, with the urgency it has",
    )


def after_answer(found: Found) -> Reason:
    """What the desk reads first when a danger is reported after the units have answered."""
    return Reason(
        f"险情：单位答复后诉求人又提到“{found.what}”，请立即处置：转应急热线、退回补正或重办",
        f"A danger: “{found.what}” was said after the units had answered. See to it at once: an emergency "
        "line, send the answer back, or open it again",
    )


def critical_by_word(word: str) -> Reason:
    """A word of the policy stands in the text."""
    return Reason(f"提到“{word}”，定为特急", f"“{word}” makes it critical")


def urgent_by_matter(matter: Reason) -> Reason:
    """The policy counts a topic or a flag among what is urgent."""
    return Reason(f"“{matter.zh}”类定为紧急", f"“{matter.en}” makes it urgent")


def done_again(round: int, data: TicketReopened) -> Reason:
    """重办: the verdict of the citizen, with the citizen's own words in Chinese only (R-27)."""
    zh, en = zip(*(REOPENED_FOR[reason] for reason in data.reasons), strict=True)
    comment = f"。诉求人意见：{data.comment}" if data.comment else ""
    return Reason(
        f"第{round}轮重办，诉求人反映：{'、'.join(zh)}{comment}",
        f"Round {round}, to be done again; the citizen says: {', '.join(en)}",
    )


# --- why nobody --------------------------------------------------------------------------------


def no_rule(ticket: TicketRegistered, names: Names) -> Reason:
    """No rule of the catalogue covers the ticket."""
    topic = names.topic(ticket.topic)
    return Reason(
        f"派单目录没有适用于诉求分类“{topic.zh}”、地区“{names.area(ticket.area)}”的规则",
        f"No rule of the catalogue covers topic “{topic.en}” in area {ticket.area}",
    )


def no_town(rule: Rule, ticket: TicketRegistered, names: Names) -> Reason:
    """The rule names the town of an area that belongs to no town."""
    return Reason(
        f"规则 {rule.id} 派给属地镇，但地区“{names.area(ticket.area)}”没有对应的镇",
        f"Rule {rule.id} names the town of the area, and {ticket.area} has none",
    )


def no_such_unit(rule: Rule, unit: str) -> Reason:
    """The rule names a unit that was taken out of units.yaml since it was published."""
    return Reason(
        f"规则 {rule.id} 指向的单位 {unit} 已不在单位表内，请人工指定，并修订派单目录",
        f"Rule {rule.id} names {unit}, which stands in units.yaml no more: assign by hand, and mend the "
        "catalogue",
    )


def nobody_named(words: Iterable[str]) -> Reason:
    """举报: nobody said whom it accuses, so it might go to just that unit (R-35, JN-32); ``words``: whom
    the text mentions.
    """
    listed = "”、“".join(words)
    mentioned = [Reason(f"文中提到“{listed}”", f"The text mentions “{listed}”")] if listed else []
    unnamed = Reason(
        "举报件未注明被举报单位，不按派单目录自动派单：请先核实举报的是谁，再指定与其无利害关系的单位办理",
        "A report that names no reported unit is never dispatched by rule: find out whom it accuses, "
        "then assign a unit without interest in it",
    )
    return joined((*mentioned, unnamed))


def unclear(reported: Iterable[str]) -> Reason:
    """回避: who is kin of what belongs to no unit in the table, no rule can know."""
    listed = "”、“".join(reported)
    return Reason(
        f"被反映对象“{listed}”不在单位表内，无法核对哪些单位须回避，请人工指定",
        f"The reported “{listed}” belongs to no unit in the table of units: who must withdraw is "
        "unknown",
    )


def gainsaid(rule: Rule, mention: Mention, unit: str | None, nobody: bool, names: Names) -> Reason:
    """举报: the text names whom nobody stated, and the rule leads to ``unit``, one of them or their
    kin; None: it does not say whom.
    """
    stated = Reason(
        "已注明不涉及行政机关，但文中提到" if nobody else "除已注明的被反映对象外，文中还提到",
        "Nobody of the administration is meant, it was stated, yet the text mentions"
        if nobody
        else "Beside whom was stated, the text mentions",
    )
    leads = Reason("，所指单位不明", ", and does not say which unit")
    if unit:
        leads = Reason(
            f"，规则 {rule.id} 指向的“{names.unit(unit)}”是其所指单位或其上下级单位",
            f", and rule {rule.id} leads to {unit}, which is the unit meant or its kin",
        )
    return Reason(
        f"{stated.zh}“{mention.words}”{leads.zh}：请核实后人工指定",
        f"{stated.en} “{mention.words}”{leads.en}: find out, then assign by hand",
    )


def named(unit: str, mention: Mention, meant: str, names: Names) -> Reason:
    """What the desk is told of a unit whom the text names, or whose kin, while nobody stated whom the
    report is about (R-35).
    """
    kin = "" if unit == meant else f"，“{names.unit(unit)}”系其上下级单位"
    return Reason(
        f"举报件未注明被反映对象，文中提到的“{mention.words}”指“{names.unit(meant)}”{kin}，须回避："
        "请先更正，注明被反映对象（reported）或不涉及行政机关（nobody），再指定",
        f"The report states nobody, and its “{mention.words}” means {meant}, so {unit} must withdraw: "
        "first state whom it is about (reported), or nobody, by a correction",
    )


def must_withdraw(rule: Rule, unit: str, reported_unit: str, names: Names) -> Reason:
    """回避: the rule names the unit the complaint is about, or its kin (R-35)."""
    called = names.unit(reported_unit)
    if unit == reported_unit:
        return Reason(
            f"规则 {rule.id} 指向被反映单位“{called}”，该单位须回避",
            f"Rule {rule.id} names the reported unit {unit}, which must withdraw",
        )
    return Reason(
        f"规则 {rule.id} 指向“{names.unit(unit)}”，系被反映单位“{called}”的上下级单位，该单位须回避",
        f"Rule {rule.id} names {unit}, kin of the reported unit {reported_unit}: it must withdraw",
    )


def stands_back(unit: str, reported_unit: str, names: Names) -> Reason:
    """回避: what the desk is told of a unit that may not have the ticket (R-35)."""
    called = names.unit(reported_unit)
    if unit == reported_unit:
        return Reason(
            f"“{called}”是被反映单位，须回避", f"{unit} is the reported unit and must withdraw"
        )
    return Reason(
        f"“{names.unit(unit)}”是被反映单位“{called}”的上下级单位，须回避",
        f"{unit} is kin (parent or child) of the reported unit {reported_unit} and must withdraw",
    )


def not_for_towns(rule: Rule, lead: str, names: Names) -> Reason:
    """The matter is no town's duty (GB66-5)."""
    return Reason(
        f"规则 {rule.id} 的事项不在镇职责清单内，不得派给“{names.unit(lead)}”",
        f"Rule {rule.id} is not in the towns' duty list, so {lead} may not lead (GB66-5)",
    )
