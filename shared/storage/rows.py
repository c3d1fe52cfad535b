"""Plain rows: what an act loads, changes and adds, written at its end (and once more, what own_facts.py
adds then).

A row is what code holds, and nothing watches it: ``Ticket``, in the singular, a model of values. Its
table is ``Tickets(Ticket, table=True)``, and that is what queries name. Saving takes one statement a
table for what is removed, one for what is new and one for what changed, however many rows that is:
they go over as one JSON text, and PostgreSQL makes rows of it. So a use case never flushes, a batch
of facts costs about as many statements as one fact, and what is not saved was not done.

JSON within a row is replaced and never changed in place: only another value is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Dialect,
    Executable,
    Table,
    TextClause,
    any_,
    inspect,
    literal,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import SQLModel, col

M = TypeVar("M", bound=SQLModel)
V = TypeVar("V")

DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # of sqlalchemy


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


@dataclass(frozen=True, slots=True)
class Looked(Generic[M]):
    """Rows as they came, of which many are better made in a thread."""

    row: type[M]
    names: tuple[str, ...]
    found: Sequence[Any]

    def made(self) -> list[M]:
        """The rows."""
        empty = _empty(self.row)
        return [
            cast(M, empty.model_copy(update=dict(zip(self.names, each, strict=True))))
            for each in self.found
        ]


class Rows:
    """The rows of one act. Locks are taken by the queries that load them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._kept: list[_Kept] = []
        # By identity: rows are equal when their values are.
        self._added: dict[int, tuple[SQLModel, str]] = {}  # and what to do when it is there
        self._removed: dict[int, SQLModel] = {}
        self._news = False

    async def load(
        self, row: type[M], query: Executable, values: Mapping[str, Any] | None = None
    ) -> list[M]:
        """Rows of a query that selects their whole table, in its order. What is changed of them is
        written when the act ends; a row may be loaded once an act, or "is gone" when both change.
        """
        loaded = (await self.look(row, query, values)).made()
        self._kept += (_Kept(each, dict(each.__dict__), set()) for each in loaded)
        return loaded

    async def look(
        self, row: type[M], query: Executable, values: Mapping[str, Any] | None = None
    ) -> Looked[M]:
        """Rows of such a query to look at only: nothing of them is kept, or written."""
        connection = await self._session.connection()
        found = await connection.execute(query, values)
        return Looked(row, tuple(found.keys()), found.all())

    def add(self, row: M, *, unless_there: bool = False, or_else: str = "") -> M:
        """A new row; ``unless_there``: one that stands under any of its unique keys when the act ends stays
        as it is; ``or_else``: what becomes of that one (``ON CONFLICT …``). What is changed in it after
        save() is not written.
        """
        self._added[id(row)] = row, "ON CONFLICT DO NOTHING" if unless_there else or_else
        self._news = True
        return row

    def remove(self, row: SQLModel) -> None:
        """A row that is there no more, whether it was loaded or just added; one of its key may be
        added anew.
        """
        if self._added.pop(id(row), None) is None:
            self._removed[id(row)] = row
        self._news = True

    def collect(self) -> bool:
        """Take note of what changed; whether anything did since the last time, in loaded rows or by
        adding and removing.
        """
        news, self._news = self._news, False
        for kept in self._kept:
            if (now := kept.row.__dict__) != kept.seen:
                kept.changed |= {name for name, value in now.items() if value != kept.seen[name]}
                kept.seen, news = dict(now), True
        return news

    async def save(self) -> None:
        """Write everything: what is removed first, then what is new, then what changed.

        Raises AssertionError when a row that changed is gone; what JSON and the database refuse.
        """
        self.collect()
        gone = self._removed.keys()
        changes = {id(k.row): k for k in self._kept if k.changed and id(k.row) not in gone}
        if not (gone or self._added or changes):
            return
        connection = await self._session.connection()
        for table, rows in reversed(_by_table(self._removed.values())):
            await _delete(connection, table, rows)
        for table, rows in _by_table(row for row, _ in self._added.values()):
            by_clause = groupby(sorted(rows, key=self._or_else), self._or_else)
            for clause, some in by_clause:
                await _insert(connection, table, list(some), clause)
        for table, rows in _by_table(kept.row for kept in changes.values()):
            await _update(connection, table, [changes[id(row)] for row in rows])
        for kept in changes.values():
            kept.changed.clear()
        self._kept = [kept for kept in self._kept if id(kept.row) not in gone]
        self._added.clear()
        self._removed.clear()

    def _or_else(self, row: SQLModel) -> str:
        return self._added[id(row)][1]


