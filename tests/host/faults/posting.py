"""A host that posts as fast as it can until somebody kills it, and the commands that people run beside it."""

import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path

from host import approvals, holders, intake
from host.writer import Writer
from protocol import record as kinds
from protocol.messages import ASK_SHOWER, SUBJECT_CARD, Answer, Ask
from protocol.record import Name
from tests.host.faults.load import Say, open_books
from tests.host.site import NOW_S, SHOWER, TILL, make_record

SALES_TOGETHER = 3


def post_for_ever(path: Path, say: Say) -> None:
    """Post as `onecard serve` does: a till, a shower and a counter at once, by one writer."""
    ledger = open_books(path)
    process = ledger.start("serve")
    writer = Writer(ledger)
    parts: list[Callable[[Writer, Say], None]] = [sell, shower]
    for part in parts:
        threading.Thread(target=part, args=(writer, say), daemon=True).start()
    for number in count(1):
        holders.recharge(writer, "20260001", 9)
        say({"paid": [process.terminal, process.epoch, number]})


def pay_once(path: Path, say: Say) -> None:
    """What `onecard holder recharge` does."""
    ledger = open_books(path)
    process = ledger.start("command")
    holders.recharge(ledger, "20260002", 9)
    say({"paid": [process.terminal, process.epoch, 1]})
    ledger.close()


def sell(writer: Writer, say: Say) -> None:
    """A till delivers sales, some at a time, from the high water it is told."""
    _, high_water = intake.take(writer, TILL, b"", NOW_S)
    while True:
        data = b"".join(journalled(TILL, high_water + step) for step in range(1, SALES_TOGETHER + 1))
        epoch, high_water = intake.take(writer, TILL, data, NOW_S)
        say({"took": [TILL, epoch, high_water]})


def shower(writer: Writer, say: Say) -> None:
    """A shower asks, opens and settles, one after the other."""
    _, high_water = intake.take(writer, SHOWER, b"", NOW_S)
    while True:
        sequence = high_water + 1
        if sequence % 2:
            answer = approvals.answer(writer, SHOWER, Ask(1, sequence, ASK_SHOWER, SUBJECT_CARD, 2, 300, 0, b"", b""), NOW_S)
            assert isinstance(answer, Answer), answer
            say({"asked": [SHOWER, sequence, answer.code, answer.held_fen]})
        epoch, high_water = intake.take(writer, SHOWER, journalled(SHOWER, sequence), NOW_S)
        say({"took": [SHOWER, epoch, high_water]})


def journalled(terminal: int, sequence: int) -> bytes:
    """What these terminals have in their journals under a sequence of their first epoch."""
    name = Name(terminal, 1, sequence)
    if terminal == TILL:
        return make_record(kinds.SALE, name=name, subject=1, amount_fen=1 + sequence % 7)
    if sequence % 2:
        return make_record(kinds.OPENED, name=name, subject=2, amount_fen=300)
    return make_record(kinds.SETTLED, name=name, subject=2, reference=Name(terminal, 1, sequence - 1), amount_fen=2)
