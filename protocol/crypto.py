"""The published constructions over AES-128, for a device that has only the block cipher.

CMAC (RFC 4493), CCM (RFC 3610, SP 800-38C), key derivation (SP 800-108), card keys (AN10922). The host has
the same shape over `cryptography` in host/crypto.py; both pass docs/vectors/{cmac,ccm,kdf,an10922}.json.
"""

from .compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Protocol

    Buffer = bytes | bytearray | memoryview
    Xor = Callable[[bytearray | memoryview, Buffer, int], None]

    class Sealer(Protocol):
        """What seals and opens under one key: `Ccm` here, or the host's."""

        @property
        def seal(self) -> Callable[[bytes, bytes, bytes], bytes]: ...

        @property
        def open(self) -> Callable[[bytes, bytes, bytes], bytes | None]: ...

    class Suite(Protocol):
        """What sessions, keys and cards are built on: `Crypto` here, or the host's."""

        def cmac(self, key: bytes) -> Callable[[bytes], bytes]: ...

        def ccm(self, key: bytes) -> Sealer: ...

        def derive(self, key: bytes, label: bytes, context: bytes) -> bytes: ...

        def derive_fixed(self, key: bytes, fixed: bytes) -> bytes: ...

        def diversify(self, key: bytes, data: bytes) -> bytes: ...


TAG_SIZE = const(8)

_BLOCK = const(16)
_ECB = const(1)  # cryptolib's numbers
_CBC = const(2)
_ZEROS = b"\0" * 16
_NONCE_SIZE = const(13)
_TEXT_MAX = const(256)  # the longest text of a frame, 242, in whole blocks
_AAD_MAX = const(30)  # two blocks with its length before it; the protocol's has 2 bytes


def xor(target: "bytearray | memoryview", source: "Buffer", size: int) -> None:
    """XOR the first `size` bytes of `source` into those of `target`; the plain twin of `protocol.fast.xor`."""
    for index in range(size):
        target[index] ^= source[index]


class Crypto:
    """The constructions over one primitive.

    `aes(key, mode)` or `aes(key, mode, iv)` has the shape of MicroPython's `cryptolib.aes`: mode 1 is
    ECB, 2 is CBC that chains on from call to call; `encrypt(source, target)` may work in place.
    `xor` is the viper twin on a device. What `cmac` and `ccm` return is keyed once, to be kept.
    """

    def __init__(self, aes: "Callable[..., Any]", xor: "Xor" = xor):
        self._aes = aes
        self._xor = xor

    def cmac(self, key: bytes) -> "Callable[[Buffer], bytes]":
        """Return a function from a message to its 16 bytes of CMAC under `key` (RFC 4493)."""
        return _Cmac(self._aes, key, self._xor).sign

    def ccm(self, key: bytes) -> "Ccm":
        """Return the sealer under `key`."""
        return Ccm(self._aes, key, self._xor)

    def derive(self, key: bytes, label: bytes, context: bytes) -> bytes:
        """Derive 16 bytes: SP 800-108 in counter mode with CMAC (docs/protocol.md, section 5)."""
        return self.derive_fixed(key, label + b"\0" + context + b"\0\0\0\x80")

    def derive_fixed(self, key: bytes, fixed: bytes) -> bytes:
        """Derive 16 bytes from the whole fixed input data; the 32-bit counter, 1, stands before it."""
        return self.cmac(key)(b"\0\0\0\x01" + fixed)

    def diversify(self, key: bytes, data: bytes) -> bytes:
        """Return the AES-128 key diversified by `data`, 1 to 31 bytes (AN10922, section 2.2)."""
        return _Cmac(self._aes, key, self._xor).diversify(data)


class _Cmac:
    """One key's CMAC. The CBC object is keyed once and chains on from message to message, which each message undoes."""

    def __init__(self, aes: "Callable[..., Any]", key: bytes, xor: "Xor"):
        self._xor = xor
        self._cbc = aes(key, _CBC, _ZEROS)
        self._chain = bytearray(self._cbc.encrypt(_ZEROS))  # the last block it gave: CBC mixes it into the next
        self._whole_subkey = _doubled(self._chain)  # K1: the last block is full
        self._padded_subkey = _doubled(self._whole_subkey)  # K2: it was padded

    def sign(self, message: "Buffer") -> bytes:
        """Return the CMAC of a message of any size."""
        size = len(message)
        blocks = bytearray(_whole_blocks(size) or _BLOCK)
        blocks[:size] = message
        return self._finish(blocks, size)

    def diversify(self, data: bytes) -> bytes:
        """Return the key diversified by `data`: as CMAC of 0x01 | data, but a short input too is padded to two blocks."""
        size = 1 + len(data)
        assert 2 <= size <= 2 * _BLOCK
        blocks = bytearray(2 * _BLOCK)
        blocks[0] = 0x01
        blocks[1:size] = data
        return self._finish(blocks, size)

    def _finish(self, blocks: bytearray, size: int) -> bytes:
        """Return the last block of the CBC over `blocks`, of which `size` bytes are the message."""
        last = memoryview(blocks)[len(blocks) - _BLOCK :]
        if size < len(blocks):
            blocks[size] = 0x80
        self._xor(last, self._padded_subkey if size < len(blocks) else self._whole_subkey, _BLOCK)
        self._xor(blocks, self._chain, _BLOCK)
        self._cbc.encrypt(blocks, blocks)
        self._chain[:] = last
        return bytes(last)


