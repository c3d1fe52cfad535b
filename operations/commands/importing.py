"""Bringing in what a place has already: its tree of topics, its areas."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from operations.code_tree import Entry, Table, Tree, read_tree, written
from operations.runtime import reload as rules
from services.dispatcher.rules.catalogue import Catalogue
from shared.errors import ConfigError
from shared.jurisdiction.codes import Codes
from shared.jurisdiction.reader import Text, bytes_of, read

SHOWN = 20  # of each list


def import_codes(
    file: Annotated[Path, typer.Argument(help="CSV: a column per level, or code, name, parent")],
    into: Annotated[Path, typer.Option(help="the county's folder")],
    table: Annotated[str, typer.Option(help="topics or areas")] = "topics",
    replace: Annotated[bool, typer.Option(help="instead of the rows there are")] = False,
) -> None:
    """Write a city's own codes into codes.yaml, which is kept as codes.yaml~; says what was taken, what
    was not, and which topics no rule covers. Exit code 2, and nothing written, when it would not load.
    """
    kind = _table(table)
    path = into / "codes.yaml"
    before = read(path, Codes)
    raw = bytes_of(path)
    tree = read_tree(bytes_of(file), kind)
    news = _new(tree, before, kind, replace)
    text = raw.decode()
    for name, entries in news.items():
        text = written(text, name, entries, replace=replace)
    after = _checked(path, text)
    path.with_name("codes.yaml~").write_bytes(raw)
    new = path.with_name(".codes.yaml")
    new.write_text(text, encoding="utf-8")
    new.replace(path)  # a folder that is read meanwhile has the one or the other
    _report(tree, news, kind)
    if kind == "topics":
        _tell(
            "派单目录未覆盖，将转人工 no rule names them, they go to the desk",
            _uncovered(into, after),
        )
    _check(into)


def _table(word: str) -> Table:
    if word == "topics":
        return "topics"
    if word == "areas":
        return "areas"
    raise ConfigError("--table: topics 或 or areas")


def _new(tree: Tree, before: Codes, kind: Table, replace: bool) -> dict[str, list[Entry]]:
    """The rows to write, by table; a code that stands there already is left as it is."""
    tables = (
        {"areas": tree.leaves}
        if kind == "areas"
        else {"fields": tree.fields, "topics": tree.leaves}
    )
    found = {}
    for name, entries in tables.items():
        known = set() if replace else {row.code for row in getattr(before, name)}
        found[name] = [entry for code, entry in entries.items() if code not in known]
    return found


def _checked(path: Path, text: str) -> Codes:
    """The tables as they will be read. Raises ConfigError with every fault."""
    found = Text(str(path), text.encode())
    codes = found.model(Codes)
    if codes is None or found.faults:
        raise ConfigError("\n".join(map(str, sorted(found.faults))))
    return codes


def _uncovered(into: Path, codes: Codes) -> list[str]:
    """Topics that no rule of the catalogue names, neither by themselves nor by a field above."""
    catalogue = read(into / "catalogue.yaml", Catalogue)
    named = {rule.topic for rule in catalogue.rules}
    return [topic.code for topic in codes.topics if named.isdisjoint(codes.lineage(topic.code))]


def _report(tree: Tree, news: dict[str, list[Entry]], kind: Table) -> None:
    for name, entries in news.items():
        read_in = len(tree.fields if name == "fields" else tree.leaves)
        typer.echo(
            f"{name}: 写入 written {len(entries)}，已有 there already {read_in - len(entries)}"
        )
    _tell("未收入 not taken", tree.left)
    _tell("存疑 doubtful", tree.doubtful)


def _tell(what: str, rows: Iterable[str]) -> None:
    found = list(rows)
    typer.echo(f"{what}: {len(found)}")
    for row in found[:SHOWN]:
        typer.echo(f"  {row}")
    if len(found) > SHOWN:
        typer.echo(f"  … {len(found) - SHOWN}")


def _check(into: Path) -> None:
    """The folder as every service reads it: what else of it must follow is told as it always is."""
    try:
        rules.check(into)
    except ConfigError as faults:
        typer.echo(f"其余文件尚有错误 faults of the folder: {len(str(faults).splitlines())}")
        raise
    typer.echo(f"规则无误 the folder is in order: reload {into}")
