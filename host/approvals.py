"""Asks answered: may this terminal sell, open, extend; whose code is this.

An answer is given once its hold is durable, and the same ask gets the same answer (MONEY 4). Asks change
holds and what is known of a card, nothing else.
"""

from dataclasses import dataclass

from host import restoring
from host.ledger.booking_codes import lookup_hash
from host.ledger.books import Books
from host.ledger.clock import wire_day
from host.ledger.contract import Ledger
from host.ledger.decisions import GRANTED, Decision, Situation, decide
from host.ledger.evidence import keep_copies
from host.ledger.funds import available, shares_of
from host.ledger.gathering import Wanted
from host.ledger.holding import account_of, mirror_of, parts_of, payers_of, place_hold
from host.ledger.kinds import HoldKind, ReservationState
from host.ledger.posting import report
from host.ledger.rows import Account, Card, Epoch, Hold, Holder, Place, Reservation, Terminal
from host.ledger.surroundings import merchant_at
from host.ledger.texts import masked_name, one_line
from host.restoring import Reply
from protocol import codes
from protocol.messages import ASK, ASK_LOOKUP, ASK_SHOWER, BUSY, SUBJECT_ACCOUNT, SUBJECT_CARD, Answer, Ask, Refused
from protocol.packing import pack
from protocol.record import EPOCH_MAX, SEQUENCE_MAX, pack_key, unpack_key

_UINT32_MAX = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Asking:
    """An ask, as a terminal sent it at `at_s` (Unix): an `Arrival`, answered with an `Answer`, or `Refused` to ask again soon."""

    terminal: int
    ask: Ask
    at_s: int

    @property
    def is_alone(self) -> bool:
        """See `Arrival.is_alone`."""
        return False

    def want(self, wanted: Wanted) -> None:
        """See `Arrival.want`."""
        wanted.terminals.add(self.terminal)
        if self._has_name():
            wanted.epochs.add((self.terminal, self.ask.epoch))

    def want_more(self, wanted: Wanted, books: Books) -> None:
        """See `Arrival.want_more`."""
        ask = self.ask
        if ask.subject_kind == SUBJECT_CARD:
            wanted.cards.add(ask.subject)
            wanted.purses.add(ask.subject)
            wanted.owners.add(ask.subject)
        elif ask.subject_kind == SUBJECT_ACCOUNT:
            wanted.holders.add(ask.subject)
        if self._has_name():
            wanted.holds.add(pack_key((self.terminal, ask.epoch, ask.sequence), 0))

    def run(self, books: Books) -> "Answer | Refused":
        """See `Arrival.run`."""
        return answer_in(books, self.terminal, self.ask, self.at_s)

    def _has_name(self) -> bool:
        return self.ask.kind != ASK_LOOKUP and 0 < self.ask.epoch <= EPOCH_MAX and 0 < self.ask.sequence <= SEQUENCE_MAX


def answer(ledger: Ledger, terminal_number: int, ask: Ask, now_s: int) -> Answer | Refused:
    """Answer an ask of a terminal; returns once what was granted is on disk. `now_s`: Unix seconds.

    Raises only `LedgerAway`: then nothing was granted, and the terminal asks again.
    """
    return ledger.post([Asking(terminal_number, ask, now_s)])[0]


def answer_in(books: Books, terminal_number: int, ask: Ask, now_s: int) -> Answer | Refused:
    """The same as part of a commit."""
    books.now_s = now_s
    terminal = books.need(Terminal, terminal_number)
    reply = restoring.reply_in(books, terminal_number, ask)
    if reply is Reply.AWAY:
        return away(ask)
    if reply is Reply.LATER:
        return Refused(ASK, BUSY)
    if ask.kind == ASK_LOOKUP:
        return _look_up(books, terminal, ask, now_s)
    key = pack_key((terminal.number, ask.epoch, ask.sequence), 0)
    card = books.get(Card, ask.subject) if ask.subject_kind == SUBJECT_CARD else None
    if card is not None:
        keep_copies(books, card, ask.copies, key)
    situation = _situation(books, terminal, key, card, ask, now_s)
    decision = decide(situation)
    if books.open_restore is not None:
        decision = restoring.put_off(decision, ask)
        restoring.note_heard(books, terminal_number)
    if decision.hold is not None:
        place_hold(books, decision.hold, decision.parts)
    if decision.item is not None:
        differs = pack([ask.kind, ask.subject_kind, ask.subject, ask.amount_fen, ask.used_fen])
        report(books, decision.item, terminal=terminal.number, key=key, amount_fen=ask.amount_fen, evidence=differs)
    return _answer(books, ask, decision, situation)


def away(ask: Ask) -> Answer:
    """The answer while nothing can be decided: the terminal goes on by itself."""
    return Answer(ask.epoch, ask.sequence, ask.kind, codes.HOST_AWAY, 0, 0, 0, 0, 0, b"")


