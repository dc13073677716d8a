"""The six-digit code of a booking, made from the site's code key and the booking's name.

It can be shown again whenever its holder asks, and is stored nowhere: the database has only what it is
found by, a CMAC that is unique per bath house and day.
"""

from host.keys import SiteKeys
from host.ledger.rows import Reservation

CODE_DIGITS = 6

_CODE_COUNT = 10**CODE_DIGITS
_LOOKUP_SIZE = 16


def make_code(keys: SiteKeys, key: int, try_count: int) -> str:
    """The code of the booking with that key, at the `try_count`-th try to find one that is free."""
    mac = keys.code_cmac()(b"make" + key.to_bytes(8, "little") + try_count.to_bytes(2, "little"))
    return f"{int.from_bytes(mac, 'little') % _CODE_COUNT:0{CODE_DIGITS}d}"


def code_of(keys: SiteKeys, booking: Reservation) -> str:
    """The code of a booking."""
    return make_code(keys, booking.key, booking.try_count)


def lookup_hash(keys: SiteKeys, *, house: str, day: int, code: bytes) -> bytes:
    """What a code is found by. `day`: business day as yyyymmdd."""
    return keys.code_cmac()(b"find" + day.to_bytes(4, "little") + house.encode() + b"\0" + code)[:_LOOKUP_SIZE]
