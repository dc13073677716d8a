"""Row 8: what the host does with a record before the ledger sees it."""

from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from struct import unpack

from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from bench.canteens import Canteens
from bench.row import Row, microseconds
from host.crypto import HostCrypto
from protocol import record

_KEY = bytes(range(16))
_COUNT = 20_000
_FORMAT = "<BBHHIIBIHHIIHBHH14sHH8s"


def rows(_canteens: Canteens, _pictures: Path) -> Iterator[Row]:
    """The one row."""
    yield verify_and_decode()


def verify_and_decode() -> Row:
    """Compare `record.verify` and `record.decode` with the bare parts: a keyed CMAC copied for each record, whose
    result is compared with the TAC, and `struct.unpack` into a namedtuple, by `_make`, as Python's manual does it.

    The goal is 1.5 times their sum. What is ours beyond that: checks of version, flags, name and reference, the
    flags taken apart, the reference as a name. All records differ.
    """
    cmac = HostCrypto().cmac(_KEY)
    records = [record.encode(_sale(sequence), cmac) for sequence in range(1, _COUNT + 1)]
    keyed = CMAC(AES(_KEY))
    fields = namedtuple("fields", " ".join(f"field_{index}" for index in range(20)))  # pyright: ignore[reportUntypedNamedTuple]

    def ours() -> None:
        verify, decode = record.verify, record.decode
        for data in records:
            if not verify(data, cmac):
                raise AssertionError(data)
            decode(data)

    def reference() -> None:
        make = fields._make
        for data in records:
            mac = keyed.copy()
            mac.update(data[:56])
            if mac.finalize()[:8] != data[56:]:
                raise AssertionError(data)
            make(unpack(_FORMAT, data))

    return Row("8 verify and decode a record", microseconds(ours, _COUNT), microseconds(reference, _COUNT), "<= 1.5")


def _sale(sequence: int) -> record.Record:
    shown = record.pack_shown([record.Operation(100, sequence & 0xFFFF, record.SALE, 3, 850)])
    return record.Record(
        kind=record.SALE,
        terminal=100,
        epoch=3,
        sequence=sequence,
        at_s=217_728_000 + sequence,
        trust=record.TRUST_SET,
        subject_kind=1,
        subject=1 + sequence % 1000,
        purse=False,
        away=False,
        reference=record.NONE,
        amount_fen=1250,
        detail=7 | 1 << 16,
        balance_fen=5000,
        counter=sequence & 0xFFFF,
        shown=shown,
        tariff=2,
        list_version=1,
        tac=record.NO_TAC,
    )
