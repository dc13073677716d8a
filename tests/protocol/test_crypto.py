"""The device's constructions against the host's, which are the `cryptography` package's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host.crypto import HostCrypto
from protocol.crypto import Crypto
from tests.protocol.pretend_cryptolib import aes

HOST = HostCrypto()
DEVICE = Crypto(aes)
BOTH = pytest.mark.parametrize("crypto", [HOST, DEVICE], ids=["host", "device"])

keys = st.binary(min_size=16, max_size=16)
nonces = st.binary(min_size=13, max_size=13)


@given(keys, st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_every_CMAC_is_the_same_whatever_the_key_signed_before(key: bytes, messages: list[bytes]):
    device, host = DEVICE.cmac(key), HOST.cmac(key)
    assert [device(message) for message in messages] == [host(message) for message in messages]


@given(keys, st.lists(st.tuples(nonces, st.binary(min_size=1, max_size=256), st.binary(max_size=30)), min_size=1, max_size=4))
def test_each_opens_what_the_other_sealed(key: bytes, texts: list[tuple[bytes, bytes, bytes]]):
    device, host = DEVICE.ccm(key), HOST.ccm(key)
    for nonce, text, aad in texts:
        sealed = device.seal(nonce, text, aad)
        assert sealed == host.seal(nonce, text, aad)
        assert host.open(nonce, sealed, aad) == text
        assert device.open(nonce, sealed, aad) == text


@BOTH
def test_any_altered_bit_opens_nothing(crypto: HostCrypto | Crypto):
    ccm = crypto.ccm(bytes(16))
    nonce, text, aad = bytes(range(13)), b"12.50", b"\x03\xc8"
    sealed = ccm.seal(nonce, text, aad)
    whole = nonce + sealed + aad
    for at in range(len(whole) * 8):
        flipped = (int.from_bytes(whole) ^ 1 << at).to_bytes(len(whole))
        assert ccm.open(flipped[:13], flipped[13:-2], flipped[-2:]) is None
    assert ccm.open(nonce, sealed, aad) == text


@BOTH
@given(st.binary(max_size=280))
def test_any_bytes_open_to_nothing_and_never_an_exception(crypto: HostCrypto | Crypto, sealed: bytes):
    assert crypto.ccm(bytes(16)).open(bytes(13), sealed, b"\x03\xc8") is None


def test_a_text_longer_than_any_frame_is_never_sealed_on_a_device():
    with pytest.raises(ValueError, match="too long"):
        DEVICE.ccm(bytes(16)).seal(bytes(13), bytes(257), b"\x03\xc8")


@given(keys, st.binary(max_size=20), st.binary(max_size=80))
def test_derived_keys_are_the_same(key: bytes, label: bytes, context: bytes):
    assert DEVICE.derive(key, label, context) == HOST.derive(key, label, context)


@given(keys, st.binary(min_size=1, max_size=31))
def test_diversified_keys_are_the_same(key: bytes, data: bytes):
    assert DEVICE.diversify(key, data) == HOST.diversify(key, data)
