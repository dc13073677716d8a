"""What must be true of the books after something went wrong, whatever it was."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from host.check import check
from host.ledger.commits import SiteLedger
from host.ledger.kinds import ItemKind
from host.ledger.process import LAST_NUMBER
from host.ledger.rows import Account, Epoch, Fact, Hold, Item, Movement, Request, Reservation, Row, Terminal
from protocol.record import pack_key, unpack_key
from tests.host.faults.load import BOUNDARIES, JOURNALS, PAYMENTS, Ack, Load, open_books

R = TypeVar("R", bound=Row)


def rows(ledger: SiteLedger, table: type[R]) -> list[R]:
    """All rows of a table."""
    return ledger.view(lambda books: books.find(table))


def prove(ledger: SiteLedger) -> None:
    """The books prove themselves."""
    proof = check(ledger)
    assert proof.is_right, proof.problems


def holds_what_was_acknowledged(ledger: SiteLedger, acks: Iterable[Ack]) -> None:
    """Every acknowledgement is true, and what lies beyond them is there whole or not at all."""
    high_water = {(row.terminal, row.epoch): row.high_water for row in rows(ledger, Epoch)}
    records = {row.key: row.record for table in (Movement, Fact) for row in rows(ledger, table) if row.record is not None}
    for ack in acks:
        if "took" in ack:
            terminal, epoch, sequence = ack["took"]
            assert high_water[terminal, epoch] >= sequence, ack
        elif "started" in ack or "shook" in ack:
            assert tuple(ack.get("started") or ack["shook"]) in high_water, ack
        elif "paid" in ack:
            assert len(payments(ledger, ack["paid"])) == 1, ack
        elif "asked" in ack:
            is_answered(ledger, ack, high_water)
        elif "booked" in ack:
            assert [[row.account, row.terminal, row.held_fen] for row in rows(ledger, Reservation)] == [ack["booked"]], ack
    for terminal, boundaries in BOUNDARIES.items():
        assert high_water[terminal, 1] in boundaries
        for sequence, data in enumerate(JOURNALS[terminal].records[: high_water[terminal, 1]], 1):
            assert records[pack_key((terminal, 1, sequence), 0)] == data
    for request in PAYMENTS:
        asked = [row for row in rows(ledger, Request) if row.request == request]
        assert [row.key for row in payments(ledger, request)] == [row.key for row in asked]


def is_answered(ledger: SiteLedger, ack: Ack, high_water: dict[tuple[int, int], int]) -> None:
    """What was granted is held, unless the record has come meanwhile."""
    terminal, sequence, code, held_fen = ack["asked"]
    hold = ledger.view(lambda books: books.get(Hold, pack_key((terminal, 1, sequence), 0)))
    assert code or high_water[terminal, 1] >= sequence or (hold is not None and hold.amount_fen >= held_fen), ack


def payments(ledger: SiteLedger, request: str) -> list[Movement]:
    """The movements that a clerk's request became: its amount is its own."""
    account, amount_fen = PAYMENTS[request]
    return [row for row in rows(ledger, Movement) if (row.credit, row.amount_fen) == (account, amount_fen)]


def said(ledger: SiteLedger) -> dict[str, Any]:
    """What the books say in the end, without the names of the processes that wrote it."""
    names = {row.number for row in rows(ledger, Terminal)}
    return {
        "accounts": [(row.number, row.kind, row.balance_fen, row.held_fen) for row in rows(ledger, Account)],
        "terminals": sorted(names),
        "high water": [(row.terminal, row.high_water) for row in rows(ledger, Epoch) if row.terminal > LAST_NUMBER and row.high_water],
        "movements": sorted(_movement(row) for row in rows(ledger, Movement)),
        "facts": [row.key for row in rows(ledger, Fact) if unpack_key(row.key)[0].terminal > LAST_NUMBER],
        "holds": sorted((row.account, row.kind, row.state, row.amount_fen) for row in rows(ledger, Hold)),
        "bookings": [(row.account, row.terminal, row.state, row.held_fen) for row in rows(ledger, Reservation)],
        # A terminal that was not told its first epoch shakes hands again and is given the next: said, and harmless.
        "items": Counter(row.kind for row in rows(ledger, Item) if row.kind != ItemKind.JOURNAL_OLDER),
    }


def ends_the_same(path: Path, expected: dict[str, Any]) -> None:
    """Everything delivered and asked for once more, the books are as without the fault."""
    acks: list[Ack] = []
    Load(path, acks.append).run()
    assert not [ack for ack in acks if "away" in ack], acks
    ledger = open_books(path)
    prove(ledger)
    holds_what_was_acknowledged(ledger, acks)
    assert said(ledger) == expected
    ledger.close()


def _movement(row: Movement) -> tuple[int, int, int, int]:
    is_hosts = unpack_key(row.key)[0].terminal <= LAST_NUMBER
    return (0 if is_hosts else row.key, row.debit, row.credit, row.amount_fen)
