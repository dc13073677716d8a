"""The MFRC522's transmitter and receiver: frames to the field and back, each taking its time on the air.

Left out, since nothing here depends on it: demodulator and antenna tuning, rates above 106 kbit/s, RxMultiple, and
feeding the FIFO while a frame is under way (a frame takes what the FIFO holds when it starts).
"""

from collections.abc import Callable

from sim.parts import mfrc522_registers as r
from sim.parts.field import Field
from sim.parts.iso14443 import BIT_FC, Bits, Frame, Heard, decode
from sim.parts.mfrc522_registers import Registers
from sim.parts.mfrc522_timer import Timer

# ModemState in Status2Reg
IDLE, WAIT_START, TX_WAIT, TRANSMITTING, RX_WAIT, WAIT_DATA, RECEIVING = 0, 1, 2, 3, 4, 5, 6

# TAuto: the timer stops "after receiving the 5th bit (1 start bit, 4 data bits)".
STOP_BITS = 5

Step = Callable[[int], None]
Listener = Callable[[Heard, int], None]


class Modem:
    """One thing at a time: `send` a frame, `listen` for one, or nothing.

    It acts only in `step`, to be called at `due_fc`; both are of the owner's event loop (mfrc522_commands.py).
    """

    def __init__(self, registers: Registers, timer: Timer, field: Field) -> None:
        self._registers = registers
        self._timer = timer
        self._field = field
        self._parked: tuple[Frame, Step] | None = None
        self._next: tuple[int, Step] | None = None
        self.state = IDLE

    @property
    def due_fc(self) -> int | None:
        """When something happens next by itself; None for never."""
        return self._next[0] if self._next else None

    @property
    def is_hearing(self) -> bool:
        """Whether a frame was sent and the last bit of the answer has not come."""
        return self.state in (RX_WAIT, WAIT_DATA, RECEIVING)

    def step(self) -> None:
        """Do what is due."""
        assert self._next is not None
        (at_fc, act), self._next = self._next, None
        act(at_fc)

    def cancel(self, state: int = IDLE) -> None:
        """Drop what is under way."""
        self._next = self._parked = None
        self.state = state

    def send(self, frame: Frame, at_fc: int, then: Step) -> None:
        """Transmit, and call `then` when the last bit is out; with TxWaitRF set, not before there is a field."""
        if self._registers.has(r.MODE, r.TX_WAIT_RF) and not self._field.is_on:
            self.state, self._parked = TX_WAIT, (frame, then)
            return
        self.state = TRANSMITTING
        self._next = (at_fc + frame.duration_fc, lambda end_fc: self._sent(frame, end_fc, then))

    def field_is_on(self, at_fc: int) -> None:
        """Go on with a transmission that waited for the field."""
        if self._parked:
            (frame, then), self._parked = self._parked, None
            self.send(frame, at_fc, then)

    def listen(self, at_fc: int, then: Listener, *, guard_bits: int = 0) -> None:
        """Wait for a frame and call `then` with it. Anything that begins within `guard_bits` is not noticed (RxWait)."""
        self.state = RX_WAIT if guard_bits else WAIT_DATA
        self._registers.change(r.ERROR, r.COLLISION_ERROR | r.CRC_ERROR | r.PARITY_ERROR | r.PROTOCOL_ERROR, False)
        self._registers[r.COLL] = self._registers[r.COLL] & 0x80 | r.COLL_POS_NOT_VALID
        span = self._field.answer_span()
        ready_fc = at_fc + guard_bits * BIT_FC
        if self._registers.has(r.COMMAND, r.RCV_OFF) or span is None or span[0] < ready_fc:
            return
        start_fc, end_fc = span
        self._next = (start_fc + STOP_BITS * BIT_FC, lambda now_fc: self._begun(now_fc, end_fc, then))

    def _sent(self, frame: Frame, at_fc: int, then: Step) -> None:
        self.state = IDLE
        if self._is_understood:
            self._field.deliver(frame, at_fc)
        if self._timer.is_automatic:
            self._timer.start(at_fc)
        then(at_fc)

    def _begun(self, at_fc: int, end_fc: int, then: Listener) -> None:
        if self._field.answer_span() is None:
            self.state = WAIT_DATA
            return
        self.state = RECEIVING
        if self._timer.is_automatic:
            self._timer.stop(at_fc)
        self._next = (max(at_fc, end_fc), lambda now_fc: self._heard(now_fc, then))

    def _heard(self, at_fc: int, then: Listener) -> None:
        heard = self._field.take_answer()
        if heard.frame.length < 4 and self._registers.has(r.RX_MODE, r.RX_NO_ERR):
            self.state = WAIT_DATA
            return
        self.state = IDLE
        then(heard, at_fc)

    @property
    def _is_understood(self) -> bool:
        """Whether cards of type A can make out what is sent: full modulation, 106 kbit/s."""
        return self._registers.has(r.TX_ASK, r.FORCE_100_ASK) and not self._registers.has(r.TX_MODE, r.SPEED_MASK)


def take_apart(registers: Registers, heard: Heard, cipher: int) -> Bits:
    """Turn a received frame into bytes as BitFramingReg, MfRxReg and CollReg say, and set the error bits it deserves.

    CollPos counts from the bit position RxAlign gives the first bit, so the first byte in the FIFO has 1 to 8 also when
    half of it was sent before. A collision behind the 32nd bit leaves CollPosNotValid set.
    """
    align = registers[r.BIT_FRAMING] >> 4 & 7
    parity = not registers.has(r.MF_RX, r.PARITY_DISABLED)
    bits = decode(heard.frame.heard_with(cipher), align=align, parity=parity)
    if not bits.parity_ok:
        registers.fail(r.PARITY_ERROR)
    if position := heard.collision(align=align, parity=parity):
        registers.fail(r.COLLISION_ERROR)
        if position <= 32:
            registers[r.COLL] = registers[r.COLL] & 0x80 | position & 0x1F
        if not registers.has(r.COLL, r.VALUES_AFTER_COLL):
            known = int.from_bytes(bits.data, "little") & ((1 << position) - 1)
            bits = Bits(known.to_bytes(len(bits.data), "little"), bits.count, bits.parity_ok)
    return bits
