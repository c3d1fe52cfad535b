"""诚信疑点: what is a discrepancy only where it happens often, counted by unit and month (gain 6, R-34)."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from shared.events import AssignmentSigned, Reported, TicketCorrected
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.tracker import Story, at
from tests.fixtures.scenes.tracker_doors import slug


async def listed(tracker: Bench, role: str = "supervisor", **query: Any) -> Any:
    unit = "HC" if role == "unit" else None
    answer = await tracker.http(role, unit).get("/v1/discrepancies", params=query)
    return answer.json()["items"]


async def late(tracker: Bench, number: int, given: str, signed: str, unit: str = "HC") -> Story:
    """A ticket whose order was given at one moment and signed for at another."""
    story, id = Story(tracker, f"20260302-{number:06}"), UUID(int=1_000 + number)
    handed = story.dispatched(given, id=id, unit=unit)
    await tracker.hear(story.registered(given), handed, sign(story, signed, number, unit))
    return story


def sign(story: Story, moment: str, number: int, unit: str = "HC") -> Any:
    handler = AssignmentSigned(handler="张三")
    return story._fact(handler, moment, assignment=UUID(int=1_000 + number), unit=unit)


async def late_signs(tracker: Bench, first: int, last: int) -> None:
    """Tickets that Hongchun signed late, each of a day of its own."""
    for number in range(first, last + 1):
        day = f"03-{number + 1:02}"
        await late(tracker, number, f"{day} 09:05", f"{day} 20:00")


async def test_five_late_signatures_in_a_month_are_a_habit(tracker: Bench) -> None:
    """gain 6: one discrepancy of the unit and the month, raised once, with all its tickets."""
    await late_signs(tracker, 1, 4)
    await tracker.run("discrepancies")
    assert await listed(tracker) == []
    assert len(await listed(tracker, status="noted")) == 4
    await late_signs(tracker, 8, 9)
    await tracker.run("discrepancies")
    [item] = await listed(tracker)
    assert (item["kind"], item["number"], item["unit"]) == ("signed_late", None, "HC")
    assert item["reason"].startswith("当月6次")
    assert len(item["tickets"]) == 6
    [raised] = await tracker.told("discrepancy.raised")
    assert raised.subject == "unit:HC"
    path, said = f"/v1/discrepancies/{item['id']}/comment", {"comment": "本月值班员病假"}
    assert (await tracker.http("unit", "GT").post(path, json=said)).status_code == 404
    assert (await tracker.http("unit", "HC").post(path, json=said)).status_code == 200
    await late_signs(tracker, 10, 10)
    await tracker.run("discrepancies")
    assert len(await tracker.told("discrepancy.raised")) == 1
    assert (await listed(tracker, "unit"))[0]["tickets"] == [
        *(f"20260302-{number:06}" for number in (1, 2, 3, 4, 8, 9, 10))
    ]


async def test_an_occasion_that_is_explained_is_nobody_s_to_read(tracker: Bench) -> None:
    """It was answered before it had to be signed, as is heard later."""
    await late_signs(tracker, 1, 2)
    assert len(await listed(tracker, status="noted")) == 2
    story = Story(tracker, "20260302-000001")
    answer = story.completed("03-02 12:00").data
    await tracker.hear(story._fact(answer, "03-02 12:00", assignment=UUID(int=1_001), unit="HC"))
    [left] = await listed(tracker, status="noted")
    assert left["number"] == "20260302-000002"


async def test_a_unit_does_not_read_of_tickets_it_must_stand_back_from(tracker: Bench) -> None:
    await late_signs(tracker, 1, 5)
    await tracker.run("discrepancies")
    about = TicketCorrected(fields=("reported",), reason="核实", reported=Reported(units=("HC",)))
    await tracker.hear(Story(tracker, "20260302-000003")._fact(about, "03-07 12:00"))
    [item] = await listed(tracker, "unit")
    assert "20260302-000003" not in item["tickets"]
    noted = await listed(tracker, "unit", status="noted")
    assert "20260302-000003" not in {each["number"] for each in noted}
    assert len(noted) == 4
    [item] = await listed(tracker)
    assert "20260302-000003" in item["tickets"]


async def test_those_of_one_unit_kind_and_month_make_a_habit(tracker: Bench) -> None:
    """From the first moment of the month on, and none of the next."""
    await late(tracker, 1, "02-26 09:05", "02-28 23:59")
    await late(tracker, 2, "02-26 09:05", "03-01 00:00")
    await late(tracker, 3, "03-30 09:05", "04-01 00:00")
    await late(tracker, 4, "03-02 09:05", "03-02 20:00", "GT")
    await late(tracker, 5, "03-06 09:05", "03-06 20:00")
    await late(tracker, 6, "03-04 09:05", "03-04 20:00")
    hasty = Story(tracker, "20260302-000009")
    done = hasty.completed("03-09 17:45")
    await tracker.hear(hasty.registered(), hasty.dispatched(), hasty.signed("03-02 10:30"), done)
    await late(tracker, 7, "03-05 09:05", "03-05 20:00")
    await tracker.run("discrepancies")
    assert await listed(tracker) == []
    assert len(await listed(tracker, status="noted")) == 8
    await late(tracker, 8, "03-03 09:05", "03-03 20:00")
    await tracker.run("discrepancies")
    [item] = await listed(tracker)
    assert item["tickets"] == [f"20260302-{number:06}" for number in (2, 5, 6, 7, 8)]
    assert at("03-06 20:00") == at("03-06 20:00").fromisoformat(item["at"]), "when it became one"


async def test_one_that_is_explained_counts_no_more_and_the_habit_may_come_back(
    tracker: Bench,
) -> None:
    """A return that was asked for in time is heard of late: the clock had stood still."""
    await late_signs(tracker, 1, 5)
    await tracker.run("discrepancies")
    [habit] = await listed(tracker, status="open")
    story = Story(tracker, "20260302-000003")
    data, id = story.asked_return("03-04 10:00").data, UUID(int=1_003)
    await tracker.hear(story._fact(data, "03-04 10:00", assignment=id, unit="HC"))
    assert await tracker.run("discrepancies") == 1
    [item] = await listed(tracker, status="explained")
    assert item["id"] == habit["id"]
    assert len(await tracker.told("discrepancy.explained")) == 1
    await late_signs(tracker, 8, 8)
    await tracker.run("discrepancies")
    [item] = await listed(tracker, status="open")
    assert (item["id"], len(item["tickets"])) == (habit["id"], 5)
    assert "20260302-000003" not in item["tickets"]
    assert len(await tracker.told("discrepancy.raised")) == 2


async def test_a_few_are_looked_at_at_a_time_and_an_occasion_alone_is_nobody_s_to_dismiss(
    tracker: Bench,
) -> None:
    await late_signs(tracker, 1, 3)
    work, store = tracker.service.jobs["discrepancies"].run, tracker.service.store
    assert [await work(store, 2) for _ in range(3)] == [2, 1, 0]
    [first, *_] = await listed(tracker, status="noted")
    for id in (first["id"], str(uuid4())):
        path = f"/v1/discrepancies/{id}/dismissal"
        refused = await tracker.http("supervisor").post(path, json={"reason": "已核实"})
        assert (refused.status_code, slug(refused)) == (404, "not-found")
