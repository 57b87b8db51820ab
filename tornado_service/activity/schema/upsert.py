"""Insert many rows at once, in SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

#: Their values in the order of the table's columns.
Rows: TypeAlias = Collection[Iterable[Any]]


def insert_new(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert the rows whose keys do not exist."""
    _insert(connection, table, rows, replace=False)


def upsert(connection: Connection, table: Table, rows: Rows) -> None:
    """Insert rows, or update those whose keys exist."""
    _insert(connection, table, rows, replace=True)


def _insert(connection: Connection, table: Table, rows: Rows, *, replace: bool) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        names = table.c.keys()
        values = [dict(zip(names, row, strict=True)) for row in rows]
        connection.execute(_postgresql_statement(table, replace), {"rows": values})
        return
    # the driver's own parameters: of many rows, SQLAlchemy's take six times as long
    connection.exec_driver_sql(_sqlite_statement(table, replace), _bound(connection, table, rows))


@cache  # each sample has several: to make and to compile one takes longer than to execute it
def _sqlite_statement(table: Table, replace: bool) -> str:
    statement = _with_conflicts(sqlite.insert(table), table, replace=replace)
    return str(statement.compile(dialect=sqlite.dialect()))


@cache
def _postgresql_statement(table: Table, replace: bool) -> Any:
    statement = postgresql.insert(table).from_select(table.c.keys(), _unpack_json(table))
    return _with_conflicts(statement, table, replace=replace)


def _with_conflicts(statement: Any, table: Table, *, replace: bool) -> Any:
    if not replace:
        return statement.on_conflict_do_nothing(index_elements=table.primary_key)
    new_values = {
        column.name: statement.excluded[column.name] for column in table.c if not column.primary_key
    }
    return statement.on_conflict_do_update(index_elements=table.primary_key, set_=new_values)


def _bound(connection: Connection, table: Table, rows: Rows) -> list[tuple[Any, ...]]:
    """Rows as SQLite's driver takes them: JSON is text."""
    dialect = connection.dialect
    to_text = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.c]
    if not any(to_text):
        return list(map(tuple, rows))
    return [
        tuple(bind(value) if bind else value for bind, value in zip(to_text, row, strict=True))
        for row in rows
    ]


def _unpack_json(table: Table) -> Any:
    """Rows that travel as one JSON text: one by one, each would wait for the one before."""
    packed: Any = bindparam("rows", type_=postgresql.JSON)
    columns = [Column(column.name, column.type) for column in table.c]
    return select(
        func.json_to_recordset(packed).table_valued(*columns).render_derived(with_types=True)
    )
