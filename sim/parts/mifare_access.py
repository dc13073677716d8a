"""The access conditions of a MIFARE Classic sector (MF1S50YYX, section 8.7): who may do what with which key.

Bytes 6 to 8 of the sector trailer hold three bits C1 C2 C3 for each of the four blocks, and their inverses:

    6  not C2 (high 4 bits, block 3 highest), not C1 (low 4 bits)
    7  C1 (high), not C3 (low)
    8  C3 (high), C2 (low)
"""

from typing import NamedTuple

KEY_A, KEY_B = "A", "B"
READ, WRITE, INCREMENT, DECREMENT = "read", "write", "increment", "decrement"

# Table 8, by C1 C2 C3: which keys read, write, increment, and decrement, transfer or restore a data block.
_DATA: dict[str, tuple[str, str, str, str]] = {
    "000": ("AB", "AB", "AB", "AB"),
    "010": ("AB", "", "", ""),
    "100": ("AB", "B", "", ""),
    "110": ("AB", "B", "B", "AB"),
    "001": ("AB", "", "", "AB"),
    "011": ("B", "B", "", ""),
    "101": ("B", "", "", ""),
    "111": ("", "", "", ""),
}


class TrailerAccess(NamedTuple):
    """Which keys may do what with the parts of a sector trailer. Key A is never read, the access bits always are."""

    key_a_write: str
    bits_read: str
    bits_write: str
    key_b_read: str
    key_b_write: str


# Table 7, by C1 C2 C3.
_TRAILER = {
    "000": TrailerAccess("A", "A", "", "A", "A"),
    "010": TrailerAccess("", "A", "", "A", ""),
    "100": TrailerAccess("B", "AB", "", "", "B"),
    "110": TrailerAccess("", "AB", "", "", ""),
    "001": TrailerAccess("A", "A", "A", "A", "A"),
    "011": TrailerAccess("B", "AB", "B", "", "B"),
    "101": TrailerAccess("", "AB", "B", "", ""),
    "111": TrailerAccess("", "AB", "", "", ""),
}


class Access:
    """The conditions of one sector, out of its trailer (16 bytes).

    `is_valid` is False if bits and inverses disagree; such a sector is lost for good: nothing in it is allowed.
    """

    def __init__(self, trailer: bytes) -> None:
        c1, c2, c3 = trailer[7] >> 4, trailer[8] & 0x0F, trailer[8] >> 4
        self.is_valid = trailer[6] == (~c2 & 0x0F) << 4 | ~c1 & 0x0F and trailer[7] & 0x0F == ~c3 & 0x0F
        self._conditions = [f"{c1 >> block & 1}{c2 >> block & 1}{c3 >> block & 1}" for block in range(4)]

    @property
    def trailer(self) -> TrailerAccess:
        """What the trailer allows."""
        return _TRAILER[self._conditions[3]]

    def key_works(self, key: str) -> bool:
        """Say whether a session opened with this key may do anything: a key B that can be read is data, not a key."""
        return self.is_valid and (key == KEY_A or not self.trailer.key_b_read)

    def allows(self, block: int, operation: str, key: str) -> bool:
        """Say whether an operation on data block 0 to 2 of the sector is allowed under this key."""
        column = (READ, WRITE, INCREMENT, DECREMENT).index(operation)
        return self.key_works(key) and key in _DATA[self._conditions[block]][column]

    def visible(self, trailer: bytes) -> bytes:
        """Give the trailer as reading it shows it: key A as zeros, key B too unless it may be read."""
        return bytes(6) + trailer[6:10] + (trailer[10:] if self.trailer.key_b_read else bytes(6))

    def merged(self, old: bytes, new: bytes, key: str) -> bytes | None:
        """Give the trailer after a write under this key: the parts it may write; None if it may write none."""
        access = self.trailer
        parts = ((access.key_a_write, slice(0, 6)), (access.bits_write, slice(6, 10)), (access.key_b_write, slice(10, 16)))
        if not self.key_works(key) or not any(key in keys for keys, _ in parts):
            return None
        return b"".join((new if key in keys else old)[part] for keys, part in parts)
