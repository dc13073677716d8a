"""A whole terminal on a stand: its board of real and noted parts, its flash, a small host, and a wire that may lose frames."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware.drivers.beeper import ACCEPTED
from firmware.terminal.actions import NO_ACTIONS, NO_NAME, AskHost, Beep, Mark, OpenValve, Write
from firmware.terminal.events import Answered, Written
from firmware.terminal.settings import InForce
from firmware.terminal.terminal import Terminal
from protocol import shown
from protocol.frame import PLAIN
from protocol.messages import ASK_SALE, ASK_SHOWER
from protocol.record import NONE, NOTHING_SHOWN, OPENED, SALE, SETTLED, Name, Record
from tests.firmware.drivers.rig import ReaderRig
from tests.firmware.terminal.small_host import CRYPTO, IDENTITY, Chance, Host
from tests.firmware.terminal.storage_model import StorageModel


class Stand:
    """A terminal, its flash, a host, and the wire between them.

    `loses(frame_number)`: which frames are lost, both directions counted together.
    """

    def __init__(self, program: str = "pos", host: Host | None = None) -> None:
        self.host = host or Host()
        self.rig = ReaderRig()
        self.journal_files: dict[str, bytes] = {}
        self.resource_files: dict[str, bytes] = {}
        self.loses: Callable[[int], bool] = lambda number: False
        self._frame_count = 0
        self._program = program
        self.boot()

    def boot(self, cut_at: int = 0, torn_percent: int = 0) -> None:
        """Power on, with what the flash has. `cut_at`: the write of the journal's folder that the power goes in."""
        self.board = FakeBoard(self.rig, is_shower=self._program == "shower")
        self.journal_storage = StorageModel(self.journal_files, cut_at, torn_percent)
        self.terminal = Terminal(
            self.board,
            IDENTITY,
            program=self._program,
            make_program=Puppet,
            codec=PLAIN,
            crypto=CRYPTO,
            journal_storage=self.journal_storage,
            resource_storage=StorageModel(self.resource_files),
        )
        self.program: Puppet = self.terminal.program

    def step(self, ms: int = 5) -> None:
        """The host polls once, the terminal does one pass, time goes on."""
        frame = self.host.poll()
        if not self._is_lost():
            self.board.received += frame
        self.pass_time(ms)
        for answer in self.board.transmitted:
            if not self._is_lost():
                self.host.receive(answer)
        self.board.transmitted.clear()

    def pass_time(self, ms: int = 5) -> None:
        """Let the terminal run without the host: a pass every 10 ms, or one."""
        while ms > 0:
            self.terminal.poll()
            self.rig.clock.advance(min(ms, 10) * 1000)
            ms -= 10

    def be_busy(self, ms: int) -> None:
        """Let time pass in which the terminal does something else, such as erasing flash."""
        self.rig.clock.advance(ms * 1000)

    def run(self, count: int = 40) -> None:
        for _ in range(count):
            self.step()

    def run_until(self, is_done: Callable[[], object], limit: int = 2_000) -> None:
        """Step until something is so; how long it may take is bounded in steps, not in time."""
        for _ in range(limit):
            if is_done():
                return
            self.step()
        raise AssertionError("it never came about")

    def come_up(self) -> "Stand":
        """Run until the link is up and all is delivered."""
        self.run_until(lambda: self.terminal.in_force.link_is_up)
        self.run()
        return self

    def kinds(self) -> list[int]:
        """The kinds of all records the host has taken, no name having had two contents."""
        assert not self.host.conflicts
        return [one.kind for one in self.host.records]

    def _is_lost(self) -> bool:
        self._frame_count += 1
        return self.loses(self._frame_count)


class Puppet:
    """A program that does as the test says and remembers what it was told.

    `events`: all of them; `on`: event type to what it does about one; `wants`: actions for the next poll.
    """

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        self.events: list[Any] = []
        self.on: dict[type, Callable[[Any], tuple[Any, ...]]] = {}
        self.wants: tuple[Any, ...] = NO_ACTIONS
        self.meters: tuple[int, int] = (0, 0)

    def handle(self, event: Any, now_ms: int) -> tuple[Any, ...]:
        self.events.append(event)
        return self.on[type(event)](event) if type(event) in self.on else NO_ACTIONS

    def poll(self, now_ms: int) -> tuple[Any, ...]:
        wants, self.wants = self.wants, NO_ACTIONS
        return wants

    def meter(self, cold_ml: int, hot_ml: int, now_ms: int) -> tuple[Any, ...]:
        self.meters = (cold_ml, hot_ml)
        return NO_ACTIONS

    def lines(self, now_ms: int) -> tuple[bytes, ...]:
        return (b"1", b"2", b"3", b"4")

    def resume(self, opened: Record, mark: Mark) -> Write:
        about = shown.pack_settled(cold_ml=mark.cold_ml, hot_ml=mark.hot_ml, seconds=mark.seconds, cause=shown.CAUSE_BOOT)
        used = mark.cold_ml + mark.hot_ml
        return Write(SETTLED, opened.subject_kind, opened.subject, mark.name, mark.fen, used, 0, 0, about, False)

    def told(self, kind: type) -> list[Any]:
        """The events of one type, in order."""
        return [event for event in self.events if isinstance(event, kind)]


