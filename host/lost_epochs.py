"""Closing an epoch whose board is lost: what still waits for its records is settled without them (MONEY 7).

Each open load and shower gets a record of the host's own that stands under the missing name; then one more
closes the epoch. A board found later is collected as ever: its records take the place of what stands there.
"""

from dataclasses import dataclass

from host.errors import InvalidValue, NotFound
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.audit_log import note
from host.ledger.books import Books
from host.ledger.contract import Ledger
from host.ledger.epochs import needs_stand_in, stand_in
from host.ledger.funds import shares_of
from host.ledger.holding import account_of, mirror_of, parts_of, payers_of
from host.ledger.kinds import TerminalKind
from host.ledger.process import write_record
from host.ledger.rows import Account, Epoch, Hold, Terminal
from host.ledger.surroundings import merchant_at
from protocol import record as kinds
from protocol.record import Name, pack_key, unpack_key

_LEG_MASK = 15
_SEQUENCE_LAST = 0x7FFF_FFFF


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing an epoch did."""

    stood_in_count: int
    """Loads and showers that were settled without their records."""
    moved_fen: int
    released_count: int
    """Holds that were only asked for, and are free."""


def close(ledger: Ledger, terminal: int, epoch: int) -> Closed:
    """Close an epoch: its board is lost, or will never deliver the rest. Again, for what came late and stayed open.

    Raises `NotFound`, `InvalidValue` (a host process; closed already), `LedgerAway`.
    """
    return ledger.commit(lambda books: _close(books, terminal, epoch))


def _close(books: Books, number: int, epoch_number: int) -> Closed:
    terminal, epoch = books.get(Terminal, number), books.get(Epoch, number, epoch_number)
    if terminal is None or epoch is None:
        raise NotFound("纪元 epoch", f"{number}-{epoch_number}", "see `onecard terminal list`")
    if terminal.kind == TerminalKind.HOST:
        raise InvalidValue(f"终端 {number} is a host process: its records are in the journal file, `onecard collect-host` takes them in")
    span = (pack_key((number, epoch_number, 0), 0), pack_key((number, epoch_number, _SEQUENCE_LAST), _LEG_MASK))
    holds = books.find(Hold, key=span)
    if epoch.is_closed and not holds:
        raise InvalidValue(f"已关闭 epoch {number}-{epoch_number} is closed already, and nothing is open there")
    merchant = merchant_at(books, terminal)
    unfinished = [hold for hold in holds if needs_stand_in(hold)]
    moved_fen = sum(_stand_in(books, hold, merchant) for hold in unfinished)
    closing = Adjustment(Purpose.CLOSE, detail=(epoch.high_water,))
    write_record(books, kind=kinds.ADJUST, reference=Name(number, epoch_number, 0), annex=encode_annex(closing))
    note(books, "epoch.close", f"{number}-{epoch_number}", high_water=epoch.high_water, stood_in=len(unfinished), amount_fen=moved_fen)
    return Closed(len(unfinished), moved_fen, len(holds) - len(unfinished))


def _stand_in(books: Books, hold: Hold, merchant: int) -> int:
    """Settle what an open hold waits for; returns what was moved."""
    main = account_of(books, hold.subject_kind, hold.subject)
    mirror = mirror_of(books, hold.subject_kind, hold.subject)
    charged = books.need(Account, hold.account)
    legs = stand_in(
        hold,
        merchant=merchant,
        mirror=mirror.number if mirror else 0,
        main=main.number if main else charged.owner,
        payers=payers_of(books, charged, merchant),
        shares=shares_of(hold, parts_of(books, [hold])),
    )
    adjustment = Adjustment(Purpose.STAND_IN, legs=legs)
    write_record(
        books,
        kind=kinds.ADJUST,
        subject_kind=hold.subject_kind,
        subject=hold.subject,
        reference=unpack_key(hold.key)[0],
        amount_fen=adjustment.amount_fen,
        annex=encode_annex(adjustment),
    )
    return adjustment.amount_fen
