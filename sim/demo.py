"""The demonstration: one host, one line, a shower and a till, each a real MicroPython with the shipped firmware.

var/demo/            the host's data folder, set up by its own commands
var/demo/cards/      the cards, 1,024 bytes each
var/demo/boards/     flash images and logs of the terminals
var/demo/line        the serial port as the host opens it (a link to a pseudo-terminal)
"""

import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from host.errors import EXIT_BUSY, OnecardError
from host.flash import board_tree
from host.ledger.reports import yuan
from host.processes import OnlyOne
from sim.board import Board
from sim.books_feed import BooksFeed, Moved
from sim.card_box import open_card
from sim.clock import Clock
from sim.host_process import HostProcess
from sim.image import write_image
from sim.parts.line import Line
from sim.parts.mifare import MifareClassic
from sim.sample import PEOPLE, PLACES, TARIFF_FEN_PER_M3, Place
from sim.terminal import find_micropython

FIRST_TERMINAL = 100
MOVEMENT_COUNT = 50
"""The newest, on the live page."""

LOCK_NAME = "demo.lock"
_READY_NAME = "ready"
"""Written last by the first start: without it everything is set up again."""

SETTINGS = """\
# The demonstration's own settings; `onecard init` elsewhere writes a file with every setting in it.
[site]
name = "示范校园"

[[line]]
url = {line}

[tariff]                       # dear enough to see
cold_fen_per_m3 = {tariff}
hot_fen_per_m3 = {tariff}
"""


class DemoRunning(OnecardError):
    """Another demonstration runs on this folder; the message names its process."""

    exit_code = EXIT_BUSY


