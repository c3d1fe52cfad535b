"""Plain rows: what an act loads, changes and adds, written once at its end.

A row is what code holds, and nothing watches it: ``Ticket``, in the singular, a model of values. Its
table is ``Tickets(Ticket, table=True)``, and that is what queries name. Saving takes one statement a
table for all rows of an act, however many there are: what is inserted and what is changed goes over
as one JSON text, and PostgreSQL makes rows of it. So a use case never flushes, a batch of facts
costs about as many statements as one fact, and what is not saved was not done.

JSON within a row is replaced and never changed in place: only another value is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Executable,
    Table,
    TextClause,
    any_,
    inspect,
    literal,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import SQLModel, col

M = TypeVar("M", bound=SQLModel)
V = TypeVar("V")


def one_of(column: V, values: Iterable[V]) -> ColumnElement[bool]:
    """Whether a column has one of these values: one statement for any number of them, where ``IN``
    would be another statement for each number.
    """
    named: Any = column
    return col(named) == any_(literal(list(values), ARRAY(named.type)))


@dataclass(slots=True)
class _Kept:
    """A row as it was when it was loaded or last collected, and what has changed since it was."""

    row: SQLModel
    seen: dict[str, Any]
    changed: set[str]


class Rows:
    """The rows of one act. Locks are taken by the queries that load them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._kept: list[_Kept] = []
        self._added: list[SQLModel] = []
        self._removed: list[SQLModel] = []
        self._unless_there: list[SQLModel] = []
        self._counted = 0

    async def load(
        self, row: type[M], query: Executable, values: Mapping[str, Any] | None = None
    ) -> list[M]:
        """Rows of a query that selects their whole table, in its order. What is changed of them is
        written when the act ends; a row may be loaded once an act.
        """
        connection = await self._session.connection()
        found = await connection.execute(query, values)
        empty, names = _empty(row), tuple(found.keys())
        loaded = [
            cast(M, empty.model_copy(update=dict(zip(names, each, strict=True)))) for each in found
        ]
        self._kept += (_Kept(each, dict(each.__dict__), set()) for each in loaded)
        return loaded

    def add(self, row: M, *, unless_there: bool = False) -> M:
        """A new row; ``unless_there``: one of its key that stands already stays as it is."""
        (self._unless_there if unless_there else self._added).append(row)
        return row

    def remove(self, row: SQLModel) -> None:
        """A row that is there no more, whether it was loaded or just added."""
        if any(added is row for added in self._added):
            self._added = [added for added in self._added if added is not row]
        else:
            self._removed.append(row)

    def collect(self) -> bool:
        """Take note of what changed; whether anything did since the last time."""
        counted = len(self._added) + len(self._unless_there) + len(self._removed)
        news, self._counted = counted != self._counted, counted
        for kept in self._kept:
            if (now := kept.row.__dict__) != kept.seen:
                kept.changed |= {name for name, value in now.items() if value != kept.seen[name]}
                kept.seen, news = dict(now), True
        return news

    async def save(self) -> None:
        """Write everything: one statement a table for what is new, changed and removed."""
        self.collect()
        removed = {id(row) for row in self._removed}
        changed = [kept for kept in self._kept if kept.changed and id(kept.row) not in removed]
        if not (changed or self._counted):
            return
        connection = await self._session.connection()
        # First what is removed: a row of its key may have come again.
        for table, rows in reversed(_by_table(self._removed).items()):
            await _delete(connection, table, rows)
        for table, rows in _by_table(self._added).items():
            await _insert(connection, table, rows)
        for table, rows in _by_table(self._unless_there).items():
            await _insert(connection, table, rows, " ON CONFLICT DO NOTHING")
        for table, rows in _by_table([kept.row for kept in changed]).items():
            of_table = {id(row) for row in rows}
            names = set[str]().union(*(k.changed for k in changed if id(k.row) in of_table))
            await _update(connection, table, rows, tuple(sorted(names)))
        self._added, self._unless_there, self._removed = [], [], []
        for kept in changed:
            kept.changed.clear()
        self._counted = 0


@cache
def _empty(row: type[SQLModel]) -> SQLModel:
    """What rows are copied from: pydantic makes a copy in half the time of a new one."""
    return row.model_construct()


# --- their statements --------------------------------------------------------------------------


@cache
def table_of(row: type[SQLModel]) -> Table:
    """The table of a row: its one subclass that is mapped."""
    [mapped] = row.__subclasses__()
    table: Table = inspect(mapped).local_table
    return table


def _by_table(rows: Sequence[SQLModel]) -> dict[Table, list[SQLModel]]:
    """Rows by their tables, in the order in which tables refer to one another."""
    found: dict[Table, list[SQLModel]] = {}
    for row in rows:
        found.setdefault(table_of(type(row)), []).append(row)
    if len(found) < 2:
        return found
    ordered = next(iter(found)).metadata.sorted_tables
    return {table: found[table] for table in ordered if table in found}


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[SQLModel], unless: str = ""
) -> None:
    names = tuple(column.name for column in table.columns if column.identity is None)
    await connection.execute(_inserting(table, unless), {"rows": _as_json(rows, names)})


async def _update(
    connection: AsyncConnection, table: Table, rows: Sequence[SQLModel], names: tuple[str, ...]
) -> None:
    keys = tuple(table.primary_key.columns.keys())
    await connection.execute(_updating(table, names), {"rows": _as_json(rows, keys + names)})


async def _delete(connection: AsyncConnection, table: Table, rows: Sequence[SQLModel]) -> None:
    keys = tuple(table.primary_key.columns.keys())
    await connection.execute(_deleting(table), {"rows": _as_json(rows, keys)})


FROM_JSON = "json_populate_recordset(CAST(NULL AS {0}), CAST(:rows AS json)) AS given"


@cache
def _inserting(table: Table, unless: str) -> TextClause:
    names = ", ".join(column.name for column in table.columns if column.identity is None)
    source = FROM_JSON.format(table.name)
    return text(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {source}{unless}")


@lru_cache(maxsize=1_000)
def _updating(table: Table, names: tuple[str, ...]) -> TextClause:
    given = ", ".join(f"{name} = given.{name}" for name in names)
    source = FROM_JSON.format(table.name)
    return text(f"UPDATE {table.name} AS kept SET {given} FROM {source} WHERE {_same_key(table)}")


@cache
def _deleting(table: Table) -> TextClause:
    source = FROM_JSON.format(table.name)
    return text(f"DELETE FROM {table.name} AS kept USING {source} WHERE {_same_key(table)}")


def _same_key(table: Table) -> str:
    keys = tuple(table.primary_key.columns.keys())
    return " AND ".join(f"kept.{name} = given.{name}" for name in keys)


def _as_json(rows: Sequence[SQLModel], names: Sequence[str]) -> str:
    values = [{name: row.__dict__[name] for name in names} for row in rows]
    return orjson.dumps(values, default=_as_text).decode()


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, UUID):  # the driver's own kind of it
        return str(value)
    raise TypeError(f"a row holds no {type(value).__name__}")
