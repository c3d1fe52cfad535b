"""What the hotline's acts and silences say to units and citizens as their reasons: 中文 and English. Pure."""

from __future__ import annotations

from services.dispatcher.rules.reasons import Names, Reason


def returned(unit: str, ruling: str, names: Names) -> Reason:
    """退单获准: the desk took the ticket back from its lead (R-15)."""
    return Reason(
        f"“{names.unit(unit)}”退单获准：{ruling}", f"The return {unit} asked for was granted"
    )


def silent(*, granted: bool) -> Reason:
    """退单逾期未裁定: what holds because the desk said nothing in time (returns.yaml)."""
    zh, en = (
        ("视为同意退单", "granted") if granted else ("视为不予退单，由本单位继续办理", "refused")
    )
    return Reason(f"热线未在时限内裁定，{zh}", f"Not ruled on in time, so it counts as {en}")


def body_silent(zh: str, en: str) -> Reason:
    """逾期未裁决: a step of an arbitration passed in silence (arbitration.yaml)."""
    return Reason(
        f"“{zh}”未在时限内裁决，自动提交上一级",
        f"Not ruled on in time ({en}), so it goes up a step",
    )


def arbitrated(zh: str, en: str, ruling: str) -> Reason:
    """裁决: whose duty it was found to be, and by whom (R-17)."""
    return Reason(f"经“{zh}”裁决由本单位承办：{ruling}", f"Ruled by arbitration ({en})")


def work_goes_on() -> Reason:
    """撤单 or 撤销并单: the ticket under which the work was done is out, and others wait for it."""
    return Reason(
        "同一事项还有其他诉求人等待办理，接续办理",
        "Other citizens still wait for the same matter: the work goes on",
    )


def parted(number: str) -> Reason:
    """撤销并单: it was another matter after all."""
    return Reason(f"{number} 已撤销并单，单独办理", f"{number} is worked on for itself again")


def resumed(why: str) -> Reason:
    """恢复办理: what the hotline had ended itself goes on."""
    return Reason(f"热线原已办结，现恢复办理：{why}", "The hotline had ended it, and it goes on")


def recalled(why: str) -> Reason:
    """收回派单: the desk took the ticket back from its units."""
    return Reason(f"派单员收回：{why}", "The desk took the order back")


def answered_after_all() -> Reason:
    """撤回申请: the unit asked to end the matter, and then answered."""
    return Reason("承办单位已办结答复", "The unit answered after all")


def no_end_by_silence() -> Reason:
    """终止办理: the desk did not rule in time, and nothing ends by silence (R-20)."""
    return Reason(
        "热线未在时限内裁定，视为不予同意，由承办单位继续办理",
        "Not ruled on in time, which is no yes: the unit goes on",
    )


def no_wait_by_silence() -> Reason:
    """等待诉求人: the desk did not rule in time, and no clock stands still by silence."""
    return Reason(
        "热线未在时限内裁定，视为不予等待，由承办单位继续办理",
        "Not ruled on in time, which is no yes: the unit goes on",
    )


def passed_at_once() -> Reason:
    """办结审核: the checks let it pass, and no person need look."""
    return Reason("自动审核通过", "Passed by the checks")


def passed_by_silence() -> Reason:
    """办结审核: nobody looked in time, and the citizen need not wait for the desk (audit.yaml)."""
    return Reason(
        "热线未在时限内审核，转入回访", "Not audited in time: the citizen is called all the same"
    )
