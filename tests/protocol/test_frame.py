"""Frames: every one comes through, nothing else does, whatever the line makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.link.codec import host_codec
from protocol.frame import (
    FROM_TERMINAL,
    PLAIN,
    SEALED,
    BadFrame,
    Decoder,
    Frame,
    encode_frame,
    is_from_terminal,
    is_sealed,
)
from tests.device.protocol_vectors import load

HOST = host_codec()


def _is_lawful(control: int, body: bytes) -> bool:
    return bool(control & SEALED) or not control & (0x3F if body else 0x38)


frames = st.builds(Frame, st.integers(0, 32), st.integers(0, 255), st.binary(max_size=250)).filter(
    lambda frame: _is_lawful(frame.control, frame.body)
)


def _events(decoder: Decoder) -> list[Frame | BadFrame]:
    events: list[Frame | BadFrame] = []
    while (event := decoder.next_event()) is not None:
        events.append(event)
    return events


def _decoded(wire: bytes) -> list[Frame | BadFrame]:
    decoder = Decoder(PLAIN)
    decoder.receive(wire)
    return _events(decoder)


def _pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(frames, max_size=5), st.lists(st.integers(0, 2000), max_size=8))
def test_frames_come_through_in_any_pieces(sent: list[Frame], cuts: list[int]):
    wire = b"".join(encode_frame(PLAIN, *frame) for frame in sent)
    decoder = Decoder(PLAIN)
    received: list[Frame | BadFrame] = []
    for piece in _pieces(wire, cuts):
        decoder.receive(piece)
        received += _events(decoder)
    assert received == sent


@given(frames)
def test_the_libraries_make_the_same_bytes(frame: Frame):
    wire = encode_frame(PLAIN, *frame)
    assert encode_frame(HOST, *frame) == wire
    decoder = Decoder(HOST)
    decoder.receive(wire)
    assert _events(decoder) == [frame]


@given(st.binary(max_size=600), frames, st.lists(st.integers(0, 2000), max_size=8))
def test_a_frame_is_heard_after_any_noise_that_a_zero_ends(noise: bytes, frame: Frame, cuts: list[int]):
    decoder = Decoder(PLAIN)
    events: list[Frame | BadFrame] = []
    for piece in _pieces(noise + b"\0" + encode_frame(PLAIN, *frame), cuts):
        decoder.receive(piece)
        events += _events(decoder)
    assert events[-1] == frame


@given(st.lists(st.binary(max_size=400), max_size=30))
def test_any_bytes_are_events_and_never_an_exception(pieces: list[bytes]):
    decoder = Decoder(HOST)
    for piece in pieces:
        decoder.receive(piece)
        assert all(isinstance(event, (Frame, BadFrame)) for event in _events(decoder))


WIRES = [vector["wire"] for vector in load("frames")["vectors"]] + [step["wire"] for step in load("session")["vectors"][0]["steps"]]


@pytest.mark.parametrize("wire", WIRES, ids=range(len(WIRES)))
def test_every_single_flipped_bit_is_noticed_or_changes_nothing(wire: str):
    # Nothing changes where the zero at the end of 254 bytes turns into the needless last block some encoders add.
    sent = bytes.fromhex(wire)
    (frame,) = _decoded(sent)
    for at in range(len(sent) * 8):
        flipped = (int.from_bytes(sent) ^ 1 << at).to_bytes(len(sent))
        assert [event for event in _decoded(flipped + b"\0") if isinstance(event, Frame)] in ([], [frame])


def test_a_lost_an_extra_and_a_doubled_byte_cost_one_frame_at_most():
    first, second = Frame(3, 0x48, bytes(range(20))), Frame(3, 0x50, b"\x91\x00" * 9)
    wire, next_wire = encode_frame(PLAIN, *first), encode_frame(PLAIN, *second)
    for at in range(len(wire)):
        for damaged in (wire[:at], wire[:at] + wire[at + 1 :], wire[:at] + b"\x07" + wire[at:], wire[: at + 1] + wire[at:]):
            heard = [event for event in _decoded(damaged + b"\0" + next_wire) if isinstance(event, Frame)]
            assert heard in ([second], [first, second])


def test_what_never_ends_is_dropped_and_holds_no_memory():
    decoder = Decoder(PLAIN)
    for _ in range(1000):
        decoder.receive(b"\x55" * 300)
        assert _events(decoder) == []
        assert len(decoder._waiting) <= 600
    decoder.receive(b"\0" + encode_frame(PLAIN, 1, 0, b""))
    assert _events(decoder) == [BadFrame("too long"), Frame(1, 0, b"")]


def test_events_that_nobody_takes_are_forgotten_from_the_oldest():
    decoder = Decoder(PLAIN)
    wire = encode_frame(PLAIN, 1, 0, b"")
    for _ in range(10_000):
        decoder.receive(wire)
    events = _events(decoder)
    assert events[-1] == Frame(1, 0, b"")
    assert len(events) <= 8192 // len(wire) + 1


def test_zeros_between_frames_are_nothing():
    assert _decoded(b"\0\0\0") == []


def test_a_memoryview_may_be_filled_again_after_receive():
    buffer = bytearray(encode_frame(PLAIN, 1, 0, b""))
    decoder = Decoder(PLAIN)
    decoder.receive(memoryview(buffer))
    buffer[:] = b"\x55" * len(buffer)
    assert _events(decoder) == [Frame(1, 0, b"")]


def test_the_bits_of_control_are_where_the_specification_has_them():
    control = FROM_TERMINAL | SEALED | 5 << 3 | 6
    assert (is_from_terminal(control), is_sealed(control)) == (True, True)
    assert (is_from_terminal(0x7F), is_sealed(0xBF)) == (False, False)
