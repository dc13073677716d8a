"""Sessions, both ends: the handshake around a `Seal` (docs/protocol.md, sections 4 and 5).

Sans-IO. Each frame from the line goes to `receive`; whenever it is this end's turn, `frame` says what
to send: the terminal's turn is after each frame that `concerns` it, the host's is when its master polls.
A frame that proves nothing changes nothing here, but the counts of bad frames and the clear answer
that is due (HELLO, WELCOME, REFUSED); in particular a HELLO or WELCOME heard again resets no counter.
"""

from . import handshake, messages
from .compat import const
from .frame import FROM_TERMINAL, SEALED
from .seal import Seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from .crypto import Suite
    from .frame import Frame

_UNOPENED_MAX = const(8)  # so many frames in a row that are not of our session: it is lost
_TRIES_MAX = const(41)  # our own frame, sent once and repeated 40 times, stays unacknowledged: likewise


class TerminalSession:
    """The terminal's end.

    After `receive` has accepted a WELCOME, `just_opened` is true until the first `send`, which must be STATE:
    approvals not yet used are void from then on. What was under way in the session before is gone; ask again.

    An acknowledgement says that a frame arrived, not that it was obeyed, and it can be forged: whoever waits for an
    answer that does not come must end that wait by `restart`, after a time of its own choosing.

    `random(n)` returns n random bytes. `refused`: the reason of the last clear REFUSED, 0 if none; only for display.
    Counts, for logs: `dropped` (frames that proved nothing), `repeated` (heard before), `generation` (sessions opened).
    """

    def __init__(
        self,
        crypto: "Suite",
        link_key: bytes,
        terminal: int,
        address: int,
        key_version: int,
        random: "Callable[[int], bytes]",
    ):
        self._crypto = crypto
        self._link_key = link_key
        self._terminal = terminal
        self._address = address
        self._key_version = key_version
        self._random = random
        self._seal: Seal | None = None
        self._hello = b""  # the HELLO to send, unchanged until a session stands; none in an open one
        self._challenge = b""  # and the challenge in it
        self._unopened_count = 0
        self._welcome = b""  # the WELCOME that opened the session: heard again, it is a repeat
        self.just_opened = False
        self.refused = 0
        self.dropped = 0
        self.repeated = 0
        self.generation = 0
        self.restart()

    @property
    def is_open(self) -> bool:
        """Whether a session stands and no new handshake is under way."""
        return self._seal is not None and not self._hello

    @property
    def can_send(self) -> bool:
        """Whether `send` may be called: a session is open and nothing in it unacknowledged."""
        return self._seal is not None and not self._hello and self._seal.can_send

    def concerns(self, frame: "Frame") -> bool:
        """Tell whether the host sent this frame to us: `receive` it, then answer with `frame`."""
        return frame.address == self._address and not frame.control & FROM_TERMINAL

    def restart(self) -> None:
        """Begin a handshake with a fresh challenge; the old session is kept until the new one stands."""
        if not self._hello:
            self._challenge = self._random(handshake.CHALLENGE_SIZE)
            self._hello = messages.encode(
                messages.Hello(
                    messages.VERSION_LOWEST,
                    messages.VERSION_HIGHEST,
                    self._terminal,
                    self._key_version,
                    self._challenge,
                )
            )

    def send(self, plain: bytes) -> None:
        """Seal a message of 1 to 242 bytes, to be repeated until acknowledged; only if `can_send`."""
        seal = self._seal
        assert seal is not None
        assert not self._hello
        seal.send(plain)
        self.just_opened = False

    def frame(self) -> "tuple[int, bytes]":
        """Return control and body of the frame to send now; call it once for each frame sent."""
        seal = self._seal
        if seal is None or self._hello or seal.tries >= _TRIES_MAX or self._unopened_count >= _UNOPENED_MAX or seal.is_spent:
            self.restart()
            return FROM_TERMINAL, self._hello
        return seal.frame()

    def receive(self, frame: "Frame") -> "bytes | None":
        """Take a frame off the line; return the text of a sealed message never seen before, else None."""
        if not self.concerns(frame):
            return None
        _, control, body = frame
        if control & SEALED:
            return self._receive_sealed(control, body)
        if body:
            self._receive_clear(body)
        elif self._seal is not None:
            self._seal.acknowledge(control)
        return None

    def _receive_sealed(self, control: int, body: bytes) -> "bytes | None":
        plain = None if self._seal is None else self._seal.receive(control, body)
        if plain:
            self._unopened_count = 0
            return plain
        if plain is None:
            self._drop()
        else:
            self.repeated += 1
        return None

    def _receive_clear(self, body: bytes) -> None:
        try:
            message = messages.decode(body)
        except messages.MessageError:
            message = None
        if isinstance(message, messages.Welcome) and self._hello and self._opens(message):
            self._welcome = body
        elif body == self._welcome:
            self.repeated += 1
        elif isinstance(message, messages.Refused):
            self.refused = message.reason
        elif not (isinstance(message, messages.Who) and self._seal is None):
            # WHO, where a session stands: the host may have lost it, or somebody else is talking.
            self._drop()

    def _opens(self, welcome: "messages.Welcome") -> bool:
        """Open the session that a WELCOME offers, if it proves that it answers our HELLO."""
        bound_to = handshake.transcript(
            versions=(welcome.version, messages.VERSION_LOWEST, messages.VERSION_HIGHEST),
            terminal=self._terminal,
            host=welcome.host,
            terminal_challenge=self._challenge,
            host_challenge=welcome.challenge,
        )
        if (
            welcome.terminal != self._terminal
            or not messages.VERSION_LOWEST <= welcome.version <= messages.VERSION_HIGHEST
            or handshake.proof(self._crypto, self._link_key, bound_to) != welcome.proof
        ):
            return False
        key = handshake.session_key(self._crypto, self._link_key, bound_to)
        self._seal = Seal(self._crypto.ccm(key), self._address, FROM_TERMINAL)
        self._hello = b""
        self._unopened_count = 0
        self.just_opened = True
        self.refused = 0
        self.generation += 1
        return True

    def _drop(self) -> None:
        self.dropped += 1
        self._unopened_count += 1


