"""The memory operations of an active MIFARE Classic card (MF1S50YYX, sections 9 and 12): sessions, blocks, values."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.parts.crypto1 import Session, nonce, open_session
from sim.parts.iso14443 import Bits, has_crc, with_crc
from sim.parts.mifare_access import DECREMENT, INCREMENT, KEY_A, KEY_B, READ, WRITE, Access
from sim.parts.mifare_memory import BLOCK_COUNT, BLOCK_SIZE, WRITE_FC, Memory
from sim.parts.mifare_value import pack_value, unpack_value

AUTH_A, AUTH_B = 0x60, 0x61
READ_BLOCK, WRITE_BLOCK = 0x30, 0xA0
DECREMENT_VALUE, INCREMENT_VALUE, RESTORE_VALUE, TRANSFER_VALUE = 0xC0, 0xC1, 0xC2, 0xB0

# Section 9.3: four bits. The two refusals are 0 and 1 instead while the transfer buffer holds a value.
ACK, NAK_INVALID, NAK_GARBLED = 0xA, 0x4, 0x5
_BUFFER_VALID = 0x4

_MANUFACTURER_BLOCK = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command led to: the answer (one byte stands for four bits), how much later than usual, and whether to go on.

    Not going on, the card leaves its session and its active state; without power, it starts anew.
    """

    answer: bytes | None = None
    goes_on: bool = True
    lost_power: bool = False
    delay_fc: int = 0


Continuation = Callable[[bytes, int], Outcome]
_SILENT_END = Outcome(goes_on=False)


