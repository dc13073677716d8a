"""Rows as tuples: what the databases are given, and what they give back."""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, cast

from host.ledger.rows import Row
from host.ledger.schema import SEALED


@cache
def columns_of(table: type[Row]) -> tuple[str, ...]:
    """The columns of a table, in the order of its class's fields."""
    return table._fields if issubclass(table, tuple) else tuple(field.name for field in fields(table))


@cache
def columns_beside_key(table: type[Row]) -> tuple[str, ...]:
    """The columns that are not in the primary key."""
    return tuple(column for column in columns_of(table) if column not in table.KEY)


@cache
def stored_columns(table: type[Row]) -> tuple[str, ...]:
    """The columns as stored: its seal too, if the table has one."""
    return (*columns_of(table), "seal") if table.TABLE in SEALED else columns_of(table)


def values_of(row: Row) -> tuple[Any, ...]:
    """The values of a row's columns."""
    return row if isinstance(row, tuple) else _getter(type(row), columns_of(type(row)))(row)


def key_of(row: Row) -> tuple[Any, ...]:
    """The values of a row's primary key."""
    return _getter(type(row), type(row).KEY)(row)


def key_getter(table: type[Row]) -> Callable[[Row], tuple[Any, ...]]:
    """`key_of` for the rows of one table."""
    return _getter(table, table.KEY)


def update_values(row: Row, seal: bytes | None) -> tuple[Any, ...]:
    """What an UPDATE of a row is given: the columns beside the key, the seal if its table has one, the key."""
    kind = type(row)
    seals = () if seal is None else (seal,)
    return (*_getter(kind, columns_beside_key(kind))(row), *seals, *key_of(row))


@cache
def _getter(_table: type[Row], columns: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    if not columns:
        return lambda _row: ()
    get = attrgetter(*columns)
    return cast("Callable[[Row], tuple[Any, ...]]", get) if len(columns) > 1 else lambda row: (get(row),)
