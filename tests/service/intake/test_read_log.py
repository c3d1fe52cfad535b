"""The read log: every tampering is seen, by its chain or by its heads told elsewhere (R-36)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from services.intake import readlog
from services.intake.models import ContactRead
from services.intake.readlog import Anchor, Verified
from tests.fixtures.bench import Bench
from tests.fixtures.scenes.intake import read_to_call, registered

TUESDAY = "2026-03-03T00:00+08:00"


@pytest.fixture
async def log(intake: Bench) -> Bench:
    """Intake with five readings, of which the first four are anchored."""
    number = (await registered(intake))["number"]
    for _ in range(4):
        await read_to_call(intake, number)
    intake.at(TUESDAY)
    assert await intake.run("anchor_reads") == 1
    await read_to_call(intake, number)
    return intake


async def checked(intake: Bench, held: Sequence[Anchor] = ()) -> Verified:
    """What a check finds."""
    async with intake.service.store.act("ops") as act:
        return await readlog.verify(act, held)


async def rehash(intake: Bench, first: int) -> None:
    """Make every hash from a row on fit again, as who owns the database could."""
    rows = [
        ContactRead(**row) for row in await intake.rows("SELECT * FROM contact_read ORDER BY id")
    ]
    previous = rows[first - 2].hash if first > 1 else ""
    for row in rows[first - 1 :]:
        previous = readlog.link(previous, row)
        await intake.do(
            "UPDATE contact_read SET hash = :hash WHERE id = :id", hash=previous, id=row.id
        )


async def test_a_whole_log_is_found_whole(log: Bench) -> None:
    assert await checked(log) == Verified(rows=5, anchors=1)


async def test_the_head_is_told_once_a_day_and_only_when_there_is_more(log: Bench) -> None:
    [fact] = await log.told("reads.anchored")
    assert (fact.subject, fact.data.count, fact.unit) == ("reads", 4, None)
    assert await log.run("anchor_reads") == 0
    async with log.service.store.act("ops") as act:
        due = await readlog.next_anchor(act)
    assert due == log.at("2026-03-04T00:00+08:00")
    assert await log.run("anchor_reads") == 1
    log.at("2026-03-09T00:00+08:00")
    assert await log.run("anchor_reads") == 0
    assert [fact.data.count for fact in await log.told("reads.anchored")] == [4, 5]


@pytest.mark.parametrize("row", [1, 3, 5])
@pytest.mark.parametrize(
    "change",
    ["reason = '别的'", "actor = 'desk:x'", "deed = 'refused'", "person = '李工'", "why = 'x'"],
)
async def test_a_row_that_was_changed_is_named(log: Bench, row: int, change: str) -> None:
    """R-34, R-36; gain 5: every read in a log chained by hashes."""
    await log.do(f"UPDATE contact_read SET {change} WHERE id = {row}")
    assert (await checked(log)).broken == row


@pytest.mark.parametrize("row", [1, 3])
async def test_a_row_that_is_gone_is_named(log: Bench, row: int) -> None:
    await log.do(f"DELETE FROM contact_read WHERE id = {row}")
    assert (await checked(log)).broken == row


async def test_a_row_rewritten_with_all_later_hashes_is_seen_at_the_next_anchor(
    log: Bench,
) -> None:
    await log.do("UPDATE contact_read SET reason = '别的' WHERE id = 2")
    await rehash(log, 2)
    found = await checked(log)
    assert (found.broken, found.why) == (4, readlog.REWRITTEN)


async def test_an_end_that_was_cut_off_is_seen(log: Bench) -> None:
    await log.do("DELETE FROM contact_read WHERE id >= 3")
    found = await checked(log)
    assert found.broken == 3
    assert "4" in found.why


async def test_whoever_cuts_our_own_anchors_too_is_found_by_those_kept_elsewhere(
    log: Bench,
) -> None:
    [fact] = await log.told("reads.anchored")
    held = [Anchor(fact.data.count, fact.data.hash)]
    await log.do(
        "DELETE FROM contact_read WHERE id >= 3", "DELETE FROM outbox WHERE subject = 'reads'"
    )
    assert (await checked(log)).broken is None
    assert (await checked(log, held)).broken == 3


async def test_rows_of_the_release_before_fit_as_they_did(log: Bench) -> None:
    """It hashes what it knows of a row, and writes behind ours."""
    number = (await log.rows("SELECT number FROM ticket"))[0]["number"]
    [last] = await log.rows("SELECT * FROM contact_read ORDER BY id DESC LIMIT 1")
    row = ContactRead(
        id=6, number=number, actor="service:feedback", reason="回访", read_at=log.now, hash=""
    )
    await log.do(
        "INSERT INTO contact_read (id, number, actor, reason, read_at, hash)"
        " VALUES (6, :number, 'service:feedback', '回访', :at, :hash)",
        number=number,
        at=log.now,
        hash=readlog.link(last["hash"], row),
    )
    assert (await checked(log)).broken is None
