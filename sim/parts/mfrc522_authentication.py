"""The MFAuthent command: three passes with a card, run by the chip on its own (data sheet, section 10.3.1.9)."""

from collections.abc import Callable

from sim.parts import mfrc522_registers as r
from sim.parts.crypto1 import Session, nonce, open_session
from sim.parts.iso14443 import Frame, Heard, decode, encode, with_crc
from sim.parts.mfrc522_modem import Modem
from sim.parts.mfrc522_registers import Registers

# In the FIFO: 60h or 61h, block, key (6 bytes), UID (4 bytes).
ARGUMENT_SIZE = 12
_ANSWER_SIZE = 4


class Authentication:
    """Opens a session with a card. It ends by itself only when it succeeds, and then calls `done` with the cipher and the time.

    Silence (wrong key, wrong UID, no card) changes nothing: the host's timer has to run out. An answer of the wrong
    size, or the wrong answer, calls `failed` (MFCrypto1On is cleared) and sets ProtocolErr, and the command waits on.
    """

    def __init__(self, registers: Registers, modem: Modem, done: Callable[[int, int], None], failed: Callable[[], None]) -> None:
        self._registers = registers
        self._modem = modem
        self._done = done
        self._failed = failed
        self._count = 0
        self._cipher = 0

    def start(self, argument: bytes, cipher: int, at_fc: int) -> None:
        """Send the first pass; inside a session (nested authentication) it goes out enciphered."""
        self._cipher = cipher
        key, uid = argument[2:8], argument[8:12]
        self._exchange(encode(with_crc(argument[:2]), cipher=cipher), at_fc, lambda answer, now_fc: self._prove(key, uid, answer, now_fc))

    def _exchange(self, frame: Frame, at_fc: int, then: Callable[[bytes, int], None]) -> None:
        guard_bits = self._registers[r.RX_SEL] & 0x3F

        def heard(answer: Heard, now_fc: int) -> None:
            bits = decode(answer.frame.heard_with(self._cipher))
            if bits.is_whole and len(bits.data) == _ANSWER_SIZE:
                then(bits.data, now_fc)
            else:
                self._fail(now_fc)

        self._modem.send(frame, at_fc, lambda sent_fc: self._modem.listen(sent_fc, heard, guard_bits=guard_bits))

    def _prove(self, key: bytes, uid: bytes, card_nonce: bytes, at_fc: int) -> None:
        self._count += 1
        reader_nonce = nonce(b"reader", self._count)
        session = open_session(key, uid, card_nonce, reader_nonce)
        self._cipher = 0
        self._exchange(encode(reader_nonce + session.reader_proof), at_fc, lambda answer, now_fc: self._judge(session, answer, now_fc))

    def _judge(self, session: Session, answer: bytes, at_fc: int) -> None:
        if answer == session.card_proof:
            self._done(session.cipher, at_fc)
        else:
            self._fail(at_fc)

    def _fail(self, at_fc: int) -> None:
        self._failed()
        self._modem.listen(at_fc, lambda heard, now_fc: self._fail(now_fc))
        self._registers.fail(r.PROTOCOL_ERROR)
