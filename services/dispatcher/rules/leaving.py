"""Why an order was taken away, in words for the unit that had it. Pure."""

from __future__ import annotations

from services.dispatcher.rules.reasons import Reason


def moved(why: str) -> Reason:
    """改派: the desk gave it to others; ``why`` in the desk's words."""
    return Reason(f"派单员改派：{why}", "The desk gave it to others")


def released(why: str) -> Reason:
    """撤出协办: the desk freed a co-handler."""
    return Reason(f"派单员撤出协办：{why}", "The desk freed this co-handler")


CORRECTED = Reason(
    "诉求登记内容已更正，改由其他单位承办或由派单员处理",
    "What was registered was corrected: others have it now, or the desk",
)
LEAD_RETURNED = Reason(
    "主办单位退单获准，工单退回派单员", "The return of the lead was granted: the desk has it"
)
LEAD_WENT_ON = Reason(
    "协办时限届满未答复，主办单位已先行办结",
    "The co-handler's limit was over, and the lead completed without it",
)
ENDED_HERE = Reason("热线已直接办结，无需再办", "The hotline has ended it itself")
