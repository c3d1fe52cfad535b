"""Which file may import what, as a table; the layers are import-linter's (``make lint``)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.imports_kinds import May
from tests.fixtures.imports_table import MAY
from tests.fixtures.source import files, imported, tree

OURS = {"shared", "services", "operations", "examples", "tests"}
# Parts of the standard library that reach outside the process or change from call to call.
IMPURE = {
    "asyncio", "glob", "http", "io", "multiprocessing", "os", "pathlib", "random", "secrets",
    "shutil", "socket", "ssl", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip


def trespasses(module: ast.Module, service: str, may: May) -> Iterator[str]:
    """The imports of a module that its kind of file may not have."""
    for name in imported(module):
        top, *rest = name.split(".")
        if top == "services":
            own = {rest[1], ".".join(rest[1:3])} if len(rest) > 1 else may.own
            allowed = rest[0] == service and bool(own & may.own)
        elif top == "shared":
            allowed = may.shared is None or any(
                f"{'.'.join(rest)}.".startswith(f"{part}.") for part in may.shared
            )
        elif top in sys.stdlib_module_names:
            allowed = not (may.pure and top in IMPURE)
        else:
            allowed = top in may.others
        if not allowed:
            yield name


def kind_of(path: Path) -> str:
    """What a file of a service is: ``views``, of a matter with a folder ``catalogue.views``; ``rules``."""
    place = path.with_suffix("").parts[2:]
    return "rules" if place[0] == "rules" else ".".join(place)


def of_services() -> list[tuple[str, str, Path]]:
    """Service, kind of file, path: for every file of every service."""
    return [
        (path.parts[1], kind_of(path), path)
        for path in files(*(f"services/{service}" for service in NAMES))
        if path.name != "__init__.py" and "migrations" not in path.parts
    ]


def test_the_table_speaks_of_every_file_and_of_no_other() -> None:
    assert {kind for _, kind, _ in of_services()} == set(MAY)


def test_files_import_what_the_table_allows() -> None:
    found = {
        str(path): list(trespasses(tree(path), service, MAY[kind]))
        for service, kind, path in of_services()
    }
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("rules", "from shared.storage.act import Act"),
        ("rules", "from shared import clock"),
        ("rules", "import os"),
        ("rules", "from sqlmodel import select"),
        ("rules", "from services.tracker.models import Clock"),
        ("routes", "from services.tracker.models import Clock"),
        ("routes", "from services.tracker import rules"),
        ("consumers", "from services.intake import usecases"),
        ("usecases", "import httpx"),
        ("usecases", "from services.tracker import routes"),
    ],
)
def test_the_fence_sees_a_trespass(kind: str, source: str) -> None:
    assert list(trespasses(ast.parse(source), "tracker", MAY[kind]))


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("rules", "from shared.jurisdiction.calendar import WorkCalendar"),
        ("rules", "from services.tracker.rules import machine"),
        ("routes", "from services.tracker import schemas, usecases"),
        ("usecases", "from services.tracker.models import Clock"),
    ],
)
def test_the_fence_lets_neighbours_in(kind: str, source: str) -> None:
    assert not list(trespasses(ast.parse(source), "tracker", MAY[kind]))
