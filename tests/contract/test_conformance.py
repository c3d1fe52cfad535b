"""docs/conformance.md: every rule of the trade stands in it once, every test it names proves what it says."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.fixtures.source import PROJECT

RULE = re.compile(r"^\| (R-\d{2}) ", re.MULTILINE)
BEYOND = re.compile(r"^\| (gain \d+|DOMAIN\.md \d) ")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
STATE = re.compile(r"\*\*(built|partly|not yet)\*\*(.*) \|$")
PAGE = (PROJECT / "docs/conformance.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if RULE.match(line)]
GAINS = [line for line in PAGE.splitlines() if BEYOND.match(line)]


def rule_of(row: str) -> str:
    """What a row is about: a rule, or what goes beyond them."""
    found = RULE.match(row) or BEYOND.match(row)
    assert found
    return found[1]


@cache
def proofs_in(path: str) -> dict[str, str]:
    """The tests of a file, each with what it says of itself."""
    module = ast.parse((PROJECT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name: ast.get_docstring(node) or "" for node in module.body if isinstance(node, kinds)
    }


def test_every_rule_of_the_trade_stands_in_it_once() -> None:
    domain = (PROJECT / "docs/DOMAIN.md").read_text(encoding="utf-8")
    assert RULE.findall(PAGE) == RULE.findall(domain)
    assert len(ROWS) == len(set(RULE.findall(PAGE))) > 0


def test_every_gain_that_is_cited_is_one_of_the_trade_s() -> None:
    domain = (PROJECT / "docs/DOMAIN.md").read_text(encoding="utf-8")
    for row in GAINS:
        if gain := re.match(r"\| gain (\d+) ", row):
            assert f"\n| {gain[1]} | **" in domain


@pytest.mark.parametrize("row", [*ROWS, *GAINS], ids=rule_of)
def test_a_rule_is_proved_by_tests_that_name_it_or_says_why_not(row: str) -> None:
    rule, proofs, state = rule_of(row), TEST.findall(row), STATE.search(row)
    assert state, "the last column says: built, partly or not yet"
    assert bool(proofs) == (state[1] != "not yet")
    assert state[2] or state[1] == "built", "what is missing, or why not yet"
    for path, name in proofs:
        named = rule.lower() in proofs_in(path)[name].lower()
        assert named, f"{path}::{name} does not name {rule}"
