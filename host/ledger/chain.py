"""The hash chain: a link for each run of records that one commit brought.

A link covers all movements and facts between two keys of one terminal and epoch, whose sequences run on
without a gap, so nothing can be put between them later. Its digest is SHA-256 over

    digest of the link before (32; zeros for the first) | number 8 | first key 8 | last key 8 | at_s 8 | rows

and a row is, in the order of keys, "M" | key 8 | debit 8 | credit 8 | amount 8 | record (64, or nothing),
or "F" | key 8 | record 64. All integers little-endian, signed (what a database can be made to hold must not stop a check).
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from operator import itemgetter

from host.ledger.rows import Commit, Fact, Movement

NO_DIGEST = bytes(32)

_LEG_BITS = 4
_LEG_MASK = (1 << _LEG_BITS) - 1
_EPOCH_SHIFT = 35
_HEAD = struct.Struct("<qqqq")
_MOVEMENT = struct.Struct("<cqqqq")
_FACT = struct.Struct("<cq")


def link(newest: Commit | None, posted: Iterable[Movement | Fact], at_s: int) -> list[Commit]:
    """The links that follow `newest` for the rows that were posted, one for each run."""
    commits: list[Commit] = []
    for rows in _runs(sorted(posted, key=itemgetter(0))):
        number = newest.number + 1 if newest else 1
        digest = newest.digest if newest else NO_DIGEST
        first, last = rows[0].key, rows[-1].key
        newest = Commit(number, first, last, at_s, digest_of(digest, number, first, last, at_s, rows))
        commits.append(newest)
    return commits


def digest_of(before: bytes, number: int, first_key: int, last_key: int, at_s: int, rows: Iterable[Movement | Fact]) -> bytes:
    """The digest of a link; `rows` in the order of their keys."""
    parts = [before, _HEAD.pack(number, first_key, last_key, at_s)]
    for row in rows:
        if isinstance(row, Movement):
            parts.append(_MOVEMENT.pack(b"M", row.key, row.debit, row.credit, row.amount_fen))
        else:
            parts.append(_FACT.pack(b"F", row.key))
        parts.append(row.record or b"")
    return hashlib.sha256(b"".join(parts)).digest()


def spans_of(keys: Iterable[int]) -> list[tuple[int, int]]:
    """Keys of records as spans, each from the first to the last leg of a run of consecutive ones."""
    spans: list[tuple[int, int]] = []
    first = last = -1
    for key in sorted(keys):
        if key != last + 1:
            if last >= 0:
                spans.append((first, last))
            first = key
        last = key | _LEG_MASK
    return [*spans, (first, last)] if last >= 0 else spans


def _runs(rows: Sequence[Movement | Fact]) -> list[list[Movement | Fact]]:
    runs: list[list[Movement | Fact]] = []
    for row in rows:
        before = runs[-1][-1].key if runs else 0
        is_next = (row.key >> _LEG_BITS) - (before >> _LEG_BITS) <= 1 and row.key >> _EPOCH_SHIFT == before >> _EPOCH_SHIFT
        if runs and is_next:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs
