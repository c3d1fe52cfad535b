"""A service more is one entry in the registry: nobody else lists them by hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.runtime.registry import NAMES
from tests.fixtures.source import PROJECT, files, tree

REGISTRY = Path("operations/runtime/registry.py")
TEXTS = ("Makefile", "docker-compose.yml", "operations/containers/trial.yml", "setup.sh", ".ci/run")


def lists(module: ast.Module) -> Iterator[int]:
    """Lines on which a literal begins that names every service."""
    for node in ast.walk(module):
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            words = list(node.elts)
        elif isinstance(node, ast.Dict):
            words = [key for key in node.keys if key is not None]
        else:
            continue
        literal = {word.value for word in words if isinstance(word, ast.Constant)}
        if literal >= set(NAMES):
            yield node.lineno


def lines(text: str) -> Iterator[str]:
    """Lines that name every service, comments aside."""
    for line in text.splitlines():
        said = line.partition("#")[0].lower()
        if all(name in said for name in NAMES):
            yield line.strip()


def test_no_code_lists_the_services() -> None:
    code = files("shared", "services", "operations", "examples", "tests")
    found = {str(path): list(lists(tree(path))) for path in code if path != REGISTRY}
    assert {path: where for path, where in found.items() if where} == {}


@pytest.mark.parametrize("name", TEXTS)
def test_no_other_file_lists_the_services(name: str) -> None:
    assert list(lines((PROJECT / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("brackets", ["[{}]", "({})", "{{{}}}"])
def test_the_fence_sees_a_list(brackets: str) -> None:
    names = ", ".join(map(repr, NAMES))
    assert list(lists(ast.parse(f"for name in {brackets.format(names)}: ...")))
    assert list(lists(ast.parse(f"PORTS = {dict.fromkeys(NAMES, 1)}")))
    assert list(lines(f"SERVICES := {' '.join(NAMES).upper()}"))


def test_the_fence_lets_some_be_named() -> None:
    some = NAMES[1:]
    assert not list(lists(ast.parse(f"LISTENERS = {some}")))
    assert not list(lines(f"# {' '.join(NAMES)}"))
