"""工作清单: what waits at the front of the hotline, as its lists themselves say it (ADR 0052)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import registered
from tests.fixtures.scenes.worklist import by_its_lists, worklist

HOUR = timedelta(hours=1)


@pytest.fixture
async def busy(intake: Bench) -> Bench:
    """A missed caller, a draft of one agent, a question kept to be answered, words after an end."""
    for id, event, more in (
        ("1", "new", {}),
        ("1", "hung_up", {}),
        ("2", "new", {"from": "13800138000"}),
        ("2", "answered", {"agent": "li"}),
    ):
        report: dict[str, Any] = {"id": id, "event": event, "from": "13909150001"} | more
        answer = await intake.http("phone_system").post("/v1/calls", json=report)
        assert answer.status_code == 200, answer.text
    call = answer.json()["call"]
    noted = await intake.http("agent", None, "li").put(
        f"/v1/calls/{call}/draft", json={"title": "停水"}
    )
    assert noted.status_code == 200, noted.text
    await registered(intake, ending={"direct_answer": {}})
    number = (await registered(intake))["number"]
    for act, said in (
        ("withdrawal", {"reason": "不办了"}),
        ("supplements", {"content": "还是停水"}),
    ):
        answer = await intake.http("agent").post(f"/v1/tickets/{number}/{act}", json=said)
        assert answer.status_code == 200, answer.text
    report = (await registered(intake, type="report", reported_unit="HC"))["number"]
    wrong = {"reason": "听错了", "reported": {"units": ["CG"]}}
    qian = intake.http("desk", None, "qian")
    answer = await qian.post(f"/v1/tickets/{report}/corrections", json=wrong)
    assert answer.json()["status"] == "waiting", answer.text
    return intake


@pytest.mark.parametrize(
    ("role", "name", "waiting"),
    [
        ("agent", "li", {"missed_calls": 1, "answering": 1, "drafts": 1}),
        ("agent", "wang", {"missed_calls": 1, "answering": 1, "drafts": 0}),
        (
            "desk",
            "zhao",
            {
                "missed_calls": 1,
                "answering": 1,
                "drafts": 1,
                "noted_after_end": 1,
                "corrections": 1,
            },
        ),
        ("supervisor", "wu", {"corrections": 1}),
        ("supervisor", "qian", {"corrections": 0}),  # who asked for it
        ("callback", "sun", {"noted_after_end": 1}),
    ],
)
async def test_each_list_is_counted_as_it_counts_itself(
    busy: Bench, role: str, name: str, waiting: dict[str, int]
) -> None:
    busy.at(busy.now + 9 * HOUR)
    for _ in range(3):
        said = await worklist(busy, role, None, name)
        assert said == await by_its_lists(busy, role, None, name)
        assert {code: total for code, (total, *_) in said.items()} == waiting
        busy.at(busy.now + 24 * HOUR)
    if role == "agent":
        assert said["missed_calls"][1] == said["answering"][1] == 1  # both are late by now
