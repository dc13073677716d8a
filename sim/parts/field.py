"""The field in front of one reader's antenna: which cards are within reach, and what is on the air."""

from dataclasses import dataclass
from threading import RLock
from typing import Protocol

from sim.parts.iso14443 import BIT_FC, Frame, Heard, superpose


@dataclass(frozen=True, slots=True)
class Reply:
    """A card's answer: a frame, and how long after the end of the reader's frame it begins."""

    frame: Frame
    delay_fc: int


class Card(Protocol):
    """Anything that may lie in a field. Times are carrier periods and never go back.

    The field calls in with its lock held, so a card needs none of its own.
    """

    def power_on(self, at_fc: int) -> None:
        """Come within reach of a field, or be there when it is switched on."""
        ...

    def power_off(self, at_fc: int) -> None:
        """Lose the field: all but the EEPROM is forgotten, a write under way is torn."""
        ...

    def advance(self, at_fc: int) -> None:
        """Finish what takes time and is due by now."""
        ...

    def receive(self, frame: Frame, at_fc: int) -> Reply | None:
        """Take a frame that ended at `at_fc`; the answer, or None for silence."""
        ...


class Reader(Protocol):
    """The chip at the antenna."""

    def catch_up(self) -> int:
        """Do all that is due by the reader's clock, and give that clock in carrier periods."""
        ...


@dataclass(slots=True)
class _Signal:
    card: Card
    start_fc: int
    frame: Frame


class Field:
    """Cards in reach of one antenna. Any thread may put and remove them, also in the middle of an exchange.

    `put` and `remove` do nothing if the card is there, or gone, already. One card lies in one field at a time.
    `lock` guards the field, its cards and its reader; whoever inspects a card while the reader runs takes it.
    """

    def __init__(self) -> None:
        self.lock = RLock()
        self.is_on = False
        self._cards: list[Card] = []
        self._reader: Reader | None = None
        self._signals: list[_Signal] = []

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards within reach, in the order they came."""
        with self.lock:
            return tuple(self._cards)

    def put(self, card: Card) -> None:
        """Bring a card into reach."""
        with self.lock:
            now_fc = self._now_fc()
            if card not in self._cards:
                self._cards.append(card)
                if self.is_on:
                    card.power_on(now_fc)

    def remove(self, card: Card) -> None:
        """Take a card away; what it was just sending breaks off, what it was just writing is torn."""
        with self.lock:
            now_fc = self._now_fc()
            if card in self._cards:
                self._cards.remove(card)
                self._silence(card, now_fc)
                card.power_off(now_fc)

    # What follows is for the reader alone, which holds the lock.

    def attach(self, reader: Reader) -> None:
        """Make this the field of a reader."""
        assert self._reader is None, "a field has one reader"
        self._reader = reader

    def switch(self, is_on: bool, at_fc: int) -> None:
        """Switch the carrier; cards live by it."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        for card in self._cards:
            if is_on:
                card.power_on(at_fc)
            else:
                self._silence(card, at_fc)
                card.power_off(at_fc)

    def advance(self, at_fc: int) -> None:
        """Let time pass for the cards."""
        for card in self._cards:
            card.advance(at_fc)

    def deliver(self, frame: Frame, at_fc: int) -> None:
        """Hand the cards a frame that ended now; their answers are then on the air."""
        self._signals = []
        if self.is_on:
            for card in self._cards:
                if reply := card.receive(frame, at_fc):
                    self._signals.append(_Signal(card, at_fc + reply.delay_fc, reply.frame))

    def answer_span(self) -> tuple[int, int] | None:
        """When the answer on the air begins and ends; None if there is none."""
        if not self._signals:
            return None
        return (
            min(signal.start_fc for signal in self._signals),
            max(signal.start_fc + signal.frame.duration_fc for signal in self._signals),
        )

    def take_answer(self) -> Heard:
        """Take the answer off the air, all cards in one."""
        signals, self._signals = self._signals, []
        return superpose((signal.start_fc, signal.frame) for signal in signals)

    def _now_fc(self) -> int:
        return self._reader.catch_up() if self._reader else 0

    def _silence(self, card: Card, at_fc: int) -> None:
        """Break off what a card is sending; what it has not begun, or was still writing for, is never heard."""
        for signal in self._signals:
            if signal.card is card:
                signal.frame = signal.frame.cut((at_fc - signal.start_fc) // BIT_FC - 1)
        self._signals = [signal for signal in self._signals if signal.card is not card or signal.frame.length]
