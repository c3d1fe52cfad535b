"""Which file may import what, as a table; the layers are import-linter's (``make lint``)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.imports_table import MAY, May
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
            allowed = rest[0] == service and (len(rest) == 1 or rest[1] in may.own)
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


def of_services() -> list[tuple[str, str, Path]]:
    """Service, kind of file, path: for every file the table speaks of."""
    found = []
    for path in files(*(f"services/{service}" for service in NAMES)):
        service, kind = path.parts[1], Path(path.parts[2]).stem
        if kind in MAY:
            found.append((service, kind, path))
    return found


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
