"""Rows as they are stored: sealed, tallied, each movement in the table of its day."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from host.ledger.columns import update_values, values_of
from host.ledger.contract import Changes, Key, Store
from host.ledger.cuts import Cut, parse_cut, route
from host.ledger.rows import Act, Annex, Day, Item, Movement, Row
from host.ledger.schema import day_table
from host.ledger.seals import SEALED_KINDS, Cmac, seal_values
from host.ledger.tallies import TALLIED_KINDS, Tallies


class Storing:
    """What turns the changed rows of one commit into values for the database. Its tallies are written by `finish`."""

    def __init__(self, store: Store, cmac: Cmac) -> None:
        self._store = store
        self._cmac = cmac
        self._tallies = Tallies(cmac)
        self._act_seal: bytes | None = None
        """The seal of the newest row of `audit`, once it was asked for."""

    def changes(self, kind: type[Row], rows: Mapping[Key, Row | None], before: Mapping[Key, Row | None]) -> Changes:
        """What is to be written of a table. `rows` are as they are now; `before` is what the database has, for each changed one."""
        inserts: list[tuple[Any, ...]] = []
        updates: list[tuple[Any, ...]] = []
        deletes: list[Key] = []
        for key, was in before.items():
            row = rows[key]
            if row is None:
                if was is not None:
                    deletes.append(key)
                    self._drop_from_tally(kind, was)
            elif was is None:
                inserts.append(self._inserted(kind, row))
            elif was != row:
                updates.append(self._updated(kind, row, was))
        return Changes(kind, inserts, updates, deletes)

    def once(self, kind: type[Row], rows: Iterable[Row]) -> Changes:
        """Rows that may be there already."""
        return Changes(kind, [self._inserted(kind, row) for row in rows], (), (), is_once=True)

    def by_day(self, movements: Sequence[Movement]) -> list[Changes]:
        """Movements by the table of the day they belong to: nearly always the open one."""
        days = self._store.find(Day, {"archived_s": 0})
        found = route(days, movements, self._cut_of)
        return [Changes(Movement, rows, (), (), table=day_table(number)) for number, rows in found.items()]

    def finish(self) -> None:
        """Write the tallies. The commit's rows are written."""
        self._tallies.write(self._store)

    def _inserted(self, kind: type[Row], row: Row) -> tuple[Any, ...]:
        values = values_of(row)
        if kind not in SEALED_KINDS:
            return values
        if kind is Item and not values[0]:
            values = (None, *values[1:])  # the database numbers it
        seal = self._seal(kind, values)
        if kind in TALLIED_KINDS:
            self._tallies.add(kind, seal)
        return (*values, seal)

    def _updated(self, kind: type[Row], row: Row, was: Row) -> tuple[Any, ...]:
        if kind not in SEALED_KINDS:
            return update_values(row, None)
        seal = self._seal(kind, values_of(row))
        if kind in TALLIED_KINDS:
            self._drop_from_tally(kind, was)
            self._tallies.add(kind, seal)
        return update_values(row, seal)

    def _seal(self, kind: type[Row], values: tuple[Any, ...]) -> bytes:
        if kind is not Act:
            return seal_values(self._cmac, kind, values)
        if self._act_seal is None:
            newest = self._store.run("SELECT seal FROM audit ORDER BY number DESC LIMIT 1")
            self._act_seal = next((bytes(seal) for (seal,) in newest), b"")
        self._act_seal = seal_values(self._cmac, kind, values, self._act_seal)
        return self._act_seal

    def _drop_from_tally(self, kind: type[Row], was: Row) -> None:
        if kind in TALLIED_KINDS:
            self._tallies.drop(kind, seal_values(self._cmac, kind, values_of(was)))

    def _cut_of(self, day: Day) -> Cut:
        annex = self._store.get(Annex, (day.cut,))
        assert annex is not None, day
        return parse_cut(annex.content)
