# ruff: noqa: F821 (ptr8 is a word of viper)
"""The hot loops in viper, for the device: machine code through raw pointers.

CPython never imports this file. Each function has a plain twin that passes the same vectors:
`crc.crc16`, `cobs.encode`, `cobs.decode`, `crypto.xor`. Compiled by mpy-cross, it needs an architecture (-march).
"""

from .compat import micropython
from .frame import Codec


def crc16(data: "bytes | bytearray | memoryview") -> int:
    """Return the CRC of `data` from the start value; twin of `crc.crc16`."""
    return _crc16(data, len(data))


def cobs_encode(data: "bytes | bytearray | memoryview") -> bytes:
    """Encode `data`; twin of `cobs.encode`."""
    size = len(data)
    out = bytearray(size + size // 254 + 1)
    return bytes(memoryview(out)[: _cobs_encode(out, data, size)])


def cobs_decode(data: "bytes | bytearray | memoryview") -> bytes:
    """Decode `data`; twin of `cobs.decode`. Raises ValueError like it."""
    out = bytearray(len(data))
    size = _cobs_decode(out, data, len(data))
    if size < 0:
        raise ValueError("not COBS")
    return bytes(memoryview(out)[:size])


@micropython.viper
def xor(target, source, size: int):
    """XOR the first `size` bytes of `source` into those of `target`; twin of `crypto.xor`."""
    into = ptr8(target)
    of = ptr8(source)
    for index in range(size):
        into[index] ^= of[index]


@micropython.viper
def _crc16(data, size: int) -> int:
    at = ptr8(data)
    crc = 0xFFFF
    for index in range(size):
        mixed = (crc >> 8) ^ at[index]
        mixed ^= mixed >> 4
        crc = ((crc << 8) ^ (mixed << 12) ^ (mixed << 5) ^ mixed) & 0xFFFF
    return crc


@micropython.viper
def _cobs_encode(target, source, size: int) -> int:
    """Encode into `target`, which has room, and return the size."""
    into = ptr8(target)
    of = ptr8(source)
    code_at = 0
    end = 1
    for index in range(size):
        byte = of[index]
        if byte:
            into[end] = byte
            end += 1
        if byte == 0 or (end - code_at == 255 and index + 1 < size):
            into[code_at] = end - code_at
            code_at = end
            end += 1
    into[code_at] = end - code_at
    return end


@micropython.viper
def _cobs_decode(target, source, size: int) -> int:
    """Decode into `target`, which has room, and return the size, or -1 if `source` is not COBS."""
    into = ptr8(target)
    of = ptr8(source)
    at = 0
    end = 0
    while at < size:
        code = of[at]
        next_at = at + code
        if code == 0 or next_at > size:
            return -1
        at += 1
        while at < next_at:
            if of[at] == 0:
                return -1
            into[end] = of[at]
            end += 1
            at += 1
        if code < 255 and at < size:
            into[end] = 0
            end += 1
    return end


CODEC = Codec(crc16, cobs_encode, cobs_decode)
