"""Why an order was taken away, in words for the unit that had it. Pure."""

from __future__ import annotations

from services.dispatcher.rules.reasons import Reason, joined


def moved(why: str) -> Reason:
    """改派: the desk gave it to others; ``why`` in the desk's words."""
    return Reason(f"派单员改派：{why}", "The desk gave it to others")


def released(why: str) -> Reason:
    """撤出协办: the desk freed a co-handler."""
    return Reason(f"派单员撤出协办：{why}", "The desk freed this co-handler")


def taken_back(why: str) -> Reason:
    """收回交办: who handed it down does it itself, or otherwise."""
    return Reason(f"上级单位收回交办：{why}", "Your superior takes it back")


def called_off(why: str) -> Reason:
    """撤回吹哨: the lead whistled by mistake."""
    return Reason(f"主办单位撤回吹哨：{why}", "The lead called its whistle off")


def with_superior(superior: str, why: Reason | None) -> Reason:
    """随上级结束: what was handed down ends with the order it was part of; ``why`` that one ended."""
    ended = Reason(
        f"交办单位“{superior}”不再承办，交办随之结束",
        "Who handed it down has it no more, so this ends with it",
    )
    return joined((ended, why)) if why else ended


CORRECTED = Reason(
    "诉求登记内容已更正，改由其他单位承办或由派单员处理",
    "What was registered was corrected: others have it now, or the desk",
)
LEAD_RETURNED = Reason(
    "主办单位退单获准，工单退回派单员", "The return of the lead was granted: the desk has it"
)
SUPERIOR_RETURNED = Reason(
    "上级单位退单获准，交办随之结束",
    "The return of who handed it down was granted, so this ends with it",
)
LEAD_WENT_ON = Reason(
    "协办时限届满未答复，主办单位已先行办结",
    "The co-handler's limit was over, and the lead completed without it",
)
ENDED_HERE = Reason("热线已直接办结，无需再办", "The hotline has ended it itself")
