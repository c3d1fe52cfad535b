"""时限规则 for whoever operates it: written out into a folder, and what an edited folder has become."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest

from operations.commands import drafts
from operations.runtime.reload import check as check_folder
from operations.runtime.reload import take_up
from services.tracker.policies import versions
from tests.fixtures.bench import Bench
from tests.fixtures.commands import Printed, command
from tests.fixtures.policy import CONFIG, edit
from tests.fixtures.scenes.policies import (
    DRAFTS,
    LIMITS,
    MONDAY,
    SUPERVISION,
    drafted,
    got,
    published,
    with_handle,
)


async def export(tracker: Bench, into: Path, *words: str) -> Printed:
    """What the command writes into a folder."""
    url = tracker.service.settings.database_url
    said = ("tracker", "policies", "export", str(into), *words)
    return await command(*said, JIESU_DATABASE_URL=url)


async def test_a_version_is_written_into_a_folder_as_it_was_written(
    tracker: Bench, tmp_path: Path
) -> None:
    """Before going back to an older release, which goes by the folder; not one that lies ahead."""
    await published(tracker, await drafted(tracker, limits=with_handle("6wd")))
    async with tracker.service.store.act("ops") as act:
        before = await versions.stored(act, None)
    assert before == versions.Texts(LIMITS, SUPERVISION)
    for words, handle in (((), "6wd"), (("--version", "1"), "5wd")):
        said = await export(tracker, tmp_path, *words)
        assert (said.code, said.err, said.out) == (0, "", "")
        found = [(tmp_path / name).read_text(encoding="utf-8") for name in versions.FILES]
        assert found == [with_handle(handle), SUPERVISION]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(versions.FILES)
    url = tracker.service.settings.database_url
    printed = ("tracker", "policies", "export", "--print", "supervision.yaml")
    assert (await command(*printed, JIESU_DATABASE_URL=url)).out == SUPERVISION
    assert (await command(*printed, str(tmp_path), JIESU_DATABASE_URL=url)).code == 2


@pytest.mark.parametrize(
    ("words", "why"), [((), "以规则目录为准"), (("--version", "7"), "没有此版本")]
)
async def test_an_export_of_no_version_says_so(
    tracker: Bench, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    said = await export(tracker, tmp_path, *words)
    assert said.code == 2
    assert why in said.err
    assert list(tmp_path.iterdir()) == []


async def test_reload_says_which_draft_an_edited_folder_has_become(
    tracker: Bench, tmp_path: Path
) -> None:
    """ADR 0072: it decides nothing once people publish; and says nothing while the folder does."""
    county = Path(shutil.copytree(CONFIG, tmp_path / "county"))
    store, mine = tracker.service.store, versions.Texts.of_folder(tracker.service.store.config)
    assert await drafts.drafted(store, mine, patience=0) is None
    await published(tracker, await drafted(tracker, limits=with_handle("6wd")))
    tracker.at(MONDAY)
    edit(county / "limits.yaml", "direct_answer: 1wd", "direct_answer: 2wd")
    assert await take_up([tracker.service], county, check_folder(county).configuration)
    edited = versions.Texts.of_folder(store.config)
    before = await drafts.drafted(store, edited, patience=0)
    assert before == versions.Superseded(2, None)
    assert "GET /v1/policies/drafts" in "\n".join(drafts.said(None, before))
    await tracker.run("follow_policies")
    [draft] = (await got(tracker, DRAFTS))["items"]
    found = await drafts.drafted(store, edited, patience=0)
    assert found == versions.Superseded(2, UUID(draft["id"]))
    said = "\n".join(drafts.said(None, found))
    assert f"POST /v1/policies/drafts/{draft['id']}/publication" in said
    assert "以已发布的第2版为准" in said
