"""Everything a tale plays with: the demonstration, somebody at each terminal, the books, the water meter."""

import time
from collections.abc import Callable
from pathlib import Path

from host.ledger.reports import yuan
from protocol.tariff import charge_fen
from sim.demo import Demo
from sim.parts.field import Card
from sim.parts.water import PULSES_PER_L
from sim.sample import PEOPLE, SHOWER, TARIFF_FEN_PER_M3, TILL
from sim.visitor import LIMIT_S, Visitor
from tests.stories.books import LedgerReader

STUDENT, POOR, TEACHER = PEOPLE
STUDENT_CARD, POOR_CARD, TEACHER_CARD = 1, 2, 3

RICH_FEN = 100_000
"""What everybody but the poor has at the start of the tales."""

SPEED = 10.0
"""Virtual seconds in a real one, at most: a busy machine makes it slower, not less reliable (sim/clock.py)."""

_LOOK_S = 0.02

_AGAIN_US = 4_000_000
"""A card that comes back within three seconds of its payment is taken for one that was waved twice."""


class Street:
    """A running demonstration, and those in front of it."""

    def __init__(self, data: Path) -> None:
        self.demo = Demo(data, speed=SPEED, web_port=0)
        try:
            self.demo.open()
            self.books = LedgerReader(data)
        except BaseException:
            self.demo.close()
            raise
        self.stall = Visitor(self.demo.boards["shower"])
        self.till = Visitor(self.demo.boards["pos"])
        self._paid_us = -_AGAIN_US
        self.till.board.on_change(self._note_paid)

    def close(self) -> None:
        """End everything."""
        self.books.close()
        self.demo.close()

    def give_money(self) -> None:
        """See that each has what the tales expect."""
        for person in PEOPLE:
            wanted_fen = person.balance_fen if person is POOR else RICH_FEN
            missing_fen = wanted_fen - self.books.available_fen(person.number)
            if missing_fen > 0:
                self.demo.host.command("recharge", person.number, yuan(missing_fen))

    def make_rich(self) -> None:
        """See that nobody runs out of money, however long it goes on."""
        for person in PEOPLE:
            self.demo.host.command("recharge", person.number, yuan(10 * RICH_FEN))

    def come_to_rest(self) -> None:
        """No card on any reader, nothing keyed, both terminals online and waiting for the next person."""
        for board in self.demo.boards.values():
            board.remove_card()
        self.till.press("CLEAR")
        # A first digit sends the last person's summary away, CLEAR the digit.
        self.stall.press("1", "CLEAR")
        self.wait_online()
        self.demo.clock.wait_until(self._paid_us + _AGAIN_US)

    def wait_online(self) -> None:
        """Both terminals wait for a person and are online."""
        for visitor, at_rest, place in ((self.stall, "请插卡", SHOWER), (self.till, "请输入金额", TILL)):
            words = (at_rest, place.name.split()[0])
            visitor.watch(lambda v=visitor, w=words: all(v.shows(word) for word in w) and not v.shows("脱机"), at_rest)

    def key_amount(self, text: str) -> str:
        """Key an amount at the till, and OK; what it then shows."""
        self.till.enter(text, "请刷卡")
        return self.till.read("请刷卡")

    def put(self, place: str, card: int | Card) -> None:
        """Lay a card on a reader: one of the sample's by number, or any other."""
        if isinstance(card, int):
            self.demo.place_card(place, card)
        else:
            self.demo.boards[place].put_card(card)

    def take(self, place: str) -> None:
        """Take away what lies on a reader."""
        self.demo.boards[place].remove_card()

    def wait(self, check: Callable[[], bool], what: str) -> None:
        """Wait for something that is not on a display: in the books, at the host."""
        end_s = time.monotonic() + LIMIT_S
        while not check():
            assert time.monotonic() < end_s, f"not within {LIMIT_S} s: {what}"
            time.sleep(_LOOK_S)

    def _note_paid(self, what: str) -> None:
        if what == "display" and self.till.shows("已付"):
            self._paid_us = self.demo.clock.now_us()


def price_range(litres: float) -> range:
    """What so much water may cost. Half of it went through each meter; each price is rounded down; and a turbine that stood just
    before the end of a pulse when the water began counts that pulse as a whole."""
    pulse_l = 2 / PULSES_PER_L
    least = charge_fen(int((litres - pulse_l) * 1000), TARIFF_FEN_PER_M3) - 2
    return range(least, charge_fen(int((litres + pulse_l) * 1000), TARIFF_FEN_PER_M3) + 1)
