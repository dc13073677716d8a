"""MIFARE Classic cards on an MFRC522: find the card, authenticate, read and write blocks, see it leave.

Source: MF1S50yyX/V1 product data sheet rev. 3 (sections named below are its own); ISO/IEC 14443-3; AN10833 for SAK.
"""

from firmware.drivers.crc_a import append_crc, crc_a
from firmware.drivers.iso14443a import Selector
from firmware.drivers.rc522 import COLLISION, DEAD, GARBLED, SILENCE, Rc522
from protocol.compat import const

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.drivers.wiring import Bytes

# Results. What the chip heard becomes what is known of the card; the world's moods are values, never exceptions.
OK = const(0)
NO_CARD = SILENCE
TWO_CARDS = COLLISION
UNREADABLE = GARBLED
READER_FAULT = DEAD
FOREIGN = const(-5)  # a whole card, and none of ours: no MIFARE Classic, or a UID that is void or drawn anew each time
DENIED = const(-6)  # the card refuses: wrong key, or the access bits forbid it; nothing was changed
UNSEEN = const(-7)  # a write went out and was not acknowledged: it may be done, torn, or not done

KEY_A = const(0x60)
KEY_B = const(0x61)

_READ = const(0x30)
_WRITE = const(0xA0)
_ACK = const(0x0A)
_BLOCK_SIZE = const(16)

# How long an answer may take to begin: tables 21, 23 and 25.
_AUTHENTICATE_MS = const(2)  # 1 ms for each of its two parts
_READ_MS = const(5)
_WRITE_COMMAND_MS = const(5)
_WRITE_DATA_MS = const(10)

_TRIES = const(3)
_SAK_CLASSIC = const(0x08)  # AN10833, table 5: bit 4 is set in every MIFARE Classic, and in what stands in for one
_RANDOM_UID = const(0x08)  # ISO 14443-3, 6.5.4: a single-size UID beginning so is drawn at random (phones)
_NO_BLOCK = const(-1)


