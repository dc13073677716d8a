"""A whole board: a real MicroPython whose pins end in real parts."""

from typing import TYPE_CHECKING

import pytest
import serial

from sim.parts.beeper import Tone

if TYPE_CHECKING:
    from tests.sim.conftest import Bench

LIMIT_S = 20.0


def test_a_program_writes_on_the_display(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine, time
        spi = machine.SPI(1, 400_000, sck=machine.Pin(10), mosi=machine.Pin(11))
        cs = machine.Pin(13, machine.Pin.OUT, value=0)
        machine.Pin(12, machine.Pin.OUT, value=1)
        time.sleep_ms(50)

        def send(sync, data):
            cs(1)
            spi.write(bytes([sync]))
            for value in data:
                spi.write(bytes([value & 0xF0, value << 4 & 0xF0]))
                time.sleep_us(80)
            cs(0)

        send(0xF8, b"\\x30\\x0c\\x01")
        time.sleep_ms(2)
        send(0xF8, b"\\x90")
        send(0xFA, b"\\xc7\\xeb\\xcb\\xa2\\xbf\\xa8 ready")
        """
    )
    assert board.wait_for(lambda: board.display.text()[1] == "请刷卡 ready    ", LIMIT_S), (board.display.text(), bench.output(board))
    assert board.display.lost == 0
    board.cut_power()
    assert board.display.text() == [" " * 16] * 4


ECHO = """
import machine, time
uart = machine.UART(0, 115_200, tx=machine.Pin(0), rx=machine.Pin(1), rxbuf=512)
send = machine.Pin(7, machine.Pin.OUT, value=0)
led = machine.Pin("LED", machine.Pin.OUT, value=1)
while True:
    machine.idle()
    count = uart.any()
    if count:
        # A frame has come when nothing more does: the line hears nothing while it sends.
        while (now := (time.sleep_ms(30), uart.any())[1]) != count:
            count = now
        data = uart.read(count)
        send(1)
        uart.write(data)
        {before}
        send(0)
"""


def test_a_frame_goes_to_the_board_and_back_through_the_serial_port(bench: "Bench") -> None:
    board = bench.start(ECHO.format(before="uart.flush()"))
    assert board.wait_for(lambda: board.is_lit, LIMIT_S)
    with serial.Serial(bench.line.path, 115_200, timeout=LIMIT_S, exclusive=True) as port:
        for size in (1, 64, 254):
            frame = bytes(range(size))
            port.write(frame)
            assert port.read(size) == frame


def test_a_driver_switched_off_too_early_cuts_what_has_not_left(bench: "Bench") -> None:
    board = bench.start(ECHO.format(before="pass"))
    assert board.wait_for(lambda: board.is_lit, LIMIT_S)
    with serial.Serial(bench.line.path, 115_200, timeout=0.3) as port:
        port.write(bytes(200))
        assert len(port.read(200)) < 200


def test_two_boards_hear_each_other_and_an_unread_buffer_overflows(bench: "Bench") -> None:
    listener = bench.start(
        """
        import machine
        uart = machine.UART(0, 115_200, tx=machine.Pin(0), rx=machine.Pin(1), rxbuf=64)
        machine.Pin("LED", machine.Pin.OUT, value=1)
        while uart.any() < 96:
            machine.idle()
        data = bytearray(200)
        print(uart.readinto(data, 10), uart.read(5), uart.readinto(data), uart.any(), uart.read())
        """,
        name="listener",
    )
    assert listener.wait_for(lambda: listener.is_lit, LIMIT_S)
    bench.start(
        """
        import machine
        machine.Pin(7, machine.Pin.OUT, value=1)
        uart = machine.UART(0, 115_200, tx=machine.Pin(0), rx=machine.Pin(1))
        uart.write(bytes(range(120)))
        uart.flush()
        """,
        name="talker",
    )
    assert listener.wait_for(lambda: listener.terminal.exit_code == 0, LIMIT_S), bench.output(listener)
    assert bench.output(listener) == ["10 b'\\n\\x0b\\x0c\\r\\x0e' 81 0 None"]
    assert listener.chip.uarts[0].lost == 24


def test_a_pressed_key_pulls_its_column_low(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine
        rows = [machine.Pin(14 + n, machine.Pin.OPEN_DRAIN, value=1) for n in range(4)]
        columns = [machine.Pin(18 + n, machine.Pin.IN, machine.Pin.PULL_UP) for n in range(4)]
        machine.Pin("LED", machine.Pin.OUT, value=1)
        while True:
            machine.idle()
            for r, row in enumerate(rows):
                row(0)
                for c, column in enumerate(columns):
                    if not column():
                        print(r, c)
                        raise SystemExit
                row(1)
        """
    )
    assert board.wait_for(lambda: board.is_lit, LIMIT_S)
    board.type_key("OK")
    assert board.wait_for(lambda: board.terminal.exit_code is not None, LIMIT_S)
    assert bench.output(board) == ["3 3"]


