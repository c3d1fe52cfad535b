"""The project's own source, parsed once for all tests of its shape."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "dispatcher", "tracker", "feedback")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files(*folders: str) -> list[Path]:
    """The Python files of some folders, relative to the project."""
    found = [path for folder in folders for path in (PROJECT / folder).rglob("*.py")]
    return sorted(path.relative_to(PROJECT) for path in found)


@cache
def text(path: Path) -> str:
    """What a file says."""
    return (PROJECT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed."""
    return ast.parse(text(path))


def imported(module: ast.Module) -> Iterator[str]:
    """Dotted names of what a module imports; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(module: ast.Module) -> Iterator[Function]:
    """Every function and method of a module."""
    for node in ast.walk(module):
        if isinstance(node, Function):
            yield node


def called(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Dotted names of what a module calls, with the line."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            yield ast.unparse(node.func), node.lineno


def strings(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Every string a module holds but its docstrings, with the line."""
    documents = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    for node in ast.walk(module):
        if not isinstance(node, ast.Constant) or id(node) in documents:
            continue
        if isinstance(node.value, str):
            yield node.value, node.lineno


def code_lines(source: str) -> int:
    """Lines that do something: no blank ones, no comments, no docstrings."""
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (*silent, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)
