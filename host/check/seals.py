"""Seals: rows that follow from no record, each against the seal that the site's key makes of it."""

from host.check.proof import Proof
from host.ledger.books import Books
from host.ledger.columns import key_of
from host.ledger.rows import TABLES, Act, Row
from host.ledger.schema import SEALED
from host.ledger.seals import seal_of
from host.ledger.tallies import TALLIED_KINDS, Tally, share_of


def check_seals(books: Books, proof: Proof) -> None:
    """Look at every seal and tally. In the audit log each seal covers the one before, and numbers run on without a gap."""
    cmac = books.keys.seal_cmac()
    tallies = books.tallies()
    for table in (table for table in TABLES if table.TABLE in SEALED):
        row_sum, before, number = 0, b"", 0
        for row, seal in books.scan_sealed(table):
            proof.row_counts[table.TABLE] += 1
            row_sum += share_of(cmac, seal)
            if isinstance(row, Act):
                if row.number != number + 1:
                    proof.wrong(f"表 audit, number {number + 1}: it is gone, {row.number} follows")
                number = row.number
            if seal_of(cmac, row, before) != seal:
                proof.wrong(f"表 {place_text(row)}: its seal does not fit, so it was altered or added by hand")
            before = seal if isinstance(row, Act) else b""
        if table in TALLIED_KINDS:
            _compare(table.TABLE, tallies.get(table.TABLE), (proof.row_counts[table.TABLE], row_sum), proof)


def _compare(name: str, tally: Tally | None, found: Tally, proof: Proof) -> None:
    if tally is None:
        proof.wrong(f"表 tallies, name {name}: it is gone")
    elif tally[0] != found[0]:
        proof.wrong(f"表 {name}: it has {found[0]} rows and should have {tally[0]}, so rows were taken away or added by hand")
    elif tally != found:
        proof.wrong(f"表 {name}: its rows are not the ones that were written last, so one was altered, or put back as it was before")


def place_text(row: Row) -> str:
    """A row as people find it: its table, and its key."""
    names = ", ".join(f"{column} {_shown(value)}" for column, value in zip(row.KEY, key_of(row), strict=True))
    return f"{row.TABLE}, {names}"


def _shown(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
