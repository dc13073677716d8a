"""The wait after a restore (MONEY 7): until every terminal has delivered, nobody is granted money that may be spent already.

An ask is answered "away", and the terminal goes on by itself. One that runs a shower must ask again for what it was
granted, once it has delivered all it had when it shook hands: that ask is answered. When nobody is missing the wait
ends by itself, or an operator ends it. Then what was found uncovered is decided: the record that frees the money may
have come from another terminal.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from host.adjustments import cover
from host.errors import InvalidValue, NotFound, RestoreWaiting
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.decisions import Decision
from host.ledger.holding import raise_hold
from host.ledger.kinds import HoldKind, HoldState, ItemKind
from host.ledger.posting import report
from host.ledger.process import FACE_CLOCK, FACE_OFFICE
from host.ledger.reports import name_text
from host.ledger.rows import Epoch, Hold, Item, Place, Reservation, Restore, Terminal, Wait
from host.ledger.surroundings import borne_fen as borne_fen_of
from protocol import codes
from protocol import record as kinds
from protocol.messages import ASK_EXTEND, Ask
from protocol.record import Record, decode, pack_key, unpack_key

_CHARGES = (kinds.SALE, kinds.SETTLED, kinds.LOAD)
_SETS_ASIDE = (kinds.OPENED, kinds.STEP, kinds.BOOKING)


class Reply(StrEnum):
    """What an ask gets while the wait lasts."""

    AWAY = "away"
    LATER = "later"
    """The terminal is to say it again in this session: it has not delivered yet what the answer hangs on."""
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the host waits for. `terminals`: number and place of each that is missing, and whether it has shaken hands."""

    backup_s: int
    terminals: tuple[tuple[int, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a wait ended: what was covered after all, what stays the school's loss, and who was still missing."""

    covered_fen: int
    uncovered_fen: int
    missing: tuple[int, ...]


def reply_to(ask: Ask, wait: Wait | None, high_water: int) -> Reply:
    """What an ask gets. `wait` and `high_water` are its terminal's, of the epoch that the terminal named."""
    if ask.kind != ASK_EXTEND or wait is None or wait.is_done or ask.epoch != wait.epoch:
        return Reply.AWAY
    return Reply.DECIDED if is_delivered(wait, high_water) else Reply.LATER


def is_delivered(wait: Wait, high_water: int) -> bool:
    """Whether a terminal has delivered all it had when it shook hands."""
    return wait.next > 0 and (wait.epoch == 0 or high_water >= wait.next - 1)


def is_done(wait: Wait, high_water: int, running: Sequence[Hold]) -> bool:
    """Whether nothing of this terminal is missing any more; `running`: its showers that were opened and not settled."""
    return is_delivered(wait, high_water) and not running


def put_off(decision: Decision, ask: Ask) -> Decision:
    """An extension that nothing covers now is not refused while the wait lasts: the money may still come."""
    if decision.code != codes.BALANCE_LOW or decision.hold is None:
        return decision
    return replace(decision, code=codes.HOST_AWAY, lacking_fen=0, hold=replace(decision.hold, asked_fen=ask.amount_fen))


# In the commits of terminals.


def reply_in(books: Books, terminal: int, ask: Ask) -> Reply:
    """What an ask gets in these books."""
    if books.open_restore is None:
        return Reply.DECIDED
    wait = books.get(Wait, terminal)
    return reply_to(ask, wait, _high_water(books, wait) if wait else 0)


def note_handshake(books: Books, terminal: int, *, epoch: int, following: int) -> None:
    """A terminal has named its epoch and next sequence. What it was granted before is void from now on."""
    if books.open_restore is not None and (wait := books.get(Wait, terminal)) is not None and not wait.is_done:
        books.change(replace(wait, epoch=epoch, next=following))
        note_records(books, terminal)


def note_records(books: Books, terminal: int) -> None:
    """Records of a terminal were taken in."""
    if books.open_restore is None or (wait := books.get(Wait, terminal)) is None or wait.is_done:
        return
    high_water = _high_water(books, wait)
    if is_delivered(wait, high_water) and is_done(wait, high_water, _running(books, wait)):
        books.change(replace(wait, is_done=1))


def note_heard(books: Books, terminal: int) -> None:
    """The extension of a terminal's shower was decided during the wait."""
    if books.open_restore is not None and (wait := books.get(Wait, terminal)) is not None:
        books.change(replace(wait, is_done=1))


# For people, and for the host's chores.


def waiting_in(books: Books) -> Waiting | None:
    """What is waited for, in a view; None while no wait is open."""
    if (restore := books.open_restore) is None:
        return None
    return Waiting(restore.backup_s, tuple((wait.terminal, _place(books, wait.terminal), wait.next > 0) for wait in _missing(books)))


def refuse_while_waiting(books: Books, why: str) -> None:
    """Refuse what must not be done before all terminals have delivered. Raises `RestoreWaiting`."""
    if books.open_restore is not None:
        raise RestoreWaiting(f"恢复未完成 the ledger was restored and waits for terminals: {why}; wait, or see `onecard end-wait --help`")


def settle(ledger: Ledger) -> Ended | None:
    """End the wait if nobody is missing; None if there is none, or somebody is. To be called every second or so while one is open."""
    if not ledger.view(lambda books: books.open_restore is not None and not _missing(books)):
        return None
    return ledger.commit(lambda books: _end(books, reason=""))


def end(ledger: Ledger, reason: str) -> Ended:
    """End the wait, whoever is missing. Raises `NotFound` when none is open, `InvalidValue` without a reason."""
    if not reason.strip():
        raise InvalidValue("要写原因 a wait is ended with a reason: what the missing terminals sold may be granted twice")
    ended = ledger.commit(lambda books: _end(books, reason=reason.strip()))
    if ended is None:
        raise NotFound("恢复等待 open wait after a restore", "", "asks are answered already")
    return ended


def _end(books: Books, *, reason: str) -> Ended | None:
    restore = books.open_restore
    missing = tuple(wait.terminal for wait in _missing(books))
    if restore is None or (missing and not reason):
        return None
    books.change(replace(restore, ended_s=books.now_s, ended_by=reason or "all delivered"))
    books.note_restore(None)
    found = [_decide(books, restore, item, by_clock=not reason) for item in books.find(Item, kind=ItemKind.UNDECIDED, is_open=1)]
    for hold in books.find(Hold, state=HoldState.TAKEN):
        _raise(books, hold)
    if reason:
        note(books, "wait.end", restore.number, reason=reason, missing=", ".join(str(number) for number in missing))
    return Ended(sum(covered for covered, _ in found), sum(rest for _, rest in found), missing)


def _decide(books: Books, restore: Restore, item: Item, *, by_clock: bool) -> tuple[int, int]:
    """Take what an uncovered charge still costs the school from its holder, as far as there is money now; what was taken, and the rest."""
    books.change(replace(item, is_open=0))
    if (hold := books.get(Hold, item.key)) is not None:
        # An `opened` or a booking: nothing is charged yet, so its hold is raised.
        raised_fen = _raise(books, hold)
        covered_fen, rest_fen = raised_fen - hold.amount_fen, hold.asked_fen - raised_fen
    else:
        record = _record(books, item.key)
        kind = record.kind if record is not None else 0
        if record is not None and kind in _CHARGES and not record.purse:
            covered_fen, rest_fen = _charge_again(books, restore, item, by_clock=by_clock)
        else:
            # A hold that could not be had and has ended since: what it was for was charged, or not, by a record of its own.
            covered_fen, rest_fen = 0, 0 if kind in _SETS_ASIDE else item.amount_fen
    if rest_fen > 0:
        report(books, ItemKind.UNCOVERED, terminal=item.terminal, key=item.key, amount_fen=rest_fen)
    return max(covered_fen, 0), max(rest_fen, 0)


def _charge_again(books: Books, restore: Restore, item: Item, *, by_clock: bool) -> tuple[int, int]:
    """Move what the school still bears of a charge from those who should have paid it; what was taken, and the rest.

    What was refunded meanwhile it bears no more: a refund goes to the school first.
    """
    borne_fen = min(item.amount_fen, borne_fen_of(books, item.key))
    reason = f"恢复 {restore.number} 后补扣 charged after restore {restore.number}: {name_text(item.key)}"
    covered_fen = cover(books, item.key, borne_fen, face=FACE_CLOCK if by_clock else FACE_OFFICE, reason=reason) if borne_fen else 0
    return covered_fen, borne_fen - covered_fen


def _record(books: Books, key: int) -> Record | None:
    """The record an item is about; None if there is none that can be read."""
    data = books.records([(key, key)]).get(key)
    try:
        return decode(data) if data else None
    except ValueError:
        return None


def _raise(books: Books, hold: Hold) -> int:
    """Raise a hold to what it was asked for, as far as that is available; returns what it is then."""
    if hold.kind not in (HoldKind.SHOWER, HoldKind.BOOKING) or hold.asked_fen <= hold.amount_fen:
        return hold.amount_fen
    return raise_hold(books, hold, hold.asked_fen, _merchant_of(books, hold))


def _merchant_of(books: Books, hold: Hold) -> int:
    booking = books.get(Reservation, hold.key)
    terminal = books.get(Terminal, booking.terminal if booking else unpack_key(hold.key)[0].terminal)
    place = books.get(Place, terminal.place) if terminal is not None and terminal.place is not None else None
    return place.merchant if place else 0


def _missing(books: Books) -> list[Wait]:
    return books.find(Wait, is_done=0)


def _place(books: Books, number: int) -> str:
    terminal = books.get(Terminal, number)
    place = books.get(Place, terminal.place) if terminal is not None and terminal.place is not None else None
    return place.name if place else ""


def _high_water(books: Books, wait: Wait) -> int:
    epoch = books.get(Epoch, wait.terminal, wait.epoch)
    return epoch.high_water if epoch else 0


def _running(books: Books, wait: Wait) -> list[Hold]:
    """Showers that were opened under the epoch a terminal named, and not settled. It asks again for them only in that epoch."""
    terminal = books.get(Terminal, wait.terminal)
    if terminal is None or terminal.epoch != wait.epoch:
        return []
    low = pack_key((wait.terminal, wait.epoch, 0), 0)
    return books.find(Hold, key=(low, low | (1 << 35) - 1), kind=HoldKind.SHOWER, state=HoldState.TAKEN)
