"""Books in which every table has rows, and all of them are right."""

from dataclasses import replace

from host import days, reservations
from host.holders import new_account
from host.ledger.adjustment import Adjustment, Purpose, encode_annex
from host.ledger.books import Books
from host.ledger.kinds import AccountKind
from host.ledger.process import write_record
from host.ledger.refunds import Leg
from host.ledger.rows import CASH, Account, Movement, Place, Restore, Terminal, Wait, Wallet, WalletScope
from protocol import record as kinds
from protocol.messages import RESERVATIONS
from protocol.record import NONE, Name, Operation, pack_key, pack_shown, unpack_key
from protocol.shown import pack_activated
from tests.host.site import NOW_S, SHOWER, SHOWER_2, TILL, Journal, Site

HOLDER = 100
"""张小雨's account."""


def fill(site: Site) -> None:
    """Put into the books of the fixture `site` a row of everything, one day of it in the archive."""
    till, shower, lost = site.journal(TILL), site.journal(SHOWER), site.journal(SHOWER_2)
    site.commit(_subsidise)
    _use_the_purse(site, till)
    site.take(
        shower,
        shower.write(kinds.OPENED, subject=2, amount_fen=100),
        shower.write(kinds.SETTLED, subject=2, amount_fen=60, reference=shower.name(1)),
        shower.write(kinds.OPENED, subject=2, amount_fen=100),
    )
    reservations.book(site.ledger, "20260001", SHOWER, NOW_S, NOW_S + 1_800, 300)
    site.take(
        shower, shower.write(kinds.ACTIVATED, shown=pack_activated(resource=RESERVATIONS, version=1, digest=bytes(9)), list_version=1)
    )
    site.take(lost, lost.write(kinds.OPENED, subject=1, amount_fen=100))
    site.commit(lambda books: _lose(books, lost.name(1)))
    recharged = _recharge_of(site)
    site.commit(lambda books: _adjust(books, Purpose.REVERSAL, Leg(HOLDER, CASH, 20_000), reference=recharged))
    days.close(site.ledger, early=True)
    done, waiting = days.archive_closed(site.ledger)
    assert (len(done), waiting) == (1, [])
    site.commit(_restored)
    sold = till.next
    site.take(till, till.write(kinds.SALE, subject=1, amount_fen=500), till.write(kinds.SALE, subject=999, amount_fen=40))
    site.take(till, till.write(kinds.VOID, subject=1, amount_fen=200, reference=till.name(sold)))
    assert site.ask(till, amount_fen=700).code == 0


def _subsidise(books: Books) -> None:
    """A wallet for the canteen, and money in it, asked for by a request from outside."""
    giver = new_account(books, AccountKind.GIVER, "学工处")
    books.add(Wallet(1, "补助", giver.number, spending_order=1))
    till = books.need(Terminal, TILL)
    assert till.place is not None
    books.add(WalletScope(1, books.need(Place, till.place).merchant))
    wallet = new_account(books, AccountKind.WALLET, "补助", owner=HOLDER, wallet=1)
    holder = books.need(Account, HOLDER)
    books.change(replace(holder, wallet_count=holder.wallet_count + 1))
    books.write()
    _adjust(books, Purpose.SUBSIDY, Leg(giver.number, wallet.number, 1_000), Leg(CASH, HOLDER, 20_000), request="subsidy 1 line 1")


def _use_the_purse(site: Site, till: Journal) -> None:
    """A load and a sale that shows it: evidence of who wrote the card."""
    site.take(
        till,
        till.write(kinds.LOAD, subject=1, amount_fen=2_000, purse=True, counter=1, balance_fen=2_000),
        till.write(
            kinds.SALE,
            subject=1,
            amount_fen=300,
            purse=True,
            counter=2,
            balance_fen=1_700,
            shown=pack_shown([Operation(TILL, 1, kinds.LOAD, till.epoch, 2_000)]),
        ),
    )


def _lose(books: Books, opened: Name) -> None:
    """Something stands for the record that a lost shower never delivers, and its epoch is closed."""
    _adjust(books, Purpose.STAND_IN, reference=opened)
    _adjust(books, Purpose.CLOSE, reference=Name(opened.terminal, opened.epoch, 0))


def _adjust(books: Books, purpose: str, *legs: Leg, reference: Name = NONE, request: str = "") -> None:
    adjustment = Adjustment(purpose, "test", legs)
    annex = encode_annex(adjustment)
    write_record(books, kind=kinds.ADJUST, reference=reference, amount_fen=adjustment.amount_fen, annex=annex, request=request)


def _recharge_of(site: Site) -> Name:
    found = site.ledger.view(lambda books: [row.key for row in books.scan(Movement) if (row.debit, row.credit) == (CASH, HOLDER)])
    return unpack_key(min(found))[0]


def _restored(books: Books) -> None:
    """As after a restore whose wait is over."""
    books.add(Restore(1, NOW_S, NOW_S - 60, NOW_S + 60, "test"))
    books.add(Wait(TILL, 1, 3, is_done=1))


def key_of_name(terminal: int, epoch: int, sequence: int) -> int:
    """A record's key."""
    return pack_key(Name(terminal, epoch, sequence), 0)
