"""The UART: room for what comes, and time for what goes."""

from sim.clock import Clock
from sim.parts.uart import Uart


def make_uart(rxbuf: int = 256) -> tuple[Clock, Uart, list[bytes], list[str]]:
    clock = Clock(0)
    interrupts: list[str] = []
    sent: list[bytes] = []
    uart = Uart(clock, lambda: interrupts.append("irq"))
    uart.transmit = sent.append
    uart.configure(100_000, 10, rxbuf)  # 100 us a byte
    return clock, uart, sent, interrupts


def test_received_bytes_wait_in_order_and_interrupt() -> None:
    _, uart, _, interrupts = make_uart()
    uart.receive(b"abc")
    uart.receive(b"de")
    assert (uart.waiting, interrupts) == (5, ["irq", "irq"])
    assert (uart.read(2), uart.read(99), uart.read(1)) == (b"ab", b"cde", b"")


def test_what_finds_no_room_is_lost_and_counted() -> None:
    _, uart, _, _ = make_uart(rxbuf=1)
    uart.receive(bytes(range(100)))
    assert (uart.waiting, uart.lost) == (64, 36)
    assert uart.read(64) == bytes(range(64))


def test_bytes_leave_one_after_the_other_at_the_baud_rate() -> None:
    clock, uart, sent, _ = make_uart()
    uart.write(b"abcd")
    clock.advance(399)
    assert (sent, uart.is_idle, uart.idle_at_us) == ([], False, 400)
    clock.advance(1)
    assert (sent, uart.is_idle) == ([b"abcd"], True)


def test_a_second_write_waits_for_the_first() -> None:
    clock, uart, sent, _ = make_uart()
    uart.write(b"ab")
    clock.advance(100)
    uart.write(b"cd")
    assert uart.idle_at_us == 400
    clock.advance(300)
    assert b"".join(sent) == b"abcd"


def test_settling_hands_over_only_what_has_left() -> None:
    clock, uart, sent, _ = make_uart()
    uart.write(b"abcd")
    clock.advance(250)
    uart.settle()
    assert sent == [b"ab"]
    clock.advance(150)
    assert sent == [b"ab", b"cd"]


def test_reset_forgets_what_waits_and_what_leaves() -> None:
    clock, uart, sent, _ = make_uart()
    uart.receive(b"x")
    uart.write(b"abcd")
    uart.reset()
    clock.advance(1000)
    uart.receive(b"y")
    assert (sent, uart.waiting, uart.is_on) == ([], 0, False)
