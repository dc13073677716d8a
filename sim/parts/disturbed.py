"""A card whose answers do not arrive as they were sent."""

from collections.abc import Callable

from sim.parts.field import Card, Reply
from sim.parts.iso14443 import Frame


class DisturbedCard:
    """Any card, with `disturb` between it and the reader: it takes each answer and gives what arrives, or None."""

    def __init__(self, card: Card, disturb: Callable[[Frame], Frame | None]) -> None:
        self._card = card
        self._disturb = disturb

    def power_on(self, at_fc: int) -> None:
        """Pass on."""
        self._card.power_on(at_fc)

    def power_off(self, at_fc: int) -> None:
        """Pass on."""
        self._card.power_off(at_fc)

    def advance(self, at_fc: int) -> None:
        """Pass on."""
        self._card.advance(at_fc)

    def receive(self, frame: Frame, at_fc: int) -> Reply | None:
        """Pass on, and disturb the answer."""
        reply = self._card.receive(frame, at_fc)
        heard = self._disturb(reply.frame) if reply else None
        return Reply(heard, reply.delay_fc) if reply and heard else None
