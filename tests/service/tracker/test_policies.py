"""时限规则: what may be drafted, who publishes it and from when, and what a changed file is (ADR 0072)."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from operations.runtime.reload import check as check_folder
from operations.runtime.reload import take_up
from services.tracker.policies import versions
from shared import policies
from shared.errors import ConfigError
from shared.events import Urgency
from tests.fixtures.bench import Bench
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.dispatcher import post
from tests.fixtures.scenes.policies import (
    DRAFTS,
    LIMITS,
    MONDAY,
    SUPERVISION,
    VERSIONS,
    drafted,
    got,
    published,
    with_handle,
)
from tests.fixtures.scenes.tracker import Story, local
from tests.fixtures.scenes.worklist import by_its_lists, stuck, worklist

# --- drafts ------------------------------------------------------------------------------------


async def test_the_folder_is_the_first_version_as_it_is_written(tracker: Bench) -> None:
    [first] = (await got(tracker, VERSIONS))["items"]
    assert (first["version"], first["status"], first["source"]) == (1, "in_force", "file")
    whole = await got(tracker, f"{VERSIONS}/1")
    assert (whole["limits"], whole["supervision"]) == (LIMITS, SUPERVISION)


@pytest.mark.parametrize(
    ("file", "before", "after", "field"),
    [
        ("limits", "co_handler_share: 60%", "co_handler_share: lots", "co_handler_share"),
        ("limits", "matter: tourism", "matter: turism", "streams.0.matter"),
        ("supervision", "to: [RXB, ZFB]", "to: [RXB, NONE]", "hotline_review.to.1"),
        ("supervision", "  rung: 2\nunattended", "  rung: 9\nunattended", "promise.rung"),
    ],
)
async def test_what_is_wrong_is_refused_whole_with_file_line_and_field(
    tracker: Bench, file: str, before: str, after: str, field: str
) -> None:
    """Gain 9: beside the county's other files: streams are of codes.yaml, offices of units.yaml."""
    texts = {"limits": LIMITS, "supervision": SUPERVISION}
    assert texts[file].count(before) == 1
    broken = texts[file].replace(before, after)
    refused = await drafted(tracker, status=422, **{file: broken})
    assert refused["type"].endswith("no-policy")
    [fault] = refused["faults"]
    line = 1 + broken[: broken.index(after)].count("\n")
    assert (fault["file"], fault["line"], fault["field"]) == (f"{file}.yaml", line, field)
    assert (await got(tracker, DRAFTS))["items"] == []


async def test_all_faults_of_both_files_are_told_at_once(tracker: Bench) -> None:
    texts = {
        "limits": LIMITS.replace("direct_answer: 1wd", "direct_answer: soon"),
        "supervision": SUPERVISION.replace("max_rounds: 2 ", "max_rounds: many "),
    }
    refused = await drafted(tracker, status=422, **texts)
    assert {(each["file"], each["field"]) for each in refused["faults"]} == {
        ("limits.yaml", "direct_answer"),
        ("supervision.yaml", "redo.max_rounds"),
    }


async def test_what_decides_is_loaded_and_not_every_draft_there_ever_was(tracker: Bench) -> None:
    """Each draft holds two files: an act reads the versions from the one in force on."""
    for _ in range(3):
        await drafted(tracker)
    await published(tracker, await drafted(tracker, limits=with_handle("4wd")))
    tracker.at("2026-03-09T10:00+08:00")
    for limit in ("3wd", "2wd"):
        draft = await drafted(tracker, limits=with_handle(limit))
        last = await published(tracker, draft, effective_at="2026-03-16T00:00:00+08:00")
    path = f"{VERSIONS}/{last['version']}/withdrawal"
    await post(tracker.http("supervisor", name="zhao"), path, {"reason": "误发"})
    async with tracker.service.store.act("service:tracker") as act:
        loaded = await versions.ledger(act)
        assert [row.version for row in loaded.editions] == [2, 3, 4]
        assert (loaded.latest and loaded.latest.version, loaded.next_version) == (3, 5)
        before = await versions.numbered(act, 1)
        assert before is await versions.numbered(act, 1) is await versions.find(act, before.id)
        assert len(loaded.editions) == 4


