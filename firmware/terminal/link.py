"""The terminal's end of the line: frames in, one frame out for each, and what the frames carry."""

from firmware.terminal.ticks import diff
from protocol import messages
from protocol.compat import const
from protocol.frame import Decoder, Frame, encode_frame

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Callable

    from firmware.terminal.asks import Asks
    from firmware.terminal.delivery import Delivery
    from firmware.terminal.resources import ResourceFiles
    from protocol.frame import Codec
    from protocol.messages import Message, State
    from protocol.session import TerminalSession

DOWN_MS = const(3000)  # no valid frame for so long: the person is told that the host is away
_REPLY_MS = const(20)  # so long the host waits for a reply; a later one would fall into another's turn
_RESUME_MS = const(3000)  # STATE is delivered, no RESUME: start over
_WAITING_MAX = const(8)  # messages not yet taken by `next_message`; the main loop takes them at every pass


class Link:
    """Decides what is said on the line, and sorts what is heard. Sans-IO.

    `receive` all bytes that wait; then at once `reply`, whose bytes go out within 5 ms; only then `next_message` until None,
    since what a message sets off may write flash for half a second. Who comes back from that finds polls that are long
    over: nothing is said to one that may have come before the last `reply`, 20 ms ago or more, nor once another was
    polled. The host asks again. Messages come out of the session that stands: what was
    heard in one that has been replaced is dropped.

    What is said, in this order: STATE first in a new session, voiding all approvals; a REFUSED that is due; then, once
    `resume` was called for the host's RESUME, asks, records, and fetches of resources. One message is under way at a time; it
    is repeated by the session until acknowledged. An answer that does not come ends the session by a new handshake.

    `state()`: STATE as it is now. `bad_count`: frames that were none, or were not obeyed; for logs.
    """

    def __init__(
        self,
        codec: "Codec",
        session: "TerminalSession",
        address: int,
        *,
        asks: "Asks",
        delivery: "Delivery",
        resources: "ResourceFiles",
        state: "Callable[[], State]",
    ) -> None:
        self._codec = codec
        self._session = session
        self._address = address
        self._asks = asks
        self._delivery = delivery
        self._resources = resources
        self._state = state
        self._decoder = Decoder(codec)
        self._is_reply_due = False
        self._reply_tick: "int | None" = None  # of the last `reply`: what is due now came after it
        self._messages = []
        self._refused: "messages.Refused | None" = None
        self._is_resumed = False
        self._is_state_sent = False
        self._state_tick = 0
        # When the host was last heard at all, and when last in a session that was resumed.
        self._has_heard = False
        self._heard_tick = 0
        self._is_up = False
        self._up_tick = 0
        self.bad_count = 0

    def receive(self, data: "bytes | memoryview", now_ms: int) -> None:
        """Take bytes off the line, broken anywhere."""
        self._decoder.receive(data)
        while (event := self._decoder.next_event()) is not None:
            if not isinstance(event, Frame):
                self.bad_count += 1
            elif not self._session.concerns(event):
                self._is_reply_due = False
            else:
                self._is_reply_due = True
                self._hear(now_ms)
                plain = self._session.receive(event)
                if plain is not None:
                    self._take(plain)

    def reply(self, now_ms: int) -> "bytes | None":
        """The frame to send now, or None when it is not our turn. Call it at every pass, heard or not."""
        before_tick, self._reply_tick = self._reply_tick, now_ms
        if not self._is_reply_due:
            return None
        self._is_reply_due = False
        if before_tick is None or diff(now_ms, before_tick) > _REPLY_MS:
            return None
        if self._session.just_opened:
            self._open(now_ms)
        elif self._session.can_send:
            message = self._next(now_ms)
            if message is not None:
                self._session.send(messages.encode(message))
        control, body = self._session.frame()
        return encode_frame(self._codec, self._address, control, body)

    def next_message(self) -> "Message | None":
        """The next message that is not the link's own business: RESUME, ANSWER, OFFER, CHUNK or REFUSED."""
        return self._messages.pop(0) if self._messages else None

    def resume(self, now_ms: int) -> None:
        """RESUME was obeyed: from now on asks and records may be sent."""
        self._is_resumed = True
        self._hear(now_ms)

    def refuse(self, number: int, reason: int) -> None:
        """Say REFUSED for a message that cannot be obeyed."""
        self._refused = messages.Refused(number, reason)
        self.bad_count += 1

    def is_up(self, now_ms: int) -> bool:
        """Whether an ask would be answered: the host has spoken lately, in a session that was resumed.

        A handshake in between, as a host that was started again needs one, does not count as down; asks wait for it.
        """
        # Forgotten, not remembered for ever: a tick is no measure after six days.
        if self._has_heard and diff(now_ms, self._heard_tick) >= DOWN_MS:
            self._has_heard = False
        if self._is_up and diff(now_ms, self._up_tick) >= DOWN_MS:
            self._is_up = False
        return self._is_up

    def poll(self, now_ms: int) -> None:
        """Begin a new handshake when something that was waited for does not come, or a record was lost."""
        if not self._session.is_open or not self._has_heard:
            return
        is_stuck = self._is_state_sent and not self._is_resumed and diff(now_ms, self._state_tick) >= _RESUME_MS
        if is_stuck or self._asks.is_late(now_ms) or self._delivery.is_broken:
            self._session.restart()

    def _hear(self, now_ms: int) -> None:
        self._has_heard = True
        self._heard_tick = now_ms
        if self._is_resumed:
            self._is_up = True
            self._up_tick = now_ms

    def _open(self, now_ms: int) -> None:
        """Say STATE. All that was granted or under way in the session before is void."""
        self._messages.clear()
        self._refused = None
        self._is_resumed = False
        self._is_state_sent = True
        self._state_tick = now_ms
        self._asks.void()
        self._delivery.pause()
        self._resources.restart()
        self._session.send(messages.encode(self._state()))

    def _next(self, now_ms: int) -> "Message | None":
        if self._refused is not None:
            message = self._refused
            self._refused = None
            return message
        if not self._is_resumed:
            return None
        pending = self._asks.next(now_ms)
        if pending is not None:
            self._asks.sent(pending, now_ms)
            return pending.ask
        return self._delivery.next(now_ms) or self._resources.next(now_ms)

    def _take(self, plain: bytes) -> None:
        try:
            message = messages.decode(plain)
        except messages.MessageError as error:
            if error.number != messages.REFUSED:
                self.refuse(error.number, error.reason)
            return
        if not messages.is_in_place(message, to_host=False, sealed=True):
            self.refuse(messages.number_of(message), messages.OUT_OF_PLACE)
        elif isinstance(message, messages.Ack):
            # At once, and not by the main loop: so the reply to this frame carries the next records.
            self._delivery.acknowledge(message.epoch, message.high_water)
        elif len(self._messages) < _WAITING_MAX:
            self._messages.append(message)
        else:
            self.refuse(messages.number_of(message), messages.BUSY)
