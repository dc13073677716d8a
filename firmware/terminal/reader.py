"""The card watcher: who lies on the reader, and when it leaves."""

from firmware.drivers import mifare
from firmware.terminal.events import CardGone, CardProblem, CardSeen
from firmware.terminal.ticks import diff
from protocol import card, codes, keys
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from protocol.crypto import Suite

# Seen gone within 100 ms (SPEC S3): one failed presence is proof, since the driver has activated the card anew by then.
_PRESENCE_MS = const(40)
_SEARCH_MS = const(50)

# A card coming nearer answers garbled, or not at all, once or twice; what stays so is a problem.
_AGREEING = const(3)
_UNCLEAR_MAX = const(2)  # looks that prove neither presence nor absence: 80 ms

_BLOCK_SIZE = const(16)
_NOBODY = const(0)
_CARD = const(1)
_PROBLEM = const(2)
_FAULT = const(3)  # a problem too, of the reader itself

_CODES = {
    mifare.TWO_CARDS: codes.TWO_CARDS,
    mifare.UNREADABLE: codes.CARD_UNREADABLE,
    mifare.READER_FAULT: codes.READER_FAULT,
    mifare.FOREIGN: codes.CARD_UNKNOWN,
    mifare.DENIED: codes.CARD_UNKNOWN,
}


class CardWatcher:
    """Turns a `Reader` (drivers/mifare.py) into events: CardSeen or CardProblem, then CardGone.

    `poll(now_ms)` takes one step when it is due, at most some 25 ms with a new card, and returns an event or None. A
    card counts only when sector 1 opens with key B, and its identity has the MAC of this site and of this UID
    (docs/protocol.md, section 7); nothing else about it is trusted. `card_key`: from the settings; None: no card can be read.

    A look with nothing new allocates nothing.
    """

    def __init__(self, reader: "mifare.Reader", crypto: "Suite") -> None:
        self._reader = reader
        self._crypto = crypto
        self.card_key: bytes | None = None
        self._state = _NOBODY
        self._tick = -1  # of the last look; below zero: none yet
        # The result that the last looks agreed on, or that left it unclear, and how many there were.
        self._result = mifare.NO_CARD
        self._count = 0
        self._blocks = bytearray(3 * _BLOCK_SIZE)
        view = memoryview(self._blocks)
        self._slices = (view[:16], view[16:32], view[32:])
        # The keys of the last card, and what they were made from: most cards stay for several looks.
        self._keys_for = (b"", b"")
        self._sector_key = b""
        self._mac = crypto.cmac(bytes(16))

    def poll(self, now_ms: int) -> "CardSeen | CardGone | CardProblem | None":
        """Look, if it is time to."""
        if self._tick >= 0 and diff(now_ms, self._tick) < (_PRESENCE_MS if self._state == _CARD else _SEARCH_MS):
            return None
        self._tick = now_ms
        if self._state == _CARD:
            return self._watch()
        result = self._reader.activate()
        if self._state in (_PROBLEM, _FAULT):
            return self._leave() if result == mifare.NO_CARD else self._reconsider(result)
        if result == mifare.NO_CARD:
            self._count = 0
            return None
        if result != mifare.OK:
            return self._agree(result)
        return self._meet()

    def _watch(self) -> "CardGone | None":
        result = self._reader.presence()
        if result == mifare.OK:
            self._count = 0
            return None
        if result != mifare.NO_CARD:
            # A second card, or a reader that fails. What cannot be seen any more must not keep water running.
            self._count += 1
            if self._count < _UNCLEAR_MAX:
                return None
        return self._leave()

    def _leave(self) -> CardGone:
        self._state = _NOBODY
        self._count = 0
        return CardGone()

    def _agree(self, result: int) -> "CardProblem | None":
        """Report a problem once several looks in a row agree on it."""
        if result != self._result:
            self._result = result
            self._count = 0
        self._count += 1
        if self._count < _AGREEING:
            return None
        self._state = _FAULT if result == mifare.READER_FAULT else _PROBLEM
        self._count = 0
        return CardProblem(_CODES[result])

    def _reconsider(self, result: int) -> "CardProblem | None":
        """Tell when the reader itself fails under a problem; and when it answers again and finds something: that must be put anew."""
        is_faulty = self._state == _FAULT
        if (result == mifare.READER_FAULT) == is_faulty:
            self._count = 0
            return None
        return self._agree(mifare.UNREADABLE if is_faulty else result)

    def _meet(self) -> "CardSeen | CardProblem | None":
        """Read an activated card."""
        if self.card_key is None:
            self._state = _PROBLEM
            return CardProblem(codes.NOT_CONFIGURED)
        self._make_keys(self.card_key, self._reader.uid)
        result = self._reader.authenticate(card.BLOCK_IDENTITY, self._sector_key, mifare.KEY_B)
        if result == mifare.OK:
            result = self._read_blocks()
        if result == mifare.NO_CARD:
            self._count = 0
            return None
        identity = None
        if result == mifare.OK:
            identity = card.decode_identity(bytes(self._slices[0]), self._mac)
            if identity is None:
                result = mifare.DENIED
        if identity is None:
            return self._agree(result)
        self._state = _CARD
        self._count = 0
        return self._seen(identity)

    def _read_blocks(self) -> int:
        for index in range(3):
            result = self._reader.read(card.BLOCK_IDENTITY + index, self._slices[index])
            if result != mifare.OK:
                return result
        return mifare.OK

    def _seen(self, identity: "card.Identity") -> CardSeen:
        copies = bytes(self._blocks[_BLOCK_SIZE:])
        copy_a = card.decode_copy(copies[:_BLOCK_SIZE], card.BLOCK_COPY_A, self._mac)
        copy_b = card.decode_copy(copies[_BLOCK_SIZE:], card.BLOCK_COPY_B, self._mac)
        newest = card.newest((copy_a, copy_b))
        return CardSeen(
            identity.number,
            identity.holder_class,
            identity.expiry_day,
            copies,
            card.shown(copy_a, copy_b),
            newest.counter if newest else 0,
            newest.balance_fen if newest else 0,
        )

    def _make_keys(self, card_key: bytes, uid: bytes) -> None:
        if self._keys_for != (card_key, uid):
            self._keys_for = (card_key, uid)
            self._sector_key = keys.sector_key(self._crypto, card_key, uid, card.SECTOR, "B")
            self._mac = self._crypto.cmac(keys.mac_key(self._crypto, card_key, uid))
