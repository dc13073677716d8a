"""The amount as the cashier keys it: prices, quantities, a sum."""

from protocol.compat import const

_YUAN_DIGITS_MAX = const(4)
_COUNT_DIGITS_MAX = const(2)
_DECIMALS = const(2)
_FEN_PER_YUAN = const(100)
_SUM_MAX_FEN = const(9_999_999)  # what one row of the display can show with room; far above any limit for a sale
_DOT = const(b".")
_ZERO = const(b"0")


class Entry:
    """What was keyed since the last clear: the sum of finished terms, and one term under the fingers.

    A term is a price in yuan, up to four digits and two decimals, or a price times a count of one or two
    digits. PLUS finishes a term. Feed keys with `press`; what makes no sense where it stands (a second dot,
    a third decimal, a fifth digit, TIMES without a price) is ignored, so whatever is pressed, in whatever order,
    the entry stays bounded and means one amount. Leading zeros go by themselves.
    """

    def __init__(self) -> None:
        self._sum_fen = 0
        self._price = bytearray()
        self._count = bytearray()
        self._has_count = False  # TIMES was pressed in this term

    def press(self, key: str) -> None:
        """Take one key: "0".."9", "DOT", "PLUS" or "TIMES"."""
        if key == "DOT":
            self._press_dot()
        elif key == "TIMES":
            self._has_count = self._has_count or len(self._price) > 0
        elif key == "PLUS":
            self._press_plus()
        elif self._has_count:
            _append(self._count, key, _COUNT_DIGITS_MAX)
        elif _DOT in self._price:
            if len(self._price) - self._price.find(_DOT) <= _DECIMALS:
                self._price.extend(key.encode())
        else:
            _append(self._price, key, _YUAN_DIGITS_MAX)

    def clear(self) -> None:
        """Forget everything."""
        self._sum_fen = 0
        self._clear_term()

    @property
    def total_fen(self) -> int:
        """The amount keyed so far. TIMES without a count after it counts once."""
        return self._sum_fen + self._term_fen()

    @property
    def term(self) -> bytes:
        """The term under the fingers, as keyed: b"12.50x2"; after PLUS it begins with b"+"."""
        text = bytes(self._price)
        if self._has_count:
            text += b"x" + bytes(self._count)
        return b"+" + text if self._sum_fen else text

    def _press_dot(self) -> None:
        if self._has_count or _DOT in self._price:
            return
        if not self._price:
            self._price.extend(_ZERO)
        self._price.extend(_DOT)

    def _press_plus(self) -> None:
        if self.total_fen <= _SUM_MAX_FEN:
            self._sum_fen = self.total_fen
            self._clear_term()

    def _term_fen(self) -> int:
        fen = _price_fen(bytes(self._price))
        return fen * int(bytes(self._count)) if self._count else fen

    def _clear_term(self) -> None:
        self._price = bytearray()
        self._count = bytearray()
        self._has_count = False


def _append(digits: bytearray, key: str, count_max: int) -> None:
    """Add a digit unless there are `count_max` already; a lone leading zero gives way to it."""
    if len(digits) == 1 and digits[0] == _ZERO[0]:
        digits[0] = ord(key)
    elif len(digits) < count_max:
        digits.extend(key.encode())


def _price_fen(price: bytes) -> int:
    """The fen in b"", b"12", b"12.", b"12.5" or b"12.50"."""
    if not price:
        return 0
    yuan, _, decimals = price.partition(_DOT)
    return int(yuan) * _FEN_PER_YUAN + int((decimals + b"00")[:_DECIMALS])
