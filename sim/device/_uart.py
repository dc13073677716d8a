"""`machine.UART` of the rp2 port."""

import _hub
from _seldom import call
from opcodes import IDLE, UART_FLUSH, UART_IS_IDLE, UART_WRITE


class UART:
    """A serial port to the simulator's line: bytes take their time at the baud rate, and what does not fit into `rxbuf` is lost."""

    def __init__(self, *options, **more):
        call("_setup", "new_uart", self, *options, **more)

    def init(self, *options, **more):
        call("_setup", "set_uart", self, *options, **more)

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
