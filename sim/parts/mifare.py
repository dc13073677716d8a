"""A MIFARE Classic 1K card as the air shows it (MF1S50YYX; ISO/IEC 14443-3, type A), with UIDs of 4 or 7 bytes."""

from collections.abc import Callable

from sim.parts.field import Reply
from sim.parts.iso14443 import FRAME_DELAY_FC, POWER_UP_FC, Bits, Frame, decode, encode, has_crc, with_crc
from sim.parts.mifare_memory import Memory, new_image
from sim.parts.mifare_sectors import Sectors

OFF, IDLE, READY, ACTIVE, HALT = "off", "idle", "ready", "active", "halt"

REQA, WUPA = b"\x26", b"\x52"
_SELECT_CODES = (0x93, 0x95)
_CASCADE_TAG = b"\x88"
_SAK_UID_INCOMPLETE, _SAK_CLASSIC_1K = 0x04, 0x08
_HALT = b"\x50\x00"


class MifareClassic:
    """One card. Put it in a `Field` to let a reader find it.

    `uid`: 4 or 7 bytes. `image`: its 1024 bytes, used in place and kept up to date; None makes a card as delivered
    (`mifare_memory.new_image`). `on_write(block, content)` is called after every change, in whatever thread uses the
    reader and with the field locked.

    Raises ValueError for a UID of another length or one that begins with the cascade tag 88, and for an image that is
    not 1024 bytes or whose block 0 does not begin with the UID.
    """

    def __init__(self, uid: bytes, image: bytearray | None = None, on_write: Callable[[int, bytes], None] | None = None) -> None:
        if len(uid) not in (4, 7) or uid[:1] == _CASCADE_TAG:
            raise ValueError(f"UID {uid.hex()}: 4 or 7 bytes, not beginning with 88")
        image = new_image(uid) if image is None else image
        if len(image) != 1024 or bytes(image[: len(uid)]) != uid:
            raise ValueError(f"image of {uid.hex()}: 1024 bytes beginning with the UID; new_image(uid) makes one")
        self.uid = uid
        self._memory = Memory(image, on_write)
        self._sectors = Sectors(uid, self._memory)
        self._levels = [uid] if len(uid) == 4 else [_CASCADE_TAG + uid[:3], uid[3:]]
        self._atqa = b"\x04\x00" if len(uid) == 4 else b"\x44\x00"
        self._state = OFF
        # Where the card falls back to: halt, once it has been halted.
        self._rest = IDLE
        self._level = 0
        self._deaf_until_fc = 0

    @property
    def image(self) -> bytearray:
        """The 1024 bytes, as of the last write that ended."""
        return self._memory.image

    @property
    def state(self) -> str:
        """Off, idle, ready, active or halt."""
        return self._state

    def tear_next(self, fraction: float) -> None:
        """Let the next write stop after this part (0 to 1) of its time, as if the card had been out of reach just then.

        The card does not acknowledge, and is found again as one newly put on the reader.
        """
        self._memory.tear_next(fraction)

    def power_on(self, at_fc: int) -> None:
        """Start up; requests are heard when that is done."""
        self._deaf_until_fc = at_fc + POWER_UP_FC
        self._state = self._rest = IDLE
        self._sectors.close()

    def power_off(self, at_fc: int) -> None:
        """Forget all but the EEPROM; a write under way is torn."""
        self._memory.lose_power(at_fc)
        self._state = OFF

    def advance(self, at_fc: int) -> None:
        """Finish a write that is due."""
        self._memory.advance(at_fc)

    def receive(self, frame: Frame, at_fc: int) -> Reply | None:
        """Take a frame and answer, or be silent; deaf while starting up, answering or writing."""
        self.advance(at_fc)
        if self._state == OFF or at_fc < self._deaf_until_fc:
            return None
        reply = self._answer(decode(frame.heard_with(self._sectors.cipher)), at_fc)
        if reply:
            self._deaf_until_fc = at_fc + reply.delay_fc + reply.frame.duration_fc
        return reply

    def _answer(self, bits: Bits, at_fc: int) -> Reply | None:
        if self._state in (IDLE, HALT):
            return self._wake(bits)
        if self._state == READY:
            return self._anticollision(bits)
        if bits.is_whole and bits.data == with_crc(_HALT):
            self._rest = HALT
            return self._fall()
        return self._operate(bits, at_fc)

    def _fall(self) -> None:
        """Go back to sleep, idle or halt, without a word (ISO/IEC 14443-3, state diagram of type A)."""
        self._state = self._rest
        self._sectors.close()

    def _wake(self, bits: Bits) -> Reply | None:
        if bits.count != 7 or bits.data not in ((REQA, WUPA) if self._state == IDLE else (WUPA,)):
            return None
        self._state, self._level = READY, 0
        return Reply(encode(self._atqa), FRAME_DELAY_FC)

    def _anticollision(self, bits: Bits) -> Reply | None:
        """Answer ANTICOLLISION with the bits the reader does not know, and SELECT with the SAK."""
        data, part = bits.data, self._levels[self._level]
        part += bytes([part[0] ^ part[1] ^ part[2] ^ part[3]])
        known = bits.count - 16
        if known < 0 or data[0] != _SELECT_CODES[self._level] or not bits.parity_ok:
            return self._fall()
        if data[1] == 0x70:
            return self._select() if data[2:-2] == part and has_crc(data) and bits.is_whole else self._fall()
        if known >= 40 or data[1] != (2 + known // 8) << 4 | known % 8:
            return self._fall()
        mask = (1 << known) - 1
        if (int.from_bytes(data[2:], "little") ^ int.from_bytes(part, "little")) & mask:
            return self._fall()
        return Reply(encode(part[known // 8 :], skip_bits=known % 8), FRAME_DELAY_FC)

    def _select(self) -> Reply:
        self._level += 1
        is_complete = self._level == len(self._levels)
        self._state = ACTIVE if is_complete else READY
        return Reply(encode(with_crc(bytes([_SAK_CLASSIC_1K if is_complete else _SAK_UID_INCOMPLETE]))), FRAME_DELAY_FC)

    def _operate(self, bits: Bits, at_fc: int) -> Reply | None:
        """Hand a command of an active card to its sectors; a refusal ends the session, and the card must be woken again."""
        cipher = self._sectors.cipher
        outcome = self._sectors.operate(bits, at_fc)
        if outcome.lost_power:
            self.power_on(at_fc)
        elif not outcome.goes_on:
            self._fall()
        if outcome.answer is None:
            return None
        last_bits = 4 if len(outcome.answer) == 1 else 0
        frame = encode(outcome.answer, last_bits=last_bits, cipher=cipher)
        return Reply(frame, FRAME_DELAY_FC + outcome.delay_fc)
