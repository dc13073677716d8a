"""Records for tests: real bytes, with a TAC of no key."""

from protocol import record
from protocol.record import NONE, NOTHING_SHOWN, SALE, Name, Record

TERMINAL = 100


def make_record(epoch: int, sequence: int, kind: int = SALE, reference: Name = NONE, amount_fen: int = 0) -> bytes:
    """The 64 bytes of a record of terminal 100 without a subject."""
    made = Record(
        kind=kind,
        terminal=TERMINAL,
        epoch=epoch,
        sequence=sequence,
        at_s=1000 + sequence,
        trust=2,
        subject_kind=0,
        subject=0,
        purse=False,
        away=False,
        reference=reference,
        amount_fen=amount_fen or sequence,
        detail=0,
        balance_fen=0,
        counter=0,
        shown=NOTHING_SHOWN,
        tariff=0,
        list_version=0,
        tac=record.NO_TAC,
    )
    return record.encode(made, lambda signed: signed[:16])
