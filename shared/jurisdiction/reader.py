"""Reads one configuration file and points at every fault: file, line, field.

The language is the plain part of YAML, of which JSON is a part: ``true`` and ``false``, whole
numbers as people write them, everything else text. So ``no``, ``010`` and ``12:30`` are the texts
they look like. Anchors, tags and keys without a value are refused: what is meant must stand there.
"""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.reader import ReaderError

from shared.errors import ConfigError
from shared.http.faults import said_of
from shared.jurisdiction.schema import allowed_at
from shared.jurisdiction.sections import Where, nearest

T = TypeVar("T", bound=BaseModel)
LARGEST = 4 * 1024 * 1024  # bytes of one file
DEEPEST = 20
_UNSEEN = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
_SAID = {"model_type": "应为键值对 must be a mapping", "dict_type": "应为键值对 must be a mapping"}


class Fault(NamedTuple):
    """What is wrong in a file, and where; line 0 is the file as a whole."""

    file: str
    line: int
    field: str
    wrong: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(filter(None, (place, self.field, self.wrong)))


class Text:
    """A file as it was read: its value, and the line of everything in it."""

    def __init__(self, file: str, raw: bytes) -> None:
        self.file = file
        self.faults: list[Fault] = []
        self.root: yaml.Node | None = None
        try:
            self.root = _composed(self.faults, file, _decoded(file, raw))
        except _Unreadable as why:
            self.faults.append(why.fault)
        if self.root:
            self._walk(self.root, ())

    def model(self, model: type[T], context: Mapping[str, Any] | None = None) -> T | None:
        """The file as an instance of its model, else None; ``faults`` say what is wrong with it.

        With unknown keys and no other fault it is an instance too, for checks with other files.
        """
        if self.root is None:
            return None
        value = _value(self.root)
        result, rows = _validated(model, value, context)
        unknown = [row["loc"] for row in rows if row["type"] == "extra_forbidden"]
        if len(unknown) == len(rows) > 0:  # else sound: what is said of the rest is wanted at once
            result, more = _validated(model, _without(value, unknown), context)
            rows += more
        self.faults += (self._fault(model, row) for row in rows if not _follows(row))
        return result

    def fault(self, where: Where, wrong: str) -> Fault:
        """A fault at a place. Steps that are no part of the file, such as the branch of a union,
        stay where they are.
        """
        node, line = self.root, self.root.start_mark.line + 1 if self.root else 0
        for step in where:
            children = {name: (child, at) for name, at, child in _children(node)}
            node, line = children.get(str(step), (node, line))
        return Fault(self.file, line, ".".join(map(str, where)), wrong)

    def _fault(self, model: type[BaseModel], row: ErrorDetails) -> Fault:
        where, given = row["loc"], row["input"]
        if row["type"] == "extra_forbidden":
            near = nearest(str(where[-1]), allowed_at(model, where[:-1]))
            return self.fault(where, f"未知的键 unknown key{near}")
        said = row["msg"] if row["type"] == "rule" else _SAID.get(row["type"]) or said_of(row)
        bare = row["type"] in ("rule", "missing") or isinstance(given, dict | list | BaseModel)
        return self.fault(where, said if bare else f"{said}, not {given!r:.60}")

    def _walk(self, node: yaml.Node, where: Where) -> None:
        """Refuse what YAML allows and nobody means: doubled keys, no value, characters unseen."""
        first: dict[str, int] = {}
        if isinstance(node, yaml.ScalarNode):
            self._check_scalar(node, where)
        for step, line, child in _children(node):
            here = (*where, step)
            if step in first:
                wrong = f"重复的键 duplicate key, first in line {first[step]}"
                self.faults.append(Fault(self.file, line, ".".join(map(str, here)), wrong))
            first.setdefault(step, line)
            self._walk(child, here)

    def _check_scalar(self, node: yaml.ScalarNode, where: Where) -> None:
        said = None
        if node.tag.endswith(":null"):
            said = "没有值 no value"
        elif unseen := next((c for c in node.value if unicodedata.category(c) in _UNSEEN), None):
            said = f"含不可见字符 an invisible character: U+{ord(unseen):04X}"
        if said:
            dotted = ".".join(map(str, where))
            self.faults.append(Fault(self.file, node.start_mark.line + 1, dotted, said))


def _validated(
    model: type[T], value: Any, context: Mapping[str, Any] | None
) -> tuple[T | None, list[ErrorDetails]]:
    try:
        return model.model_validate_json(json.dumps(value), strict=True, context=context), []
    except ValidationError as broken:
        return None, broken.errors(include_url=False)


def _without(value: Any, places: Iterable[Where]) -> Any:
    """A file's value without some of its keys."""
    whole = copy.deepcopy(value)
    for *way, last in places:
        place = whole
        for step in way:
            if isinstance(step, int) or (isinstance(place, dict) and step in place):
                place = place[step]  # the name of a form a value may have is no step in the file
        del place[last]
    return whole


