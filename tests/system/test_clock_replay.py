"""重演: the fact log says how every clock stands, and whatever stands otherwise is named (ADR 0065)."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from operations.clocks import reading
from services.tracker.settings import Settings
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG
from tests.fixtures.scenes.courier import DONE, UNIT, County

ASKED = {"reason": "需跨部门勘查", "legal_basis": "《信访工作条例》第三十四条", "days": 3}


async def moments(county: County, *moments: str) -> None:
    """Time passes, and does what is due."""
    for moment in moments:
        county.at(f"2026-{moment}+08:00")
        await county.sweep()


async def act(county: County, service: Bench, what: str, body: dict[str, Any]) -> Any:
    """The unit that has the order acts on it."""
    [order] = await county.dispatcher.told("assignment.dispatched")
    path = f"/v1/assignments/{order.assignment}/{what}"
    return await county.do("unit", service, path, body, order.unit)


async def story(county: County) -> str:
    """A unit that signs late, is granted three days, and completes late and in arrears of the ladder."""
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket(topic="road.damage", title="道路破损", content="路面破损")
    await moments(county, "03-02T17:00")
    await act(county, county.dispatcher, "sign", {"handler": "李工"})
    await moments(county, "03-04T09:00")
    asked = await act(county, county.tracker, "extensions", ASKED)
    path = f"/v1/assignments/{await county.assignment(number)}"
    ruled = {"granted": True, "reason": "情况属实"}
    await county.do("supervisor", county.tracker, f"/v1/extensions/{asked['id']}/ruling", ruled)
    hand = {"rung": 2, "reason": "群众反复反映"}
    raised = await county.do("supervisor", county.tracker, f"{path}/supervisions", hand)
    mistake = f"/v1/supervisions/{raised['id']}/withdrawal"
    await county.do("supervisor", county.tracker, mistake, {"reason": "误发"})
    await county.do("supervisor", county.tracker, f"{path}/supervisions", hand)
    await moments(county, "03-06T20:00", "03-09T20:00", "03-12T20:00", "03-16T10:00")
    return number


def day_off(folder: Path, day: str) -> None:
    """One more day off in a year that is known."""
    path = folder / "calendar/2026.json"
    notice: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    notice["days"].append({"name": "防汛停工", "date": day, "isOffDay": True})
    path.write_text(json.dumps(notice, ensure_ascii=False), encoding="utf-8")


def start_with(county: County, folder: Path) -> None:
    """The tracker goes by a folder as it is now."""
    county.tracker.service.store.config = Settings(embedded=True, config_dir=folder).load()


async def test_what_stands_is_what_the_log_says(county: County) -> None:
    number = await story(county)
    stale = {"entry": "道路报修电话", "wrong": "号码已改"}
    path = f"/v1/tickets/{number}/stale-knowledge"
    await county.do("supervisor", county.tracker, path, stale)
    rows = await county.tracker.rows("SELECT status FROM clocks WHERE breached_at IS NOT NULL")
    raised = await county.tracker.rows("SELECT id FROM supervisions")
    assert rows
    assert len(raised) > 2
    found, report = await county.replayed()
    assert found == []
    assert (report.tickets, report.other_terms, report.on_their_way) == (1, 0, 0)
    contact = {"how": "phone", "outcome": "reached", "note": "x"}
    await act(county, county.dispatcher, "contacts", contact)
    await act(county, county.dispatcher, "completion", DONE)
    assert (await county.replayed())[0] == []
    open_ = await county.tracker.rows("SELECT reason FROM supervisions WHERE closed_at IS NULL")
    assert [row["reason"][:7] for row in open_] == ["知识库条目失效"]


async def test_a_second_extension_ruled_on_after_the_answer_is_what_the_log_says(
    county: County,
) -> None:
    """R-18: fewer days than asked, then more by the office for an answer that was late without."""
    county.at("2026-03-02T09:00+08:00")
    await county.ticket(topic="road.damage", title="道路破损", content="路面破损")
    await moments(county, "03-02T17:00")
    await act(county, county.dispatcher, "sign", {"handler": "李工"})
    ruled = {"granted": True, "reason": "情况属实"}
    first = await act(county, county.tracker, "extensions", ASKED)
    path = f"/v1/extensions/{first['id']}/ruling"
    await county.do("supervisor", county.tracker, path, ruled | {"days": 1})
    again = await act(county, county.tracker, "extensions", ASKED)
    await moments(county, "03-11T10:00")
    contact = {"how": "phone", "outcome": "reached", "note": "x"}
    await act(county, county.dispatcher, "contacts", contact)
    await act(county, county.dispatcher, "completion", DONE)
    await county.carry()
    path = f"/v1/extensions/{again['id']}/ruling"
    granted = await county.do("unit", county.tracker, path, ruled, "ZFB")
    assert (granted["ordinal"], granted["granted_days"]) == (2, 3)
    [handle] = await county.tracker.rows("SELECT * FROM clocks WHERE kind = 'handle'")
    assert (handle["extension"], handle["breached_at"]) == (1 + 3, None)
    assert (await county.replayed())[0] == []


PUT_OFF = {
    "kind": "no_condition_yet_with_date",
    "solved": False,
    "unsolved_reason": "待气温回升",
    "promised_date": "2026-04-30",
}


async def test_a_promised_day_moved_and_broken_is_what_the_log_says(county: County) -> None:
    """Terms, breach and supervision of what outlives its order (R-19)."""
    number = await story(county)
    contact = {"how": "phone", "outcome": "reached", "note": "x"}
    await act(county, county.dispatcher, "contacts", contact)
    await act(county, county.dispatcher, "completion", DONE | PUT_OFF)
    order, passed = await county.assignment(number), {"outcome": "passed", "grounds": "理由清楚"}
    await county.do("desk", county.dispatcher, f"/v1/assignments/{order}/audit", passed)
    await county.carry()
    path = f"/v1/promises/{order}"
    [given] = await county.dispatcher.told("assignment.dispatched")
    move = {"promised_date": "2026-05-20", "reason": "沥青到货推迟"}
    await county.do("unit", county.tracker, f"{path}/move", move, given.unit)
    ruled = {"granted": True, "reason": "属实"}
    await county.do("supervisor", county.tracker, f"{path}/ruling", ruled)
    assert (await county.replayed())[0] == []
    await moments(county, "05-22T09:00")
    [broken] = await county.tracker.rows(
        "SELECT * FROM clocks WHERE kind = 'promise' AND breached_at IS NOT NULL"
    )
    assert broken["ended_at"] is None
    assert (await county.replayed())[0] == []
    await county.do("unit", county.tracker, f"{path}/fulfilment", {"result": "已硬化"}, given.unit)
    assert (await county.replayed())[0] == []


async def test_an_answer_that_was_accepted_closes_it_there_too(county: County) -> None:
    """What the ladder raised, and what a person did."""
    await story(county)
    rows = await county.tracker.rows("SELECT id, unit FROM supervisions WHERE closed_at IS NULL")
    said = {"measures": "抢修", "result": "已恢复", "led_by": "王建国", "led_by_post": "局长"}
    for row in rows:
        door = f"/v1/supervisions/{row['id']}"
        unit = county.tracker.http("unit", row["unit"])
        assert (await unit.post(f"{door}/answer", json=said)).status_code == 200
        ruling = {"accepted": True, "reason": "属实"}
        ruled = await county.tracker.http("supervisor").post(f"{door}/ruling", json=ruling)
        assert ruled.status_code == 200
    assert rows
    assert (await county.replayed())[0] == []


async def test_a_calendar_that_changed_is_the_one_of_then(county: County, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    start_with(county, folder)
    county.at("2026-03-02T09:00+08:00")
    await county.ticket()
    await moments(county, "03-04T20:00")
    day_off(folder, "2026-03-06")
    start_with(county, folder)
    await moments(county, "03-05T08:00", "03-05T08:01", "03-11T20:00")
    assert await county.tracker.told("deadline.moved")
    assert await county.tracker.told("deadline.breached")
    assert (await county.replayed())[0] == []


async def test_a_revision_is_what_the_log_says(county: County, tmp_path: Path) -> None:
    """A day off that was known too late, and two persons (ADR 0076)."""
    folder = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    start_with(county, folder)
    await story(county)
    contact = {"how": "phone", "outcome": "reached", "note": "x"}
    await act(county, county.dispatcher, "contacts", contact)
    await act(county, county.dispatcher, "completion", DONE)
    day_off(folder, "2026-03-05")
    start_with(county, folder)
    await moments(county, "03-16T11:00", "03-16T11:01")
    asked = {"days": ["2026-03-05"], "ground": "漏报", "paper": "紫政办发〔2026〕9号"}
    made = await county.do("supervisor", county.tracker, "/v1/revisions", asked)
    second = county.tracker.http("desk", name="second")
    ruling = {"granted": True, "note": "属实"}
    door = f"/v1/revisions/{made['id']}/ruling"
    assert (await second.post(door, json=ruling)).status_code == 200
    assert await county.tracker.run("revise")
    assert await county.tracker.told("deadline.revised")
    assert (await county.replayed())[0] == []
    await county.tracker.do("UPDATE clocks SET due_revised = due_revised + interval '1 day'")
    [found] = (await county.replayed())[0]
    assert {each.what for each in found.differences} == {"due_revised"}


async def test_terms_are_those_on_record(county: County, tmp_path: Path) -> None:
    await story(county)
    folder = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    rules = folder / "supervision.yaml"
    written = rules.read_text(encoding="utf-8")
    changed = written.replace("when: overdue_1wd", "when: overdue_2wd")
    assert changed != written
    rules.write_text(changed, encoding="utf-8")
    start_with(county, folder)
    found, report = await county.replayed()
    assert found == []
    assert report.other_terms > 0


HANDLE = "kind = 'handle' AND breached_at IS NOT NULL"


CHANGES = {
    f"UPDATE clocks SET breached_at = NULL, passed = passed - 'due' WHERE {HANDLE}": {
        "passed",
        "breached_at",
    },
    f"UPDATE clocks SET judged_at = '2026-04-01' WHERE {HANDLE}": {"judged_at"},
    f"UPDATE clocks SET due = due + interval '1 day' WHERE {HANDLE}": {"due"},
    f"UPDATE clocks SET extension = 9 WHERE {HANDLE}": {"extension"},
    "DELETE FROM supervisions WHERE by = 'ladder'": {"row"},
    "UPDATE supervisions SET closed_at = NULL WHERE withdrawn_at IS NOT NULL": {"closed_at"},
    "DELETE FROM outbox WHERE key LIKE 'deadline.breached%'": {"deadline.breached"},
    "DELETE FROM outbox WHERE key LIKE 'deadline.warned%'": {"deadline.warned"},
    "DELETE FROM outbox WHERE key LIKE 'supervision.raised%' AND body LIKE '%ladder%'": {
        "last said"
    },
    "DELETE FROM outbox WHERE key LIKE 'supervision.closed%'": {"closed_at"},
    "DELETE FROM outbox WHERE key LIKE 'deadline.met%'": {"deadline.met"},
    "DELETE FROM outbox WHERE key LIKE 'deadline.set%'": {"deadline.set"},
}
TABLES = ("clocks", "supervisions", "outbox")


async def test_what_was_changed_by_hand_is_named(county: County) -> None:
    number, tracker = await story(county), county.tracker
    await tracker.do(*(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}" for name in TABLES))
    for changed, named in CHANGES.items():
        await tracker.do(changed)
        [found] = (await county.replayed())[0]
        assert found.ticket == number
        assert {each.what for each in found.differences} == named, changed
        back = "INSERT INTO {0} OVERRIDING SYSTEM VALUE SELECT * FROM kept_{0}"
        await tracker.do(
            *(f"DELETE FROM {name}" for name in ("outbox", "supervisions", "clocks")),
            *(back.format(name) for name in TABLES),
        )
        assert (await county.replayed())[0] == []


async def test_a_moment_moved_with_its_terms_was_said_by_no_fact(county: County) -> None:
    """Who mends the row well enough to agree with itself has the log against them."""
    county.at("2026-03-02T09:00+08:00")
    await county.ticket()
    longer = """
        UPDATE clocks SET due = '2026-03-16T10:00Z', base_due = '2026-03-16T10:00Z',
            terms = jsonb_set(terms, '{limit}', '"10wd"'), next_at = NULL WHERE kind = 'citizen'"""
    await county.tracker.do(longer)
    [found] = (await county.replayed())[0]
    assert "deadline.moved" in {each.what for each in found.differences}


async def test_what_was_not_heard_is_named_and_what_is_on_its_way_is_not(county: County) -> None:
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket()
    county.courier.deaf = {("tracker", f"assignment.signed.{UNIT}")}
    await county.act(number, "sign", {"handler": "李工"})
    assert (await county.replayed(timedelta()))[0] == []
    [found] = (await county.replayed())[0]
    assert [each.stands for each in found.differences] == ["未收到 not heard"]


async def test_a_ticket_nobody_registered_and_one_that_is_gone(county: County) -> None:
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket()
    await county.intake.do("UPDATE outbox SET subject = 'gone' WHERE key = 'ticket.registered'")
    found = dict((await county.replayed())[0])
    assert {"row"} == {each.what for each in found[number]}
    assert set(found) == {"gone", number}


async def test_reading_cannot_write(county: County) -> None:
    async with reading(county.tracker.service.store) as connection:
        with pytest.raises(DBAPIError, match="read-only"):
            await connection.execute(text("UPDATE clocks SET extension = 1"))
