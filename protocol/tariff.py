"""Water and its price, in integers.

Always computed on totals, never on differences, so that rounding down loses less than one
millilitre and one fen a session, and nothing drifts.
"""

from .compat import const

_ML_PER_L = const(1000)
_ML_PER_M3 = const(1_000_000)


def volume_ml(pulses: int, pulses_per_l: int) -> int:
    """Return the millilitres that `pulses` of a flow meter stand for, rounded down."""
    return pulses * _ML_PER_L // pulses_per_l


def charge_fen(volume_ml: int, fen_per_m3: int) -> int:
    """Return the price of a volume in fen, rounded down; the price is in fen per cubic metre."""
    return volume_ml * fen_per_m3 // _ML_PER_M3