def _situation(books: Books, terminal: Terminal, key: int, card: Card | None, ask: Ask, now_s: int) -> Situation:
    epoch = books.get(Epoch, terminal.number, ask.epoch)
    account = account_of(books, ask.subject_kind, ask.subject)
    holder = books.get(Holder, account.number) if account else None
    hold = books.get(Hold, key) if ask.sequence else None
    return Situation(
        ask=ask,
        key=key,
        program=terminal.kind,
        epoch=terminal.epoch,
        high_water=epoch.high_water if epoch else 0,
        hold=hold,
        account=account,
        card=card,
        is_closed=holder is not None and bool(holder.is_closed),
        busy_at=_open_elsewhere(books, terminal, account, key) if ask.kind == ASK_SHOWER and account else "",
        today=wire_day(now_s),
        single_fen=books.settings.limits.single_fen,
        session_fen=books.settings.shower.session_fen,
        payers=payers_of(books, account, merchant_at(books, terminal)) if account else (),
        shares=shares_of(hold, parts_of(books, [hold])) if hold else (),
        is_over=epoch is not None and bool(epoch.is_closed),
    )


def _open_elsewhere(books: Books, terminal: Terminal, account: Account, key: int) -> str:
    """The place where a holder has a shower open or just beginning, "" if nowhere.

    A hold of the same stall under an earlier name does not count: the stall asks under a new name only
    once it has closed that one, so its record is on its way.
    """
    for hold in books.find(Hold, account=account.number, kind=HoldKind.SHOWER):
        number = unpack_key(hold.key)[0].terminal
        if hold.key != key and number != terminal.number:
            return place_of(books, number)
    return ""


def place_of(books: Books, terminal_number: int) -> str:
    """The name of the place where a terminal stands."""
    terminal = books.get(Terminal, terminal_number)
    place = books.get(Place, terminal.place) if terminal and terminal.place is not None else None
    return place.name if place else str(terminal_number)


def _answer(books: Books, ask: Ask, decision: Decision, situation: Situation) -> Answer:
    account = account_of(books, ask.subject_kind, ask.subject)
    mirror = mirror_of(books, ask.subject_kind, ask.subject)
    holder = books.get(Holder, account.number) if account else None
    if decision.code == codes.BUSY:
        text = one_line(situation.busy_at)
    else:
        text = one_line(masked_name(holder.name)) if holder else b""
    return Answer(
        epoch=ask.epoch,
        sequence=ask.sequence,
        kind=ask.kind,
        code=decision.code,
        held_fen=decision.held_fen,
        account_fen=_unsigned(available(situation.payers)),
        purse_fen=_unsigned(mirror.balance_fen if mirror else 0),
        lacking_fen=_unsigned(decision.lacking_fen),
        load_fen=0,
        text=text,
    )


def _look_up(books: Books, terminal: Terminal, ask: Ask, now_s: int) -> Answer:
    """Whose code it is, and where: a code opens one stall, every other names it. Holds nothing.

    With a card as subject: whether the card is that of the code's holder, who may end the shower it began.
    """
    booking = _booking_of(books, terminal, ask.code, now_s)
    card = books.get(Card, ask.subject) if ask.subject_kind == SUBJECT_CARD else None
    if card is not None:
        keep_copies(books, card, ask.copies, told_by=0)
    code, text, held_fen = _looked_up(terminal, ask, booking, card), b"", 0
    if booking is not None and code == codes.CODE_ELSEWHERE:
        text = one_line(place_of(books, booking.terminal))
    elif booking is not None and code == GRANTED:
        text, held_fen = one_line(masked_name(books.need(Holder, booking.account).name)), booking.held_fen
    return Answer(ask.epoch, ask.sequence, ask.kind, code, held_fen, 0, 0, 0, 0, text)


def _looked_up(terminal: Terminal, ask: Ask, booking: Reservation | None, card: Card | None) -> int:
    is_about_card = ask.subject_kind == SUBJECT_CARD
    if booking is None or (booking.state == ReservationState.USED and not is_about_card):
        return codes.CODE_WRONG
    if booking.terminal != terminal.number:
        return codes.CODE_ELSEWHERE
    if is_about_card and (card is None or card.account != booking.account):
        return codes.REFUSED
    return GRANTED


def _booking_of(books: Books, terminal: Terminal, code: bytes, now_s: int) -> Reservation | None:
    """The booking of this house and day that has the code, unless it was cancelled."""
    place = books.get(Place, terminal.place) if terminal.place is not None else None
    if place is None or not code:
        return None
    day = books.settings.site.business_day(now_s)
    booking = books.first(Reservation, house=place.house, day=day, lookup=lookup_hash(books.keys, house=place.house, day=day, code=code))
    return booking if booking is not None and booking.state in (ReservationState.OPEN, ReservationState.USED) else None


def _unsigned(amount_fen: int) -> int:
    return min(max(amount_fen, 0), _UINT32_MAX)
