"""Months of fact log and inbox: made ahead, missing, put away, and still read (ADR 0079)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
import uuid6
from sqlalchemy import text

from operations.resend import resend
from operations.runtime.registry import NAMES, part
from shared import clock
from shared.errors import ConfigError
from shared.messaging import outbox
from shared.messaging.bus import Refused
from shared.messaging.outbox import Relay
from shared.storage.months import AHEAD, first_id, month_of, months_after
from shared.storage.partitions import (
    detach_before,
    keep_ahead,
    make_ahead,
)
from tests.fixtures.bench import Bench
from tests.fixtures.commands import command as typed
from tests.fixtures.exchange import Exchange
from tests.fixtures.months import fresh, id_at, ids, names, put_away, tell
from tests.fixtures.scenes.courier import County
from tests.fixtures.scenes.intake import registered


@pytest.fixture(autouse=True)
def _ids_go_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An id is never of an earlier time than the one before, whatever a test did to the clock."""
    monkeypatch.setattr(uuid6, "_last_v7_timestamp", None)


# --- made ahead ----------------------------------------------------------------------------------


async def test_months_are_made_before_they_begin_and_once(intake: Bench) -> None:
    store, later = intake.service.store, clock.real() + timedelta(days=62)
    made = await make_ahead(store, later)
    assert len(made) == 4
    assert await make_ahead(store, later) == []
    assert set(made) <= {*await names(intake), *await names(intake, "inbox")}
    await tell(intake, later)
    assert await intake.rows("SELECT 1 FROM months.outbox_default") == []


async def test_a_month_that_is_missing_stops_nobody_and_is_on_the_morning_page(
    county: County,
) -> None:
    """Its rows stay where they are until somebody says that they are to be moved."""
    store, later = county.intake.service.store, clock.real() + timedelta(days=400)
    with time_machine.travel(later):
        await county.ticket()
    assert await county.intake.rows("SELECT 1 FROM months.outbox_default")
    await keep_ahead(store, later)
    groups = [each for each in await county.page() if each.slug == "months"]
    assert {each.service for each in groups} == set(NAMES)
    [of_intake] = [each for each in groups if each.service == "intake"]
    assert f"outbox {later:%Y-%m}" in {each.subject for each in of_intake.oldest}
    before = await county.intake.rows("SELECT * FROM fact_log ORDER BY id")
    for bench in county.benches.values():
        await make_ahead(bench.service.store, later, move=True)
    assert await county.intake.rows("SELECT * FROM fact_log ORDER BY id") == before
    assert await county.intake.rows("SELECT 1 FROM months.outbox_default") == []
    assert [each for each in await county.page() if each.slug == "months"] == []


async def test_what_has_no_time_in_its_id_is_nobodys_trouble(intake: Bench) -> None:
    store = intake.service.store
    await intake.do("INSERT INTO inbox VALUES ('x', 'ffffffff-0000-4000-8000-000000000000', now())")
    async with store.act("ops") as act:
        [find] = [each.find for each in part("intake").stuck.questions if each.slug == "months"]
        assert await find(act, clock.real()) == []
    assert await make_ahead(store, clock.real(), move=True) == []


TURN = datetime.combine(months_after(month_of(clock.real()), AHEAD), time(), UTC)
FIRST = first_id(TURN.date())
LAST = UUID(int=FIRST.int - 1)


