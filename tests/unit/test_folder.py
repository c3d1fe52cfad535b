"""A county's folder as a whole: what lies in it, what is refused, which configuration it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES, part
from operations.runtime.reload import announce, announced, check
from shared.errors import ConfigError
from shared.jurisdiction.folder import CALENDAR, CHECKED, FILES, Folder
from tests.fixtures.policy import CONFIG, edit, parsed_once

__all__ = ["parsed_once"]  # a fixture
pytestmark = pytest.mark.usefixtures("parsed_once")


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A copy of the county that may be broken."""
    return Path(shutil.copytree(CONFIG, tmp_path / "county"))


def faults(county: Path) -> list[str]:
    """What checking the folder says, without the folder."""
    with pytest.raises(ConfigError) as broken:
        check(county)
    return [line.removeprefix(f"{county}/") for line in str(broken.value).splitlines()]


def test_every_file_has_a_reader_and_every_service_reads_known_ones() -> None:
    read = {
        name
        for service in NAMES
        for name in (field.name for field in fields(part(service).settings.files))
    }
    assert read == {*FILES, CALENDAR}
    assert {path.stem for path in CONFIG.glob("*.yaml")} == {*FILES}


def test_the_county_we_ship_is_in_order() -> None:
    folder = check(CONFIG)
    version, digest = folder.configuration.split("+")
    assert version == "2026.1"
    assert len(digest) == 12
    assert int(digest, 16) >= 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("limit.yaml", "是否指 did you mean limits.yaml"),
        ("Limits.yaml", "是否指 did you mean limits.yaml"),
        (
            "policy.yaml",
            "已拆为一主题一文件，请将内容移入各文件 parted into a file for each matter",
        ),
        ("limits.yml", "是否指 did you mean limits.yaml"),
        ("limits.yaml.bak", "是否指 did you mean limits.yaml"),
        ("calendar/2026.yaml", "holds only YYYY.json"),
        ("calendar/26.json", "holds only YYYY.json"),
        ("calender/2026.json", "是否指 did you mean calendar"),
    ],
)
def test_a_file_nobody_reads_is_refused(county: Path, name: str, said: str) -> None:
    (county / name).parent.mkdir(exist_ok=True)
    (county / name).write_text("a: 1")
    [fault] = faults(county)
    assert fault.startswith(f"{name.replace('calender/2026.json', 'calender')}: ")
    assert said in fault


@pytest.mark.parametrize("name", FILES)
def test_what_is_missing_is_named_and_where_to_take_it_from(county: Path, name: str) -> None:
    (county / f"{name}.yaml").unlink()
    [fault] = faults(county)
    assert fault.startswith(f"{name}.yaml: 缺少此文件，请照本版 config/ziyang/{name}.yaml")
    assert f"write it after config/ziyang/{name}.yaml" in fault


@pytest.mark.parametrize(
    "name", [".git", "limits.yaml~", "README.md", ".limits.yaml.swp", "LICENSE"]
)
def test_what_nobody_takes_for_a_rule_lies_aside(county: Path, name: str) -> None:
    before = check(county).configuration
    (county / name).write_text("x")
    assert check(county).configuration == before


def drop(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_text("")


def loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def into_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [drop, empty, loop, dangle, pipe, into_a_folder])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_had_is_named(
    county: Path, name: str, spoil: Callable[[Path], None]
) -> None:
    spoil(county / f"{name}.yaml")
    assert faults(county)[0].startswith(f"{name}.yaml:")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere: 无法读取 cannot be read"):
        check(tmp_path / "nowhere")


def test_all_faults_of_all_files_are_told_at_once(county: Path) -> None:
    edit(county / "limits.yaml", "co_handler_share: 60%", "co_handler_shere: 60%")
    edit(county / "urgency.yaml", "urgent_topics:", "urgent_topic:")
    edit(county / "privacy.yaml", "3y ", "long ")
    edit(county / "evaluation.yaml", "ziyang-2022 ", "ziyang-1999 ")
    edit(county / "callbacks.yaml", "max: 3 ", "max: three ")
    edit(county / "calendar/2026.json", '"year": 2026', '"year": 2025')
    (county / "limit.yaml").write_text("x")
    files = [fault.split(":")[0] for fault in faults(county)]
    assert set(files) == {
        "calendar/2026.json", "callbacks.yaml", "evaluation.yaml", "limit.yaml", "limits.yaml",
        "privacy.yaml", "urgency.yaml",
    }  # fmt: skip
    assert len(files) == len(set(faults(county)))


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        ("limits", "matter: tourism", "matter: turism", "did you mean tourism"),
        ("urgency", "[water, power", "[watre, power", "did you mean water"),
        ("units", 'area: "610924117"', 'area: "610924118"', "did you mean 6109241"),
        ("supervision", "critical_unsigned: 3", "critical_unsigned: 8", "critical_unsigned"),
        ("returns", "window_urgent:", "window_urgnet:", "did you mean window_urgent"),
        ("place", "Asia/Shanghai", "Asia/Ziyang", "没有这个时区 no such time zone"),
        ("place", '"14:00"', '"11:00"', "none in another"),
        ("returns", "after_ruling: false", "after_ruling: no", "must be true or false"),
    ],
)
def test_files_must_fit_one_another(
    county: Path, name: str, before: str, after: str, said: str
) -> None:
    edit(county / f"{name}.yaml", before, after)
    found = faults(county)
    assert any(said in fault for fault in found)
    assert all(fault.startswith(f"{name}.yaml:") for fault in found)


def test_any_byte_and_any_name_changes_the_digest(county: Path) -> None:
    before = Folder.take(county).digest
    edit(county / "limits.yaml", "co_handler_share: 60%", "co_handler_share: 61%")
    changed = Folder.take(county).digest
    (county / "calendar/2024.json").rename(county / "calendar/2023.json")
    assert len({before, changed, Folder.take(county).digest}) == 3


def test_a_folder_is_what_it_was_when_it_was_taken(county: Path) -> None:
    taken = Folder.take(county)
    before = taken.digest
    (county / "limits.yaml").write_text("broken: [")
    assert (taken.digest, taken.faults_of(part("tracker").settings.files)) == (before, [])


def test_what_was_announced_is_read_again(county: Path) -> None:
    assert announced(county) == ""
    announce(check(county))
    assert announced(county).startswith(f"{check(county).configuration} ")
    assert not (county / f"{CHECKED}.new").exists()
