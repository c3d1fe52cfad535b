"""A city's own table of topics or areas, read from a CSV and written into codes.yaml. Pure.

Two forms are read. With a column 代码 (code) every row is one entry: ``code, name``, and where there
is one ``parent``, ``en``, ``aliases``. Without it every column is a level and every row a path of names, as
cities hand their trees out; the codes are then the paths: 城乡建设/供水/停水.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.errors import ConfigError

Table = Literal["topics", "areas"]
COLUMNS = {
    "code": ("code", "代码", "编码", "编号", "区划代码", "分类代码"),
    "name": ("name", "zh", "名称", "中文名", "分类名称"),
    "parent": ("parent", "上级", "上级代码", "父级", "父代码"),
    "en": ("en", "english", "英文", "英文名"),
    "aliases": ("aliases", "alias", "别名", "俗称"),
}
BETWEEN_ALIASES = re.compile(r"[、;；|]")
NO_CODE = re.compile(r"[\s./]+")  # what would be another level, or no code at all
PLAIN = re.compile(r"[^\W\d][\w/]*")  # needs no quotes in YAML
WORDS = {"true", "false", "null"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One row to write; ``line`` is where it stands in the CSV."""

    line: int
    code: str
    name: str
    parent: str = ""
    en: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(slots=True)
class Tree:
    """What a file holds: fields (for topics), then topics or areas, in the order they are written;
    ``left`` are rows that could not be taken, ``doubtful`` what somebody should look at.
    """

    fields: dict[str, Entry] = field(default_factory=dict)
    leaves: dict[str, Entry] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


def read_tree(raw: bytes, table: Table) -> Tree:
    """Read a CSV in UTF-8 or, as spreadsheets save it, in GB18030. Raises ConfigError."""
    try:
        rows = list(csv.reader(io.StringIO(_text(raw), newline="")))
    except csv.Error as broken:
        raise ConfigError(f"不是 CSV is no CSV: {broken}") from None
    if not rows:
        raise ConfigError("文件为空 the file is empty")
    columns = _columns(rows[0])
    body = [(at, [cell.strip() for cell in row]) for at, row in enumerate(rows[1:], 2) if any(row)]
    tree = Tree()
    if "code" in columns:
        if "name" not in columns:
            raise ConfigError("缺少名称列 a column for the names is needed: 名称 or name")
        _take_entries(tree, list(_entries(body, columns)), table)
    elif table == "areas":
        raise ConfigError("区域须有代码列 areas need a column for their codes: 代码 or code")
    else:
        _take_paths(tree, body)
    tree.doubtful += _shared_names(tree)
    return tree


def _text(raw: bytes) -> str:
    for charset in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    raise ConfigError("既非 UTF-8 也非 GB18030 neither UTF-8 nor GB18030")


def _columns(header: Sequence[str]) -> Mapping[str, int]:
    cells = [cell.strip().casefold() for cell in header]
    known = {name: meaning for meaning, names in COLUMNS.items() for name in names}
    return {known[cell]: at for at, cell in enumerate(cells) if cell in known}


def _entries(
    rows: Iterable[tuple[int, Sequence[str]]], columns: Mapping[str, int]
) -> Iterator[Entry]:
    for line, row in rows:
        cells = {name: row[at] for name, at in columns.items() if at < len(row)}
        aliases = filter(None, map(str.strip, BETWEEN_ALIASES.split(cells.pop("aliases", ""))))
        given = {"code": "", "name": ""} | cells
        yield Entry(line=line, aliases=tuple(aliases), **given)


def _take_entries(tree: Tree, entries: Sequence[Entry], table: Table) -> None:
    """Entries with codes of their own; whatever something lies under is a field."""
    parents = {entry.parent for entry in entries} if table == "topics" else set()
    ahead = []
    for entry in entries:
        if not entry.code or not entry.name:
            tree.left.append(f"第{entry.line}行缺代码或名称 line {entry.line}: no code or no name")
        else:
            ahead.append(entry)
    while ahead:  # what something lies under is written before it
        ready = [e for e in ahead if table == "areas" or not e.parent or e.parent in tree.fields]
        for entry in ready:
            _add(tree.fields if entry.code in parents else tree.leaves, entry, tree)
        if not ready:
            tree.left += (
                f"第{e.line}行的上级不存在 line {e.line}: no such parent: {e.parent}" for e in ahead
            )
            break
        ahead = [entry for entry in ahead if entry not in ready]
    if table == "topics":
        _move_roots(tree)