@pytest.mark.parametrize("facts", [[FIRST], [LAST], [LAST, FIRST]], ids=["first", "last", "both"])
async def test_the_first_and_the_last_id_of_a_month_are_marked_like_any_other(
    intake: Bench, facts: list[UUID]
) -> None:
    """Marks go within the bounds of a batch, which are its own least and greatest fact: both belong to it."""
    store, row = intake.service.store, "INSERT INTO outbox (fact, subject, key, body, recorded) "
    for fact in facts:
        await intake.do(f"{row} VALUES (:fact, 'S', 'k', '{{}}', :now)", fact=fact, now=TURN)
    parts = "SELECT DISTINCT tableoid FROM outbox"
    assert len(await intake.rows(parts)) == len(facts), "each in its own month"
    assert await Relay(store, Exchange(Refused("too large"))).run_once() == 0
    tried = await intake.rows("SELECT attempts, reason FROM outbox")
    assert tried == [{"attempts": 1, "reason": "too large"}] * len(facts)
    await intake.do("UPDATE outbox SET try_at = NULL")
    assert await Relay(store, Exchange()).run_once() == len(facts)
    marked = await intake.rows("SELECT fact, position FROM outbox ORDER BY fact")
    assert marked == [{"fact": fact, "position": at + 1} for at, fact in enumerate(facts)]


async def test_facts_of_two_months_and_of_none_are_relayed_in_order(intake: Bench) -> None:
    store, now = intake.service.store, clock.real()
    made = datetime.combine(months_after(month_of(now), AHEAD), time(), UTC)
    for moment in (now, now + timedelta(days=400), made):
        await tell(intake, moment)
    bus = Exchange()
    assert await Relay(store, bus).run_once() == 3
    told = await intake.rows("SELECT fact, position FROM outbox ORDER BY id")
    assert bus.published == [str(row["fact"]) for row in told]
    assert [row["position"] for row in told] == [1, 2, 3]
    parts = await intake.rows("SELECT DISTINCT tableoid FROM outbox")
    assert len(parts) == 3


# --- put away ------------------------------------------------------------------------------------


async def test_what_is_put_away_is_in_the_log_and_positions_go_on(intake: Bench) -> None:
    await registered(intake)
    await Relay(intake.service.store, Exchange()).run_once()
    before = (await intake.http("ops").get("/v1/facts")).json()["items"]
    assert "outbox_first" in await put_away(intake)
    assert len(await intake.rows("SELECT 1 FROM outbox")) == 1
    page = (await intake.http("ops").get("/v1/facts")).json()
    assert [item["position"] for item in page["items"]] == [1, 2]
    assert page["items"][0] == before[0]
    bus = Exchange()
    assert await resend(intake.service.store, bus, clock.real() - timedelta(hours=1)) == 2
    await registered(intake)
    await Relay(intake.service.store, Exchange()).run_once()
    rows = await intake.rows("SELECT position FROM fact_log ORDER BY position")
    assert [row["position"] for row in rows] == [1, 2, 3]


async def test_what_is_not_sent_or_was_sent_last_stays(intake: Bench) -> None:
    store, month = intake.service.store, months_after(month_of(clock.real()), AHEAD + 1)
    later = datetime(month.year, month.month, 9, tzinfo=UTC)
    await registered(intake)
    with pytest.raises(ConfigError, match="not sent"):
        await detach_before(store, month, later)
    await Relay(store, Exchange()).run_once()
    with pytest.raises(ConfigError, match="last position"):
        await detach_before(store, month, later)
    with pytest.raises(ConfigError, match="not ended"):
        await detach_before(store, month, clock.real())
    assert "outbox_first" in await names(intake)
    assert await intake.rows("SELECT 1 FROM months.outbox_detached") == []


async def test_what_was_received_in_a_month_that_is_put_away_is_not_received_again(
    intake: Bench,
) -> None:
    """Never doubled: whichever release receives it."""
    known, new = ids(2)
    assert await fresh(intake, known) == {known}
    assert "inbox_first" in await put_away(intake)
    assert await fresh(intake, known, new) == {new}
    assert await fresh(intake, known, new) == set()