@cache
def _empty(row: type[SQLModel]) -> SQLModel:
    """What rows are copied from: pydantic makes a copy in half the time of a new one."""
    return row.model_construct()


# --- their statements --------------------------------------------------------------------------


@cache
def table_of(row: type[SQLModel]) -> Table:
    """The table of a row: its one subclass that is mapped. Raises ValueError when it has none, or more."""
    [mapped] = row.__subclasses__()
    table: Table = inspect(mapped).local_table
    return table


@cache
def _place(table: Table) -> int:
    """A table's place in the order in which tables refer to one another."""
    return table.metadata.sorted_tables.index(table)


def _by_table(rows: Iterable[SQLModel]) -> list[tuple[Table, list[SQLModel]]]:
    found: dict[Table, list[SQLModel]] = {}
    for row in rows:
        found.setdefault(table_of(type(row)), []).append(row)
    return sorted(found.items(), key=lambda of_table: _place(of_table[0]))


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[SQLModel], or_else: str
) -> None:
    values = [_values(row, _given(table)) for row in rows]
    if or_else:  # rows that are there are locked, and every replica locks them in one order
        keys = [name for name in table.primary_key.columns.keys() if name in _given(table)]  # noqa: SIM118
        values.sort(key=lambda row: [str(row[name]) for name in keys])
    await connection.execute(inserting(table, or_else), {"rows": as_json(values)})


async def _update(connection: AsyncConnection, table: Table, rows: Sequence[_Kept]) -> None:
    keys = table.primary_key.columns.keys()
    values = [
        _values(kept.row, {*keys, *kept.changed}) | {"_changed": list(kept.changed)}
        for kept in rows
    ]
    done = await connection.execute(_updating(table), {"rows": as_json(values)})
    if done.rowcount != len(rows):
        raise AssertionError(f"a row of {table.name} that changed is gone")


async def _delete(connection: AsyncConnection, table: Table, rows: Sequence[SQLModel]) -> None:
    values = [_values(row, table.primary_key.columns.keys()) for row in rows]
    await connection.execute(_deleting(table), {"rows": as_json(values)})


FROM_JSON = "json_populate_recordset(CAST(NULL AS {0}), CAST(:{1} AS json)) AS given"


@cache
def _given(table: Table) -> tuple[str, ...]:
    """The columns that are ours to fill."""
    return tuple(column.name for column in table.columns if column.identity is None)


@cache
def inserting(table: Table, unless: str = "", rows: str = "rows") -> TextClause:
    """Insert ``rows``, which is as_json() of them: of each what is not given is null. ``unless``: what to
    do at a conflict, or which of them.
    """
    names, source = ", ".join(_given(table)), FROM_JSON.format(table.name, rows)
    return text(f"INSERT INTO {table.name} ({names}) SELECT {names} FROM {source} {unless}")


@cache
def _updating(table: Table) -> TextClause:
    """Of each row only what changed in it, in a statement that is the same whatever that is."""
    given = ", ".join(
        f"{name} = CASE WHEN '{name}' = ANY(given._changed) THEN given.{name} ELSE kept.{name} END"
        for name in (each.name for each in table.columns if not each.primary_key)
    )
    columns = [f"{each.name} {each.type.compile(DIALECT)}" for each in table.columns]
    names = ", ".join((*columns, "_changed text[]"))
    source = f"json_to_recordset(CAST(:rows AS json)) AS given ({names})"
    return text(f"UPDATE {table.name} AS kept SET {given} FROM {source} WHERE {_same_key(table)}")


@cache
def _deleting(table: Table) -> TextClause:
    source = FROM_JSON.format(table.name, "rows")
    return text(f"DELETE FROM {table.name} AS kept USING {source} WHERE {_same_key(table)}")


def _same_key(table: Table) -> str:
    keys = table.primary_key.columns.keys()
    return " AND ".join(f"kept.{name} = given.{name}" for name in keys)


def _values(row: SQLModel, names: Iterable[str]) -> dict[str, Any]:
    return {name: row.__dict__[name] for name in names}


def as_json(values: Sequence[Mapping[str, Any]]) -> str:
    """Rows as the statements here take them. Raises TypeError for what a row does not hold."""
    return orjson.dumps(values, default=_as_text).decode()


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, UUID):  # the driver's own kind of it
        return str(value)
    raise TypeError(f"a row holds no {type(value).__name__}")
