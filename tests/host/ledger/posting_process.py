"""A process that posts as fast as it can and says what is acknowledged: to be killed at any moment.

Arguments: path of the ledger, a number that makes its amounts its own. Prints a line for each
acknowledgement: "took EPOCH HIGH_WATER" of the till, "recharged COUNT" of the host's own records.
"""

import sys
import threading
from pathlib import Path

from host import holders, intake
from host.ledger.sqlite import SqliteLedger
from host.settings import Settings
from host.writer import Writer
from protocol import record as kinds
from protocol.record import Name
from tests.host.site import KEYS, NOW_S, TILL, make_record


def main() -> None:
    """Post until killed."""
    ledger = SqliteLedger(Path(sys.argv[1]), keys=KEYS, settings=Settings(), clock=lambda: NOW_S)
    ledger.start("serve")
    writer = Writer(ledger)
    threading.Thread(target=recharge, args=(writer,), daemon=True).start()
    epoch, high_water = intake.take(writer, TILL, b"", NOW_S)
    while True:
        names = [Name(TILL, epoch, high_water + step) for step in (1, 2, 3)]
        records = [make_record(kinds.SALE, name=name, subject=1, amount_fen=3) for name in names]
        epoch, high_water = intake.take(writer, TILL, b"".join(records), NOW_S)
        say(f"took {epoch} {high_water}")


def recharge(writer: Writer) -> None:
    """Pay in, again and again."""
    count = 0
    while True:
        holders.recharge(writer, "20260001", 9)
        count += 1
        say(f"recharged {count}")


def say(line: str) -> None:
    """Print one whole line at once, whatever the other thread prints."""
    sys.stdout.buffer.raw.write(line.encode() + b"\n")  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
