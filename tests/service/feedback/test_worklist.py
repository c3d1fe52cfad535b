"""工作清单: what call-back staff are to do next, as the list itself says it (ADR 0052)."""

from __future__ import annotations

from datetime import timedelta

from shared.events import TicketCorrected
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import NUMBER, due, report, resolved
from tests.fixtures.scenes.worklist import by_its_lists, worklist

SECOND, THIRD = "20260302-000002", "20260302-000003"


async def test_call_back_staff_count_what_a_person_calls(calling: Bench) -> None:
    """R-23, R-24: a report is called by a person; what the phone system calls is not theirs to do."""
    assert (await worklist(calling, "callback"))["callbacks"] == (0, 0, None)
    await resolved(calling, SECOND, type="report")
    await due(calling, THIRD)
    for late in (0, 1):
        said = await worklist(calling, "callback")
        assert said == await by_its_lists(calling, "callback")
        assert said["callbacks"][:2] == (1, late)
        calling.at(calling.now + timedelta(days=30))


async def test_who_can_correct_a_number_sees_whose_is_wrong(feedback: Bench) -> None:
    """R-24: else it is nobody's, until the round ends without a verdict."""
    await report(feedback, await due(feedback), "wrong_number")
    for role in ("agent", "desk"):
        said = await worklist(feedback, role)
        assert said == await by_its_lists(feedback, role)
        assert said["awaited_numbers"][:2] == (1, 0)
    (item,) = (await feedback.http("agent").get("/v1/awaited-numbers")).json()["items"]
    assert item["number"] == NUMBER
    right = TicketCorrected(fields=("phone",), has_contact=True, reason="听错了")
    await feedback.hear(feedback.fact(right, subject=NUMBER))
    assert (await worklist(feedback, "agent"))["awaited_numbers"] == (0, 0, None)
