"""Habits that keep the promises: only doors commit, only the clock reads the time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.source import PROJECT, called, files, imported, strings, text, tree

CODE = files("shared", "services", "operations", "examples")
CLOCK = Path("shared/clock.py")
COMMITS = {Path("shared/storage/act.py"), Path("shared/storage/migrations.py")}
MIGRATIONS = "migrations"

TIME_OF_DAY = re.compile(
    r"(^|\.)(date|datetime)\.(now|utcnow|today)$|(^|\.)func\.(now|current_\w+)$"
)
WAITING = re.compile(r"^(asyncio|time|anyio|trio)\.sleep$")
ENDING = re.compile(r"\.(commit|begin)$")
SQL_CLOCK = re.compile(
    r"\b(now|(clock|statement|transaction)_timestamp)\s*\(\s*\)|\b(current_timestamp|localtimestamp)\b",
    re.IGNORECASE,
)

CITED = re.compile(
    r"DOMAIN\.md(?: section)? ((?:R-\d\d|\d(?:\.\d)?)(?:(?:, | to )(?:R-\d\d|\d\.\d))*)"
)


def time_reads(module: ast.Module) -> Iterator[str]:
    """Where a module reads the time by itself, in Python or in SQL, or waits for it to pass."""
    for name, line in called(module):
        if TIME_OF_DAY.search(name) or WAITING.search(name):
            yield f"line {line}: {name}"
    for value, line in strings(module):
        if SQL_CLOCK.search(value):
            yield f"line {line}: {value.strip()[:60]}"
    if any(name == "time" or name.startswith("time.") for name in imported(module)):
        yield "imports time"


def commits(module: ast.Module) -> Iterator[str]:
    """Where a module ends a transaction by itself, or opens one that ends by itself."""
    for name, line in called(module):
        if ENDING.search(name):
            yield f"line {line}: {name}"


def test_only_the_clock_reads_the_time() -> None:
    found = {str(path): list(time_reads(tree(path))) for path in CODE if path != CLOCK}
    assert {path: reads for path, reads in found.items() if reads} == {}


def test_only_doors_commit() -> None:
    others = [path for path in CODE if path not in COMMITS and MIGRATIONS not in path.parts]
    found = {str(path): list(commits(tree(path))) for path in others}
    assert {path: ends for path, ends in found.items() if ends} == {}


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "import time",
        "from time import monotonic",
        "asyncio.sleep(1)",
        "select(func.now())",
        "text('SELECT now()')",
        "text('DELETE FROM seen WHERE at < CURRENT_TIMESTAMP')",
        "text(f'SELECT clock_timestamp() FROM {table}')",
    ],
)
def test_the_fence_sees_a_clock(source: str) -> None:
    assert list(time_reads(ast.parse(source)))


@pytest.mark.parametrize("source", ["clock.now()", "act.now", "datetime.combine(day, time())"])
def test_the_fence_lets_the_clock_be_asked(source: str) -> None:
    assert not list(time_reads(ast.parse(source)))


@pytest.mark.parametrize("source", ["await session.commit()", "async with engine.begin(): ..."])
def test_the_fence_sees_a_commit(source: str) -> None:
    wrapped = f"async def handle():\n    {source}"
    assert list(commits(ast.parse(wrapped)))


def cited() -> Iterator[tuple[Path, str]]:
    """Every rule and section of docs/DOMAIN.md somebody points at."""
    documents = [*PROJECT.glob("docs/**/*.md"), *PROJECT.glob("config/**/*.yaml")]
    for path in (*CODE, *files("tests"), *(path.relative_to(PROJECT) for path in documents)):
        for found in CITED.finditer(text(path)):
            yield from ((path, place) for place in re.split(", | to ", found[1]))


def test_what_is_cited_of_the_trade_stands_there() -> None:
    trade = text(Path("docs/DOMAIN.md"))
    there = set(re.findall(r"^(?:\| |##+ )(R-\d\d|\d(?:\.\d)?)\b", trade, re.MULTILINE))
    places = list(cited())
    assert len(places) > 20
    assert [(str(path), place) for path, place in places if place not in there] == []


VALIDATORS = re.compile(r"(Before|After|Plain|Wrap)Validator$")


def classes_as_validators(module: ast.Module) -> Iterator[str]:
    """Validators that are classes: pydantic reads their signature, and an enum's is another in Python 3.12,
    which the image runs.
    """
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and VALIDATORS.search(ast.unparse(node.func)):
            yield from (
                f"line {node.lineno}: {name}"
                for name in map(ast.unparse, node.args[:1])
                if name.rpartition(".")[2][:1].isupper()
            )


def test_validators_are_functions() -> None:
    found = {str(path): list(classes_as_validators(tree(path))) for path in CODE}
    assert {path: names for path, names in found.items() if names} == {}
    assert list(classes_as_validators(ast.parse("Annotated[Urgency, BeforeValidator(Urgency)]")))
