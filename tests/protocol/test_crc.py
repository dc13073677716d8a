"""CRC-16 against the host's library, and what it promises of errors."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from protocol.crc import crc16
from tests.protocol import libraries


@given(st.binary(max_size=300))
def test_the_library_agrees(data: bytes):
    assert crc16(data) == libraries.crc16(data)


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_a_crc_goes_on_from_what_went_before(head: bytes, tail: bytes):
    assert crc16(tail, crc16(head)) == crc16(head + tail)


def test_two_flipped_bits_are_always_noticed():
    frame = bytes([3, 0x80, 0x91, 0x00])
    right = crc16(frame)
    for flips in combinations(range(len(frame) * 8), 2):
        assert crc16(_flipped(frame, sum(1 << at for at in flips))) != right


def test_a_burst_of_up_to_16_bits_is_always_noticed():
    frame = bytes([3, 0x80, 0x91, 0x00])
    right = crc16(frame)
    for at in range(len(frame) * 8 - 16):
        for burst in range(1, 1 << 16, 97):
            assert crc16(_flipped(frame, burst << at)) != right


def _flipped(frame: bytes, bits: int) -> bytes:
    return (int.from_bytes(frame) ^ bits).to_bytes(len(frame))
