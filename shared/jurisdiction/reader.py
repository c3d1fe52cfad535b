"""Reads config/<jurisdiction> and points at every fault: file, line, field.

Each service owns the model of its own file; the code tables and the units stand here because
intake, dispatcher and the broker's topology all read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.reader import ReaderError

from shared.errors import ConfigError

T = TypeVar("T", bound=BaseModel)
Place = tuple[int | str, ...]
_Fault = tuple[int, str, str]  # line, field, what is wrong
_SAID = {
    "missing": "缺少必填项 required, but missing",
    "extra_forbidden": "未知字段 unknown field",
    "model_type": "应为键值对 must be a mapping",
}


def read(path: Path, model: type[T], context: Mapping[str, Any] | None = None) -> T:
    """The file as an instance of its model; ``context`` goes to the model's validators.

    Raises ConfigError with every fault of the file, one a line and in the order of the file:
    ``path:line: field.path: what is wrong``.
    """
    root, value, faults = _parse(path)
    try:
        result = model.model_validate(value, context=context)
    except ValidationError as broken:
        faults += (_fault(root, row) for row in broken.errors(include_url=False))
    if faults:
        raise _refusal(path, *faults)
    return result


def refuse(found: Iterable[tuple[Place, str]]) -> None:
    """For validators of models: raise all (place, what is wrong) found, each at its own place."""
    kinds = [(place, PydanticCustomError("rule", "{w}", {"w": wrong})) for place, wrong in found]
    if kinds:
        errors = [InitErrorDetails(type=kind, loc=place, input=None) for place, kind in kinds]
        raise ValidationError.from_exception_data("config", errors)


class _Saying(SafeConstructor):
    """Says where the value is that cannot be built, such as 2026-13-45."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError):
            wrong = f"{node.value!r} is not a value of its type"
            raise ConstructorError(None, None, wrong, node.start_mark) from None


class _Loader(_Saying, yaml.SafeLoader):
    pass


class _FastLoader(_Saying, yaml.CSafeLoader):
    pass


def _composed(words: str) -> tuple[_Loader | _FastLoader, yaml.Node | None]:
    """The node tree by the C parser, ten times faster; what it refuses goes to the other parser,
    whose words say more.
    """
    try:
        fast = _FastLoader(words)
        return fast, fast.get_single_node()
    except yaml.YAMLError:
        slow = _Loader(words)
        return slow, slow.get_single_node()


def _parse(path: Path) -> tuple[yaml.Node, Any, list[_Fault]]:
    """The node tree, which knows the lines, its value, and its doubled keys."""
    try:
        raw = path.read_bytes()
        loader, root = _composed(raw.decode())
        if root is None:
            raise _refusal(path, (1, "", "文件为空 the file is empty"))
        faults = list(_doubled(root, (), set()))  # before constructing, which mixes merged keys in
        return root, loader.construct_document(root), faults
    except OSError as unread:
        raise ConfigError(f"{path}: 无法读取 cannot be read: {unread.strerror}") from None
    except UnicodeDecodeError as binary:
        line, wrong = raw.count(b"\n", 0, binary.start), "not UTF-8"
    except ReaderError as odd:
        line, wrong = raw.decode().count("\n", 0, odd.position), str(odd.reason)
    except yaml.MarkedYAMLError as bad:
        line, wrong = bad.problem_mark.line if bad.problem_mark else 0, str(bad.problem)
    raise _refusal(path, (line + 1, "", f"YAML 语法错误 bad YAML: {wrong}"))


def _refusal(path: Path, *faults: _Fault) -> ConfigError:
    rows = (": ".join(filter(None, (f"{path}:{line}", *said))) for line, *said in sorted(faults))
    return ConfigError("\n".join(rows))


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    """Each child with its step (key or index) and the line it begins on."""
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key.start_mark.line + 1, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(at), item.start_mark.line + 1, item) for at, item in enumerate(node.value))


def _doubled(node: yaml.Node, place: Place, seen: set[int]) -> Iterator[_Fault]:
    if id(node) in seen:  # reached before by an alias
        return
    seen.add(id(node))
    first: dict[str, int] = {}
    for step, line, child in _children(node):
        here = (*place, step)
        if step in first:
            yield line, _dotted(here), f"重复的键 duplicate key, first in line {first[step]}"
        first.setdefault(step, line)
        yield from _doubled(child, here, seen)


def _fault(root: yaml.Node, row: ErrorDetails) -> _Fault:
    """Steps that are no part of the file, such as the branch of a union, stay where they are."""
    node, line = root, root.start_mark.line + 1
    for step in row["loc"]:
        children = {name: (child, at) for name, at, child in _children(node)}
        node, line = children.get(str(step), (node, line))
    return line, _dotted(row["loc"]), _SAID.get(row["type"]) or _with_value(row)


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _with_value(row: ErrorDetails) -> str:
    said, given = row["msg"].removeprefix("Value error, "), row["input"]
    bare = row["type"] == "rule" or isinstance(given, dict | list | BaseModel)
    return said if bare else f"{said}, not {given!r:.60}"
