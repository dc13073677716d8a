"""A reservation code as it is keyed, and how often a wrong one was."""

from protocol.compat import const

CODE_SIZE = const(6)
_WRONG_MAX = const(5)


class CodeEntry:
    """Up to six digits. `digits`: ASCII, what was keyed since `clear`; it stays while its session runs."""

    def __init__(self) -> None:
        self.digits = b""
        self._wrong_count = 0

    @property
    def is_complete(self) -> bool:
        """Whether there are six digits."""
        return len(self.digits) == CODE_SIZE

    def press(self, digit: str) -> None:
        """Take a digit; a seventh is ignored."""
        if not self.is_complete:
            self.digits += digit.encode()

    def clear(self) -> None:
        """Forget the digits."""
        self.digits = b""

    def note_wrong(self) -> bool:
        """Count a wrong code; True for the fifth since the last right one: pause the entry of codes, and count anew."""
        self._wrong_count = self._wrong_count % _WRONG_MAX + 1
        return self._wrong_count == _WRONG_MAX

    def take_back(self) -> None:
        """The last one that was counted was not wrong, or nobody could say."""
        self._wrong_count -= 1

    def note_right(self) -> None:
        """Forget the wrong ones."""
        self._wrong_count = 0