class Ccm:
    """One key's AES-CCM with a tag of 8 bytes: a text is one CBC call, one ECB call and an XOR.

    The protocol's nonce has 13 bytes; published vectors may want 7 to 12. Texts of up to 256 bytes, associated
    data of up to 30. Keyed once, with its buffers: sealing allocates little more than the bytes it returns.
    """

    def __init__(self, aes: "Callable[..., Any]", key: bytes, xor: "Xor", nonce_size: int = _NONCE_SIZE):
        self._xor = xor
        self._ecb = aes(key, _ECB)
        self._cbc = aes(key, _CBC, _ZEROS)
        self._chain = bytearray(self._cbc.encrypt(_ZEROS))  # as in `_Cmac`
        self._nonce_size = nonce_size
        # What the tag is made over: B_0, associated data, text (RFC 3610, section 2.2).
        self._blocks = memoryview(bytearray(3 * _BLOCK + _TEXT_MAX))
        # A_0 makes the key stream of the tag, A_1 and on that of the text; only the nonce in them changes (section 2.3).
        self._counters = memoryview(bytearray(_BLOCK + _TEXT_MAX))
        self._stream = memoryview(bytearray(_BLOCK + _TEXT_MAX))
        for at in range(0, _BLOCK + _TEXT_MAX, _BLOCK):
            self._counters[at] = 14 - nonce_size
            self._counters[at + 15] = at // _BLOCK

    def seal(self, nonce: bytes, text: bytes, aad: bytes) -> bytes:
        """Return the ciphertext and its tag: 8 bytes more than `text`. A nonce is never used for two texts.

        Raises ValueError for a text that is too long: the viper XOR has no bounds of its own.
        """
        size = len(text)
        if size > _TEXT_MAX:
            raise ValueError("text too long")
        self._make_stream(nonce, size)
        sealed = bytearray(size + TAG_SIZE)
        sealed[:size] = text
        self._xor(sealed, self._stream[_BLOCK:], size)
        sealed[size:] = self._tag(nonce, text, aad)
        return bytes(sealed)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes) -> "bytes | None":
        """Return the text, or None if the tag says that it, the nonce or `aad` is another."""
        size = len(sealed) - TAG_SIZE
        if not 0 <= size <= _TEXT_MAX:
            return None
        self._make_stream(nonce, size)
        text = bytearray(sealed[:size])
        self._xor(text, self._stream[_BLOCK:], size)
        difference = self._tag(nonce, text, aad)
        self._xor(difference, sealed[size:], TAG_SIZE)
        return None if any(difference) else bytes(text)

    def _make_stream(self, nonce: bytes, size: int) -> None:
        assert len(nonce) == self._nonce_size
        end = _BLOCK + _whole_blocks(size)
        for at in range(1, end, _BLOCK):
            self._counters[at : at + self._nonce_size] = nonce
        self._ecb.encrypt(self._counters[:end], self._stream[:end])

    def _tag(self, nonce: bytes, text: "bytes | bytearray", aad: bytes) -> bytearray:
        """Return the tag: the CBC-MAC over B_0, the associated data and the text, under S_0."""
        assert len(aad) <= _AAD_MAX
        size = len(text)
        text_at = _BLOCK + (_whole_blocks(len(aad) + 2) if aad else 0)
        end = text_at + _whole_blocks(size)
        blocks = self._blocks
        blocks[0] = (0x40 if aad else 0) | (TAG_SIZE - 2) // 2 << 3 | 14 - self._nonce_size
        blocks[1 : 1 + self._nonce_size] = nonce
        blocks[1 + self._nonce_size : _BLOCK] = size.to_bytes(15 - self._nonce_size, "big")
        if aad:
            _fill(blocks, _BLOCK, text_at, len(aad).to_bytes(2, "big") + aad)
        _fill(blocks, text_at, end, text)
        self._xor(blocks, self._chain, _BLOCK)
        self._cbc.encrypt(blocks[:end], blocks[:end])
        self._chain[:] = blocks[end - _BLOCK : end]
        tag = bytearray(self._chain[:TAG_SIZE])
        self._xor(tag, self._stream, TAG_SIZE)
        return tag


def _whole_blocks(size: int) -> int:
    """Return the size of the blocks that hold `size` bytes."""
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK


def _fill(blocks: memoryview, start: int, end: int, data: "bytes | bytearray") -> None:
    """Write `data` at `start`, and zeros after it up to `end`."""
    blocks[start : start + len(data)] = data
    blocks[start + len(data) : end] = _ZEROS[: end - start - len(data)]


def _doubled(block: "bytes | bytearray") -> bytes:
    """Return the block times x in the field of RFC 4493, section 2.3."""
    value = int.from_bytes(block, "big") << 1
    if value >> 128:
        value = value ^ 1 << 128 ^ 0x87
    return value.to_bytes(_BLOCK, "big")
