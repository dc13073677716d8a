"""One terminal: all parts put together, and what happens in one pass of its loop."""

from firmware.terminal.actions import AskHost, Beep, GiveUp, Mark, OpenValve, ShutValve, Write
from firmware.terminal.asks import Asks
from firmware.terminal.clock import Clock
from firmware.terminal.delivery import Delivery
from firmware.terminal.events import Answered, CardSeen, Key, KeypadChanged, LinkDown, LinkUp, NotWritten, Resources
from firmware.terminal.health import Health
from firmware.terminal.journal import Journal
from firmware.terminal.link import Link
from firmware.terminal.reader import CardWatcher
from firmware.terminal.recorder import Recorder
from firmware.terminal.resources import ResourceFiles
from firmware.terminal.settings import InForce
from protocol import codes, messages, shown
from protocol.compat import const
from protocol.messages import ASK_EXTEND, ASK_LOOKUP, Answer
from protocol.record import ACTIVATED, NONE, OPENED
from protocol.session import TerminalSession

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Callable

    from firmware.terminal.identity import Identity
    from firmware.terminal.storage import Storage
    from protocol.crypto import Suite
    from protocol.frame import Codec

FIRMWARE = "onecard 0.1.0"
PROGRAMS = {"shower": messages.PROGRAM_SHOWER, "pos": messages.PROGRAM_POS}

_READS_MAX = const(22)  # what the UART's buffer holds: 16 times 64 bytes, and a rest in pieces
_EVENTS_MAX = const(32)  # in one go; more means that the program answers its own actions for ever


