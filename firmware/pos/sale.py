"""One till's sales: keys and cards in, asks and records out. Sans-IO; the rules stand in states.py."""

from firmware.drivers import beeper
from firmware.pos.entry import Entry
from firmware.pos.screens import CHARGED_BEFORE, compose
from firmware.pos.states import (
    CANCELLED,
    CARD_AGAIN,
    CARD_BAD,
    CARD_IN,
    CARD_OUT,
    CONFIRMED,
    CONFIRMED_BADLY,
    DENIED,
    GRANTED,
    IDLE,
    KEYED,
    LIMITS_MS,
    LINK_LOST,
    NOT_WRITTEN,
    REFUSED,
    TABLE,
    TIMED_OUT,
    WAITING,
    WRITTEN,
)
from firmware.terminal.actions import NO_ACTIONS, NO_NAME, AskHost, Beep, GiveUp, Write
from firmware.terminal.alarms import Alarms
from firmware.terminal.events import Answered, CardGone, CardProblem, CardSeen, Key, LinkDown, NotWritten, Written
from protocol import codes
from protocol.compat import const
from protocol.messages import ASK_SALE, SUBJECT_CARD
from protocol.record import SALE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from firmware.terminal.settings import InForce
    from protocol.messages import Answer

_AGAIN_MS = const(3_000)  # a card that paid and comes back so soon was waved twice (ROBUSTNESS, card 8)
_NOTICE_MS = const(3_000)
_LOW_FEN = const(2_000)  # what is left: below it the beep is double (USERS, students)
_ONE_SALE = const(1 << 16)  # detail of a sale: operator in the low two bytes (none yet), count in the third

# Alarms.
_LIMIT = const(0)  # the state has lasted as long as it may
_NOTICE = const(1)  # the notice has stood long enough
_AGAIN = const(2)  # the card that paid may pay again
_ALARM_COUNT = const(3)


