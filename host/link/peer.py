"""One terminal as the master of its line sees it: its session, what waits for it, when it is polled next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from host.link.codec import encode_message
from host.link.states import BUSY_MS, ROUND_MIN_MS, RULES, State, after_answer, after_silence
from protocol.messages import Offer
from protocol.session import HostSession

if TYPE_CHECKING:
    from protocol.messages import Message

OUTBOX_COUNT = 32
"""Messages that may wait for one terminal: an answer, a RESUME, and an offer of each resource, several times over."""


class Peer:
    """A terminal at an address of the line.

    `terminal` and `address` as configured; whatever else answers there is reported, never served.
    The session owns keys, counters and repeats; the peer owns turns and the messages not yet sealed.
    Times are monotonic milliseconds.
    """

    def __init__(self, terminal: int, address: int, session: HostSession) -> None:
        self.terminal = terminal
        self.address = address
        self.session = session
        self.state = State.DEAD
        self.next_ms = 0.0
        """When it wants to be polled next."""
        self.polled_ms = 0.0
        self.heard_ms = float("-inf")
        self.said_ms = float("-inf")
        """When a message last went either way: what makes it busy."""
        self.in_session_ms = float("-inf")
        """When it last answered with anything but a handshake."""
        self.is_answered = False
        """Asked once, and answered: a second answer must be another board's."""
        self.is_up = False
        """Answers, and its session stands."""
        self.dropped_count = 0
        """Messages that found the outbox full: the oldest goes, and its asker asks again."""
        self._outbox: deque[Message] = deque()
        self._generation = session.generation

    @property
    def tries(self) -> int:
        """How often the same bytes go out in one turn."""
        return RULES[self.state].tries

    @property
    def has_unsent(self) -> bool:
        """Whether a message waits, sealed or not, that the terminal has not acknowledged."""
        return bool(self._outbox) or (self.session.is_open and not self.session.can_send)

    def put(self, message: Message) -> None:
        """Queue a message; a newer offer of a resource takes the place of the older one."""
        if isinstance(message, Offer):
            same = [old for old in self._outbox if isinstance(old, Offer) and old.resource == message.resource]
            for old in same:
                self._outbox.remove(old)
        if len(self._outbox) >= OUTBOX_COUNT:
            self._outbox.popleft()
            self.dropped_count += 1
        self._outbox.append(message)

    def seal_next(self) -> bool:
        """Seal the oldest waiting message if the session can take one; True if it did."""
        if not self._outbox or not self.session.can_send:
            return False
        self.session.send(encode_message(self._outbox.popleft()))
        return True

    def renew(self) -> None:
        """Forget what waited, if a new session stands: it belonged to the old one, and a terminal asks again."""
        if self.session.generation != self._generation:
            self._generation = self.session.generation
            self._outbox.clear()

    def answered(self, now_ms: float) -> None:
        """Note an answer, and what it makes of the state."""
        self.heard_ms = now_ms
        self.state = after_answer(is_talking=now_ms - self.said_ms < BUSY_MS or self.has_unsent)

    def was_silent(self, now_ms: float) -> None:
        """Note a turn without an answer."""
        self.state = after_silence(self.state, silent_ms=now_ms - self.heard_ms)

    def set_next(self, round_ms: float) -> None:
        """Fix the next poll, counted from the last. Only the silent wait for whole rounds; the others make the rounds."""
        turns = RULES[self.state].turns
        self.next_ms = self.polled_ms + turns * (round_ms if turns > 1 else ROUND_MIN_MS)
