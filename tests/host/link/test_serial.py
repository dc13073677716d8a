"""The thread of a line over a pseudo-terminal, with pyserial and a ledger as they are."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
import structlog

from host import holders
from host.fleet import Fleet
from host.link.port import Cause, Obstacle, Port, PortLost, open_port
from host.link.roster import Roster
from host.link.serial import LineThread
from host.settings import Line
from host.writer import Writer
from protocol.messages import Answer, Offer
from protocol.record import NO_TAC, NONE, NOTHING_SHOWN, SALE, TRUST_SET, Record, encode
from tests.host.link.site import STUDENT, TILL, Site, make_site
from tests.host.link.wire import PretendTerminal

LIMIT_S = 10.0


def until(condition: Callable[[], bool], meanwhile: Callable[[float], object]) -> None:
    """Do `meanwhile` (which waits up to the seconds it is given) until the condition holds; fails after `LIMIT_S`."""
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        meanwhile(0.02)


@dataclass
class PtyLine:
    """A line thread on a pseudo-terminal, and the till at its other end."""

    site: Site
    thread: LineThread
    fleet: Fleet
    till: PretendTerminal
    master_fd: int

    def pump(self, wait_s: float) -> None:
        """Let the till hear what is there, and answer."""
        if select.select([self.master_fd], [], [], wait_s)[0]:
            for answer in self.till.hear(os.read(self.master_fd, 4096), 0):
                os.write(self.master_fd, answer)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[PtyLine]:
    site = make_site(tmp_path / "data")
    writer = Writer(site.ledger)
    fleet = Fleet()
    master_fd, slave_fd = os.openpty()
    path = tmp_path / "line"
    path.symlink_to(os.ttyname(slave_fd))
    roster = Roster(writer, 1, keys=site.keys, host=1)
    log = structlog.get_logger()
    thread = LineThread(1, Line(str(path)), roster=roster, writer=writer, fleet=fleet, clock=lambda: int(time.time()), log=log)
    till = PretendTerminal(TILL, 1, Random(1), key=site.keys.link_key(TILL, 1))
    till.epoch, till.card = 0, site.card
    thread.start()
    yield PtyLine(site, thread, fleet, till, master_fd)
    thread.stop()
    thread.join(2)
    assert not thread.is_alive()
    writer.close()
    site.ledger.close()
    os.close(slave_fd)
    os.close(master_fd)


def sale(line: PtyLine) -> bytes:
    record = Record(
        SALE, TILL, line.till.epoch, 1, 1, TRUST_SET, 1, line.site.card, False, False, NONE, 1250, 0, 0, 0, NOTHING_SHOWN, 0, 0, NO_TAC
    )
    return encode(record, line.site.keys.record_cmac(TILL, 1))


def test_a_sale_goes_from_the_wire_into_the_books_and_back(line: PtyLine) -> None:
    until(lambda: line.till.epoch == 1, line.pump)
    line.till.ask(1, 0)
    until(lambda: 1 in line.till.approved_ms, line.pump)
    answer = next(message for message in line.till.heard if isinstance(message, Answer))
    assert (answer.code, answer.held_fen, answer.account_fen) == (0, 1250, 18_750)
    line.till.journal.append(sale(line))
    until(lambda: line.till.high_water == 1, line.pump)
    assert holders.balance(line.site.ledger, STUDENT).account_fen == 18_750
    assert [message.resource for message in line.till.heard if isinstance(message, Offer)] == [2, 1]
    assert line.fleet.terminals()[TILL].is_up
    assert line.fleet.lines()[0].is_open


def test_the_line_opens_when_its_adapter_comes_and_says_why_it_does_not(line: PtyLine, tmp_path: Path) -> None:
    site, absent = line.site, tmp_path / "absent"
    fleet, writer = Fleet(), Writer(site.ledger)
    thread = LineThread(
        2,
        Line(str(absent)),
        roster=Roster(writer, 2, keys=site.keys, host=1),
        writer=writer,
        fleet=fleet,
        clock=lambda: 0,
        log=structlog.get_logger(),
    )
    thread.start()
    until(lambda: bool(fleet.lines()), time.sleep)
    assert fleet.lines()[0].problem == Cause.ABSENT
    master_fd, slave_fd = os.openpty()
    absent.symlink_to(os.ttyname(slave_fd))
    until(lambda: fleet.lines()[0].is_open, time.sleep)
    os.close(slave_fd)
    os.close(master_fd)
    absent.unlink()
    until(lambda: not fleet.lines()[0].is_open, time.sleep)
    assert fleet.lines()[0].problem in (Cause.LOST, Cause.ABSENT)
    thread.stop()
    thread.join(2)
    assert not thread.is_alive()
    writer.close()


def test_a_port_that_another_program_has_names_it() -> None:
    master_fd, slave_fd = os.openpty()
    path = os.ttyname(slave_fd)
    program = f"import serial, sys; port = serial.Serial({path!r}, exclusive=True); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        obstacle = open_port(path, 115_200)
        other.communicate()
    assert isinstance(obstacle, Obstacle)
    assert obstacle.cause is Cause.BUSY
    assert obstacle.holder.startswith(f"{other.pid} (")
    os.close(slave_fd)
    os.close(master_fd)


@pytest.mark.parametrize(
    ("url", "baud", "cause"),
    [
        ("/dev/onecard-nowhere", 115_200, Cause.ABSENT),
        ("ftp://here", 115_200, Cause.WRONG),
        ("socket://127.0.0.1:1", 115_200, Cause.ABSENT),
    ],
)
def test_a_port_that_cannot_be_opened_has_a_named_cause(url: str, baud: int, cause: Cause) -> None:
    obstacle = open_port(url, baud)
    assert isinstance(obstacle, Obstacle)
    assert obstacle.cause is cause


def test_a_port_that_goes_away_is_lost_and_not_an_error_of_ours() -> None:
    master_fd, slave_fd = os.openpty()
    port = open_port(os.ttyname(slave_fd), 115_200)
    assert isinstance(port, Port)
    os.close(slave_fd)
    os.close(master_fd)
    with pytest.raises(PortLost):
        port.read(100)
    port.close()
    port.wake()


def test_a_waiting_read_is_woken_and_a_loop_comes_back() -> None:
    master_fd, slave_fd = os.openpty()
    port = open_port(os.ttyname(slave_fd), 115_200)
    assert isinstance(port, Port)
    port.wake()
    assert port.read(60_000) == b""
    os.write(master_fd, b"abc")
    assert port.read(60_000) == b"abc"
    port.close()
    os.close(slave_fd)
    os.close(master_fd)


def test_a_port_without_a_descriptor_works_too() -> None:
    port = open_port("loop://", 115_200)
    assert isinstance(port, Port)
    port.write(b"abc\0")
    assert port.read(10) == b"abc\0"
    assert port.read(10) == b""
    port.close()
