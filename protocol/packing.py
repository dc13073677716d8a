"""MessagePack, the part of it that the protocol uses, within bounds.

nil, booleans, integers of up to 64 bits, strings, byte strings and arrays; no maps, floats or
extensions. Arrays nest at most 4 deep. The host may use the `msgpack` package instead: both
are held to the same vectors. Source: the MessagePack specification, github.com/msgpack/msgpack.
"""

from .compat import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEPTH_MAX = const(4)

# First bytes. A size field of 1, 2 or 4 bytes follows the three of its kind in this order.
_NIL = const(0xC0)
_FALSE = const(0xC2)
_TRUE = const(0xC3)
_BYTES_8 = const(0xC4)
_BYTES_32 = const(0xC6)
_UINT_8 = const(0xCC)
_UINT_64 = const(0xCF)
_INT_8 = const(0xD0)
_INT_64 = const(0xD3)
_TEXT_8 = const(0xD9)
_TEXT_32 = const(0xDB)
_ARRAY_16 = const(0xDC)
_ARRAY_32 = const(0xDD)
_FIX_ARRAY = const(0x90)
_FIX_TEXT = const(0xA0)
_FIX_NEGATIVE = const(0xE0)


def pack(value: "Any") -> bytes:
    """Encode a value in its shortest form; tuples are arrays.

    What cannot be encoded is our own mistake, hence TypeError or an assertion, not ValueError.
    """
    out = bytearray()
    _pack(out, value, 0)
    return bytes(out)


def unpack(data: "bytes | bytearray | memoryview") -> "Any":
    """Decode one value that fills `data` to its end; arrays become lists.

    Allocates no more than the data has bytes for, whatever sizes it claims. Raises ValueError for anything else.
    """
    value, end = _unpack(bytes(data), 0, 0)
    if end != len(data):
        raise ValueError("bytes after the value")
    return value


def _pack(out: bytearray, value: "Any", depth: int) -> None:
    if value is None:
        out.append(_NIL)
    elif value is False or value is True:
        out.append(_TRUE if value else _FALSE)
    elif isinstance(value, int):
        _pack_int(out, value)
    elif isinstance(value, str):
        text = value.encode()
        if len(text) < 32:
            out.append(_FIX_TEXT | len(text))
        else:
            _pack_size(out, _TEXT_8, len(text))
        out.extend(text)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        _pack_size(out, _BYTES_8, len(value))
        out.extend(value)
    elif isinstance(value, (list, tuple)):
        assert depth < DEPTH_MAX
        if len(value) < 16:
            out.append(_FIX_ARRAY | len(value))
        else:
            _pack_size(out, _ARRAY_16 - 1, len(value))
        for item in value:
            _pack(out, item, depth + 1)
    else:
        raise TypeError("cannot pack this type")


def _pack_int(out: bytearray, value: int) -> None:
    if -32 <= value < 128:
        out.append(value & 0xFF)
        return
    first, bits = (_UINT_8, 8) if value >= 0 else (_INT_8, 7)
    size = 1
    while not -1 << bits <= value < 1 << bits:
        first, bits, size = first + 1, bits + size * 8, size * 2
    assert size <= 8
    out.append(first)
    out.extend((value if value >= 0 else value + (1 << size * 8)).to_bytes(size, "big"))


def _pack_size(out: bytearray, first: int, count: int) -> None:
    # Arrays have no form with a one-byte size: their `first` is one too low and they begin at the second.
    if count < 0x100 and first != _ARRAY_16 - 1:
        out.append(first)
        out.append(count)
    else:
        assert count < 0x10000
        out.append(first + 1)
        out.extend(count.to_bytes(2, "big"))


def _unpack(data: bytes, at: int, depth: int) -> "tuple[Any, int]":
    """Return the value that starts at `at`, and where it ends."""
    if at >= len(data):
        raise ValueError("cut short")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    if first >= _FIX_NEGATIVE:
        return first - 0x100, at
    if first < _FIX_ARRAY:
        raise ValueError("a map")
    if first < _FIX_TEXT:
        return _unpack_array(data, at, first & 0x0F, depth)
    if first < _NIL:
        return _unpack_text(data, at, first & 0x1F)
    if first == _NIL:
        return None, at
    if first in (_FALSE, _TRUE):
        return first == _TRUE, at
    if _BYTES_8 <= first <= _BYTES_32:
        size, at = _unpack_uint(data, at, 1 << first - _BYTES_8)
        return _take(data, at, size), at + size
    if _UINT_8 <= first <= _UINT_64:
        return _unpack_uint(data, at, 1 << first - _UINT_8)
    if _INT_8 <= first <= _INT_64:
        size = 1 << first - _INT_8
        value, at = _unpack_uint(data, at, size)
        return value - (1 << size * 8) if value >> size * 8 - 1 else value, at
    if _TEXT_8 <= first <= _TEXT_32:
        size, at = _unpack_uint(data, at, 1 << first - _TEXT_8)
        return _unpack_text(data, at, size)
    if first in (_ARRAY_16, _ARRAY_32):
        count, at = _unpack_uint(data, at, 2 << first - _ARRAY_16)
        return _unpack_array(data, at, count, depth)
    raise ValueError("a type the protocol does not use")


def _take(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise ValueError("cut short")
    return data[at : at + size]


def _unpack_uint(data: bytes, at: int, size: int) -> "tuple[int, int]":
    return int.from_bytes(_take(data, at, size), "big"), at + size


def _unpack_text(data: bytes, at: int, size: int) -> "tuple[str, int]":
    return str(_take(data, at, size), "utf-8"), at + size


def _unpack_array(data: bytes, at: int, count: int, depth: int) -> "tuple[list[Any], int]":
    if depth >= DEPTH_MAX:
        raise ValueError("nested too deep")
    items = []
    for _ in range(count):  # however many it claims: each takes a byte at least, or the data is cut short
        item, at = _unpack(data, at, depth + 1)
        items.append(item)
    return items, at
