"""The wire to the processor, byte by byte."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from sim.clock import Clock
from sim.device import opcodes
from sim.hub import Hub
from sim.parts.rp2040 import Rp2040


def request(opcode: int, unit: int = 0, value: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack("<BBHI", opcode, unit, len(payload), value) + payload


@pytest.fixture
def wire() -> Iterator[tuple[Rp2040, socket.socket]]:
    chip = Rp2040(Clock(0), b"\x01\x02\x03\x04\x05\x06\x07\x08", {}, lambda: None)
    hub = Hub(chip)
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=hub.serve, args=(theirs,))
    thread.start()
    ours.settimeout(5)
    yield chip, ours
    ours.close()
    thread.join(5)
    assert not thread.is_alive()


def test_requests_may_come_in_any_pieces(wire: tuple[Rp2040, socket.socket]) -> None:
    chip, ours = wire
    stream = request(opcodes.PIN_CONFIGURE, 22, 1 | 2 << 16) + request(opcodes.SPI_WRITE, 0, 0, b"abc") + request(opcodes.PIN_WRITE, 22, 1)
    for index in range(len(stream)):
        ours.send(stream[index : index + 1])
    ours.send(request(opcodes.UNIQUE_ID))
    assert ours.recv(100) == chip.unique_id
    assert chip.pins.level(22)


def test_requests_without_an_answer_are_done_in_order(wire: tuple[Rp2040, socket.socket]) -> None:
    chip, ours = wire
    ours.send(b"".join(request(opcodes.PIN_TOGGLE, 5) for _ in range(1001)) + request(opcodes.CAUSE))
    assert ours.recv(100) == struct.pack("<q", 1)
    chip.pins.configure(5, 1, 0, None)
    assert chip.pins.level(5)


def test_the_state_has_time_levels_interrupts_and_waiting_bytes(wire: tuple[Rp2040, socket.socket]) -> None:
    chip, ours = wire
    with chip.clock.lock:
        chip.clock.advance(7000)
        chip.uarts[1].configure(115_200, 10, 256)
        chip.uarts[1].receive(b"abc")
        chip.pins.trigger(3, 8)
        chip.pins.drive(3, True)
    ours.send(request(opcodes.STATE) + request(opcodes.STATE))
    assert struct.unpack("<6q", ours.recv(48, socket.MSG_WAITALL)) == (0, 7000, 0, 1 << 3, 1 << 3, 3 << 16)
    assert struct.unpack("<6q", ours.recv(48, socket.MSG_WAITALL))[4] == 0


def test_idle_ends_with_an_interrupt_although_time_stands_still(wire: tuple[Rp2040, socket.socket]) -> None:
    chip, ours = wire
    ours.send(request(opcodes.IDLE))
    chip.interrupt()
    assert len(ours.recv(48, socket.MSG_WAITALL)) == 48


def test_a_stopped_hub_carries_out_nothing_more() -> None:
    chip = Rp2040(Clock(0), bytes(8), {}, lambda: None)
    hub = Hub(chip)
    chip.on_reset = hub.stop
    ours, theirs = socket.socketpair()
    ours.send(request(opcodes.RESET) + request(opcodes.PIN_CONFIGURE, 22, 1 | 1 << 16) + request(opcodes.STATE))
    ours.shutdown(socket.SHUT_WR)
    hub.serve(theirs)
    theirs.close()
    assert ours.recv(100) == b""
    assert chip.pins.driven(22) is None