class HostSession:
    """The host's end, one for each terminal.

    `frame` polls with WHO until a HELLO is heard, answers it with WELCOME, and keeps what session there was
    until the first sealed frame opens under the new key: `receive` returns that message, which must be
    STATE, and `generation` has grown by one. What was under way in the session before is gone.

    `host`: the host's own terminal number. `random(n)` returns n random bytes. `refused`: the reason of the last
    clear REFUSED, 0 if none; only for logs. Counts: `dropped` (frames that proved nothing), `repeated` (heard before).
    """

    def __init__(
        self,
        crypto: "Suite",
        link_key: bytes,
        terminal: int,
        address: int,
        host: int,
        random: "Callable[[int], bytes]",
        key_version: int = 1,
    ):
        self._crypto = crypto
        self._link_key = link_key
        self._terminal = terminal
        self._address = address
        self._host = host
        self._random = random
        self._key_version = key_version
        self._seal: Seal | None = None
        self._pending: Seal | None = None  # offered by WELCOME, not proven by STATE yet
        self._hello = b""  # the HELLO that `_welcome` answers
        self._welcome = b""
        self._reply = b""  # the clear message due next: WELCOME or REFUSED
        self._unopened_count = 0
        self.refused = 0
        self.dropped = 0
        self.repeated = 0
        self.generation = 0

    @property
    def is_open(self) -> bool:
        """Whether a session stands."""
        return self._seal is not None

    @property
    def can_send(self) -> bool:
        """Whether `send` may be called: a session is open, nothing in it unacknowledged, and no new one under way."""
        return self._seal is not None and self._seal.can_send and not self._reply and not self._is_in_doubt

    @property
    def _is_in_doubt(self) -> bool:
        return self._seal is None or self._seal.is_spent or self._unopened_count >= _UNOPENED_MAX

    def concerns(self, frame: "Frame") -> bool:
        """Tell whether our terminal sent this frame."""
        return frame.address == self._address and frame.control & FROM_TERMINAL != 0

    def send(self, plain: bytes) -> None:
        """Seal a message of 1 to 242 bytes, to be repeated until acknowledged; only if `can_send`."""
        seal = self._seal
        assert seal is not None
        assert not self._reply
        seal.send(plain)

    def frame(self) -> "tuple[int, bytes]":
        """Return control and body of the frame to send now."""
        if self._reply:
            return 0, self._reply
        if self._seal is None or self._is_in_doubt:
            return 0, _WHO
        return self._seal.frame()

    def receive(self, frame: "Frame") -> "bytes | None":
        """Take a frame off the line; return the text of a sealed message never seen before, else None."""
        if not self.concerns(frame):
            return None
        self._reply = b""
        _, control, body = frame
        if control & SEALED:
            return self._receive_sealed(control, body)
        if body:
            self._receive_clear(body)
        elif self._seal is not None:
            self._seal.acknowledge(control)
        return None

    def _receive_sealed(self, control: int, body: bytes) -> "bytes | None":
        # The new session first: its STATE has sequence 1, which may be the old session's turn too.
        if self._pending is not None:
            plain = self._pending.open(control, body)
            if plain is not None:
                self._seal = self._pending
                self._pending = None
                self._unopened_count = 0
                self.refused = 0
                self.generation += 1
                return plain
        plain = None if self._seal is None else self._seal.receive(control, body)
        if plain:
            self._unopened_count = 0
            return plain
        if plain is None:
            self._drop()
        else:
            self.repeated += 1
        return None

    def _receive_clear(self, body: bytes) -> None:
        try:
            message = messages.decode(body)
        except messages.MessageError:
            message = None
        if isinstance(message, messages.Hello):
            self._reply = self._answer(message, body)
        elif isinstance(message, messages.Refused):
            self.refused = message.reason
        else:
            self._drop()

    def _answer(self, hello: "messages.Hello", body: bytes) -> bytes:
        """Return the clear message that answers a HELLO; the same HELLO gets the same WELCOME until a session stands."""
        if hello.terminal != self._terminal or hello.key_version != self._key_version:
            return messages.encode(messages.Refused(messages.HELLO, messages.TERMINAL_UNKNOWN))
        version = min(hello.high, messages.VERSION_HIGHEST)
        if version < max(hello.low, messages.VERSION_LOWEST):
            return messages.encode(messages.Refused(messages.HELLO, messages.VERSION_UNKNOWN))
        if self._pending is None or body != self._hello:
            self._offer(hello, version)
            self._hello = body
        return self._welcome

    def _offer(self, hello: "messages.Hello", version: int) -> None:
        # A fresh challenge each time, so that a HELLO heard before, whoever repeats it, never yields a key used before.
        challenge = self._random(handshake.CHALLENGE_SIZE)
        bound_to = handshake.transcript(
            versions=(version, hello.low, hello.high),
            terminal=self._terminal,
            host=self._host,
            terminal_challenge=hello.challenge,
            host_challenge=challenge,
        )
        proof = handshake.proof(self._crypto, self._link_key, bound_to)
        self._welcome = messages.encode(messages.Welcome(version, self._terminal, self._host, challenge, proof))
        key = handshake.session_key(self._crypto, self._link_key, bound_to)
        self._pending = Seal(self._crypto.ccm(key), self._address, 0)

    def _drop(self) -> None:
        self.dropped += 1
        self._unopened_count += 1


_WHO = messages.encode(messages.Who())
