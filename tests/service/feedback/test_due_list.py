"""待回访清单: whom to call now, and who calls."""

from __future__ import annotations

from typing import Any

from tests.fixtures.bench import Bench
from tests.fixtures.scenes.feedback import FIRST_CALL, due, resolved, status_of, withdrawal

SECOND, THIRD, FOURTH = (f"20260302-00000{count}" for count in (2, 3, 4))


async def listed(bench: Bench, **query: Any) -> Any:
    answer = await bench.http("callback").get("/v1/callbacks/due", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_who_is_to_be_called_now_comes_by_when_that_fell_due(calling: Bench) -> None:
    """R-23, R-24: reports are called by a person, and what is not due is not there."""
    assert (await listed(calling))["counts"] == {"total": 0, "persons": 0, "overdue": 0}
    await resolved(calling, SECOND, type="report")
    await resolved(calling, THIRD)
    await due(calling, FOURTH)
    first = await listed(calling, limit=2)
    rest = await listed(calling, limit=2, after=first["next"])
    items = first["items"] + rest["items"]
    assert {item["number"] for item in items} == {SECOND, THIRD, FOURTH}
    assert {item["status"] for item in items} == {"due"}
    assert rest["next"] is None
    assert first["counts"] == {"total": 3, "persons": 1, "overdue": 0}
    persons = await listed(calling, person=True)
    assert [item["number"] for item in persons["items"]] == [SECOND]
    assert all(item["person"] for item in persons["items"])
    machines = await listed(calling, person=False)
    assert {item["number"] for item in machines["items"]} == {THIRD, FOURTH}
    assert calling.now == calling.at(FIRST_CALL)


async def test_a_withdrawn_ticket_calls_nobody(calling: Bench) -> None:
    callback = await due(calling)
    assert await status_of(calling, callback) == "due"
    await calling.hear(withdrawal(calling))
    assert (await listed(calling))["items"] == []