# --- a second person ---------------------------------------------------------------------------


async def test_who_wrote_in_a_draft_does_not_publish_it(tracker: Bench) -> None:
    """Gain 9, 双人复核: the same person under another role, too, and who wrote it anew."""
    draft = await drafted(tracker, who="wang")
    assert (await published(tracker, draft, 403))["type"].endswith("own-draft")
    body = {"note": "改", "limits": with_handle("4wd")}
    again = await post(tracker.http("desk", name="li"), f"{DRAFTS}/{draft['id']}/content", body)
    assert again["authors"] == ["desk:wang", "desk:li"]
    assert (again["note"], again["digest"] != draft["digest"]) == ("改", True)
    for who in ("wang", "li"):
        assert (await published(tracker, again, 403, who))["type"].endswith("own-draft")
    done = await published(tracker, again, who="zhao")
    assert (done["version"], done["status"]) == (2, "scheduled")
    told = [fact.data for fact in await tracker.told("policy.published")]
    assert [(each.policy_version, each.limits_yaml) for each in told] == [
        (1, LIMITS),
        (2, with_handle("4wd")),
    ]


async def test_what_is_published_is_what_was_read_on_top_of_the_latest(tracker: Bench) -> None:
    draft, other = await drafted(tracker), await drafted(tracker, limits=with_handle("4wd"))
    changed = await published(tracker, draft | {"digest": other["digest"]}, 409)
    assert changed["type"].endswith("changed-draft")
    assert changed["digest"] == draft["digest"]
    await published(tracker, other)
    outdated = await published(tracker, draft, 409)
    assert (outdated["type"].rpartition("/")[2], outdated["latest"]) == ("outdated-draft", 2)
    body = {"note": "以第2版为准", "limits": with_handle("2wd")}
    path = f"{DRAFTS}/{draft['id']}/content"
    anew = await post(tracker.http("desk", name="li"), path, body)
    assert anew["based_on"] == 2
    done = await published(tracker, anew, effective_at="2026-03-16T00:00:00+08:00")
    assert done["version"] == 3


async def test_a_discarded_draft_is_listed_and_changed_no_more(tracker: Bench) -> None:
    draft = await drafted(tracker)
    desk, path = tracker.http("desk", name="li"), f"{DRAFTS}/{draft['id']}"
    gone = await post(desk, f"{path}/discarding", {"reason": "不再需要"})
    assert (gone["status"], gone["note"]) == ("discarded", "提速\n不再需要")
    assert (await got(tracker, DRAFTS))["items"] == []
    for what, body in (("discarding", {"reason": "再作废"}), ("content", {"note": "改"})):
        assert (await post(desk, f"{path}/{what}", body, 409))["current_status"] == "discarded"
    assert (await published(tracker, draft, 409))["current_status"] == "discarded"


async def test_a_draft_may_say_again_what_a_version_said(tracker: Bench) -> None:
    await published(tracker, await drafted(tracker))
    for version, limits in ((1, LIMITS), (2, with_handle("3wd")), (None, with_handle("3wd"))):
        said = {"from_version": version} if version else {"note": "照旧"}
        draft = await drafted(tracker, **said)
        assert (await got(tracker, f"{DRAFTS}/{draft['id']}"))["limits"] == limits
        assert draft["based_on"] == 2
    await drafted(tracker, status=404, from_version=9)


@pytest.mark.parametrize(
    ("effective_at", "earliest"),
    [("2026-03-02T09:09:59+08:00", "2026-03-02T09:10:00+08:00"), ("2026-03-01T00:00+08:00", None)],
)
async def test_it_takes_effect_no_sooner_than_everybody_has_heard(
    tracker: Bench, effective_at: str, earliest: str | None
) -> None:
    """Gain 9."""
    draft = await drafted(tracker)
    refused = await published(tracker, draft, 409, effective_at=effective_at)
    assert refused["type"].endswith("effective-too-early")
    if earliest:
        assert datetime.fromisoformat(refused["earliest"]) == datetime.fromisoformat(earliest)
    done = await published(tracker, draft, effective_at=None)
    assert datetime.fromisoformat(done["effective_at"]) == tracker.now + policies.NOTICE


