"""A return nobody rules on, between dispatcher, tracker and the unit: whoever blocks, his clock runs."""

from __future__ import annotations

from tests.fixtures.scenes.courier import UNIT, County

RETURN = {
    "reason_code": "not_our_duty",
    "legal_basis": "条例第四条",
    "suggested_unit": "CG",
    "approver": "经理",
}


async def test_t10_an_urgent_outage_nobody_rules_on_is_breached_in_time(county: County) -> None:
    """R-15, R-31: asked at nine, nobody says anything for four days."""
    number = await county.ticket()
    await county.act(number, "return-requests", RETURN)
    county.at("2026-03-06T09:00+08:00")
    await county.sweep()
    await county.sweep()
    breached = {f.data.clock: f for f in await county.tracker.told("deadline.breached")}
    assert {"sign", "handle", "hotline_review"} <= breached.keys()
    assert await county.tracker.told("deadline.paused") == []
    assert breached["handle"].time.isoformat() == "2026-03-03T01:00:00+00:00"
    assert breached["hotline_review"].time.isoformat() == "2026-03-02T07:00:00+00:00"
    pressed = {fact.unit for fact in await county.tracker.told("supervision.raised")}
    assert pressed >= {"RXB", UNIT}
    [refused] = await county.dispatcher.told("assignment.return_refused")
    assert refused.data.silent
    await county.act(number, "sign", {"handler": "李工"})