class Demo:
    """Everything that runs. `open` starts it, `close` ends it, whatever happened between.

    `data`: the folder; `speed`: virtual seconds in a real one, at most (sim/clock.py); `web_port`: of the host, None as its settings
    say; `ledger`: postgresql://... of an empty database, "" for a file; `say`: told each step of a long start. `line`: the wires;
    `boards` by program ("shower", "pos"), `cards` by number; `books`: the movements. It is also the `Bench` of the live page.
    """

    def __init__(
        self,
        data: Path,
        *,
        speed: float = 1.0,
        web_port: int | None = None,
        ledger: str = "",
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data = data
        self._ledger = ledger
        self.clock = Clock(speed)
        self.host = HostProcess(data, {} if web_port is None else {"ONECARD_WEB__PORT": str(web_port)})
        self.books = BooksFeed(self.host)
        self.line = Line(self.clock)
        self.boards: dict[str, Board] = {}
        self.cards: dict[int, MifareClassic] = {}
        self._say = say
        self._closing = ExitStack()
        self._closing.callback(self.clock.close)
        self._closing.callback(self.line.close)

    def open(self, *, fresh: bool = False) -> None:
        """Set up what is not there yet, flash the boards, start host and terminals. `fresh`: forget all that was.

        Raises `DemoRunning`, `HostFailed`, `MicroPythonMissing`, and what flashing raises.
        """
        find_micropython()
        self._lock()
        if fresh:
            self._forget()
        self._set_up_site()
        self._write_settings()
        # Closed in the other order: the feed's stream ends with the host.
        self._closing.callback(self.books.stop)
        self._closing.callback(self.host.stop)
        self.host.start()
        self.books.start()
        for number, person in enumerate(PEOPLE, 1):
            self.cards[number] = open_card(self._card_path(number), bytes.fromhex(person.uid))
        for index, place in enumerate(PLACES):
            board = self._make_board(place, FIRST_TERMINAL + index)
            self._closing.callback(board.close)
            self.boards[place.program] = board
        for board in self.boards.values():
            board.power_on()

    def close(self) -> None:
        """End every process and thread that `open` started, and let the next demonstration start."""
        self._closing.close()

    # What the live page shows and drives (sim/workbench/app.py, Bench).

    def board_states(self) -> list[dict[str, Any]]:
        """See `Bench`."""
        return [self._board_state(place, self.boards[place.program]) for place in PLACES if place.program in self.boards]

    def movements(self) -> list[dict[str, str]]:
        """See `Bench`."""
        return [_movement(moved) for moved in self.books.movements()[-MOVEMENT_COUNT:]]

    def press(self, board: str, key: str) -> None:
        """See `Bench`."""
        self.boards[board].type_key(key)

    def place_card(self, board: str, number: int) -> None:
        """See `Bench`."""
        target = self.boards[board]
        card = self.cards[number] if number else None
        if card is not None:
            for other in self.boards.values():
                other.remove_card(card)
        target.remove_card()
        if card is not None:
            target.put_card(card)

    def toggle_power(self, board: str) -> None:
        """See `Bench`."""
        target = self.boards[board]
        if target.is_powered:
            target.cut_power()
        else:
            target.power_on()

    def _board_state(self, place: Place, board: Board) -> dict[str, Any]:
        lying = board.field.cards
        last_beep = board.beeps[-1:]
        return {
            "name": place.program,
            "title": place.name,
            "lines": board.display.text(),
            "powered": board.is_powered,
            "valve": board.valve_open if place.program == "shower" else None,
            "litres": f"{board.litres:.1f}",
            "beep": f"{last_beep[0].duration_ms} ms" if last_beep else "",
            "card": next((number for number, card in self.cards.items() if card in lying), 0),
            "cards": [{"number": number, "holder": person.name} for number, person in enumerate(PEOPLE, 1)],
        }

    # The first start, and what every start needs.

    def _lock(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        only_one = OnlyOne(self.data / LOCK_NAME)
        if (other := only_one.take()) is not None:
            raise DemoRunning(
                f"演示已在运行 a demonstration runs on {self.data} already, process {other}: end it first, or give another --data"
            )
        self._closing.callback(only_one.release)

    def _forget(self) -> None:
        """Remove cards, journals and books; the lock stays."""
        for path in self.data.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != LOCK_NAME:
                path.unlink()

    def _set_up_site(self) -> None:
        if (self.data / _READY_NAME).exists():
            return
        self._say("第一次启动：建站点、开户、发卡、装终端 … first start: setting up the site")
        self._forget()
        (self.data / "cards").mkdir()
        (self.data / "boards").mkdir()
        command = self.host.command
        command("init", *(("--ledger", self._ledger) if self._ledger else ()))
        for number, person in enumerate(PEOPLE, 1):
            command("holder", "add", person.number, person.name, "--class", person.holder_class)
            command("card", "add", person.number, "--uid", person.uid)
            command("card", "encode", str(number), "--image", str(self._card_path(number)))
        for index, place in enumerate(PLACES):
            number = str(FIRST_TERMINAL + index)
            command(
                "terminal", "add", number, "--kind", place.program, "--place", place.name, "--line", "1", "--address", str(place.address)
            )
            command("terminal", "identity", number, "--out", str(self._identity_path(place)))
        (self.data / _READY_NAME).touch()

    def _write_settings(self) -> None:
        """Each time: the folder may have been moved, and a pseudo-terminal has another name each time."""
        link = self.data / "line"
        link.unlink(missing_ok=True)
        link.symlink_to(self.line.path)
        text = SETTINGS.format(line=json.dumps(str(link)), tariff=TARIFF_FEN_PER_M3)
        text += f"\n[ledger]\nurl = {json.dumps(self._ledger)}\n" if self._ledger else ""
        (self.data / "onecard.toml").write_text(text, encoding="utf-8")

    def _make_board(self, place: Place, number: int) -> Board:
        image = self.data / "boards" / f"{place.program}.flash"
        written = write_image(image, {**board_tree(place.program), "/identity": self._identity_path(place).read_bytes()})
        if written:
            self._say(f"{place.name}：写入 {written} 个文件 flashed")
        log = self.data / "boards" / f"{place.program}.log"
        return Board(f"terminal {number}", self.clock, self.line, image, log, seed=number)

    def _card_path(self, number: int) -> Path:
        return self.data / "cards" / f"{number:08d}.card"

    def _identity_path(self, place: Place) -> Path:
        return self.data / "boards" / f"{place.program}.identity"


def _movement(moved: Moved) -> dict[str, str]:
    return {"record": f"{moved.kind} {moved.record}", "from": moved.payer, "to": moved.payee, "yuan": yuan(moved.amount_fen)}
