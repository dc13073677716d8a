"""What the master of a line tells: one small value per thing that happened."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protocol.messages import Message


@dataclass(frozen=True, slots=True)
class Received:
    """A message of a terminal, fresh, unaltered and in order.

    `generation` names the session it came in: hand it back to `Master.send`, so that an answer decided
    in one session is never given in the next (docs/protocol.md, section 5, step 5).
    """

    terminal: int
    message: Message
    generation: int


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A terminal answers, and its session stands."""

    terminal: int


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A terminal that was up has been silent for `states.LOST_MS`. Its session is kept: it may only have lost the wire."""

    terminal: int


class Fault(StrEnum):
    """What is wrong with a line. `FAULT_TEXTS` says it in words for the log, the pages have their own."""

    NOISE = "noise"
    SECOND_MASTER = "second_master"
    STRANGER = "stranger"
    MOVED = "moved"
    TWO_BOARDS = "two_boards"
    REFUSED = "handshake_refused"


FAULT_TEXTS = {
    Fault.NOISE: "bytes arrive, but no frame is whole: look at the wiring, the baud rate, the termination",
    Fault.SECOND_MASTER: "another master talks on this line: end it",
    Fault.STRANGER: "a terminal answers at an address that is another's: take it off, or flash it with its identity",
    Fault.MOVED: "one identity answers at two addresses: flash one of the boards anew",
    Fault.TWO_BOARDS: "two boards at one address, or one that starts again and again",
    Fault.REFUSED: "a terminal refuses the handshake",
}


@dataclass(frozen=True, slots=True)
class LineFault:
    """Something on the line that a person must mend. `address`, `terminal`: where and who, 0 if unknown; told once a minute at most."""

    fault: Fault
    address: int = 0
    terminal: int = 0
    detail: str = ""


Event = Received | PeerUp | PeerDown | LineFault