def test_a_state_machine_counts_the_water_while_the_program_is_busy(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine, time
        from rp2 import PIO, StateMachine, asm_pio

        @asm_pio()
        def count():
            label("next")
            wait(0, pin, 0)
            wait(1, pin, 0)
            jmp(x_dec, "next")

        def make(id, pin):
            machine_ = StateMachine(id, count, in_base=machine.Pin(pin, machine.Pin.IN))
            machine_.active(1)
            machine_.exec("mov(x, invert(null))")
            return machine_

        def read(machine_):
            machine_.exec("mov(isr, invert(x))")
            machine_.exec("push(noblock)")
            return machine_.get()

        cold, hot = make(0, 27), make(1, 28)
        print(read(cold), read(hot))
        valve = machine.Pin(22, machine.Pin.OUT, value=1)
        time.sleep_ms(700)
        valve(0)
        print(read(cold), read(hot))
        """
    )
    board.water.l_per_min, board.water.hot_share = 60.0, 0.25
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S), bench.output(board)
    assert bench.output(board) == ["0 0", f"{board.water.cold.pulses} {board.water.hot.pulses}"]
    assert board.water.cold.pulses == pytest.approx(450 * board.litres * 0.75, abs=2)
    assert board.litres > 0.6


def test_the_reader_answers_with_its_version(bench: "Bench") -> None:
    output = bench.run(
        """
        import machine, time
        spi = machine.SPI(0, 1_000_000, sck=machine.Pin(2), mosi=machine.Pin(3), miso=machine.Pin(4))
        cs = machine.Pin(5, machine.Pin.OUT, value=1)

        def version():
            into = bytearray(2)
            cs(0)
            spi.write_readinto(b"\\xee\\0", into)
            cs(1)
            return into[1]

        machine.Pin(6, machine.Pin.OUT, value=1)
        time.sleep_ms(50)
        print(hex(version()))
        spi.init(polarity=1, phase=1)
        print(version())
        """
    )
    assert output == ["0x92", "0"]


def test_tones_are_remembered(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine, time
        pwm = machine.PWM(machine.Pin(26))
        pwm.freq(2700)
        pwm.duty_u16(32768)
        time.sleep_ms(60)
        pwm.duty_u16(0)
        """
    )
    assert board.wait_for(lambda: bool(board.beeps), LIMIT_S)
    tone = board.beeps[0]
    assert tone == Tone(tone.start_ms, 2700, tone.duration_ms)
    assert tone.duration_ms >= 60


def test_an_interrupt_ends_a_sleep_and_calls_its_handler(bench: "Bench") -> None:
    board = bench.start(
        """
        import machine, time
        edges = []
        pin = machine.Pin(28, machine.Pin.IN)
        pin.irq(lambda pin: edges.append(time.ticks_ms()), machine.Pin.IRQ_RISING)
        machine.Pin(22, machine.Pin.OUT, value=1)
        start = time.ticks_ms()
        time.sleep_ms(900)
        print(len(edges) > 2, time.ticks_diff(edges[0], start) < 800, time.ticks_diff(time.ticks_ms(), start) >= 900)
        """
    )
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S), bench.output(board)
    assert bench.output(board) == ["True True True"]


def test_a_pass_of_the_loop_allocates_nothing(bench: "Bench") -> None:
    output = bench.run(
        """
        import machine, micropython, time
        uart = machine.UART(0, 115_200, tx=machine.Pin(0), rx=machine.Pin(1))
        spi = machine.SPI(0, 1_000_000, sck=machine.Pin(2), mosi=machine.Pin(3), miso=machine.Pin(4))
        pin, dog, data = machine.Pin(5, machine.Pin.OUT), machine.WDT(timeout=5000), bytearray(16)

        def turn():
            machine.idle()
            dog.feed()
            uart.any()
            uart.readinto(data)
            uart.write(data)
            uart.txdone()
            pin(1)
            pin.value()
            pin.off()
            spi.write(data)
            spi.readinto(data)
            spi.write_readinto(data, data)
            time.ticks_diff(time.ticks_add(time.ticks_ms(), 5), time.ticks_us())
            time.sleep_us(10)
            time.time()

        turn()
        micropython.heap_lock()
        turn()
        micropython.heap_unlock()
        print("nothing")
        """
    )
    assert output == ["nothing"]


def test_time_and_ticks_are_the_virtual_clocks_and_wrap(bench: "Bench") -> None:
    bench.clock.speed = 20
    board = bench.start(
        """
        import machine, time
        machine.Pin("LED", machine.Pin.OUT, value=1)
        print(time.gmtime()[:3], time.ticks_ms() < 100_000)
        while time.ticks_ms() < 1 << 20:
            machine.idle()
        before = time.ticks_ms()
        time.sleep(2)
        after = time.ticks_ms()
        print(after < before, 2000 <= time.ticks_diff(after, before) < 100_000, time.ticks_add(before, 2000) < before)
        """
    )
    assert board.wait_for(lambda: board.is_lit, LIMIT_S)
    with bench.clock.lock:
        board.chip.started_us = bench.clock.now_us() - ((1 << 30) - 1000) * 1000
    assert board.wait_for(lambda: board.terminal.exit_code == 0, LIMIT_S), bench.output(board)
    assert bench.output(board) == ["(2021, 1, 1) True", "True True True"]


def test_identity_clock_and_mistakes_are_those_of_the_port(bench: "Bench") -> None:
    output = bench.run(
        """
        import machine
        print(len(machine.unique_id()), machine.freq(), machine.reset_cause())
        mistakes = (
            lambda: machine.SPI(2),
            lambda: machine.SPI(0, sck=machine.Pin(3)),
            lambda: machine.UART(0, tx=machine.Pin(1)),
            lambda: machine.WDT(timeout=9000),
            lambda: machine.Pin("nothing"),
            lambda: machine.PWM(26, freq=1, duty_u16=1),
        )
        for mistake in mistakes:
            try:
                mistake()
                print("accepted")
            except ValueError as error:
                print(error)
        """
    )
    assert output == [
        "8 125000000 1",
        "SPI(2) doesn't exist",
        "bad SCK pin",
        "bad TX pin",
        "timeout exceeds 8388",
        "invalid pin",
        "freq too small",
    ]