def _follows(row: ErrorDetails) -> bool:
    """Whether a list is called too short only because its items are at fault, which is said by itself."""
    return row["type"] == "too_short" and bool(row["input"])


def read(path: Path, model: type[T], context: Mapping[str, Any] | None = None) -> T:
    """One file by itself as an instance of its model; ``context`` goes to the model's validators.

    Raises ConfigError with every fault of the file, one a line and in the order of the file:
    ``path:line: field.path: what is wrong``.
    """
    try:
        found = Text(str(path), bytes_of(path))
    except OSError as unread:
        raise ConfigError(f"{path}: 无法读取 cannot be read: {unread.strerror}") from None
    result = found.model(model, context)
    if result is None or found.faults:
        raise ConfigError("\n".join(map(str, sorted(found.faults))))
    return result


def bytes_of(path: Path, largest: int = LARGEST) -> bytes:
    """What a file holds, of one that holds more than ``largest`` bytes one more than these. Raises
    OSError, also for what is no file: a pipe would be waited for.
    """
    if path.exists() and not path.is_file():
        raise IsADirectoryError(0, "not a file")
    with path.open("rb") as file:
        return file.read(largest + 1)


# --- the plain part of YAML --------------------------------------------------------------------


class _Unreadable(Exception):
    def __init__(self, file: str, line: int, wrong: str) -> None:
        self.fault = Fault(file, line, "", wrong)


class _Plain:
    """Resolves plain scalars as YAML 1.2 does, and fewer of them."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    for _tag, _form, _first in (
        ("bool", r"true|false", "tf"),
        ("int", r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
        ("float", r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}", "-0123456789"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ):
        for _letter in _first:
            yaml_implicit_resolvers.setdefault(_letter, []).append(
                (f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_form})$"))
            )


class _Loader(_Plain, yaml.SafeLoader):
    pass


class _FastLoader(_Plain, yaml.CSafeLoader):
    pass


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "bool": lambda text: text == "true",
    "int": int,
    "float": float,
}
_TAG = "tag:yaml.org,2002:"
_TAGS = {f"{_TAG}{name}" for name in ("bool", "int", "float", "null", "str", "map", "seq")}


def _decoded(file: str, raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise _Unreadable(file, 0, f"文件过大 larger than {LARGEST} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as binary:
        line = raw.count(b"\n", 0, binary.start) + 1
        raise _Unreadable(
            file, line, "不是 UTF-8，请另存为 UTF-8 not UTF-8: save it as UTF-8"
        ) from None


def _composed(faults: list[Fault], file: str, words: str) -> yaml.Node | None:
    """The node tree by the C parser, ten times faster; what it refuses goes to the other parser,
    whose words say more.
    """
    try:
        _check_events(file, words, _FastLoader)
        root = yaml.compose(words, Loader=_FastLoader)
    except yaml.YAMLError:
        root = _slowly(file, words)
    if root is None:
        raise _Unreadable(file, 1, "文件为空 the file is empty")
    for node in _nodes(root):
        if node.tag not in _TAGS or (isinstance(node, yaml.MappingNode) and _odd_key(node)):
            wrong = "标签或键不是文字 a tag, or a key that is no text"
            faults.append(Fault(file, node.start_mark.line + 1, "", wrong))
    return root


def _slowly(file: str, words: str) -> yaml.Node | None:
    try:
        _check_events(file, words, _Loader)
        return yaml.compose(words, Loader=_Loader)
    except ReaderError as odd:
        line, wrong = words.count("\n", 0, odd.position), str(odd.reason)
    except yaml.MarkedYAMLError as bad:
        line, wrong = bad.problem_mark.line if bad.problem_mark else 0, str(bad.problem)
    raise _Unreadable(file, line + 1, f"YAML 语法错误 bad YAML: {wrong}")


def _check_events(file: str, words: str, loader: Any) -> None:
    """Before anything is built: what repeats itself or lies too deep would be built for long."""
    depth = 0
    for event in yaml.parse(words, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1 if event.start_mark else 0
        if depth > DEEPEST:
            raise _Unreadable(file, line, f"嵌套过深 deeper than {DEEPEST} levels")
        if getattr(event, "anchor", None):
            raise _Unreadable(
                file, line, "不支持锚点与别名，请写全 an anchor or alias: write it out"
            )


def _odd_key(node: yaml.MappingNode) -> bool:
    return any(not isinstance(key, yaml.ScalarNode) for key, _ in node.value)


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    for _, _, child in _children(node):
        yield from _nodes(child)


def _children(node: yaml.Node | None) -> Iterator[tuple[str, int, yaml.Node]]:
    """Each child with its step (key or index) and the line it begins on."""
    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key.start_mark.line + 1, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(at), item.start_mark.line + 1, item) for at, item in enumerate(node.value))


def _value(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {step: _value(child) for step, _, child in _children(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(child) for child in node.value]
    return _VALUES.get(node.tag.removeprefix(_TAG), _text)(node.value)


def _text(value: str) -> str:
    return value.encode(errors="replace").decode()  # half a character is a fault already
