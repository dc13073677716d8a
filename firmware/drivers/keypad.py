"""A key matrix, scanned without waiting."""

from firmware.terminal.ticks import diff
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Pin

SCAN_MS = const(5)  # poll this often; more often does nothing
STUCK_MS = const(30000)  # no finger stays on a key that long

# Contacts bounce for up to 20 ms. A change counts once the looks of this long agree, and there were this many of them:
# a slow step of the loop lets time pass without any look at all.
_SETTLED_MS = const(20)
_AGREEING = const(3)

_NONE = const(-1)
_SEVERAL = const(-2)
_NEVER = const(-3)


class Keypad:
    """Keys at the crossings of row and column lines.

    `rows`: open-drain outputs; `columns`: inputs with pull-up; `names`: one name a crossing, row by row.
    Poll every SCAN_MS; each press of a single key is returned once, never repeated while it is held. Keys
    that are down together mean nothing until all are up again: on a matrix without diodes three of them show a
    fourth that nobody pressed.

    `is_stuck`: a key is down since before the first poll, or for longer than STUCK_MS. Such a key is no press, and it
    blocks the others; it turns false when the key comes up. Allocates nothing.
    """

    def __init__(self, rows: "tuple[Pin, ...]", columns: "tuple[Pin, ...]", names: tuple[str, ...]) -> None:
        assert len(names) == len(rows) * len(columns)
        self._rows = rows
        self._columns = columns
        self._names = names
        self.is_stuck = False
        self._scanned_ms = -1
        # What the last look saw, how many looks in a row agree on it, and when the first of them was.
        self._seen = _NEVER
        self._agreeing = 0
        self._changed_ms = 0
        # Whether any key counts as down, and since when; unknown until the first looks agree.
        self._is_known = False
        self._is_down = False
        self._since_ms = 0
        # At rest all rows are low, so that one look at the columns tells whether any key is down.
        self._drive_rows(0)

    def poll(self, now_ms: int) -> "str | None":
        """Return the name of the key that has just gone down, or None. `now_ms`: ticks."""
        if self._scanned_ms >= 0 and diff(now_ms, self._scanned_ms) < SCAN_MS:
            return None
        self._scanned_ms = now_ms
        seen = self._scan()
        if seen != self._seen:
            self._seen = seen
            self._agreeing = 0
            self._changed_ms = now_ms
        if self._agreeing < _AGREEING:
            self._agreeing += 1
        is_settled = self._agreeing == _AGREEING and diff(now_ms, self._changed_ms) >= _SETTLED_MS
        return self._settle(seen, now_ms) if is_settled else None

    def _settle(self, seen: int, now_ms: int) -> "str | None":
        """Take over what the looks agree on; the key's name if that is a press."""
        if seen == _NONE:
            self._is_known = True
            self._is_down = False
            self.is_stuck = False
            return None
        if self._is_down:
            if diff(now_ms, self._since_ms) >= STUCK_MS:
                self.is_stuck = True
            return None
        self._is_down = True
        self._since_ms = now_ms
        if not self._is_known:
            self.is_stuck = True
            return None
        return self._names[seen] if seen != _SEVERAL else None

    def _scan(self) -> int:
        """Look which key is down now: its index, _NONE or _SEVERAL."""
        low = 0
        for column in self._columns:
            low += not column.value()
        if not low:
            return _NONE
        found = _NONE
        self._drive_rows(1)
        for row in range(len(self._rows)):
            self._rows[row].value(0)
            for column in range(len(self._columns)):
                if not self._columns[column].value():
                    found = row * len(self._columns) + column if found == _NONE else _SEVERAL
            self._rows[row].value(1)
        self._drive_rows(0)
        return found

    def _drive_rows(self, level: int) -> None:
        for row in self._rows:
            row.value(level)
