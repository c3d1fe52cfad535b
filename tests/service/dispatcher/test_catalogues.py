"""派单目录 as data: published by a second person, in force from its moment on, in every replica alike."""

from __future__ import annotations

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.runtime.reload import check as check_folder
from operations.runtime.reload import take_up
from services.dispatcher.catalogue import catalogues
from shared.errors import ConfigError
from shared.storage.act import Act
from tests.fixtures.bench import Bench
from tests.fixtures.commands import command
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.catalogue import (
    DRAFTS,
    FILE,
    LIGHTS_TO,
    OTHER,
    RULE,
    VERSIONS,
    drafted,
    got,
    order,
    published,
    with_rule,
)
from tests.fixtures.scenes.dispatcher import (
    NUMBER,
    STREET_LIGHT,
    finish,
    post,
    register,
    reopened,
)

# --- versions ----------------------------------------------------------------------------------


async def test_the_file_is_the_first_version_and_comes_back_as_it_was_written(
    dispatcher: Bench,
) -> None:
    """R-03 动态更新: the same file makes no second version, however often it is looked at."""
    await register(dispatcher)
    await dispatcher.run("take_up_catalogue")
    [first] = (await got(dispatcher, VERSIONS))["items"]
    assert (first["version"], first["status"], first["source"]) == (1, "in_force", "file")
    assert (await got(dispatcher, f"{VERSIONS}/1"))["yaml"] == FILE
    plain = await dispatcher.http("desk").get(
        f"{VERSIONS}/1", headers={"Accept": "application/yaml"}
    )
    assert plain.text == FILE
    said = await command(
        *("dispatcher", "catalogue", "export"),
        JIESU_DATABASE_URL=dispatcher.service.settings.database_url,
    )
    assert (said.code, said.err, said.out) == (0, "", FILE)
    assert await dispatcher.told("catalogue.published") == []


async def test_an_export_of_no_version_says_so(dispatcher: Bench, tmp_path: Path) -> None:
    url, out = dispatcher.service.settings.database_url, tmp_path / "catalogue.yaml"
    words = ("dispatcher", "catalogue", "export", "--version", "7", "--out", str(out))
    said = await command(*words, JIESU_DATABASE_URL=url)
    assert said.code == 2
    assert "没有此版本" in said.err
    assert not out.exists()


async def test_every_order_keeps_version_and_rule(dispatcher: Bench) -> None:
    """R-03: also when it is done again, long after another version decides."""
    given = (await register(dispatcher))[STREET_LIGHT]
    told = await order(dispatcher, NUMBER)
    assert told.data.catalogue_version == 1
    seen = await got(dispatcher, f"/v1/tickets/{NUMBER}/assignments")
    assert [each["catalogue_version"] for each in seen["assignments"]] == [1]
    await published(dispatcher, await with_rule(dispatcher))
    await finish(dispatcher, STREET_LIGHT, given)
    await dispatcher.hear(reopened(dispatcher, 2))
    again = await order(dispatcher, NUMBER)
    assert (again.data.rule, again.data.catalogue_version) == (told.data.rule, 1)
    await register(dispatcher, number=OTHER)
    fresh = await order(dispatcher, OTHER)
    assert (fresh.unit, fresh.data.rule, fresh.data.catalogue_version) == (
        LIGHTS_TO,
        "lights-moved",
        2,
    )


async def test_a_version_decides_from_its_moment_on_without_a_restart(dispatcher: Bench) -> None:
    """R-03 动态更新."""
    draft = await with_rule(dispatcher)
    at = dispatcher.now + timedelta(hours=8)
    done = await published(dispatcher, draft, effective_at=at.isoformat())
    assert (done["version"], done["status"]) == (2, "scheduled")
    dispatcher.at(at - timedelta(seconds=1))
    await register(dispatcher)
    dispatcher.at(at)
    await register(dispatcher, number=OTHER)
    before, after = await order(dispatcher, NUMBER), await order(dispatcher, OTHER)
    assert (before.unit, before.data.catalogue_version) == (STREET_LIGHT, 1)
    assert (after.unit, after.data.catalogue_version) == (LIGHTS_TO, 2)
    listed = (await got(dispatcher, VERSIONS))["items"]
    assert [each["status"] for each in listed] == ["in_force", "superseded"]


async def test_it_is_told_once_what_was_published(dispatcher: Bench) -> None:
    draft = await with_rule(dispatcher)
    await published(dispatcher, draft)
    [fact] = await dispatcher.told("catalogue.published")
    assert (fact.subject, fact.actor) == ("catalogue", "supervisor:wang")
    data = fact.data
    assert (data.catalogue_version, data.based_on, data.authors) == (2, 1, ("li",))
    assert (data.added, data.changed, data.removed) == (1, 0, 0)
    assert data.digest == draft["digest"]


