"""The constructions of protocol/crypto.py over the `cryptography` package: one shape, one set of vectors."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

_KEY_SIZE = 16
_TAG_SIZE = 8
_COUNTER_SIZE = 4


class HostCrypto:
    """AES-128 CMAC, CCM, key derivation and diversification; see `protocol.crypto.Crypto`."""

    def cmac(self, key: bytes) -> Callable[[bytes], bytes]:
        """Return a function from a message to its CMAC: keyed here, once, and copied for each message."""
        keyed = CMAC(AES(key))

        def sign(message: bytes) -> bytes:
            mac = keyed.copy()
            mac.update(message)
            return mac.finalize()

        return sign

    def ccm(self, key: bytes) -> "HostCcm":
        """Return the sealer under `key`."""
        return HostCcm(key)

    def derive(self, key: bytes, label: bytes, context: bytes) -> bytes:
        """Derive 16 bytes: SP 800-108 in counter mode with CMAC (docs/protocol.md, section 5)."""
        return _kdf(label=label, context=context, fixed=None).derive(key)

    def derive_fixed(self, key: bytes, fixed: bytes) -> bytes:
        """Derive 16 bytes from the whole fixed input data."""
        return _kdf(label=None, context=None, fixed=fixed).derive(key)

    def diversify(self, key: bytes, data: bytes) -> bytes:
        """Return the AES-128 key diversified by `data`, 1 to 31 bytes (AN10922, section 2.2).

        Where 0x01 | data fills 17 bytes or more this is CMAC. A shorter one, too, is padded to two blocks, which CMAC
        never does: hence the CBC by hand, with CMAC's second subkey.
        """
        message = b"\x01" + data
        assert 2 <= len(message) <= 32
        if len(message) > 16:
            return self.cmac(key)(message)
        blocks = (message + b"\x80").ljust(32, b"\0")
        last = int.from_bytes(blocks[16:]) ^ _doubled(_doubled(int.from_bytes(_cbc(key, bytes(16)))))
        return _cbc(key, blocks[:16] + last.to_bytes(16))[16:]


class HostCcm:
    """One key's AES-CCM with a tag of 8 bytes."""

    def __init__(self, key: bytes):
        ccm = AESCCM(key, tag_length=_TAG_SIZE)
        self._decrypt = ccm.decrypt
        self.seal: Callable[[bytes, bytes, bytes], bytes] = ccm.encrypt

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> bytes | None:
        """Return the text, or None if the tag says that it, the nonce or `aad` is another."""
        try:
            return self._decrypt(nonce, sealed, aad)
        except InvalidTag:
            return None


def _kdf(*, label: bytes | None, context: bytes | None, fixed: bytes | None) -> KBKDFCMAC:
    return KBKDFCMAC(
        AES,
        mode=Mode.CounterMode,
        length=_KEY_SIZE,
        rlen=_COUNTER_SIZE,
        llen=_COUNTER_SIZE if fixed is None else None,
        location=CounterLocation.BeforeFixed,
        label=label,
        context=context,
        fixed=fixed,
    )


def _cbc(key: bytes, blocks: bytes) -> bytes:
    return Cipher(AES(key), CBC(bytes(16))).encryptor().update(blocks)


def _doubled(value: int) -> int:
    """Return the block times x in the field of RFC 4493, section 2.3."""
    return value << 1 if value < 1 << 127 else (value << 1) ^ (1 << 128) ^ 0x87
