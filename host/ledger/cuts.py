"""Cuts: which records a closed business day has, and so where a movement belongs.

The annex of a `cut` record names w of every terminal and epoch, itself included. A record belongs to the
first cut that covers it, whenever it arrives; what no cut covers belongs to the open day. So after a
restore the days come out the same, in whatever order records and cuts come back.

The annex: MessagePack, [1, business day as yyyymmdd, [[terminal, epoch, w], ...]].
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from host.ledger.rows import Day, Movement
from protocol.packing import pack, unpack
from protocol.record import SEQUENCE_MAX, pack_key

_VERSION = 1
_LEG_BITS = 4
_LAST_LEG = (1 << _LEG_BITS) - 1
_EPOCH_SHIFT = 35

_PARSED_COUNT = 8
"""Cuts kept parsed: closed days wait for the archive minutes, and seldom more than one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of a business day. `waters`: w by (terminal, epoch), packed as the front of a key (`front_of`)."""

    date: int
    waters: Mapping[int, int]

    def covers(self, key: int) -> bool:
        """Whether a record, or a leg of one, is up to this cut."""
        return (key >> _LEG_BITS & SEQUENCE_MAX) <= self.waters.get(front_of(key), 0)

    def last_key(self, front: int) -> int:
        """The highest key of a terminal and epoch that this covers."""
        return front << _EPOCH_SHIFT | self.waters.get(front, 0) << _LEG_BITS | _LAST_LEG


def front_of(key: int) -> int:
    """The terminal and epoch of a key, in one number."""
    return key >> _EPOCH_SHIFT


def last_key_of(front: int) -> int:
    """The highest key that a terminal and epoch can have."""
    return (front + 1 << _EPOCH_SHIFT) - 1


def pack_cut(date: int, waters: Iterable[tuple[int, int, int]]) -> bytes:
    """The annex of a cut, of (terminal, epoch, w)."""
    return pack([_VERSION, date, [list(water) for water in waters]])


@lru_cache(_PARSED_COUNT)
def parse_cut(annex: bytes) -> Cut:
    """The cut of an annex. Raises `ValueError` for anything else."""
    found: Any = unpack(annex)
    try:
        version, date, waters = cast("tuple[int, int, list[tuple[int, int, int]]]", found)
        fronts = {front_of(pack_key((terminal, epoch, 0), 0)): water for terminal, epoch, water in waters}
    except (TypeError, AssertionError) as error:
        raise ValueError("not a cut") from error
    if version != _VERSION:
        raise ValueError(f"a cut of version {version}")
    return Cut(date, fronts)


def in_order(days: Iterable[Day]) -> list[Day]:
    """Days as they follow each other, the open one last."""
    return sorted(days, key=lambda day: (day.cut == 0, day.date, day.cut))


def route(days: Sequence[Day], rows: Sequence[Movement], cut_of: Callable[[Day], Cut]) -> dict[int, list[Movement]]:
    """The rows by the number of the day they belong to; `days` are all that are not archived.

    As a rule that is the open one alone, and no cut is asked for. An archived day is never reopened: what it
    covers and comes after all belongs to a later one.
    """
    if len(days) == 1:
        return {days[0].number: list(rows)}
    *closed, opened = in_order(days)
    cuts = [(day.number, cut_of(day)) for day in closed]
    found: dict[int, list[Movement]] = {}
    for row in rows:
        number = next((number for number, cut in cuts if cut.covers(row.key)), opened.number)
        found.setdefault(number, []).append(row)
    return found
