"""The words that MicroPython's compiler knows by name, so that the same files run on CPython.

`const(...)` and `@micropython.viper` are read by that compiler as they are spelled; what stands
here is what they mean where nothing compiles them: nothing.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _Value = TypeVar("_Value")


def const(value: "_Value") -> "_Value":
    """Return the value."""
    return value


class micropython:
    """The decorators of MicroPython's module of that name, without effect."""

    @staticmethod
    def native(function: "_Value") -> "_Value":
        """Return the function as it is."""
        return function

    @staticmethod
    def viper(function: "_Value") -> "_Value":
        """Return the function as it is."""
        return function


def _call(kind: "type[_Value]", values: "tuple[Any, ...]") -> "_Value":
    return kind(*values)


# `make(kind, values)`: a namedtuple of the values, all of them, in order. CPython's own constructor takes
# keywords too, which costs more than decoding a frame; MicroPython has no other way.
make = getattr(tuple, "__new__", _call)

# MicroPython encodes every string as UTF-8, whatever codec it is told.
_HAS_CODECS = "中".encode("gb2312") == b"\xd6\xd0"
_BOX = b"\xa1\xf5"  # GB2312's empty square, two columns wide like the character it stands for


def gb(text: str) -> bytes:
    """Encode a literal in GB2312, the code of the displays.

    Call it with one plain string literal: the firmware build puts the bytes in its place, since
    MicroPython has no codec. Run from source there, each Chinese character becomes an empty square.
    Raises UnicodeEncodeError (on CPython) for a character the display's font does not have.
    """
    if _HAS_CODECS:
        return text.encode("gb2312")
    return b"".join([bytes([ord(character)]) if ord(character) < 128 else _BOX for character in text])
