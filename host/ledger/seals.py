"""Seals: what tells a row that somebody altered, where it follows from no record.

A seal is the first 8 bytes of the CMAC, under the site's seal key, of the MessagePack array

    table name | every column of the row, in the order of its class | the seal before

Only in `audit` is there a seal before: that of the row before, so no row can be taken out of the middle.
What the database numbers by itself (`Item.number`) is left out. Written with each row, looked at by `check` alone.
"""

from collections.abc import Callable
from typing import Any, cast

import msgpack

from host.ledger.columns import update_values, values_of
from host.ledger.contract import Changes, Store
from host.ledger.rows import TABLES, Act, Item, Row
from host.ledger.schema import SEALED
from host.ledger.tallies import Tallies

Cmac = Callable[[bytes], bytes]

SEAL_SIZE = 8

_pack = cast("Callable[[Any], bytes]", msgpack.packb)  # pyright: ignore[reportUnknownMemberType]

SEALED_KINDS: frozenset[type[Row]] = frozenset(kind for kind in TABLES if kind.TABLE in SEALED)


def seal_of(cmac: Cmac, row: Row, before: bytes = b"") -> bytes:
    """The seal of a row; `before` is the seal of the audit row before it."""
    return seal_values(cmac, type(row), values_of(row), before)


def seal_values(cmac: Cmac, kind: type[Row], values: tuple[Any, ...], before: bytes = b"") -> bytes:
    """The same, of a row that is a tuple of its columns already."""
    sealed = values[1:] if kind is Item else values
    return cmac(_pack((kind.TABLE, sealed, before)))[:SEAL_SIZE]


def seal_all(store: Store, cmac: Cmac) -> None:
    """Seal what an older version has left without; for migrations. What they find in `audit` has its seals."""
    tallies = Tallies(cmac)
    for kind in TABLES:
        if kind in SEALED_KINDS and kind is not Act:
            rows = [row for row, seal in store.scan_sealed(kind) if not seal]
            seals = [seal_of(cmac, row) for row in rows]
            store.write([Changes(kind, (), [update_values(row, seal) for row, seal in zip(rows, seals, strict=True)], ())])
            for seal in seals:
                tallies.add(kind, seal)
    tallies.write(store)
