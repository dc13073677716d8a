"""The two ways a time is counted: Unix seconds in the store, seconds since 2020 on the wire, in records and on cards.

A business day is written as one number, yyyymmdd; when it begins stands in the settings of the site.
"""

from datetime import date, timedelta

from protocol.card import EXPIRY_NONE

WIRE_EPOCH_S = 1_577_836_800
"""2020-01-01T00:00:00Z."""

_DAY_S = 86_400
_DAY_ZERO = date(2020, 1, 1)
_WIRE_MAX = 0xFFFF_FFFF


def to_wire(at_s: int) -> int:
    """Unix seconds as the wire counts them; what lies outside its 32 bits becomes the nearest end."""
    return min(max(at_s - WIRE_EPOCH_S, 0), _WIRE_MAX)


def from_wire(at_s: int) -> int:
    """Seconds since 2020 as Unix seconds."""
    return at_s + WIRE_EPOCH_S


def wire_day(at_s: int) -> int:
    """The day of a Unix time, UTC, in days since 2020-01-01, as cards' expiry is written."""
    return (at_s - WIRE_EPOCH_S) // _DAY_S


def card_date(day: int) -> str:
    """A card's expiry as a date; "-" for a card without one."""
    return "-" if day == EXPIRY_NONE else (_DAY_ZERO + timedelta(days=day)).isoformat()


def day_number(day: date) -> int:
    """A business day as it is stored: yyyymmdd."""
    return day.year * 10000 + day.month * 100 + day.day


def day_text(number: int) -> str:
    """A business day as people write it; "-" for none."""
    return f"{number // 10000:04d}-{number // 100 % 100:02d}-{number % 100:02d}" if number else "-"


def next_day(number: int) -> int:
    """The business day after one."""
    return day_number(date(number // 10000, number // 100 % 100, number % 100) + timedelta(days=1))
