"""COBS against the host's library."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol import cobs
from tests.protocol.libraries import CobsError, cobs_decode, cobs_encode

# Long runs without a zero matter, which random bytes never have.
_bytes = st.one_of(
    st.binary(max_size=300), st.lists(st.sampled_from([0, 1, 255]), max_size=600).map(bytes), st.integers(0, 600).map(b"\x01".__mul__)
)


@given(_bytes)
@example(b"\x01" * 254)
@example(b"\x01" * 254 + b"\x00")
@example(b"\x01" * 508)
def test_encoding_is_undone_has_no_zero_and_agrees_with_the_library(data: bytes):
    encoded = cobs.encode(data)
    assert encoded == cobs_encode(data)
    assert 0 not in encoded
    assert len(encoded) <= len(data) + len(data) // 254 + 1
    assert cobs.decode(encoded) == data


@given(_bytes)
def test_any_bytes_decode_as_the_library_says_or_raise_ValueError(data: bytes):
    try:
        expected = cobs_decode(data)
    except CobsError:
        with pytest.raises(ValueError, match=r"zero inside|runs past"):
            cobs.decode(data)
    else:
        assert cobs.decode(data) == expected
