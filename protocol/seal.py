"""One established session as one end sees it: sealing, counters, acknowledgement, repeats (docs/protocol.md, section 4)."""

from struct import pack

from .compat import const
from .frame import FROM_TERMINAL, SEALED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .crypto import Sealer

TEXT_SIZE_MAX = const(242)  # a body of 250 less the tag

_LOW_BITS = const(7)
_SEQUENCE_SHIFT = const(3)
_COUNTER_MAX = const(0x7FFFFFFF)  # at 2^31 a new handshake is due
_NONCE_FORMAT = const(">BIQ")  # direction 1, counter 4 (big-endian), eight zeros


class Seal:
    """One end of a session: sealed frames out, one at a time until acknowledged, and sealed frames in, each once.

    `own`: `FROM_TERMINAL` at the terminal, 0 at the host. Each direction counts its sealed frames from 1;
    the counter is in the nonce, its low three bits are the sequence on the wire, and no counter ever seals two texts.
    Nothing here changes for a frame that does not open, but that its acknowledgement, which stands outside
    the seal, is taken from empty and repeated frames: forging it can only force a new handshake.
    """

    def __init__(self, ccm: "Sealer", address: int, own: int):
        self._seal = ccm.seal
        self._open = ccm.open
        self._own = own
        self._own_direction = 1 if own else 0
        self._other_direction = 0 if own else 1
        self._address = address
        self._sent = 0  # counter of the last frame sealed
        self._body = b""  # its body while unacknowledged
        self._accepted = 0  # counter of the last frame accepted
        self._accepted_body: bytes | None = None  # its body: only the very same is a repeat
        self.tries = 0  # how often the unacknowledged frame went out since the last sign that it arrived

    @property
    def can_send(self) -> bool:
        """Whether nothing of ours is unacknowledged."""
        return not self._body and self._sent < _COUNTER_MAX

    @property
    def is_spent(self) -> bool:
        """Whether a counter has reached its end: a new handshake is due."""
        return self._sent >= _COUNTER_MAX or self._accepted >= _COUNTER_MAX

    def send(self, plain: bytes) -> None:
        """Seal `plain`, 1 to 242 bytes; `frame` then says what to put on the wire until it is acknowledged."""
        assert not self._body
        assert 0 < len(plain) <= TEXT_SIZE_MAX
        self._sent = counter = self._sent + 1
        aad = self._associated(self._own, counter)
        self._body = self._seal(pack(_NONCE_FORMAT, self._own_direction, counter, 0), plain, aad)
        self.tries = 0

    def frame(self) -> "tuple[int, bytes]":
        """Return control and body of the frame to send now: the unacknowledged one again, or an empty one."""
        control = self._own | self._accepted & _LOW_BITS
        if self._body:
            control |= SEALED | (self._sent & _LOW_BITS) << _SEQUENCE_SHIFT
            self.tries += 1
        return control, self._body

    def receive(self, control: int, body: bytes) -> "bytes | None":
        """Take a sealed frame: return its text, b"" if it is the last one again, None if it is not of this session."""
        plain = self.open(control, body)
        if plain is None and body == self._accepted_body and control >> _SEQUENCE_SHIFT & _LOW_BITS == self._accepted & _LOW_BITS:
            self.acknowledge(control)
            return b""
        return plain

    def open(self, control: int, body: bytes) -> "bytes | None":
        """Return the text of the frame after the last accepted one and count it, or None: it is not that."""
        counter = self._accepted + 1
        if control >> _SEQUENCE_SHIFT & _LOW_BITS != counter & _LOW_BITS or counter > _COUNTER_MAX:
            return None
        aad = self._associated(self._own ^ FROM_TERMINAL, counter)
        plain = self._open(pack(_NONCE_FORMAT, self._other_direction, counter, 0), body, aad)
        if plain is not None:
            self._accepted = counter
            self._accepted_body = body
            self.acknowledge(control)
        return plain

    def acknowledge(self, control: int) -> None:
        """Take the acknowledgement out of the other end's control byte: the next frame may go.

        Before a sealed frame has opened it only says that the other end hears: it may still be in the
        session before, and acknowledge a frame of that.
        """
        if self._body and control & _LOW_BITS == self._sent & _LOW_BITS:
            self.tries = 0
            if self._accepted:
                self._body = b""

    def _associated(self, sender: int, counter: int) -> bytes:
        """Return what is sealed along with a frame: its address, and its control without the acknowledgement."""
        return bytes((self._address, sender | SEALED | (counter & _LOW_BITS) << _SEQUENCE_SHIFT))