async def test_proof_and_replay_read_what_is_put_away(county: County) -> None:
    county.at("2026-03-02T09:00+08:00")
    number = await county.ticket()
    await county.act(number, "sign", {"handler": "李工"})
    facts = [
        await bench.rows("SELECT body FROM fact_log WHERE subject = :n ORDER BY id", n=number)
        for bench in county.benches.values()
    ]
    for bench in county.benches.values():
        assert "outbox_first" in await put_away(bench)
        assert await bench.rows("SELECT 1 FROM outbox WHERE subject = :n", n=number) == []
    assert facts == [
        await bench.rows("SELECT body FROM fact_log WHERE subject = :n ORDER BY id", n=number)
        for bench in county.benches.values()
    ]
    found, report = await county.replayed()
    assert [each for each in found if each.ticket == number] == []
    assert report.clocks > 0


# --- what it costs -------------------------------------------------------------------------------


async def looked_at(bench: Bench, query: Any, **values: Any) -> list[dict[str, Any]]:
    """Where a statement looks, and how: the leaves of its plan that were run."""

    def leaves(node: dict[str, Any]) -> list[dict[str, Any]]:
        below = [leaf for each in node.get("Plans", ()) for leaf in leaves(each)]
        is_scan = "Scan" in node["Node Type"] and "Relation Name" in node
        return below + ([node] if is_scan and node["Actual Loops"] else [])

    async with bench.service.store.engine.connect() as connection:
        explain = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.text}")
        [whole] = (await connection.execute(explain, values)).scalar_one()
        return leaves(whole["Plan"])


async def test_statements_go_by_an_index_and_marks_into_the_months_of_their_facts(
    intake: Bench,
) -> None:
    """With months of 2,000 facts on either side of the one that is told now."""
    now, history = clock.real(), []
    for month in range(4, 12):
        moment = now + timedelta(days=31 * month)
        await make_ahead(intake.service.store, moment)
        history += [id_at(moment) for _ in range(2_000)]
    sent = """
        INSERT INTO outbox (fact, subject, key, body, recorded, position)
        SELECT f, 'S' || n, 'k', '{}', :now, n
        FROM unnest(CAST(:facts AS uuid[])) WITH ORDINALITY AS t (f, n)"""
    await intake.do(sent, facts=history, now=now)
    await intake.do("ANALYZE")
    await tell(intake, now)
    [row] = await intake.rows("SELECT fact FROM outbox WHERE position IS NULL")
    unsent = {"now": now, "limit": 200, "largest": 10**6, "refused": 20}
    looks = [
        await looked_at(intake, outbox.UNSENT, **unsent),
        await looked_at(intake, outbox.SENT, **outbox._within([row["fact"]])),
        await looked_at(intake, outbox.LOG, after=15_990, limit=100, subject=None),
    ]
    for look in looks:
        read = [each for each in look if each["Node Type"] == "Seq Scan"]
        assert [each["Relation Name"] for each in read if _rows_of(each) > 1] == []
    by_fact = [each for each in looks[1] if "position" not in each.get("Index Cond", "")]
    assert {each["Relation Name"] for each in by_fact} == {"outbox_first"}


def _rows_of(leaf: dict[str, Any]) -> float:
    return float(leaf["Actual Rows"] + leaf.get("Rows Removed by Filter", 0))


# --- from a shell --------------------------------------------------------------------------------


async def test_from_a_shell(intake: Bench) -> None:
    url = intake.service.store.engine.url.render_as_string(hide_password=False)
    said = await typed("partitions", "list", "intake", JIESU_DATABASE_URL=url)
    assert said.code == 0, said.err
    assert "outbox_first" in said.out
    assert "默认 default" in said.out
    said = await typed("partitions", "make", "intake", JIESU_DATABASE_URL=url)
    assert (said.code, said.out) == (0, "intake: 已建 made 无 nothing\n")
    said = await typed(
        "partitions", "detach", "intake", "--before", "2099-01", JIESU_DATABASE_URL=url
    )
    assert said.code == 2
    assert "not ended" in said.err
    said = await typed(
        "partitions", "attach", "intake", "--from", "2020-01", JIESU_DATABASE_URL=url
    )
    assert (said.code, said.out) == (0, "intake: 已装回 taken back 无 nothing\n")
