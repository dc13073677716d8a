"""One session of a shower: whom it charges, what it has used, what it may use. It journals by the actions it returns."""

from firmware.shower.funds import Funds
from firmware.shower.usage import Usage
from firmware.terminal.actions import NO_NAME, AskHost, Mark, Write
from protocol.compat import const
from protocol.messages import ASK_EXTEND, SUBJECT_ACCOUNT, SUBJECT_CARD
from protocol.record import NOTHING_SHOWN, OPENED, SETTLED
from protocol.shown import CAUSE_BOOT, pack_settled

TYPE_CHECKING = False

if TYPE_CHECKING:
    from firmware.terminal.events import CardSeen
    from firmware.terminal.settings import Reservation, Settings, Tariff
    from protocol.messages import Answer
    from protocol.record import Name, Record

_STEP_FEN = const(50)  # a power cut costs the school at most this much water
_DETAIL_MAX_ML = const(0xFFFFFF)  # three bytes of the record; the two meters in `shown` have four each


class Session:
    """The session that runs, or ran last. It decides nothing about keys, cards and the valve: see stall.py.

    `take_up` (a card's hold) or `take_over` (a booking's) returns the `opened` to write; when that is durable, `begin`, and let
    `usage` meter the water. Return `mark` and `extend` when they are due, and at the end `settle`. What it costs is
    the tariff on its totals, and never more than is held.

    `is_by_code`: it began with a code, and ends by END or the same holder's card. `number`: of the card it began
    with, or of the account. `cause`: why it was settled, CAUSE_* of protocol/shown.py.
    """

    def __init__(self) -> None:
        self.usage = Usage()
        self.funds = Funds()
        self.is_by_code = False
        self.number = 0
        self.cause = 0
        self._opened: "Name" = NO_NAME
        self._marked_fen = 0
        self._marked_ml = 0

    @property
    def charge_fen(self) -> int:
        """What it costs so far. The drops beyond what is held are the school's."""
        return min(self.usage.charge_fen, self.funds.held_fen)

    @property
    def left_fen(self) -> "int | None":
        """What the holder would have left if it ended now; None while that is not known."""
        return self.funds.left_fen(self.charge_fen)

    @property
    def is_spent(self) -> bool:
        """Whether all that is held is used up."""
        return self.usage.charge_fen >= self.funds.held_fen

    @property
    def is_step_used(self) -> bool:
        """Whether so much was used since the last mark that no more may flow before the next."""
        return self.usage.charge_fen - self._marked_fen >= _STEP_FEN

    @property
    def is_unmarked(self) -> bool:
        """Whether any water was used since the last mark."""
        return self.usage.volume_ml != self._marked_ml

    def take_up(self, card: "CardSeen", answer: "Answer") -> Write:
        """Take up what the host holds for a card."""
        self._charge(is_by_code=False, number=card.number)
        self.funds.begin(answer.held_fen, answer.account_fen)
        return Write(OPENED, SUBJECT_CARD, card.number, NO_NAME, answer.held_fen, 0, card.balance_fen, card.counter, card.shown, False)

    def take_over(self, booking: "Reservation") -> Write:
        """Take over what a booking holds: `opened` names it."""
        self._charge(is_by_code=True, number=booking.account)
        self.funds.begin(booking.held_fen, None)
        return Write(OPENED, SUBJECT_ACCOUNT, booking.account, booking.booking, booking.held_fen, 0, 0, 0, NOTHING_SHOWN, False)

    def begin(self, opened: "Name", tariff: "Tariff") -> None:
        """Start at nothing, now that `opened` is durable, under the tariff that it carries."""
        self._opened = opened
        self.usage.begin(tariff)

    def mark(self, now_ms: int) -> Mark:
        """Return the mark of all that was used so far."""
        usage = self.usage
        self._marked_fen = usage.charge_fen
        self._marked_ml = usage.volume_ml
        return Mark(self._opened, usage.cold_ml, usage.hot_ml, self.charge_fen, usage.seconds(now_ms))

    def extend(self, settings: "Settings") -> "AskHost | None":
        """Return the ask for the next total, so that a repeat adds nothing; None at the maximum of a session."""
        total_fen = self.funds.next_total_fen(settings.prededuct_fen, settings.session_max_fen)
        if total_fen == self.funds.held_fen:
            return None
        self.funds.is_extending = True
        return AskHost(ASK_EXTEND, self._subject_kind, self.number, total_fen, self.charge_fen, b"", b"", self._opened)

    def settle(self, cause: int, now_ms: int) -> Write:
        """Return the `settled`; the same again when it could not be written."""
        self.cause = cause
        usage = self.usage
        usage.shut(now_ms)
        used = Mark(self._opened, usage.cold_ml, usage.hot_ml, self.charge_fen, usage.seconds(now_ms))
        return _settled(self._subject_kind, self.number, used, cause)

    @property
    def _subject_kind(self) -> int:
        return SUBJECT_ACCOUNT if self.is_by_code else SUBJECT_CARD

    def _charge(self, *, is_by_code: bool, number: int) -> None:
        self.is_by_code = is_by_code
        self.number = number
        self._marked_fen = 0
        self._marked_ml = 0


def settled_at_boot(opened: "Record", mark: Mark) -> Write:
    """Return the `settled` of a session that a power cut ended: what its last mark says, nothing more."""
    return _settled(opened.subject_kind, opened.subject, mark, CAUSE_BOOT)


def _settled(subject_kind: int, subject: int, used: Mark, cause: int) -> Write:
    about = pack_settled(cold_ml=used.cold_ml, hot_ml=used.hot_ml, seconds=used.seconds, cause=cause)
    detail_ml = min(used.cold_ml + used.hot_ml, _DETAIL_MAX_ML)
    return Write(SETTLED, subject_kind, subject, used.name, used.fen, detail_ml, 0, 0, about, False)
