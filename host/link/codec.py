"""The host's codecs: CRC-16 by `crcmod`, COBS by `cobs`, MessagePack by `msgpack`, all of them in C."""

from __future__ import annotations

# None of the three libraries has types; what comes out of them is typed at the edges of this file.
# pyright: reportUnknownMemberType=false
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import crcmod.predefined
import msgpack
from cobs import cobs

from protocol import messages
from protocol.frame import BODY_SIZE_MAX, Codec

if TYPE_CHECKING:
    from protocol.messages import Message


def host_codec() -> Codec:
    """Build the codec that `protocol.frame` takes; it has no state, so one serves every line.

    CRC-16/IBM-3740 is "crc-ccitt-false" to crcmod (check value 0x29B1). Without a C compiler crcmod
    installs in plain Python without a word: the same results, 28 times slower.
    """
    crc16 = cast(Callable[[bytes], int], crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false"))
    return Codec(crc16, _cobs_encode, _cobs_decode)


def encode_message(message: Message) -> bytes:
    """Return the MessagePack array of a message of ours."""
    return messages.encode(message, _pack)


def decode_message(data: bytes) -> Message:
    """Return the message in `data`; raises `protocol.messages.MessageError` for anything else, never more."""
    return messages.decode(data, _unpack)


def _cobs_encode(data: bytes) -> bytes:
    return cobs.encode(data)


def _cobs_decode(data: bytes) -> bytes:
    """Decode; raises `ValueError` as the codec's contract says, where `cobs` has an error of its own."""
    try:
        return cobs.decode(data)
    except cobs.DecodeError as error:
        raise ValueError(str(error)) from error


def _pack(value: Any) -> bytes:
    return cast(bytes, msgpack.packb(value))


def _unpack(data: bytes) -> Any:
    """One value; every error of msgpack is a `ValueError`. No length may promise more than a frame holds, and there are no maps."""
    limit = BODY_SIZE_MAX
    return cast(Any, msgpack.unpackb(data, max_str_len=limit, max_bin_len=limit, max_array_len=limit, max_map_len=0, max_ext_len=0))
