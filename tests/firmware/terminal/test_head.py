"""The journal's head: every byte of it counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.terminal.actions import Mark
from firmware.terminal.head import EMPTY, MARKS_MAX, RECORDS_MAX, SIZE_MAX, Head, decode, encode
from protocol.crc import crc16
from protocol.record import Name
from tests.firmware.terminal.records import TERMINAL, make_record

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
MARKS = st.builds(Mark, st.builds(Name, st.just(TERMINAL), U16, U32), U32, U32, U32, U16)
RECORDS = st.lists(st.binary(min_size=64, max_size=64), max_size=RECORDS_MAX).map(tuple)
HEADS = st.builds(Head, U16, U32, U16, U32, RECORDS, st.lists(MARKS, max_size=MARKS_MAX).map(tuple))


@given(HEADS)
def test_a_head_reads_back_and_fits_into_a_directory_block(head: Head) -> None:
    data = encode(head, crc16)
    assert len(data) <= SIZE_MAX
    assert decode(data, TERMINAL, crc16) == head


def test_a_changed_bit_anywhere_is_found() -> None:
    mark = Mark(Name(TERMINAL, 1, 2), 3, 4, 5, 6)
    data = encode(Head(1, 2, 3, 4, (make_record(1, 2),), (mark,)), crc16)
    for bit in range(len(data) * 8):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="head"):
            decode(bytes(changed), TERMINAL, crc16)


@given(st.binary(max_size=600))
def test_no_bytes_can_crash_it(data: bytes) -> None:
    for candidate in (data, data + crc16(data).to_bytes(2, "little")):
        try:
            head = decode(candidate, TERMINAL, crc16)
        except ValueError:
            continue
        assert encode(head, crc16) == candidate


def test_an_empty_head_is_15_bytes_and_a_crc() -> None:
    assert len(encode(EMPTY, crc16)) == 17
