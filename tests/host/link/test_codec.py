from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.link.codec import decode_message, encode_message, host_codec
from protocol import messages
from protocol.frame import PLAIN, Decoder
from protocol.messages import Ack, Answer, Ask, Chunk, Hello, MessageError, Offer, Records, Resume, State, Who

if TYPE_CHECKING:
    from protocol.messages import Message

CODEC = host_codec()

MESSAGES: list[Message] = [
    Who(),
    Hello(1, 1, 100, 1, bytes(16)),
    State(4095, 2**31 - 1, 1, "0.1 中", 2, ((1, 2**32 - 1, bytes(8)), (6, 0, bytes(range(8))))),
    Resume(1, 70_000, 2**32 - 1),
    Ask(1, 2, messages.ASK_SALE, messages.SUBJECT_CARD, 3, 1250, 0, bytes(32), b"123456"),
    Answer(1, 2, messages.ASK_SALE, 0, 1250, 10_000, 0, 0, 0, "张*雨".encode("gb2312")),
    Records(bytes(192)),
    Ack(1, 200),
    Offer(6, 3, 300, bytes(32)),
    Chunk(6, 3, 192, bytes(128)),
]


def test_the_crc_has_its_published_check_value() -> None:
    assert CODEC.crc16(b"123456789") == 0x29B1


@given(st.binary(max_size=254))
def test_the_c_codec_and_the_plain_one_agree(data: bytes) -> None:
    assert CODEC.crc16(data) == PLAIN.crc16(data)
    assert PLAIN.cobs_decode(CODEC.cobs_encode(data)) == data == CODEC.cobs_decode(PLAIN.cobs_encode(data))


@given(st.binary(max_size=300))
def test_whatever_arrives_the_decoder_of_the_host_does_not_raise(data: bytes) -> None:
    decoder = Decoder(CODEC)
    decoder.receive(data)
    while decoder.next_event() is not None:
        pass


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_msgpack_and_the_device_coder_write_the_same_bytes(message: Message) -> None:
    data = encode_message(message)
    assert data == messages.encode(message)
    assert encode_message(decode_message(data)) == data


BOMBS = {
    "an array of four thousand million": b"\xdd\xff\xff\xff\xff",
    "two thousand arrays deep": b"\x91" * 2000 + b"\xc0",
    "the byte that means nothing": b"\xc1",
    "a map with a nil key": b"\x81\xc0\xc0",
    "two values": b"\x91\x00\x00",
    "a lying length": b"\xc6\x7f\xff\xff\xff",
    "text that is not UTF-8": b"\x96\x04\x01\x01\x01\xa2\xff\xfe\x01",
    "a float for a number": b"\x93\x09\xcb" + bytes(8) + b"\x01",
    "an extension": b"\x91\xd4\x05\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_a_msgpack_bomb_is_a_message_error(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_message(data)


@given(st.binary(max_size=250))
def test_any_bytes_are_a_message_or_a_message_error(data: bytes) -> None:
    with contextlib.suppress(MessageError):
        decode_message(data)
