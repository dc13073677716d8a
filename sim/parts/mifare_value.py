"""Value blocks of MIFARE Classic (MF1S50YYX, section 8.6.2.1): a signed 32-bit number that checks itself.

    0   value      4 bytes  little-endian
    4   inverse    4 bytes  of the value
    8   value      4 bytes
    12  address    4 bytes  one byte of the host's own, its inverse, and both again

A block that does not look so holds no value.
"""


def pack_value(value: int, address: int) -> bytes:
    """Make the 16 bytes of a value block."""
    word = value.to_bytes(4, "little", signed=True)
    inverse = bytes(byte ^ 0xFF for byte in word)
    return word + inverse + word + bytes([address, address ^ 0xFF] * 2)


def unpack_value(block: bytes) -> tuple[int, int] | None:
    """Read (value, address); None if this is no value block."""
    value, address = int.from_bytes(block[:4], "little", signed=True), block[12]
    return (value, address) if block == pack_value(value, address) else None
