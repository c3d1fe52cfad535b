"""更正: clocks that ended by a calendar that was wrong, judged anew by two persons (ADR 0076)."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.tracker.revisions import usecases
from shared.events import AssignmentAttended, Role
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.changed_calendar import county, day_off, restart, step
from tests.fixtures.scenes.tracker import GT, NORMAL, Story, at, local
from tests.fixtures.scenes.tracker_doors import slug

SNOW = {"days": ["2026-03-05"], "ground": "暴雪停工一日，当时漏报", "paper": "紫政办发〔2026〕9号"}
YES = {"granted": True, "note": "属实"}


async def late_by_a_day_off(tracker: Bench, tmp_path: Path, count: int = 1) -> Path:
    """Due on Monday, done on Tuesday at eleven, and late; then Thursday turns out to have been off."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    stories = [Story(tracker, f"20260302-00000{n + 1}") for n in range(count)]
    ids = [UUID(int=100 + n) for n in range(count)]
    for story, id in zip(stories, ids, strict=True):
        await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00", id=id))
        await tracker.hear(
            story.signed("03-02 09:30", id=id), story.contacted("03-02 10:00", id=id)
        )
    await step(tracker, "03-10 10:59")
    for story, id in zip(stories, ids, strict=True):
        await tracker.hear(story.completed("03-10 11:00", id=id), story.resolved("03-10 11:00"))
    await step(tracker, "03-10 12:00")
    day_off(folder, "2026-03-05", "暴雪停工")
    await restart(tracker, folder)
    await step(tracker, "03-10 12:10")
    return folder


async def propose(tracker: Bench, role: str = "supervisor", **what: Any) -> Any:
    return await tracker.http(role).post("/v1/revisions", json=SNOW | what)


async def confirm(tracker: Bench, id: str, name: str = "second", **what: Any) -> Any:
    return await tracker.http("desk", name=name).post(f"/v1/revisions/{id}/ruling", json=YES | what)


async def revise(tracker: Bench, **what: Any) -> Any:
    """Proposed, confirmed, and carried out."""
    proposed = (await propose(tracker, **what)).json()
    assert (await confirm(tracker, proposed["id"])).status_code == 200
    await tracker.run("revise")
    return (await tracker.http("supervisor").get(f"/v1/revisions/{proposed['id']}")).json()


async def rates(tracker: Bench, **query: str) -> Any:
    tracker.at(at("03-20 09:00"))  # every due moment has come
    asked = {"from": "2026-03-01", "to": "2026-03-31"} | query
    return (await tracker.http("supervisor").get("/v1/rates", params=asked)).json()


async def moved_by(tracker: Bench, id: str, **query: Any) -> Any:
    answer = await tracker.http("supervisor").get(f"/v1/revisions/{id}/clocks", params=query)
    return answer.json()


async def test_the_preview_names_each_clock_it_would_move_and_changes_nothing(
    tracker: Bench, tmp_path: Path
) -> None:
    await late_by_a_day_off(tracker, tmp_path)
    before = await tracker.rows("SELECT * FROM clocks ORDER BY id")
    answer = await propose(tracker)
    assert answer.status_code == 201
    proposed = answer.json()
    assert (proposed["status"], proposed["asked"], proposed["moved"]) == ("proposed", 2, 0)
    items = (await moved_by(tracker, proposed["id"]))["items"]
    assert {item["kind"] for item in items} == {"handle", "citizen"}
    [handle] = [item for item in items if item["kind"] == "handle"]
    assert (handle["unit"], handle["number"], handle["late"]) == ("HC", "20260302-000001", False)
    assert at("03-09 18:00").isoformat() == as_here(handle["due"])
    assert at("03-10 18:00").isoformat() == as_here(handle["due_revised"])
    assert await tracker.run("revise") == 0
    assert await tracker.rows("SELECT * FROM clocks ORDER BY id") == before


def as_here(moment: str) -> str:
    return at("01-01 00:00").fromisoformat(moment).astimezone(at("01-01 00:00").tzinfo).isoformat()


async def test_one_person_revises_nothing(tracker: Bench, tmp_path: Path) -> None:
    """Issue 14: a revision by one person is 403, also under another role."""
    await late_by_a_day_off(tracker, tmp_path)
    assert (await propose(tracker, "desk")).status_code == 403
    id = (await propose(tracker)).json()["id"]
    own = await confirm(tracker, id, "test")
    assert (own.status_code, slug(own)) == (403, "own-approval")
    back = await confirm(tracker, id, "test", granted=False)
    assert (back.status_code, back.json()["status"]) == (200, "refused")
    assert (await confirm(tracker, id)).status_code == 409
    assert await tracker.run("revise") == 0
    assert await tracker.told("deadline.revised") == []


