"""Who this terminal is: the file that flashing writes to the board, and nothing else ever does."""

import struct
from collections import namedtuple

from protocol.compat import const
from protocol.crc import crc16

TYPE_CHECKING = False

PATH = "/identity"

_FORMAT = const("<HB16s16sB")
_SIZE = const(36)
_CRC_SIZE = const(2)
_ADDRESS_MAX = const(32)
_DEVICE_MIN = const(100)  # terminals below it are host processes

if TYPE_CHECKING:
    from typing import NamedTuple

    class Identity(NamedTuple):
        """`terminal`: its number; `address`: on its line, 1..32; keys of 16 bytes, both of version `key_version`."""

        terminal: int
        address: int
        link_key: bytes
        record_key: bytes
        key_version: int

else:
    Identity = namedtuple("Identity", ("terminal", "address", "link_key", "record_key", "key_version"))


def encode(identity: Identity) -> bytes:
    """Return the file's 38 bytes.

    0   terminal     2 bytes, little-endian
    2   address      1 byte
    3   link key     16 bytes
    19  record key   16 bytes
    35  key version  1 byte
    36  CRC          2 bytes  CRC-16/IBM-3740 over all before it, little-endian
    """
    data = struct.pack(_FORMAT, *identity)
    return data + crc16(data).to_bytes(_CRC_SIZE, "little")


def decode(data: bytes) -> Identity:
    """Return what `encode` was given. Raises ValueError for anything else: flash the board again."""
    if len(data) != _SIZE + _CRC_SIZE or crc16(data[:_SIZE]) != int.from_bytes(data[_SIZE:], "little"):
        raise ValueError("identity damaged")
    identity = Identity(*struct.unpack(_FORMAT, data[:_SIZE]))
    if identity.terminal < _DEVICE_MIN or not 1 <= identity.address <= _ADDRESS_MAX:
        raise ValueError("identity out of range")
    return identity