# --- two persons -------------------------------------------------------------------------------


async def test_whoever_wrote_in_a_draft_may_not_publish_it(dispatcher: Bench) -> None:
    """R-03, GB66-5: also who added one rule to somebody else's, and under whatever role."""
    draft = await drafted(dispatcher)
    body = {"rule": RULE, "before": "threat-to-life"}
    path = f"{DRAFTS}/{draft['id']}/rules"
    draft = await post(dispatcher.http("supervisor", name="wang"), path, body)
    for who in ("li", "wang"):
        refused = await published(dispatcher, draft, 403, who)
        assert refused["type"].endswith("own-draft")
    assert (await published(dispatcher, draft, who="zhao"))["version"] == 2


async def test_what_is_published_is_what_was_read(dispatcher: Bench) -> None:
    draft = await drafted(dispatcher)
    body = {"rule": RULE}
    path = f"{DRAFTS}/{draft['id']}/rules"
    changed = await post(dispatcher.http("desk", name="li"), path, body)
    refused = await published(dispatcher, draft, 409)
    assert refused["type"].endswith("changed-draft")
    assert refused["digest"] == changed["digest"]


async def test_a_draft_of_an_older_version_is_written_anew_on_top(dispatcher: Bench) -> None:
    one, two = await with_rule(dispatcher), await with_rule(dispatcher, lead="SLJ")
    await published(dispatcher, one)
    refused = await published(dispatcher, two, 409)
    assert refused["type"].endswith("outdated-draft")
    assert refused["latest"] == 2
    path = f"{DRAFTS}/{two['id']}/content"
    again = await post(dispatcher.http("desk", name="li"), path, {"note": "重新起草"})
    assert again["based_on"] == 2
    assert (await published(dispatcher, again))["version"] == 3


async def test_a_version_is_withdrawn_before_it_decides_and_never_after(dispatcher: Bench) -> None:
    at = dispatcher.now + timedelta(days=1)
    await published(dispatcher, await with_rule(dispatcher), effective_at=at.isoformat())
    path, body = f"{VERSIONS}/2/withdrawal", {"reason": "移交推迟"}
    gone = await post(dispatcher.http("supervisor"), path, body)
    assert (gone["status"], gone["withdrawn_reason"]) == ("withdrawn", "移交推迟")
    [fact] = await dispatcher.told("catalogue.withdrawn")
    assert (fact.data.catalogue_version, fact.data.reason) == (2, "移交推迟")
    dispatcher.at(at)
    await register(dispatcher)
    assert (await order(dispatcher, NUMBER)).data.catalogue_version == 1
    for version in (1, 2):
        path = f"{VERSIONS}/{version}/withdrawal"
        refused = await post(dispatcher.http("supervisor"), path, body, 409)
        assert refused["type"].endswith("move-refused")
    draft = await with_rule(dispatcher)
    assert (draft["based_on"], (await published(dispatcher, draft))["version"]) == (1, 3)


async def test_nothing_takes_effect_in_the_past_or_before_what_it_is_based_on(
    dispatcher: Bench,
) -> None:
    draft = await with_rule(dispatcher)
    past = (dispatcher.now - timedelta(minutes=1)).isoformat()
    refused = await published(dispatcher, draft, 409, effective_at=past)
    assert refused["type"].endswith("effective-too-early")
    at = (dispatcher.now + timedelta(days=2)).isoformat()
    await published(dispatcher, draft, effective_at=at)
    soon = (dispatcher.now + timedelta(days=1)).isoformat()
    refused = await published(dispatcher, await drafted(dispatcher), 409, effective_at=soon)
    assert refused["type"].endswith("effective-too-early")


async def test_a_discarded_draft_is_nobodys_any_more(dispatcher: Bench) -> None:
    draft = await drafted(dispatcher)
    path = f"{DRAFTS}/{draft['id']}/discarding"
    gone = await post(dispatcher.http("desk", name="li"), path, {"reason": "不再需要"})
    assert gone["status"] == "discarded"
    assert (await got(dispatcher, DRAFTS))["items"] == []
    assert (await published(dispatcher, draft, 409))["current_status"] == "discarded"


async def test_of_two_published_at_once_one_came_late(dispatcher: Bench) -> None:
    one, two = await with_rule(dispatcher), await with_rule(dispatcher, lead="SLJ")

    async def answered(draft: Any) -> int:
        path, body = f"{DRAFTS}/{draft['id']}/publication", {"digest": draft["digest"]}
        return (await dispatcher.http("supervisor", name="wang").post(path, json=body)).status_code

    assert sorted(await asyncio.gather(answered(one), answered(two))) == [200, 409]
    assert [each["version"] for each in (await got(dispatcher, VERSIONS))["items"]] == [2, 1]


