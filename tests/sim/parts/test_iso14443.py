"""Frames on the air: parity, split bytes, collisions, and noise for who is not in the session."""

from hypothesis import given
from hypothesis import strategies as st

from sim.parts.iso14443 import BIT_FC, Frame, crc_a, decode, encode, has_crc, superpose, with_crc


def test_crc_of_the_standards_examples() -> None:
    assert with_crc(b"\x00\x00") == bytes.fromhex("0000a01e")
    assert with_crc(b"\x12\x34") == bytes.fromhex("123426cf")


@given(st.binary(min_size=1, max_size=64))
def test_crc_over_data_and_crc_is_zero(data: bytes) -> None:
    assert crc_a(with_crc(data)) == 0
    assert has_crc(with_crc(data))


@given(st.binary(min_size=1, max_size=64), st.booleans(), st.integers(0, 7))
def test_decode_gives_back_what_was_encoded(data: bytes, parity: bool, last_bits: int) -> None:
    bits = decode(encode(data, last_bits=last_bits, parity=parity), parity=parity)
    assert bits.count == len(data) * 8 - (8 - last_bits if last_bits else 0)
    assert bits.data[:-1] == data[:-1]
    assert bits.data[-1] == data[-1] & (0xFF >> (8 - last_bits) if last_bits else 0xFF)
    assert bits.parity_ok


@given(st.binary(min_size=1, max_size=5), st.integers(1, 7))
def test_a_byte_split_between_the_two_sides_comes_together(data: bytes, split: int) -> None:
    bits = decode(encode(data, skip_bits=split), align=split)
    assert bits.data[0] == data[0] >> split << split
    assert bits.data[1:] == data[1:]
    assert bits.parity_ok


@given(st.binary(min_size=1, max_size=20), st.data())
def test_one_flipped_bit_breaks_the_parity(data: bytes, draw: st.DataObject) -> None:
    frame = encode(data)
    flip = draw.draw(st.integers(0, frame.length - 1))
    assert not decode(Frame(frame.stream ^ 1 << flip, frame.length)).parity_ok


def test_a_frame_lasts_a_start_its_bits_and_an_end() -> None:
    assert encode(b"\x26", last_bits=7).duration_fc == 9 * BIT_FC
    assert encode(bytes(18)).duration_fc == (18 * 9 + 2) * BIT_FC


@given(st.binary(min_size=4, max_size=20), st.integers(0, 2**56), st.integers(0, 2**56))
def test_a_frame_is_understood_in_its_session_only(data: bytes, sent: int, listening: int) -> None:
    frame = encode(data, cipher=sent)
    heard = frame.heard_with(listening)
    assert heard.length == frame.length
    assert (heard.stream == frame.stream) == (sent == listening)


@given(st.binary(min_size=1, max_size=8), st.binary(min_size=1, max_size=8))
def test_the_first_collision_is_the_first_bit_in_which_two_cards_differ(one: bytes, other: bytes) -> None:
    heard = superpose([(0, encode(one)), (0, encode(other))])
    size = min(len(one), len(other))
    differing = int.from_bytes(one[:size], "little") ^ int.from_bytes(other[:size], "little")
    assert heard.collision() == (differing & -differing).bit_length()


@given(st.binary(min_size=2, max_size=5), st.binary(min_size=2, max_size=5), st.integers(1, 7))
def test_a_collision_counts_from_where_the_byte_began(one: bytes, other: bytes, split: int) -> None:
    heard = superpose([(0, encode(one, skip_bits=split)), (0, encode(other, skip_bits=split))])
    size = min(len(one), len(other))
    differing = (int.from_bytes(one[:size], "little") ^ int.from_bytes(other[:size], "little")) >> split << split
    assert heard.collision(align=split) == (differing & -differing).bit_length()


def test_parity_bits_that_differ_are_no_collision_of_data() -> None:
    frame = encode(b"\x04\x00")
    assert superpose([(0, frame), (0, Frame(frame.stream ^ 1 << 8, 18))]).collision() == 0


def test_a_card_alone_is_heard_as_it_speaks() -> None:
    frame = encode(b"\x04\x00")
    heard = superpose([(1000, frame)])
    assert (heard.frame, heard.clash, heard.collision()) == (frame, 0, 0)


def test_cards_that_begin_at_different_times_are_added_where_they_overlap() -> None:
    heard = superpose([(0, Frame(0b1, 4)), (2 * BIT_FC, Frame(0b11, 4))])
    assert (heard.frame, heard.clash) == (Frame(0b1101, 6), 0b1100)
