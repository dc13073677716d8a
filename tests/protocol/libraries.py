"""The libraries our own code is held against; they have no types, so they get them here.

Nothing of ours stands between: what the host makes of them is tested beside the host.
"""

# pyright: reportUnknownMemberType=false
from collections.abc import Callable
from typing import Any, cast

import cobs.cobs
import crcmod.predefined
import msgpack

crc16 = cast(Callable[[bytes], int], crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false"))
cobs_encode = cast(Callable[[bytes], bytes], cobs.cobs.encode)
cobs_decode = cast(Callable[[bytes], bytes], cobs.cobs.decode)
CobsError = cobs.cobs.DecodeError
pack = cast(Callable[[Any], bytes], msgpack.packb)


def unpack(data: bytes) -> Any:
    """Unpack one value; keys of maps may be anything, so that only our own bounds are tested."""
    return cast(Any, msgpack.unpackb(data, strict_map_key=False))