class Sectors:
    """The operations on the memory of one card, and the session that allows them."""

    def __init__(self, uid: bytes, memory: Memory) -> None:
        self._uid = uid
        self._memory = memory
        self._nonce_count = 0
        self.close()
        self._operations: dict[int, Callable[[int, int], Outcome]] = {
            AUTH_A: lambda block, at_fc: self._challenge(block, KEY_A),
            AUTH_B: lambda block, at_fc: self._challenge(block, KEY_B),
            READ_BLOCK: self._read,
            WRITE_BLOCK: self._begin_write,
            DECREMENT_VALUE: lambda block, at_fc: self._begin_value(block, DECREMENT, -1),
            INCREMENT_VALUE: lambda block, at_fc: self._begin_value(block, INCREMENT, 1),
            RESTORE_VALUE: lambda block, at_fc: self._begin_value(block, DECREMENT, 0),
            TRANSFER_VALUE: self._transfer,
        }

    def close(self) -> None:
        """Forget session and transfer buffer."""
        self.cipher = 0
        self._sector: int | None = None
        self._key = KEY_A
        self._buffer: tuple[int, int] | None = None
        self._continuation: Continuation | None = None
        self._continuation_size = 0

    def operate(self, bits: Bits, at_fc: int) -> Outcome:
        """Take a command, or the second frame of one.

        A frame whose parity is wrong (sent under another session, for one) is not answered; a wrong CRC is, with a NAK.
        What is no command of this card, RATS for one, is not answered either.
        """
        data = bits.data
        proceed, self._continuation = self._continuation, None
        if not bits.is_whole:
            return _SILENT_END
        if proceed:
            return proceed(data, at_fc) if len(data) == self._continuation_size else self._refuse(NAK_GARBLED)
        operation = self._operations.get(data[0]) if len(data) == 4 else None
        if operation is None:
            return _SILENT_END
        return operation(data[1], at_fc) if has_crc(data) else self._refuse(NAK_GARBLED)

    def _expect(self, size: int, proceed: Continuation) -> None:
        """Await a second frame of `size` bytes. All have a CRC (`_checked`) but the second pass of a session."""
        self._continuation_size, self._continuation = size, proceed

    def _checked(self, proceed: Continuation) -> Continuation:
        return lambda data, at_fc: proceed(data[:-2], at_fc) if has_crc(data) else self._refuse(NAK_GARBLED)

    def _refuse(self, nak: int = NAK_INVALID) -> Outcome:
        return Outcome(bytes([nak & ~_BUFFER_VALID if self._buffer else nak]), goes_on=False)

    def _access(self, block: int) -> Access:
        return Access(self._memory.block(block | 3))

    def _challenge(self, block: int, key: str) -> Outcome:
        """First pass: send a nonce, plain or under the session that is open, and which ends with it."""
        if block >= BLOCK_COUNT:
            return self._refuse()
        self.close()
        self._nonce_count += 1
        card_nonce = nonce(self._uid, self._nonce_count)
        trailer = self._memory.block(block | 3)
        secret = trailer[:6] if key == KEY_A else trailer[10:]

        def prove(data: bytes, at_fc: int) -> Outcome:
            session = open_session(secret, self._uid[-4:], card_nonce, data[:4])
            return self._open(block // 4, key, session, data[4:])

        self._expect(8, prove)
        return Outcome(card_nonce)

    def _open(self, sector: int, key: str, session: Session, proof: bytes) -> Outcome:
        """Second pass: the reader proves that it knows the key; otherwise silence. A sector whose bits are broken is shut."""
        if proof != session.reader_proof or not self._access(sector * 4).is_valid:
            return _SILENT_END
        self._sector, self._key, self.cipher = sector, key, session.cipher
        return Outcome(session.card_proof)

    def _allows(self, block: int, operation: str) -> bool:
        """Say whether the session covers this block, and the sector's conditions the operation; trailers only hold keys."""
        if block >= BLOCK_COUNT or block // 4 != self._sector:
            return False
        access = self._access(block)
        if block % 4 != 3:
            return access.allows(block % 4, operation, self._key)
        if operation == READ:
            return access.key_works(self._key) and self._key in access.trailer.bits_read
        trailer = self._memory.block(block)
        return operation == WRITE and access.merged(trailer, trailer, self._key) is not None

    def _read(self, block: int, at_fc: int) -> Outcome:
        if not self._allows(block, READ):
            return self._refuse()
        data = self._memory.block(block)
        return Outcome(with_crc(self._access(block).visible(data) if block % 4 == 3 else data))

    def _begin_write(self, block: int, at_fc: int) -> Outcome:
        if block == _MANUFACTURER_BLOCK or not self._allows(block, WRITE):
            return self._refuse()
        self._expect(BLOCK_SIZE + 2, self._checked(lambda data, now_fc: self._finish_write(block, data, now_fc)))
        return Outcome(bytes([ACK]))

    def _finish_write(self, block: int, data: bytes, at_fc: int) -> Outcome:
        if block % 4 == 3:
            merged = self._access(block).merged(self._memory.block(block), data, self._key)
            assert merged is not None, "asked before the first acknowledge"
            data = merged
        return self._program(block, data, at_fc)

    def _program(self, block: int, data: bytes, at_fc: int) -> Outcome:
        """Write, and acknowledge when it is done."""
        if not self._memory.write(block, data, at_fc):
            return Outcome(lost_power=True)
        return Outcome(bytes([ACK]), delay_fc=WRITE_FC)

    def _begin_value(self, block: int, operation: str, sign: int) -> Outcome:
        """INCREMENT, DECREMENT, RESTORE: an operand of 4 bytes follows (RESTORE ignores it)."""
        value = unpack_value(self._memory.block(block)) if block % 4 != 3 and self._allows(block, operation) else None
        if value is None:
            return self._refuse()
        number, address = value
        self._expect(6, self._checked(lambda data, at_fc: self._load_buffer(number + sign * int.from_bytes(data, "little"), address)))
        return Outcome(bytes([ACK]))

    def _load_buffer(self, value: int, address: int) -> Outcome:
        """Put the result into the transfer buffer; success is silence, a result beyond 32 bits is refused."""
        if not -(2**31) <= value < 2**31:
            return self._refuse()
        self._buffer = value, address
        return Outcome()

    def _transfer(self, block: int, at_fc: int) -> Outcome:
        """TRANSFER: write the buffer to a data block of the same sector."""
        if self._buffer is None or block == _MANUFACTURER_BLOCK or block % 4 == 3 or not self._allows(block, DECREMENT):
            return self._refuse()
        return self._program(block, pack_value(*self._buffer), at_fc)
