"""The bus master of one line: whom to poll, what came back, what goes out next. Sans-IO.

One exchange is under way at a time: a frame out, one frame back. Its rules are docs/protocol.md, section 1;
who comes next is `states.RULES`; what a terminal and the host say to each other is its `HostSession`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from host.link.codec import decode_message
from host.link.events import Event, PeerDown, PeerUp, Received
from host.link.peer import Peer
from host.link.states import LOST_MS, ROUND_MAX_MS, ROUND_MIN_MS, State
from host.link.suspicion import Suspicion
from protocol.frame import BadFrame, Codec, Decoder, Frame, encode_frame, is_from_terminal, is_sealed
from protocol.messages import OUT_OF_PLACE, MessageError, Refused, is_in_place, number_of

if TYPE_CHECKING:
    from protocol.messages import Message

TIMEOUT_MS = 20.0
"""How long an answer may take to begin, beside the time of transmission (docs/protocol.md, section 1)."""

FRAME_SIZE_MAX = 256
BITS_PER_BYTE = 10  # 8N1: start, eight, stop


@dataclass(slots=True)
class _Exchange:
    """A frame out, and the wait for its answer."""

    peer: Peer
    data: bytes
    tries_left: int
    is_first: bool
    deadline_ms: float
    last_ms: float
    """Bytes that arrive put the deadline off, but never beyond this."""


class Master:
    """The master of one line.

    `peers`: the terminals configured here. `baud` only reckons how long bytes are on the wire; over TCP
    give a longer `timeout_ms`. Times are monotonic milliseconds and may be fractions.

    The caller: writes what `poll` returns, hands what arrives to `receive`, takes every `next_event`
    after each, and calls `poll` again at `due` or when bytes came. Answers go in by `send` at any time and
    leave before any other poll. Nothing that arrives raises.
    """

    def __init__(self, codec: Codec, peers: Iterable[Peer], *, baud: int = 115_200, timeout_ms: float = TIMEOUT_MS) -> None:
        self._codec = codec
        self._decoder = Decoder(codec)
        self._byte_ms = BITS_PER_BYTE * 1000 / baud
        self._timeout_ms = timeout_ms
        self._by_terminal: dict[int, Peer] = {}
        self._events: deque[Event] = deque()
        self._suspicion = Suspicion(self._by_terminal, self._events.append)
        self._exchange: _Exchange | None = None
        self._urgent: deque[Peer] = deque()
        self._round_ms = ROUND_MIN_MS
        self._was_dead = False
        self.dropped_count = 0
        """Frames of no use: late, from a wrong address, or nobody's answer."""
        for peer in peers:
            self.add(peer)

    @property
    def peers(self) -> list[Peer]:
        """The terminals of this line, in the order they were added."""
        return list(self._by_terminal.values())

    def add(self, peer: Peer) -> None:
        """Take a terminal up; it is polled in its turn."""
        assert peer.terminal not in self._by_terminal
        assert all(peer.address != other.address for other in self._by_terminal.values())
        self._by_terminal[peer.terminal] = peer

    def remove(self, terminal: int) -> None:
        """Leave a terminal out from now on; its session ends without a word."""
        peer = self._by_terminal.pop(terminal)
        if peer in self._urgent:
            self._urgent.remove(peer)
        if self._exchange is not None and self._exchange.peer is peer:
            self._exchange = None

    def suspend(self) -> None:
        """The port is gone: what was under way is lost, and everyone is down. Sessions are kept."""
        self._decoder = Decoder(self._codec)
        self._exchange = None
        for peer in self._by_terminal.values():
            self._tell_down(peer)

    def resume(self, now_ms: float) -> None:
        """The port is there again: poll everyone at once."""
        for peer in self._by_terminal.values():
            peer.next_ms = now_ms

    # What goes out

    def poll(self, now_ms: float) -> bytes | None:
        """Return the bytes to write now, or None: then wait for bytes, or until `due`."""
        if self._exchange is not None:
            if now_ms < self._exchange.deadline_ms:
                return None
            if self._exchange.tries_left:
                return self._repeat(self._exchange, now_ms)
            self._give_up(self._exchange.peer, now_ms)
        peer = self._choose(now_ms)
        if peer is None:
            return None
        if peer.state is State.IDLE:
            self._round_ms = min(max(now_ms - peer.polled_ms, ROUND_MIN_MS), ROUND_MAX_MS)
        self._was_dead = peer.state is State.DEAD
        peer.polled_ms = now_ms
        control, body = peer.session.frame()
        peer.is_answered = False
        data = encode_frame(self._codec, peer.address, control, body)
        self._exchange = _Exchange(peer, data, peer.tries - 1, is_first=True, deadline_ms=now_ms, last_ms=now_ms)
        return self._transmit(self._exchange, now_ms)

    def due(self) -> float:
        """When `poll` next has something to do, bytes or not; infinity on a line without terminals."""
        if self._exchange is not None:
            return self._exchange.deadline_ms
        if self._urgent:
            return 0.0
        return min((peer.next_ms for peer in self._by_terminal.values()), default=float("inf"))

    def send(self, terminal: int, message: Message, generation: int | None = None) -> bool:
        """Give a terminal a message; it leaves before other polls. False if it has no session, or no longer that one."""
        peer = self._by_terminal.get(terminal)
        if peer is None or not peer.session.is_open or generation not in (None, peer.session.generation):
            return False
        peer.put(message)
        self._seal(peer)
        return True

    # What comes in

    def receive(self, data: bytes, now_ms: float) -> None:
        """Take bytes as they arrived; next, take the events and `poll`."""
        if not data:
            return
        self._suspicion.saw_bytes(len(data), now_ms)
        if (exchange := self._exchange) is not None:
            exchange.deadline_ms = max(exchange.deadline_ms, min(now_ms + self._timeout_ms, exchange.last_ms))
        self._decoder.receive(data)
        while (event := self._decoder.next_event()) is not None:
            if not isinstance(event, BadFrame):
                self._sort(event, now_ms)

    def next_event(self) -> Event | None:
        """Return what happened, oldest first, or None."""
        return self._events.popleft() if self._events else None

    def _sort(self, frame: Frame, now_ms: float) -> None:
        exchange = self._exchange
        if not is_from_terminal(frame.control):
            if exchange is None or encode_frame(self._codec, *frame) != exchange.data:
                self._suspicion.saw_foreign_frame(frame.address, now_ms)
            return  # else the echo of our own frame
        self._suspicion.saw_frame()
        if exchange is None or frame.address != exchange.peer.address:
            self._drop(frame, now_ms)
            return
        self._exchange = None
        exchange.peer.is_answered = exchange.is_first
        self._take(exchange.peer, frame, now_ms)

    def _drop(self, frame: Frame, now_ms: float) -> None:
        """Drop a frame nobody waits for: late, or from a terminal that was not asked."""
        self.dropped_count += 1
        for peer in self._by_terminal.values():
            if peer.address == frame.address and peer.is_answered:
                peer.is_answered = False
                self._suspicion.saw_second_answer(peer, now_ms)

    def _take(self, peer: Peer, frame: Frame, now_ms: float) -> None:
        """Handle the answer of the terminal that was asked."""
        if frame.body and not is_sealed(frame.control) and self._suspicion.saw_clear(peer, frame, now_ms):
            peer.said_ms = now_ms
        plain = peer.session.receive(frame)
        peer.renew()
        self._tell_how_it_is(peer, is_shaking_hands=bool(frame.body) and not is_sealed(frame.control), now_ms=now_ms)
        if plain is not None:
            peer.said_ms = now_ms
            self._read(peer, plain)
        self._seal(peer)
        peer.answered(now_ms)
        peer.set_next(self._round_ms)

    def _read(self, peer: Peer, plain: bytes) -> None:
        try:
            message = decode_message(plain)
        except MessageError as error:
            if error.number != number_of(Refused(0, 0)):
                peer.put(Refused(error.number, error.reason))
            return
        if not is_in_place(message, to_host=True, sealed=True):
            peer.put(Refused(number_of(message), OUT_OF_PLACE))
            return
        self._events.append(Received(peer.terminal, message, peer.session.generation))

    # Turns

    def _choose(self, now_ms: float) -> Peer | None:
        """The peer to poll now: one with something to hear, else the one due first; no two dead ones in a row while another is due."""
        if self._urgent:
            return self._urgent.popleft()
        waiting = [peer for peer in self._by_terminal.values() if peer.next_ms <= now_ms]
        if self._was_dead:
            waiting = [peer for peer in waiting if peer.state is not State.DEAD] or waiting
        return min(waiting, key=_turn, default=None)

    def _repeat(self, exchange: _Exchange, now_ms: float) -> bytes:
        exchange.tries_left -= 1
        exchange.is_first = False
        return self._transmit(exchange, now_ms)

    def _transmit(self, exchange: _Exchange, now_ms: float) -> bytes:
        exchange.deadline_ms = now_ms + len(exchange.data) * self._byte_ms + self._timeout_ms
        exchange.last_ms = exchange.deadline_ms + FRAME_SIZE_MAX * self._byte_ms
        return exchange.data

    def _give_up(self, peer: Peer, now_ms: float) -> None:
        self._exchange = None
        peer.was_silent(now_ms)
        peer.set_next(self._round_ms)
        if peer.state is State.DEAD:
            self._tell_down(peer)

    def _tell_how_it_is(self, peer: Peer, *, is_shaking_hands: bool, now_ms: float) -> None:
        """A terminal is up while it goes on with a session. One that only says HELLO may be a board with other keys."""
        if not is_shaking_hands:
            peer.in_session_ms = now_ms
            if peer.session.is_open and not peer.is_up:
                peer.is_up = True
                self._events.append(PeerUp(peer.terminal))
        elif now_ms - peer.in_session_ms >= LOST_MS:
            self._tell_down(peer)

    def _tell_down(self, peer: Peer) -> None:
        if peer.is_up:
            peer.is_up = False
            self._events.append(PeerDown(peer.terminal))

    def _seal(self, peer: Peer) -> None:
        if peer.seal_next() and peer not in self._urgent:
            self._urgent.append(peer)


def _turn(peer: Peer) -> tuple[float, float]:
    return peer.next_ms, peer.polled_ms
