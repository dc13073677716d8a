"""The card's blocks: what is whole, ours and in its place is read; anything else is no block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.crypto import HostCrypto
from protocol import card, record
from protocol.card import BLOCK_COPY_A, BLOCK_COPY_B, Copy, Identity, decode_copy, decode_identity, encode_copy, encode_identity, newest

CMAC = HostCrypto().cmac(bytes(range(16)))
OTHER_CARD = HostCrypto().cmac(bytes(range(1, 17)))

u8, u16, u32, u4 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 4))
identities = st.builds(Identity, u32, u4, u16, u8)
copies = st.builds(Copy, u16, u16, u16, u16, u16, u4, u4)


@given(identities)
def test_an_identity_comes_through(identity: Identity):
    block = encode_identity(identity, CMAC)
    assert len(block) == 16
    assert decode_identity(block, CMAC) == identity
    assert decode_identity(block, OTHER_CARD) is None


@given(copies)
def test_a_copy_comes_through_in_its_own_block_of_its_own_card_only(copy: Copy):
    block = encode_copy(copy, BLOCK_COPY_A, CMAC)
    assert len(block) == 16
    assert decode_copy(block, BLOCK_COPY_A, CMAC) == copy
    assert decode_copy(block, BLOCK_COPY_B, CMAC) is None
    assert decode_copy(block, BLOCK_COPY_A, OTHER_CARD) is None


def test_a_torn_write_is_no_copy_wherever_it_tore():
    before = encode_copy(Copy(7, 5000, 300, 100, 41, record.STEP, 3), BLOCK_COPY_A, CMAC)
    after = encode_copy(Copy(9, 4700, 300, 100, 42, record.STEP, 3), BLOCK_COPY_A, CMAC)
    for at in range(1, 16):
        for torn in (after[:at] + before[at:], before[:at] + after[at:], after[:at] + bytes(16 - at)):
            assert torn in (before, after) or decode_copy(torn, BLOCK_COPY_A, CMAC) is None


def test_any_flipped_bit_is_no_block():
    identity = encode_identity(Identity(1, 2, 3, 1), CMAC)
    copy = encode_copy(card.NEW_COPY, BLOCK_COPY_A, CMAC)
    for at in range(128):
        assert decode_identity((int.from_bytes(identity) ^ 1 << at).to_bytes(16), CMAC) is None
        assert decode_copy((int.from_bytes(copy) ^ 1 << at).to_bytes(16), BLOCK_COPY_A, CMAC) is None


@given(st.binary(max_size=20))
def test_any_bytes_are_no_block_and_never_an_exception(block: bytes):
    assert decode_identity(block, CMAC) is None
    assert decode_copy(block, BLOCK_COPY_B, CMAC) is None


@given(st.one_of(st.none(), copies), st.one_of(st.none(), copies))
def test_the_newest_copy_is_the_valid_one_with_the_higher_counter(a: Copy | None, b: Copy | None):
    found = newest([a, b])
    counters = [copy.counter for copy in (a, b) if copy]
    assert (found.counter if found else None) == max(counters, default=None)


@given(copies.filter(lambda copy: copy.kind), copies.filter(lambda copy: copy.kind))
def test_the_card_shows_its_last_two_operations_newest_first(a: Copy, b: Copy):
    shown = record.unpack_shown(card.shown(a, b))
    newer, older = (b, a) if b.counter > a.counter else (a, b)
    expected = [(copy.terminal, copy.sequence_low, copy.kind, copy.epoch_low, copy.amount_fen) for copy in (newer, older)]
    assert [tuple(operation) for operation in shown] == expected


def test_a_damaged_card_shows_nothing():
    assert card.shown(None, None) == bytes(14)
    assert newest([None, None]) is None


def test_a_new_card_has_one_empty_copy_and_locks_its_keys():
    blocks = card.new_card(Identity(1, 0, card.EXPIRY_NONE, 1), CMAC, key_a=b"A" * 6, key_b=b"B" * 6)
    assert decode_identity(blocks[0], CMAC) == Identity(1, 0, card.EXPIRY_NONE, 1)
    assert decode_copy(blocks[1], BLOCK_COPY_A, CMAC) == Copy(1, 0, 0, 0, 0, record.LOAD, 0)
    assert decode_copy(blocks[2], BLOCK_COPY_B, CMAC) is None
    assert blocks[3] == b"A" * 6 + bytes.fromhex("78778869") + b"B" * 6


def test_access_bits_say_that_key_b_writes_and_are_stored_twice():
    # MF1S50, section 8.7.1: C1 C2 C3 of block n stand at bit n of three nibbles, each a second time inverted.
    low, middle, high = card.trailer(b"A" * 6, b"B" * 6)[6:9]
    c1, c2, c3 = middle >> 4, high & 15, high >> 4
    assert (low & 15, low >> 4, middle & 15) == (c1 ^ 15, c2 ^ 15, c3 ^ 15)
    conditions = [(c1 >> n & 1, c2 >> n & 1, c3 >> n & 1) for n in range(4)]
    assert conditions == [(1, 0, 0)] * 3 + [(0, 1, 1)]


@pytest.mark.parametrize("copy", [Copy(1, 0, 0, 0, 0, 16, 0), Copy(1, 0, 0, 0, 0, 1, 16)])
def test_a_kind_or_epoch_that_does_not_fit_is_never_written(copy: Copy):
    with pytest.raises(AssertionError):
        encode_copy(copy, BLOCK_COPY_A, CMAC)
