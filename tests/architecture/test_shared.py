"""What lies in shared is used by three services at least, and knows none of them.

A service uses a module when its imports lead there, also through other modules of shared; what only
operations, examples or tests use is no business of shared.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.source import files, imported, strings, tree

USERS = 3
# What two must judge by alike, and neither may import from the other.
TWO: Mapping[str, list[str]] = {
    "shared.jurisdiction.urgency": ["intake", "dispatcher"],
    "shared.editions": ["dispatcher", "tracker"],
    "shared.http.editions": ["dispatcher", "tracker"],
    "shared.storage.editions": ["dispatcher", "tracker"],
    "shared.trials": ["dispatcher", "tracker"],
}
SPEAKERS = Path("shared/events")  # a fact says whose it is: that is what it is published for
PATH_OF_A_SERVICE = re.compile(rf"\bservices(?:[/.]|$)|\b(?:{'|'.join(NAMES)})\b")


def module_name(path: Path) -> str:
    """The dotted name of a file."""
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def reached(roots: list[Path], imports: Mapping[Path, set[Path]]) -> set[Path]:
    """The files some files lead to, by imports of imports."""
    found, ahead = set[Path](), list(roots)
    while ahead:
        for path in imports.get(ahead.pop(), set()) - found:
            found.add(path)
            ahead.append(path)
    return found


def imports_of(paths: list[Path]) -> dict[Path, set[Path]]:
    """For each file those it imports; ``from package import name`` may mean a module or a name.

    The ``__init__`` of a package counts only where it is named itself: what it holds is asked for.
    """
    homes = {module_name(path): path for path in paths}
    return {
        path: {
            homes[name]
            for full in imported(tree(path))
            if (name := full if full in homes else full.rpartition(".")[0]) in homes
        }
        for path in paths
    }


def users(paths: list[Path], services: Mapping[str, list[Path]]) -> dict[str, list[str]]:
    """Each module of shared that holds something → the services that use it."""
    imports = imports_of([*paths, *(path for own in services.values() for path in own)])
    uses = {name: reached(own, imports) for name, own in services.items()}
    return {
        module_name(path): [name for name in services if path in uses[name]]
        for path in paths
        if len(tree(path).body) > 1  # more than a docstring
    }


def names_a_service(module: ast.Module) -> Iterator[str]:
    """Where a module of shared names a service, or where services live."""
    for name in imported(module):
        if name.partition(".")[0] == "services":
            yield f"imports {name}"
    for value, line in strings(module):
        if PATH_OF_A_SERVICE.search(value):
            yield f"line {line}: {value.strip()[:60]!r}"


def test_three_services_use_what_is_shared() -> None:
    services = {name: files(f"services/{name}") for name in NAMES}
    few = {module: by for module, by in users(files("shared"), services).items() if len(by) < USERS}
    assert few == TWO


def test_shared_knows_no_service() -> None:
    found = {
        str(path): list(names_a_service(tree(path)))
        for path in files("shared")
        if not path.is_relative_to(SPEAKERS)
    }
    assert {path: places for path, places in found.items() if places} == {}


@pytest.mark.parametrize(
    "source",
    [
        "from services.intake import rules",
        "import services.tracker",
        "HOME = Path('services')",
        "HOME = 'services/dispatcher/migrations'",
        "part = import_module(f'services.{name}')",
        "if name == 'feedback': ...",
        "actor = 'service:tracker'",
    ],
)
def test_the_fence_sees_a_service_named(source: str) -> None:
    assert list(names_a_service(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "'''What intake and tracker share; see services/intake.'''",
        "from shared.events import Fact",
        "words = 'all services answer'",
        "issue(folder, 'service', name)",
    ],
)
def test_the_fence_lets_services_be_spoken_of(source: str) -> None:
    assert not list(names_a_service(ast.parse(source)))


def test_use_is_counted_through_other_modules() -> None:
    a, b, c, lonely = (Path(f"{name}.py") for name in "abcd")
    imports = {a: {b}, b: {c}, c: {a}, lonely: {c}}
    assert reached([a], imports) == {a, b, c}
    assert lonely not in reached([a, b], imports)
