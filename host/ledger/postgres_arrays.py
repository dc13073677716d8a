"""Columns as PostgreSQL arrays: a whole batch is one parameter a column.

psycopg dumps a list value by value; an array of one known type is packed here in one pass, in PostgreSQL's binary form
(source: its array_recv and int8recv):

    dimensions 4 (1) | has nulls 4 | type of an element 4 | count 4 | lower bound 4 (1) | elements: length 4 (-1 is NULL), bytes
"""

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, get_type_hints

from psycopg import Connection, DataError
from psycopg.adapt import Dumper
from psycopg.pq import Format

from host.ledger.rows import Row

_HEAD = struct.Struct(">iiIii")
_INT = struct.Struct(">iq")
_LENGTH = struct.Struct(">i")
_NULL = _LENGTH.pack(-1)

_INT_OID, _TEXT_OID, _BYTES_OID = 20, 25, 17


class IntArray(tuple[int | None, ...]):
    """A column of bigint."""


class TextArray(tuple[str | None, ...]):
    """A column of text."""


class BytesArray(tuple[bytes | None, ...]):
    """A column of bytea."""


Array = IntArray | TextArray | BytesArray

_NAMES: dict[type[Any], str] = {IntArray: "bigint[]", TextArray: "text[]", BytesArray: "bytea[]"}
_ELEMENTS: dict[type[Any], str] = {IntArray: "int8", TextArray: "text", BytesArray: "bytea"}


def arrays(kinds: Sequence[type[Any]], rows: Sequence[tuple[Any, ...]]) -> list[Array]:
    """Rows turned into columns; `kinds` as of `column_kinds`."""
    return [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]


def unnest(kinds: Iterable[type[Any]]) -> str:
    """The call that makes rows of such columns again."""
    return f"unnest({', '.join(f'%s::{_NAMES[kind]}' for kind in kinds)})"


def element_types(kinds: Iterable[type[Any]]) -> list[str]:
    """What COPY must be told of the columns."""
    return [_ELEMENTS[kind] for kind in kinds]


@cache
def column_kinds(kind: type[Row], columns: tuple[str, ...]) -> tuple[type[Any], ...]:
    """Which array each of these columns of a table needs."""
    hints: dict[str, Any] = {**get_type_hints(kind), "seal": bytes}
    kinds = {int: IntArray, int | None: IntArray, bytes: BytesArray, bytes | None: BytesArray, str: TextArray, str | None: TextArray}
    return tuple(kinds[hints[column]] for column in columns)


def teach(connection: Connection[Any]) -> None:
    """Let a connection send these columns."""
    for dumper in (_IntDumper, _TextDumper, _BytesDumper):
        connection.adapters.register_dumper(dumper.column, dumper)


class _ColumnDumper(Dumper):
    """What all three share: an array of values that `pack` knows."""

    format = Format.BINARY
    column: type[Any]
    element_oid: int

    def dump(self, obj: Any) -> bytes:
        """See `psycopg.adapt.Dumper`."""
        if not obj:
            return _HEAD.pack(0, 0, self.element_oid, 0, 0)[:12]
        pack = self.pack
        has_nulls = None in obj
        body = b"".join([_NULL if value is None else pack(value) for value in obj] if has_nulls else map(pack, obj))
        return _HEAD.pack(1, has_nulls, self.element_oid, len(obj), 1) + body

    def pack(self, value: Any) -> bytes:
        """One value with its length."""
        raise NotImplementedError


class _IntDumper(_ColumnDumper):
    oid, element_oid, column = 1016, _INT_OID, IntArray

    def pack(self, value: int) -> bytes:
        """Eight bytes, big-endian. Raises `DataError` beyond 64 bits."""
        try:
            return _INT.pack(8, value)
        except struct.error:
            raise DataError(f"{value} does not fit into 64 bits") from None


class _TextDumper(_ColumnDumper):
    oid, element_oid, column = 1009, _TEXT_OID, TextArray

    def pack(self, value: str) -> bytes:
        """UTF-8. Raises `DataError` for what has none (surrogates)."""
        try:
            data = value.encode()
        except UnicodeEncodeError:
            raise DataError(f"{value!r} is no text") from None
        return _LENGTH.pack(len(data)) + data


class _BytesDumper(_ColumnDumper):
    oid, element_oid, column = 1001, _BYTES_OID, BytesArray

    def pack(self, value: bytes) -> bytes:
        """As they are."""
        return _LENGTH.pack(len(value)) + value
