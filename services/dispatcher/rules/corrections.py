"""更正: what a correction changes in a matter, and what follows for who has it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from services.dispatcher.rules.dispatch import Decision, Undecided
from services.dispatcher.rules.reasons import (
    URGENCIES,
    Names,
    Reason,
    as_kept,
    joined,
    limit_in_words,
)
from shared.events import Limits, TicketCorrected, TicketRegistered, Urgency

# What rules decide by; the rest is only kept.
DECIDES = frozenset({"type", "topic", "area", "flags", "urgency", "reported"})
HURRY = (Urgency.CRITICAL, Urgency.URGENT)


def fields_of(data: TicketCorrected) -> list[str]:
    """What of a correction the dispatcher keeps, in the words of the registration."""
    kept = DECIDES | {"confidential", "reply_declined", "upstream_due"}
    named = [field for field in data.fields if field in kept]
    return [*named, "has_contact"] if data.has_contact is not None else named


def corrected(
    matter: TicketRegistered, data: TicketCorrected, fields: Iterable[str]
) -> TicketRegistered:
    """The matter as it is right."""
    update = {field: getattr(data, field) for field in fields}
    if data.reported is not None and "reported" in update:
        update["reported_unit"] = next(iter(data.reported.units), None)
    return matter.model_copy(update=update)


def drops_reported(before: TicketRegistered, after: TicketRegistered) -> bool:
    """Whether somebody the demand was about is none of them any more: then a person looks first."""
    return bool(
        set(before.about.units) - set(after.about.units)
        or set(before.about.words) - set(after.about.words)
    )


def leads_elsewhere(now: Decision | Undecided, lead: str, before: Decision | Undecided) -> bool:
    """Whether the rules, which led to one unit or to nobody, now lead to another than who has it."""
    if isinstance(now, Undecided):
        return isinstance(before, Decision)
    return now.lead != lead and not (isinstance(before, Decision) and before.lead == now.lead)


# What the desk reads when the unit cannot reach whom it must contact first.
WRONG_NUMBER = (
    "承办单位先行联系时号码有误：请核实并更正来电号码，更正后此项自行消失 "
    "The unit found the citizen's number wrong: find the right one and correct it, then this is gone"
)


def other_moment(due: datetime | None, zone: tzinfo) -> Reason:
    """What a unit at work hears where the moment an upstream platform wants the answer by was put right."""
    if due is None:
        return Reason(
            "更正：上级平台未要求答复时刻，办理时限按本级规定",
            "Put right: the platform that passed it on named no moment; our own limit holds",
        )
    wall = due.astimezone(zone)
    return Reason(
        f"更正：上级平台要求于{wall.year}年{wall.month}月{wall.day}日{wall:%H:%M}前答复，办理时限按此计算",
        f"Put right: the platform that passed it on wants the answer by {wall:%Y-%m-%d %H:%M}",
    )


def why_doubted(now: Decision | Undecided, names: Names) -> Reason:
    """What the desk reads of a ticket whose unit may no longer be the right one."""
    if isinstance(now, Undecided):
        return Reason(f"更正后：{now.why.zh}", f"After a correction: {now.why.en}")
    return Reason(
        f"更正后按目录应派“{names.unit(now.lead)}”（{now.why.zh}），现承办单位已签收或系人工指定：请改派，"
        "或指定原单位以确认",
        f"After a correction the rules lead to {now.lead} ({now.why.en}); who has it signed or was "
        "appointed: re-dispatch, or assign the same unit to confirm",
    )


def why_desk(now: Decision, names: Names, *, dropped: bool) -> Reason:
    """What the desk reads where a rule could decide and must not."""
    unit = names.unit(now.lead)
    if dropped:
        return Reason(
            f"被反映对象经更正减少，不自动派单：请核实后指定（目录指向“{unit}”）",
            f"Somebody reported no longer is: look first, then assign (the rules lead to {now.lead})",
        )
    return Reason(
        f"更正后目录仍指向已退单的单位：请人工指定（“{unit}”）",
        f"After a correction the rules lead to who returned it ({now.lead}): assign by hand",
    )


def hurried(urgency: Urgency, limits: Limits) -> Reason:
    """What a unit at work hears of a ticket that is more urgent than was known."""
    zh, en = Reason("不变", "the same time")
    if limits.handle:
        zh, en = limit_in_words(limits.handle)
        zh = f"改为{zh}"
    return Reason(
        f"紧急程度改为{URGENCIES[urgency]}，办理时限{zh}",
        f"It is {urgency} now; handle within {en}",
    )


HURRIED = Reason("紧急程度提高，重新派单", "It is more urgent than was known")


def hurried_anew(reason: str) -> str:
    """Why who has not signed gets a new order, more urgent than the one before; ``reason``: of that."""
    return str(joined((HURRIED, as_kept(reason))))
