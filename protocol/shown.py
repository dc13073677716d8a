"""What `shown` and `detail` of a record mean where the kind needs them for itself (docs/protocol.md, section 6.2).

Operations of a card have their packing in `protocol.record`. Each `pack` returns the 14 bytes of `shown`.
"""

import struct

from .compat import const

# Why a session was settled: the cause in a `settled` record.
CAUSE_ENDED = const(1)  # the holder ended it: card out, END twice
CAUSE_MONEY = const(2)  # what was held is used up
CAUSE_OUTAGE = const(3)  # no flow
CAUSE_PAUSE = const(4)  # the pause limit
CAUSE_BOOT = const(5)  # settled from the journal
CAUSE_LINK = const(6)  # the link went away and the card could not pay
CAUSE_FAULT = const(7)

_SETTLED_FORMAT = const("<IIHB3s")
_ACTIVATED_FORMAT = const("<BI9s")
_STARTED_FORMAT = const("<BB12s")
_FAULT_FORMAT = const("<B13s")
_ZEROS = b"\0" * 13


def pack_settled(*, cold_ml: int, hot_ml: int, seconds: int, cause: int) -> bytes:
    """Pack cold ml 4, hot ml 4, seconds 2 (65535: that or more), cause 1, zeros 3."""
    return struct.pack(_SETTLED_FORMAT, cold_ml, hot_ml, min(seconds, 0xFFFF), cause, _ZEROS[:3])


def unpack_settled(shown: bytes) -> "tuple[int, int, int, int]":
    """Return cold ml, hot ml, seconds, cause."""
    cold_ml, hot_ml, seconds, cause, _ = struct.unpack(_SETTLED_FORMAT, shown)
    return cold_ml, hot_ml, seconds, cause


def pack_activated(*, resource: int, version: int, digest: bytes) -> bytes:
    """Pack resource 1, version 4, the first 9 bytes of the digest."""
    return struct.pack(_ACTIVATED_FORMAT, resource, version, digest[:9])


def unpack_activated(shown: bytes) -> "tuple[int, int, bytes]":
    """Return resource, version, 9 bytes of the digest."""
    resource, version, digest = struct.unpack(_ACTIVATED_FORMAT, shown)
    return resource, version, digest


def pack_started(*, cause: int, unhealthy_boots: int) -> bytes:
    """Pack cause of reset 1 (as `machine.reset_cause()` of the board numbers it), boots without health 1 (255: that or more), zeros 12."""
    return struct.pack(_STARTED_FORMAT, cause, min(unhealthy_boots, 0xFF), _ZEROS[:12])


def unpack_started(shown: bytes) -> "tuple[int, int]":
    """Return cause of reset, boots without health."""
    cause, unhealthy_boots, _ = struct.unpack(_STARTED_FORMAT, shown)
    return cause, unhealthy_boots


def pack_fault(code: int) -> bytes:
    """Pack error code 1, zeros 13."""
    return struct.pack(_FAULT_FORMAT, code, _ZEROS)


def unpack_fault(shown: bytes) -> int:
    """Return the error code."""
    return shown[0]


def pack_till(*, operator: int, count: int) -> int:
    """Return a till's detail: operator 2, count 1."""
    return operator | count << 16


def unpack_till(detail: int) -> "tuple[int, int]":
    """Return operator, count."""
    return detail & 0xFFFF, detail >> 16


def pack_face(*, clerk: int, face: int) -> int:
    """Return a host record's detail: clerk 2, face 1 (portal, office, kiosk, channel)."""
    return clerk | face << 16


def unpack_face(detail: int) -> "tuple[int, int]":
    """Return clerk, face."""
    return detail & 0xFFFF, detail >> 16
