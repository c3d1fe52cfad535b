"""Docker is used where it answers and has the image or gets it; else the machine's own servers are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures import docker

IMAGE = "postgres:17"
REFUSED = "Error response from daemon: pull access denied"


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Path]]:
    """What puts a `docker` on the path that writes down what it is asked, and says no as told to."""

    def put(refuses: str) -> Path:
        asked, program = tmp_path / "asked", tmp_path / "docker"
        said = f"echo 'Using default tag' >&2; echo '{REFUSED}' >&2; exit 1"
        program.write_text(
            f'#!/bin/sh\necho "$1" >> {asked}\ncase "$1" in {refuses}) {said};; esac\n'
        )
        program.chmod(0o755)
        return asked

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(docker, "REFUSALS", [])
    _forget()
    yield put
    _forget()


def _forget() -> None:
    docker.can_run.cache_clear()
    docker._engine_answers.cache_clear()


@pytest.mark.parametrize(
    ("refuses", "runs", "asked"),
    [
        ("nothing", True, ["info", "image"]),
        ("image", True, ["info", "image", "pull"]),
        ("image|pull", False, ["info", "image", "pull"]),
        ("*", False, ["info"]),
    ],
)
def test_an_image_is_run_where_it_is_or_can_be_pulled(
    engine: Callable[[str], Path], refuses: str, runs: bool, asked: list[str]
) -> None:
    written = engine(refuses)
    for _ in range(2):  # the engine is asked once
        assert docker.can_run(IMAGE) is runs
    assert written.read_text().split() == asked


def test_who_cannot_pull_is_told_of_in_one_line(
    engine: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    engine("image|pull")
    docker.can_run(IMAGE)
    [line] = capsys.readouterr().err.splitlines()
    assert [line] == docker.REFUSALS
    assert IMAGE in line
    assert REFUSED in line


def test_where_there_is_no_docker_nothing_is_said(
    engine: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not docker.can_run(IMAGE)
    assert capsys.readouterr().err == ""