class Reader:
    """One reader, and the one card that may lie on it.

    Poll `activate` until it returns OK; then `uid` (4, 7 or 10 bytes) is the card. `authenticate` a sector,
    `read` and `write` its blocks, and call `presence` every 40 ms to see the card leave. One step takes at most
    some 15 ms, and a dead chip 50 ms once a second. Nothing allocates while no card comes or the same one stays.
    `chip` has the chip's `version` and `self_test`, for whoever reports on the hardware.

    Exchanges over the air (docs of PERFORMANCE speak of these): activation 3 for a UID of 4 bytes, 5 for 7;
    authentication 2; read 1; write 2; presence 1.
    """

    def __init__(self, chip: Rc522) -> None:
        self.chip = chip
        self._selector = Selector(chip)
        self.uid = b""
        # The block whose sector is open now; and the one that should be, to open it again after a disturbance.
        self._open_block = _NO_BLOCK
        self._wanted_block = _NO_BLOCK
        self._key = b""
        self._key_type = KEY_A

    def activate(self) -> int:
        """Look for a card, and select it; a card that is there already is selected anew.

        OK (`uid` is set), NO_CARD, TWO_CARDS, FOREIGN, UNREADABLE (three tries came back garbled) or READER_FAULT.
        After anything but OK or NO_CARD, poll on until NO_CARD says that the field is empty.
        """
        if not self.chip.keep_ready():
            return READER_FAULT
        self._wanted_block = _NO_BLOCK
        result = self._select()
        if result == OK and not self._is_same_card():
            self.uid = bytes(memoryview(self._selector.uid)[: self._selector.uid_size])
        return result

    def authenticate(self, block: int, key: bytes, key_type: int = KEY_B) -> int:
        """Open the sector of `block` with `key` (6 bytes), KEY_A or KEY_B, on the activated card. Section 12.1.

        OK, DENIED (the key is wrong; the card is still there), NO_CARD, TWO_CARDS, UNREADABLE or READER_FAULT.
        """
        assert len(key) == 6
        self._key = key
        self._key_type = key_type
        result = self._open(block)
        self._wanted_block = self._open_block
        if result == SILENCE:
            # A card that is shown a wrong key says nothing, like one that left. So call it by its UID.
            result = self._select()
            if result == OK:
                result = DENIED if self._is_same_card() else NO_CARD
        return result

    def read(self, block: int, into: "bytearray | memoryview") -> int:
        """Read a block of the open sector into the 16 bytes of `into`. Section 12.2.

        OK, DENIED, NO_CARD, UNREADABLE or READER_FAULT; `into` is touched only by OK.
        """
        result = self._read(block)
        if result == OK:
            answer = self.chip.answer
            for index in range(_BLOCK_SIZE):
                into[index] = answer[index]
        return result

    def write(self, block: int, data: "Bytes") -> int:
        """Write 16 bytes to a block of the open sector. Section 12.3: command, ACK, data, ACK.

        OK; UNSEEN when the data went out and no ACK came back (read it again, now or at the next tap, to know);
        anything else (DENIED, NO_CARD, UNREADABLE, READER_FAULT) means that nothing was written.
        """
        assert len(data) == _BLOCK_SIZE
        if self._open_block == _NO_BLOCK:
            return DENIED
        frame = self.chip.frame
        frame[0] = _WRITE
        frame[1] = block
        result = self._acknowledged(self.chip.transceive(append_crc(frame, 2), 0, _WRITE_COMMAND_MS))
        if result != OK:
            return result
        for index in range(_BLOCK_SIZE):
            frame[index] = data[index]
        bits = self.chip.transceive(append_crc(frame, _BLOCK_SIZE), 0, _WRITE_DATA_MS)
        return OK if self._acknowledged(bits) == OK else UNSEEN

    def presence(self) -> int:
        """Tell whether the card of `uid` still lies there, as one encrypted read of its open sector proves.

        Where that fails, it is activated and its sector opened once more: only when this fails too is it gone.
        OK (read and write go on as before); NO_CARD, also when another card lies there now; TWO_CARDS,
        UNREADABLE, READER_FAULT. Where no sector was opened, it is activated each time.
        """
        if self._open_block != _NO_BLOCK and self._read(self._open_block) == OK:
            return OK
        if not self.chip.keep_ready():
            return READER_FAULT
        result = self._select()
        if result == OK and not self._is_same_card():
            return NO_CARD
        if result == OK and self._wanted_block != _NO_BLOCK:
            result = self._open(self._wanted_block)
        return result

    def halt(self) -> None:
        """Close the sector and put the card to sleep; `activate` finds it again."""
        self._selector.halt()
        self._wanted_block = _NO_BLOCK
        self._close()

    def _select(self) -> int:
        """Select the card in the field, three times at most while it comes back garbled, and look what it is."""
        self._close()
        result = UNREADABLE
        for _ in range(_TRIES):
            result = self._selector.select()
            if result != GARBLED:
                break
        return FOREIGN if result == OK and self._is_foreign() else result

    def _is_foreign(self) -> bool:
        """Tell whether the selected card is no MIFARE Classic, or its UID no name: all zeros, all ones, or random."""
        selector = self._selector
        if not selector.sak & _SAK_CLASSIC:
            return True
        uid = selector.uid
        if selector.uid_size != 4:
            return False
        is_void = uid[0] == uid[1] == uid[2] == uid[3] and uid[0] in (0x00, 0xFF)
        return is_void or uid[0] == _RANDOM_UID

    def _is_same_card(self) -> bool:
        """Tell whether the selected card's UID is `uid`; the one place where cards are compared."""
        return self._selector.uid[: self._selector.uid_size] == self.uid

    def _open(self, block: int) -> int:
        """Authenticate `block` with the key last given, by the last four bytes of the UID (section 10.2.2)."""
        frame = self.chip.frame
        frame[0] = self._key_type
        frame[1] = block
        for index in range(6):
            frame[2 + index] = self._key[index]
        first = len(self.uid) - 4
        for index in range(4):
            frame[8 + index] = self.uid[first + index]
        result = self.chip.authenticate(12, _AUTHENTICATE_MS)
        if result == OK:
            self._open_block = block
        else:
            self._close()
        return result

    def _close(self) -> None:
        self._open_block = _NO_BLOCK
        self.chip.stop_crypto()

    def _read(self, block: int) -> int:
        """Read a block into the chip's `answer`, and check its CRC."""
        if self._open_block == _NO_BLOCK:
            return DENIED
        frame = self.chip.frame
        frame[0] = _READ
        frame[1] = block
        bits = self.chip.transceive(append_crc(frame, 2), 0, _READ_MS)
        if bits < 0:
            return bits
        if bits == 4:
            return DENIED
        is_whole = bits == 8 * (_BLOCK_SIZE + 2) and crc_a(self.chip.answer, _BLOCK_SIZE + 2) == 0
        return OK if is_whole else UNREADABLE

    def _acknowledged(self, bits: int) -> int:
        """Judge an answer that should be the four bits of an ACK (table 10)."""
        if bits < 0:
            return bits
        if bits != 4:
            return UNREADABLE
        return OK if self.chip.answer[0] & 0x0F == _ACK else DENIED
