"""Finding the one card in the field: ISO 14443-3 type A, from the wake-up to the selected card.

Source: ISO/IEC 14443-3, sections 6.4 and 6.5 ("the standard" below).
"""

from firmware.drivers.crc_a import append_crc, crc_a
from firmware.drivers.rc522 import GARBLED, SILENCE, Rc522
from protocol.compat import const

_WUPA = const(0x52)  # wakes halted cards too, so a card we put to sleep is found again
_HLTA = const(0x50)
_SELECT_LEVELS = const(b"\x93\x95\x97")
_ALL_BITS = const(0x70)  # NVB: the whole UID follows
_NO_BITS = const(0x20)  # NVB: nothing of the UID is known
_CASCADE_TAG = const(0x88)
_SAK_CASCADE = const(0x04)


class Selector:
    """Brings one card from anywhere in the field to the state ACTIVE.

    After `select` returned 0: `uid`, a bytearray of 10 of which `uid_size` (4, 7 or 10) bytes count, and `sak`.
    Two cards are never told apart and none is picked: any collision is a result. Allocates nothing.
    """

    def __init__(self, chip: Rc522) -> None:
        self._chip = chip
        self.uid = bytearray(10)
        self.uid_size = 0
        self.sak = 0
        # Whether something answered since the last silence. A card that is READY or ACTIVE answers the next
        # wake-up by falling back to IDLE, silently (figure 7), and hears only the one after.
        self._is_awake = False

    def select(self) -> int:
        """Wake, read out and select the card; 0, or SILENCE, COLLISION, GARBLED or DEAD."""
        bits = self._wake()
        if bits == SILENCE and self._is_awake:
            bits = self._wake()
        self._is_awake = bits != SILENCE
        if bits < 0:
            return bits
        return self._cascade() if bits == 16 else GARBLED

    def halt(self) -> None:
        """Put the selected card to sleep. It acknowledges by silence (6.4.3), so there is nothing to return."""
        frame = self._chip.frame
        frame[0] = _HLTA
        frame[1] = 0
        self._chip.transceive(append_crc(frame, 2))
        self._is_awake = False

    def _wake(self) -> int:
        """Send the short frame WUPA (7 bits); 16 bits of ATQA come back."""
        self._chip.frame[0] = _WUPA
        return self._chip.transceive(1, 7)

    def _cascade(self) -> int:
        """Go through the cascade levels, 4 bytes each; those before the last begin with the cascade tag (6.5.4)."""
        self.uid_size = 0
        for level in range(3):
            code = _SELECT_LEVELS[level]
            result = self._anticollide(code)
            if result == 0:
                result = self._select_level(code)
            if result < 0:
                return result
            # The frame just sent is code, NVB, the four bytes, BCC, CRC.
            frame = self._chip.frame
            if not self.sak & _SAK_CASCADE:
                self._take(frame, 2, 4)
                return 0
            if frame[2] != _CASCADE_TAG:
                return GARBLED
            self._take(frame, 3, 3)
        return GARBLED

    def _anticollide(self, code: int) -> int:
        """Ask for the four bytes of a level; with their BCC they come into `answer`. 0, or what came instead."""
        chip = self._chip
        chip.frame[0] = code
        chip.frame[1] = _NO_BITS
        bits = chip.transceive(2)
        if bits < 0:
            return bits
        answer = chip.answer
        is_whole = bits == 40 and answer[0] ^ answer[1] ^ answer[2] ^ answer[3] == answer[4]
        return 0 if is_whole else GARBLED

    def _select_level(self, code: int) -> int:
        """Select the four bytes in `answer`; takes the card's SAK. 0, or what came instead."""
        chip = self._chip
        frame, answer = chip.frame, chip.answer
        frame[0] = code
        frame[1] = _ALL_BITS
        for index in range(5):
            frame[2 + index] = answer[index]
        bits = chip.transceive(append_crc(frame, 7))
        if bits < 0:
            return bits
        if bits != 24 or crc_a(answer, 3) != 0:
            return GARBLED
        self.sak = answer[0]
        return 0

    def _take(self, frame: memoryview, start: int, count: int) -> None:
        for index in range(count):
            self.uid[self.uid_size + index] = frame[start + index]
        self.uid_size += count