def _move_roots(tree: Tree) -> None:
    """A topic lies in a field: what has none is a field of its own, with nothing in it yet."""
    for entry in [e for e in tree.leaves.values() if not e.parent and not _strokes(e.code)]:
        tree.fields[entry.code] = tree.leaves.pop(entry.code)
        tree.doubtful.append(
            f"第{entry.line}行没有上级也没有下级，作为领域收入 line {entry.line}: "
            f"nothing above or below {entry.code}: taken as a field"
        )


def _strokes(code: str) -> bool:
    return "." in code or "/" in code


def _take_paths(tree: Tree, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """Paths of names: the last is a topic, all before it are fields."""
    for line, row in rows:
        names = [name for name in row if name]
        if len(names) < 2 or row[: len(names)] != names:
            tree.left.append(
                f"第{line}行须至少两级且中间不空 line {line}: two levels or more, no gap"
            )
            continue
        codes = [NO_CODE.sub("_", name) for name in names]
        if codes != names:
            tree.doubtful.append(f"第{line}行的代码改写为 line {line}: coded as {'/'.join(codes)}")
        for depth in range(1, len(names)):
            code = "/".join(codes[:depth])
            tree.fields.setdefault(code, Entry(line, code, names[depth - 1]))
        _add(tree.leaves, Entry(line, "/".join(codes), names[-1]), tree)


def _add(entries: dict[str, Entry], entry: Entry, tree: Tree) -> None:
    if entry.code in entries:
        first = entries[entry.code].line
        tree.left.append(
            f"第{entry.line}行重复，首见第{first}行 line {entry.line}: again, first in line {first}"
        )
    else:
        entries[entry.code] = entry


def _shared_names(tree: Tree) -> Iterator[str]:
    counts = Counter(entry.name for entry in tree.leaves.values())
    for name, count in counts.items():
        if count > 1:
            yield (
                f"“{name}”有{count}项同名，来件须写上级名称或代码 {count} are called so: callers must "
                "send the code, or the name of what it lies in too"
            )


# --- into codes.yaml ---------------------------------------------------------------------------


def written(text: str, table: str, entries: Iterable[Entry], *, replace: bool) -> str:
    """codes.yaml with entries added to one of its tables, or in place of it; all else stays as it is,
    comments too. Raises ConfigError when it has no such table.
    """
    found = re.search(rf"^{table}:.*\n(?:(?![A-Za-z]).*\n?)*", text, re.MULTILINE)
    if not found:
        raise ConfigError(f"codes.yaml: 缺少 {table}: is missing")
    head, *lines = found[0].splitlines()
    tail: list[str] = []
    while lines and not lines[-1].startswith(("  ", "-")):  # comments that belong to what follows
        tail.insert(0, lines.pop())
    if replace or head.endswith("[]"):
        head, lines = f"{table}:", []
    label = "name" if table == "areas" else "zh"
    rows = [_row(entry, label) for entry in entries]
    if not lines and not rows:
        head = f"{table}: []"
    block = "\n".join([head, *lines, *rows, *tail])
    return f"{text[: found.start()]}{block}\n{text[found.end() :]}"


def _row(entry: Entry, label: str) -> str:
    values = [("code", _quoted(entry.code)), (label, _quoted(entry.name))]
    if entry.en:
        values.append(("en", _quoted(entry.en)))
    if entry.parent and label == "zh":  # where an area lies, its digits say
        values.append(("parent", _quoted(entry.parent)))
    if entry.aliases:
        values.append(("aliases", f"[{', '.join(map(_quoted, entry.aliases))}]"))
    return f"  - {{{', '.join(f'{key}: {value}' for key, value in values)}}}"


def _quoted(text: str) -> str:
    bare = PLAIN.fullmatch(text) and text.casefold() not in WORDS
    return text if bare else json.dumps(text, ensure_ascii=False)
