"""What frames on a line give away about the wiring: strangers, twins, a second master, noise.

The master shows it what arrives; it answers with a `LineFault` when a person should look. Nothing here
changes what the master does: a stranger gets no session anyway, since its key does not fit.
"""

from collections import deque
from collections.abc import Callable, Mapping

from host.link.codec import decode_message
from host.link.events import Fault, LineFault
from host.link.peer import Peer
from protocol.frame import Frame
from protocol.messages import Hello, MessageError, Refused

NOISE_BYTES = 4096
"""So many bytes without one frame of a terminal are a fault: sixteen of the longest frames."""

TWIN_COUNT = 4
TWIN_WINDOW_MS = 20_000
"""More than four signs of a second board at one address in 20 s: a board that starts again takes longer to come up."""

TOLD_COUNT = 256
"""Faults remembered as told: strangers with ever new numbers must not fill the memory."""

REPEAT_MS = 60_000
"""The same fault is not told again within a minute."""


class Suspicion:
    """The watch over one line. `tell` takes each fault; `by_terminal` are the peers configured here."""

    def __init__(self, by_terminal: Mapping[int, Peer], tell: Callable[[LineFault], None]) -> None:
        self._by_terminal = by_terminal
        self._tell = tell
        self._told_ms: dict[tuple[Fault, int, int], float] = {}
        self._noise_size = 0
        self._challenge: dict[int, bytes] = {}
        self._twin_ms: dict[int, deque[float]] = {}

    def saw_bytes(self, size: int, now_ms: float) -> None:
        """Count bytes; `saw_frame` forgives them."""
        self._noise_size += size
        if self._noise_size >= NOISE_BYTES:
            self._noise_size = 0
            self._report(LineFault(Fault.NOISE), now_ms)

    def saw_frame(self) -> None:
        """Note a whole frame of a terminal."""
        self._noise_size = 0

    def saw_foreign_frame(self, address: int, now_ms: float) -> None:
        """Note a frame from a host that is not ours."""
        self._report(LineFault(Fault.SECOND_MASTER, address), now_ms)

    def saw_second_answer(self, peer: Peer, now_ms: float) -> None:
        """Note a frame of a terminal that had answered already, and was asked once."""
        self._saw_twin(peer, now_ms)

    def saw_clear(self, peer: Peer, frame: Frame, now_ms: float) -> bool:
        """Look into a clear body that came from the peer's address. True: a handshake begins, go on with it at once."""
        try:
            message = decode_message(frame.body)
        except MessageError:
            return False
        if isinstance(message, Hello):
            return self._saw_hello(peer, message, now_ms)
        if isinstance(message, Refused):
            detail = f"message {message.number}, reason {message.reason}"
            self._report(LineFault(Fault.REFUSED, peer.address, peer.terminal, detail), now_ms)
        return False

    def _saw_hello(self, peer: Peer, hello: Hello, now_ms: float) -> bool:
        if hello.terminal != peer.terminal:
            fault = Fault.MOVED if hello.terminal in self._by_terminal else Fault.STRANGER
            self._report(LineFault(fault, peer.address, hello.terminal, f"expected terminal {peer.terminal}"), now_ms)
            return False
        if self._challenge.get(peer.address) == hello.challenge:
            return False
        self._challenge[peer.address] = hello.challenge
        self._saw_twin(peer, now_ms)
        return True

    def _saw_twin(self, peer: Peer, now_ms: float) -> None:
        signs = self._twin_ms.setdefault(peer.address, deque(maxlen=TWIN_COUNT + 1))
        signs.append(now_ms)
        if len(signs) > TWIN_COUNT and now_ms - signs[0] < TWIN_WINDOW_MS:
            self._report(LineFault(Fault.TWO_BOARDS, peer.address, peer.terminal), now_ms)

    def _report(self, fault: LineFault, now_ms: float) -> None:
        key = (fault.fault, fault.address, fault.terminal)
        if now_ms - self._told_ms.get(key, float("-inf")) < REPEAT_MS:
            return
        if len(self._told_ms) >= TOLD_COUNT:
            self._told_ms.clear()
        self._told_ms[key] = now_ms
        self._tell(fault)