async def test_it_takes_effect_within_a_year(tracker: Bench) -> None:
    """What is published for the year 9999 would keep every later version waiting for it."""
    for never in ("9999-12-31T23:59:59Z", "2027-03-04T00:00:00+08:00"):
        refused = await published(tracker, await drafted(tracker), 409, effective_at=never)
        assert refused["type"].endswith("effective-too-late")
        assert refused["latest"].startswith("2027-03-03")


async def test_it_can_be_withdrawn_until_it_takes_effect(tracker: Bench, story: Story) -> None:
    supervisor = tracker.http("supervisor", name="wang")
    why, path = {"reason": "推迟"}, f"{VERSIONS}/2/withdrawal"
    await published(tracker, await drafted(tracker))
    tracker.at("2026-03-08T12:00+08:00")
    withdrawn = await post(supervisor, path, why)
    assert withdrawn["status"] == "withdrawn"
    tracker.at(MONDAY)
    await tracker.hear(story.registered("03-09 08:30"))
    assert await limit_of(tracker, "citizen") == ("5wd", 1)
    done = await published(
        tracker, await drafted(tracker, limits=with_handle("4wd")), effective_at=None
    )
    assert done["version"] == 3
    tracker.at("2026-03-09T00:10+08:00")
    refused = await post(supervisor, f"{VERSIONS}/3/withdrawal", why, 409)
    assert refused["type"].endswith("move-refused")


async def limit_of(tracker: Bench, kind: str) -> tuple[str, int]:
    """The limit of a clock, and the policy it began under."""
    [row] = await tracker.rows("SELECT terms FROM clocks WHERE kind = :kind", kind=kind)
    return row["terms"]["limit"], row["terms"]["policy_version"]


# --- what clocks begin under -------------------------------------------------------------------


async def test_a_clock_that_is_heard_of_late_goes_by_the_policy_of_its_start(
    tracker: Bench, story: Story
) -> None:
    await published(tracker, await drafted(tracker))
    tracker.at("2026-03-09T00:01+08:00")
    await tracker.hear(story.registered("03-08 23:59"))
    assert await limit_of(tracker, "citizen") == ("5wd", 1)


async def test_a_clock_keeps_its_policy_when_its_urgency_changes(
    tracker: Bench, story: Story
) -> None:
    """GLPI #6902: what it began under decides the new limit, too."""
    longer = LIMITS.replace("first_contact: 2h, handle: 24h}", "first_contact: 2h, handle: 12h}")
    await tracker.hear(story.registered("03-08 23:00"))
    await published(tracker, await drafted(tracker, limits=longer))
    tracker.at("2026-03-09T09:00+08:00")
    await tracker.hear(story.left("03-09 09:00", Urgency.URGENT))
    assert await limit_of(tracker, "citizen") == ("24h", 1)


async def test_rungs_and_cards_go_by_it(tracker: Bench, story: Story) -> None:
    sooner = SUPERVISION.replace("when: overdue_1wd,", "when: overdue_2wd,")
    assert sooner != SUPERVISION
    await published(tracker, await drafted(tracker, supervision=sooner))
    tracker.at(MONDAY)
    await tracker.hear(story.registered("03-09 08:30"), story.dispatched("03-09 09:00"))
    tracker.at("2026-03-30T09:00+08:00")
    await tracker.run("sweep")
    [row] = await tracker.rows("SELECT terms FROM clocks WHERE kind = 'handle'")
    assert [rung["at"] for rung in row["terms"]["rungs"]] == ["due", "2wd", "3wd", "5wd", "10wd"]


# --- the file ----------------------------------------------------------------------------------


