"""The bounded MessagePack coder against the `msgpack` package, both ways."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.packing import DEPTH_MAX, pack, unpack
from tests.protocol import libraries

leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=80), st.binary(max_size=300))


def nested(depth: int) -> st.SearchStrategy[Any]:
    return leaves if depth == 0 else st.one_of(leaves, st.lists(nested(depth - 1), max_size=20))


values = nested(DEPTH_MAX)


@given(values)
@example([1] * 300)
@example("x" * 700)
@example([-1, -32, -33, -128, -129, -(2**15), -(2**15) - 1, -(2**31), -(2**31) - 1, -(2**63)])
@example([127, 128, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**63, 2**64 - 1])
def test_packing_is_undone_and_agrees_with_the_library_both_ways(value: Any):
    packed = pack(value)
    assert packed == libraries.pack(value)
    assert unpack(packed) == value
    assert libraries.unpack(packed) == value


@given(st.binary(max_size=60))
def test_any_bytes_unpack_as_the_library_says_or_raise_ValueError(data: bytes):
    try:
        value = unpack(data)
    except ValueError:
        return
    assert libraries.unpack(data) == value


@given(values, st.integers(0, 400), st.integers(1, 255))
def test_an_altered_byte_is_another_value_or_a_ValueError(value: Any, at: int, change: int):
    packed = bytearray(pack(value))
    packed[at % len(packed)] ^= change
    try:
        unpack(packed)
    except ValueError:
        return


@pytest.mark.parametrize(
    "bomb",
    [
        "dd7fffffff",  # two thousand million items
        "ddffffffff",
        "dcffff" + "00" * 10,
        "c6ffffffff",  # bytes without end
        "dbffffffff",
        "91" * 5 + "00",  # five deep
        "91" * 2000 + "00",
        "c1",  # what MessagePack never uses
        "80",
        "81c000",  # a map with nil for a key
        "de0000",
        "ca00000000",  # floats
        "cb0000000000000000",
        "c70000",  # extensions
        "d40000",
        "0000",  # a byte too many
        "",
        "a1ff",  # no UTF-8
    ],
)
def test_bombs_and_strangers_are_refused(bomb: str):
    with pytest.raises(ValueError, match=r"."):
        unpack(bytes.fromhex(bomb))


def test_forms_longer_than_needed_are_understood():
    assert unpack(bytes.fromhex("dd00000003cd0001d90161c500017a")) == [1, "a", b"z"]


@pytest.mark.parametrize("value", [1.5, {}, {1: 2}, object(), 2**64, -(2**63) - 1, [[[[[1]]]]]])
def test_what_the_protocol_does_not_use_is_never_packed(value: Any):
    with pytest.raises((TypeError, AssertionError)):
        pack(value)
