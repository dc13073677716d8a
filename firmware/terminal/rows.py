"""Rows of the display as both programs compose them: sixteen half-width columns of GB2312, full-width characters two each."""

from protocol import codes
from protocol.compat import const

WIDTH = const(16)
BLANK = b"                "

_LEAD_MIN = const(0xA1)  # GB2312: a byte from here on begins a character of two
_FEN_PER_YUAN = const(100)


def row(left: bytes, right: bytes = b"") -> bytes:
    """Return sixteen columns: `left` from the left edge, `right` up to the right edge, blanks between.

    `right` is at most sixteen columns and stays whole; of `left` what has no room is cut, never through a character.
    """
    room = WIDTH - len(right)
    left = _cut(left, room)
    return left + BLANK[: room - len(left)] + right


def reason_rows(code: int) -> "tuple[bytes, bytes]":
    """Return two rows for a code of protocol/codes.py: what is wrong; what to do, and the number."""
    what, remedy = codes.texts(code)
    return row(what), row(remedy, codes.label(code).encode())


def yuan(fen: int) -> bytes:
    """Return an amount in yuan with two decimals: b"12.50"."""
    return b"%d.%02d" % (fen // _FEN_PER_YUAN, fen % _FEN_PER_YUAN)


def litres(ml: int) -> bytes:
    """Return a volume in litres with one decimal, rounded down: b"12.3"."""
    return b"%d.%d" % (ml // 1000, ml % 1000 // 100)


def _cut(text: bytes, width: int) -> bytes:
    """The whole characters of `text` that fit into `width` columns."""
    at = 0
    while at < len(text):
        size = 2 if text[at] >= _LEAD_MIN else 1
        if at + size > width:
            break
        at += size
    return text[:at]
