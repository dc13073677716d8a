"""What the stall does: one function an act of the state table.

Each is called as `act(stall, event, now_ms)`, after the state has changed; the event is None when time or water brought the
act about. Each returns the actions to execute, in order: a record before what is shown for it, the valve shut before
anything is written.
"""

from firmware.drivers import beeper
from firmware.shower import screens
from firmware.terminal.actions import NO_ACTIONS, NO_NAME, AskHost, Beep, GiveUp, OpenValve, ShutValve
from protocol import codes, shown
from protocol.compat import const
from protocol.messages import ASK_LOOKUP, ASK_SHOWER, SUBJECT_CARD, SUBJECT_NONE

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.shower.stall import Stall
    from firmware.terminal.events import Answered, CardProblem, CardSeen, Key, NotWritten, Written

# The stall's alarms.
LIMIT = const(0)  # the state has lasted as long as it may
NOTICE = const(1)  # the notice has stood long enough
MARK = const(2)  # a mark is due by time
EARLY = const(3)  # until then OK is the finger that began the session
END = const(4)  # until then a second END ends
LOCK = const(5)  # until then no code is taken
RETRY = const(6)  # a higher total may be asked for again
ALARM_COUNT = const(7)

_MARK_MS = const(60_000)
_EARLY_MS = const(2_000)
_TWICE_MS = const(3_000)
_NOTICE_MS = const(3_000)
_LOCK_MS = const(60_000)
_RETRY_MS = const(5_000)  # the holder may have recharged by phone, or the line be back
_AGAIN_MS = const(1_000)  # how often `settled` is tried again while the journal has no room


# Between sessions.


def rest(stall: "Stall", event, now_ms: int) -> tuple:
    """Wait for the next person."""
    stall.code.clear()
    return NO_ACTIONS


def stay(stall: "Stall", event, now_ms: int) -> tuple:
    """Leave the screen up a little longer: who took the card out has not read it yet."""
    stall.restart_limit(now_ms)
    return NO_ACTIONS


def remind(stall: "Stall", event, now_ms: int) -> tuple:
    """Sound for the card in the slot."""
    stall.restart_limit(now_ms)
    return (Beep(beeper.REMINDER),)


# A card begins.


def ask(stall: "Stall", event: "CardSeen", now_ms: int) -> tuple:
    """Ask the host to hold a first amount."""
    stall.card = event
    stall.code.clear()
    amount_fen = min(stall.settings.prededuct_fen, stall.settings.session_max_fen)
    return (AskHost(ASK_SHOWER, SUBJECT_CARD, event.number, amount_fen, 0, event.copies, b"", NO_NAME),)


def give_up(stall: "Stall", event, now_ms: int) -> tuple:
    """The card left before the answer came: close the name."""
    return (GiveUp(),)


