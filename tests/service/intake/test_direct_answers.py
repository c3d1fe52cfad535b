"""直办: what the citizen reads of a direct answer (R-02)."""

from __future__ import annotations

from typing import Any

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import post, registered


async def test_an_offices_number_in_an_answer_is_confirmed_and_stays(intake: Bench) -> None:
    """What was taken out is said at once: the citizen must know whom to ring."""
    said: dict[str, Any] = {"answer": "请拨打医保窗口0915-4421987"}
    body = await registered(intake, ending={"direct_answer": said})
    assert [(one["field"], one["code"]) for one in body["warnings"]] == [
        ("ending.direct_answer.answer", "number-masked")
    ]
    said |= {"public_numbers": ["0915-4421987"]}
    again = await registered(intake, ending={"direct_answer": said})
    assert again["warnings"] == []
    kept = (await registered(intake, ending={"direct_answer": {}}))["number"]
    await post(intake, f"/v1/tickets/{kept}/direct-answer", said, "agent")
    masked, *stay = [fact.data.answer for fact in await intake.told("ticket.answered")]
    assert masked == "请拨打医保窗口[电话1]"
    assert stay == ["请拨打医保窗口0915-4421987"] * 2
