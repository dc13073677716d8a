"""Texts for displays: GB2312, one line of 16 half-width columns."""

LINE_SIZE = 16
_STAR = "＊"


def one_line(text: str) -> bytes:
    """Encode a text for one line of a display; what does not fit or GB2312 does not have is left out or "?"."""
    encoded = b""
    for character in text:
        piece = character.encode("gb2312", errors="replace")
        if len(encoded) + len(piece) > LINE_SIZE:
            break
        encoded += piece
    return encoded


def masked_name(name: str) -> str:
    """A name as a stranger may see it: the characters between the first and the last become stars (张＊雨, 李＊).

    The stars are full-width: the display puts Chinese characters into cells of two columns.
    """
    if len(name) < 2:
        return name
    return name[0] + _STAR if len(name) == 2 else name[0] + _STAR * (len(name) - 2) + name[-1]
