"""Both ends of a session with something to say, over a pretend wire that can lose, alter, repeat, delay and forge."""

from collections.abc import Callable
from random import Random

from host.crypto import HostCrypto
from protocol.frame import PLAIN, BadFrame, Decoder, encode_frame
from protocol.session import HostSession, TerminalSession

ADDRESS, TERMINAL, HOST = 3, 100, 1
LINK_KEY = bytes(range(16))
PATIENCE_POLLS = 60
"""So long the terminal waits for an answer before it starts the session again."""

Fault = Callable[[bytes], list[bytes]]
"""What arrives in place of the bytes sent, in order."""


def clean(wire: bytes) -> list[bytes]:
    """Nothing happens to it."""
    return [wire]


class WatchedCrypto(HostCrypto):
    """The host's crypto, which never lets a key and nonce seal two texts."""

    def __init__(self) -> None:
        self._sealed: dict[tuple[bytes, bytes], bytes] = {}

    def ccm(self, key: bytes):
        """Return the sealer under `key`, watched."""
        ccm = super().ccm(key)
        seal = ccm.seal

        def watched(nonce: bytes, text: bytes, aad: bytes) -> bytes:
            assert self._sealed.setdefault((key, nonce), text) == text, "a counter was used for two texts"
            return seal(nonce, text, aad)

        ccm.seal = watched
        return ccm


class Ends:
    """A master that polls one terminal. Every text ever sent is different, so that one accepted twice shows.

    The terminal says STATE first in each session, then asks, one at a time; the host answers STATE with RESUME
    and an ask with its answer. What is not answered in `PATIENCE_POLLS` restarts the session, as the link must do
    where somebody may forge an acknowledgement; a line that only loses and alters needs no such patience.
    """

    def __init__(self, random: Random, *, is_patient: bool = False):
        self.random = random
        self._is_patient = is_patient  # waits for ever: the sessions must heal by themselves
        self.crypto = WatchedCrypto()
        self.heard: list[bytes] = []  # every wire that was sent, for replaying
        self.late: list[bytes] = []
        self.accepted_by_host: list[bytes] = []
        self.accepted_by_terminal: list[bytes] = []
        self.sent_by_host: list[bytes] = []
        self.sent_by_terminal: list[bytes] = []
        self.firsts: list[bytes] = []  # the first text of each of the host's sessions
        self._count = 0
        self.start_terminal()
        self.start_host()

    def start_terminal(self) -> None:
        """Power the terminal on: its session is gone."""
        self.terminal = TerminalSession(self.crypto, LINK_KEY, TERMINAL, ADDRESS, 1, self.random.randbytes)
        self._terminal_decoder = Decoder(PLAIN)
        self._is_waiting = False
        self._waited_polls = 0
        self.slow_polls = 0  # so many answers it still gives before it has anything to say

    def start_host(self) -> None:
        """Start the host's process: its session is gone."""
        self.host = HostSession(self.crypto, LINK_KEY, TERMINAL, ADDRESS, HOST, self.random.randbytes)
        self._host_decoder = Decoder(PLAIN)
        self._host_outbox: list[bytes] = []
        self._host_generation = 0

    def poll(self, down: Fault = clean, up: Fault = clean) -> None:
        """One turn of the master; the wire does `down` and `up` to the frames of the two directions."""
        if self._host_outbox and self.host.can_send:
            self.sent_by_host.append(self._host_outbox.pop(0))
            self.host.send(self.sent_by_host[-1])
        self.arrive_at_terminal(down(self._wire(*self.host.frame())), up)

    def arrive_at_terminal(self, wires: list[bytes], up: Fault = clean) -> None:
        """Let bytes arrive at the terminal, and its answers at the host."""
        for wire in wires:
            self._terminal_decoder.receive(wire)
            while (event := self._terminal_decoder.next_event()) is not None:
                if isinstance(event, BadFrame):
                    continue
                text = self.terminal.receive(event)
                if text is not None:
                    self.accepted_by_terminal.append(text)
                    self._is_waiting = False
                if self.terminal.concerns(event):
                    self._speak()
                    self.arrive_at_host(up(self._wire(*self.terminal.frame())))

    def arrive_at_host(self, wires: list[bytes]) -> None:
        """Let bytes arrive at the host."""
        for wire in wires:
            self._host_decoder.receive(wire)
            while (event := self._host_decoder.next_event()) is not None:
                if isinstance(event, BadFrame):
                    continue
                text = self.host.receive(event)
                if text is not None:
                    self._host_hears(text)

    def _host_hears(self, text: bytes) -> None:
        self.accepted_by_host.append(text)
        if self.host.generation != self._host_generation:
            self._host_generation = self.host.generation
            self._host_outbox.clear()
            self.firsts.append(text)
        self._host_outbox.append(self._new("resume to " + text.decode()))

    def _speak(self) -> None:
        self._waited_polls = self._waited_polls + 1 if self._is_waiting else 0
        if self._waited_polls > PATIENCE_POLLS and not self._is_patient:
            self.terminal.restart()
            self._waited_polls = 0
        if self.slow_polls:
            self.slow_polls -= 1
        elif self.terminal.can_send and (self.terminal.just_opened or not self._is_waiting):
            self.sent_by_terminal.append(self._new("state" if self.terminal.just_opened else "ask"))
            self.terminal.send(self.sent_by_terminal[-1])
            self._is_waiting = True
            self._waited_polls = 0

    def _wire(self, control: int, body: bytes) -> bytes:
        wire = encode_frame(PLAIN, ADDRESS, control, body)
        self.heard.append(wire)
        return wire

    def _new(self, title: str) -> bytes:
        self._count += 1
        return f"{title} {self._count}".encode()
