"""The file that says who a terminal is."""

import pytest

from firmware.terminal.identity import Identity, decode, encode

IDENTITY = Identity(terminal=100, address=7, link_key=bytes(range(16)), record_key=bytes(range(16, 32)), key_version=1)


def test_an_identity_is_38_bytes_and_reads_back() -> None:
    data = encode(IDENTITY)
    assert len(data) == 38
    assert decode(data) == IDENTITY


def test_a_changed_bit_anywhere_is_refused() -> None:
    data = encode(IDENTITY)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="damaged"):
            decode(bytes(changed))


@pytest.mark.parametrize("data", [b"", b"\0" * 38, b"\xff" * 38, encode(IDENTITY)[:-1], encode(IDENTITY) + b"\0"])
def test_what_is_no_identity_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        decode(data)


@pytest.mark.parametrize(("terminal", "address"), [(99, 1), (0, 1), (100, 0), (100, 33)])
def test_a_number_out_of_range_is_refused(terminal: int, address: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        decode(encode(Identity(terminal, address, bytes(16), bytes(16), 1)))
