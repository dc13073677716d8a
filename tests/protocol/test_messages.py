"""Every message in the table: both ways, within its ranges, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.link.codec import decode_message, encode_message
from protocol import messages
from protocol.messages import (
    Ack,
    Answer,
    Ask,
    Chunk,
    Fetch,
    Hello,
    MessageError,
    Offer,
    Records,
    Refused,
    Resume,
    State,
    Welcome,
    Who,
    decode,
    encode,
    is_in_place,
    number_of,
)
from tests.protocol import libraries

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol.messages import Message

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
terminal = st.integers(1, 2**16 - 1)
epoch, sequence = st.integers(0, 2**12 - 1), st.integers(0, 2**31 - 1)
challenge, digest = st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32)
kind = st.integers(1, 5)
in_force = st.tuples(u8, u32, st.binary(min_size=8, max_size=8)).map(list)
name = st.text(max_size=24).filter(lambda text: len(text.encode()) <= 24)

STRATEGIES: dict[type, st.SearchStrategy[Any]] = {
    Who: st.just(Who()),
    Hello: st.builds(Hello, u8, u8, terminal, u8, challenge),
    Welcome: st.builds(Welcome, u8, terminal, terminal, challenge, st.binary(min_size=8, max_size=8)),
    Refused: st.builds(Refused, u8, u8),
    State: st.builds(State, epoch, sequence, sequence, name, u8, st.lists(in_force, max_size=7)),
    Resume: st.builds(Resume, epoch, sequence, u32),
    Ask: st.builds(Ask, epoch, sequence, kind, st.integers(0, 2), u32, u32, u32, st.one_of(st.just(b""), digest), st.binary(max_size=18)),
    Answer: st.builds(Answer, epoch, sequence, kind, u8, u32, u32, u32, u32, u32, st.binary(max_size=16)),
    Records: st.builds(Records, st.integers(1, 3).flatmap(lambda n: st.binary(min_size=64 * n, max_size=64 * n))),
    Ack: st.builds(Ack, epoch, sequence),
    Offer: st.builds(Offer, u8, u32, u32, st.one_of(st.just(b""), digest)),
    Fetch: st.builds(Fetch, u8, u32, u32),
    Chunk: st.builds(Chunk, u8, u32, u32, st.binary(max_size=192)),
}
anything = st.one_of(*STRATEGIES.values())


@given(anything)
def test_every_message_comes_through_and_the_host_makes_the_same_bytes(message: Message):
    packed = encode(message)
    assert encode_message(message) == packed
    assert decode(packed) == message
    assert decode_message(packed) == message


@given(anything)
def test_every_message_fits_a_sealed_frame(message: Message):
    assert len(encode(message)) <= 242


@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_a_MessageError(data: bytes):
    for decoder in (decode, decode_message):
        refusal = _refusal(decoder, data)
        assert refusal is None or (0 <= refusal[0] <= 255 and refusal[1] in (messages.UNKNOWN_MESSAGE, messages.MALFORMED))


@given(
    anything, st.integers(0, 12), st.one_of(st.none(), st.booleans(), st.integers(-5, 2**40), st.binary(max_size=300), st.lists(st.none()))
)
def test_a_field_of_another_type_or_range_is_refused_with_the_number(message: Message, at: int, value: Any):
    items: list[Any] = [number_of(message), *message]
    items[at % len(items)] = value
    try:
        changed = decode(libraries.pack(items))
    except MessageError:
        return
    encode(changed)  # what is let in is within the ranges of what goes out


@given(anything)
def test_a_field_too_many_and_one_too_few_are_malformed(message: Message):
    items: list[Any] = [number_of(message), *message]
    for wrong in ([*items, 0], items[:-1]):
        with pytest.raises(MessageError) as caught:
            decode(libraries.pack(wrong))
        assert caught.value.reason == messages.MALFORMED
        assert caught.value.number == (number_of(message) if wrong else messages.UNREADABLE)


def test_an_unknown_number_is_said_back():
    with pytest.raises(MessageError) as caught:
        decode(libraries.pack([77, 1, 2]))
    assert (caught.value.number, caught.value.reason) == (77, messages.UNKNOWN_MESSAGE)


def test_true_is_no_number():
    with pytest.raises(MessageError):
        decode(libraries.pack([messages.ACK, True, 1]))


def test_directions_and_seals_are_those_of_the_specification():
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([A-Z]+) \| (to terminal|to host|both) \| (yes|no|either) \|", page, re.MULTILINE)
    classes = {number_of(example): example for example in _examples()}
    assert [int(row[0]) for row in rows] == sorted(classes)
    for number, title, direction, seal in rows:
        message = classes[int(number)]
        assert type(message).__name__.upper() == title
        for to_host in (False, True):
            for sealed in (False, True):
                expected = direction in ("both", "to host" if to_host else "to terminal") and seal in ("either", "yes" if sealed else "no")
                assert is_in_place(message, to_host=to_host, sealed=sealed) == expected, title


def _refusal(decoder: Callable[[bytes], Message], data: bytes) -> tuple[int, int] | None:
    try:
        decoder(data)
    except MessageError as error:
        return error.number, error.reason
    return None


def _examples() -> list[Message]:
    return [
        Who(),
        Hello(1, 1, 1, 1, bytes(16)),
        Welcome(1, 1, 1, bytes(16), bytes(8)),
        Refused(0, 0),
        State(0, 1, 1, "", 1, []),
        Resume(0, 0, 0),
        Ask(0, 0, 1, 0, 0, 0, 0, b"", b""),
        Answer(0, 0, 1, 0, 0, 0, 0, 0, 0, b""),
        Records(bytes(64)),
        Ack(0, 0),
        Offer(0, 0, 0, b""),
        Fetch(0, 0, 0),
        Chunk(0, 0, 0, b""),
    ]
