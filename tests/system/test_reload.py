"""Changed rules: taken up between two acts by all services of a process, or by none; and who says so."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from operations import stuck
from operations.runtime import reload
from operations.runtime.reload import announce, check, take_up, watch
from shared import clock
from shared.processes import ALIVE, FORGOTTEN, Process, beat, leave, running
from tests.fixtures.bench import Bench
from tests.fixtures.patience import WITHIN
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.dispatcher import NUMBER, street_light
from tests.fixtures.scenes.intake import registered


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the county that may be changed."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


def shorten(county: Path) -> str:
    """The county gives a day less for what is normal; which configuration that is."""
    edit(
        county / "limits.yaml",
        "first_contact: 1wd, handle: 5wd}   # help",
        "first_contact: 1wd, handle: 4wd}   # help",
    )
    return check(county).configuration


async def dispatched(bench: Bench, number: str) -> tuple[str | None, str | None]:
    """The handle limit a ticket gets now, and the rules its dispatch says."""
    await bench.hear(bench.fact(street_light(), subject=number))
    data = (await bench.told("assignment.dispatched"))[-1].data
    return data.limits.handle, data.configuration


async def test_new_rules_hold_from_the_next_act_on(dispatcher: Bench, county: Path) -> None:
    before = dispatcher.service.store.configuration
    assert await dispatched(dispatcher, NUMBER) == ("5wd", before)
    fresh = shorten(county)
    assert await take_up([dispatcher.service], county, fresh)
    assert await dispatched(dispatcher, "20260302-000002") == ("4wd", fresh)
    health = (await dispatcher.http(None).get("/healthz")).json()
    assert (health["configuration"], health["release"]) == (fresh, "0.1.0")
    metrics = (await dispatcher.http("ops").get("/metrics")).text
    assert f'jiesu_build_info{{configuration="{fresh}",release="0.1.0"}} 1.0' in metrics
    assert str(before) not in metrics


async def test_an_act_that_began_keeps_its_rules(dispatcher: Bench, county: Path) -> None:
    store = dispatcher.service.store
    async with store.act("desk") as act:
        config, before = act.config, act.configuration
        await take_up([dispatcher.service], county, shorten(county))
        assert (act.config, act.configuration) == (config, before)
    async with store.act("desk") as act:
        assert act.config is not config


async def test_a_fault_for_one_service_keeps_the_rules_of_all(
    dispatcher: Bench, feedback: Bench, county: Path
) -> None:
    both = [dispatcher.service, feedback.service]
    before = [service.store.configuration for service in both]
    shorten(county)
    edit(county / "evaluation.yaml", "formula:", "formular:")
    assert not await take_up(both, county, "2026.1+000000000000")
    assert [service.store.configuration for service in both] == before
    assert await dispatched(dispatcher, NUMBER) == ("5wd", before[0])
    for bench in (dispatcher, feedback):
        metrics = (await bench.http("ops").get("/metrics")).text
        assert "jiesu_configuration_refused_total 1.0" in metrics


async def test_what_changed_after_it_was_checked_is_not_taken(
    dispatcher: Bench, county: Path
) -> None:
    checked = shorten(county)
    edit(county / "limits.yaml", "co_handler_share: 60%", "co_handler_share: 10%")
    before = dispatcher.service.store.configuration
    assert not await take_up([dispatcher.service], county, checked)
    assert dispatcher.service.store.configuration == before


async def test_a_process_takes_up_what_is_announced(
    dispatcher: Bench, county: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload, "LOOK", 0.01)
    service = dispatcher.service
    monkeypatch.setattr(
        service, "settings", service.settings.model_copy(update={"config_dir": county})
    )
    stop, taken = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(type(service), "_wake", lambda *_: taken.set())
    watching = asyncio.create_task(watch([service], stop))
    fresh = shorten(county)
    async with asyncio.timeout(WITHIN):
        while (
            not taken.is_set()
        ):  # again: the first may be there before it looks for the first time
            announce(check(county))
            await clock.pause(0.05, taken)
        stop.set()
        await watching
    assert service.store.configuration == fresh


async def test_a_registration_and_a_deadline_say_under_which_rules(
    intake: Bench, tracker: Bench
) -> None:
    await registered(intake)
    [fact] = await intake.told("ticket.registered")
    assert fact.data.configuration == intake.service.store.configuration
    await tracker.hear(fact)
    assert {f.data.configuration for f in await tracker.told("deadline.set")} == {
        tracker.service.store.configuration
    }


# --- who runs ----------------------------------------------------------------------------------


async def test_the_morning_page_names_processes_that_differ(
    dispatcher: Bench, tracker: Bench, county: Path
) -> None:
    stores = {bench.name: bench.service.store for bench in (dispatcher, tracker)}
    for bench in (dispatcher, tracker):
        await beat(bench.service.store, bench.service.process)
    assert await stuck.differing(stores, clock.real()) == []
    await take_up([tracker.service], county, shorten(county))
    await beat(tracker.service.store, tracker.service.process)
    [group] = await stuck.differing(stores, clock.real())
    assert (group.slug, group.count) == ("differing", 2)
    assert {row.note for row in group.oldest} == {
        f"0.1.0, {bench.service.store.configuration}" for bench in (dispatcher, tracker)
    }
    assert await stuck.differing(stores, clock.real() + 2 * ALIVE) == []


async def test_who_ends_is_gone_and_who_was_killed_is_forgotten(dispatcher: Bench) -> None:
    store, ours = dispatcher.service.store, dispatcher.service.process
    killed = Process(type(ours.id)(int=1), "0.0.9", clock.real())
    for process in (ours, killed):
        await beat(store, process)
    await dispatcher.do(
        f"UPDATE processes SET seen_at = now() - interval '{FORGOTTEN}' WHERE id = '{killed.id}'"
    )
    async with store.act("ops") as act:
        assert [row.release for row in await running(act, clock.real())] == [ours.release]
    await leave(store, ours)
    assert await dispatcher.rows("SELECT id FROM processes") == []


async def test_a_clock_that_runs_keeps_its_terms(tracker: Bench, county: Path) -> None:
    """docs/how-it-flows.md#a-clock-keeps-its-terms"""
    await tracker.hear(tracker.fact(street_light()))
    running_clocks = "SELECT kind, terms, due, next_at FROM clocks ORDER BY kind"
    before = await tracker.rows(running_clocks)
    yellow = "color: yellow, to: [handler, liaison, unit_deputy]}   # SD17"
    edit(county / "supervision.yaml", f"1wd_before_due, {yellow}", f"60%_elapsed, {yellow}")
    assert await take_up([tracker.service], county, shorten(county))
    await tracker.run("recompute")
    assert await tracker.rows(running_clocks) == before
    await tracker.hear(tracker.fact(street_light(), subject="20260302-000002"))
    later = {row["kind"]: row for row in await tracker.rows(running_clocks) if row not in before}
    assert later["citizen"]["due"] < {row["kind"]: row for row in before}["citizen"]["due"]
    assert later["citizen"]["terms"]["warn"] == "60%_elapsed"
