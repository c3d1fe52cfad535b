"""拆分: what is told of a call that was split into its matters. Pure."""

from __future__ import annotations

from services.dispatcher.rules.reasons import Reason


def split(stays: str) -> Reason:
    """拆分: what who has the ticket is told: which of its matters it goes on with."""
    return Reason(
        f"诉求人所反映的多个事项已拆分，本单位继续办理的事项：{stays}（时限不变，其余事项另行派办）",
        "The call held several matters: you go on with this one, within your limits; others have the rest",
    )


def of_split(number: str) -> Reason:
    """拆分: why the unit named at the desk has a further matter."""
    return Reason(
        f"{number} 拆分出的事项，派单员指定", f"A matter of {number}, appointed by the desk"
    )


def no_such_unit(unit: str) -> Reason:
    """The unit named for a matter stands in the table of units no more."""
    return Reason(
        f"指定的单位 {unit} 已不在单位表内", f"{unit}, which was named, is no unit any more"
    )
