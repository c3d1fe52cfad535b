"""Reads config/<jurisdiction> and points at every fault: file, line, field.

Each service owns the model of its own file; the code tables and the units stand here because
intake, dispatcher and the broker's topology all read them.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from rapidfuzz import fuzz
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


# --- the code tables ---------------------------------------------------------------------------

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,8}$")]
AreaCode = Annotated[str, StringConstraints(pattern=r"^\d{9}$")]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Area(_Row):
    """区域: a town, or the county as a whole, which no town answers for."""

    code: AreaCode
    name: Words
    unit: UnitCode | None = None


class Term(_Row):
    """A channel (来源渠道), a field of topics (领域), a topic (诉求分类): ``field.matter``, or the
    ground of a return (退单理由).
    """

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
    zh: Words
    en: Words


class Unit(_Row):
    """承办单位: who can be given a ticket; ``liaison`` is the role that must sign (R-11, JN-13)."""

    code: UnitCode
    name: Words
    kind: Literal["town", "department", "utility", "office"]
    parent: UnitCode | None = None
    area: AreaCode | None = None
    delivery: Literal["amqp", "feed"]
    liaison: Words


class Codes(_Row):
    """codes.yaml: the tables a ticket's codes are checked against."""

    schema_version: Literal[1]
    areas: tuple[Area, ...]
    channels: tuple[Term, ...]
    fields: tuple[Term, ...]
    topics: tuple[Term, ...]
    reasons: tuple[Term, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for table in ("areas", "channels", "fields", "topics", "reasons"):
            refuse(_twins(table, getattr(self, table)))
        known = {field.code for field in self.fields}
        refuse(
            (("topics", at, "code"), f"{topic.code} 不属于任何领域 lies in no field")
            for at, topic in enumerate(self.topics)
            if topic.code.rpartition(".")[0] not in known
        )
        return self

    def area(self, code: str) -> Area | None:
        """The area of a code, None when it is unknown."""
        return next((area for area in self.areas if area.code == code), None)

    def topic(self, code: str) -> Term | None:
        """The topic of a code, None when it is unknown."""
        return next((topic for topic in self.topics if topic.code == code), None)

    def channel(self, code: str) -> Term | None:
        """The channel of a code, None when it is unknown."""
        return next((channel for channel in self.channels if channel.code == code), None)

    def nearest_areas(self, text: str, n: int = 3) -> list[str]:
        """Codes of the areas most like a code or a Chinese name, best first."""
        return _nearest(text, {area.code: area.name for area in self.areas}, n)

    def nearest_topics(self, text: str, n: int = 3) -> list[str]:
        """Codes of the topics most like a code or a Chinese name, best first."""
        return _nearest(text, {topic.code: topic.zh for topic in self.topics}, n)


class Units(_Row):
    """units.yaml: the handling units. A town, and only a town, answers for an area."""

    schema_version: Literal[1]
    units: tuple[Unit, ...]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(_twins("units", self.units))
        known = {unit.code for unit in self.units}
        refuse(
            (("units", at, field), wrong)
            for at, unit in enumerate(self.units)
            for field, wrong in _ill_placed(unit, known)
        )
        return self

    def unit(self, code: str) -> Unit | None:
        """The unit of a code, None when it is unknown."""
        return next((unit for unit in self.units if unit.code == code), None)

    def towns(self) -> dict[str, str]:
        """The town of each area: unit code by area code."""
        return {unit.area: unit.code for unit in self.units if unit.area is not None}

    def nearest_units(self, text: str, n: int = 3) -> list[str]:
        """Codes of the units most like a code or a Chinese name, best first."""
        return _nearest(text, {unit.code: unit.name for unit in self.units}, n)


def _twins(table: str, rows: Iterable[Area | Term | Unit]) -> Iterator[tuple[Place, str]]:
    seen: set[str] = set()
    for at, row in enumerate(rows):
        if row.code in seen:
            yield (table, at, "code"), f"{row.code} 重复 stands here twice"
        seen.add(row.code)


def _ill_placed(unit: Unit, known: Collection[str]) -> Iterator[tuple[str, str]]:
    if unit.parent is not None and (unit.parent == unit.code or unit.parent not in known):
        yield "parent", f"{unit.parent} 不是其他单位 is no other unit"
    if (unit.kind == "town") != (unit.area is not None):
        yield "area", "镇且仅镇须有区域 a town, and only a town, has one"


def _nearest(text: str, names: Mapping[str, str], n: int) -> list[str]:
    asked = text.casefold()

    def likeness(code: str) -> float:
        return max(fuzz.WRatio(asked, code.casefold()), fuzz.WRatio(asked, names[code]))

    return heapq.nlargest(n, names, key=likeness)