async def test_both_judgements_stand_and_every_figure_can_be_asked_both_ways(
    tracker: Bench, tmp_path: Path
) -> None:
    """R-48: a period's figures, as revised and as first judged."""
    await late_by_a_day_off(tracker, tmp_path)
    assert (await rates(tracker))["handle"]["rate"] == 0.0
    fired = await tracker.rows(
        "SELECT id, passed, breached_at, judged_at, due FROM clocks ORDER BY id"
    )
    done = await revise(tracker)
    assert (done["status"], done["moved"], done["cleared"]) == ("done", 2, 2)
    kept = await tracker.rows(
        "SELECT id, passed, breached_at, judged_at, due FROM clocks ORDER BY id"
    )
    assert kept == fired, "what fired stays"
    assert await tracker.told("deadline.annulled") == []
    [said] = [f for f in await tracker.told("deadline.revised") if f.data.clock == "handle"]
    assert (said.unit, local(said.data.before), local(said.data.due)) == (
        "HC",
        "03-09 18:00",
        "03-10 18:00",
    )
    assert (said.data.late, said.data.paper) == (False, SNOW["paper"])
    assert said.data.proposed_by.startswith("supervisor:")
    assert said.data.confirmed_by.startswith("desk:")
    now, first = await rates(tracker), await rates(tracker, judgement="first")
    assert (now["judgement"], first["judgement"]) == ("revised", "first")
    assert (now["handle"]["rate"], now["handle"]["revised"]) == (1.0, 1)
    assert (first["handle"]["rate"], first["handle"]["revised"]) == (0.0, 1)
    assert (now["citizen"]["rate"], first["citizen"]["rate"]) == (1.0, 0.0)
    by_day = {
        day: (await rates(tracker, **{"from": day, "to": day}))["handle"]["due"] for day in DAYS
    }
    assert by_day == {"2026-03-09": 0, "2026-03-10": 1}, "it counts when it would have been due"


DAYS = ("2026-03-09", "2026-03-10")


async def test_the_explanation_tells_both(tracker: Bench, tmp_path: Path) -> None:
    await late_by_a_day_off(tracker, tmp_path)
    await revise(tracker)
    shown = (await tracker.http("unit", "HC").get("/v1/tickets/20260302-000001/clocks")).json()
    [handle] = [each for each in shown["clocks"] if each["kind"] == "handle"]
    assert handle["breached_at"]
    assert (handle["revised"]["late"], handle["revised"]["paper"]) == (False, SNOW["paper"])
    told = handle["explanation"]["zh"]
    assert "已于2026年3月10日11:00办结，超过时限" in told
    assert "因2026年3月5日的日历有误，已经两人核准更正（紫政办发〔2026〕9号）" in told
    assert "更正后应于2026年3月10日18:00前完成，未超过时限" in told
    listed = (await tracker.http("supervisor").get("/v1/breaches")).json()["items"]
    assert {each["kind"] for each in listed if each["due_revised"]} == {"handle", "citizen"}


async def test_what_was_late_by_more_stays_late(tracker: Bench, tmp_path: Path) -> None:
    folder = county(tmp_path)
    await restart(tracker, folder)
    story = Story(tracker)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-12 09:00")
    await tracker.hear(story.completed("03-12 10:00"), story.resolved("03-12 10:00"))
    day_off(folder, "2026-03-05", "暴雪停工")
    await restart(tracker, folder)
    await step(tracker, "03-12 12:10")
    done = await revise(tracker)
    assert (done["moved"], done["cleared"]) == (2, 0)
    assert (await rates(tracker))["handle"] | {"revised": 1, "rate": 0.0} == (await rates(tracker))[
        "handle"
    ]


async def test_a_supervision_that_fell_is_closed_with_the_revision(
    tracker: Bench, story: Story, tmp_path: Path
) -> None:
    """Its clock ended, its order goes on: nobody answers what was raised by mistake."""
    folder = county(tmp_path)
    await restart(tracker, folder)
    called = NORMAL.model_copy(update={"sign": None, "first_contact": None, "attend": "1wd"})
    helping = story.dispatched(id=GT, unit="GT", role=Role.CO, lead="HC", limits=called)
    await tracker.hear(story.registered(), story.dispatched(), story.signed("03-02 10:00"), helping)
    await step(tracker, "03-04 09:00")
    await tracker.hear(story.of_unit(AssignmentAttended(person="王五"), "03-04 09:30", id=GT))
    [raised] = await tracker.rows("SELECT * FROM supervisions WHERE closed_at IS NULL")
    assert raised["rung"] == 1
    day_off(folder, "2026-03-03", "暴雪停工")
    await restart(tracker, folder)
    await step(tracker, "03-04 10:00")
    await revise(tracker, days=["2026-03-03"])
    [row] = await tracker.rows("SELECT * FROM supervisions WHERE rung = 1")
    assert local(row["closed_at"]) == "03-04 10:00"
    assert SNOW["paper"] in row["close_reason"]
    assert (row["withdrawn_by"].partition(":")[0], row["withdrawn_reason"]) == (
        "desk",
        SNOW["ground"],
    )
    [closed] = await tracker.told("supervision.closed")
    assert closed.data.supervision == row["id"]
    assert (await rates(tracker))["attend"]["late"] == 0


