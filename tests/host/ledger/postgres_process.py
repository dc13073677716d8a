"""A host process on PostgreSQL: it serves its own tills, sells to the same two cards as all others, and pays in.

Arguments: url of the ledger, its number among the processes, rounds (0: until it is killed), tills. When the ledger is away it asks
again, as terminals and people do: the records by their names, a payment by its key. Prints a line for each acknowledgement:
"took TILL HIGH_WATER", "recharged COUNT".
"""

import os
import sys
import threading
from itertools import count
from typing import TypeVar

from host import holders, intake
from host.errors import LedgerAway
from host.ledger.postgres import postgres_ledger
from host.settings import Settings
from host.writer import Writer
from protocol import record as kinds
from protocol.record import Name
from tests.host.site import KEYS, NOW_S, make_record

T = TypeVar("T")
SALE_FEN, RECHARGE_FEN = 3, 9


def main(url: str, number: int, round_count: int, tills: list[int]) -> None:
    """Post, from a thread for each till and one for the payments."""
    ledger = postgres_ledger(url, keys=KEYS, settings=Settings(), clock=lambda: NOW_S)
    ledger.start("serve")
    writer = Writer(ledger)
    threads = [threading.Thread(target=sell, args=(writer, till, round_count)) for till in tills]
    threads.append(threading.Thread(target=pay_in, args=(writer, number, round_count)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    ledger.close()


def sell(writer: Writer, till: int, round_count: int) -> None:
    """Sell to both cards in turn, three records at a time."""
    epoch, high_water = take(writer, till, b"")
    for _ in range(round_count) if round_count else count():
        names = [Name(till, epoch, high_water + step) for step in (1, 2, 3)]
        records = [make_record(kinds.SALE, name=name, subject=1 + (till + name.sequence) % 2, amount_fen=SALE_FEN) for name in names]
        epoch, high_water = take(writer, till, b"".join(records))
        say(f"took {till} {high_water}")


def take(writer: Writer, till: int, records: bytes) -> tuple[int, int]:
    """Deliver until somebody says how far the ledger has come."""
    while True:
        try:
            return intake.take(writer, till, records, NOW_S)
        except LedgerAway:
            continue


def pay_in(writer: Writer, number: int, round_count: int) -> None:
    """Pay in again and again, each time under a key of its own, which is asked again until it is answered."""
    for index in range(1, round_count + 1) if round_count else count(1):
        while True:
            try:
                holders.recharge(writer, "20260001", RECHARGE_FEN, request=f"form-{number}-{index}")
                break
            except LedgerAway:
                continue
        say(f"recharged {index}")


def say(line: str) -> None:
    """Print one whole line at once, whatever the other threads print."""
    os.write(sys.stdout.fileno(), line.encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(word) for word in sys.argv[4:]])