def open_card(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Journal that a session begins: an approval is good only now."""
    assert stall.card is not None
    return (stall.session.take_up(stall.card, event.answer),)


# A code begins.


def type_first(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Take the first digit of a code."""
    stall.code.clear()
    return type_more(stall, event, now_ms)


def type_more(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Take a digit."""
    stall.code.press(event.name)
    stall.restart_limit(now_ms)
    return (Beep(beeper.CLICK),)


def say_short(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Say that a code has six digits."""
    return _notify(stall, screens.SIX_DIGITS, now_ms)


def open_booking(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Journal that the booked session begins; its money is held already."""
    assert stall.booking is not None
    stall.code.note_right()
    return (stall.session.take_over(stall.booking),)


def look_up(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Ask the host whose code it is: perhaps another stall's. Holds nothing.

    It counts as wrong until the host knows better, so that nobody tries codes by putting in a card before the answer.
    """
    if stall.code.note_wrong():
        stall.alarms.set(LOCK, now_ms, _LOCK_MS)
    return (AskHost(ASK_LOOKUP, SUBJECT_NONE, 0, 0, 0, b"", stall.code.digits, NO_NAME),)


# A session runs.


def run(stall: "Stall", event: "Written", now_ms: int) -> tuple:
    """Open the valve, now that `opened` is durable."""
    tariff = stall.in_force.tariff
    assert tariff is not None
    stall.session.begin(event.name, tariff)
    stall.session.usage.open(now_ms)
    stall.alarms.set(MARK, now_ms, _MARK_MS)
    if stall.session.is_by_code:
        stall.alarms.set(EARLY, now_ms, _EARLY_MS)
    return OpenValve(), Beep(beeper.ACCEPTED)


def pause(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Stop the water; what still drips is not charged."""
    stall.session.usage.shut(now_ms)
    return ShutValve(), Beep(beeper.CLICK)


def go_on(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Let the water flow again."""
    stall.session.usage.open(now_ms)
    return OpenValve(), Beep(beeper.CLICK)


def mark(stall: "Stall", event, now_ms: int) -> tuple:
    """Journal how far it is."""
    stall.alarms.set(MARK, now_ms, _MARK_MS)
    return (stall.session.mark(now_ms),) if stall.session.is_unmarked else NO_ACTIONS


def extend(stall: "Stall", event, now_ms: int) -> tuple:
    """Ask for a higher total while the water runs; at the maximum, warn."""
    asked = stall.session.extend(stall.settings)
    if asked is not None:
        return (asked,)
    stall.session.funds.may_ask = False
    return _warn(stall)


def take_more(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Go on with the higher total."""
    stall.session.funds.take(event.answer)
    return NO_ACTIONS


def take_no_more(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Go on with what is held, and warn."""
    stall.session.funds.take(event.answer)
    stall.alarms.set(RETRY, now_ms, _RETRY_MS)
    return _warn(stall)


def hope(stall: "Stall", event, now_ms: int) -> tuple:
    """The host is back: let the next drop of water ask once more."""
    stall.session.funds.may_ask = True
    return NO_ACTIONS


def doubt(stall: "Stall", event, now_ms: int) -> tuple:
    """The host went away. Warn if an answer is missed; it still counts if it comes."""
    if stall.is_questioning:
        return _end_question(stall, screens.HOST_AWAY, now_ms)
    return _warn(stall) if stall.session.funds.is_extending else NO_ACTIONS


def say_end(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Say how the session is ended."""
    if not stall.session.is_by_code:
        return _notify(stall, screens.TAKE_CARD_TO_END, now_ms)
    stall.alarms.set(END, now_ms, _TWICE_MS)
    return _notify(stall, screens.END_AGAIN, now_ms)


def question(stall: "Stall", event: "CardSeen", now_ms: int) -> tuple:
    """Ask the host whether this card is that of the code's holder."""
    stall.is_questioning = True
    _notify(stall, screens.CHECKING_CARD, now_ms)
    return (AskHost(ASK_LOOKUP, SUBJECT_CARD, event.number, 0, 0, event.copies, stall.code.digits, NO_NAME),)


def say_busy(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Tell another holder that the stall is taken; or the holder, perhaps, that nobody can say whose card it is."""
    is_away = event.answer.code == codes.HOST_AWAY
    return _end_question(stall, screens.HOST_AWAY if is_away else screens.STALL_TAKEN, now_ms)


# A session ends.


def settle(stall: "Stall", event, now_ms: int) -> tuple:
    """The holder ended it."""
    return _settle(stall, shown.CAUSE_ENDED, now_ms)


def settle_spent(stall: "Stall", event, now_ms: int) -> tuple:
    """What was held is used up."""
    return _settle(stall, shown.CAUSE_MONEY, now_ms)


def settle_left(stall: "Stall", event, now_ms: int) -> tuple:
    """Nobody went on within the pause limit."""
    return _settle(stall, shown.CAUSE_PAUSE, now_ms)


def settle_again(stall: "Stall", event, now_ms: int) -> tuple:
    """Try once more to write `settled`."""
    return _settle(stall, stall.session.cause, now_ms)


def wait_for_room(stall: "Stall", event: "NotWritten", now_ms: int) -> tuple:
    """The journal has no room for `settled`: room comes when the host acknowledges."""
    stall.alarms.set(LIMIT, now_ms, _AGAIN_MS)
    return NO_ACTIONS


def show_summary(stall: "Stall", event: "Written", now_ms: int) -> tuple:
    """Say what was used, now that it is durable."""
    for alarm in (MARK, EARLY, END, RETRY):
        stall.alarms.turn_off(alarm)
    stall.is_questioning = False
    return (Beep(beeper.REMINDER if stall.has_card else beeper.ACCEPTED),)


# An attempt fails.


def refuse(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Say why the host refused a card."""
    stall.lacking_fen = event.answer.lacking_fen
    stall.place = event.answer.text
    return _refuse(stall, event.answer.code or codes.REFUSED, now_ms)


def refuse_away(stall: "Stall", event, now_ms: int) -> tuple:
    """Stop waiting for the host."""
    return _refuse(stall, codes.HOST_AWAY, now_ms)


def refuse_unready(stall: "Stall", event, now_ms: int) -> tuple:
    """Say that nothing was handed down to this stall yet."""
    return _refuse(stall, codes.NOT_CONFIGURED, now_ms)


def refuse_reason(stall: "Stall", event: "CardProblem | NotWritten", now_ms: int) -> tuple:
    """Say what is wrong in the slot, or why the journal took no record."""
    return _refuse(stall, event.code, now_ms)


def refuse_start(stall: "Stall", event: "CardSeen", now_ms: int) -> tuple:
    """A card that power-on finds in the slot may be forgotten: it must be put in again."""
    return _refuse(stall, screens.PUT_IN_AGAIN, now_ms)


def refuse_code(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Say why a booking cannot begin now: `reason` has it."""
    return _refuse(stall, stall.reason, now_ms)


def refuse_unchecked(stall: "Stall", event, now_ms: int) -> tuple:
    """A code that nobody here knows, and no host to ask: perhaps it is right."""
    return _refuse_not_wrong(stall, codes.HOST_AWAY, now_ms)


def refuse_looked_up(stall: "Stall", event: "Answered", now_ms: int) -> tuple:
    """Say what the host knows of a code that is unknown here."""
    code = event.answer.code
    stall.place = event.answer.text
    if code in (0, codes.CODE_ELSEWHERE, codes.HOST_AWAY):
        return _refuse_not_wrong(stall, code or screens.NOT_DOWN_YET, now_ms)
    return _refuse(stall, codes.CODE_LOCKED if stall.alarms.is_set(LOCK) else codes.CODE_WRONG, now_ms)


def refuse_locked(stall: "Stall", event: "Key", now_ms: int) -> tuple:
    """Too many codes were wrong."""
    return _refuse(stall, codes.CODE_LOCKED, now_ms)


def _refuse_not_wrong(stall: "Stall", code: int, now_ms: int) -> tuple:
    stall.code.take_back()
    stall.alarms.turn_off(LOCK)
    return _refuse(stall, code, now_ms)


def _refuse(stall: "Stall", code: int, now_ms: int) -> tuple:
    """Show a reason and what to do; close the name where it is still open."""
    stall.reason = code
    stall.restart_limit(now_ms)
    return GiveUp(), Beep(beeper.REFUSED)


def _settle(stall: "Stall", cause: int, now_ms: int) -> tuple:
    return ShutValve(), stall.session.settle(cause, now_ms)


def _warn(stall: "Stall") -> tuple:
    funds = stall.session.funds
    if funds.is_warned:
        return NO_ACTIONS
    funds.is_warned = True
    return (Beep(beeper.WARNING),)


def _end_question(stall: "Stall", text: bytes, now_ms: int) -> tuple:
    stall.is_questioning = False
    _notify(stall, text, now_ms)
    return (Beep(beeper.REFUSED),)


def _notify(stall: "Stall", text: bytes, now_ms: int) -> tuple:
    stall.notice = text
    stall.alarms.set(NOTICE, now_ms, _NOTICE_MS)
    return NO_ACTIONS