async def test_a_changed_file_is_a_draft_once_people_published(
    tracker: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    county = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    await published(tracker, await drafted(tracker))
    edit(county / "limits.yaml", "direct_answer: 1wd", "direct_answer: 2wd")
    assert await take_up([tracker.service], county, check_folder(county).configuration)
    for _ in range(2):
        await tracker.run("follow_policies")
    [draft] = (await got(tracker, DRAFTS))["items"]
    assert (draft["source"], draft["status"], draft["based_on"]) == ("file", "draft", 2)
    tracker.at(MONDAY)
    assert (await got(tracker, f"{VERSIONS}/2"))["status"] == "in_force"
    assert (await published(tracker, draft, effective_at=None))["version"] == 3


async def test_a_folder_changed_under_a_first_draft_outdates_it(
    tracker: Bench, tmp_path: Path
) -> None:
    county = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    draft = await drafted(tracker)
    edit(county / "limits.yaml", "direct_answer: 1wd", "direct_answer: 2wd")
    assert await take_up([tracker.service], county, check_folder(county).configuration)
    assert (await published(tracker, draft, 409))["type"].endswith("outdated-draft")


# --- what cannot be read -----------------------------------------------------------------------


@pytest.mark.parametrize("file", ["limits", "supervision"])
async def test_a_policy_of_a_newer_release_stops_the_start_by_name(
    tracker: Bench, file: str
) -> None:
    """An older release that goes by its folder instead would print other limits than its neighbours."""
    await tracker.do(
        "INSERT INTO policies (version, effective_at, limits, supervision)"
        " VALUES (2, now(), :limits, :supervision)",
        **{"limits": LIMITS, "supervision": SUPERVISION} | {file: "shape: new"},
    )
    async with tracker.service.store.act("desk") as act:
        with pytest.raises(ConfigError, match=rf"{file}\.yaml"):
            await versions.check(act)


async def test_silence_presses_by_the_policy_of_its_clock(tracker: Bench) -> None:
    """R-32: so long after the reminder, as said when the clock began."""
    hurried = SUPERVISION.replace("unanswered: {after: 5wd", "unanswered: {after: 2wd")
    assert hurried != SUPERVISION
    await published(tracker, await drafted(tracker, supervision=hurried))
    for number, day in ((1, "03-06"), (2, "03-09")):
        tracker.at(f"2026-{day}T09:30+08:00")
        story = Story(tracker, f"2026{day.replace('-', '')}-{number:06}")
        id: dict[str, Any] = {"id": UUID(int=number)}
        await tracker.hear(
            story.registered(f"{day} 09:00"),
            story.dispatched(f"{day} 09:00", **id),
            story.signed(f"{day} 09:10", **id),
            story.contacted(f"{day} 09:20", **id),
        )
    tracker.at("2026-03-16T18:00+08:00")
    await tracker.run("sweep")
    rows = await tracker.rows("SELECT raised_at, press_at FROM supervisions ORDER BY ticket, rung")
    assert [(local(row["raised_at"]), local(row["press_at"])) for row in rows] == [
        ("03-13 18:00", "03-20 18:00"),
        ("03-16 18:00", "03-23 18:00"),
        ("03-16 18:00", "03-18 18:00"),
    ]


async def test_a_draft_waits_in_the_worklist_of_whoever_may_publish_it(tracker: Bench) -> None:
    """GB66-5: not of who wrote in it; untouched for a working day it is on the morning page."""
    tracker.at("2026-03-02T10:00+08:00")
    draft = await drafted(tracker, "li")
    for name, waits in (("li", 0), ("wang", 1)):
        said = await worklist(tracker, "supervisor", name=name)
        assert said == await by_its_lists(tracker, "supervisor", name=name)
        assert said["policy_drafts"] == (waits, 0, None)
    assert await stuck(tracker, "unagreed") == []
    tracker.at("2026-03-04T09:00+08:00")
    assert [each.note for each in await stuck(tracker, "unagreed")] == [draft["id"]]
    await published(tracker, draft)
    assert (await worklist(tracker, "supervisor", name="wang"))["policy_drafts"][0] == 0
    assert await stuck(tracker, "unagreed") == []
