"""The line: everybody hears everybody else, and the host has a port."""

import os
import select
from collections.abc import Callable, Iterator

import pytest
import serial

import sim.parts.line
from sim.clock import Clock
from sim.parts.line import Line

LIMIT_S = 5.0


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(0)
    yield clock
    clock.close()


@pytest.fixture
def line(clock: Clock) -> Iterator[Line]:
    line = Line(clock)
    yield line
    line.close()


def gather() -> tuple[list[int], Callable[[bytes], None]]:
    heard: list[int] = []
    return heard, heard.extend


def never() -> bool:
    """Say that more is to be sent."""
    return False


def read_port(line: Line) -> bytes:
    """Read what is in the host's port now."""
    fd = os.open(line.path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return os.read(fd, 4096) if select.select([fd], [], [], 0.05)[0] else b""
    finally:
        os.close(fd)


def test_everybody_but_the_sender_hears(line: Line) -> None:
    heard = [gather() for _ in range(3)]
    ports = [line.attach(receive, never) for _, receive in heard]
    ports[1].switch(True)
    ports[1].send(b"hi")
    assert [bytes(data) for data, _ in heard] == [b"hi", b"", b"hi"]
    assert read_port(line) == b"hi"


def test_nothing_goes_out_while_the_driver_is_off(line: Line) -> None:
    heard, receive = gather()
    line.attach(receive, never)
    line.attach(lambda _: None, never).send(b"lost")
    assert (heard, read_port(line)) == ([], b"")


def test_a_sender_is_deaf(line: Line) -> None:
    heard, receive = gather()
    line.attach(receive, never).switch(True)
    line.carry(None, b"hello")
    assert heard == []


def test_what_comes_after_the_last_bit_is_heard_by_a_program_that_was_only_late(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, receive = gather()
    port = line.attach(receive, lambda: True)
    port.switch(True)
    line.carry(None, b"next")
    assert heard == []
    port.switch(False)
    assert bytes(heard) == b"next"
    monkeypatch.setattr(sim.parts.line, "LATEST_S", -1)
    port.switch(True)
    line.carry(None, b"lost")
    port.switch(False)
    assert bytes(heard) == b"next"


def test_the_hosts_bytes_take_their_time(line: Line, clock: Clock) -> None:
    heard, receive = gather()
    line.attach(receive, never)
    with serial.Serial(line.path, 115_200, exclusive=True) as port:
        port.write(bytes(range(64)))
        wait_for_events(clock, 4)
        clock.advance(1387)  # sixteen bytes take 1388 us
        assert heard == []
        clock.advance(1)
        assert bytes(heard) == bytes(range(16))
        clock.advance(3 * 1388)
        assert bytes(heard) == bytes(range(64))


def wait_for_events(clock: Clock, count: int) -> None:
    """Wait until the line's thread has put this many pieces on the wires."""
    done = 0
    for _ in range(500):
        with clock.lock:
            done = len(clock._events)
        if done == count:
            return
        select.select([], [], [], LIMIT_S / 500)
    pytest.fail(f"{done} pieces on the wires")


def test_every_byte_value_passes_the_port_unchanged(line: Line) -> None:
    port = line.attach(lambda _: None, never)
    port.switch(True)
    port.send(bytes(range(256)))
    assert read_port(line) == bytes(range(256))


def test_a_cut_line_joins_terminals_only(line: Line) -> None:
    heard, receive = gather()
    line.attach(receive, never)
    other = line.attach(lambda _: None, never)
    line.is_cut = True
    line.carry(None, b"from the host")
    other.switch(True)
    other.send(b"x")
    assert (bytes(heard), read_port(line)) == (b"x", b"")


def test_an_unplugged_terminal_is_off_the_wires(line: Line) -> None:
    heard, receive = gather()
    port = line.attach(receive, never)
    port.is_plugged = False
    line.carry(None, b"hello")
    port.switch(True)
    port.send(b"hello")
    assert (heard, read_port(line)) == ([], b"")


def test_noise_drops_and_corrupts_the_same_way_for_the_same_seed(clock: Clock) -> None:
    def noisy(seed: int) -> bytes:
        line = Line(clock, seed=seed)
        heard, receive = gather()
        line.attach(receive, never)
        line.drop, line.corrupt = 0.1, 0.1
        line.carry(None, bytes(1000))
        line.close()
        return bytes(heard)

    first = noisy(1)
    assert first == noisy(1) != noisy(2)
    assert 850 < len(first) < 950
    assert 50 < sum(byte != 0 for byte in first) < 150
    assert all(byte.bit_count() <= 1 for byte in first)


def test_a_port_nobody_reads_does_not_stop_the_line(line: Line) -> None:
    port = line.attach(lambda _: None, never)
    port.switch(True)
    for _ in range(100):
        port.send(bytes(1000))
