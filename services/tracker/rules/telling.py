"""What people of units and offices are told: cards, supervisions, referrals, dangers (ADR 0074), extensions.
Pure.

The texts name the ticket, the unit and a moment: never the citizen, and never what the complaint says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from types import MappingProxyType

from services.tracker.rules.layout import MISSED
from services.tracker.rules.machine import Sentence
from services.tracker.rules.paragraph import DUTIES, OTHER, moment
from services.tracker.rules.people import Addressee, Person
from services.tracker.rules.referral import GROUNDS, Ground
from shared.events import ClockKind, DeadlineBreached, DeadlineWarned

ROLES: Mapping[Addressee, Sentence] = MappingProxyType(
    {
        "handler": Sentence("经办人", "handler"),
        "liaison": Sentence("联络员", "liaison"),
        "unit_deputy": Sentence("分管负责人", "deputy head"),
        "unit_head": Sentence("主要负责人", "head of the unit"),
        "hotline_supervisor": Sentence("热线督办员", "supervisor of the hotline"),
        "county_leader": Sentence("县领导", "leader of the county"),
        "county_government_office": Sentence("县政府办公室", "county government office"),
        "discipline_body": Sentence("纪检监察机关", "discipline body"),
    }
)


def warned(number: str, unit: str, data: DeadlineWarned, zone: tzinfo) -> Sentence:
    """预警: by when what has to be done; or that nobody has signed."""
    called, act = _duty(data.clock)
    due = moment(data.due, zone)
    card = data.color == "yellow"
    zh, en = ("黄牌预警", "Yellow card") if card else ("办理提醒", "Reminder")
    if data.point == MISSED:
        return Sentence(
            f"【12345】{zh}：工单{number}的{called.zh}已于{due.zh}届满，{unit}尚未{act.zh}，请立即{act.zh}。",
            f"[12345] {en}: ticket {number} was to be {act.en} by {due.en}, and {unit} has not done so. "
            "Please do so at once.",
        )
    return Sentence(
        f"【12345】{zh}：工单{number}的{called.zh}将于{due.zh}届满，请{unit}抓紧{act.zh}。",
        f"[12345] {en}: ticket {number} is to be {act.en} by {due.en}. {unit}, please see to it.",
    )


def breached(number: str, unit: str, data: DeadlineBreached, zone: tzinfo) -> Sentence:
    """红牌: what has not been done, and since when."""
    called, act = _duty(data.clock)
    due = moment(data.due, zone)
    return Sentence(
        f"【12345】红牌：工单{number}的{called.zh}已于{due.zh}届满，{unit}逾期尚未{act.zh}，请立即{act.zh}。",
        f"[12345] Red card: ticket {number} was to be {act.en} by {due.en}, and {unit} has not done so. "
        "Please do so at once.",
    )


def undispatched(number: str, due: datetime, zone: tzinfo) -> Sentence:
    """逾期未派单: the desk's own duty, said to whom it answers."""
    by = moment(due, zone)
    return Sentence(
        f"【12345】红牌：工单{number}的派单时限已于{by.zh}届满，派单员尚未派单，请立即督促派单。",
        f"[12345] Red card: ticket {number} was to be dispatched by {by.en}, and the desk has not done so. "
        "Please see to it at once.",
    )


def raised(
    number: str,
    unit: str,
    rung: Sentence,
    answer_due: datetime | None,
    zone: tzinfo,
    *,
    stale: bool = False,
) -> Sentence:
    """督办: which rung, and by when it is to be answered; ``stale``: an entry of the knowledge base is to be
    put right, whatever becomes of the ticket.
    """
    by = moment(answer_due, zone) if answer_due else None
    act = Sentence("更正知识库失效条目", "put the stale entry of the knowledge base right")
    act = act if stale else Sentence("办理", "act")
    zh = f"，请于{by.zh}前{act.zh}并回复" if by else f"，请立即{act.zh}"
    en = f"Please {act.en}, and answer by {by.en}." if by else f"Please {act.en} at once."
    return Sentence(
        f"【12345】督办：工单{number}已对{unit}启动{rung.zh}{zh}。",
        f"[12345] Supervision: {rung.en}, of {unit}, for ticket {number}. {en}",
    )


def jointly(text: Sentence, bodies: tuple[Addressee, ...]) -> Sentence:
    """联合督办: the same, and with whom together."""
    if not bodies:
        return text
    zh, en = "、".join(ROLES[each].zh for each in bodies), ", ".join(ROLES[e].en for e in bodies)
    return Sentence(
        f"{text.zh}本件由{zh}联合督办。", f"{text.en} It is supervised together by: {en}."
    )


def asked(
    number: str, unit: str, days: int, due: datetime, zone: tzinfo, *, again: bool
) -> Sentence:
    """延期待批: who asks for how many days, and by when it would be due without them."""
    by = moment(due, zone)
    zh, en = ("再次", " again") if again else ("", "")
    return Sentence(
        f"【12345】延期待批：{unit}就工单{number}{zh}申请延期{days}个工作日，原办理时限至{by.zh}，请尽快审批。",
        f"[12345] Extension: {unit} asks{en} for {days} more working days for ticket {number}, due by "
        f"{by.en}. Please rule on it.",
    )


def referred(number: str, unit: str, ground: Ground) -> Sentence:
    """移送: of whom, and on which ground; what it is about stands in the referral."""
    zh, en = GROUNDS[ground]
    return Sentence(
        f"【12345】移送：{unit}在办理工单{number}中涉嫌{zh}，现将问题线索移送贵机关，请接收。",
        f"[12345] Referral: {unit} is suspected of {en} over ticket {number}. Please take the matter over.",
    )


def at_risk(number: str, due: datetime | None, zone: tzinfo) -> Sentence:
    """风险报告: a danger was reported (BJ-29); by when it is to be said who has taken it up."""
    by = moment(due, zone) if due else None
    zh = f"，并于{by.zh}前登记由谁处置" if by else ""
    en = f" Please say by {by.en} who has taken it up." if by else ""
    return Sentence(
        f"【12345】风险报告：工单{number}为特急件，反映的情况可能危及人身或公共安全，请立即关注处置{zh}。",
        f"[12345] Danger: ticket {number} is critical; people or public safety may be at risk. "
        f"Please follow it at once.{en}",
    )


def to(person: Person, text: Sentence) -> Sentence:
    """A text as one person is sent it: whoever stands in for others is asked to pass it on."""
    if not person.instead_of:
        return text
    zh = "、".join(ROLES[role].zh for role in person.instead_of)
    en = ", ".join(ROLES[role].en for role in person.instead_of)
    return Sentence(
        f"{text.zh}系统未登记{zh}，请代为转告。",
        f"{text.en} Nobody is on record as {en}: please pass this on.",
    )


def _duty(kind: ClockKind) -> tuple[Sentence, Sentence]:
    return DUTIES.get(kind, OTHER)
