"""Tests stand on fixtures, never on one another; what needs nothing asks for nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.longest import LONGEST
from tests.fixtures.source import files, imported, tree

SERVERS = {"postgres", "rabbitmq"}
BENCH = "tests.load"  # a tool of its own


def leans(path: Path, module: ast.Module) -> Iterator[str]:
    """What a file of the tests imports of tests that are no fixtures."""
    for name in imported(module):
        if not name.startswith("tests."):
            continue
        if not f"{name}.".startswith(("tests.fixtures.", f"{BENCH}.")):
            yield name
        if path.parts[1] == "fixtures" and name.startswith(f"{BENCH}."):
            yield name


def test_helpers_come_from_fixtures() -> None:
    found = {str(path): sorted(leans(path, tree(path))) for path in files("tests")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tests/system/test_tls.py", "from tests.system.test_slow_clients import Line"),
        ("tests/system/test_tls.py", "from tests.system.conftest import county"),
        ("tests/system/test_tls.py", "import tests.service.intake.test_registering"),
        ("tests/fixtures/scenes/street.py", "from tests.service.intake import test_registering"),
        ("tests/fixtures/bench.py", "from tests.load.wire import Wire"),
    ],
)
def test_the_fence_sees_a_test_that_leans_on_another(path: str, source: str) -> None:
    assert list(leans(Path(path), ast.parse(source)))


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("tests/system/test_tls.py", "from tests.fixtures import docker"),
        ("tests/fixtures/scenes/street.py", "from tests.fixtures.bench import Bench"),
        ("tests/unit/test_load.py", "from tests.load import bench"),
        ("tests/unit/test_load.py", "from examples.county import County"),
    ],
)
def test_the_fence_lets_fixtures_be_used(path: str, source: str) -> None:
    assert not list(leans(Path(path), ast.parse(source)))


def test_what_is_begun_first_is_there() -> None:
    assert [file for file in LONGEST if not Path("tests", file).is_file()] == []


def test_units_ask_for_no_server(request: pytest.FixtureRequest) -> None:
    """``-m unit`` runs where there is neither PostgreSQL nor RabbitMQ."""
    asking = {
        item.nodeid
        for item in request.session.items
        if item.get_closest_marker("unit") and SERVERS & set(getattr(item, "fixturenames", ()))
    }
    assert asking == set()
