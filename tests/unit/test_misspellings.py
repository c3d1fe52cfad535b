"""Two hundred misspellings and wrong values, drawn over every key and every leaf: none is taken.

Each is made in the text of one file of the county, at one place, and the folder is checked as every
service would read it. What is refused must be named with its file and its line, and nothing else.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
import yaml

from operations.runtime.reload import check
from shared.errors import ConfigError
from tests.fixtures.policy import CONFIG, parsed_once

__all__ = ["parsed_once"]  # a fixture

SEED, MANY = 20260302, 200
FILES = sorted([*CONFIG.glob("*.yaml"), *CONFIG.glob("calendar/*.json")])
NO_VALUE = ("null", "{a: b}", "[[a]]")  # of no type a leaf may have; a free text may say all else
FORM = re.compile(r"\d+(wd|wh|h|min|%|y|d)?(_\w+)?|\d\d:\d\d|true|false")
NO_FORM = (*NO_VALUE, "many x", "-1.5", "[]")


@dataclass(frozen=True)
class Slip:
    """One place in a file, and what somebody wrote there instead."""

    file: Path
    line: int
    start: int
    end: int
    wrote: str

    def in_text(self) -> str:
        """The file with the slip in it."""
        text = self.file.read_text("utf-8")
        return text[: self.start] + self.wrote + text[self.end :]

    def __str__(self) -> str:
        was = self.file.read_text("utf-8")[self.start : self.end]
        return f"{self.file.name}:{self.line} {was} → {self.wrote}"


def scalars(node: yaml.Node, *, key: bool = False) -> Iterator[tuple[yaml.ScalarNode, bool]]:
    """Every key and every leaf of a document; whether it is a key."""
    if isinstance(node, yaml.ScalarNode):
        yield node, key
    elif isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield from scalars(name, key=True)
            yield from scalars(value)
    else:
        for item in node.value:
            yield from scalars(item)


def misspelt(word: str, draw: Random) -> str:
    """A key with a letter lost, doubled, swapped or changed, as hands do it."""
    at = draw.randrange(len(word))
    return draw.choice(
        (
            word[:at] + word[at + 1 :] or "x",
            word[:at] + word[at] + word[at:],
            word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            word[:at] + "q" + word[at + 1 :],
            word.upper() if word.islower() else word.lower(),
        )
    )


def document(path: Path) -> yaml.Node:
    """A file as its nodes, which know where they stand."""
    found = yaml.compose(path.read_text("utf-8"))
    assert found is not None
    return found


def slips() -> Iterator[Slip]:
    """Drawn evenly over files, so that a short one is tried as often as a long one."""
    draw = Random(SEED)
    places = {path: list(scalars(document(path))) for path in FILES}
    while True:
        path = draw.choice(FILES)
        node, key = draw.choice(places[path])
        start, end = node.start_mark.index, node.end_mark.index
        if key:
            wrote = misspelt(node.value, draw)
            if wrote == node.value:
                continue
            wrote = f'"{wrote}"' if path.suffix == ".json" else wrote
        else:
            wrote = draw.choice(NO_FORM if FORM.fullmatch(node.value) else NO_VALUE)
        yield Slip(path, node.start_mark.line + 1, start, end, wrote)


def drawn() -> list[Slip]:
    found: dict[tuple[Path, int, str], Slip] = {}
    for slip in slips():
        found.setdefault((slip.file, slip.start, slip.wrote), slip)
        if len(found) == MANY:
            return list(found.values())
    raise AssertionError


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the county; each test breaks one file of it and mends it again."""
    return Path(shutil.copytree(CONFIG, tmp_path_factory.mktemp("slips") / "county"))


@pytest.mark.usefixtures("parsed_once")
@pytest.mark.parametrize("slip", drawn(), ids=str)
def test_a_slip_is_refused_with_file_and_line(county: Path, slip: Slip) -> None:
    path = county / slip.file.relative_to(CONFIG)
    path.write_text(slip.in_text(), "utf-8")
    try:
        with pytest.raises(ConfigError) as refused:
            check(county)
    finally:
        shutil.copy(slip.file, path)
    said = str(refused.value).splitlines()
    assert all(line.startswith(f"{path}:") for line in said), said
    assert any(line.startswith(f"{path}:{slip.line}: ") for line in said), said