class Terminal:
    """Joins a board, a program and the host. Call `poll` again and again; it never waits.

    `board`: an object with the attributes of firmware/boards/board.py, `Board`. `codec`, `crypto`: of
    protocol.fast and protocol.crypto. `journal_storage`, `resource_storage`: two folders (storage.py). `make_program(in_force)`
    returns the program: `handle(event, now_ms)`, `poll(now_ms)`, `lines(now_ms)`; a shower also `meter(cold_ml, hot_ml,
    now_ms)` and `resume(opened, mark)`. What these return (but `lines` and `resume`) is executed in order, each action
    done before the next (actions.py).

    A failing file system raises OSError out of `poll`: stop, with the valve shut, and let the watchdog start anew.
    """

    def __init__(
        self,
        board: "Any",
        identity: "Identity",
        *,
        program: str,
        make_program: "Callable[[InForce], Any]",
        codec: "Codec",
        crypto: "Suite",
        journal_storage: "Storage",
        resource_storage: "Storage",
    ) -> None:
        now_ms = int(board.ticks_ms())
        self._board = board
        self._number = PROGRAMS[program]
        record_cmac = crypto.cmac(identity.record_key)
        self._health = Health(journal_storage, now_ms)
        self.journal = Journal(journal_storage, identity.terminal, codec.crc16)
        self.clock = Clock()
        self.clock.estimate(self.journal.last_at_s, now_ms)
        self.in_force = InForce(self.clock, record_cmac, self._is_taken_up)
        self._resources = ResourceFiles(resource_storage, self.in_force.take)
        self._watcher = CardWatcher(board.reader, crypto)
        self._apply_settings()
        self._asks = Asks()
        self._delivery = Delivery(self.journal)
        self._recorder = Recorder(
            self.journal,
            self._asks,
            self.in_force,
            terminal=identity.terminal,
            cmac=record_cmac,
            cause=board.reset_cause(),
            unhealthy_boots=self._health.boots_without_health,
        )
        session = TerminalSession(crypto, identity.link_key, identity.terminal, identity.address, identity.key_version, board.random)
        self.link = Link(
            codec,
            session,
            identity.address,
            asks=self._asks,
            delivery=self._delivery,
            resources=self._resources,
            state=self._state,
        )
        self.program = make_program(self.in_force)
        self._events = []
        self._acts = {
            AskHost: self._recorder.ask,
            Write: self._recorder.write,
            Mark: self._mark,
            GiveUp: self._give_up,
            OpenValve: self._open_valve,
            ShutValve: self._shut_valve,
            Beep: self._beep,
        }

    def poll(self) -> None:
        """One pass. The line comes first: the host waits 20 ms for an answer, everything else has time."""
        board, program = self._board, self.program
        now_ms = int(board.ticks_ms())
        self._poll_line(now_ms)
        self.clock.poll(now_ms)
        if not self._recorder.is_ready:
            self._recorder.start(self._resume_session, now_ms)
        # Before keys and cards: what flowed until somebody shut the valve is still charged.
        if board.meter_cold is not None:
            self._execute(program.meter(board.meter_cold.poll(), board.meter_hot.poll(), now_ms), now_ms)
        self._poll_keypad(now_ms)
        self._poll_card(now_ms)
        self._execute(program.poll(now_ms), now_ms)
        self._poll_messages(now_ms)
        self._poll_link(now_ms)
        self._poll_resources(now_ms)
        self._health.poll(now_ms)
        board.beeper.poll(now_ms)
        board.display.show(program.lines(now_ms))
        board.display.poll(now_ms)

    def _poll_line(self, now_ms: int) -> None:
        line = self._board.line
        for _ in range(_READS_MAX):
            data = line.receive()
            if not data:
                break
            self.link.receive(data, now_ms)
        frame = self.link.reply(now_ms)
        if frame is not None:
            line.transmit(frame)

    def _poll_keypad(self, now_ms: int) -> None:
        keypad = self._board.keypad
        key = keypad.poll(now_ms)
        if key is not None:
            self._tell(Key(key), now_ms)
        if keypad.is_stuck != self.in_force.is_key_stuck:
            self.in_force.is_key_stuck = keypad.is_stuck
            self._tell(KeypadChanged(), now_ms)

    def _poll_card(self, now_ms: int) -> None:
        event = self._watcher.poll(now_ms)
        if event is None:
            return
        if isinstance(event, CardSeen):
            self._recorder.saw(event)
            # Reading a new card takes some 20 ms, so the line may have waited.
            self._poll_line(int(self._board.ticks_ms()))
        self._tell(event, now_ms)

    def _poll_link(self, now_ms: int) -> None:
        self.link.poll(now_ms)
        is_up = self.link.is_up(now_ms) and self._recorder.is_ready
        if is_up != self.in_force.link_is_up:
            self.in_force.link_is_up = is_up
            self._tell(LinkUp() if is_up else LinkDown(), now_ms)
        written = self._recorder.poll(now_ms)
        if written is not None:
            self._tell(written, now_ms)

    def _poll_resources(self, now_ms: int) -> None:
        """Put a fetched resource in force, and tell the host by a record: only between sessions and asks."""
        if self._asks.open is not None:
            return
        if self._resources.is_complete and not self.journal.open_sessions:
            resource = self._resources.activate()
            if resource:
                self._apply_settings()
                self._tell(Resources(resource), now_ms)
                return
        resource = self._resources.untold()
        if resource and self._recorder.is_ready and self.journal.has_room:
            held = self._resources.in_force(resource)
            about = shown.pack_activated(resource=resource, version=held.version, digest=held.digest)
            self._recorder.write(Write(ACTIVATED, 0, 0, NONE, 0, 0, 0, 0, about, False), now_ms)
            self._resources.told(resource)

    # What the host says.

    def _poll_messages(self, now_ms: int) -> None:
        while (message := self.link.next_message()) is not None:
            if isinstance(message, messages.Answer):
                self._take_answer(message, now_ms)
            elif isinstance(message, messages.Resume):
                self._take_resume(message, now_ms)
            elif isinstance(message, messages.Chunk):
                self._resources.receive(message)
            elif isinstance(message, messages.Offer):
                self._take_offer(message, now_ms)
            elif isinstance(message, messages.Refused):
                self._take_refused(message, now_ms)

    def _take_resume(self, resume: messages.Resume, now_ms: int) -> None:
        self.clock.set(resume.at_s, now_ms)
        journal = self.journal
        if resume.epoch != journal.epoch:
            if not journal.may_adopt(resume.epoch):
                # An epoch never lives twice: its names are in this journal already.
                self.link.refuse(messages.RESUME, messages.MALFORMED)
                return
            self._close_epoch(now_ms)
            journal.adopt(resume.epoch)
            self._recorder.start(self._resume_session, now_ms)
        self._delivery.resume(resume.epoch, resume.high_water)
        self.link.resume(now_ms)

    def _close_epoch(self, now_ms: int) -> None:
        """Close the name that is open under the old epoch, and tell the program."""
        pending = self._asks.open
        if pending is not None and self._recorder.close(now_ms):
            self._tell(Answered(_answer(pending.ask, codes.CLOSED)), now_ms)

    def _take_answer(self, answer: Answer, now_ms: int) -> None:
        if not self._asks.receive(answer):
            return
        if answer.code and answer.kind not in (ASK_EXTEND, ASK_LOOKUP):
            self._recorder.close(now_ms)
        self._tell(Answered(answer), now_ms)

    def _take_offer(self, offer: messages.Offer, now_ms: int) -> None:
        if offer.resource == messages.CLOCK:
            self.clock.set(offer.version, now_ms)
        elif not self._resources.offer(offer):
            self.link.refuse(messages.OFFER, messages.MALFORMED)

    def _take_refused(self, refused: messages.Refused, now_ms: int) -> None:
        """Records and fetches come again by themselves, STATE with the next handshake; an ask must end."""
        if refused.number != messages.ASK:
            return
        if refused.reason == messages.BUSY:
            self._asks.put_off(now_ms)
            return
        for ask in self._asks.refuse():
            if ask.kind not in (ASK_EXTEND, ASK_LOOKUP):
                self._recorder.close(now_ms)
            self._tell(Answered(_answer(ask, codes.REFUSED)), now_ms)

    def _state(self) -> messages.State:
        journal = self.journal
        return messages.State(journal.epoch, journal.next, journal.oldest, FIRMWARE, self._number, self._resources.summary())

    # What the program is told, and wants done.

    def _tell(self, event, now_ms: int) -> None:
        self._execute(self.program.handle(event, now_ms), now_ms)

    def _execute(self, actions: tuple, now_ms: int) -> None:
        """Do the actions in order; then hand over the events they gave rise to, and do what comes back."""
        if not actions:
            return
        self._do(actions, now_ms)
        for _ in range(_EVENTS_MAX):
            if not self._events:
                return
            self._do(self.program.handle(self._events.pop(0), now_ms), now_ms)
        raise AssertionError("the program answers its own actions for ever")

    def _do(self, actions: tuple, now_ms: int) -> None:
        for action in actions:
            event = self._acts[type(action)](action, now_ms)
            if event is not None:
                self._events.append(event)
                if isinstance(event, NotWritten):
                    return

    def _mark(self, mark: Mark, now_ms: int) -> None:
        self.journal.mark(mark)

    def _give_up(self, action: GiveUp, now_ms: int) -> None:
        self._recorder.close(now_ms)

    def _open_valve(self, action: OpenValve, now_ms: int) -> None:
        self._board.valve.open()

    def _shut_valve(self, action: ShutValve, now_ms: int) -> None:
        self._board.valve.shut()

    def _beep(self, beep: Beep, now_ms: int) -> None:
        self._board.beeper.beep(beep.pattern)

    # Small things.

    def _resume_session(self, opened, mark) -> Write:
        return self.program.resume(opened, mark)

    def _is_taken_up(self, booking) -> bool:
        return self.journal.has_reference(OPENED, booking)

    def _apply_settings(self) -> None:
        settings = self.in_force.settings
        if settings is None:
            return
        self._watcher.card_key = settings.card_key
        if self._board.meter_cold is not None:
            self._board.meter_cold.pulses_per_l = settings.pulses_per_l_cold
            self._board.meter_hot.pulses_per_l = settings.pulses_per_l_hot


def _answer(ask: messages.Ask, code: int) -> Answer:
    """The terminal's own answer, in the host's place."""
    return Answer(ask.epoch, ask.sequence, ask.kind, code, 0, 0, 0, 0, 0, b"")
