"""Requests of a simulated board to the simulator, by number; read by both sides.

A request is a head of 8 bytes, then `size` bytes of payload; little-endian:

    0  opcode   1 byte
    1  unit     1 byte   which pin, bus, UART or state machine
    2  size     2 bytes  of the payload
    4  value    4 bytes

A request is answered only where it says so: with the *state* (6 integers of 8 bytes: the clock's
mapping real_us, virtual_us, rate; the levels of all pins; the pins whose interrupt came; bytes waiting
in UART 0 and, 16 bits up, UART 1), with one *integer* of 8 bytes, or with bytes.
"""

from protocol.compat import const

# Answered, and the processor may wait for it.
STATE = const(0)  # state
IDLE = const(1)  # state, after 1 ms or an interrupt
SLEEP = const(2)  # state, after `value` us or an interrupt
UART_FLUSH = const(3)  # state, when all bytes have left
LAST_WAITING = const(UART_FLUSH)

# The chip.
CAUSE = const(8)  # integer: reset cause
UNIQUE_ID = const(9)  # 8 bytes
RESET = const(10)
WATCHDOG_START = const(11)  # value: time-out, ms
WATCHDOG_FEED = const(12)

# Pins.
PIN_CONFIGURE = const(16)  # value: mode (0xFF: as it is), pull << 8, output << 16 (2: as it is)
PIN_WRITE = const(17)
PIN_TOGGLE = const(18)
PIN_TRIGGER = const(19)  # value: edges
PWM_SET = const(20)  # value: frequency; payload: duty, 2 bytes

# Buses. A configuration's payload names its pins, 0xFF for none.
SPI_CONFIGURE = const(24)  # value: baud; payload: polarity, phase, sck, mosi, miso
SPI_WRITE = const(25)
SPI_EXCHANGE = const(26)  # as many bytes as came
UART_CONFIGURE = const(28)  # value: baud; payload: bits in a frame, tx, rx, receive buffer (2 bytes)
UART_WRITE = const(29)
UART_READ = const(30)  # value: at most; integer: how many, then the bytes
UART_IS_IDLE = const(31)  # integer: 1 if all bytes have left

# State machines, 0 to 7.
PIO_LOAD = const(40)  # payload: words of 2 bytes; integer: where the program begins, -1 if it has no room
PIO_CONFIGURE = const(41)  # value: initial pc; payload: CLKDIV, EXECCTRL, SHIFTCTRL, PINCTRL, 4 bytes each
PIO_ACTIVE = const(42)
PIO_EXECUTE = const(43)
PIO_RESTART = const(44)  # value: initial pc
PIO_PUT = const(45)  # integer: 0 if the FIFO is full
PIO_GET = const(46)  # integer: -1 if the FIFO is empty
PIO_COUNTS = const(47)  # integer: words in the RX FIFO, and 8 bits up in the TX FIFO

NO_PIN = const(0xFF)
