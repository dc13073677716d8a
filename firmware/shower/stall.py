"""One stall: cards, codes, keys and water in, actions out. Sans-IO; the rules stand in states.py."""

from firmware.shower import acts, screens, states
from firmware.shower.code import CodeEntry
from firmware.shower.session import Session, settled_at_boot
from firmware.shower.states import IN_SESSION, LIMITS_MS, OPENING, PAUSED, REMINDING, RUNNING, SETTLING, STARTING, TABLE, TYPING
from firmware.terminal.actions import NO_ACTIONS
from firmware.terminal.alarms import Alarms
from firmware.terminal.clock import NEVER_SET
from firmware.terminal.events import Answered, CardGone, CardProblem, CardSeen, Key, LinkDown, LinkUp, NotWritten, Written
from protocol import codes
from protocol.compat import const
from protocol.messages import ASK_EXTEND, ASK_SHOWER
from protocol.record import OPENED, SETTLED

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from firmware.terminal.actions import Mark, Write
    from firmware.terminal.settings import InForce, Reservation, Settings
    from protocol.messages import Answer
    from protocol.record import Record

_PAUSE_LIMIT_MAX_S = const(3600)  # longer is no pause, and alarms are never days away


class Stall:
    """The shower's program: `handle` each event, `meter` and `poll` at each pass, show `lines`.

    A card in the slot, or a booked code and OK, opens a session: the host holds a first amount (a booking's is held
    already), `opened` is written, and only then does the valve open. Water that costs 50 fen, or runs for 60 s, is marked in
    the journal before more of it flows. When little is left a higher total is asked for while the water runs; when no more is
    to be had, the person is warned and the valve shuts at the limit. A session ends as it began: by its card
    leaving, or by END twice or the same holder's card; the valve shuts first, then `settled` is written, then the
    sum is shown. Never raises for what arrives.

    Its attributes are the stall's memory, for acts.py to change and screens.py to read: `state`; `session`; `code`;
    `has_card`: anything lies in the slot; `is_reader_faulty`: nobody can tell, and only codes are taken; `card`: that was asked for
    last; `booking`: that the code keyed last opens;
    `is_questioning`: the host was asked whose card came into the slot in a code's session; `reason`, `lacking_fen`, `place`: why an
    attempt failed; `notice`: a text for the last row, or None; `resumed_fen`: what the boot settled, or None.
    """

    def __init__(self, in_force: "InForce") -> None:
        self.in_force = in_force
        self.state = STARTING
        self.session = Session()
        self.code = CodeEntry()
        self.has_card = False
        self.is_reader_faulty = False
        self.reason = 0
        self.lacking_fen = 0
        self.place = b""
        self.notice: "bytes | None" = None
        self.resumed_fen: "int | None" = None
        self.card: "CardSeen | None" = None
        self.booking: "Reservation | None" = None
        self.is_questioning = False
        self.alarms = Alarms(acts.ALARM_COUNT)
        self._lines: "tuple[bytes, bytes, bytes, bytes] | None" = None
        self._drawn_fen = 0  # on the display
        self._drawn_dl = 0

    @property
    def settings(self) -> "Settings":
        """The settings in force. No session runs without."""
        settings = self.in_force.settings
        assert settings is not None
        return settings

    def handle(self, event: "Any", now_ms: int) -> "tuple[Any, ...]":
        """Take one event of firmware/terminal/events.py; the actions to execute, in order."""
        self._lines = None
        return self._step(self._tell(event, now_ms), event, now_ms)

    def poll(self, now_ms: int) -> "tuple[Any, ...]":
        """Let time pass; the actions to execute."""
        if self.state == STARTING and not self.alarms.is_set(acts.LIMIT):
            self.restart_limit(now_ms)
        alarm = self.alarms.take(now_ms)
        if alarm is None:
            return NO_ACTIONS
        self._lines = None
        if alarm == acts.LIMIT:
            is_forgotten = self.has_card and self.state in REMINDING
            return self._step(states.FORGOTTEN if is_forgotten else states.TIMED_OUT, None, now_ms)
        if alarm == acts.NOTICE:
            self.notice = None
        elif alarm == acts.RETRY:
            self.session.funds.may_ask = True
        elif alarm == acts.MARK:
            return self._step(states.STEP_USED, None, now_ms)
        return NO_ACTIONS

    def meter(self, cold_ml: int, hot_ml: int, now_ms: int) -> "tuple[Any, ...]":
        """Take both meters' totals since power-on; the actions to execute. Allocates nothing while no water flows."""
        session = self.session
        if not session.usage.meter(cold_ml, hot_ml):
            return NO_ACTIONS
        self.restart_limit(now_ms)
        self._redraw_if_changed()
        if session.is_spent:
            return self._step(states.SPENT, None, now_ms)
        actions = NO_ACTIONS
        if session.is_step_used:
            actions = self._step(states.STEP_USED, None, now_ms)
        if session.funds.wants_more(session.charge_fen, self.settings.extend_when_left_fen):
            actions = actions + self._step(states.LOW, None, now_ms)
        return actions

    def resume(self, opened: "Record", mark: "Mark") -> "Write":
        """Return the `settled` of a session that a power cut left open, and remember to say so."""
        self.resumed_fen = mark.fen
        return settled_at_boot(opened, mark)

    def due(self) -> "int | None":
        """The tick at which `poll` has something to do, or None."""
        return self.alarms.due()

    def lines(self, now_ms: int) -> "tuple[bytes, bytes, bytes, bytes]":
        """The display's four lines; the same object as long as nothing changed."""
        if self._lines is None:
            self._lines = screens.compose(self)
        return self._lines

    # Events told apart.

    def _tell(self, event: "Any", now_ms: int) -> "str | None":
        """What an event means to the table; None for what only changes the screen."""
        kind = type(event)
        if kind is Key:
            return self._tell_key(event.name, now_ms)
        if kind in _CARD_EVENTS:
            return self._tell_card(event, kind)
        if kind is Answered:
            return self._tell_answer(event.answer)
        if kind in (Written, NotWritten):
            return _RECORDS[kind] if event.kind == _AWAITED.get(self.state) else None
        return _LINK.get(kind)

    def _tell_card(self, event: "Any", kind: type) -> "str | None":
        self.is_reader_faulty = kind is CardProblem and event.code == codes.READER_FAULT
        self.has_card = kind is not CardGone and not self.is_reader_faulty
        if kind is CardSeen:
            return self._tell_seen(event)
        if kind is CardProblem:
            # A reader that fails stops nobody: the idle screen says it.
            return None if self.is_reader_faulty else states.CARD_BAD
        self.is_questioning = False
        # Cards come and go in a code's session.
        return None if self.session.is_by_code and self.state in IN_SESSION else states.CARD_OUT

    def _tell_seen(self, card: CardSeen) -> "str | None":
        if self.state not in IN_SESSION:
            return states.CARD_UNREADY if self._is_unready() else states.CARD_IN
        if self.session.is_by_code:
            return states.VISITOR_IN
        # The reader says that a card went before it says that one came; where it did not, another card says it.
        return None if card.number == self.session.number else states.CARD_OUT

    def _tell_answer(self, answer: "Answer") -> "str | None":
        is_granted = answer.code == 0
        if answer.kind == ASK_SHOWER:
            return states.GRANTED if is_granted and answer.held_fen else states.DENIED
        if answer.kind == ASK_EXTEND:
            # In a new session of the line the terminal asks for the same total again: a refusal then takes nothing away.
            is_news = is_granted or self.session.funds.is_extending
            return (states.EXTENDED if is_granted else states.NOT_EXTENDED) if is_news else None
        if self.state not in IN_SESSION:
            return states.CODE_ANSWERED
        if not self.is_questioning:
            return None
        return states.SAME_HOLDER if is_granted else states.OTHER_HOLDER

    def _tell_key(self, name: str, now_ms: int) -> "str | None":
        is_second_end = self.alarms.is_set(acts.END) and name == "END"
        self.alarms.turn_off(acts.END)
        if name == "OK":
            return self._tell_ok(now_ms)
        if name == "END" and self.state in IN_SESSION:
            return states.END_TWICE if is_second_end and self.session.is_by_code else states.END_ONCE
        if name in ("CLEAR", "END"):
            return states.ERASED
        if name in ("DOT", "PLUS", "TIMES"):
            return None
        return states.DIGIT_LOCKED if self.alarms.is_set(acts.LOCK) else states.DIGIT

    def _tell_ok(self, now_ms: int) -> str:
        if self.state != TYPING:
            return states.OK_EARLY if self.alarms.is_set(acts.EARLY) else states.OK
        if not self.code.is_complete:
            return states.CODE_SHORT
        self.booking = self.in_force.find_reservation(self.code.digits)
        if self.booking is None:
            return states.CODE_UNKNOWN
        self.reason = self._problem(self.booking, now_ms)
        return states.CODE_REFUSED if self.reason else states.CODE_RIGHT

    def _problem(self, booking: "Reservation", now_ms: int) -> int:
        """Why a booking cannot begin now; 0 when it can."""
        if self._is_unready():
            return codes.NOT_CONFIGURED
        if self.in_force.clock.trust == NEVER_SET:
            return screens.NO_TIME
        at_s = self.in_force.clock.at_s(now_ms)
        if at_s < booking.from_s:
            return screens.TOO_EARLY
        return screens.TOO_LATE if at_s >= booking.until_s else 0

    def _is_unready(self) -> bool:
        return self.in_force.settings is None or self.in_force.tariff is None

    # The table at work.

    def _step(self, told: "str | None", event: "Any", now_ms: int) -> "tuple[Any, ...]":
        found = None if told is None else TABLE[self.state].get(told)
        if found is None:
            return NO_ACTIONS
        state, act = found
        if state != self.state:
            self.state = state
            self.notice = None
            self.restart_limit(now_ms)
        return getattr(acts, act)(self, event, now_ms)

    def restart_limit(self, now_ms: int) -> None:
        """Let the state last from now on as long as it may."""
        if self.state in (RUNNING, PAUSED):
            limit_ms = min(self.settings.pause_limit_s, _PAUSE_LIMIT_MAX_S) * 1000
        else:
            limit_ms = LIMITS_MS.get(self.state)
        if limit_ms is None:
            self.alarms.turn_off(acts.LIMIT)
        else:
            self.alarms.set(acts.LIMIT, now_ms, limit_ms)

    def _redraw_if_changed(self) -> None:
        fen, dl = self.session.charge_fen, self.session.usage.volume_ml // 100
        if fen != self._drawn_fen or dl != self._drawn_dl:
            self._drawn_fen = fen
            self._drawn_dl = dl
            self._lines = None


_CARD_EVENTS = (CardSeen, CardProblem, CardGone)
_RECORDS = {Written: states.WRITTEN, NotWritten: states.NOT_WRITTEN}
_AWAITED = {OPENING: OPENED, SETTLING: SETTLED}  # the record that a state waits for; others are not ours
_LINK = {LinkUp: states.LINK_FOUND, LinkDown: states.LINK_LOST}