@dataclass
class FakeMeter:
    """What the terminal uses of a FlowMeter."""

    pulses_per_l: int = 1
    ml: int = 0

    def poll(self) -> int:
        return self.ml


class FakeBoard:
    """The attributes of firmware/boards/board.py, Board: a real reader driver on a simulated chip, and notes for the rest."""

    def __init__(self, rig: ReaderRig, *, is_shower: bool) -> None:
        self.rig = rig
        self.log: list[Any] = []
        self.keys: list[str] = []
        self.received = b""
        self.transmitted: list[bytes] = []
        self.reader = rig.reader
        self.ticks_ms = rig.ticks_ms
        self.random = Chance(7)
        self.meter_cold = FakeMeter() if is_shower else None
        self.meter_hot = FakeMeter() if is_shower else None
        self.valve = self.display = self.keypad = self.beeper = self.line = self.watchdog = self
        self.is_open = False
        self.is_stuck = False  # a key

    # The valve, and the beeper.

    def open(self) -> None:
        self.is_open = True
        self.log.append("open")

    def shut(self) -> None:
        self.is_open = False
        self.log.append("shut")

    def beep(self, pattern: Any) -> None:
        self.log.append(pattern)

    # The display.

    def show(self, lines: tuple[bytes, ...]) -> None:
        self.lines = lines

    # Keypad, beeper and display share `poll`; only the keypad's answer is looked at.

    def poll(self, now_ms: int) -> str | None:
        return self.keys.pop(0) if self.keys else None

    # The line.

    def receive(self) -> bytes:
        data, self.received = self.received[:64], self.received[64:]
        return data

    def transmit(self, data: bytes) -> None:
        self.transmitted.append(data)

    # The rest.

    def feed(self) -> None:
        self.log.append("feed")

    def reset_cause(self) -> int:
        return 1


# What programs do.


def ask_for_sale(amount_fen: int = 1250, subject: int = 7) -> AskHost:
    return AskHost(ASK_SALE, 1, subject, amount_fen, 0, b"", b"", NO_NAME)


def write_sale(amount_fen: int = 1250, subject: int = 7) -> Write:
    return Write(SALE, 1, subject, NONE, amount_fen, 0, 0, 0, NOTHING_SHOWN, False)


def sell_when_granted(stand: Stand) -> None:
    """Let the program do what a till does: write the sale on approval, beep when it is durable."""

    def on_answer(event: Any) -> tuple[Any, ...]:
        return (write_sale(event.answer.held_fen),) if event.answer.code == 0 else ()

    def on_written(event: Any) -> tuple[Any, ...]:
        return (Beep(ACCEPTED),) if event.kind == SALE else ()

    stand.program.on = {Answered: on_answer, Written: on_written}


def sell(stand: Stand, amount_fen: int = 1250) -> None:
    sell_when_granted(stand)
    stand.program.wants = (ask_for_sale(amount_fen),)


def open_shower(stand: Stand) -> Name:
    """Ask for a shower, open it, let water flow; the name of `opened`."""

    def on_answer(event: Any) -> tuple[Any, ...]:
        if event.answer.kind != ASK_SHOWER:
            return ()
        return (Write(OPENED, 1, 7, NONE, event.answer.held_fen, 0, 0, 0, NOTHING_SHOWN, False), OpenValve())

    stand.program.on = {Answered: on_answer}
    stand.program.wants = (AskHost(ASK_SHOWER, 1, 7, 300, 0, b"", b"", NO_NAME),)
    stand.run_until(lambda: stand.board.is_open)
    stand.program.on = {}
    return stand.program.told(Written)[-1].name


def settle(name: Name, fen: int) -> Write:
    about = shown.pack_settled(cold_ml=0, hot_ml=0, seconds=0, cause=shown.CAUSE_ENDED)
    return Write(SETTLED, 1, 7, name, fen, 0, 0, 0, about, False)