class Sale:
    """The till's program: `handle` each event, `poll` when `due`, show `lines`.

    The cashier keys an amount and confirms it; from then on it is frozen until it is paid, cancelled or a minute old. A
    card presented then is asked for at the host under the name of the sale to come, and the sale is written in the
    same step as the approval arrives. "Paid", the beep and the balances follow only when the record is durable.

    Presenting is putting the card on the reader after OK, so the student has seen the amount; a card that lies
    there already, forgotten or charged or refused, must leave and come back. When a card goes before the answer comes, the
    sale goes on: money on an account needs no card once asked for (MONEY.md 2). Never raises for what arrives.

    Read by the screens: `state`, `entry`, `amount_fen` (confirmed), `answer` (of the sale shown as paid), `code` and `lacking_fen`
    (why the attempt failed), `notice` (a code, or None), `has_card`, `is_reader_faulty` (and so nothing can be sold), `in_force`.
    """

    def __init__(self, in_force: "InForce") -> None:
        self.in_force = in_force
        self.state = IDLE
        self.entry = Entry()
        self.amount_fen = 0
        self.answer: "Answer | None" = None
        self.code = 0
        self.lacking_fen = 0
        self.notice: "int | None" = None
        self.has_card = False
        self.is_reader_faulty = False
        # The card that is being charged or was charged last; its number while it is too soon to charge it again.
        self._card: "CardSeen | None" = None
        self._paid_number: "int | None" = None
        self._alarms = Alarms(_ALARM_COUNT)
        self._lines: "tuple[bytes, bytes, bytes, bytes] | None" = None

    def handle(self, event: "Any", now_ms: int) -> "tuple[Any, ...]":
        """Take one event of firmware/terminal/events.py; the actions to execute, in order."""
        self._lines = None
        return self._step(self._tell(event), event, now_ms)

    def poll(self, now_ms: int) -> "tuple[Any, ...]":
        """Let time pass; the actions to execute."""
        alarm = self._alarms.take(now_ms)
        if alarm is None:
            return NO_ACTIONS
        self._lines = None
        if alarm == _LIMIT:
            return self._step(TIMED_OUT, None, now_ms)
        if alarm == _NOTICE:
            self.notice = None
        else:
            self._paid_number = None
        return NO_ACTIONS

    def due(self) -> "int | None":
        """The tick at which `poll` has something to do, or None."""
        return self._alarms.due()

    def lines(self, now_ms: int) -> "tuple[bytes, bytes, bytes, bytes]":
        """The display's four lines; the same object as long as nothing changed."""
        if self._lines is None:
            self._lines = compose(self)
        return self._lines

    # Events told apart.

    def _tell(self, event: "Any") -> "str | None":
        """What an event means to the table; None for what only changes the screen."""
        kind = type(event)
        if kind is Key:
            return self._tell_key(event.name)
        if kind in _CARD_EVENTS:
            return self._tell_card(event, kind)
        if kind is Answered:
            return GRANTED if self._is_granted(event.answer) else DENIED
        if kind is LinkDown:
            return LINK_LOST
        if kind in (Written, NotWritten) and event.kind == SALE:
            return WRITTEN if kind is Written else NOT_WRITTEN
        return None

    def _tell_card(self, event: "Any", kind: type) -> "str | None":
        self.is_reader_faulty = kind is CardProblem and event.code == codes.READER_FAULT
        self.has_card = kind is not CardGone and not self.is_reader_faulty
        if kind is CardSeen:
            return CARD_AGAIN if event.number == self._paid_number else CARD_IN
        if kind is CardGone:
            return CARD_OUT
        # A reader that fails is no news to who is not waiting for a card: the idle screen and OK say it.
        return None if self.is_reader_faulty and self.state not in (WAITING, REFUSED) else CARD_BAD

    def _tell_key(self, name: str) -> str:
        if name in ("CLEAR", "END"):
            return CANCELLED
        if name != "OK":
            return KEYED
        return CONFIRMED_BADLY if self._amount_problem() else CONFIRMED

    def _is_granted(self, answer: "Answer") -> bool:
        return answer.kind == ASK_SALE and answer.code == 0 and answer.held_fen >= self.amount_fen

    def _amount_problem(self) -> int:
        """The code of why the keyed amount cannot be charged, or 0."""
        if self.in_force.settings is None:
            return codes.NOT_CONFIGURED
        if self.is_reader_faulty:
            return codes.READER_FAULT
        if not self.entry.total_fen:
            return codes.AMOUNT_ZERO
        return codes.AMOUNT_TOO_LARGE if self.entry.total_fen > self.in_force.settings.sale_max_fen else 0

    # The table at work.

    def _step(self, told: "str | None", event: "Any", now_ms: int) -> "tuple[Any, ...]":
        found = None if told is None else TABLE[self.state].get(told)
        if found is None:
            return NO_ACTIONS
        state, act = found
        if state != self.state:
            self.state = state
            self.notice = None
            self._restart_limit(now_ms)
        return getattr(self, act)(event, now_ms)

    def _restart_limit(self, now_ms: int) -> None:
        limit_ms = LIMITS_MS.get(self.state)
        if limit_ms is None:
            self._alarms.turn_off(_LIMIT)
        else:
            self._alarms.set(_LIMIT, now_ms, limit_ms)

    # Acts, by their names in the table: each takes the event (None when time passed) and returns actions.

    def key(self, event: Key, now_ms: int) -> tuple:
        """Take a key into the amount."""
        self.entry.press(event.name)
        self._restart_limit(now_ms)
        return NO_ACTIONS

    def key_anew(self, event: Key, now_ms: int) -> tuple:
        """Take the first key of the next amount."""
        self.entry.clear()
        return self.key(event, now_ms)

    def clear(self, event, now_ms: int) -> tuple:
        """Forget the amount."""
        self.entry.clear()
        return NO_ACTIONS

    def confirm(self, event: Key, now_ms: int) -> tuple:
        """Freeze the amount."""
        self.amount_fen = self.entry.total_fen
        return NO_ACTIONS

    def ask(self, event: CardSeen, now_ms: int) -> tuple:
        """Ask the host for the frozen amount."""
        self._card = event
        return (AskHost(ASK_SALE, SUBJECT_CARD, event.number, self.amount_fen, 0, event.copies, b"", NO_NAME),)

    def give_up(self, event: Key, now_ms: int) -> tuple:
        """Close the open name; nothing was charged."""
        self.entry.clear()
        return (GiveUp(),)

    def write(self, event: Answered, now_ms: int) -> tuple:
        """Journal the sale: an approval is good only now."""
        self.answer = event.answer
        card = self._card
        assert card is not None
        return (
            Write(SALE, SUBJECT_CARD, card.number, NO_NAME, self.amount_fen, _ONE_SALE, card.balance_fen, card.counter, card.shown, False),
        )

    def show_paid(self, event: Written, now_ms: int) -> tuple:
        """Say so, now that it is durable."""
        assert self._card is not None
        assert self.answer is not None
        self.entry.clear()
        self._paid_number = self._card.number
        self._alarms.set(_AGAIN, now_ms, _AGAIN_MS)
        left_fen = self.answer.account_fen + self.answer.purse_fen
        return (Beep(beeper.WARNING if left_fen < _LOW_FEN else beeper.ACCEPTED),)

    def refuse(self, event: Answered, now_ms: int) -> tuple:
        """Say why the host refused."""
        self.lacking_fen = event.answer.lacking_fen
        return self._refuse(event.answer.code or codes.REFUSED, now_ms)

    def refuse_away(self, event, now_ms: int) -> tuple:
        """Stop waiting for the host."""
        return self._refuse(codes.HOST_AWAY, now_ms)

    def refuse_reason(self, event: "NotWritten | CardProblem", now_ms: int) -> tuple:
        """Say why the journal took no record, or what is wrong on the reader."""
        return self._refuse(event.code, now_ms)

    def refuse_charged(self, event: CardSeen, now_ms: int) -> tuple:
        """Say that this card has just paid."""
        return self._refuse(CHARGED_BEFORE, now_ms)

    def warn_amount(self, event: Key, now_ms: int) -> tuple:
        """Say why the amount cannot be charged."""
        self._notify(self._amount_problem(), now_ms)
        return (Beep(beeper.REFUSED),)

    def warn_card(self, event: CardProblem, now_ms: int) -> tuple:
        """Say what is wrong on the reader, without a sound: nobody is paying."""
        return self._notify(event.code, now_ms)

    def warn_charged(self, event: CardSeen, now_ms: int) -> tuple:
        """Say that the card has paid, without a sound that could be taken for a second charge."""
        return self._notify(CHARGED_BEFORE, now_ms)

    def _refuse(self, code: int, now_ms: int) -> tuple:
        """Show a reason and what to do; close the name where it is still open."""
        self.code = code
        self._restart_limit(now_ms)
        return (GiveUp(), Beep(beeper.REFUSED))

    def _notify(self, code: int, now_ms: int) -> tuple:
        self.notice = code
        self._alarms.set(_NOTICE, now_ms, _NOTICE_MS)
        return NO_ACTIONS


_CARD_EVENTS = (CardSeen, CardProblem, CardGone)
