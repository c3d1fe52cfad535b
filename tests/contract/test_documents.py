"""What pages for people say stands: links lead somewhere, tables name what there is, all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES, PORTS, part
from shared.events import FACTS
from shared.messaging.bus import matches
from shared.security.tokens import ROLES
from tests.fixtures.source import PROJECT

READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(
    path.relative_to(PROJECT)
    for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md")
    for path in PROJECT.glob(pattern)
)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)\s]*)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`((?:[a-z_]+)?\.[a-z_.*#]+)`")
SPOKEN = {kind.name: kind.speaker for kind in FACTS.values()}


def page(path: Path | str) -> str:
    return (PROJECT / path).read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The headings of a page as its links name them."""
    words = [re.sub(r"[^\w\s-]", "", line).strip() for line in HEADING.findall(page(path))]
    return {word.lower().replace(" ", "-") for word in words}


def dead_links(path: Path, text: str) -> Iterator[str]:
    for link in LINK.findall(CODE.sub("", text)):
        file, _, anchor = link.partition("#")
        target = (PROJECT / path.parent / file).resolve() if file else PROJECT / path
        if not target.exists() or (
            anchor and target.suffix == ".md" and anchor not in anchors(target)
        ):
            yield link


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_every_link_leads_somewhere(path: Path) -> None:
    assert list(dead_links(path, page(path))) == []


@pytest.mark.parametrize("link", ["(docs/lost.md)", "(README.md#no-such-heading)", "(#nowhere)"])
def test_a_dead_link_is_seen(link: str) -> None:
    assert list(dead_links(Path("README.md"), f"[see]{link}"))


def rows(readme: str, first: str) -> list[list[str]]:
    """The rows of the table in which a row begins with this word."""
    for block in re.findall(r"(?:^\|.*\n)+", page(readme), re.MULTILINE):
        found = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.split("\n")
        ]
        if any(row[0].startswith(first) for row in found):
            return [row for row in found[2:] if row != [""]]
    raise LookupError(f"{readme} has no table with {first}")


def names(cell: str) -> list[str]:
    """The facts a cell names: ``.closed`` goes on from the name before it."""
    found: list[str] = []
    for name in NAME.findall(cell):
        found.append(found[-1].partition(".")[0] + name if name.startswith(".") else name)
    return found


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_names_every_fact_once(readme: str) -> None:
    told = [
        name
        for row in rows(readme, "the ticket" if readme == READMES[0] else "工单")
        for name in names(row[1])
    ]
    assert sorted(told) == sorted(SPOKEN), f"the table of facts in {readme}"


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_names_every_service_with_its_port(readme: str) -> None:
    told = [row[0].split()[:2] for row in rows(readme, "intake 8")]
    assert told == [[name, str(PORTS[name])] for name in NAMES], f"the services in {readme}"


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_tells_who_says_and_hears_what(readme: str) -> None:
    for service, _, says, hears in rows(readme, "intake 8"):
        name = service.split()[0]
        for pattern in names(says):
            said = [fact for fact in SPOKEN if matches(pattern, fact)]
            assert said, f"nobody says {pattern}"
            assert {SPOKEN[fact] for fact in said} == {name}, pattern
        for pattern in names(hears):
            bound = part(name).subscriptions
            assert any(known.startswith(pattern.split("*")[0]) for known in bound), pattern


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_names_every_role(readme: str) -> None:
    told = [row[0].split()[0].strip("`") for row in rows(readme, "`phone_system`")]
    assert set(told[:-1]) == set(ROLES)  # the last is the citizen, who has no token


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md"])
def test_the_places_a_page_names_are_there(name: str) -> None:
    places = re.findall(
        r"`((?:config|services|shared|operations|docs|tests|examples)/[\w/*.-]+)`", page(name)
    )
    assert places
    lost = [
        place for place in places if "YYYY" not in place and not [*PROJECT.glob(place.rstrip("/"))]
    ]
    assert lost == []
