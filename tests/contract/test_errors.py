"""docs/errors.md and the errors: every slug once, none too many, each with what helps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from operations.contracts.errors import CURES, known, services_of
from operations.runtime.registry import NAMES
from shared.errors import JiesuError
from tests.fixtures.documents import asked
from tests.fixtures.source import PROJECT, files, text

PAGE = (PROJECT / "docs" / "errors.md").read_text("utf-8")
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")
SLUG = re.compile(r"^[a-z]+(-[a-z0-9]+)*$")

each_error = pytest.mark.parametrize("error", known(), ids=lambda error: error.slug)


def test_every_slug_is_documented_once_and_none_too_many() -> None:
    headings = re.findall(r"^### (\S+)$", PAGE, re.MULTILINE)
    assert headings == [error.slug for error in known()]
    assert [slug for slug, times in Counter(headings).items() if times > 1] == []


def test_every_error_has_its_cure_and_every_cure_its_error() -> None:
    assert set(CURES) == {error.slug for error in known()}


@each_error
def test_an_error_speaks_both_languages(error: type[JiesuError]) -> None:
    for words in (error.title, CURES[error.slug]):
        assert CHINESE.search(words), words
        assert ENGLISH.search(words), words
    assert error.__doc__
    assert SLUG.match(error.slug)
    assert 400 <= error.status < 600


@each_error
async def test_a_problem_says_at_its_address_what_it_means(error: type[JiesuError]) -> None:
    for service in services_of(error):
        page = await asked(service, "GET", f"/errors/{error.slug}")
        assert page.status_code == 200
        assert error.title in page.text


async def test_what_is_no_problem_has_no_address() -> None:
    assert (await asked(NAMES[0], "GET", "/errors/lost")).status_code == 404


def mentioned() -> Iterator[tuple[str, str]]:
    """Every problem type that code, tests or pages spell out."""
    pages = [path.relative_to(PROJECT) for path in PROJECT.glob("docs/**/*.md")]
    for path in (*files("shared", "services", "operations", "examples", "tests"), *pages):
        yield from ((str(path), slug) for slug in re.findall(r"/errors/([a-z-]+)\b", text(path)))


def test_nobody_names_a_problem_that_there_is_not() -> None:
    there = {error.slug for error in known()} | {"lost"}
    assert [place for place in mentioned() if place[1] not in there] == []