async def test_a_release_that_cannot_read_the_version_in_force_does_not_start(
    dispatcher: Bench,
) -> None:
    """Nothing is replaced by what would lead every ticket astray; an old version is only not explained."""
    await published(dispatcher, await with_rule(dispatcher))
    await register(dispatcher)
    dispatcher.service.store.config.compiled.clear()
    await dispatcher.do(
        "UPDATE catalogue_texts SET text = 'rules: [1]' WHERE digest = "
        "(SELECT digest FROM catalogues WHERE version = 2)"
    )
    async with dispatcher.service.store.act("service:dispatcher") as looking:
        with pytest.raises(ConfigError, match="cannot be read"):
            await catalogues.check(looking)
    why = await got(dispatcher, f"/v1/tickets/{NUMBER}/explain")
    assert (why["rule"], why["winner"]) == ("lights-moved", None)


async def test_two_replicas_import_the_file_once(dispatcher: Bench) -> None:
    store = dispatcher.service.store

    async def seen(one: Act[Any]) -> tuple[int | None, str]:
        return await catalogues.in_force(one)

    async with store.act("one") as one:
        first = await seen(one)
    catalogues.taken.pop(store, None)
    async with store.act("two") as two:
        assert await seen(two) == first
    assert len(await dispatcher.rows("SELECT 1 FROM catalogues")) == 1


# --- a changed file ----------------------------------------------------------------------------


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the county that may be changed."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


async def taken_up(bench: Bench, county: Path, lead: str) -> None:
    """The county writes another lead for street lights into its file, and reloads."""
    reason = "\n    reason: 县城路灯由城市管理部门维护"
    edit(county / "catalogue.yaml", f"lead: {STREET_LIGHT}{reason}", f"lead: {lead}{reason}")
    assert await take_up([bench.service], county, check_folder(county).configuration)


async def test_a_changed_file_is_the_next_version_while_no_person_published_one(
    dispatcher: Bench, county: Path
) -> None:
    await register(dispatcher)
    await taken_up(dispatcher, county, LIGHTS_TO)
    await register(dispatcher, number=OTHER)
    told = await order(dispatcher, OTHER)
    assert (told.unit, told.data.catalogue_version) == (LIGHTS_TO, 2)
    [fact] = await dispatcher.told("catalogue.published")
    assert (fact.data.catalogue_version, fact.data.changed) == (2, 1)


async def test_later_a_changed_file_is_a_draft_for_somebody_to_publish(
    dispatcher: Bench, county: Path
) -> None:
    await published(dispatcher, await with_rule(dispatcher))
    await taken_up(dispatcher, county, "SLJ")
    for number in (NUMBER, OTHER):
        await register(dispatcher, number=number)
        assert (await order(dispatcher, number)).unit == LIGHTS_TO
    [draft] = (await got(dispatcher, DRAFTS))["items"]
    assert (draft["source"], draft["based_on"]) == ("file", 2)
    own = dispatcher.service.store.config.catalogue.digest
    async with dispatcher.service.store.act("ops") as looking:
        assert await catalogues.differing(looking, own) == 2  # `reload` says so, too
    assert (await published(dispatcher, draft))["version"] == 3


async def test_the_published_version_written_into_the_file_is_no_news(
    dispatcher: Bench, county: Path
) -> None:
    draft = await with_rule(dispatcher)
    await published(dispatcher, draft)
    text = (await got(dispatcher, f"{VERSIONS}/2"))["yaml"]
    (county / "catalogue.yaml").write_text(text, encoding="utf-8")
    assert await take_up([dispatcher.service], county, check_folder(county).configuration)
    await dispatcher.run("take_up_catalogue")
    assert (await got(dispatcher, DRAFTS))["items"] == []
    assert len((await got(dispatcher, VERSIONS))["items"]) == 2


async def test_a_unit_that_is_no_more_gets_nothing_by_rule(dispatcher: Bench, county: Path) -> None:
    """What was published before it went: the desk assigns, and reads why."""
    await published(dispatcher, await with_rule(dispatcher, lead="CZJ"))
    units = (county / "units.yaml").read_text(encoding="utf-8")
    config = dispatcher.service.store.config
    names = dict(config.dispatching.names.units)
    assert names.pop("CZJ")
    assert "CZJ" in units
    config.compiled.clear()
    config.dispatching.names.units.pop("CZJ")
    await register(dispatcher)
    [left] = await dispatcher.told("ticket.unassigned")
    assert "CZJ 已不在单位表内" in left.data.reason
