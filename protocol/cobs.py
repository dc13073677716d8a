"""Consistent Overhead Byte Stuffing: bytes without zeros, so that a zero can end a frame.

Source: S. Cheshire and M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM Transactions on
Networking 7(2), 1999. Vectors: docs/vectors/cobs.json.
"""

from .compat import const

_BLOCK_MAX = const(255)  # a code byte and 254 bytes that are not zero


def encode(data: "bytes | bytearray | memoryview") -> bytes:
    """Encode `data`: at most one byte in 254 longer, and one, and without zeros."""
    out = bytearray(1)
    code_at = 0
    for index, byte in enumerate(data):
        if byte:
            out.append(byte)
        if not byte or (len(out) - code_at == _BLOCK_MAX and index + 1 < len(data)):
            out[code_at] = len(out) - code_at
            code_at = len(out)
            out.append(0)
    out[code_at] = len(out) - code_at
    return bytes(out)


def decode(data: "bytes | bytearray | memoryview") -> bytes:
    """Decode what `encode` made; the zero that ends a frame is not part of it.

    Raises ValueError for a zero inside or a block that runs past the end.
    """
    out = bytearray()
    at = 0
    while at < len(data):
        code = data[at]
        end = at + code
        if not code or end > len(data):
            raise ValueError("block runs past the end" if code else "zero inside")
        for index in range(at + 1, end):
            if not data[index]:
                raise ValueError("zero inside")
            out.append(data[index])
        at = end
        if code < _BLOCK_MAX and at < len(data):
            out.append(0)
    return bytes(out)
