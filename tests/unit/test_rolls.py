"""How a release is brought in: checked before anything is replaced, all of it or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations.containers.compose import ComposeTrouble, Project
from operations.containers.image import check_config
from operations.containers.next_release import next_tree
from operations.containers.upgrade import replace_all
from shared.errors import ConfigError
from tests.fixtures.engine import Engine

# Docker, as far as a roll needs it: a container is a file that holds its state; one in `unwell` never
# becomes healthy.
DOCKER = """#!/bin/sh
set -eu
cd "$CONTAINERS"
for last in "$@"; do :; done
case "$*" in
  *" ps --status running"*) grep -l running "$last"-* || true ;;
  *" ps --all"*) ls | grep "^$last-" || true ;;
  *" up "*)
    wanted=${*##*--scale=}; wanted=${wanted#*=}; wanted=${wanted%% *}; n=1
    while [ "$(ls | grep -c "^$last-")" -lt "$wanted" ]; do
      [ -e "$last-new$n" ] || echo running > "$last-new$n"
      n=$((n + 1))
    done ;;
  "inspect "*)
    health=healthy
    case "$last" in *-new*) if [ -e "../unwell-${last%%-*}" ]; then health=unhealthy; fi ;; esac
    echo "$(cat "$last") 0 $health" ;;
  "stop "*) echo exited > "$2" ;;
  "start "*) echo running > "$2" ;;
  "rm "*) grep -q exited "$2"; rm "$2" ;;
  "logs "*) echo '{"event": "waits"}'; echo 'policy.yaml:3: no such key'; echo 'policy.yaml:3: no such key' ;;
esac
"""
SERVICES = ("intake", "dispatcher")


@pytest.fixture
def containers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The containers of an engine that runs two replicas of two services."""
    folder = engine.folder / "containers"
    engine.install(DOCKER)
    monkeypatch.setenv("CONTAINERS", str(folder))
    folder.mkdir()
    for service in SERVICES:
        for name in ("old1", "old2"):
            (folder / f"{service}-{name}").write_text("running")
    return folder


def states(folder: Path) -> dict[str, str]:
    """Every container with its state."""
    return {path.name: path.read_text().strip() for path in folder.iterdir()}


def two(service: str, which: str) -> dict[str, str]:
    return {f"{service}-{which}{n}": "running" for n in (1, 2)}


def test_new_replicas_take_the_places_of_the_old(containers: Path) -> None:
    replace_all(Project("a-trial"), SERVICES)
    assert states(containers) == two("intake", "new") | two("dispatcher", "new")


@pytest.mark.parametrize("unwell", SERVICES)
def test_a_roll_that_fails_leaves_what_there_was(containers: Path, unwell: str) -> None:
    """Also the services that were replaced already; and the reason stands in the one message."""
    (containers.parent / f"unwell-{unwell}").touch()
    for _ in range(2):
        with pytest.raises(ComposeTrouble, match=rf"{unwell}: .*\n?.*no such key\n") as failed:
            replace_all(Project("a-trial"), SERVICES)
        assert str(failed.value).count("no such key") == 1
        assert states(containers) == two("intake", "old") | two("dispatcher", "old")


def test_what_died_before_is_no_replica_to_replace(containers: Path) -> None:
    (containers / "intake-old2").write_text("exited")
    replace_all(Project("a-trial"), ["intake"])
    assert states(containers) == {"intake-new1": "running"} | two("dispatcher", "old")


CHECKING = """#!/bin/sh
case "$*" in
  "image "*) echo "$LABEL" ;;
  "run "*) echo "$*" >> "$CALLS"; echo '/config/limits.yaml:7: no such key' >&2; exit "$CODE" ;;
esac
"""


@pytest.mark.parametrize(("code", "error"), [("2", ConfigError), ("125", ComposeTrouble)])
def test_a_configuration_at_fault_is_said_with_the_countys_own_path(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]
) -> None:
    engine.install(CHECKING)
    for name, value in {
        "LABEL": "mounted",
        "CODE": code,
        "CALLS": f"{engine.folder}/calls",
    }.items():
        monkeypatch.setenv(name, value)
    county = engine.folder / "county"
    county.mkdir()
    project = Project("a-trial", environment={"JIESU_CONFIG_DIR": str(county)})
    with pytest.raises(error, match=rf"{county}/limits\.yaml:7"):
        check_config(project, "jiesu:any")
    called = (engine.folder / "calls").read_text()
    assert f"source={county},target=/config,readonly" in called
    assert called.strip().endswith("jiesu:any check-config /config")


def test_an_image_with_a_county_baked_in_is_not_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.install(CHECKING)
    monkeypatch.setenv("LABEL", "")
    check_config(Project("a-trial"), "jiesu")


def test_the_made_up_release_still_finds_the_lines_it_changes() -> None:
    with next_tree() as tree:
        assert "AssignmentGreeted" in (tree / "shared/events/dispatcher.py").read_text("utf-8")
        assert "SOLVED_AT_ONCE" in (tree / "services/dispatcher/usecases.py").read_text("utf-8")
