"""`machine.UART` of the rp2 port."""

import _hub
from micropython import const
from opcodes import IDLE, UART_CONFIGURE, UART_FLUSH, UART_IS_IDLE, UART_WRITE

# The rp2 port sees that a whole character fits into `timeout_char`: 13 bits, to be safe.
_LONGEST_CHARACTER = const(13_000)


class UART:
    def __init__(self, id, baudrate=115_200, bits=8, parity=None, stop=1, **pins_and_buffers):
        if id not in (0, 1):
            raise ValueError("UART(%d) doesn't exist" % id)
        self._id = id
        self._tx, self._rx = ((0, 1), (4, 5))[id]
        self.init(baudrate, bits, parity, stop, **pins_and_buffers)

    def init(self, baudrate=115_200, bits=8, parity=None, stop=1, *, tx=None, rx=None, txbuf=256, rxbuf=256, timeout=0, timeout_char=0):
        if tx is not None:
            self._tx = self._pin(tx, 0, "bad TX pin")
        if rx is not None:
            self._rx = self._pin(rx, 1, "bad RX pin")
        self._timeout = timeout
        self._timeout_char = max(timeout_char, _LONGEST_CHARACTER // baudrate + 1)
        frame = 1 + bits + (parity is not None) + stop
        _hub.send(UART_CONFIGURE, self._id, baudrate, bytes((frame, self._tx, self._rx, rxbuf & 0xFF, rxbuf >> 8)))

    def _pin(self, pin, place, error):
        id = pin if isinstance(pin, int) else pin._id
        if id & 3 != place or (id + 4 & 8) >> 3 != self._id:
            raise ValueError(error)
        return id

    def any(self):
        return _hub.waiting(self._id)

    def read(self, nbytes=-1):
        if nbytes < 0:
            nbytes = self.any() or 1
        into = bytearray(nbytes)
        count = self.readinto(into)
        return None if count is None else bytes(into[:count])

    def readinto(self, buf, nbytes=-1):
        size = len(buf) if nbytes < 0 else min(nbytes, len(buf))
        count = 0
        until = _hub.now_us() + self._timeout * 1000
        while True:
            got = _hub.read_uart(self._id, memoryview(buf)[count:] if count else buf, size - count)
            count += got
            if count == size:
                return count
            # As the port does, wait a character's time for one more.
            if got:
                until = _hub.now_us() + self._timeout_char * 1000
            elif _hub.now_us() >= until:
                return count or None
            else:
                _hub.sync(IDLE)

    def write(self, buf):
        _hub.send_all(UART_WRITE, self._id, buf)
        return len(buf)

    def flush(self):
        _hub.sync(UART_FLUSH, self._id)

    def txdone(self):
        return bool(_hub.ask(UART_IS_IDLE, self._id))