async def waits(tracker: Bench) -> Any:
    async with tracker.service.store.act("ops") as act:
        return await usecases.waits(act)


async def test_many_clocks_are_revised_in_batches(tracker: Bench, tmp_path: Path) -> None:
    await late_by_a_day_off(tracker, tmp_path, count=4)
    id = (await propose(tracker)).json()["id"]
    pages, after = list[str](), None
    while True:
        page = await moved_by(tracker, id, limit=3, **({"after": after} if after else {}))
        pages += [item["id"] for item in page["items"]]
        if (after := page["next"]) is None:
            break
    assert len(set(pages)) == len(pages) == 8
    assert await waits(tracker) is None
    await confirm(tracker, id)
    assert await waits(tracker) == tracker.now
    work, store = tracker.service.jobs["revise"].run, tracker.service.store
    assert [await work(store, 3) for _ in range(4)] == [3, 3, 2, 0]
    assert len(await tracker.told("deadline.revised")) == 8


async def test_only_the_tickets_or_clocks_it_names(tracker: Bench, tmp_path: Path) -> None:
    await late_by_a_day_off(tracker, tmp_path, count=2)
    await revise(tracker, tickets=["20260302-000002"])
    assert {f.subject for f in await tracker.told("deadline.revised")} == {"20260302-000002"}
    [handle] = await tracker.rows(
        "SELECT id FROM clocks WHERE kind = 'handle' AND ticket = '20260302-000001'"
    )
    await revise(tracker, clocks=[str(handle["id"])])
    assert [f.data.clock for f in await tracker.told("deadline.revised")][2:] == ["handle"]


@pytest.mark.parametrize(
    ("what", "status", "named"),
    [
        ({"days": ["2026-03-04"]}, 409, "nothing-to-revise"),
        ({"days": ["2027-03-05", "2026-03-05"]}, 422, "malformed"),
        ({"days": ["2026-03-11"]}, 422, "malformed"),
        ({"days": ["2026-03-10"]}, 409, "nothing-to-revise"),  # today's has come
        ({"tickets": ["20260302-000009"]}, 409, "nothing-to-revise"),
    ],
)
async def test_a_revision_of_nothing_is_refused(
    tracker: Bench, tmp_path: Path, what: dict[str, Any], status: int, named: str
) -> None:
    await late_by_a_day_off(tracker, tmp_path)
    answer = await propose(tracker, **what)
    assert (answer.status_code, slug(answer)) == (status, named)
    tracker.at(at("03-11 00:30"))  # there; in UTC it is the tenth
    assert slug(await propose(tracker, days=["2026-03-11"])) == "nothing-to-revise"
    assert (await confirm(tracker, str(UUID(int=9)))).status_code == 404


async def test_a_pause_heard_of_late_moves_both_moments(tracker: Bench, tmp_path: Path) -> None:
    await late_by_a_day_off(tracker, tmp_path)
    await revise(tracker)
    story, id = Story(tracker, "20260302-000001"), UUID(int=100)
    asked = story.asked_return("03-03 10:00").data, story.refused_return("03-03 12:00").data
    for data, moment in zip(asked, ("03-03 10:00", "03-03 12:00"), strict=True):
        await tracker.hear(story._fact(data, moment, assignment=id, unit="HC"))
    [row] = await tracker.rows("SELECT due, due_revised FROM clocks WHERE kind = 'handle'")
    assert (local(row["due"]), local(row["due_revised"])) == ("03-10 10:30", "03-11 10:30")


async def test_an_open_clock_is_judged_when_it_ends(tracker: Bench, tmp_path: Path) -> None:
    folder = county(tmp_path)
    await restart(tracker, folder)
    story = Story(tracker)
    await tracker.hear(story.registered("03-02 09:00"), story.dispatched("03-02 09:00"))
    await step(tracker, "03-10 10:00")
    day_off(folder, "2026-03-05", "暴雪停工")
    await restart(tracker, folder)
    await step(tracker, "03-10 10:10")
    answer = await propose(tracker)
    assert (answer.status_code, slug(answer)) == (409, "nothing-to-revise")
    await tracker.hear(story.completed("03-10 11:00"), story.resolved("03-10 11:00"))
    await step(tracker, "03-10 11:10")
    await revise(tracker)
    assert (await rates(tracker))["handle"]["rate"] == 1.0


async def test_a_completion_heard_late_is_judged_under_the_revision(
    tracker: Bench, tmp_path: Path
) -> None:
    """A fact about the clock's own past still counts, and the revised moment with it."""
    await late_by_a_day_off(tracker, tmp_path)
    await revise(tracker)
    story = Story(tracker, "20260302-000001")
    await tracker.hear(story.completed("03-09 17:00", id=UUID(int=100)))
    [annulled] = [f for f in await tracker.told("deadline.annulled") if f.data.clock == "handle"]
    assert local(annulled.data.due) == "03-09 18:00"
    assert (await rates(tracker))["handle"]["rate"] == 1.0
    assert (await rates(tracker, judgement="first"))["handle"]["rate"] == 1.0
