"""派单目录成文: rules as the file writes them; one rule more in a text, all else untouched. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.dispatcher.rules.catalogue import Rule

HEAD = "rules:"
INDENT = "  "


def written(rules: Iterable[Rule]) -> str:
    """A whole catalogue as text."""
    return "\n".join([HEAD, *(line for rule in rules for line in lines_of(rule)), ""])


def with_rule(text: str, rule: Rule, line: int | None) -> str:
    """A catalogue's text with one rule more: before the rule that begins in a line (counted from 1), or
    at the end. All else stays as it is, comments too.
    """
    lines = text.rstrip("\n").split("\n")
    at = len(lines) if line is None else line - 1
    first = next((row for row in lines if row.lstrip().startswith("- ")), f"{INDENT}- ")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join([*lines[:at], *lines_of(rule, indent), *lines[at:], ""])


def lines_of(rule: Rule, indent: str = INDENT) -> list[str]:
    """One rule, a line for each thing it asks or says."""
    said = rule.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    rows = [f"{key}: {_value(value)}" for key, value in said.items()]
    return [f"{indent}{'- ' if at == 0 else '  '}{row}" for at, row in enumerate(rows)]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_value(each)}' for key, each in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)
